"""A dispute's papers: why it was begun, what was found, and the award that follows.

Both papers are documents in one spelling (`canonical`), and their hashes are what the chain carries: `dispute(units,
evidence)` the buyer's, `rule(award, grounds)` the mediator's. Neither can be changed afterwards, and 32 random bytes in
each (`salt`) keep what is in it from being guessed from its hash.

    evidence = keccak256(canonical(EvidencePaper.document()))
    grounds  = keccak256(canonical(GroundsPaper.document()))
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Final, Self

from kameng_escrow.errors import EscrowError

from . import shares
from .canonical import document_hash
from .inputs import check_address, check_hash, check_uint
from .labels import Label
from .lifecycle import half_time, negotiation_end
from .order import Order
from .shares import BPS
from .states import State

EVIDENCE_SCHEMA: Final = "kameng-evidence/1"
GROUNDS_SCHEMA: Final = "kameng-grounds/1"


class _Word(Enum):
    """A closed list whose members say their names in SQL, JSON and on the page."""

    @property
    def label(self) -> str:
        """The member's name."""
        return self.name

    @classmethod
    def from_label(cls, label: str) -> Self:
        """The member with this name. Raises ``ValueError`` naming the names there are."""
        try:
            return cls[label]
        except KeyError:
            raise ValueError(
                f"{label!r} is no {cls.__name__}: it is one of {', '.join(member.name for member in cls)}"
            ) from None


class DisputeReason(_Word):
    """Why a buyer disputes. Nothing else can be named, so that disputes can be counted."""

    CodeInvalid = "code invalid"
    AlreadyUsed = "already used"
    WrongItem = "wrong item or region"
    NotDelivered = "not delivered"
    Other = "other"


class UnitOutcome(_Word):
    """What a mediator finds of one unit in dispute. The value is the buyer's share of it, in bps."""

    Buyer = BPS  # the buyer is right: its part of the price goes back
    Seller = 0  # the seller is right: its part of the price is earned
    Shared = BPS // 2  # both are, or it can't be told: half each


class Phase(StrEnum):
    """Where a dispute's clock stands."""

    Negotiation = "negotiation"  # t < n: the parties among themselves
    FirstHalf = "first_half"  # n ≤ t < h: the mediator's
    SecondHalf = "second_half"  # h ≤ t < d: the backup's, or the mediator's where there is none
    Due = "due"  # d ≤ t: anyone may settle it as the policy promised


PHASE_LABELS: dict[Phase, Label] = {
    Phase.Negotiation: Label("negotiation", "协商中"),
    Phase.FirstHalf: Label("the mediator's half", "仲裁员时段"),
    Phase.SecondHalf: Label("the second half", "后半时段"),
    Phase.Due: Label("due: the promised split may be paid", "已到期：可按约定比例分配"),
}
REASON_LABELS: dict[DisputeReason, Label] = {
    DisputeReason.CodeInvalid: Label("the code is invalid", "卡密无效"),
    DisputeReason.AlreadyUsed: Label("the code was already used", "卡密已被使用"),
    DisputeReason.WrongItem: Label("wrong item or region", "商品或区服不符"),
    DisputeReason.NotDelivered: Label("not delivered", "未收到货"),
    DisputeReason.Other: Label("other", "其他"),
}
UNIT_LABELS: dict[UnitOutcome, Label] = {
    UnitOutcome.Buyer: Label("for the buyer", "支持买家"),
    UnitOutcome.Seller: Label("for the seller", "支持卖家"),
    UnitOutcome.Shared: Label("shared", "各半"),
}


