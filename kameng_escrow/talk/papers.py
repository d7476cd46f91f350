"""A dispute's papers: what the buyer says when it disputes, what both file after, and what a mediator finds.

The chain carries the papers' hashes. A paper is written here first, then its hash goes to the chain in `dispute` or
`rule`, and from then on everybody in the room reads it. A paper whose hash never gets there is nobody's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from kameng_escrow.domain import shares
from kameng_escrow.domain.disputes import (
    DisputeReason,
    EvidencePaper,
    Finding,
    GroundsPaper,
    PaperFile,
    Phase,
    TranscriptMark,
    award_of,
    check_findings,
    check_lines,
    evidence_until,
    phase_of,
)
from kameng_escrow.domain.endings import ending, timeout
from kameng_escrow.domain.labels import label_of
from kameng_escrow.domain.lifecycle import half_time, mediator_now, negotiation_end
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.refusals import TooEarly, TooLate, Unauthorized
from kameng_escrow.domain.seats import Seat
from kameng_escrow.domain.shares import Closing
from kameng_escrow.domain.spoken_text import LONGEST_MESSAGE, clean_message
from kameng_escrow.domain.states import Outcome, State
from kameng_escrow.domain.transcript import Entry, EntryKind, root_of
from kameng_escrow.store.service import disputes, talk
from kameng_escrow.store.service.audit import audit
from kameng_escrow.store.service.dispute_rows import EVIDENCE, GROUNDS, PaperRow
from kameng_escrow.store.service.talk_rows import FileRow, RoomRow

from .desk import Desk, Present, add, attach, entered, file_document, follow, present, salt
from .errors import EvidenceClosed, NotDisputed, UnknownItem, WrongSeat

LONGEST_GROUNDS = 4 * LONGEST_MESSAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a mediator is about to rule, and what that pays."""

    paper: GroundsPaper
    closing: Closing  # who gets what
    in_dispute: int  # the sum that is divided; base units


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """All there is to know of an order's dispute."""

    order: Order
    phase: Phase | None  # None: it is over
    negotiation_until: int | None  # n, Unix seconds; None: it is over; likewise below
    half_time: int | None  # h
    deadline: int | None  # d
    evidence_until: int | None
    mediator: str | None  # who may rule now
    promised: Closing | None  # what the clock pays at the deadline, if nobody rules
    in_dispute: int  # base units
    evidence: EvidencePaper | None  # None: the chain carries the hash of none that is known here
    grounds: GroundsPaper | None
    filed: tuple[Entry, ...]  # evidence by both, in order
    ties: tuple[disputes.MediatorTie, ...]  # what the seller put on the chain about the order's mediators


