"""The market itself: everybody's intentions in the order of the chain's clock, until the last order has ended.

Time goes in ticks. All that people do within one is decided from what was so at its beginning, carried out in the order
in which it was intended, and answered by the venue together; then whoever settles settles. So a venue may take a tick
as one block, and the market is the same on each.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from heapq import heappop, heappush

from kameng_escrow.domain.events import Event, OrderClosed, OrderEvent, OrderOpened, OrderRecommitted
from kameng_escrow.domain.lifecycle import Move, Who, mediator_now
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.domain.refusals import BondShort
from kameng_escrow.domain.states import Fault, State

from . import people
from .cast import PolicyFor, Seller, make_cast
from .errors import MarketStuck
from .knowledge import Knowledge
from .parameters import SECONDS_OF_A_DAY, Parameters
from .people import Case, Intention
from .plan import Placement, make_plan
from .result import MarketRun, Truth
from .rhythm import HOUR, Weather
from .venue import Answer, Deed, Venue, Withdrawal

_RETRY = 30 * 60  # seconds after which a seller short of bond tries to accept again, once
_OFFER_LIFE = HOUR  # seconds
_OPEN_WITHIN = SECONDS_OF_A_DAY  # seconds
_LONGEST = 300 * SECONDS_OF_A_DAY  # after the last order; no policy's clocks together are longer in the parameters

Progress = Callable[
    [int, int, int], None
]  # orders that have ended, orders in all, the Unix second on the chain's clock


def run(
    parameters: Parameters,
    *,
    orders: int,
    seed: int,
    venue: Venue,
    change: PolicyFor | None = None,
    progress: Progress | None = None,
) -> MarketRun:
    """A whole market of that many orders: the same for the same arguments, on any venue.

    Args:
        orders: that people set out to place; a few are given up before they are paid.
        change: other policies in place of the parameters' own: with the same seed, the same people meet them with the
            same luck.
        progress: told after each tick in which something happened.

    Raises:
        MarketStuck: the venue leaves orders open that are long due.
    """
    return _Market(parameters, orders, seed, venue, change, progress).run()


class _Market:
    def __init__(
        self,
        parameters: Parameters,
        orders: int,
        seed: int,
        venue: Venue,
        change: PolicyFor | None,
        progress: Progress | None,
    ) -> None:
        self._parameters, self._seed, self._venue, self._progress = parameters, seed, venue, progress
        self._tick = parameters.market.tick_seconds
        self._weather = Weather(parameters, seed)
        cast = make_cast(
            parameters, orders=orders, seed=seed, address_of=venue.address_of, token=venue.token, change=change
        )
        self._plan = make_plan(parameters, cast, self._weather, orders=orders, seed=seed)
        self._cast = self._plan.cast
        self._policies = self._cast.policies
        self._heap: list[tuple[int, int, object]] = []
        self._count = 0  # of what was ever put on the heap: what comes first among equals
        self._wakes: set[int] = set()  # ticks at which somebody settles
        self._cases: dict[str, Case] = {}
        self._stamps: dict[str, int] = {}  # how often an order has changed its state: intentions are for one
        self._terms: dict[str, OrderTerms] = {}
        self._placed: dict[str, Placement] = {}
        self._known = Knowledge(parameters, self._plan, self._weather)
        self._refusals: Counter[str] = Counter()
        self._lost = self._closed = self._opened = 0
        self._ended = parameters.start

    def run(self) -> MarketRun:
        start = self._parameters.start
        self._venue.prepare(self._cast, start - 2 * self._tick)
        for placement in self._plan.placements:
            self._push(placement.at, placement)
        for seller in self._cast.sellers:
            if seller.gone_from is not None:
                self._push(seller.gone_from, seller)
        while self._heap:
            now = self._heap[0][0]
            if now > self._parameters.end + _LONGEST:
                if self._opened == self._closed:
                    break  # what is left is intended for orders that have long ended
                raise MarketStuck(self._opened - self._closed, now)
            self._live(now)
        return self._result()

    # ----------------------------------------------------------------------------------------------------------- time

    def _push(self, at: int, what: object) -> None:
        self._count += 1
        heappush(self._heap, (-(-at // self._tick) * self._tick, self._count, what))

    def _live(self, now: int) -> None:
        """One tick."""
        happening = []
        while self._heap and self._heap[0][0] == now:
            happening.append(heappop(self._heap)[2])
        back = self._weather.node_trouble.over(now)
        if back > now:  # nothing arrives: everybody tries again when it does
            for what in happening:
                self._push(back, what)
            return
        deeds = [(what, deed) for what in happening if (deed := self._deed(what, now)) is not None]
        if deeds:
            answers = self._venue.perform(now, [deed for _, deed in deeds])
            for (what, deed), answer in zip(deeds, answers, strict=True):
                self._answered(what, deed, answer, now)
        if any(what is None for what in happening):
            self._wakes.discard(now)
            self._happened(self._venue.settle_due(now), now)
        if self._progress is not None:
            self._progress(self._closed + self._lost, len(self._plan.placements), now)

    def _wake_keeper(self, deadline: int) -> None:
        every = self._parameters.market.keeper_minutes * 60
        at = -(-(-(-deadline // every) * every) // self._tick) * self._tick
        if at not in self._wakes:
            self._wakes.add(at)
            self._push(at, None)

    # ---------------------------------------------------------------------------------------------------------- doing

    def _deed(self, what: object, now: int) -> Deed | Withdrawal | None:
        """What somebody does now of what was intended, if it still makes sense."""
        match what:
            case Placement():
                return self._place(what, now)
            case Deed():
                return what
            case Seller():
                return Withdrawal(seller=what.address, token=what.token)
            case (str() as order_id, int() as stamp, Intention() as intention):
                if self._stamps[order_id] == stamp:
                    return self._act(order_id, intention, now)
        return None

    def _place(self, placement: Placement, now: int) -> Deed | None:
        luck, payment = placement.luck, self._parameters.trouble.payment
        if not placement.late and placement.attack is None:
            trouble = luck.uniform("payment")
            if trouble < payment.lost_share:
                self._lost += 1
                return None
            if trouble < payment.lost_share + payment.late_share:
                late = luck.seconds(payment.late, "payment late")
                self._push(now + late, replace(placement, late=True))
                return None
        seller = placement.seller or self._known.shown(placement, now)
        platform = self._cast.platforms[seller.platform]
        policy = platform.policies[placement.category]
        money = self._cast.money
        price = max(1, round(placement.price_fen * seller.markup))
        terms = OrderTerms(
            buyer=placement.buyer.address,
            refund_to=placement.buyer.address,
            seller=seller.address,
            pay_to=seller.address,
            token=seller.token,
            price=money.amount(price, seller.token),
            units=placement.units,
            policy_id=platform.policy_ids[placement.category],
            listing=_hash(f"{seller.name} {placement.category} {placement.luck.bits('listing')}"),
            open_by=now + _OPEN_WITHIN,
            salt=f"0x{luck.bits('salt'):064x}",
        )
        order_id = self._venue.id_of(terms)
        self._terms[order_id] = terms
        self._placed[order_id] = placement
        self._stamps[order_id] = 0
        self._cases[order_id] = self._case(placement, seller, policy, now)
        # A shop that is closed offers nothing; one whose owner has gone still does, by what was signed beforehand.
        offers = luck.happens(seller.habits.offers, "offers") and self._known.open_now(seller, now)
        return Deed(
            move=Move.OpenWithOffer if offers else Move.Open,
            actor=terms.buyer,
            terms=terms,
            expected=State.Nothing,
            expiry=now + _OFFER_LIFE if offers else 0,
        )

    def _case(self, placement: Placement, seller: Seller, policy: Policy, now: int) -> Case:
        garbage, lying = self._known.temptations(policy, placement.price_fen)
        attack = placement.attack
        case = Case(
            number=placement.number,
            buyer=placement.buyer,
            seller=seller,
            platform=self._cast.platforms[seller.platform],
            policy=policy,
            category=placement.category,
            instant=self._parameters.categories[placement.category].instant,
            luck=placement.luck,
            habits=self._parameters.everybody,
            garbage_pays=garbage,
            lying_pays=lying,
            shortage=self._weather.shortage(placement.category, now),
        )
        if attack is not None:
            case.disputes_everything = attack.kind == "serial-disputer"
            case.staged = attack.kind == "ring"
            case.reused = attack.kind == "code-reuse" and bool(attack.order_numbers)
        return case

    def _act(self, order_id: str, intention: Intention, now: int) -> Deed | None:
        case, terms, order = self._cases[order_id], self._terms[order_id], self._venue.order(order_id)
        gone = case.seller.gone_from is not None and now >= case.seller.gone_from
        actor = intention.actor
        match intention.who:
            case Who.Seller | Who.Parties if gone:
                return None
            case Who.Seller | Who.Parties:
                actor = terms.seller
            case Who.Buyer:
                actor = terms.buyer
            case Who.Platform:
                actor = case.platform.address
            case Who.Mediator if mediator_now(order, now) != actor:
                return None  # too late for its half, and it knows
        content = _hash(f"{intention.move} {case.luck.bits('content')} {order.revision}")
        if intention.move is Move.Deliver:
            if self._known.supplier_gone(case, now):
                return None
            goods = self._parameters.categories[case.category]
            people.deliver_what(case, terms.units, now, goods.bad_factor)
        return Deed(
            move=intention.move,
            actor=actor,
            terms=terms,
            expected=order.state,
            units=intention.units,
            to_buyer=intention.to_buyer,
            content=content,
            revision=order.revision,
            disputed_units=order.disputed_units,
            expiry=now + HOUR,
        )

    # ------------------------------------------------------------------------------------------------- what came of it

    def _answered(self, what: object, deed: Deed | Withdrawal, answer: Answer, now: int) -> None:
        if not isinstance(answer, Refusal):
            self._happened(answer, now)
            return
        self._refusals[type(answer).__name__] += 1
        if not isinstance(deed, Deed) or not isinstance(answer, BondShort):
            return
        order_id = self._venue.id_of(deed.terms)
        self._known.short_of_bond(self._cases[order_id].seller, now)
        if deed.move is Move.OpenWithOffer:
            # The page sees that the seller can't, and a tick later opens without the offer.
            self._push(now + self._tick, replace(deed, move=Move.Open, expiry=0))
        elif deed.move is Move.Accept and isinstance(what, tuple) and not what[2].units:
            later = replace(what[2], at=now + _RETRY, units=1)  # marked: once
            self._push(later.at, (order_id, what[1], later))

    def _happened(self, events: Sequence[Event], now: int) -> None:
        for event in events:
            if isinstance(event, OrderEvent) and event.order_id in self._cases:
                if isinstance(event, OrderClosed):
                    self._ends(event, now)
                else:
                    self._goes_on(event, now)

    def _goes_on(self, event: OrderEvent, now: int) -> None:
        order_id = event.order_id
        case, order = self._cases[order_id], self._venue.order(order_id)
        if isinstance(event, OrderRecommitted):
            self._intend(order_id, people.after_recommitted(case, now))
            return
        if order.state is State.Closed or order.deadline is None:
            return  # the closing follows
        self._stamps[order_id] += 1
        self._wake_keeper(order.deadline)
        match order.state:
            case State.Opened:
                self._opens(order_id, now)
                self._intend(order_id, people.after_opened(case, now, self._weather))
            case State.Accepted:
                offered = isinstance(event, OrderOpened)
                if offered:
                    self._opens(order_id, now)
                case.supplier_gone = self._known.supplier_gone(case, now)
                failing = self._known.failing(case.seller, now)
                plans = people.after_accepted(case, now, self._weather, offered=offered, failing=failing)
                self._intend(order_id, plans)
            case State.Delivered:
                self._intend(order_id, people.after_delivered(case, order, now, self._weather))
            case State.Disputed:
                self._known.argues(case, 1)
                queues, leans = self._known.queues, self._known.leans(case, now)
                plans = people.after_disputed(case, order, now, self._weather, queues=queues, leans=leans)
                self._intend(order_id, plans)

    def _opens(self, order_id: str, now: int) -> None:
        self._opened += 1
        self._known.opened(self._cases[order_id], self._placed[order_id], now)

    def _ends(self, event: OrderClosed, now: int) -> None:
        order_id = event.order_id
        case, order = self._cases[order_id], self._venue.order(order_id)
        self._stamps[order_id] += 1
        self._closed += 1
        self._ended = max(self._ended, now)
        if order.disputed_at is not None:
            self._known.argues(case, -1)
        if event.fault is Fault.Seller:
            self._known.failed(case.seller, event.outcome, now)

    def _intend(self, order_id: str, plans: list[Intention]) -> None:
        for plan in plans:
            self._push(plan.at, (order_id, self._stamps[order_id], plan))

    # --------------------------------------------------------------------------------------------------------- result

    def _result(self) -> MarketRun:
        closing = self._venue.finish()
        opened = {one for one in self._terms if self._venue.order(one).state is not State.Nothing}
        return MarketRun(
            parameters=self._parameters,
            seed=self._seed,
            venue=self._venue.name,
            cast=self._cast,
            weather=self._weather,
            terms={name: terms for name, terms in self._terms.items() if name in opened},
            policies=self._policies,
            truths={name: self._truth(name) for name in self._terms if name in opened},
            attacks=self._plan.attacks,
            closing=closing,
            lost_payments=self._lost,
            refusals=dict(self._refusals),
            ended=self._ended,
        )

    def _truth(self, order_id: str) -> Truth:
        case, placement, terms = self._cases[order_id], self._placed[order_id], self._terms[order_id]
        reused = placement.attack is not None and placement.attack.kind == "code-reuse"
        code = placement.attack.name if reused and placement.attack else order_id
        return Truth(
            number=case.number,
            order_id=order_id,
            placed_at=placement.at,
            category=case.category,
            platform=case.platform.name,
            listing=f"{case.seller.name} {case.category} {placement.face}",
            buyer_kind=case.buyer.kind,
            seller_kind=case.seller.kind,
            in_stock=case.stock,
            bad_units=case.bad_units,
            dies_at=case.dies_at,
            attack=placement.attack.name if placement.attack else None,
            fingerprint=_hash(f"code {self._seed} {code} {terms.seller}"),
        )


def _hash(text: str) -> str:
    return "0x" + sha256(text.encode()).hexdigest()
