"""What people want to know of an order: where it stands, what the clock will do, who may do what."""

from dataclasses import dataclass

from ..domain.labels import label_of
from ..domain.order import Shares
from ..domain.states import Fault, Outcome, State
from .forms import Currency, clock
from .screen import Screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Clockwork:
    """What happens to an open order if nobody acts."""

    state: State
    due_at: int  # Unix seconds from which anyone may settle
    shares: Shares
    mediation_from: int | None = None  # in Disputed with a mediator: when negotiation ends


def state_text(screen: Screen, state: State, outcome: Outcome, fault: Fault) -> str:
    """`已结束 · 买家确认收货`, `Closed · Ruled · fault: Seller`."""

    def word(member: State | Outcome | Fault) -> str:
        return str(getattr(label_of(member), screen.lang))

    parts = [word(state)]
    if outcome is not Outcome.Nothing:
        parts.append(word(outcome))
    if fault is not Fault.Nobody:
        parts.append(word(fault) if screen.lang == "zh" else f"fault: {word(fault)}")
    return " · ".join(parts)


def clock_text(screen: Screen, work: Clockwork, currency: Currency, now: int) -> str:
    """One sentence: until when whom we wait for, and what happens to the money after."""
    at = clock(work.due_at, now)
    to_buyer, to_seller = currency.show(work.shares.to_buyer), currency.show(work.shares.to_seller)
    late = now >= work.due_at
    match work.state:
        case State.Opened:
            zh, en = (
                f"等卖家接单；最迟 {at} 自动退款 {to_buyer}",
                f"waiting for the seller; auto-refund of {to_buyer} at {at}",
            )
        case State.Accepted:
            zh = f"等卖家发货；最迟 {at} 自动退款并赔付，买家共得 {to_buyer}"
            en = f"waiting for the delivery; auto-refund with the seller's bond, {to_buyer}, at {at}"
        case State.Delivered:
            zh = f"等买家验货；最迟 {at} 自动付给卖家 {to_seller}"
            en = f"waiting for the buyer; auto-payment of {to_seller} to the seller at {at}"
        case _:
            zh = f"争议中；最迟 {at} 按约定比例自动分配：买家 {to_buyer}，卖家 {to_seller}"
            en = f"in dispute; at {at} the promised split: {to_buyer} to the buyer, {to_seller} to the seller"
            if work.mediation_from is not None and now < work.mediation_from:
                start = clock(work.mediation_from, now)
                zh, en = (
                    f"{zh}（{start} 前双方协商，之后由仲裁员裁决）",
                    f"{en} (talks until {start}, then the mediator)",
                )
    if late:
        zh, en = f"已到期，任何人都可以结算（kameng settle）：{zh}", f"due, anyone may settle it (kameng settle): {en}"
    return screen.say(zh, en)


def shares_text(screen: Screen, shares: Shares, currency: Currency) -> str:
    """Who got what, zeros left out."""
    parts = (
        (shares.to_buyer, "买家", "buyer"),
        (shares.to_seller, "卖家", "seller"),
        (shares.platform_fee, "平台手续费", "platform fee"),
        (shares.bond_returned, "退回保证金", "bond returned"),
        (shares.mediation_fee, "仲裁费", "mediation fee"),
    )
    shown = [f"{screen.say(zh, en)} {currency.show(amount)}" for amount, zh, en in parts if amount]
    return screen.say("，", ", ").join(shown) or screen.say("没有款项", "nothing")