class Papers:
    """The papers of the disputes of one contract's orders. Raises as `Rooms` does."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def look(self, order_id: str, account: str) -> Dispute:
        """The order's dispute, as far as the account may know. Raises `NotDisputed` where there was none."""
        desk = self._desk
        follow(desk, order_id, account)  # brings in the buyer's paper, if the chain has just had it
        with desk.store.reading() as session:
            who = present(desk, session, order_id, account)
            order, room = who.order, talk.room_of(session, desk.contract_id, order_id)
            if order.disputed_at is None or room is None:
                raise NotDisputed(order_id, label_of(order.state).en, label_of(State.Disputed).en)
            evidence = disputes.paper_of(session, desk.contract_id, order_id, EVIDENCE, order.evidence)
            grounds = disputes.paper_of(session, desk.contract_id, order_id, GROUNDS, order.grounds)
            entries = talk.entries_of(session, room)
            ties = disputes.ties_in(session, desk.contract_id, order, who.now)
        running = order.state is State.Disputed
        return Dispute(
            order=order,
            phase=phase_of(order, who.now),
            negotiation_until=negotiation_end(order),
            half_time=half_time(order),
            deadline=order.deadline,
            evidence_until=evidence_until(order),
            mediator=mediator_now(order, who.now) if running else None,
            promised=timeout(order) if running else None,
            in_dispute=shares.sum_in_dispute(who.terms.price, who.terms.units, order.disputed_units),
            evidence=_evidence(evidence),
            grounds=_grounds(grounds),
            filed=tuple(entry for entry in entries if entry.kind is EntryKind.Evidence),
            ties=ties,
        )

    # ----------------------------------------------------------------------------------------------------- the buyer's

    def write_evidence(
        self,
        order_id: str,
        account: str,
        *,
        reason: DisputeReason,
        lines: Sequence[int],
        statement: str,
        files: Sequence[str] = (),
    ) -> EvidencePaper:
        """Writes the buyer's paper, for `dispute` to take its hash to the chain. Nobody else learns of it before.

        Args:
            order_id: the order's.
            account: the buyer's.
            reason: one of the list.
            lines: which units are in dispute, by their number in the order, from 1.
            statement: what happened.
            files: that the buyer has sent into the room and not shown yet.

        Raises:
            WrongSeat: the account is not the buyer's.
            NotDisputed, TooLate: the order can't be disputed (any more).
            PaperRefused: no such units.
            TextUnfit, TextLength: of the statement.
            UnknownItem: a file is not there, was shown before, or is another's.
        """
        text = clean_message(statement, "statement")
        desk = self._desk
        with desk.store.writing() as session:
            who = present(desk, session, order_id, account)
            if who.seat is not Seat.Buyer:
                raise WrongSeat("To dispute", "发起争议", "the buyer", "买家")
            order = who.order
            if order.state is not State.Delivered or order.deadline is None:
                raise NotDisputed(order_id, label_of(order.state).en, label_of(State.Delivered).en)
            if who.now >= order.deadline:
                raise TooLate(who.now, order.deadline)
            room = entered(desk, session, who)
            rows = attach(desk, session, room, who, tuple(files))
            paper = EvidencePaper(
                order_id=order_id,
                buyer=account,
                reason=reason,
                lines=check_lines(lines, who.terms.units),
                statement=text,
                transcript=mark_of(session, room),
                files=tuple(_paper_file(row) for row in rows),
                salt=salt(),
            )
            disputes.add_paper(
                session,
                desk.contract_id,
                order_id=order_id,
                kind=EVIDENCE,
                author=account,
                paper=paper,
                now_ms=desk.now_ms(),
            )
            for row in rows:
                row.paper = paper.hash
        return paper

    def file_evidence(self, order_id: str, account: str, text: str, *, files: Sequence[str] = ()) -> Entry:
        """Files evidence in a dispute that has begun: text, files that the party has sent into the room, or both.

        Raises:
            WrongSeat: the account is no party.
            NotDisputed: the order is not in dispute.
            EvidenceClosed: it is half time.
            TextUnfit, TextLength, UnknownItem, RoomFull: as `Rooms.say`.
        """
        clean = clean_message(text, "text") if text.strip() or not files else ""
        desk = self._desk
        with desk.store.writing() as session:
            who = present(desk, session, order_id, account)
            if not who.seat.is_party:
                raise WrongSeat("To file evidence", "提交证据", "the buyer and the seller", "买卖双方")
            until = evidence_until(who.order)
            if until is None:
                raise NotDisputed(order_id, label_of(who.order.state).en, label_of(State.Disputed).en)
            if who.now >= until:
                raise EvidenceClosed(who.now, until)
            room = entered(desk, session, who)
            rows = attach(desk, session, room, who, tuple(files))
            body: dict[str, Any] = {
                "files": [file_document(row) for row in rows],
                "paper": "",
                "salt": salt(),
                "text": clean,
            }
            entry = add(desk, session, room, EntryKind.Evidence, body, author=account, seat=who.seat.value)
            for row in rows:
                row.seq = entry.seq
        return entry

    # -------------------------------------------------------------------------------------------------- the mediator's

    def preview_ruling(self, order_id: str, account: str, findings: Sequence[Finding]) -> tuple[int, Closing]:
        """What the findings would award, and what that pays to whom. Raises as `write_ruling`."""
        with self._desk.store.reading() as session:
            who = present(self._desk, session, order_id, account)
            _require_turn(who)
            found = check_findings(findings, who.order, self._lines(session, who))
            award = award_of(who.order, found)
            return award, ending(who.order, Outcome.Ruled, award)

    def write_ruling(self, order_id: str, account: str, *, findings: Sequence[Finding], grounds: str) -> Ruling:
        """Writes the mediator's paper, for `rule` to take to the chain with the award; then the parties read it too.

        Args:
            order_id: the order's.
            account: that of the mediator whose half it is.
            findings: one for each unit in dispute.
            grounds: why.

        Raises:
            Conflicted: it has a conflict of interest.
            WrongSeat: the account is no mediator's.
            NotDisputed: the order is not in dispute (any more).
            TooEarly, TooLate, Unauthorized: it is not this mediator's time.
            PaperRefused: the findings are of other units.
            TextUnfit, TextLength: of the grounds.
        """
        text = clean_message(grounds, "grounds", most=LONGEST_GROUNDS)
        desk = self._desk
        with desk.store.writing() as session:
            who = present(desk, session, order_id, account)
            _require_turn(who)
            found = check_findings(findings, who.order, self._lines(session, who))
            award = award_of(who.order, found)
            room = entered(desk, session, who)
            paper = GroundsPaper(
                order_id=order_id,
                mediator=account,
                evidence=who.order.evidence or "0x" + "00" * 32,
                findings=found,
                award=award,
                grounds=text,
                transcript=mark_of(session, room),
                salt=salt(),
            )
            disputes.add_paper(
                session,
                desk.contract_id,
                order_id=order_id,
                kind=GROUNDS,
                author=account,
                paper=paper,
                now_ms=desk.now_ms(),
            )
            session.flush()
            details = {"award": str(award), "grounds": paper.hash}
            audit(session, account, "ruling.write", order_id, details, platform=who.policy.platform)
            return Ruling(
                paper=paper,
                closing=ending(who.order, Outcome.Ruled, award),
                in_dispute=shares.held(who.order).amount,
            )

    def own_paper(self, order_id: str, account: str, digest: str) -> dict[str, Any]:
        """What a paper says that the account wrote itself, whether the chain has it or not.

        Raises:
            UnknownItem: it wrote none with that hash, or it was erased.
        """
        with self._desk.store.reading() as session:
            present(self._desk, session, order_id, account)
            for kind in (EVIDENCE, GROUNDS):
                row = disputes.paper_of(session, self._desk.contract_id, order_id, kind, digest)
                if row is not None and row.author == account and row.document is not None:
                    return row.document
        raise UnknownItem("paper of yours", "由你写的文书", digest)

    def _lines(self, session: Session, who: Present) -> tuple[int, ...] | None:
        """The units as the buyer's paper names them, where it names as many as the chain says are in dispute."""
        row = disputes.paper_of(session, self._desk.contract_id, who.order.id, EVIDENCE, who.order.evidence)
        paper = _evidence(row)
        return paper.lines if paper is not None and paper.units == who.order.disputed_units else None


