"""From what was accepted to transactions: tried once more, paid for, written down, sent."""

from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.errors import NodeRefused
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.errors import EscrowError
from kameng_escrow.keeper.answers import lacks_funds, wants_later, wants_less
from kameng_escrow.keeper.errors import NotTaken
from kameng_escrow.keeper.eye import Eye, words_of
from kameng_escrow.keeper.paying import Purse, with_margin
from kameng_escrow.keeper.rules import Rules
from kameng_escrow.keeper.signing import Content
from kameng_escrow.keeper.tending import Hands, Round
from kameng_escrow.store import Store
from kameng_escrow.store.keeping import BrokenJournal, Fee, Intent, Payload, Stage
from kameng_escrow.store.relaying import Relay
from kameng_escrow.store.service import relays

from .budgets import purses_of
from .errors import RelayBudgetSpent, RelayTooCostly
from .intake import Limits

PAGE = 100  # relays that are looked at in one round
BROKE_MS = 10_000  # until a relay is looked at again whose platform's money is used up


class RelayPlanner:
    """Opens an intent for each relay that waits, as many as there is room for."""

    def __init__(
        self, eye: Eye, store: Store, hands: Hands, purse: Purse, rules: Rules, limits: Limits, *, contract_id: int
    ) -> None:
        self._eye = eye
        self._store = store
        self._hands = hands
        self._purse = purse
        self._rules = rules
        self._limits = limits
        self._contract_id = contract_id

    def plan(self, part: Round, waiting: list[Intent]) -> list[Intent]:
        """New intents, already sent. Raises `NodeError`, `StoreError`: what was opened before stays."""
        slots = self._rules.in_flight - sum(intent.stage is Stage.Live for intent in waiting)
        if slots <= 0:
            return []
        with self._store.reading() as session:
            todo = relays.to_send(session, self._contract_id, part.now_ms, PAGE)
            held_up = relays.held_up(session, self._contract_id, RelayBudgetSpent.code)
        if held_up is not None and held_up not in todo:
            self._say_poor(held_up, part)
        if not todo or (fee := self._purse.fee(part)) is None:
            return []
        opened: list[Intent] = []
        for relay in todo:
            if len(opened) >= slots:
                break
            try:
                intent = self._try(relay, fee, part, [*waiting, *opened])
            except _NoMoney:
                break
            if intent is not None:
                opened.append(intent)
        return opened

    def _try(self, relay: Relay, fee: Fee, part: Round, waiting: list[Intent]) -> Intent | None:
        """The relay's intent; None: it ends here, or waits."""
        try:
            estimate = self._eye.estimate(Call(to=relay.to, data=relay.data), fee)
        except Refusal as refusal:
            self._end(relay, refusal, part)
            return None
        except NodeRefused as refused:
            if lacks_funds(refused):
                part.add(self._purse.dry(part, relay.gas * fee.highest))
                raise _NoMoney from None
            if wants_later(refused):
                raise
            if wants_less(refused) and (short := self._too_poor_to_try(relay, fee, part, waiting)) is not None:
                part.add(short)
                raise _NoMoney from None
            self._wait(relay, NotTaken("-", words_of(refused)), part)
            return None
        gas = with_margin(estimate)
        if gas > self._limits.gas:
            self._end(relay, RelayTooCostly(gas, self._limits.gas), part)
            return None
        cost = gas * fee.highest
        if (short := self._platform_too_poor(relay, cost, part)) is not None:
            part.add(short)
            self._delay(relay, short, part)
            return None
        if (poor := self._purse.too_poor(cost, part, waiting)) is not None:
            part.add(poor)
            raise _NoMoney
        try:
            return self._hands.open(
                part,
                nonce=self._purse.next_nonce(part, waiting),
                payload=Payload.Call,
                content=Content(to=relay.to, data=relay.data, gas=gas),
                fee=fee,
                also=lambda session, intent: relays.take(session, relay.id, intent),
            )
        except BrokenJournal:  # another account's relayer has just taken it: nothing was written, nothing sent
            return None

    def _too_poor_to_try(self, relay: Relay, fee: Fee, part: Round, waiting: list[Intent]) -> EscrowError | None:
        """Nodes allow a rehearsal no more gas than the account can pay: is that why it failed?"""
        try:
            estimate = self._eye.estimate(Call(to=relay.to, data=relay.data), None)
        except (Refusal, NodeRefused):  # it fails for free, too
            return None
        return self._purse.too_poor(with_margin(estimate) * fee.highest, part, waiting)

    def _platform_too_poor(self, relay: Relay, cost: int, part: Round) -> EscrowError | None:
        with self._store.reading() as session:
            purses = purses_of(
                session,
                self._contract_id,
                relay.platform,
                each=self._limits.platform_budget,
                new=self._limits.new_budget,
                now_ms=part.now_ms,
            )
        return next((short for purse in purses if (short := purse.short(cost)) is not None), None)

    def _say_poor(self, relay: Relay, part: Round) -> None:
        """That a relay which is not looked at in this round still waits for its platform's money."""
        price = part.outlook.suggested + (part.outlook.base_fee or 0)
        if (short := self._platform_too_poor(relay, relay.gas * price, part)) is not None:
            part.add(short)

    def _end(self, relay: Relay, why: EscrowError, part: Round) -> None:
        with self._store.writing() as session:
            relays.note(session, relay.id, why, ended=True)
        part.moved = True

    def _wait(self, relay: Relay, why: EscrowError, part: Round) -> None:
        try_ms = self._rules.next_try_ms(relay.failures + 1, part.now_ms)
        with self._store.writing() as session:
            relays.note(session, relay.id, why, ended=try_ms is None, try_ms=try_ms, failed=True)

    def _delay(self, relay: Relay, why: EscrowError, part: Round) -> None:
        """Others come first, whose platforms have money left."""
        with self._store.writing() as session:
            relays.note(session, relay.id, why, ended=False, try_ms=part.now_ms + BROKE_MS)


class _NoMoney(Exception):
    """Nothing more can be paid in this round, and that was said."""
