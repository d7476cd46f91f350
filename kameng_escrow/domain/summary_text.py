"""The summary of an order in plain words, English and Chinese. Same facts, same words: both sides sign their hash.

What can be done is told move by move from the facts; a move without words here can't be told, and fails. Change a word,
and you must raise `TEXT_VERSION`: old documents keep their own words, and say by which version they were made.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from .currency import Currency
from .labels import Label, label_of
from .lifecycle import Move, Who
from .order import NATIVE
from .policy import ZERO_ADDRESS
from .shares import Closing, bps
from .states import State
from .summary import Leaving, Option, Stage, Summary

TEXT_VERSION = 1
_BEIJING = timezone(timedelta(hours=8))
_UNITS = ((86_400, "day", "天"), (3_600, "hour", "小时"), (60, "minute", "分钟"), (1, "second", "秒"))

_WHO: dict[Who, Label] = {
    Who.Buyer: Label("the buyer", "买家"),
    Who.Seller: Label("the seller", "卖家"),
    Who.Parties: Label("the buyer and the seller together", "买卖双方"),
    Who.Platform: Label("the platform", "平台"),
    Who.Mediator: Label("the mediator whose turn it is", "当值仲裁员"),
}
_OPERATOR = Label("the seller or its operator", "卖家或其操作员")
_DO: dict[Move, Label] = {
    Move.Accept: Label("accept the order", "接单"),
    Move.Deliver: Label("deliver", "发货"),
    Move.Confirm: Label("confirm the receipt", "确认收货"),
    Move.Cancel: Label("cancel", "取消订单"),
    Move.Decline: Label("decline", "拒单"),
    Move.Refund: Label("refund", "退款"),
    Move.Dispute: Label("dispute some or all units", "对部分或全部商品发起争议"),
    Move.Recommit: Label("send replacement codes", "补发卡密"),
    Move.Rule: Label("rule how what is in dispute is divided", "裁决争议款如何分配"),
    Move.Concede: Label("concede", "认输"),
    Move.Agree: Label("agree on any division of what is held", "协商一致，任意分配托管款"),
    Move.Revise: Label("void offers and divisions signed before", "作废此前签署的报价和分配方案"),
    Move.Intervene: Label("intervene and refund the buyer in full", "介入，向买家全额退款"),
}
_WAITS: dict[State, Label] = {
    State.Opened: Label("Paid, waiting for the seller to accept", "已付款，等卖家接单"),
    State.Accepted: Label("Accepted, waiting for the seller to deliver", "已接单，等卖家发货"),
    State.Delivered: Label("Delivered, the buyer inspects", "已发货，买家验货"),
    State.Disputed: Label("In dispute (sums for all units in dispute)", "争议中（金额按全部商品有争议计）"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A part of the summary."""

    title: Label
    lines: tuple[Label, ...]


def paragraphs(summary: Summary, currency: Currency) -> tuple[Paragraph, ...]:
    """The summary in words.

    Args:
        summary: the facts.
        currency: of the terms' token.

    Raises:
        ValueError: the currency is another token's.
    """
    if currency.token != summary.terms.token:
        raise ValueError(f"the order is paid in {summary.terms.token}, not in {currency.token}")
    return (
        _payment(summary, currency),
        *(_stage(number, stage, currency) for number, stage in enumerate(summary.stages, 1)),
        _latest(summary),
        _leaving(summary, currency),
        _bonds(summary, currency),
        _fees(summary, currency),
        _receivers(summary),
        _powers(summary),
    )


def lines(summary: Summary, currency: Currency) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The summary line by line, first in English, then in Chinese. Titles begin with ``# ``."""
    told: list[Label] = []
    for part in paragraphs(summary, currency):
        told += [Label(f"# {part.title.en}", f"# {part.title.zh}"), *part.lines]
    return tuple(line.en for line in told), tuple(line.zh for line in told)


# -------------------------------------------------------------------------------------------------------- the parts


def _payment(summary: Summary, currency: Currency) -> Paragraph:
    terms = summary.terms
    price, by = currency.show(terms.price), clock_words(terms.open_by)
    kind = (
        Label("the chain's native coin", "链的原生币")
        if terms.token == NATIVE
        else Label(f"token {terms.token}", f"代币 {terms.token}")
    )
    return Paragraph(
        title=Label("Payment", "付款"),
        lines=(
            Label(
                f"{price} ({kind.en}; {terms.price} base units) for {terms.units} unit{'s' * (terms.units > 1)}, "
                f"to be paid until {by.en}.",
                f"{terms.units} 件共 {price}（{kind.zh}，即 {terms.price} 个最小单位），{by.zh} 前（含）付款。",
            ),
            Label(
                "The money goes to the escrow contract, and not to the seller or the platform.",
                "款项付给托管合约，不经卖家或平台之手。",
            ),
            Label(
                "With the seller's signed offer the order is accepted as it is paid: the first stage is left out.",
                "付款时附上卖家签署的报价，则付款即接单，没有第一阶段。",
            ),
        ),
    )


