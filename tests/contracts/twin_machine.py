"""Random histories: what hypothesis does to the contract and its twin at once.

Inputs are bounded and not discarded: a rule that needs an order makes one if there is none, and a time that is past
becomes now. Some rules do what the table allows, so that orders get somewhere; the others try anything.
"""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from kameng_escrow.domain import shares
from kameng_escrow.domain.actions import Possibility, possible
from kameng_escrow.domain.lifecycle import (
    Move,
    Who,
    half_time,
    mediator_now,
    negotiation_end,
    roles_of,
    row_of,
    time_of,
)
from kameng_escrow.domain.order import NATIVE, Order
from kameng_escrow.domain.policy import MAX_REVIEW_PERIOD, ZERO_ADDRESS
from kameng_escrow.domain.signed import Action, OperatorGrant, Split
from kameng_escrow.domain.states import Role, State, Verb
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.world import DAY
from tests.contracts.twin_drafts import (
    Attempt,
    Draft,
    attempts,
    changes,
    contents,
    drafts,
    indices,
    kinds,
    lives,
    moves,
    names,
    payees,
    permilles,
    policy_of,
    slips,
    sound_drafts,
    states,
)
from tests.contracts.twin_history import COMMITMENT, EVIDENCE, UNKNOWN
from tests.contracts.twin_payments import PaidBySignature
from tests.contracts.twins import UNLIMITED

ROLES = {Who.Buyer: Role.Buyer, Who.Seller: Role.Seller, Who.Operator: Role.Operator}


