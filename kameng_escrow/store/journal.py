"""An account's journal: what it set out to do, with which nonce, in which transactions, and what became of them.

Everything that could cost money is written here, in a transaction of its own, before the chain can hear of it.
"""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import ColumnElement, CursorResult, Select, delete, func, select, update
from sqlalchemy.orm import Session, selectinload

from .journal_models import IntentOrderRow, IntentRow, TransactionRow, TroubleRow
from .keeping import Attempt, BrokenJournal, Fee, Inclusion, Intent, Stage, Trouble
from .loading import parts
from .models import OrderRow
from .store import Store

WAITING = (Stage.Live, Stage.Mined)

Also = Callable[[Session, Intent], None]
"""What is written in the same transaction as an intent: both are there afterwards, or neither."""


class Journal:
    """The journal of one account on one chain; its intents may be of several contracts.

    Reading may be done by anybody. Who writes hands in a store `under` the term of the account's keeper, so that a
    keeper that was replaced writes nothing. All methods raise what `Store.reading` or `Store.writing` raises.
    """

    def __init__(self, store: Store, *, chain_id: int, account: str) -> None:
        self._store = store
        self._chain_id = chain_id
        self._account = account

    def under(self, store: Store) -> "Journal":
        """The same journal by way of another view of its store."""
        return Journal(store, chain_id=self._chain_id, account=self._account)

    # -------------------------------------------------------------------------------------------------------- intents

    def waiting(self) -> list[Intent]:
        """The intents that have not ended, by nonce."""
        query = self._intents().where(IntentRow.stage.in_(WAITING)).order_by(IntentRow.nonce, IntentRow.id)
        with self._store.reading() as session:
            return [_intent(row) for row in session.scalars(query)]

    def latest(self, limit: int) -> list[Intent]:
        """The last `limit` intents, the newest first."""
        with self._store.reading() as session:
            return [_intent(row) for row in session.scalars(self._intents().order_by(IntentRow.id.desc()).limit(limit))]

    def intent(self, intent_id: int) -> Intent:
        """One intent. Raises `LookupError` where the account has none of that number."""
        with self._store.reading() as session:
            row = session.scalar(self._intents().where(IntentRow.id == intent_id))
        if row is None:
            raise LookupError(f"there is no intent {intent_id}")
        return _intent(row)

    def open(
        self,
        *,
        contract_id: int,
        nonce: int,
        order_ids: Sequence[str],
        attempt: Attempt,
        at_ms: int,
        also: Also | None = None,
    ) -> Intent:
        """Writes a new intent down, with the first transaction that is signed for it.

        Raises:
            BrokenJournal: another intent waits with that nonce.
        """
        with self._store.writing() as session:
            held = select(IntentRow.id).where(*self._ours(), IntentRow.stage.in_(WAITING), IntentRow.nonce == nonce)
            if session.scalar(held) is not None:
                raise BrokenJournal(f"another intent waits with nonce {nonce}")
            row = IntentRow(
                contract_id=contract_id,
                chain_id=self._chain_id,
                account=self._account,
                nonce=nonce,
                stage=Stage.Live,
                created_ms=at_ms,
                orders=[
                    IntentOrderRow(position=position, order_id=order_id, closed=False)
                    for position, order_id in enumerate(order_ids)
                ],
                transactions=[_transaction(attempt, 0)],
            )
            session.add(row)
            session.flush()
            intent = _intent(row)
            if also is not None:
                also(session, intent)
            return intent

    def write(self, intent: Intent, at_ms: int, also: Also | None = None) -> None:
        """Writes an intent down as it is now. Raises `BrokenJournal` where it has ended already."""
        with self._store.writing() as session:
            query = select(IntentRow).where(*self._ours(), IntentRow.id == intent.id).with_for_update(of=IntentRow)
            row = session.scalar(query.options(selectinload(IntentRow.transactions)))
            if row is None or row.stage.has_ended:
                raise BrokenJournal(f"intent {intent.id} does not wait any more")
            row.stage = intent.stage
            if _place(row) != _place_of(intent.inclusion):
                _write_inclusion(row, intent.inclusion, at_ms)
                _write_closed(session, intent)
            written = {transaction.hash: transaction for transaction in row.transactions}
            for position, attempt in enumerate(intent.attempts):
                known = written.get(attempt.hash)
                if known is None:
                    row.transactions.append(_transaction(attempt, position))
                else:
                    known.offered_ms, known.rejection = attempt.offered_ms, attempt.rejection
                    known.raw = attempt.raw or None
            if also is not None:
                also(session, intent)

    def spent_since(self, since_ms: int) -> int:
        """What the account's transactions have cost since then, in wei, and the most that those which wait may cost."""
        mined = select(IntentRow.cost).where(*self._ours(), IntentRow.mined_ms >= since_ms)
        with self._store.reading() as session:
            paid = sum(cost for cost in session.scalars(mined) if cost is not None)
        return paid + sum(intent.reserved for intent in self.waiting())

    def _intents(self) -> Select[IntentRow]:
        return select(IntentRow).where(*self._ours()).options(*_LOADED)

    def _ours(self) -> tuple[ColumnElement[bool], ...]:
        return IntentRow.chain_id == self._chain_id, IntentRow.account == self._account

    # ------------------------------------------------------------------------------------------------------- troubles

    def troubles(self, contract_id: int, order_ids: Iterable[str] | None = None) -> dict[str, Trouble]:
        """What is the matter with orders of a contract: with these, or with all that have trouble."""
        query = select(TroubleRow).filter_by(contract_id=contract_id).order_by(TroubleRow.since_ms)
        with self._store.reading() as session:
            rows = (
                list(session.scalars(query))
                if order_ids is None
                else [
                    row
                    for part in parts(sorted(order_ids))
                    for row in session.scalars(query.where(TroubleRow.order_id.in_(part)))
                ]
            )
        return {row.order_id: _trouble(row) for row in rows}

    def note_troubles(self, contract_id: int, troubles: Sequence[Trouble]) -> None:
        """Writes down what is the matter with orders, in place of what was before."""
        if not troubles:
            return
        with self._store.writing() as session:
            for trouble in troubles:
                session.merge(
                    TroubleRow(
                        contract_id=contract_id,
                        order_id=trouble.order_id,
                        failures=trouble.failures,
                        code=trouble.code,
                        reason=trouble.reason,
                        since_ms=trouble.since_ms,
                        next_try_ms=trouble.next_try_ms,
                    )
                )

    def forget_troubles(self, contract_id: int, order_ids: Sequence[str] | None = None) -> int:
        """Forgets what was the matter with these orders, or with all; returns with how many something was."""
        with self._store.writing() as session:
            every = delete(TroubleRow).where(TroubleRow.contract_id == contract_id)
            queries = (
                [every]
                if order_ids is None
                else [every.where(TroubleRow.order_id.in_(part)) for part in parts(order_ids)]
            )
            results = (session.execute(query) for query in queries)
            return sum(result.rowcount for result in results if isinstance(result, CursorResult))

    def given_up(self, contract_id: int) -> int:
        """How many open orders are left to a person."""
        query = (
            select(func.count())
            .select_from(TroubleRow)
            .join(OrderRow, (OrderRow.contract_id == contract_id) & (OrderRow.order_id == TroubleRow.order_id))
            .where(TroubleRow.contract_id == contract_id, TroubleRow.next_try_ms.is_(None))
            .where(OrderRow.deadline.is_not(None))
        )
        with self._store.reading() as session:
            return session.scalar(query) or 0