class PaperRefused(EscrowError):
    """A dispute's paper that can't be written so. `field` names what is wrong."""

    code = "paper_refused"

    def __init__(self, field: str, why: str, why_zh: str) -> None:
        super().__init__(f"The paper can't be written so, because of its {field}: {why}.")
        self.message_zh = f"文书的 {field} 有误：{why_zh}。"
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptMark:
    """How far the room's log had come: its size, and what stands for it."""

    size: int  # entries
    head: str
    root: str

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"head": self.head, "root": self.root, "size": self.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFile:
    """A file that a paper names."""

    sha256: str  # of its bytes as they are served; 64 lowercase hex digits
    size: int  # bytes
    type: str  # media type

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"sha256": self.sha256, "size": self.size, "type": self.type}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePaper:
    """What the buyer says when it disputes."""

    order_id: str
    buyer: str
    reason: DisputeReason
    lines: tuple[int, ...]  # the units in dispute by their number in the order, 1 … units; ascending
    statement: str
    transcript: TranscriptMark  # the room's log when the paper was written
    files: tuple[PaperFile, ...]
    salt: str  # 32 random bytes

    @property
    def units(self) -> int:
        """How many units are in dispute."""
        return len(self.lines)

    def document(self) -> dict[str, Any]:
        """What is hashed."""
        return {
            "buyer": self.buyer,
            "files": [file.document() for file in self.files],
            "lines": list(self.lines),
            "order_id": self.order_id,
            "reason": self.reason.label,
            "salt": self.salt,
            "schema": EVIDENCE_SCHEMA,
            "statement": self.statement,
            "transcript": self.transcript.document(),
        }

    @property
    def hash(self) -> str:
        """What `dispute` takes to the chain."""
        return document_hash(self.document())

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """The paper of a document. Raises `PaperRefused` where it is none."""
        with _reading(document, EVIDENCE_SCHEMA):
            return cls(
                order_id=document["order_id"],
                buyer=document["buyer"],
                reason=DisputeReason.from_label(document["reason"]),
                lines=tuple(document["lines"]),
                statement=document["statement"],
                transcript=TranscriptMark(**document["transcript"]),
                files=tuple(PaperFile(**file) for file in document["files"]),
                salt=document["salt"],
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a mediator found of one unit."""

    line: int  # the unit's number in the order
    outcome: UnitOutcome

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"line": self.line, "outcome": self.outcome.label}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundsPaper:
    """What a mediator found, and why."""

    order_id: str
    mediator: str
    evidence: str  # as the chain carries it
    findings: tuple[Finding, ...]  # one for each unit in dispute, ascending
    award: int  # to the buyer out of the sum in dispute; base units
    grounds: str
    transcript: TranscriptMark  # the room's log when the paper was written: what the mediator could read
    salt: str

    def document(self) -> dict[str, Any]:
        """What is hashed."""
        return {
            "award": str(self.award),
            "evidence": self.evidence,
            "findings": [finding.document() for finding in self.findings],
            "grounds": self.grounds,
            "mediator": self.mediator,
            "order_id": self.order_id,
            "salt": self.salt,
            "schema": GROUNDS_SCHEMA,
            "transcript": self.transcript.document(),
        }

    @property
    def hash(self) -> str:
        """What `rule` takes to the chain."""
        return document_hash(self.document())

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """The paper of a document. Raises `PaperRefused` where it is none."""
        with _reading(document, GROUNDS_SCHEMA):
            return cls(
                order_id=document["order_id"],
                mediator=document["mediator"],
                evidence=document["evidence"],
                findings=tuple(
                    Finding(line=one["line"], outcome=UnitOutcome.from_label(one["outcome"]))
                    for one in document["findings"]
                ),
                award=int(document["award"]),
                grounds=document["grounds"],
                transcript=TranscriptMark(**document["transcript"]),
                salt=document["salt"],
            )


class _reading:  # noqa: N801 - stands where a context manager's function stands
    """Whatever is wrong with a document is one refusal."""

    def __init__(self, document: Mapping[str, Any], schema: str) -> None:
        if document.get("schema") != schema:
            raise PaperRefused("schema", f"it is not {schema}", f"不是 {schema}")

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError | TypeError | ValueError):
            raise PaperRefused(
                "form", f"a part is missing or of another kind ({error})", f"缺了一部分或类型不对（{error}）"
            ) from error


# --------------------------------------------------------------------------------------------------------- the rules


def check_lines(lines: Sequence[int], units: int) -> tuple[int, ...]:
    """The numbers of units in ascending order.

    Raises:
        PaperRefused: none, one twice, or one that the order does not have.
    """
    found = tuple(sorted(lines))
    if not found or len(set(found)) != len(found) or not 1 <= found[0] <= found[-1] <= units:
        raise PaperRefused(
            "lines",
            f"name the units in dispute by their numbers, each once, from 1 to {units}",
            f"请写出有争议的卡的序号，每个一次，从 1 到 {units}",
        )
    return found


def check_findings(findings: Sequence[Finding], order: Order, lines: Sequence[int] | None) -> tuple[Finding, ...]:
    """One finding for each unit in dispute, in ascending order.

    `lines`: the units as the buyer's paper named them; None: there is no such paper, and any will do.

    Raises:
        PaperRefused: too few, too many, or of other units.
    """
    assert order.terms is not None  # a disputed order has them
    found = tuple(sorted(findings, key=lambda one: one.line))
    named = check_lines([one.line for one in found], order.terms.units)
    if len(named) != order.disputed_units or (lines is not None and named != tuple(lines)):
        wanted = f"{order.disputed_units} units" if lines is None else ", ".join(map(str, lines))
        raise PaperRefused(
            "findings",
            f"there must be one for each unit in dispute ({wanted})",
            f"每张有争议的卡（{wanted}）都要有一项结论",
        )
    return found


def award_of(order: Order, findings: Sequence[Finding]) -> int:
    """What the findings award to the buyer out of the sum in dispute, in base units.

    Units are alike, so each stands for the same part of the sum; what is not awarded rounds down, as in
    `shares.sum_in_dispute`. All for the buyer is the whole sum, all for the seller nothing.
    """
    amount = shares.held(order).amount
    earned = sum(BPS - one.outcome.value for one in findings)
    return amount - amount * earned // (BPS * len(findings))


def evidence_until(order: Order) -> int | None:
    """Before which Unix second a party may file evidence: half the mediate window, so that whoever rules in the second
    half rules on what no longer changes. None where the order is not in dispute.
    """
    return half_time(order)


def phase_of(order: Order, now: int) -> Phase | None:
    """Where a dispute's clock stands at the Unix second `now`; None where the order is not in dispute."""
    start, half = negotiation_end(order), half_time(order)
    if order.state is not State.Disputed or start is None or half is None or order.deadline is None:
        return None
    if now >= order.deadline:
        return Phase.Due
    if now < start:
        return Phase.Negotiation
    return Phase.FirstHalf if now < half else Phase.SecondHalf


def check_paper(paper: EvidencePaper | GroundsPaper) -> None:
    """Passes a paper whose hashes, addresses and numbers can be read. Raises `Malformed`."""
    for line in paper.lines if isinstance(paper, EvidencePaper) else [one.line for one in paper.findings]:
        check_uint(line, 16, "line")
    check_uint(paper.transcript.size, 32, "size")
    check_hash(paper.order_id, "order_id")
    check_hash(paper.salt, "salt")
    check_hash(paper.transcript.head, "head")
    check_hash(paper.transcript.root, "root")
    check_address(paper.buyer if isinstance(paper, EvidencePaper) else paper.mediator, "author")