def _stage(number: int, stage: Stage, currency: Currency) -> Paragraph:
    wait, span, latest = _WAITS[stage.state], _duration(stage.lasts), clock_words(stage.latest_end)
    name = label_of(stage.state)
    paid = sums(stage.timeout, currency)
    return Paragraph(
        title=Label(f"Stage {number}: {name.en}", f"第 {number} 阶段：{name.zh}"),
        lines=(
            Label(
                f"{wait.en}: {span.en} at most, until {latest.en} at the latest.",
                f"{wait.zh}：最长 {span.zh}，最晚到{latest.zh}。",
            ),
            *(_option(option, currency) for option in stage.options),
            *_watches(stage),
            Label(
                f"If the time runs out, anyone may settle: {paid.en}.",
                f"超时后任何人都可以结算：{paid.zh}。",
            ),
        ),
    )


def _option(option: Option, currency: Currency) -> Label:
    who = _OPERATOR if option.by_operator else _WHO[option.who]
    do, when = _DO[option.move], _when(option.after, option.until)
    en, zh = f"{_upper(who.en)} may {do.en}{when.en}", f"{who.zh}可以{when.zh}{do.zh}"
    if option.closing is not None:
        paid = sums(option.closing, currency)
        en, zh = f"{en}: {paid.en}", f"{zh}：{paid.zh}"
    return Label(f"{en}.", f"{zh}。")


def _when(after: int, until: int | None) -> Label:
    start = _duration(after)
    if until is None:
        return Label("", "") if after == 0 else Label(f" after {start.en}", f"在 {start.zh}后")
    end = _duration(until)
    if after == 0:
        return Label(f" within {end.en}", f"在 {end.zh}内")
    return Label(f" from {start.en} to {end.en} after the stage began", f"在本阶段开始后 {start.zh}到 {end.zh}之间")


def _watches(stage: Stage) -> Iterator[Label]:
    for watch in stage.watches:
        start, end = _duration(watch.after), _duration(watch.until)
        yield Label(
            f"{watch.mediator} is the mediator from {start.en} to {end.en} after the stage began.",
            f"本阶段开始后 {start.zh}到 {end.zh}之间，当值仲裁员是 {watch.mediator}。",
        )


def _latest(summary: Summary) -> Paragraph:
    at = clock_words(summary.latest)
    return Paragraph(
        title=Label("The latest moment", "最晚到账时间"),
        lines=(
            Label(
                f"Whatever anybody does or fails to do, from {at.en} on anyone can have all the money paid out as "
                "above; earlier stages end earlier.",
                f"无论任何人做什么或不做什么，最晚从{at.zh} 起，任何人都能让全部款项按上述规则付出；"
                "在更早阶段结束的更早。",
            ),
            Label(
                "It takes somebody to settle: the platform's keeper does, and if it does not, you or anybody can.",
                "结算要有人发起：平台的守护程序会做；它不做，你或任何人都可以做。",
            ),
        ),
    )


def _leaving(summary: Summary, currency: Currency) -> Paragraph:
    return Paragraph(
        title=Label("What giving up costs", "中途退出的代价"),
        lines=tuple(_left(leaving, currency) for leaving in summary.leavings),
    )


def _left(leaving: Leaving, currency: Currency) -> Label:
    state, who = label_of(leaving.state), _WHO[leaving.who]
    if leaving.move is None:
        return Label(f"{state.en}: {who.en} can't.", f"{state.zh}：{who.zh}不能退出。")
    do, when = _DO[leaving.move], _when(0, leaving.until)
    en, zh = f"{state.en}: {who.en} may {do.en}{when.en}", f"{state.zh}：{who.zh}可以{when.zh}{do.zh}"
    if leaving.cost == 0:
        return Label(f"{en} for free.", f"{zh}，没有代价。")
    cost = currency.show(leaving.cost)
    source = Label("of the bond", "保证金") if leaving.who is Who.Seller else Label("of the price", "货款")
    return Label(f"{en} and loses {cost} {source.en}.", f"{zh}，损失{source.zh} {cost}。")


def _bonds(summary: Summary, currency: Currency) -> Paragraph:
    policy = summary.policy
    accepted, disputed = summary.stage(State.Accepted).held, summary.stage(State.Disputed).held
    seller, buyer = currency.show(accepted.seller_bond), currency.show(disputed.dispute_bond)
    return Paragraph(
        title=Label("Bonds", "保证金和押金"),
        lines=(
            Label(
                f"The seller's bond: {seller} ({_percent(policy.seller_bond_bps)} of the price), locked on acceptance.",
                f"卖家保证金：{seller}（货款的 {_percent(policy.seller_bond_bps)}），接单时锁定。",
            ),
            Label(
                f"The buyer's dispute bond: {buyer} ({_percent(policy.dispute_bond_bps)} of the sum in dispute), paid "
                "when a dispute over every unit is opened; less for fewer units.",
                f"买家争议押金：{buyer}（争议金额的 {_percent(policy.dispute_bond_bps)}），对全部商品发起争议时支付；"
                "争议件数越少越低。",
            ),
        ),
    )


