"""Rooms: reading, saying, files, splits to agree on, the transcript."""

import re
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any, Final

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse

from kameng_escrow.store import InvalidCursor
from kameng_escrow.talk.archive import Transcripts
from kameng_escrow.talk.file_types import ENDINGS

from ..callers import MEDIATORS, PARTIES, OrderRole, Scope, account, order
from ..downloads import download_headers
from ..order_views import terms_view
from ..routing import Router, TheCaller, TheOrder, TheParts
from ..schemas.orders import TermsView
from ..schemas.talk import (
    AgreementView,
    DoneView,
    EntryView,
    FileView,
    NewMessage,
    NewProposal,
    ProposalsView,
    ProposalView,
    ReadMarkView,
    ReadUpTo,
    RoomSummaryView,
    RoomsView,
    RoomView,
    SplitSignature,
)
from ..talking import desk_of, entry_view, file_view, proposal_view, proposals_of, rooms_of, shown_view, split_view

routes = Router("talk")

IN_THE_ROOM: Final = PARTIES | MEDIATORS | {OrderRole.Platform}  # mediators once there is a dispute
LARGEST_PAGE: Final = 200
LARGEST_FILE: Final = 64 * 1024 * 1024  # bytes; the settings may take less
MESSAGES_PER_MINUTE: Final = 120  # of one network address, likewise below
UPLOADS_PER_MINUTE: Final = 60
EXPORTS_PER_MINUTE: Final = 20
_IN_MEMORY: Final = 4 * 1024 * 1024  # bytes of an archive; more goes to a file without a name
_CHUNK: Final = 256 * 1024
_CURSOR = re.compile(r"(\d{1,18})-(\d{1,12})")
_MISSING: Final[dict[int | str, dict[str, Any]]] = {404: {"description": "The room has nothing of that name."}}
_NOT_YET: Final[dict[int | str, dict[str, Any]]] = {
    **_MISSING,
    409: {"description": "A signature is missing, or it is void."},
}
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file, as an attachment.", "content": dict.fromkeys(ENDINGS, _BINARY)},
    **_MISSING,
}
_ARCHIVE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The archive.", "content": {"application/zip": _BINARY}}
}


@routes.get("/v1/rooms", access=account(Scope.Talk))
def list_rooms(
    caller: TheCaller,
    parts: TheParts,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=40, description="Of the page before.")] = None,
) -> RoomsView:
    """The rooms of the orders that the caller buys or sells, the latest entry first, with how much is unread."""
    found, place = rooms_of(parts).rooms(caller.known, before=_place(cursor), limit=limit)
    return RoomsView(
        rooms=[
            RoomSummaryView(order_id=one.order_id, size=one.size, last_ms=one.last_ms, unread=one.unread)
            for one in found
        ],
        cursor=None if place is None else f"{place[0]}-{place[1]}",
    )


