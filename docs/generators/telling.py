"""Webhooks and notifications: event types, channels and topics, as the code has them."""

from dataclasses import fields

from kameng_escrow.domain import events
from kameng_escrow.notify.channels import fields_of
from kameng_escrow.notify.rules import RELEASING
from kameng_escrow.notify.schedule import WEBHOOK_DELAYS
from kameng_escrow.notify.topics import DISABLED, REMINDED, STOCK_ASKED, TOPICS
from kameng_escrow.store.service.notifying import ChannelKind
from kameng_escrow.webhooks import EVENT_TYPES, ORDER_TYPES, RETRACTED, TESTED

from .text import Lang, Text, table

_OWN = {
    RETRACTED: Text(
        "链重组撤回了之前告知的事件；`retracts` 是那条消息的 `webhook-id`（只发给 instant 端点）",
        "A reorganisation took back an event that was told; `retracts` is that message's `webhook-id` (instant only)",
    ),
    TESTED: Text("有人按了测试按钮；`final` 恒为 false", "Somebody pressed the test button; `final` is never true"),
    REMINDED: Text("轮到你了，或时间快到了", "It is your turn, or time is running out"),
    STOCK_ASKED: Text(
        "作为卖家：类似的订单更容易失败，请确认有货",
        "As the seller: orders like this fail more often; are the goods there?",
    ),
    DISABLED: Text("你的一个 webhook 端点被停用了", "A webhook endpoint of yours was disabled"),
}
_KINDS = {
    ChannelKind.Push: Text("浏览器（Web Push）", "A browser (Web Push)"),
    ChannelKind.Mail: Text("邮件", "Mail"),
    ChannelKind.WeCom: Text("企业微信群机器人", "WeCom, a group robot"),
    ChannelKind.DingTalk: Text("钉钉群机器人", "DingTalk, a group robot"),
    ChannelKind.Feishu: Text("飞书群机器人", "Feishu, a group robot"),
    ChannelKind.Telegram: Text("Telegram", "Telegram"),
    ChannelKind.Bark: Text("Bark（iOS）", "Bark (iOS)"),
    ChannelKind.Ntfy: Text("ntfy", "ntfy"),
}


def webhook_types(lang: Lang) -> str:
    """Every event type, with what its `data.fields` has and what may be let go because of it."""
    heads = Text("类型 | `data.fields` 里有 | 谁会因此交出东西", "Type | In `data.fields` | Who lets something go")[
        lang
    ]
    by_type = {kind: name for name, kind in ORDER_TYPES.items()}
    rows = []
    for kind in EVENT_TYPES:
        if kind not in by_type:
            rows.append([f"`{kind}`", "–", _OWN[kind][lang]])
            continue
        names = (f"`{field.name}`" for field in fields(getattr(events, by_type[kind])))
        label = RELEASING.get(kind)
        reason = "–" if label is None else label.zh if lang == "zh" else label.en
        rows.append([f"`{kind}`", "、".join(names) if lang == "zh" else ", ".join(names), reason])
    return table(heads.split(" | "), rows)


def webhook_schedule(lang: Lang) -> str:
    """When each attempt is made."""
    heads = Text("第几次 | 距上次 | 距首次", "Attempt | After the one before | After the first")[lang].split(" | ")
    rows, start = [["1", "–", _clock(0)]], 0
    for number, delay in enumerate(WEBHOOK_DELAYS, start=2):
        start += delay
        rows.append([str(number), _clock(delay), _clock(start)])
    return table(heads, rows)


def notification_topics(lang: Lang) -> str:
    """Every topic."""
    heads = Text("主题 | 何时", "Topic | When")[lang].split(" | ")
    told = Text("这个[事件](webhooks.md#events)发生，且与你有关", "That [event](webhooks.md#events) is news to you")[
        lang
    ]
    return table(heads, ([f"`{topic}`", _OWN[topic][lang] if topic in _OWN else told] for topic in TOPICS))


def notification_channels(lang: Lang) -> str:
    """Every kind of channel, with its fields."""
    heads = Text("种类 | 是什么 | 需要", "Kind | What it is | Needs")[lang].split(" | ")
    rows = []
    for kind in ChannelKind:
        needs = (
            f"`{name}`（{zh}）" if lang == "zh" else f"`{name}` ({en})" for name, (en, zh) in fields_of(kind).items()
        )
        rows.append([f"`{kind}`", _KINDS[kind][lang], ("、" if lang == "zh" else ", ").join(needs)])
    return table(heads, rows)


def _clock(seconds: int) -> str:
    return f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
