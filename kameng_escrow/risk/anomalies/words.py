"""What an alarm says, in a sentence of each language."""

from collections.abc import Mapping
from typing import Any

from kameng_escrow.domain.categories import category_label

from .alarms import Alarm, Finding, Kind, Role

Sentence = tuple[str, str]  # English, Chinese

_ROLES: dict[Role, Sentence] = {
    Role.Buyer: ("buyer", "买家"),
    Role.Seller: ("seller", "卖家"),
    Role.Mediator: ("mediator", "仲裁员"),
    Role.Category: ("category", "类目"),
}


def sentence(alarm: Alarm | Finding) -> Sentence:
    """An alarm in English and in Chinese. Says what was seen, not what it means: that is for people to find out."""
    numbers = alarm.numbers
    who = alarm.who
    match alarm.kind:
        case Kind.Velocity:
            return _velocity(_ROLES[alarm.role], who, numbers)
        case Kind.Ring:
            return _ring(who, numbers)
        case Kind.Price:
            return _price(who, numbers)
        case Kind.Disputer:
            return _disputer(who, numbers)
        case Kind.CodeReuse:
            return _codes(who, numbers)
        case Kind.MediatorBias:
            return _mediator(who, numbers)
        case Kind.Failure:
            return _failure(alarm.role, who, numbers)


def _category(name: str) -> Sentence:
    """A category, or the policy that stands for one where listings are unknown."""
    if name.startswith("0x"):
        return f"the policy {name}", f"规则 {name} "
    label = category_label(name)
    return f"the category {label.en}", f"类目“{label.zh}”"


def _velocity(role: Sentence, who: str, numbers: Mapping[str, Any]) -> Sentence:
    count, expected = numbers["orders_in_an_hour"], numbers["expected"]
    return (
        f"The {role[0]} {who} had {count} orders within an hour, where about {expected} were to be expected.",
        f"{role[1]} {who} 一小时内有 {count} 笔订单，按其以往和同类目情况应约为 {expected} 笔。",
    )


def _ring(who: str, numbers: Mapping[str, Any]) -> Sentence:
    deliveries = numbers.get("deliveries", 0)
    match numbers["pattern"]:
        case "one_purse":
            return (
                f"The seller {who} delivered {deliveries} orders whose buyer's money and its own go to one address, or "
                "whose buyer and seller are otherwise one.",
                f"卖家 {who} 有 {deliveries} 笔已发货订单，买卖双方收款地址相同或实为同一方。",
            )
        case "round":
            return (
                f"{numbers['accounts']} accounts sell to each other in a round, {who} among them: {deliveries} "
                "deliveries so far.",
                f"包括 {who} 在内的 {numbers['accounts']} 个账户互相循环买卖，已有 {deliveries} 笔发货。",
            )
        case "one_hand":
            return (
                f"{numbers['buyers']} buyers of the seller {who} have their money go back to one address "
                f"({numbers['address']}): {deliveries} deliveries.",
                f"卖家 {who} 的 {numbers['buyers']} 个买家共用同一退款地址（{numbers['address']}），"
                f"共 {deliveries} 笔发货。",
            )
        case _:
            return (
                f"{numbers['buyers']} buyers buy again and again from the seller {who} and from nobody else, and "
                "confirm within minutes.",
                f"有 {numbers['buyers']} 个买家反复只向卖家 {who} 购买，且几分钟内就确认收货。",
            )


def _price(who: str, numbers: Mapping[str, Any]) -> Sentence:
    times, count = numbers["times_the_median"], numbers["odd_prices_in_a_week"]
    title = str(numbers["title"])
    what = (title, f"“{title}”") if title else _category(str(numbers["category"]))
    return (
        f"The seller {who} sold {what[0]} at {times} times the usual price ({count} odd prices within a week).",
        f"卖家 {who} 出售{what[1]}商品的价格是通常的 {times} 倍（一周内 {count} 笔异常价格）。",
    )


def _disputer(who: str, numbers: Mapping[str, Any]) -> Sentence:
    disputed, delivered, expected = numbers["disputed"], numbers["delivered"], numbers["expected"]
    return (
        f"The buyer {who} disputed {disputed} of {delivered} deliveries of {numbers['sellers']} sellers, where about "
        f"{expected} were to be expected; {numbers['found_at_fault']} ended with the fault on the buyer.",
        f"买家 {who} 对 {numbers['sellers']} 个卖家的 {delivered} 笔发货发起了 {disputed} 次争议，"
        f"按这些卖家的情况应约为 {expected} 次；其中 {numbers['found_at_fault']} 次判定为买家责任。",
    )


def _codes(who: str, numbers: Mapping[str, Any]) -> Sentence:
    again, orders = numbers["codes_again"], numbers["other_orders"]
    read = numbers["read_before"]
    return (
        f"The seller {who} delivered {again} codes that were in {orders} other orders before"
        f"{', and were read there' if read else ''}.",
        f"卖家 {who} 交付的 {again} 个卡密此前已出现在另外 {orders} 笔订单中{'，且已被买家读取' if read else ''}。",
    )


def _mediator(who: str, numbers: Mapping[str, Any]) -> Sentence:
    rulings, hits, percent = numbers["rulings"], numbers["for_that_side"], round(100 * numbers["allowed_share"])
    side = ("buyers", "买家") if numbers["side"] == "buyer" else ("sellers", "卖家")
    if "seller" in numbers:
        side = (f"the seller {numbers['seller']}", f"卖家 {numbers['seller']}")
    return (
        f"The mediator {who} ruled for {side[0]} in {hits} of {rulings} disputes, where at most {percent} % were to be "
        "expected.",
        f"仲裁员 {who} 在 {rulings} 起争议中有 {hits} 起判{side[1]}胜，预期至多 {percent}%。",
    )


def _failure(role: Role, who: str, numbers: Mapping[str, Any]) -> Sentence:
    failed, orders, percent = numbers["failed"], numbers["orders"], round(100 * numbers["allowed_share"])
    if role is Role.Category:
        what = _category(who)
        return (
            f"Of the last {orders} orders of {what[0]}, {failed} failed with {numbers['sellers']} sellers, where at "
            f"most {percent} % were to be expected.",
            f"{what[1]}最近 {orders} 笔订单中有 {failed} 笔失败，涉及 {numbers['sellers']} 个卖家，"
            f"预期至多 {percent}%。",
        )
    return (
        f"Of the last {orders} orders of the seller {who}, {failed} failed (not accepted, declined, not delivered, "
        f"refunded or disputed), where at most {percent} % were to be expected.",
        f"卖家 {who} 最近 {orders} 笔订单中有 {failed} 笔失败（未接单、拒单、未发货、退款或争议），"
        f"预期至多 {percent}%。",
    )
