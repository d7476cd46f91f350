"""The rooms as the service serves them: what they rest on, and how they look as JSON."""

from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.signing import is_signed_by
from kameng_escrow.chain.steps import run
from kameng_escrow.domain.labels import Label
from kameng_escrow.domain.seats import Seat
from kameng_escrow.domain.signed import Split
from kameng_escrow.domain.transcript import Entry
from kameng_escrow.domain.typed_data import Domain, split_typed_data
from kameng_escrow.store.event_json import to_json
from kameng_escrow.talk.desk import Desk
from kameng_escrow.talk.lines import line_label
from kameng_escrow.talk.mediation import Mediation
from kameng_escrow.talk.papers import Papers
from kameng_escrow.talk.proposals import VOID_LABELS, Proposal, Proposals
from kameng_escrow.talk.rooms import File, Rooms, Shown

from .order_views import closing_view
from .parts import Parts
from .schemas.common import Words
from .schemas.orders import ClosingView
from .schemas.talk import EntryView, FileView, LineView, ProposalView, SplitView


def desk_of(parts: Parts) -> Desk:
    """What the rooms rest on."""
    return Desk(
        store=parts.store,
        contract_id=parts.contract_id,
        domain=domain_of(parts),
        blobs=parts.blobs,
        limits=parts.talk_limits,
        now_ms=lambda: parts.clock() * 1_000,
    )


def domain_of(parts: Parts) -> Domain:
    """What signatures are bound to."""
    return Domain(parts.deployment.chain_id, parts.deployment.address)


def rooms_of(parts: Parts) -> Rooms:
    return Rooms(desk_of(parts))


def papers_of(parts: Parts) -> Papers:
    return Papers(desk_of(parts))


def mediation_of(parts: Parts) -> Mediation:
    return Mediation(desk_of(parts))


def proposals_of(parts: Parts) -> Proposals:
    def asks_contract(signer: str, digest: str, signature: bytes) -> bool:
        return run(is_signed_by(signer, digest, signature), Connection(parts.node.w3))

    return Proposals(desk_of(parts), asks_contract)


# -------------------------------------------------------------------------------------------------------------- views


def words_of(label: Label) -> Words:
    return Words(zh=label.zh, en=label.en)


def file_view(file: File, order_id: str) -> FileView:
    return FileView(
        id=file.id,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        sha256=file.sha256,
        sent_sha256=file.sent_sha256,
        width=file.width,
        height=file.height,
        uploader=file.uploader,
        seat=file.seat,
        seq=file.seq,
        url=f"/v1/orders/{order_id}/room/files/{file.id}",
    )


def shown_view(shown: Shown, parts: Parts) -> EntryView:
    """An entry with its files and what happened."""
    view = entry_view(shown.entry)
    view.files = [file_view(file, shown.entry.order_id) for file in shown.files]
    body = shown.entry.body
    if body is not None and "event" in body:
        event = None if shown.event is None else shown.event.event
        view.line = LineView(
            event=body["event"],
            label=words_of(line_label(body["event"], event)),
            block_number=body["block_number"],
            block_hash=body["block_hash"],
            timestamp=body["timestamp"],
            transaction_hash=body["transaction_hash"],
            transaction_url=parts.config.transaction_url(body["transaction_hash"]),
            log_index=body["log_index"],
            fields=None if event is None else to_json(event),
            retracted_by=shown.retracted_by,
        )
    return view


def entry_view(entry: Entry) -> EntryView:
    return EntryView(
        seq=entry.seq,
        kind=entry.kind.value,
        author=entry.author or None,
        seat=Seat(entry.seat) if entry.seat else None,
        sent_ms=entry.sent_ms,
        content=entry.content,
        prev=entry.prev,
        head=entry.head,
        body=None if entry.body is None else dict(entry.body),
        files=[],
        line=None,
    )


def split_view(split: Split) -> SplitView:
    return SplitView(
        state=split.state.label,
        disputed_units=split.disputed_units,
        revision=split.revision,
        to_buyer=str(split.to_buyer),
        expiry=split.expiry,
    )


def proposal_view(proposal: Proposal, parts: Parts) -> ProposalView:
    closing = closing_view(proposal.closing)
    live = proposal.closing is not None
    return ProposalView(
        id=proposal.id,
        seq=proposal.seq,
        proposer=proposal.proposer,
        split=split_view(proposal.split),
        status=proposal.status,
        void=proposal.void,
        void_label=None if proposal.void is None else words_of(VOID_LABELS[proposal.void]),
        signed_by=list(proposal.signed_by),
        closing=None if closing is None else ClosingView.model_validate(closing),
        typed_data=split_typed_data(proposal.order_id, proposal.split, domain_of(parts)) if live else None,
    )
