"""What can go wrong with telling others.

NotifyError
├── EndpointUnfit       the endpoint can't be: the message says which of its fields, and what may be there
│   ├── AddressForbidden    its URL leads where we don't go: private, local and metadata addresses, anything but https
│   ├── UnknownEvent        there is no event type of that name
│   ├── ReleaseNeedsFinal   goods would be released on news that may be taken back: choose final
│   └── DeliveryFixed       instant stays instant, and final final: make a new endpoint
├── TooManyEndpoints    the account has as many as it may: delete one
├── UnknownEndpoint     it has none of that id
├── UnknownDelivery     the endpoint has none of that number
├── EndpointDisabled    nothing is sent there: enable it first
├── ChannelUnfit        the channel can't be: the message says which of its fields
├── ChannelUnavailable  this service has not been given what that kind of channel needs
├── TooManyChannels     the account has as many as it may: delete one
├── UnknownChannel      it has none of that id
├── TooManyCodes        enough codes were asked for: wait
├── CodeWrong           not the code that was sent, or not any more: ask for another
├── LinkWrong           the opt-out link is none of ours, or its channel is gone
├── PreferencesUnfit    language, time zone, quiet hours or topics: the message says which
├── SealBroken          what was sealed can't be opened: give the key file that it was sealed with
├── SecretFileUnusable  a file with a secret can't be read, others may read it, or it has something else in it
└── NotifierStandsBy    another notifier is at work: this one takes over when that one ends
"""

from kameng_escrow.errors import EscrowError


class NotifyError(EscrowError):
    """The root of what can go wrong with telling others."""

    code = "notify_error"

    def __init__(self, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.message_zh = message_zh


class EndpointUnfit(NotifyError):
    """A webhook endpoint can't be as it was asked for. `field` says what is wrong."""

    code = "endpoint_unfit"

    def __init__(self, field: str, message: str, message_zh: str) -> None:
        super().__init__(message, message_zh)
        self.field = field


class AddressForbidden(EndpointUnfit):
    """A URL leads where we don't go. `reason`: "scheme", "host", "address" and the like."""

    code = "address_forbidden"

    def __init__(self, reason: str, message: str, message_zh: str) -> None:
        super().__init__("url", message, message_zh)
        self.reason = reason


class UnknownEvent(EndpointUnfit):
    """There is no event type `name` that could be subscribed to; `known` has those there are."""

    code = "unknown_event_type"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            "events",
            f"There are no {name!r} events: choose from {', '.join(known)}, or none for all of them.",
            f"没有 {name!r} 这种事件：可选 {'、'.join(known)}；留空表示全部。",
        )
        self.name = name
        self.known = known


class ReleaseNeedsFinal(EndpointUnfit):
    """An instant endpoint would hear `events`, on which goods are released, without saying that it releases none."""

    code = "release_needs_final"

    def __init__(self, events: tuple[str, ...]) -> None:
        named = ", ".join(events) or "its events"
        super().__init__(
            "delivery",
            f"Goods or money may leave on {named}, and what is told at once may be taken back by a reorganisation: "
            "choose delivery final. If the receiver only shows, counts or reminds, say purpose inform.",
            f"收到 {'、'.join(events) or '这些事件'} 时可能会交出货物或资金，而即时消息可能因链重组而撤回："
            "请选 delivery: final。若接收方只做展示、统计或提醒，请写明 purpose: inform。",
        )
        self.events = events


class DeliveryFixed(EndpointUnfit):
    """An endpoint stays `delivery`: what it was told in the one way would not be told, or taken back, in the other."""

    code = "delivery_fixed"

    def __init__(self, delivery: str) -> None:
        super().__init__(
            "delivery",
            f"An endpoint stays {delivery}, or messages would be lost between the two ways: make a new endpoint, and "
            "delete this one once the new one is heard.",
            f"端点不能改变 {delivery}，否则两种方式之间会漏消息：请新建一个端点，收到它的消息后再删掉这个。",
        )
        self.delivery = delivery


class TooManyEndpoints(NotifyError):
    """The account has `most` endpoints already."""

    code = "too_many_endpoints"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"An account has at most {most} webhook endpoints: delete one that is not needed.",
            f"一个账户最多 {most} 个 webhook 端点：请先删掉不用的。",
        )
        self.most = most


class UnknownEndpoint(NotifyError):
    """The account has no webhook endpoint of that id."""

    code = "unknown_endpoint"

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(f"You have no webhook endpoint {endpoint_id}.", f"你没有 {endpoint_id} 这个 webhook 端点。")
        self.endpoint_id = endpoint_id