@routes.get("/v1/orders/{order_id}/room", access=order(IN_THE_ROOM, Scope.Talk))
def read_room(
    held: TheOrder,
    caller: TheCaller,
    parts: TheParts,
    after: Annotated[int, Query(ge=-1, lt=2**31, description="Entries with larger numbers.")] = -1,
    before: Annotated[int | None, Query(ge=0, lt=2**31, description="The last ones with smaller numbers.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 100,
) -> RoomView:
    """What was said and what happened, in its order. Keep `head`: it proves later that nothing before was touched."""
    room = rooms_of(parts).read(held.id, caller.known, after=after, before=before, limit=limit)
    return RoomView(
        order_id=room.order_id,
        seats=list(room.seats),
        size=room.size,
        head=room.head,
        entries=[shown_view(shown, parts) for shown in room.entries],
        marks=[ReadMarkView(account=mark.account, seq=mark.seq, at_ms=mark.at_ms) for mark in room.marks],
    )


@routes.post(
    "/v1/orders/{order_id}/room/messages",
    access=order(IN_THE_ROOM, Scope.Talk),
    status_code=201,
    per_minute=MESSAGES_PER_MINUTE,
)
def say(body: NewMessage, held: TheOrder, caller: TheCaller, parts: TheParts) -> EntryView:
    """Says something in the room. The answer's `head` is the receipt."""
    return entry_view(rooms_of(parts).say(held.id, caller.known, body.text, files=body.files))


@routes.post("/v1/orders/{order_id}/room/read", access=order(IN_THE_ROOM, Scope.Talk))
def mark_read(body: ReadUpTo, held: TheOrder, caller: TheCaller, parts: TheParts) -> DoneView:
    """Says that the caller has read every entry up to one. The others in the room see it."""
    rooms_of(parts).mark_read(held.id, caller.known, body.seq)
    return DoneView()


# -------------------------------------------------------------------------------------------------------------- files


async def _content(request: Request) -> bytes:
    return await request.body()


@routes.post(
    "/v1/orders/{order_id}/room/files",
    access=order(IN_THE_ROOM, Scope.Talk),
    status_code=201,
    max_body=LARGEST_FILE,
    per_minute=UPLOADS_PER_MINUTE,
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": _BINARY}}},
)
def send_file(
    held: TheOrder,
    caller: TheCaller,
    parts: TheParts,
    content: Annotated[bytes, Depends(_content)],
    name: Annotated[str, Query(max_length=400, description="For people.")] = "",
) -> FileView:
    """Sends a file, as the body. Its type is told by its content; pictures are encoded anew, without where they were
    taken. Others see it once an entry shows it; within a day, or it is forgotten.
    """
    file = rooms_of(parts).send_file(held.id, caller.known, name=name, content=content)
    return file_view(file, held.id)


@routes.get(
    "/v1/orders/{order_id}/room/files/{file_id}",
    access=order(IN_THE_ROOM, Scope.Talk),
    response_class=StreamingResponse,
    responses=_FILE,
)
def read_file(file_id: str, held: TheOrder, caller: TheCaller, parts: TheParts) -> StreamingResponse:
    """A file, as an attachment. It is checked against its hash before the first byte is sent."""
    file, content = rooms_of(parts).file(held.id, caller.known, file_id)
    headers = {**download_headers(file.name, file.media_type), "Content-Length": str(file.size)}
    return StreamingResponse(content, headers=headers)


@routes.get(
    "/v1/orders/{order_id}/room/transcript",
    access=order(IN_THE_ROOM, Scope.Talk),
    response_class=StreamingResponse,
    responses=_ARCHIVE,
    per_minute=EXPORTS_PER_MINUTE,
)
def export_transcript(held: TheOrder, caller: TheCaller, parts: TheParts) -> StreamingResponse:
    """The whole log, the dispute's papers and the files in one archive, which `kameng transcript verify` checks."""
    target: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when it was sent
    try:
        Transcripts(desk_of(parts)).export(held.id, caller.known, target)
        size = target.seek(0, 2)
        target.seek(0)
    except BaseException:
        target.close()
        raise
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="transcript-{held.id[2:10]}.zip"',
        "Content-Length": str(size),
    }
    return StreamingResponse(_chunks(target), headers=headers)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


# ---------------------------------------------------------------------------------------------------------- proposals


@routes.get("/v1/orders/{order_id}/proposals", access=order(IN_THE_ROOM, Scope.Talk))
def list_proposals(held: TheOrder, caller: TheCaller, parts: TheParts) -> ProposalsView:
    """The splits that were proposed, the newest first, and whether each can still be paid."""
    found = proposals_of(parts).list(held.id, caller.known)
    return ProposalsView(proposals=[proposal_view(one, parts) for one in found])


@routes.post("/v1/orders/{order_id}/proposals", access=order(PARTIES | MEDIATORS, Scope.Talk), status_code=201)
def propose_split(body: NewProposal, held: TheOrder, caller: TheCaller, parts: TheParts) -> ProposalView:
    """Proposes a split. It is bound to the order as it stands, and void once that changes."""
    made = proposals_of(parts).propose(held.id, caller.known, to_buyer=int(body.to_buyer), seconds=body.seconds)
    return proposal_view(made, parts)


@routes.get("/v1/orders/{order_id}/proposals/{proposal_id}", access=order(IN_THE_ROOM, Scope.Talk), responses=_MISSING)
def read_proposal(proposal_id: str, held: TheOrder, caller: TheCaller, parts: TheParts) -> ProposalView:
    """One of them, with the typed data that a party's wallet signs."""
    return proposal_view(proposals_of(parts).get(held.id, caller.known, proposal_id), parts)


@routes.post("/v1/orders/{order_id}/proposals/{proposal_id}/signature", access=order(PARTIES), responses=_MISSING)
def sign_proposal(
    proposal_id: str, body: SplitSignature, held: TheOrder, caller: TheCaller, parts: TheParts
) -> ProposalView:
    """Adds the caller's signature, once it is found to be its own. Nobody is given it before both are there."""
    signature = bytes.fromhex(body.signature[2:])
    return proposal_view(proposals_of(parts).sign(held.id, caller.known, proposal_id, signature), parts)


@routes.post(
    "/v1/orders/{order_id}/proposals/{proposal_id}/withdraw",
    access=order(PARTIES | MEDIATORS, Scope.Talk),
    responses=_MISSING,
)
def withdraw_proposal(proposal_id: str, held: TheOrder, caller: TheCaller, parts: TheParts) -> ProposalView:
    """Takes a proposal back, or turns it down. Once both have signed, only `revise` on the chain makes sure."""
    return proposal_view(proposals_of(parts).withdraw(held.id, caller.known, proposal_id), parts)


@routes.get(
    "/v1/orders/{order_id}/proposals/{proposal_id}/agreement", access=order(PARTIES, Scope.Talk), responses=_NOT_YET
)
def read_agreement(proposal_id: str, held: TheOrder, caller: TheCaller, parts: TheParts) -> AgreementView:
    """All that `agree` takes, once both have signed: either party sends it, or has it relayed."""
    found = proposals_of(parts).agreement(held.id, caller.known, proposal_id)
    return AgreementView(
        terms=TermsView.model_validate(terms_view(found.terms)),
        split=split_view(found.split),
        buyer_signature="0x" + found.buyer_signature.hex(),
        seller_signature="0x" + found.seller_signature.hex(),
    )


def _place(cursor: str | None) -> tuple[int, int] | None:
    if cursor is None:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidCursor(f"{cursor!r} is no cursor of a page: take the one that the page before gave.")
    return int(match[1]), int(match[2])