_LOADED = (selectinload(IntentRow.orders), selectinload(IntentRow.transactions))


def _transaction(attempt: Attempt, position: int) -> TransactionRow:
    return TransactionRow(
        hash=attempt.hash,
        position=position,
        payload=attempt.payload,
        highest_fee=attempt.fee.highest,
        tip=attempt.fee.tip,
        gas=attempt.gas,
        raw=attempt.raw or None,
        signed_ms=attempt.signed_ms,
        offered_ms=attempt.offered_ms,
        rejection=attempt.rejection,
    )


def _place(row: IntentRow) -> tuple[str | None, str | None]:
    return row.mined_hash, row.mined_block_hash


def _place_of(inclusion: Inclusion | None) -> tuple[str | None, str | None]:
    return (inclusion.hash, inclusion.block_hash) if inclusion else (None, None)


def _write_closed(session: Session, intent: Intent) -> None:
    orders = update(IntentOrderRow).where(IntentOrderRow.intent_id == intent.id)
    session.execute(orders.values(closed=False))
    for part in parts(intent.inclusion.closed if intent.inclusion else ()):
        session.execute(orders.where(IntentOrderRow.order_id.in_(part)).values(closed=True))


def _write_inclusion(row: IntentRow, inclusion: Inclusion | None, at_ms: int) -> None:
    if inclusion is None:
        row.mined_hash = row.mined_block = row.mined_block_hash = row.mined_ms = None
        row.succeeded = row.gas_used = row.cost = None
    else:
        row.mined_ms = row.mined_ms or at_ms
        row.mined_hash = inclusion.hash
        row.mined_block, row.mined_block_hash = inclusion.block_number, inclusion.block_hash
        row.succeeded, row.gas_used, row.cost = inclusion.succeeded, inclusion.gas_used, inclusion.cost


def _intent(row: IntentRow) -> Intent:
    return Intent(
        id=row.id,
        contract_id=row.contract_id,
        chain_id=row.chain_id,
        account=row.account,
        nonce=row.nonce,
        order_ids=tuple(order.order_id for order in row.orders),
        created_ms=row.created_ms,
        attempts=tuple(_attempt(transaction) for transaction in row.transactions),
        stage=row.stage,
        inclusion=_inclusion(row),
    )


def _attempt(row: TransactionRow) -> Attempt:
    return Attempt(
        hash=row.hash,
        payload=row.payload,
        fee=Fee(highest=row.highest_fee, tip=row.tip),
        gas=row.gas,
        raw=row.raw or b"",
        signed_ms=row.signed_ms,
        offered_ms=row.offered_ms,
        rejection=row.rejection,
    )


def _inclusion(row: IntentRow) -> Inclusion | None:
    if row.mined_hash is None or row.mined_block is None or row.mined_block_hash is None:
        return None
    return Inclusion(
        hash=row.mined_hash,
        block_number=row.mined_block,
        block_hash=row.mined_block_hash,
        succeeded=bool(row.succeeded),
        gas_used=row.gas_used or 0,
        cost=row.cost or 0,
        closed=tuple(order.order_id for order in row.orders if order.closed),
    )


def _trouble(row: TroubleRow) -> Trouble:
    return Trouble(
        order_id=row.order_id,
        failures=row.failures,
        code=row.code,
        reason=row.reason,
        next_try_ms=row.next_try_ms,
        since_ms=row.since_ms,
    )
