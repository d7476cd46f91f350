"""Follows the mirror: scores orders as they come to a stage and while they stay there, raises warnings and settles
them, retrains now and then.

The chronicle is in memory and is made anew from the store's events when the worker starts, and when a reorganisation
took away what it had read. Rows that are there already stay as they are, so that this writes nothing twice.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from kameng_escrow.domain.events import Logged, OrderOpened, PolicyRegistered, PolicyRetired
from kameng_escrow.domain.policy import Policy
from kameng_escrow.store import Store
from kameng_escrow.store.event_json import from_stored
from kameng_escrow.store.loading import parts
from kameng_escrow.store.models import BlockRow, CheckpointRow, EventRow
from kameng_escrow.store.service import risk as rows
from kameng_escrow.store.unless_there import insert_unless_there

from ..errors import ModelUntrusted
from .alerts import Alert, Thresholds, alerts, came
from .chronicle import Chronicle, Finished, Snapshot
from .contest import contend
from .endings import Ending
from .reasons import reasons
from .saving import load, save
from .scoring import Examples, OrderModel, Score, prior_score

PAGE: Final = 2_000  # events at once
AT_ONCE: Final = 100  # orders whose scores are written in one transaction
AGAIN: Final = 500  # orders that are scored again in one look, at most: those that have just come to a stage go first
KNOWN: Final = 20  # ended orders, before which not even a category's rate is told
EXPLAINED: Final = 0.15  # from which risk on reasons are looked for
_GROWN: Final = 1.2  # times as many examples as at the last training
_log = logging.getLogger("kameng.risk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look brought."""

    events: int
    scored: int  # that have come to a stage
    again: int  # that have stayed in one
    warned: int
    trained: bool


