"""Disputes: papers and evidence, the mediators' queue, conflicts of interest, rulings."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Path, Query

from kameng_escrow.domain.disputes import (
    PHASE_LABELS,
    REASON_LABELS,
    DisputeReason,
    EvidencePaper,
    Finding,
    GroundsPaper,
    PaperRefused,
    UnitOutcome,
)
from kameng_escrow.domain.inputs import parse_address
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.seats import TIE_LABELS, Seat
from kameng_escrow.domain.shares import Closing
from kameng_escrow.store import InvalidCursor
from kameng_escrow.store.service import risk
from kameng_escrow.store.service.disputes import MediatorTie
from kameng_escrow.talk.mediation import Case, Declaration
from kameng_escrow.talk.papers import Dispute

from ..callers import MEDIATORS, PARTIES, PUBLIC, OrderRole, Scope, account, order
from ..order_views import closing_view
from ..risk_views import score_view, warning_view
from ..routing import Router, TheCaller, TheOrder, TheParts
from ..schemas.common import Words
from ..schemas.disputes import (
    CaseView,
    ConflictsView,
    ConflictView,
    DisputeView,
    FindingBody,
    LikelyDisputeView,
    NewConflict,
    NewEvidence,
    NewPaper,
    NewPreview,
    NewRuling,
    PaperView,
    PreviewView,
    QueueView,
    ReasonsView,
    ReasonView,
    RecordView,
    RulingView,
    TieView,
    WrittenPaperView,
)
from ..schemas.orders import ClosingView
from ..schemas.talk import EntryView
from ..talking import entry_view, mediation_of, papers_of, words_of
from .talk import IN_THE_ROOM, LARGEST_PAGE

routes = Router("disputes")

RECORDS_PER_MINUTE: Final = 30  # of one network address: counting takes a while
_ADDRESS: Final = "^0x[0-9a-fA-F]{40}$"
_CURSOR = re.compile(r"(\d{1,12})-(\d{1,18})-(\d{1,9})")


@routes.get("/v1/dispute-reasons", access=PUBLIC)
def list_dispute_reasons() -> ReasonsView:
    """The reasons for which a buyer may dispute."""
    return ReasonsView(
        reasons=[ReasonView(reason=one.label, label=words_of(REASON_LABELS[one])) for one in DisputeReason]
    )


@routes.get(
    "/v1/orders/{order_id}/dispute",
    access=order(IN_THE_ROOM, Scope.Disputes),
    responses={409: {"description": "The order was never in dispute."}},
)
def read_dispute(held: TheOrder, caller: TheCaller, parts: TheParts) -> DisputeView:
    """The order's dispute: its clock and what happens by itself, the papers that the chain carries, all evidence."""
    return _dispute_view(papers_of(parts).look(held.id, caller.known))


@routes.post("/v1/orders/{order_id}/dispute/paper", access=order({OrderRole.Buyer}, Scope.Disputes), status_code=201)
def write_dispute_paper(body: NewPaper, held: TheOrder, caller: TheCaller, parts: TheParts) -> WrittenPaperView:
    """Writes what the buyer says, with the root of the room's log. Nobody else sees it before `dispute` has taken its
    hash to the chain.
    """
    paper = papers_of(parts).write_evidence(
        held.id,
        caller.known,
        reason=_reason(body.reason),
        lines=body.lines,
        statement=body.statement,
        files=body.files,
    )
    return WrittenPaperView(hash=paper.hash, evidence=paper.hash, units=paper.units, document=paper.document())


@routes.get(
    "/v1/orders/{order_id}/dispute/papers/{paper_hash}",
    access=order(IN_THE_ROOM, Scope.Disputes),
    responses={404: {"description": "The caller wrote no such paper."}},
)
def read_own_paper(
    paper_hash: Annotated[str, Path(pattern="^0x[0-9a-fA-F]{64}$")], held: TheOrder, caller: TheCaller, parts: TheParts
) -> PaperView:
    """A paper that the caller wrote itself, whether its hash is on the chain or not."""
    found = papers_of(parts).own_paper(held.id, caller.known, paper_hash.lower())
    return PaperView(hash=paper_hash.lower(), document=found)


@routes.post("/v1/orders/{order_id}/dispute/evidence", access=order(PARTIES, Scope.Disputes), status_code=201)
def file_evidence(body: NewEvidence, held: TheOrder, caller: TheCaller, parts: TheParts) -> EntryView:
    """Files evidence, until half the time of mediation is over."""
    return entry_view(papers_of(parts).file_evidence(held.id, caller.known, body.text, files=body.files))


