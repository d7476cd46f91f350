"""Why a webhook is not to be believed, or not to be acted on.

WebhookError
├── BadSecret           the secret is none: paste it whole, from ``whsec_`` on
└── WebhookRefused      the request is not to be believed: answer 4xx, change nothing
    ├── HeaderMissing       it lacks one of the three headers: not ours, or a proxy took it away
    ├── HeaderMalformed     a header is not what the standard says
    ├── TimestampOff        signed too long ago, or in the future: a replay, or a clock that is wrong
    ├── SignatureWrong      no secret fits: another sender, a changed body, or an old secret
    ├── BodyMalformed       rightly signed, but no event
    ├── AlreadyHandled      it was handled before: answer 2xx, do nothing again
    └── NotFinal            a reorganisation may still take it back: hand nothing over because of it
"""

from kameng_escrow.errors import EscrowError


class WebhookError(EscrowError):
    """The root of what can be wrong with a webhook."""

    code = "webhook_error"

    def __init__(self, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.message_zh = message_zh


class BadSecret(WebhookError):
    """A signing secret is not ``whsec_`` and the base64 of 24 to 64 bytes. The message never shows it."""

    code = "bad_webhook_secret"

    def __init__(self, reason: str, reason_zh: str) -> None:
        super().__init__(
            f"The webhook secret {reason}: paste it whole, from whsec_ on.",
            f"webhook 密钥{reason_zh}：请从 whsec_ 开始完整粘贴。",
        )


class WebhookRefused(WebhookError):
    """A request is not to be believed: answer it with a status of 4xx, and change nothing."""

    code = "webhook_refused"


class HeaderMissing(WebhookRefused):
    """The request lacks the header `name`."""

    code = "webhook_header_missing"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The request has no {name} header: it is not from us, or a proxy on the way removed it.",
            f"请求缺少 {name} 头：不是我们发的，或被途中的代理删掉了。",
        )
        self.name = name


class HeaderMalformed(WebhookRefused):
    """The header `name` is not what the standard says."""

    code = "webhook_header_malformed"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The request's {name} header is not what the Standard Webhooks spec says: do not believe it.",
            f"请求的 {name} 头不符合 Standard Webhooks 规范：不要相信它。",
        )
        self.name = name


class TimestampOff(WebhookRefused):
    """The request was signed `seconds` ago (negative: in the future), and `tolerance` is allowed either way."""

    code = "webhook_timestamp_off"

    def __init__(self, seconds: int, tolerance: int) -> None:
        when = f"{seconds} s ago" if seconds >= 0 else f"{-seconds} s in the future"
        when_zh = f"{seconds} 秒之前" if seconds >= 0 else f"{-seconds} 秒之后"
        super().__init__(
            f"The request was signed {when}, and {tolerance} s are allowed: somebody sent it again, or this machine's "
            "clock is wrong.",
            f"请求签署于 {when_zh}，只允许相差 {tolerance} 秒：有人重放了它，或本机时钟不准。",
        )
        self.seconds = seconds
        self.tolerance = tolerance


class SignatureWrong(WebhookRefused):
    """None of the request's signatures is by one of the secrets."""

    code = "webhook_signature_wrong"

    def __init__(self) -> None:
        super().__init__(
            "No signature of the request fits: check that the body is the raw bytes that came in, and that the secret "
            "is this endpoint's and not one that was rotated out.",
            "请求的签名都对不上：请确认校验的是收到的原始字节，密钥属于这个端点且没有被轮换掉。",
        )


class BodyMalformed(WebhookRefused):
    """The body is rightly signed and is no event: another kind of sender has the secret, or a newer one."""

    code = "webhook_body_malformed"

    def __init__(self) -> None:
        super().__init__(
            "The request is rightly signed, but its body is no event with type, timestamp and data: upgrade "
            "kameng-escrow, or look at who else has the secret.",
            "请求签名正确，但正文不是带 type、timestamp 和 data 的事件：请升级 kameng-escrow，或查一查还有谁持有密钥。",
        )


class AlreadyHandled(WebhookRefused):
    """The message `message_id` was handled before, or is being handled: answer 2xx and do nothing."""

    code = "webhook_already_handled"

    def __init__(self, message_id: str) -> None:
        super().__init__(
            f"The webhook {message_id} was handled already, or is just being handled: answer 2xx and do nothing.",
            f"webhook {message_id} 已经处理过，或正在处理：请回 2xx，不要再做一遍。",
        )
        self.message_id = message_id


class NotFinal(WebhookRefused):
    """The event `event_type` was told at once, and a reorganisation of the chain may still take it back."""

    code = "webhook_not_final"

    def __init__(self, event_type: str) -> None:
        super().__init__(
            f"{event_type} came by an instant endpoint and may still be retracted: hand goods or money over by an "
            "endpoint whose delivery is final.",
            f"{event_type} 来自 instant 端点，仍可能被撤回：要据此交付货物或资金，请用 delivery 为 final 的端点。",
        )
        self.event_type = event_type