class RiskFollower:
    """One contract's. One at a time works on it.

    Args:
        store: of this package's schema, with the contract's mirror.
        contract_id: the contract's, in the store.
        thresholds: from which risks on something is done.
        clock: Unix seconds of this machine.
        threads: at most so many, of a training.
        on_alert: told, within the transaction, of each warning that is new.
    """

    def __init__(
        self,
        store: Store,
        contract_id: int,
        *,
        thresholds: Thresholds | None = None,
        clock: Callable[[], int] = lambda: int(time.time()),
        threads: int = 1,
        on_alert: Callable[[Session, Alert], None] | None = None,
    ) -> None:
        self._store = store
        self._contract_id = contract_id
        self._thresholds = thresholds or Thresholds()
        self._clock = clock
        self._threads = threads
        self._on_alert = on_alert
        self._model: OrderModel | None = None
        self._model_id: int | None = None
        self._model_asked = False
        self._forget()

    def _forget(self) -> None:
        self._categories: dict[str, str] = {}
        self._chronicle = Chronicle(self._categories.get)
        self._examples = Examples()
        self._policies: dict[str, Policy] = {}
        self._policy_of: dict[str, str] = {}
        self._live: dict[str, set[str]] = {}
        self._place: tuple[int, int] = (-1, -1)
        self._hash: str | None = None
        self._trained_on = 0
        self._due: dict[str, Snapshot] = {}  # orders that are to be scored; kept where the store is away
        self._again: dict[str, Snapshot] = {}  # likewise, that were looked at while they stayed where they are
        self._finished: dict[str, Finished] = {}  # likewise, whose warnings are to be settled

    def look(self, store: Store | None = None, stop: threading.Event | None = None) -> Looked:
        """Reads what is new in the mirror, and does what is to be done about it.

        Raises:
            StoreError: as `Store.writing`.
        """
        store = store or self._store
        events = 0
        while stop is None or not stop.is_set():
            page, seen_at = self._read()
            for logged in page:
                self._look_again(logged.timestamp)
                found = self._learn(logged)
                if isinstance(found, Snapshot):
                    self._due[found.order_id] = found
                    self._again.pop(found.order_id, None)
                elif isinstance(found, Finished):
                    self._due.pop(found.order_id, None)
                    self._again.pop(found.order_id, None)
                    self._finished[found.order_id] = found
            events += len(page)
            if len(page) < PAGE:
                self._look_again(seen_at)
                break
        self._find_model(store)
        scored, warned = self._score_all(store, self._due, stop)
        again, more = self._score_all(store, self._again, stop, most=AGAIN)
        self._settle(store)
        trained = self._train(store)
        return Looked(events=events, scored=scored, again=again, warned=warned + more, trained=trained)

    def _look_again(self, before: int) -> None:
        """Has the chronicle look at orders that have stayed where they are until before a Unix second."""
        for snapshot in self._chronicle.looks(before):
            self._examples.add(snapshot)
            self._again.pop(snapshot.order_id, None)  # who has waited longest for its score comes first
            self._again[snapshot.order_id] = snapshot

    # -------------------------------------------------------------------------------------------------------- reading

    def _reorganised(self, session: Session) -> bool:
        if self._hash is None:
            return False
        row = session.get(BlockRow, (self._contract_id, self._place[0]))
        return row is None or row.hash != self._hash

    def _read(self) -> tuple[list[Logged], int]:
        """The next page, the first one again where a reorganisation took away what was read last; and the time of the
        last block that the mirror had seen before: of what happened until then, no event is missing.
        """
        with self._store.reading() as session:
            if self._reorganised(session):
                self._forget()
            seen_at = session.scalar(select(CheckpointRow.seen_at).filter_by(contract_id=self._contract_id))
            return self._next_page(session), seen_at or 0

    def _next_page(self, session: Session) -> list[Logged]:
        block, index = self._place
        later = or_(EventRow.block_number > block, and_(EventRow.block_number == block, EventRow.log_index > index))
        of_block = (BlockRow.contract_id == EventRow.contract_id) & (BlockRow.number == EventRow.block_number)
        query: Any = (
            select(EventRow, BlockRow.timestamp, BlockRow.hash)
            .join(BlockRow, of_block)
            .where(EventRow.contract_id == self._contract_id, later)
            .order_by(EventRow.block_number, EventRow.log_index)
            .limit(PAGE)
        )
        found = session.execute(query).all()
        opened = [row.subject for row, *_ in found if row.name == OrderOpened.__name__]
        for part in parts(opened):
            self._categories.update(rows.categories(session, self._contract_id, part))
        made = [_logged(*one) for one in found]
        if found:
            last, _, self._hash = found[-1]
            self._place = (last.block_number, last.log_index)
        return made

    def _learn(self, logged: Logged) -> Snapshot | Finished | None:
        event = logged.event
        if isinstance(event, PolicyRegistered):
            self._policies[event.policy_id] = event.policy
            self._live.setdefault(event.platform, set()).add(event.policy_id)
        elif isinstance(event, PolicyRetired):
            for live in self._live.values():
                live.discard(event.policy_id)
        elif isinstance(event, OrderOpened):
            self._policy_of[event.order_id] = event.terms.policy_id
        found = self._chronicle.follow(logged)
        self._examples.add(found)
        if isinstance(found, Finished):
            self._policy_of.pop(found.order_id, None)
            self._categories.pop(found.order_id, None)
        return found

    # ------------------------------------------------------------------------------------------------------- scoring

    def _find_model(self, store: Store) -> None:
        """The champion in the store; a model that can't be read is as good as none, and another one is made."""
        if self._model_asked:
            return
        self._model_asked = True
        with store.reading() as session:
            row = rows.champion(session, self._contract_id)
            if row is None:
                return
            body, sha256, name = bytes(row.body), row.sha256, row.id
        try:
            self._model, self._model_id = load(body, sha256), name
        except ModelUntrusted as error:
            _log.warning("no score by the model", extra={"code": error.code, "reason": error.message})

    def _scores(self, due: Sequence[Snapshot]) -> tuple[list[Score], bool]:
        if self._model is not None:
            try:
                return self._model.score(due), True
            except Exception:  # whatever is wrong with it, orders have their rates, and the next training a new one
                _log.exception("the model fails")
                self._model = self._model_id = None
        if self._chronicle.closed < KNOWN:
            return [], False
        return [prior_score(self._chronicle, one) for one in due], False

    def _score_all(
        self, store: Store, due: dict[str, Snapshot], stop: threading.Event | None, *, most: int | None = None
    ) -> tuple[int, int]:
        """Scores what is due, at most so many, and takes it from there; how many scores and warnings are new."""
        scored = warned = 0
        left = len(due) if most is None else min(most, len(due))
        while left and (stop is None or not stop.is_set()):
            part = list(due.values())[: min(AT_ONCE, left)]
            new, raised = self._write(store, part)
            scored, warned, left = scored + new, warned + raised, left - len(part)
            for one in part:
                del due[one.order_id]
        return scored, warned

    def _write(self, store: Store, due: Sequence[Snapshot]) -> tuple[int, int]:
        """Scores these, and writes what came of it. The model is asked before the transaction, in which others wait."""
        found, by_model = self._scores(due)
        why = [self._reasons(one, score, by_model) for one, score in zip(due, found, strict=False)]
        with store.writing() as session:
            return self._keep(session, list(zip(due, found, why, strict=False)), by_model)

    def _reasons(self, snapshot: Snapshot, score: Score, by_model: bool) -> list[dict[str, Any]]:
        if not by_model or self._model is None or score.bad < EXPLAINED:
            return []
        return reasons(self._model.causes(snapshot), snapshot.values)

    def _keep(
        self, session: Session, found: Sequence[tuple[Snapshot, Score, list[dict[str, Any]]]], by_model: bool
    ) -> tuple[int, int]:
        scored = warned = 0
        for snapshot, score, why in found:
            kept = rows.keep_score(
                session,
                contract_id=self._contract_id,
                order_id=snapshot.order_id,
                stage=snapshot.stage.value,
                at=snapshot.at,
                model_id=self._model_id if by_model else None,
                buyer=score.buyer,
                seller=score.seller,
                dispute=score.dispute,
                reasons=why,
            )
            if not kept:
                continue  # another process, or an earlier start of this one, has done it
            scored += 1
            warned += self._warn(session, snapshot, score)
            self._look_out(session, snapshot)
        return scored, warned

    def _warn(self, session: Session, snapshot: Snapshot, score: Score) -> int:
        policy = self._policies.get(self._policy_of.get(snapshot.order_id, ""))
        live = [(name, self._policies[name]) for name in sorted(self._live.get(snapshot.platform, ()))]
        risk = seller_risk(snapshot)
        raised = 0
        for one in alerts(snapshot, score, self._thresholds, seller_risk=risk, policy=policy, policies=live):
            new = insert_unless_there(
                session,
                rows.RiskWarningRow,
                contract_id=self._contract_id,
                order_id=snapshot.order_id,
                kind=one.kind,
                platform=snapshot.platform,
                seller=snapshot.seller,
                risk=one.risk,
                raised_at=snapshot.at,
                details=one.details,
            )
            raised += new
            if new and self._on_alert is not None:
                self._on_alert(session, one)
        return raised

    def _look_out(self, session: Session, snapshot: Snapshot) -> None:
        """Brings up to date what buyers are told of the seller before they pay."""
        row = rows.outlook(session, self._contract_id, snapshot.seller)
        if row is None:
            row = rows.RiskOutlookRow(contract_id=self._contract_id, seller=snapshot.seller)
            session.add(row)
        elif row.at > snapshot.at:
            return  # it has been heard of since
        why = ["seller_late_week", "seller_seller", "seller_dispute"]
        row.risk = seller_risk(snapshot)
        row.orders = self._chronicle.closed_by_seller(snapshot.seller)
        row.at = snapshot.at
        row.reasons = reasons([name for name in why if snapshot.values[name]], snapshot.values)

    def _settle(self, store: Store) -> None:
        """Holds the warnings of orders that have ended against what happened."""
        if not self._finished:
            return
        with store.reading() as session:
            waiting = [one for one in rows.unsettled(session, self._contract_id) if one[0] in self._finished]
        for part in parts(waiting):
            with store.writing() as session:
                for order_id, kind in part:
                    finished = self._finished[order_id]
                    bad = came(finished).get(kind)
                    if bad is not None:
                        rows.settle(session, self._contract_id, order_id, (kind,), finished.bad_at if bad else None)
        self._finished.clear()

    # ------------------------------------------------------------------------------------------------------- training

    def _train(self, store: Store) -> bool:
        count = self._examples.stages
        if count < max(400, _GROWN * self._trained_on):
            return False
        self._trained_on = count
        contest = contend(self._model, self._examples.closed, threads=self._threads)
        if not contest.new or contest.model is None:
            return False
        body, sha256 = save(contest.model)
        with store.writing() as session:
            row = rows.RiskModelRow(
                contract_id=self._contract_id,
                sha256=sha256,
                body=body,
                trained_until=contest.model.trained_until,
                made_at=self._clock(),
                facts=contest.facts,
            )
            session.add(row)
            session.flush()
            self._model_id = row.id
        self._model = contest.model
        return True


def seller_risk(snapshot: Snapshot) -> float:
    """That an order of this seller fails by it or is disputed, from its own record and that of its category."""
    return sum(float(snapshot.values[f"seller_{ending}"] or 0.0) for ending in (Ending.Seller, Ending.Dispute))


def _logged(row: EventRow, timestamp: int, block_hash: str) -> Logged:
    return Logged(
        event=from_stored(row.name, row.subject, row.fields),
        block_number=row.block_number,
        block_hash=block_hash,
        transaction_hash=row.transaction_hash,
        log_index=row.log_index,
        timestamp=timestamp,
    )
