"""What has been seen so far, and by whom: sellers' failures, mediators' queues; and what goes on behind it."""

from collections import Counter, deque

from kameng_escrow.domain.incentives import Incentives
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import Outcome

from .cast import Seller
from .parameters import SECONDS_OF_A_DAY, Parameters
from .people import Case, Lean
from .plan import Attack, Placement, Plan
from .rhythm import Weather

_WEEK = 7 * SECONDS_OF_A_DAY
_LOOKS = 5  # sellers that a buyer is shown at most, before taking one whom the platform would not


class Knowledge:
    """The market's memory while it runs."""

    def __init__(self, parameters: Parameters, plan: Plan, weather: Weather) -> None:
        self._parameters = parameters
        self._weather = weather
        self._short: dict[str, int] = {}  # sellers, and until when the pages leave them out
        self._attacks: dict[str, list[Attack]] = {}
        for attack in plan.attacks:
            self._attacks.setdefault(attack.kind, []).append(attack)
        self._selling: dict[str, list[tuple[Seller, float]]] = {}
        for seller in plan.cast.sellers:
            self._selling.setdefault(seller.category, []).append((seller, seller.weight))
        self._failures: dict[str, deque[tuple[int, int]]] = {}  # by seller: when, and how much each counts
        self._tempted: dict[tuple[Policy, int], tuple[bool, bool]] = {}
        self.queues: Counter[str] = Counter()  # open disputes by mediator

    # ------------------------------------------------------------------------------------------------------- sellers

    def shown(self, placement: Placement, now: int) -> Seller:
        """The seller whom the platforms show to this buyer: popular ones more often; banned ones not, nor those who
        are closed, or whose bond was short within the last day."""
        for look in range(_LOOKS):
            chosen = placement.luck.choose(self._selling[placement.category], f"seller {look}")
            banned = self._failures_of(chosen, now) >= self._parameters.market.banned_after
            if not banned and self.open_now(chosen, now) and self._short.get(chosen.address, 0) <= now:
                break
        return chosen

    def open_now(self, seller: Seller, now: int) -> bool:
        """Whether the seller's shop is up and, if nobody but a person answers there, the person is awake."""
        return self._weather.shop(seller.name).at(now) is None and (seller.machine or self._weather.awake(now) == now)

    def short_of_bond(self, seller: Seller, now: int) -> None:
        """The seller's bond balance did not suffice."""
        self._short[seller.address] = now + SECONDS_OF_A_DAY

    def failing(self, seller: Seller, now: int) -> bool:
        """Whether a platform that looks would expect the seller to fail again: it is half way to being banned."""
        return self._failures_of(seller, now) * 2 >= self._parameters.market.banned_after

    def failed(self, seller: Seller, outcome: Outcome, now: int) -> None:
        """An order ended by the seller's fault."""
        looked_at = outcome in (Outcome.Ruled, Outcome.Conceded)
        weight = self._parameters.market.ruling_counts if looked_at else 1
        self._failures.setdefault(seller.address, deque()).append((now, weight))

    def _failures_of(self, seller: Seller, now: int) -> int:
        failures = self._failures.get(seller.address)
        if failures is None:
            return 0
        while failures and failures[0][0] <= now - _WEEK:
            failures.popleft()
        return sum(weight for _, weight in failures)

    # ----------------------------------------------------------------------------------------------------- mediators

    def argues(self, case: Case, change: int) -> None:
        """A dispute begins (1) or ends (-1)."""
        for seat in (case.platform.mediator, case.platform.backup):
            if seat is not None:
                self.queues[seat.address] += change

    # ------------------------------------------------------------------------------------------------------- attacks

    def opened(self, case: Case, placement: Placement, now: int) -> None:
        """An order is paid: which attacks it is a part of, or falls into."""
        if placement.attack is not None:
            placement.attack.order_numbers.append(case.number)
        for failure in self._going_on("category-failure", now):
            if failure.category == case.category:
                case.category_bad = self._parameters.attacks[failure.kind].bad
                failure.order_numbers.append(case.number)

    def supplier_gone(self, case: Case, now: int) -> bool:
        """Whether the seller of the order can get no goods just now."""
        for attack in self._going_on("seller-failure", now):
            if case.seller.address in attack.actors:
                if case.number not in attack.order_numbers:
                    attack.order_numbers.append(case.number)
                return True
        return False

    def leans(self, case: Case, now: int) -> dict[str, Lean]:
        """Who of the mediators is biased now, and how."""
        leans = {}
        seats = {seat.address for seat in (case.platform.mediator, case.platform.backup) if seat is not None}
        for attack in self._going_on("mediator-bias", now):
            if attack.lean is not None and seats & set(attack.actors):
                leans[attack.actors[0]] = attack.lean
                attack.order_numbers.append(case.number)
        return leans

    def _going_on(self, kind: str, now: int) -> list[Attack]:
        return [attack for attack in self._attacks.get(kind, ()) if attack.holds(now)]

    # --------------------------------------------------------------------------------------------------- temptations

    def temptations(self, policy: Policy, price_fen: int) -> tuple[bool, bool]:
        """Whether garbage, and a false dispute, pay under the policy at about this price."""
        rounded = 1 << max(price_fen, 1).bit_length() - 1
        key = (policy, rounded)
        if key not in self._tempted:
            incentives = Incentives(policy, rounded)
            self._tempted[key] = incentives.gain_of_garbage > 0, incentives.gain_of_false_dispute > 0
        return self._tempted[key]
