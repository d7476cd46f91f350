"""What people intend, each time that an order comes to a new state.

An intention is a pure function of who somebody is, of the order's own luck, and of what can be seen: it is the same on
whatever venue, and the same under another policy as far as the policy is not what it looks at. Nobody intends what is
impossible; whether it is still possible when the time has come, the contract decides.
"""

from dataclasses import dataclass
from enum import StrEnum

from kameng_escrow.domain.lifecycle import Move, Who
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import NO_CANCEL, Policy
from kameng_escrow.domain.shares import sum_in_dispute

from .cast import Buyer, Platform, Seller
from .draws import Draws
from .parameters import Delay, Everybody
from .rhythm import Weather


class Lean(StrEnum):
    """Whom a biased mediator rules for."""

    Buyer = "buyer"
    Seller = "seller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intention:
    """What somebody will do at a time, if the order is then still in the state in which it was decided."""

    at: int  # Unix seconds
    who: Who
    move: Move
    units: int = 0  # to dispute
    to_buyer: int = 0  # base units, of a ruling or a split
    actor: str = ""  # the address, where the role does not tell


@dataclass(slots=True, kw_only=True)
class Case:
    """An order, and what nobody can look up on the chain."""

    number: int
    buyer: Buyer
    seller: Seller
    platform: Platform
    policy: Policy
    category: str
    instant: bool  # the goods are codes out of stock, nobody has to do anything by hand
    luck: Draws
    habits: Everybody
    garbage_pays: bool  # under this policy, for a seller of the leanest margin
    lying_pays: bool  # under it, for a buyer with good codes
    shortage: float = 1.0  # times the usual chance that nothing is in stock
    supplier_gone: bool = False  # nothing is delivered any more, whoever the seller is
    category_bad: float = 0.0  # the chance that an issuer's codes do not work just now
    disputes_everything: bool = False  # a serial disputer's
    staged: bool = False  # a ring's: delivered and confirmed at once
    reused: bool = False  # its code has been sold before
    bad_units: int = 0  # that do not work; known from the delivery on
    dies_at: int | None = None  # Unix seconds; when the codes are recalled
    stock: bool = True  # whether the seller had anything to sell


def after_opened(case: Case, now: int, weather: Weather) -> list[Intention]:
    """The order is paid and waits for its seller."""
    luck, buyer, seller = case.luck, case.buyer.habits, case.seller.habits
    case.stock = case.staged or not luck.happens(seller.out_of_stock * case.shortage, "stock")
    plans = []
    if case.staged or not luck.happens(seller.ignores, "ignores"):
        hurry = _hurry(case, seller.accept, 1.0, case.policy.accept_window)
        at = _sellers_time(case, now + luck.seconds(seller.accept, "accept", hurry), weather)
        if case.stock or luck.happens(seller.oversells, "oversells"):
            plans.append(Intention(at=at, who=Who.Seller, move=Move.Accept))
        elif luck.happens(seller.says_so, "says so"):
            plans.append(Intention(at=at, who=Who.Seller, move=Move.Decline))
    leaves = luck.seconds(buyer.patience, "patience")
    if luck.happens(buyer.regrets, "regrets"):
        leaves = min(leaves, luck.seconds(buyer.regret, "regret"))
    if not case.staged:
        plans.append(Intention(at=now + leaves, who=Who.Buyer, move=Move.Cancel))
    return plans


def after_accepted(case: Case, now: int, weather: Weather, *, offered: bool, failing: bool) -> list[Intention]:
    """The seller has promised. `offered`: beforehand, so that nobody looked into the stock; `failing`: the platform
    has seen the seller fail before."""
    luck, buyer, seller = case.luck, case.buyer.habits, case.seller.habits
    plans = []
    if offered:
        case.stock = case.staged or not luck.happens(seller.out_of_stock * case.shortage, "stock")
    in_hand = case.stock or luck.happens(seller.finds_late, "finds some")
    factor = 1.0 if case.instant else seller.slow_factor
    factor *= _hurry(case, seller.deliver, factor, case.policy.deliver_window)
    factor *= 1.0 if case.stock else case.habits.fills_up
    at = _sellers_time(case, now + luck.seconds(seller.deliver, "deliver", factor), weather)
    if in_hand and not case.supplier_gone:
        plans.append(Intention(at=at, who=Who.Seller, move=Move.Deliver))
    elif luck.happens(seller.says_so, "says so"):
        plans.append(Intention(at=at, who=Who.Seller, move=Move.Decline))
    if case.policy.cancel_fee_bps != NO_CANCEL and not case.staged:
        leaves = luck.seconds(buyer.waits, "waits")
        if luck.happens(buyer.regrets, "regrets"):
            leaves = min(leaves, luck.seconds(buyer.regret, "regret"))
        if case.policy.cancel_fee_bps == 0 or not luck.happens(case.habits.fee_stops, "fee stops"):
            plans.append(Intention(at=now + leaves, who=Who.Buyer, move=Move.Cancel))
    if failing and luck.happens(case.platform.habits.intervenes, "intervenes"):
        at = now + luck.seconds(case.platform.habits.checks, "checks")
        plans.append(Intention(at=at, who=Who.Platform, move=Move.Intervene))
    return plans