def _fees(summary: Summary, currency: Currency) -> Paragraph:
    policy, amount = summary.policy, summary.terms.price
    disputed = summary.stage(State.Disputed).held.amount
    fee, mediation = bps(amount, policy.platform_fee_bps), bps(disputed, policy.mediation_fee_bps)
    return Paragraph(
        title=Label("Fees", "费用"),
        lines=(
            Label(
                f"Platform fee: {_percent(policy.platform_fee_bps)} of what the seller earns, {currency.show(fee)} of "
                "the whole price; none of what goes back to the buyer.",
                f"平台手续费：卖家所得的 {_percent(policy.platform_fee_bps)}，按全价为 {currency.show(fee)}；"
                "退给买家的部分不收。",
            ),
            Label(
                f"Mediation fee: {_percent(policy.mediation_fee_bps)} of the sum in dispute, "
                f"{currency.show(mediation)} for every unit, out of the bonds; only where a mediator rules or a party "
                "concedes in the mediator's time.",
                f"仲裁费：争议金额的 {_percent(policy.mediation_fee_bps)}，"
                f"全部商品有争议时为 {currency.show(mediation)}，"
                "从双方保证金和押金中出；只在仲裁员裁决，或一方在仲裁期内认输时收取。",
            ),
        ),
    )


def _receivers(summary: Summary) -> Paragraph:
    terms = summary.terms
    return Paragraph(
        title=Label("Where the money goes", "款项去向"),
        lines=(
            Label(f"What is the buyer's goes to {terms.refund_to}.", f"归买家的付到 {terms.refund_to}。"),
            Label(f"What is the seller's goes to {terms.pay_to}.", f"归卖家的付到 {terms.pay_to}。"),
            Label(
                "Where an address refuses a payment, the sum is kept for it in the contract and can be paid again.",
                "若某地址拒收，款项在合约里记为它的余额，之后可以再付。",
            ),
        ),
    )


def _powers(summary: Summary) -> Paragraph:
    terms, policy = summary.terms, summary.policy
    rules = [
        Label(
            f"The rules are policy {terms.policy_id} of platform {policy.platform}: nobody can change them.",
            f"规则是平台 {policy.platform} 的规则 {terms.policy_id}，任何人都不能改动。",
        ),
        Label(
            "The platform can refund the buyer in full before delivery, where it is no party, and nothing else.",
            "平台只能在发货前（且自己不是当事人时）向买家全额退款，别无他权。",
        ),
    ]
    if policy.mediator == ZERO_ADDRESS:
        rules.append(Label("There is no mediator.", "没有仲裁员。"))
    else:
        rules.append(
            Label(
                "A mediator can only divide what is in dispute between the two parties.",
                "仲裁员只能把争议款在双方之间分配。",
            )
        )
    return Paragraph(title=Label("Who has a say", "谁有什么权力"), lines=tuple(rules))


# --------------------------------------------------------------------------------------------------------- the words


def sums(closing: Closing, currency: Currency) -> Label:
    """Who gets what; zeros left out."""
    shares = closing.shares
    parts = [
        (shares.to_buyer, "to the buyer", "付给买家"),
        (shares.to_seller, "to the seller", "付给卖家"),
        (shares.platform_fee, "platform fee", "平台手续费"),
        (shares.bond_returned, "back to the seller's bond balance", "退回卖家保证金"),
        (shares.mediation_fee, "to the mediator", "付给仲裁员"),
    ]
    told = [(currency.show(amount), en, zh) for amount, en, zh in parts if amount]
    if not told:
        return Label("nothing", "没有款项")
    return Label(", ".join(f"{much} {en}" for much, en, _ in told), "，".join(f"{zh} {much}" for much, _, zh in told))


def clock_words(seconds: int) -> Label:
    try:
        utc, beijing = datetime.fromtimestamp(seconds, UTC), datetime.fromtimestamp(seconds, _BEIJING)
    except (ValueError, OverflowError, OSError):  # beyond the year 9999
        return Label(f"second {seconds} of the chain's clock", f"链上时钟第 {seconds} 秒")
    return Label(f"{utc:%Y-%m-%d %H:%M:%S} UTC", f"北京时间 {beijing:%Y-%m-%d %H:%M:%S}")


def _duration(seconds: int) -> Label:
    """Exact, in the largest units: 90061 is 1 day 1 hour 1 minute 1 second."""
    if seconds == 0:
        return Label("0 seconds", "0 秒")
    rest, en, zh = seconds, [], []
    for size, one, word in (
        (86_400, "day", "天"),
        (3_600, "hour", "小时"),
        (60, "minute", "分钟"),
        (1, "second", "秒"),
    ):
        count, rest = divmod(rest, size)
        if count:
            en.append(f"{count} {one}{'s' * (count > 1)}")
            zh.append(f"{count} {word}")
    return Label(" ".join(en), " ".join(zh))


def _percent(rate: int) -> str:
    """Ten-thousandths, exact: 125 is 1.25 %."""
    whole, part = divmod(rate, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + " %"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
