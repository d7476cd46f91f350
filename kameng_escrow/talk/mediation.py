"""A mediator's queue, conflicts of interest, and how mediators have done."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median_low
from typing import Final

from kameng_escrow.domain import shares
from kameng_escrow.domain.disputes import EvidencePaper, Phase, phase_of
from kameng_escrow.domain.endings import timeout
from kameng_escrow.domain.inputs import parse_address, parse_hash
from kameng_escrow.domain.lifecycle import half_time, mediator_now, negotiation_end
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.seats import Seat, seats_of
from kameng_escrow.domain.shares import Closing
from kameng_escrow.domain.spoken_text import clean_message
from kameng_escrow.domain.states import Fault, Outcome
from kameng_escrow.store.models import CheckpointRow
from kameng_escrow.store.service import disputes, risk
from kameng_escrow.store.service.audit import audit
from kameng_escrow.store.service.dispute_rows import EVIDENCE, NOTE_LENGTH, ConflictRow
from kameng_escrow.store.service.ids import is_id

from .desk import Desk
from .errors import UnknownItem, WrongSeat

MOST_LIKELY: Final = 50  # orders that may come, of which a mediator is told
_HASH_LENGTH: Final = 66


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An order in a mediator's queue."""

    order: Order
    seat: Seat  # Mediator or Backup
    phase: Phase
    turn: bool  # whether the mediator may rule now
    rule_from: int  # Unix seconds: from when it may rule
    rule_until: int  # before when
    deadline: int  # when the clock decides
    in_dispute: int  # base units
    promised: Closing  # what the clock pays if nobody rules
    evidence: EvidencePaper | None  # None: the chain carries the hash of none that is known here
    ties: tuple[disputes.MediatorTie, ...]  # what the seller put on the chain about the order's mediators


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A part of a mediator's queue, what runs out first at the top."""

    now: int  # the chain's clock, Unix seconds
    cases: tuple[Case, ...]
    hidden: int  # orders of this part that the mediator may not judge
    next: tuple[int, int, int] | None  # where the next part begins; None: this was the last


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A conflict of interest that was declared."""

    id: str
    mediator: str
    subject: str  # an account, or an order's id
    note: str
    declared_by: str
    declared_ms: int  # Unix milliseconds


class Award(StrEnum):
    """To whom a ruling gave how much of the sum in dispute."""

    AllToBuyer = "all_to_buyer"
    MostToBuyer = "most_to_buyer"
    Even = "even"
    MostToSeller = "most_to_seller"
    AllToSeller = "all_to_seller"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediatorRecord:
    """How a mediator has done, from the chain's events alone: anyone can count it again."""

    mediator: str
    disputes: int  # under policies that name it, as mediator or backup
    running: int
    settled: int  # ended by the parties, before its turn or in it
    ruled: int  # by it
    ruled_by_other: int  # by the other mediator
    missed: int  # its turn passed without a ruling of its own, and the order went on
    silent: int  # nobody ruled: the clock paid the promised split
    barred: int  # it was a party, and could not rule; counted nowhere else
    median_seconds: int | None  # from the start of its turn to its ruling
    awards: dict[Award, int] = field(default_factory=dict)
    fees: dict[str, int] = field(default_factory=dict)  # earned, by token; base units


