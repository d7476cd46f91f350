"""Why an order is feared for, in words that name the figures."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .chronicle import Value

# Of features that mean the same to a reader, one is told. {x} is the figure as it is shown.
_SENTENCES: Final[dict[str, tuple[str, str, str]]] = {
    "seller_late_week": (
        "percent",
        "该卖家近 7 天 {x} 超时未接单或未发货",
        "the seller let clocks run out in {x} of orders in the last 7 days",
    ),
    "seller_bad_week": (
        "percent",
        "该卖家近 7 天 {x} 的订单没有善终",
        "{x} of the seller's orders of the last 7 days ended badly",
    ),
    "seller_seller": (
        "percent",
        "该卖家历来约 {x} 的订单由卖家造成失败",
        "about {x} of the seller's orders fail by the seller",
    ),
    "seller_dispute": ("percent", "该卖家历来约 {x} 的订单有争议", "about {x} of the seller's orders are disputed"),
    "seller_buyer": ("percent", "该卖家约 {x} 的订单被买家取消", "buyers cancel about {x} of the seller's orders"),
    "seller_opened": ("count", "该卖家此前只有 {x} 单", "the seller has had {x} orders so far"),
    "seller_open_now": ("count", "该卖家手上有 {x} 单未完成", "the seller has {x} orders open"),
    "seller_day": ("count", "该卖家 24 小时内接到 {x} 单", "the seller got {x} orders within 24 hours"),
    "seller_wait": ("minutes", "该卖家平均 {x} 分钟发货", "the seller takes {x} minutes to deliver on average"),
    "seller_since_bad": ("hours", "该卖家上一次失败在 {x} 小时前", "the seller's last failure was {x} hours ago"),
    "seller_closed_week": ("count", "该卖家近 7 天完成 {x} 单", "the seller closed {x} orders in the last 7 days"),
    "buyer_opened": ("count", "该买家此前有 {x} 单", "the buyer has had {x} orders so far"),
    "buyer_open_now": ("count", "该买家同时有 {x} 单未完成", "the buyer has {x} orders open at once"),
    "buyer_day": ("count", "该买家 24 小时内下了 {x} 单", "the buyer placed {x} orders within 24 hours"),
    "buyer_buyer": (
        "percent",
        "该买家约 {x} 的订单由买家取消或过错结束",
        "about {x} of the buyer's orders end by the buyer",
    ),
    "buyer_dispute": ("percent", "该买家约 {x} 的订单有争议", "about {x} of the buyer's orders are disputed"),
    "buyer_bad_week": (
        "percent",
        "该买家近 7 天 {x} 的订单没有善终",
        "{x} of the buyer's orders of the last 7 days ended badly",
    ),
    "buyer_since_bad": ("hours", "该买家上一次坏结局在 {x} 小时前", "the buyer's last bad ending was {x} hours ago"),
    "pair_bad": ("count", "这对买卖双方之前有 {x} 单没有善终", "{x} orders between these two ended badly"),
    "pair_orders": ("count", "这对买卖双方之前有 {x} 单", "these two have had {x} orders"),
    "category_seller": (
        "percent",
        "这个品类约 {x} 的订单由卖家造成失败",
        "about {x} of orders of this category fail by the seller",
    ),
    "category_dispute": ("percent", "这个品类约 {x} 的订单有争议", "about {x} of orders of this category are disputed"),
    "category_buyer": (
        "percent",
        "这个品类约 {x} 的订单被买家取消",
        "buyers cancel about {x} of orders of this category",
    ),
    "category_bad_week": (
        "percent",
        "这个品类近 7 天 {x} 没有善终",
        "{x} of this category's orders of the last 7 days ended badly",
    ),
    "platform_bad_week": (
        "percent",
        "这个平台近 7 天 {x} 没有善终",
        "{x} of the platform's orders of the last 7 days ended badly",
    ),
    "policy_bad": ("percent", "这条规则下约 {x} 的订单没有善终", "about {x} of orders under this policy end badly"),
    "price_to_sellers": ("times", "价格是该卖家平均的 {x} 倍", "the price is {x} times the seller's average"),
    "price_to_categorys": ("times", "价格是同品类平均的 {x} 倍", "the price is {x} times the category's average"),
    "log_price": ("", "这个价位的订单", "the size of the price"),
    "units": ("count", "一单 {x} 件", "{x} units in one order"),
    "paid_by_other": ("", "由他人代付", "somebody else paid for the buyer"),
    "waited": ("minutes", "下单后已过 {x} 分钟", "{x} minutes have passed since it was opened"),
    "spent": ("percent", "这一步的时间已过去 {x}", "{x} of this step's time has passed"),
    "deadline_in": ("minutes", "这一步只有 {x} 分钟", "this step has {x} minutes"),
    "accept_window": ("minutes", "接单时限 {x} 分钟", "the window to accept is {x} minutes"),
    "deliver_window": ("minutes", "发货时限 {x} 分钟", "the window to deliver is {x} minutes"),
    "inspect_window": ("hours", "验货时限 {x} 小时", "the window to inspect is {x} hours"),
    "cancel_fee": ("bps", "取消费 {x}", "the cancel fee is {x}"),
    "seller_bond": ("bps", "卖家保证金只有 {x}", "the seller's bond is {x}"),
    "dispute_bond": ("bps", "争议保证金 {x}", "the dispute bond is {x}"),
    "mediated": ("", "规则里有没有仲裁员", "whether the policy has a mediator"),
    "hour": ("count", "下单在 {x} 点（北京时间）", "the hour is {x} (Beijing)"),
    "weekday": ("", "星期几", "the day of the week"),
}
# What says something about the buyer: never shown to the other side, who might refuse an honest buyer for it.
ABOUT_BUYER: Final = frozenset(name for name in _SENTENCES if name.startswith(("buyer_", "pair_"))) | {"paid_by_other"}


def reasons(causes: Sequence[str], values: Mapping[str, Value]) -> list[dict[str, Any]]:
    """For each cause its feature, its figure, and a sentence in both languages."""
    made = []
    for name in causes:
        value = values[name]
        if name not in _SENTENCES or not isinstance(value, float | None):
            continue
        kind, zh, en = _SENTENCES[name]
        if value is None:
            zh, en = "没有以往的记录可看", "there is no record to go by"
        shown = "" if value is None else _shown(kind, value)
        made.append({"feature": name, "value": value, "zh": zh.format(x=shown), "en": en.format(x=shown)})
    return made


def _shown(kind: str, value: float) -> str:
    if kind == "percent":
        return f"{round(100 * value)}%"
    if kind == "bps":
        return f"{value / 100:g}%"
    if kind == "minutes":
        return f"{round(value / 60):,}"
    if kind == "hours":
        return f"{round(value / 3_600):,}"
    return f"{value:.1f}" if kind == "times" else f"{round(value):,}"