class Histories(PaidBySignature):
    """Everything that can be done. `twins` is set by the test."""

    @initialize(refusing=st.sets(st.tuples(payees, st.booleans()), max_size=4))
    def begin(self, refusing: set[tuple[str, bool]]) -> None:
        """Some accounts can't be paid from the start."""
        for account, blocking in sorted(refusing):
            self._refuse(account, blocking, True)

    # --------------------------------------------------------------------------------------------------------- openings

    @rule(draft=drafts, payer=names, slip=slips)
    def open(self, draft: Draft, payer: str, slip: int) -> None:
        terms = self._draft(draft)
        self.twins.do("open", self._address(payer), terms, value=self._value(terms, terms.price, slip))

    @rule(
        draft=drafts,
        payer=names,
        by=st.sampled_from(["seller", "operator", "stranger"]),
        kind=kinds,
        life=lives,
        revision=slips,
        slip=slips,
    )
    def open_with_offer(
        self, draft: Draft, payer: str, by: str, kind: str, life: int, revision: int, slip: int
    ) -> None:
        terms = self._draft(draft)
        self._offered(terms, payer, by=by, kind=kind, life=life, revision=revision, slip=slip)

    @rule(which=indices, payer=names, offered=st.booleans())
    def open_again(self, which: int, payer: str, offered: bool) -> None:
        terms = self._pick(which)
        if offered:
            self._offered(terms, payer)
        else:
            self.twins.do("open", self._address(payer), terms, value=self._value(terms, terms.price))

    @rule(
        draft=sound_drafts,
        to=st.sampled_from([State.Accepted, State.Delivered, State.Disputed]),
        offered=st.booleans(),
        units=indices,
    )
    def march(self, draft: Draft, to: State, offered: bool, units: int) -> None:
        """A new order straight to a later state, as far as it gets."""
        terms, twins = self._draft(draft), self.twins
        bond = shares.bps(terms.price, self._policy(terms).seller_bond_bps)
        if twins.twin.bond_of(terms.seller, terms.token) < bond:
            value = bond if terms.token == NATIVE else 0
            twins.do("fund_bond", CAST["relayer"], terms.seller, terms.token, bond, value=value)
        if offered:
            self._offered(terms, "payer")
        else:
            twins.do("open", CAST["payer"], terms, value=self._value(terms, terms.price))
            twins.do("accept", terms.seller, terms)
        if to >= State.Delivered:
            twins.do("deliver", terms.seller, terms, COMMITMENT)
        if to >= State.Disputed:
            disputed = 1 + units % terms.units
            twins.do("dispute", terms.buyer, terms, disputed, EVIDENCE, value=self._dispute_value(terms, disputed))

    march_on = march

    # -------------------------------------------------------------------------------------------- what the table allows

    @rule(steps=st.lists(st.tuples(indices, moves, st.booleans(), permilles), min_size=1, max_size=5))
    def choose(self, steps: list[tuple[int, Move, bool, int]]) -> None:
        """Things that are possible, by who may, called or relayed. The wish decides, and waits for its time."""
        for which, wish, relayed, permille in steps:
            order = self._pick_open(which)
            row = row_of(wish, order.state)
            start = None if row is None else time_of(row, order)[0]
            if start is not None:
                self.twins.evm.warp(max(self.twins.now, start))
            options = [option for who in Who for option in possible(order, who, self.twins.now)]
            wished = [option for option in options if option.move is wish]
            if choices := wished or [option for option in options if not option.ends]:
                self._take(order, choices[which % len(choices)], relayed, permille)

    choose_on = choose_further = choose  # drawn more often than what seldom gets anywhere

    def _take(self, order: Order, option: Possibility, relayed: bool, permille: int) -> None:
        terms, move = order.terms, option.move
        assert terms is not None
        actor, part = self._actor(order, option.who), min(permille, 1_000)
        award = shares.held(order).amount * part // 1_000
        if move.verb is not None:
            number = order.revision if move in (Move.Revise, Move.Recommit) else 0
            if move is Move.Dispute:
                number = max(1, terms.units * part // 1_000)
            action = Action(
                verb=move.verb,
                state=order.state,
                role=ROLES[option.who],
                signer=actor,
                expiry=self.twins.now + DAY,
                number=number,
                content=COMMITMENT,
            )
            value = self._dispute_value(terms, number) if move is Move.Dispute else 0
            self._act(terms, action, "right" if relayed else None, "relayer", value)
        elif move is Move.Agree:
            split = Split(
                state=order.state,
                disputed_units=order.disputed_units,
                revision=order.revision,
                to_buyer=award,
                expiry=self.twins.now + DAY,
            )
            self._agree(terms, split, CAST["relayer"] if relayed else terms.buyer)
        elif move is Move.Rule:
            self.twins.do("rule", actor, terms, award, EVIDENCE)
        elif move is Move.Intervene:
            self.twins.do("intervene", actor, terms, order.state)
        else:
            self.twins.do("settle", actor, terms)

    # -------------------------------------------------------------------------------------------------- what it may not

    @rule(attempts=st.lists(st.tuples(indices, attempts), min_size=1, max_size=3))
    def attempt(self, attempts: list[tuple[int, Attempt]]) -> None:
        """Any verb by anybody."""
        for which, what in attempts:
            terms = self._pick_fitting(which, what.verb) if what.fitting else self._pick(which)
            order, role = self.twins.twin.order_of(terms), what.role
            if role is None:
                role = sorted(roles_of(what.verb))[which % len(roles_of(what.verb))]
            right = {Role.Buyer: terms.buyer, Role.Seller: terms.seller, Role.Operator: CAST["operator"]}[role]
            action = Action(
                verb=what.verb,
                state=order.state if what.state is None else what.state,
                role=role,
                signer=right if what.actor is None else self._address(what.actor),
                expiry=self._mark(self.twins.now + what.life),
                number=order.revision if what.number is None else what.number,
                content=what.content,
            )
            bond = self._dispute_value(terms, action.number) if what.verb is Verb.Dispute else 0
            self._act(terms, action, what.kind, what.relayer, max(bond + what.slip, 0))

    attempt_again = attempt

    @rule(which=indices, caller=names, permille=permilles, mediating=st.booleans())
    def mediate(self, which: int, caller: str, permille: int, mediating: bool) -> None:
        order = self._pick_open(which, State.Disputed)
        assert order.terms is not None
        mediator = mediator_now(order, self.twins.now) if mediating else None
        amount = shares.held(order).amount
        award = amount * permille // 1_000 + (permille > 1_000)
        self.twins.do("rule", mediator or self._address(caller), order.terms, award, EVIDENCE)

    @rule(which=indices, caller=st.none() | names, state=st.none() | states)
    def intervene(self, which: int, caller: str | None, state: State | None) -> None:
        terms = self._pick(which)
        expected = self.twins.twin.order_of(terms).state if state is None else state
        policy = self._policy(terms)
        platform = CAST["platform"] if policy is None else policy.platform
        self.twins.do("intervene", platform if caller is None else self._address(caller), terms, expected)

    @rule(which=indices, caller=names)
    def settle(self, which: int, caller: str) -> None:
        self.twins.do("settle", self._address(caller), self._pick(which))

    @rule(
        which=indices,
        caller=names,
        permille=permilles,
        state=st.none() | states,
        units=slips,
        revision=slips,
        life=lives,
        buyers=kinds,
        sellers=kinds,
    )
    def agree(
        self,
        which: int,
        caller: str,
        permille: int,
        state: State | None,
        units: int,
        revision: int,
        life: int,
        buyers: str,
        sellers: str,
    ) -> None:
        order = self._pick_open(which)
        assert order.terms is not None
        split = Split(
            state=order.state if state is None else state,
            disputed_units=max(order.disputed_units + units, 0),
            revision=max(order.revision + revision, 0),
            to_buyer=shares.held(order).amount * permille // 1_000 + (permille > 1_000),
            expiry=self._mark(self.twins.now + life),
        )
        self._agree(order.terms, split, self._address(caller), buyers, sellers)

    # ---------------------------------------------------------------------------------------------------------- batches

    @rule(which=st.lists(indices, max_size=4), caller=names)
    def settle_many(self, which: list[int], caller: str) -> None:
        self.twins.do("settle_many", self._address(caller), [self._pick(index) for index in which])

    @rule(caller=names)
    def settle_all(self, caller: str) -> None:
        """Everything that somebody tried to open, neighbours with the same receiver beside each other or not."""
        self.twins.do("settle_many", self._address(caller), list(self.terms))

    @rule(
        which=st.lists(indices, max_size=4),
        caller=st.sampled_from(["seller", "operator", "wallet", "stranger"]),
        content=contents,
        missing=st.sampled_from([0, 0, 0, 0, 1]),
    )
    def deliver_many(self, which: list[int], caller: str, content: str, missing: int) -> None:
        terms = [self._pick(index) for index in which]
        commitments = [content] * max(len(terms) - missing, 0)
        self.twins.do("deliver_many", self._address(caller), terms, commitments)

    # ------------------------------------------------------------------------------------------------------------- time

    @rule(which=indices, seconds=st.sampled_from([0, -1, 1]))
    def warp(self, which: int, seconds: int) -> None:
        """To one of the next marks, or a second beside it."""
        orders = self.twins.twin.books.orders.values()
        clocks = [mark for order in orders for mark in (order.deadline, negotiation_end(order), half_time(order))]
        policies = self.twins.twin.books.policies.values()
        limits = [mark for item in policies for mark in (item.review_by, item.policy.effective_from)]
        times = {mark + seconds for mark in (*clocks, *limits, *self.marks) if mark is not None}
        coming = sorted(time for time in times if time >= self.twins.now)[:5]
        if coming:
            self.twins.evm.warp(min(coming[which % len(coming)], self.twins.now + 30 * DAY))

    @rule(seconds=st.integers(1, 3_600))
    def wait(self, seconds: int) -> None:
        self.twins.evm.warp(self.twins.now + seconds)

    # ------------------------------------------------------------------------------------------------------------ money

    @rule(caller=names, seller=names, coin=st.integers(0, 3), amount=st.integers(0, 10**12), slip=slips)
    def fund_bond(self, caller: str, seller: str, coin: int, amount: int, slip: int) -> None:
        token = (*self.twins.coins, CAST["stranger"])[coin]  # the last is no token
        value = max((amount if token == NATIVE else 0) + slip, 0)
        self.twins.do("fund_bond", self._address(caller), self._address(seller), token, amount, value=value)

    @rule(
        caller=st.sampled_from(["seller", "wallet", "stranger"]),
        coin=st.integers(0, 2),
        permille=permilles,
        to=st.sampled_from(["seller", "pay_to", "escrow", "coin"]),
    )
    def withdraw_bond(self, caller: str, coin: int, permille: int, to: str) -> None:
        token, account = self.twins.coins[coin], self._address(caller)
        amount = self.twins.twin.bond_of(account, token) * permille // 1_000
        self.twins.do("withdraw_bond", account, token, amount, self._receiver(to, token))

    @rule(account=names, caller=names, coin=st.integers(0, 2))
    def pay_credit(self, account: str, caller: str, coin: int) -> None:
        self.twins.do("pay_credit", self._address(caller), *self._credit(account, coin))

    @rule(account=names, coin=st.integers(0, 2), to=st.sampled_from(["stranger", "pay_to", "escrow", "coin"]))
    def withdraw_credit(self, account: str, coin: int, to: str) -> None:
        caller, token = self._credit(account, coin)
        self.twins.do("withdraw_credit", caller, token, self._receiver(to, token))

    @rule(which=indices, caller=names, coin=st.integers(0, 2), unknown=slips)
    def claim_fees(self, which: int, caller: str, coin: int, unknown: int) -> None:
        accrued = sorted(self.twins.twin.books.fees)
        policy, token = self.twins.id_of(self._nth_policy(which)), self.twins.coins[coin]
        if accrued:
            policy, token = accrued[which % len(accrued)]
        self.twins.do("claim_fees", self._address(caller), UNKNOWN if unknown else policy, token)

    @rule(account=payees, blocking=st.booleans(), refuses=st.booleans())
    def refuse(self, account: str, blocking: bool, refuses: bool) -> None:
        """A token blocks an account, or an account takes no coins; or it does again."""
        self._refuse(account, blocking, refuses)

    @rule(refuses=st.booleans())
    def freeze(self, refuses: bool) -> None:
        """A token's issuer blocks the escrow itself."""
        self.twins.refuse(self.twins.escrow.address, self.twins.blocking.address, refuses)

    @rule(
        owner=st.sampled_from(["buyer", "payer"]),
        coin=st.integers(1, 2),
        amount=st.sampled_from([0, 5, 10_001, UNLIMITED]),
    )
    def approve(self, owner: str, coin: int, amount: int) -> None:
        self.twins.approve(CAST[owner], self.twins.coins[coin], amount)

    # ------------------------------------------------------------------------------------------- operators and policies

    @rule(
        seller=st.sampled_from(["seller", "wallet"]),
        operator=st.sampled_from(["operator", "operator", "stranger"]),
        coin=st.integers(0, 2),
        which=indices,
        rights=st.integers(0, 16),
        life=lives,
        price=st.sampled_from([10**9, 10_000, 0, 2**128 - 1]),
        nobody=st.sampled_from([False] * 9 + [True]),
    )
    def set_operator(
        self,
        seller: str,
        operator: str,
        coin: int,
        which: int,
        rights: int,
        life: int,
        price: int,
        nobody: bool,
    ) -> None:
        policy = self.twins.id_of(self._nth_policy(which))
        grant = OperatorGrant(rights=rights, expiry=self._mark(self.twins.now + life), max_price=price)
        who = ZERO_ADDRESS if nobody else CAST[operator]
        self.twins.do("set_operator", self._address(seller), who, self.twins.coins[coin], policy, grant)

    @rule(seller=st.sampled_from(["seller", "wallet"]), to=st.sampled_from(["pay_to", "refund_to", "escrow", "nobody"]))
    def register_pay_to(self, seller: str, to: str) -> None:
        receiver = ZERO_ADDRESS if to == "nobody" else self._receiver(to, NATIVE)
        self.twins.do("register_pay_to", self._address(seller), receiver)

    @rule(
        change=changes,
        caller=st.sampled_from(["platform", "platform", "platform", "stranger"]),
        seconds=st.sampled_from([DAY, 0, -1, MAX_REVIEW_PERIOD, MAX_REVIEW_PERIOD + 1]),
    )
    def register_policy(self, change: dict[str, int], caller: str, seconds: int) -> None:
        self.twins.register(CAST[caller], policy_of(change, self.twins), self.twins.now + seconds)

    @rule(
        which=indices,
        caller=st.sampled_from(["platform", "platform", "mediator"]),
        slip=slips,
        seconds=st.sampled_from([0, 1, -1, DAY, MAX_REVIEW_PERIOD]),
        retire=st.sampled_from([False] * 4 + [True]),
    )
    def review_or_retire(self, which: int, caller: str, slip: int, seconds: int, retire: bool) -> None:
        policy = self.twins.id_of(self._nth_policy(which))
        if retire:
            self.twins.do("retire_policy", CAST[caller], UNKNOWN if slip else policy)
        else:
            review_by = self.twins.twin.books.policies[policy].review_by + seconds
            self.twins.do("review_policy", CAST[caller], UNKNOWN if slip else policy, review_by)