class Mediation:
    """The disputes of one contract's orders, as their mediators see them. Raises what `Store.reading` raises."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def queue(
        self, mediator: str, *, over: bool = False, after: tuple[int, int, int] | None = None, limit: int = 50
    ) -> Queue:
        """The orders in dispute that the account may judge now or later, in the order in which its time runs out.

        Orders in which it has a conflict of interest are not among them.

        Args:
            mediator: an account; one that no policy names has an empty queue.
            over: those in which its time is over and the dispute is not, instead of the others.
            after: where this part begins.
            limit: at most so many.
        """
        desk = self._desk
        with desk.store.reading() as session:
            now = desk.chain_now(session.get_one(CheckpointRow, desk.contract_id).seen_at)
            found = disputes.waiting_for(
                session, desk.contract_id, mediator, now=now, over=over, after=after, limit=limit + 1
            )
            page = found[:limit]
            cases = []
            for one in page:
                if disputes.conflict_in(session, desk.contract_id, one.order, mediator) is not None:
                    continue
                ties = disputes.ties_in(session, desk.contract_id, one.order, now)
                row = disputes.paper_of(session, desk.contract_id, one.order.id, EVIDENCE, one.order.evidence)
                document = None if row is None else row.document
                evidence = None if document is None else EvidencePaper.read(document)
                cases.append(_case(one, mediator, now, evidence, ties))
        return Queue(
            now=now,
            cases=tuple(cases),
            hidden=len(page) - len(cases),
            next=page[-1].place if len(found) > limit else None,
        )

    def likely(self, mediator: str, now: int) -> tuple[Order, ...]:
        """Delivered orders that may come: warned of, and not in dispute at the Unix second `now`; what runs out first
        at the top. Those in which the account has a conflict of interest are not among them.
        """
        desk = self._desk
        with desk.store.reading() as session:
            found = risk.likely_disputes(session, desk.contract_id, mediator, now=now, limit=MOST_LIKELY)
            return tuple(one for one in found if disputes.conflict_in(session, desk.contract_id, one, mediator) is None)

    # ------------------------------------------------------------------------------------------------------ conflicts

    def declare(self, account: str, *, subject: str, note: str, mediator: str | None = None) -> Declaration:
        """Declares a conflict of interest: the mediator sees no order of that party, or not that order, from then on.

        Args:
            account: the mediator's, or that of a platform whose policy names the mediator.
            subject: an account, or an order's id.
            note: why.
            mediator: left out, the account.

        Raises:
            WrongSeat: the account is neither a mediator nor a platform of this one.
            Malformed: the subject is neither an address nor a hash.
            TextUnfit, TextLength: of the note.
        """
        text = clean_message(note, "note", most=NOTE_LENGTH)
        about = mediator or account
        subject = parse_hash(subject, "subject") if len(subject) == _HASH_LENGTH else parse_address(subject, "subject")
        desk = self._desk
        with desk.store.writing() as session:
            if about == account:
                allowed = disputes.is_mediator(session, desk.contract_id, account)
            else:
                allowed = disputes.mediates_for(session, desk.contract_id, account, about)
            if not allowed:
                raise WrongSeat(
                    "To declare a conflict of interest",
                    "申报利益冲突",
                    "the mediator and its platform",
                    "仲裁员及其平台",
                )
            row = disputes.declare(
                session,
                desk.contract_id,
                mediator=about,
                subject=subject,
                note=text,
                by=account,
                now_ms=desk.now_ms(),
            )
            details = {"mediator": about, "subject": subject}
            audit(session, account, "conflict.declare", row.id, details, platform=account)
            return _declaration(row)

    def declarations(self, account: str) -> list[Declaration]:
        """The declarations that stand and are about the account, or that it made; the newest first."""
        with self._desk.store.reading() as session:
            found = disputes.declared_by_or_of(session, self._desk.contract_id, account)
            return [_declaration(row) for row in found]

    def withdraw(self, account: str, conflict_id: str) -> Declaration:
        """Takes a declaration back. What a platform declared, only the platform does.

        Raises:
            UnknownItem: the account made no such declaration, or it was taken back before.
        """
        desk = self._desk
        with desk.store.writing() as session:
            row = disputes.declaration(session, desk.contract_id, conflict_id) if is_id(conflict_id, "cfl") else None
            if row is None or row.declared_by != account:
                raise UnknownItem("declaration", "申报", conflict_id)
            row.withdrawn_ms = desk.now_ms()
            details = {"mediator": row.mediator, "subject": row.subject}
            audit(session, account, "conflict.withdraw", row.id, details, platform=account)
            return _declaration(row)

    # --------------------------------------------------------------------------------------------------------- record

    def record(self, mediator: str) -> MediatorRecord:
        """How the mediator has done, over all disputes under policies that name it."""
        with self._desk.store.reading() as session:
            now = self._desk.chain_now(session.get_one(CheckpointRow, self._desk.contract_id).seen_at)
            return record_of(mediator, disputes.all_disputes_of(session, self._desk.contract_id, mediator), now)


def record_of(mediator: str, orders: Iterable[Order], now: int) -> MediatorRecord:
    """How a mediator has done in these orders, each of which was in dispute. `now`: the chain's clock, Unix seconds."""
    counts: Counter[str] = Counter()
    awards: Counter[Award] = Counter()
    fees: Counter[str] = Counter()
    took: list[int] = []
    for order in orders:
        counts["disputes"] += 1
        kind = _kind(order, mediator)
        counts[kind] += 1
        if kind in ("ruled_by_other", "running") and _missed(order, mediator, now):
            counts["missed"] += 1
        assert order.terms is not None  # an order in dispute has them; likewise the closing's time below
        if order.mediator == mediator and order.mediation_fee:
            fees[order.terms.token] += order.mediation_fee
        if kind == "ruled" and order.awarded is not None and order.closed_at is not None:
            awards[award_kind(order)] += 1
            took.append(order.closed_at - _turn(order, mediator)[0])
    return MediatorRecord(
        mediator=mediator,
        disputes=counts["disputes"],
        running=counts["running"],
        settled=counts["settled"],
        ruled=counts["ruled"],
        ruled_by_other=counts["ruled_by_other"],
        missed=counts["missed"],
        silent=counts["silent"],
        barred=counts["barred"],
        median_seconds=median_low(took) if took else None,
        awards=dict(awards),
        fees=dict(fees),
    )


