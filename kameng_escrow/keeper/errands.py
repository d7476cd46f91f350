"""What an account's transactions are for, as far as looking after them must know: settling orders, or else."""

from typing import Protocol

from sqlalchemy.orm import Session

from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Journal
from kameng_escrow.store.keeping import Inclusion, Intent, Payload, Trouble

from .errors import BatchReverted, NotTaken, OrderGivenUp, OrderStuck
from .eye import Eye
from .memory import Memory
from .report import Announce, News, NewsKind
from .rules import Rules


class Errand(Protocol):
    """Answers for intents of one kind, and hears what becomes of them."""

    def is_wanted(self, intent: Intent) -> bool:
        """Whether what the intent is for is still to be done; asked once a block. Raises `NodeError`."""
        ...

    def also(self, session: Session, intent: Intent) -> None:
        """Writes what goes with the intent, in the transaction that writes it."""
        ...

    def withdrawn(self, intent: Intent, words: str | None, now_ms: int) -> None:
        """An empty transaction is to take its place. `words`: the node's, which will never take it; None: it is not
        wanted any more.
        """
        ...

    def mined(self, intent: Intent, inclusion: Inclusion, now_ms: int) -> None:
        """One of its transactions is in a block, and did what it should."""
        ...

    def reverted(self, intent: Intent, inclusion: Inclusion) -> EscrowError:
        """What to say of one that was mined and refused."""
        ...

    def failed(self, intent: Intent, inclusion: Inclusion, now_ms: int) -> None:
        """That has been said: what follows from it."""
        ...


class Settling:
    """The errand of a keeper: orders that are due."""

    def __init__(
        self, eye: Eye, journal: Journal, rules: Rules, *, contract_id: int, memory: Memory, announce: Announce
    ) -> None:
        self._eye = eye
        self._journal = journal
        self._rules = rules
        self._contract_id = contract_id
        self._memory = memory
        self._announce = announce

    def is_wanted(self, intent: Intent) -> bool:
        """Whether one of its orders still waits."""
        if intent.contract_id != self._contract_id:
            return True  # another lens would have to tell
        return any(self._eye.deadlines(intent.order_ids))

    def also(self, session: Session, intent: Intent) -> None:
        """Nothing: the journal has the orders."""

    def withdrawn(self, intent: Intent, words: str | None, now_ms: int) -> None:
        """Orders that make up a transaction which no node takes are in trouble."""
        if words is not None:
            self.note_failures(intent.contract_id, intent.order_ids, NotTaken.code, words, now_ms)

    def mined(self, intent: Intent, inclusion: Inclusion, now_ms: int) -> None:
        """What was the matter with the orders is over. Where none was left, somebody else is at work."""
        if self._journal.troubles(intent.contract_id, inclusion.closed):
            self._journal.forget_troubles(intent.contract_id, inclusion.closed)
        if intent.payload_of(inclusion.hash) is Payload.Batch and not inclusion.closed:
            self._memory.rest(now_ms, intent.account, self._rules.spread_seconds)

    def reverted(self, intent: Intent, inclusion: Inclusion) -> EscrowError:
        """A batch that went through when it was rehearsed."""
        return BatchReverted(inclusion.hash, len(intent.order_ids))

    def failed(self, intent: Intent, inclusion: Inclusion, now_ms: int) -> None:
        """Its orders are tried again, with fewer beside them."""
        del inclusion
        reason = "it was mined and refused"
        self.note_failures(intent.contract_id, intent.order_ids, BatchReverted.code, reason, now_ms)

    def note_failures(self, contract_id: int, order_ids: tuple[str, ...], code: str, reason: str, now_ms: int) -> None:
        """Writes down that orders could not be settled, and when each is tried again, if ever."""
        known = self._journal.troubles(contract_id, order_ids)
        troubles = []
        for order_id in order_ids:
            before = known.get(order_id)
            failures = 1 + (before.failures if before else 0)
            troubles.append(
                Trouble(
                    order_id=order_id,
                    failures=failures,
                    code=code,
                    reason=reason,
                    next_try_ms=self._rules.next_try_ms(failures, now_ms),
                    since_ms=before.since_ms if before else now_ms,
                )
            )
        self._journal.note_troubles(contract_id, troubles)
        for trouble in troubles:
            kind, error = (NewsKind.GivenUp, OrderGivenUp) if trouble.given_up else (NewsKind.Stuck, OrderStuck)
            self._announce(News(kind=kind, error=error(trouble.order_id, trouble.failures, trouble.reason)))