@routes.post("/v1/orders/{order_id}/dispute/preview", access=order(MEDIATORS, Scope.Disputes))
def preview_ruling(body: NewPreview, held: TheOrder, caller: TheCaller, parts: TheParts) -> PreviewView:
    """What findings would award, and who would get what by that. Nothing is kept."""
    award, closing = papers_of(parts).preview_ruling(held.id, caller.known, _findings(body.findings))
    return PreviewView(award=str(award), closing=_closing(closing))


@routes.post("/v1/orders/{order_id}/dispute/ruling", access=order(MEDIATORS, Scope.Disputes), status_code=201)
def write_ruling(body: NewRuling, held: TheOrder, caller: TheCaller, parts: TheParts) -> RulingView:
    """Writes the mediator's findings and grounds, for `rule` to take award and hash to the chain. The parties read them
    from then on.
    """
    ruling = papers_of(parts).write_ruling(
        held.id, caller.known, findings=_findings(body.findings), grounds=body.grounds
    )
    return RulingView(
        award=str(ruling.paper.award),
        closing=_closing(ruling.closing),
        grounds=ruling.paper.hash,
        document=ruling.paper.document(),
    )


# ---------------------------------------------------------------------------------------------------------- mediators


@routes.get("/v1/mediation/queue", access=account(Scope.Disputes))
def read_queue(
    caller: TheCaller,
    parts: TheParts,
    over: Annotated[bool, Query(description="Those in which the caller's time is over, instead.")] = False,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=60, description="Of the page before.")] = None,
) -> QueueView:
    """The disputes that the caller may judge now or later, those first in which its time runs out first, and what the
    clock pays in each if nobody rules, with what was foreseen of it; and orders that are likely to come. Those in which
    it has a conflict of interest are not among them.
    """
    mediation = mediation_of(parts)
    found = mediation.queue(caller.known, over=over, after=_place(cursor), limit=limit)
    likely = mediation.likely(caller.known, found.now) if cursor is None and not over else ()
    names = [case.order.id for case in found.cases] + [order.id for order in likely]
    with parts.store.reading() as session:
        scores = risk.latest_scores(session, parts.contract_id, names)
        warnings = risk.warnings_among(session, parts.contract_id, names)
        foreseen = {name: _foreseen(scores.get(name), warnings.get(name, ())) for name in names}
    return QueueView(
        now=found.now,
        cases=[_case_view(case, foreseen[case.order.id]) for case in found.cases],
        likely=[_likely_view(order, caller.known, foreseen[order.id]) for order in likely],
        hidden=found.hidden,
        cursor=None if found.next is None else "-".join(map(str, found.next)),
    )


@routes.get("/v1/mediation/conflicts", access=account(Scope.Disputes))
def list_conflicts(caller: TheCaller, parts: TheParts) -> ConflictsView:
    """The conflicts of interest that were declared about the caller, or by it."""
    found = mediation_of(parts).declarations(caller.known)
    return ConflictsView(conflicts=[_conflict_view(one) for one in found])


@routes.post("/v1/mediation/conflicts", access=account(Scope.Disputes), status_code=201)
def declare_conflict(body: NewConflict, caller: TheCaller, parts: TheParts) -> ConflictView:
    """Declares a conflict of interest with an account, or in one order: as the mediator, or as a platform that the
    mediator works for.
    """
    mediator = None if body.mediator is None else parse_address(body.mediator, "mediator")
    made = mediation_of(parts).declare(caller.known, subject=body.subject, note=body.note, mediator=mediator)
    return _conflict_view(made)


@routes.delete(
    "/v1/mediation/conflicts/{conflict_id}",
    access=account(Scope.Disputes),
    responses={404: {"description": "The caller made no such declaration."}},
)
def withdraw_conflict(conflict_id: str, caller: TheCaller, parts: TheParts) -> ConflictView:
    """Takes a declaration back that the caller made."""
    return _conflict_view(mediation_of(parts).withdraw(caller.known, conflict_id))


@routes.get("/v1/mediators/{mediator}/record", access=PUBLIC, per_minute=RECORDS_PER_MINUTE)
def read_mediator_record(mediator: Annotated[str, Path(pattern=_ADDRESS)], parts: TheParts) -> RecordView:
    """How a mediator has done, counted from the chain's events: rulings, silence, time, awards."""
    found = mediation_of(parts).record(parse_address(mediator.lower(), "mediator"))
    return RecordView(
        mediator=found.mediator,
        disputes=found.disputes,
        running=found.running,
        settled=found.settled,
        ruled=found.ruled,
        ruled_by_other=found.ruled_by_other,
        missed=found.missed,
        silent=found.silent,
        barred=found.barred,
        median_seconds=found.median_seconds,
        awards={kind.value: count for kind, count in found.awards.items()},
        fees={token: str(fee) for token, fee in found.fees.items()},
    )