def award_kind(order: Order) -> Award:
    """To whom a ruled order's sum in dispute went."""
    assert order.terms is not None  # it was ruled
    assert order.awarded is not None
    amount = shares.sum_in_dispute(order.terms.price, order.terms.units, order.disputed_units)
    if order.awarded == amount:
        return Award.AllToBuyer
    if order.awarded == 0:
        return Award.AllToSeller
    match order.fault:
        case Fault.Seller:
            return Award.MostToBuyer
        case Fault.Buyer:
            return Award.MostToSeller
    return Award.Even


def _kind(order: Order, mediator: str) -> str:
    if order.terms is not None and mediator in (order.terms.buyer, order.terms.seller):
        return "barred"
    if order.outcome is Outcome.Nothing:
        return "running"
    if order.outcome is Outcome.Ruled:
        return "ruled" if order.mediator == mediator else "ruled_by_other"
    return "silent" if order.outcome is Outcome.Defaulted else "settled"


def _turn(order: Order, mediator: str) -> tuple[int, int]:
    """From when and before when the mediator may rule, or could; Unix seconds."""
    policy = order.policy
    assert policy is not None  # an order in dispute has one, and the time of the dispute
    assert order.disputed_at is not None
    start = order.disputed_at + policy.negotiate_window
    half, end = start + policy.mediate_window // 2, start + policy.mediate_window
    if policy.backup_mediator == ZERO_ADDRESS:
        return start, end
    return (half, end) if mediator == policy.backup_mediator else (start, half)


def _missed(order: Order, mediator: str, now: int) -> bool:
    """Whether the mediator's turn is over and the order went on after it."""
    return (order.closed_at or now) >= _turn(order, mediator)[1]


def _case(
    one: disputes.Waiting,
    mediator: str,
    now: int,
    evidence: EvidencePaper | None,
    ties: tuple[disputes.MediatorTie, ...],
) -> Case:
    order = one.order
    start, half, phase = negotiation_end(order), half_time(order), phase_of(order, now)
    assert start is not None  # the order is in dispute: it has all of these
    assert half is not None
    assert phase is not None
    assert order.deadline is not None
    seat = next(seat for seat in seats_of(order, mediator) if seat.mediates)
    return Case(
        order=order,
        seat=seat,
        phase=phase,
        turn=mediator_now(order, now) == mediator,
        rule_from=half if seat is Seat.Backup else start,
        rule_until=one.until,
        deadline=order.deadline,
        in_dispute=shares.held(order).amount,
        promised=timeout(order),
        evidence=evidence,
        ties=ties,
    )


def _declaration(row: ConflictRow) -> Declaration:
    return Declaration(
        id=row.id,
        mediator=row.mediator,
        subject=row.subject,
        note=row.note,
        declared_by=row.declared_by,
        declared_ms=row.declared_ms,
    )
