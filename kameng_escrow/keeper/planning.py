"""From what the store thinks is due to transactions: checked with the chain, rehearsed, paid for, written down."""

from itertools import chain

from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.errors import NodeRefused
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Agenda, Due, Journal
from kameng_escrow.store.keeping import Fee, Intent, Payload, Stage

from .answers import lacks_funds, wants_later, wants_less
from .batches import Batch, batches, patience_ms, rotated
from .errands import Settling
from .eye import Eye, words_of
from .memory import Memory
from .paying import Purse, with_margin
from .rules import Rules
from .signing import Content
from .tending import Hands, Round

SPARE_GAS = 750_000  # for an order that failed: twice what the contract lets a token and a receiver spend
PAGES = 20  # of orders that are looked at in one round


class Planner:
    """Opens intents for what is due, as many as there is room for."""

    def __init__(
        self,
        eye: Eye,
        agenda: Agenda,
        journal: Journal,
        hands: Hands,
        errand: Settling,
        purse: Purse,
        rules: Rules,
        *,
        account: str,
        contract_id: int,
        memory: Memory,
    ) -> None:
        self._eye = eye
        self._agenda = agenda
        self._journal = journal
        self._hands = hands
        self._errand = errand
        self._purse = purse
        self._rules = rules
        self._account = account
        self._contract_id = contract_id
        self._memory = memory

    def plan(self, part: Round, waiting: list[Intent], *, spread: bool = True) -> list[Intent]:
        """New intents, already sent. `spread`: keep out of the way of other accounts' keepers.

        Raises:
            NodeError, StoreError: what was opened before stays.
        """
        live = sum(intent.stage is Stage.Live for intent in waiting)
        slots = self._rules.in_flight - live
        if slots <= 0:
            return []
        orders = self._gather(part, part.outlook.time, slots * self._rules.batch)
        if not orders:
            self._memory.due_since_ms = None
            return []
        if spread and not self._is_our_turn(part):
            return []
        if (fee := self._purse.fee(part)) is None:
            return []
        known = self._journal.troubles(self._contract_id, [due.order_id for due in orders])
        made = batches(
            orders,
            {order_id: trouble.failures for order_id, trouble in known.items()},
            size=self._rules.batch,
            spare_gas=SPARE_GAS,
        )
        opened: list[Intent] = []
        todo = rotated(made, self._account)
        while todo and len(opened) < slots:
            outcome = self._try(todo.pop(0), fee, part, [*waiting, *opened])
            if isinstance(outcome, Intent):
                opened.append(outcome)
            elif outcome is None:
                break
            else:
                todo = [*outcome, *todo]
            if spread and part.now_ms < self._memory.rest_until_ms:
                break
        return opened

    def _is_our_turn(self, part: Round) -> bool:
        """Whether we have waited long enough since something came due, and since somebody else was seen at it."""
        now_ms, memory = part.now_ms, self._memory
        # Where the clock was set back, what we remember may lie in the future: no wait is longer than the spread.
        since = memory.due_since_ms = min(memory.due_since_ms or now_ms, now_ms)
        memory.rest_until_ms = min(memory.rest_until_ms, now_ms + int(self._rules.spread_seconds * 1000))
        wait = patience_ms(self._account, part.outlook.time, self._rules.spread_seconds)
        return now_ms >= max(since + wait, memory.rest_until_ms)

    def _gather(self, part: Round, at: int, wanted: int) -> list[Due]:
        """Up to `wanted` orders that are due by the chain's second `at`, and that the chain has as due."""
        found: list[Due] = []
        pages = self._agenda.due(at, now_ms=part.now_ms, page=self._rules.page)
        for page, _ in zip(pages, range(PAGES), strict=False):
            deadlines = self._eye.deadlines([due.order_id for due in page])
            found += [due for due, deadline in zip(page, deadlines, strict=True) if 0 < deadline <= at]
            if len(found) >= wanted:
                break
        return found[:wanted]

    def _try(self, batch: Batch, fee: Fee, part: Round, waiting: list[Intent]) -> Intent | list[Batch] | None:
        """An intent; or what is left to try in its place; or None where no money is left for any."""
        terms = [due.terms for due in batch.orders]
        still = self._eye.due(terms)  # somebody may be under way with them, or have been
        if not all(still):
            self._memory.rest(part.now_ms, self._account, self._rules.spread_seconds)
        batch = Batch(
            orders=tuple(due for due, is_due in zip(batch.orders, still, strict=True) if is_due),
            extra_gas=batch.extra_gas,
        )
        if not batch.orders:
            return []
        call = self._eye.settling([due.terms for due in batch.orders])
        block = part.outlook.gas_limit
        most = min(self._rules.gas_limit, block if len(batch.orders) == 1 else block // 2)
        try:
            estimate = self._eye.estimate(call, fee)
        except Refusal as refusal:
            return self._isolate(batch, refusal, part)
        except NodeRefused as refused:
            if lacks_funds(refused):
                part.add(self._purse.dry(part, most * fee.highest))
                return None
            if wants_later(refused):
                raise
            if len(batch.orders) == 1 and wants_less(refused):
                short = self._too_poor_to_rehearse(call, batch, fee, part, waiting)
                if short is not None:
                    part.add(short)
                    return None
            return self._isolate(batch, refused, part)
        if estimate > most:
            return self._isolate(batch, NodeRefused(f"it takes {estimate} gas of {most}"), part)
        gas = min(most, self._with_margin(estimate, batch))
        if (short := self._purse.too_poor(gas * fee.highest, part, waiting)) is not None:
            part.add(short)
            return None
        assert call.to is not None, "it is a call of the escrow"
        return self._hands.open(
            part,
            nonce=self._purse.next_nonce(part, waiting),
            payload=Payload.Batch,
            order_ids=batch.order_ids,
            content=Content(to=call.to, data=call.data, gas=gas),
            fee=fee,
        )

    def _isolate(self, batch: Batch, why: EscrowError, part: Round) -> list[Batch]:
        """Halves of a batch that does not go through; one order alone is in trouble."""
        if len(batch.orders) > 1:
            return list(batch.halves())
        reason = words_of(why) if isinstance(why, NodeRefused) else why.message
        self._errand.note_failures(self._contract_id, batch.order_ids, why.code, reason, part.now_ms)
        part.moved = True
        return []

    def _too_poor_to_rehearse(
        self, call: Call, batch: Batch, fee: Fee, part: Round, waiting: list[Intent]
    ) -> EscrowError | None:
        """Nodes allow a rehearsal no more gas than the account can pay: is that why it failed?"""
        try:
            estimate = self._eye.estimate(call, None)
        except (Refusal, NodeRefused):  # it fails for free, too
            return None
        return self._purse.too_poor(self._with_margin(estimate, batch) * fee.highest, part, waiting)

    def _with_margin(self, estimate: int, batch: Batch) -> int:
        return with_margin(estimate) + batch.extra_gas


def count_left(eye: Eye, agenda: Agenda, at: int, page: int) -> int:
    """How many orders are due by the chain's second `at` and still open, whatever keeps them.

    Raises `NodeError`, `StoreError`.
    """
    pages = agenda.due(at, now_ms=None, page=page)
    deadlines = chain.from_iterable(eye.deadlines([due.order_id for due in part]) for part in pages)
    return sum(0 < deadline <= at for deadline in deadlines)