def mark_of(session: Session, room: RoomRow) -> TranscriptMark:
    """How far a locked room's log has come."""
    heads = talk.heads_of(session, room)
    return TranscriptMark(size=room.size, head=room.head, root=root_of(room.order_id, heads))


def _require_turn(who: Present) -> None:
    """Passes a mediator whose time it is, as the contract would."""
    order = who.order
    if not any(seat.mediates for seat in who.seats):
        raise WrongSeat("To rule", "裁决", "the order's mediators", "订单的仲裁员")
    start = negotiation_end(order)
    if start is None or order.deadline is None:
        raise NotDisputed(order.id, label_of(order.state).en, label_of(State.Disputed).en)
    if who.now < start:
        raise TooEarly(who.now, start)
    if who.now >= order.deadline:
        raise TooLate(who.now, order.deadline)
    in_charge = mediator_now(order, who.now)
    if in_charge != who.account and in_charge is not None:
        raise Unauthorized(who.account, in_charge)


def _paper_file(row: FileRow) -> PaperFile:
    return PaperFile(sha256=row.sha256, size=row.size, type=row.media_type)


def _evidence(row: PaperRow | None) -> EvidencePaper | None:
    return None if row is None or row.document is None else EvidencePaper.read(row.document)


def _grounds(row: PaperRow | None) -> GroundsPaper | None:
    return None if row is None or row.document is None else GroundsPaper.read(row.document)