# -------------------------------------------------------------------------------------------------------------- views


def _dispute_view(found: Dispute) -> DisputeView:
    evidence = found.evidence
    return DisputeView(
        order_id=found.order.id,
        phase=found.phase,
        phase_label=None if found.phase is None else words_of(PHASE_LABELS[found.phase]),
        negotiation_until=found.negotiation_until,
        half_time=found.half_time,
        deadline=found.deadline,
        evidence_until=found.evidence_until,
        mediator=found.mediator,
        promised=None if found.promised is None else _closing(found.promised),
        in_dispute=str(found.in_dispute),
        units=found.order.disputed_units,
        evidence_hash=found.order.evidence,
        reason=None if evidence is None else evidence.reason.label,
        reason_label=_reason_label(evidence),
        evidence=_paper_view(evidence),
        grounds=_paper_view(found.grounds),
        filed=[entry_view(entry) for entry in found.filed],
        ties=_tie_views(found.ties),
    )


def _foreseen(score: risk.RiskScoreRow | None, warnings: Sequence[risk.RiskWarningRow]) -> dict[str, Any]:
    """What a mediator, who is told everything, is told of an order's risk."""
    return {
        "score": None if score is None else score_view(score, everything=True),
        "warnings": [warning_view(one) for one in warnings],
    }


def _likely_view(order: Order, mediator: str, foreseen: Mapping[str, Any]) -> LikelyDisputeView:
    assert order.terms is not None  # a delivered order has them, and a clock
    assert order.policy is not None
    assert order.deadline is not None
    return LikelyDisputeView(
        order_id=order.id,
        seat=Seat.Mediator if order.policy.mediator == mediator else Seat.Backup,
        deadline=order.deadline,
        price=str(order.terms.price),
        token=order.terms.token,
        units=order.terms.units,
        **foreseen,
    )


def _case_view(case: Case, foreseen: Mapping[str, Any]) -> CaseView:
    assert case.order.terms is not None  # an order in dispute has them
    return CaseView(
        order_id=case.order.id,
        seat=case.seat,
        phase=case.phase,
        phase_label=words_of(PHASE_LABELS[case.phase]),
        turn=case.turn,
        rule_from=case.rule_from,
        rule_until=case.rule_until,
        deadline=case.deadline,
        in_dispute=str(case.in_dispute),
        token=case.order.terms.token,
        units=case.order.disputed_units,
        reason=None if case.evidence is None else case.evidence.reason.label,
        reason_label=_reason_label(case.evidence),
        promised=_closing(case.promised),
        ties=_tie_views(case.ties),
        **foreseen,
    )


def _tie_views(ties: Sequence[MediatorTie]) -> list[TieView]:
    return [TieView(mediator=one.mediator, tie=one.tie, label=words_of(TIE_LABELS[one.tie])) for one in ties]


def _conflict_view(one: Declaration) -> ConflictView:
    return ConflictView(
        id=one.id,
        mediator=one.mediator,
        subject=one.subject,
        note=one.note,
        declared_by=one.declared_by,
        declared_ms=one.declared_ms,
    )


def _paper_view(paper: EvidencePaper | GroundsPaper | None) -> PaperView | None:
    return None if paper is None else PaperView(hash=paper.hash, document=paper.document())


def _reason_label(paper: EvidencePaper | None) -> Words | None:
    return None if paper is None else words_of(REASON_LABELS[paper.reason])


def _closing(closing: Closing) -> ClosingView:
    return ClosingView.model_validate(closing_view(closing))


def _reason(label: str) -> DisputeReason:
    try:
        return DisputeReason.from_label(label)
    except ValueError:
        names = ", ".join(one.label for one in DisputeReason)
        raise PaperRefused("reason", f"it is one of {names}", f"只能是 {names} 之一") from None


def _findings(bodies: Sequence[FindingBody]) -> list[Finding]:
    found = []
    for body in bodies:
        try:
            found.append(Finding(line=body.line, outcome=UnitOutcome.from_label(body.outcome)))
        except ValueError:
            names = ", ".join(one.label for one in UnitOutcome)
            raise PaperRefused("findings", f"each is one of {names}", f"每项只能是 {names} 之一") from None
    return found


def _place(cursor: str | None) -> tuple[int, int, int] | None:
    if cursor is None:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidCursor(f"{cursor!r} is no cursor of a page: take the one that the page before gave.")
    return int(match[1]), int(match[2]), int(match[3])