class UnknownDelivery(NotifyError):
    """The endpoint has no delivery of that number."""

    code = "unknown_delivery"

    def __init__(self, delivery_id: int) -> None:
        super().__init__(
            f"The endpoint has no delivery {delivery_id}, or not any more.",
            f"这个端点没有第 {delivery_id} 号投递，或已过保留期。",
        )
        self.delivery_id = delivery_id


class EndpointDisabled(NotifyError):
    """Nothing is sent to a disabled endpoint."""

    code = "endpoint_disabled"

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(
            f"The webhook endpoint {endpoint_id} is disabled: enable it first.",
            f"webhook 端点 {endpoint_id} 已停用：请先启用。",
        )
        self.endpoint_id = endpoint_id


class ChannelUnfit(NotifyError):
    """A channel can't be as it was asked for. `field` says what is wrong; its value is not shown."""

    code = "channel_unfit"

    def __init__(self, field: str, message: str, message_zh: str) -> None:
        super().__init__(message, message_zh)
        self.field = field


class ChannelUnavailable(NotifyError):
    """This service has not been given what channels of that kind need: `setting` would name it."""

    code = "channel_unavailable"

    def __init__(self, kind: str, setting: str) -> None:
        super().__init__(
            f"This service can't send by {kind} yet: whoever runs it has to set {setting}.",
            f"本服务还不能用 {kind} 发送：需由运营者设置 {setting}。",
        )
        self.kind = kind
        self.setting = setting


class TooManyChannels(NotifyError):
    """The account has `most` channels already."""

    code = "too_many_channels"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"An account has at most {most} notification channels: delete one that is not needed.",
            f"一个账户最多 {most} 个通知渠道：请先删掉不用的。",
        )
        self.most = most


class UnknownChannel(NotifyError):
    """The account has no channel of that id."""

    code = "unknown_channel"

    def __init__(self, channel_id: str) -> None:
        super().__init__(f"You have no notification channel {channel_id}.", f"你没有 {channel_id} 这个通知渠道。")
        self.channel_id = channel_id


class TooManyCodes(NotifyError):
    """The account has asked for as many codes as it may: again in `retry_after` seconds."""

    code = "too_many_codes"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"Enough codes were asked for: ask again in {seconds} s.", f"验证码要得太频繁：请 {seconds} 秒后再试。"
        )
        self.retry_after = seconds


class CodeWrong(NotifyError):
    """Not the code that was sent to the channel, or it does not count any more."""

    code = "code_wrong"

    def __init__(self) -> None:
        super().__init__(
            "That is not the code that was sent there, or it does not count any more: ask for another one.",
            "验证码不对，或已失效：请重新获取。",
        )


class LinkWrong(NotifyError):
    """An opt-out link is none of ours, or its channel is gone already."""

    code = "link_wrong"

    def __init__(self) -> None:
        super().__init__(
            "This link is not one of ours, or its channel is gone already.", "这个链接不是我们发的，或渠道已经删除。"
        )


class PreferencesUnfit(NotifyError):
    """How somebody wants to be told can't be. `field` says what is wrong."""

    code = "preferences_unfit"

    def __init__(self, field: str, message: str, message_zh: str) -> None:
        super().__init__(message, message_zh)
        self.field = field


class SealBroken(NotifyError):
    """A secret in the store can't be opened: it was sealed with another key, or changed."""

    code = "seal_broken"

    def __init__(self) -> None:
        super().__init__(
            "A secret in the store can't be opened with the keys in KAMENG_SEAL_KEY_FILE: add the key that it was "
            "sealed with, on a line of its own.",
            "KAMENG_SEAL_KEY_FILE 里的密钥打不开数据库中的秘密：请把当初加密用的密钥加回文件，单独一行。",
        )


class SecretFileUnusable(NotifyError):
    """A file with a secret can't be used. The message says why, and never what is in it."""

    code = "bad_secret_file"


class NotifierStandsBy(NotifyError):
    """Another notifier is at work: `holder`, as "host:pid"."""

    code = "notifier_stands_by"

    def __init__(self, holder: str) -> None:
        super().__init__(
            f"Another notifier of this contract is at work ({holder}): this one takes over when that one ends.",
            f"这个合约已有通知程序在运行（{holder}）：它结束后由本程序接手。",
        )
        self.holder = holder
