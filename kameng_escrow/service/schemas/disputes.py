"""Disputes: papers, evidence, the mediators' queue and record."""

from typing import Any

from pydantic import Field

from kameng_escrow.domain.disputes import DisputeReason, Phase, UnitOutcome
from kameng_escrow.domain.seats import Seat, Tie
from kameng_escrow.domain.spoken_text import LONGEST_MESSAGE
from kameng_escrow.store.service.dispute_rows import NOTE_LENGTH
from kameng_escrow.talk.papers import LONGEST_GROUNDS

from .common import Address, Amount, ChainSeconds, Hash, Model, View, Words, labelled
from .orders import ClosingView
from .risk import RiskWarningView, ScoreView
from .talk import EntryView, FileIds

_REASONS = [reason.label for reason in DisputeReason]
_REASON_OR_NONE: Any = Field(description="As the buyer's paper says.", json_schema_extra={"enum": [*_REASONS, None]})
_OUTCOMES = [outcome.label for outcome in UnitOutcome]


class ReasonView(View):
    """A reason for which a buyer may dispute."""

    reason: str = labelled(_REASONS)
    label: Words


class ReasonsView(View):
    """All there are."""

    reasons: list[ReasonView]


class NewPaper(Model):
    """What the buyer says when it disputes."""

    reason: str = labelled(_REASONS)
    lines: list[int] = Field(
        min_length=1, max_length=65_535, description="The units in dispute by their number in the order, from 1."
    )
    statement: str = Field(max_length=4 * LONGEST_MESSAGE)
    files: FileIds = Field(default=[])


class PaperView(View):
    """A paper, and its hash for the chain."""

    hash: Hash
    document: dict[str, Any] = Field(description="Its bytes in RFC 8785's form have the hash (keccak256).")


class WrittenPaperView(PaperView):
    """The buyer's paper: `units` and `evidence` are for the move "dispute"."""

    units: int
    evidence: Hash


class NewEvidence(Model):
    """Evidence in a dispute that has begun: text, files, or both."""

    text: str = Field(default="", max_length=4 * LONGEST_MESSAGE)
    files: FileIds = Field(default=[])


class TieView(View):
    """What the seller put on the chain about a mediator, without asking it: it bars nobody, and all may know."""

    mediator: Address
    tie: Tie
    label: Words


class DisputeView(View):
    """An order's dispute."""

    order_id: Hash
    phase: Phase | None = Field(description="Null: it is over.")
    phase_label: Words | None
    negotiation_until: ChainSeconds | None
    half_time: ChainSeconds | None
    deadline: ChainSeconds | None = Field(description="From then on anyone may settle as `promised` says.")
    evidence_until: ChainSeconds | None
    mediator: Address | None = Field(description="Who may rule now.")
    promised: ClosingView | None = Field(description="What the clock pays if nobody rules.")
    in_dispute: Amount
    units: int
    evidence_hash: Hash | None = Field(description="As the chain carries it.")
    reason: str | None = _REASON_OR_NONE
    reason_label: Words | None
    evidence: PaperView | None = Field(description="Null: no paper with that hash is known here, or it was erased.")
    grounds: PaperView | None
    filed: list[EntryView] = Field(description="Evidence by both, in its order.")
    ties: list[TieView] = Field(description="What the seller put on the chain about the order's mediators.")


class FindingBody(Model):
    """What was found of one unit."""

    line: int = Field(ge=1, lt=2**16)
    outcome: str = labelled(_OUTCOMES)


class NewPreview(Model):
    """Findings, one for each unit in dispute."""

    findings: list[FindingBody] = Field(max_length=65_535)


class NewRuling(NewPreview):
    """Findings and why."""

    grounds: str = Field(max_length=4 * LONGEST_GROUNDS)


class PreviewView(View):
    """What findings award, and who gets what by that."""

    award: Amount = Field(description="To the buyer out of the sum in dispute.")
    closing: ClosingView


class RulingView(PreviewView):
    """The mediator's paper: `award` and `grounds` are for the move "rule"."""

    grounds: Hash
    document: dict[str, Any]


class CaseView(View):
    """An order in a mediator's queue."""

    order_id: Hash
    seat: Seat
    phase: Phase
    phase_label: Words
    turn: bool = Field(description="Whether the caller may rule now.")
    rule_from: ChainSeconds
    rule_until: ChainSeconds
    deadline: ChainSeconds
    in_dispute: Amount
    token: Address
    units: int
    reason: str | None = _REASON_OR_NONE
    reason_label: Words | None
    promised: ClosingView
    ties: list[TieView] = Field(description="What the seller put on the chain about the order's mediators.")
    score: ScoreView | None = Field(description="How likely it is to end badly, as last looked at; null: no score.")
    warnings: list[RiskWarningView] = Field(description="What was warned of, the first one first.")


class LikelyDisputeView(View):
    """A delivered order that may come to the mediator: it was warned of, and is not in dispute."""

    order_id: Hash
    seat: Seat
    deadline: ChainSeconds = Field(description="Until then the buyer may dispute.")
    price: Amount
    token: Address
    units: int
    score: ScoreView | None = Field(description="As last looked at; null: no score.")
    warnings: list[RiskWarningView]


class QueueView(View):
    """A mediator's queue, what runs out first at the top."""

    now: ChainSeconds
    cases: list[CaseView]
    likely: list[LikelyDisputeView] = Field(
        description="At most 50 that may come, in the order of their clocks; on the first page only."
    )
    hidden: int = Field(description="Orders in which the caller has a conflict of interest.")
    cursor: str | None


class NewConflict(Model):
    """A conflict of interest."""

    subject: str = Field(pattern="^0x([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$", description="An account, or an order's id.")
    note: str = Field(max_length=4 * NOTE_LENGTH)
    mediator: Address | None = Field(default=None, description="Left out, the caller; else the caller's mediator.")


class ConflictView(View):
    """A declaration that stands."""

    id: str
    mediator: Address
    subject: str
    note: str
    declared_by: Address
    declared_ms: int


class ConflictsView(View):
    """The declarations about the caller, and by it; the newest first."""

    conflicts: list[ConflictView]


class RecordView(View):
    """How a mediator has done, counted from the chain's events."""

    mediator: Address
    disputes: int
    running: int
    settled: int = Field(description="Ended by the parties.")
    ruled: int
    ruled_by_other: int
    missed: int = Field(description="Its turn passed, and the order went on.")
    silent: int = Field(description="Nobody ruled: the clock paid the promised split.")
    barred: int = Field(description="It was a party.")
    median_seconds: int | None = Field(description="From the start of its turn to its ruling.")
    awards: dict[str, int]
    fees: dict[str, str] = Field(description="Earned, by token, in base units.")