def deliver_what(case: Case, units: int, now: int, bad_factor: float) -> None:
    """Decides, as the seller delivers, how many of the codes do not work, and whether they will be recalled."""
    luck, seller = case.luck, case.seller.habits
    chance = (seller.bad_tempted if case.garbage_pays else seller.bad_untempted) * bad_factor
    chance = max(min(chance, 1.0), case.category_bad)
    if case.reused:
        case.bad_units = units
    elif luck.happens(chance, "bad"):
        case.bad_units = (
            units if luck.happens(case.habits.all_bad, "all bad") else 1 + int(luck.uniform("how many bad") * units)
        )
    if luck.happens(seller.dies, "dies"):
        case.dies_at = now + luck.seconds(seller.death, "death")


def after_delivered(case: Case, order: Order, now: int, weather: Weather) -> list[Intention]:
    """The codes are with the buyer."""
    luck, buyer, seller = case.luck, case.buyer.habits, case.seller.habits
    if case.staged:
        at = now + luck.seconds(buyer.look, "look", 0.2)
        return [Intention(at=at, who=Who.Buyer, move=Move.Confirm)]
    plans = []
    if case.bad_units and luck.happens(seller.owns_up, "owns up"):
        at = _sellers_time(case, now + luck.seconds(seller.answers, "owns up when"), weather)
        plans.append(Intention(at=at, who=Who.Seller, move=Move.Refund))
    if luck.happens(buyer.never_looks, "never looks"):
        return plans
    looks = now + luck.seconds(buyer.look, "look")
    dispute = _dispute(case, order, looks)
    if dispute is not None:
        plans.append(dispute)
        return plans
    if luck.happens(buyer.confirms, "confirms"):
        plans.append(Intention(at=_cheaply(case, looks, weather), who=Who.Buyer, move=Move.Confirm))
    elif case.dies_at is not None and case.dies_at > looks:
        # Who said nothing can still dispute when the card is recalled, if that is within the window.
        again = case.dies_at + luck.seconds(buyer.look, "look again")
        units = _units(order)
        if luck.happens(buyer.disputes_bad, "disputes"):
            plans.append(Intention(at=again, who=Who.Buyer, move=Move.Dispute, units=units))
    return plans


def _dispute(case: Case, order: Order, looks: int) -> Intention | None:
    luck, buyer, units = case.luck, case.buyer.habits, _units(order)
    died = case.dies_at is not None and case.dies_at <= looks
    bad = units if died else case.bad_units
    if bad and luck.happens(buyer.notices, "notices"):
        if not luck.happens(buyer.disputes_bad, "disputes"):
            return None
        return Intention(at=looks, who=Who.Buyer, move=Move.Dispute, units=bad)
    chance = buyer.false_tempted if case.lying_pays else buyer.false_untempted
    if case.disputes_everything or luck.happens(chance, "lies"):
        claimed = (
            units if luck.happens(case.habits.claims_all, "claims all") else 1 + int(luck.uniform("claims") * units)
        )
        return Intention(at=looks, who=Who.Buyer, move=Move.Dispute, units=claimed)
    return None


def after_disputed(
    case: Case, order: Order, now: int, weather: Weather, *, queues: dict[str, int], leans: dict[str, Lean]
) -> list[Intention]:
    """The parties talk, then a mediator rules. `queues`: open cases of each mediator; `leans`: who is biased how."""
    luck, seller, buyer = case.luck, case.seller.habits, case.buyer.habits
    in_dispute = sum_in_dispute(order.terms.price, order.terms.units, order.disputed_units) if order.terms else 0
    really_bad = _is_bad(case, now)
    plans = []
    answers = _sellers_time(case, now + luck.seconds(seller.answers, "answers"), weather)
    gives_in = seller.refunds_bad if really_bad else seller.refunds_good
    if luck.happens(gives_in, "gives in"):
        if really_bad and luck.happens(seller.replaces, "replaces") and not case.reused:
            plans.append(Intention(at=answers, who=Who.Seller, move=Move.Recommit))
        else:
            plans.append(Intention(at=answers, who=Who.Seller, move=Move.Refund))
    elif luck.happens(seller.offers_split, "offers a split") and luck.happens(buyer.splits, "signs it"):
        plans.append(Intention(at=answers, who=Who.Parties, move=Move.Agree, to_buyer=in_dispute // 2))
    if not really_bad and luck.happens(buyer.takes_back * case.habits.sees_its_error, "sees its error"):
        at = now + luck.seconds(buyer.look, "sees when", 2.0)
        plans.append(Intention(at=at, who=Who.Buyer, move=Move.Confirm))
    return plans + _mediation(case, order, now, in_dispute, really_bad, queues, leans)


def after_recommitted(case: Case, now: int) -> list[Intention]:
    """Another code was sent: most of them work, and the buyer says so."""
    luck, buyer = case.luck, case.buyer.habits
    if luck.happens(buyer.takes_back, "takes back"):
        at = now + luck.seconds(buyer.look, "looks at another")
        return [Intention(at=at, who=Who.Buyer, move=Move.Confirm)]
    return []


def _mediation(
    case: Case,
    order: Order,
    now: int,
    in_dispute: int,
    really_bad: bool,
    queues: dict[str, int],
    leans: dict[str, Lean],
) -> list[Intention]:
    luck, policy, platform = case.luck, case.policy, case.platform
    if platform.mediator is None:
        return []
    opens, half = now + policy.negotiate_window, now + policy.negotiate_window + policy.mediate_window // 2
    plans = []
    for side, habits in ((Who.Seller, case.seller.habits), (Who.Buyer, case.buyer.habits)):
        wrong = really_bad if side is Who.Seller else not really_bad
        if wrong and luck.happens(habits.concedes, f"{side} concedes"):
            at = opens + int(luck.uniform(f"{side} concedes when") * (half - opens))
            plans.append(Intention(at=at, who=side, move=Move.Concede))
    for seat, mediator, since in (("mediator", platform.mediator, opens), ("backup", platform.backup, half)):
        if mediator is None or luck.happens(mediator.habits.silent, f"{seat} is silent"):
            continue
        queue = 1 + mediator.habits.queue * queues.get(mediator.address, 0)
        at = since + luck.seconds(mediator.habits.rules, f"{seat} rules", queue)
        right = luck.happens(mediator.habits.right, f"{seat} is right")
        lean = leans.get(mediator.address)
        for_buyer = really_bad if right else not really_bad
        if lean is not None:
            for_buyer = lean is Lean.Buyer
        to_buyer = _award(case, order, in_dispute, for_buyer, right or lean is not None)
        plans.append(Intention(at=at, who=Who.Mediator, move=Move.Rule, to_buyer=to_buyer, actor=mediator.address))
    return plans


def _award(case: Case, order: Order, in_dispute: int, for_buyer: bool, whole: bool) -> int:
    if not for_buyer:
        return 0
    claimed = max(order.disputed_units, 1)
    part = min(case.bad_units, claimed) if 0 < case.bad_units < claimed else claimed
    awarded = in_dispute * part // claimed
    unsure = not whole and case.luck.happens(case.habits.splits_difference, "splits the difference")
    return awarded // 2 if unsure else awarded


def _is_bad(case: Case, now: int) -> bool:
    return case.bad_units > 0 or (case.dies_at is not None and case.dies_at <= now)


def _units(order: Order) -> int:
    return order.terms.units if order.terms else 1


def _hurry(case: Case, delay: Delay, factor: float, window: int) -> float:
    """Times the usual delay: people see the clock."""
    needed = delay.median * 60 * factor * case.habits.hurry_from
    return 1.0 if needed <= window else float((window / needed) ** case.habits.hurry)


def _sellers_time(case: Case, at: int, weather: Weather) -> int:
    """When a seller gets to it: its shop is up, and it is awake or a machine."""
    if case.staged:  # its own orders are not left to luck, likewise below
        return at
    at = weather.shop(case.seller.name).over(at)
    return at if case.seller.machine else weather.shop(case.seller.name).over(weather.awake(at))


def _cheaply(case: Case, at: int, weather: Weather) -> int:
    """Who can wait does while gas is dear."""
    waits = weather.waits_for_gas
    return weather.gas_spikes.over(at) if case.luck.happens(waits, "waits for gas") else at
