"""What the rooms of one contract's orders rest on: where things are kept, and who is asking."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from kameng_escrow.domain.events import OrderDisputed
from kameng_escrow.domain.order import Order, OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.seats import Conflict, Seat, seats_of
from kameng_escrow.domain.transcript import Entry, EntryKind
from kameng_escrow.domain.typed_data import Domain
from kameng_escrow.store import BlobStore, Store, UnknownOrder
from kameng_escrow.store.bell import ring
from kameng_escrow.store.loading import load_order_events
from kameng_escrow.store.service import disputes, talk
from kameng_escrow.store.service.dispute_rows import EVIDENCE
from kameng_escrow.store.service.ids import is_id
from kameng_escrow.store.service.talk_rows import FileRow, RoomRow

from .errors import Conflicted, NotInRoom, RoomFull, UnknownItem


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLimits:
    """How much a room takes. Every seat has its own share of bytes and entries, so that nobody can talk a room full and
    keep another from filing evidence.
    """

    file_bytes: int = 20 * 1024 * 1024  # of one file
    room_bytes: int = 200 * 1024 * 1024  # of all files of a room
    entries: int = 10_000  # of people in a room's log; the chain's own lines don't count
    files_per_entry: int = 10

    def bytes_of(self, seat: Seat) -> int:
        """How many bytes the files of one seat may have together."""
        return self.room_bytes * _share(seat) // 100

    def entries_of(self, seat: Seat) -> int:
        """How many entries one seat may make."""
        return self.entries * _share(seat) // 100


def _share(seat: Seat) -> int:
    """In percent; of all seats together 100."""
    return 35 if seat.is_party else 10


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One contract's rooms: what every part of `talk` is given."""

    store: Store
    contract_id: int  # within the store
    domain: Domain
    blobs: BlobStore
    limits: RoomLimits = field(default_factory=RoomLimits)
    now_ms: Callable[[], int] = _now_ms  # Unix milliseconds of our clock
    # Called in the transaction that adds to a room, for those who wait for news of it.
    announce: Callable[[Session], None] = ring

    def chain_now(self, seen_at: int) -> int:
        """The second that the chain's next block is likely to have: its last one's, or our clock's where that is later,
        since a chain without transactions may stand still. Unix seconds.
        """
        return max(seen_at, self.now_ms() // 1_000)


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody in an order's room."""

    account: str
    seats: tuple[Seat, ...]  # the one that it speaks from first; never empty
    standing: talk.Standing
    now: int  # Unix seconds that the chain's next block is likely to have

    @property
    def seat(self) -> Seat:
        """The seat that it speaks from."""
        return self.seats[0]

    @property
    def order(self) -> Order:
        return self.standing.order

    @property
    def terms(self) -> OrderTerms:
        assert self.order.terms is not None  # nobody has a seat without
        return self.order.terms

    @property
    def policy(self) -> Policy:
        assert self.order.policy is not None  # likewise
        return self.order.policy


def present(desk: Desk, session: Session, order_id: str, account: str) -> Present:
    """The account in the order's room.

    Raises:
        UnknownOrder: the mirror has no such order.
        NotInRoom: the account has no seat there.
        Conflicted: it has one as a mediator only, and a conflict of interest.
    """
    standing = talk.order_in(session, desk.contract_id, order_id)
    if standing is None:
        raise UnknownOrder(
            f"The store has no order {order_id}: check the id, or try again once its opening is mirrored.",
            order_id=order_id,
        )
    seats = seats_of(standing.order, account)
    if any(seat.mediates for seat in seats) and (conflict := conflict_of(desk, session, standing.order, account)):
        seats = tuple(seat for seat in seats if not seat.mediates)
        if not seats:
            raise Conflicted(account, conflict)
    if not seats:
        raise NotInRoom(order_id, account)
    return Present(account, seats, standing, desk.chain_now(standing.seen_at))


def conflict_of(desk: Desk, session: Session, order: Order, mediator: str) -> Conflict | None:
    """Why the mediator may not judge the order; None: it may."""
    return disputes.conflict_in(session, desk.contract_id, order, mediator)


def entered(desk: Desk, session: Session, who: Present) -> RoomRow:
    """The room, locked for adding to it, with all the chain's lines in it."""
    room = talk.locked_room(session, desk.contract_id, who.order.id)
    follow_chain(desk, session, room, who.standing)
    return room


def follow(desk: Desk, order_id: str, account: str) -> None:
    """Brings the chain's lines into the room, where somebody who may look finds them missing."""
    with desk.store.reading() as session:
        who = present(desk, session, order_id, account)
        if is_current(talk.room_of(session, desk.contract_id, order_id), who.standing):
            return
    with desk.store.writing() as session:
        entered(desk, session, present(desk, session, order_id, account))


def is_current(room: RoomRow | None, standing: talk.Standing) -> bool:
    """Whether the room has all the chain's lines."""
    last = (standing.last_block, standing.last_log_index, standing.last_block_hash)
    return room is not None and (room.event_block, room.event_log_index, room.event_block_hash) == last


def follow_chain(desk: Desk, session: Session, room: RoomRow, standing: talk.Standing) -> None:
    """Adds a line for every event of the order that has none, and a retraction for every line whose event the chain
    no longer has. A line names the event's block by its hash, so that one that came back is another line.

    This is done whenever somebody looks into the room or adds to it. Between two events that nobody looked at nothing
    was said, so that every line stands where it belongs.
    """
    if is_current(room, standing):
        return
    lines: dict[tuple[str, int], int] = {}  # of events that stand, by their place
    for entry in talk.lines_of(session, room):
        body = entry.body or {}
        if entry.kind is EntryKind.Line:
            lines[body["block_hash"], body["log_index"]] = entry.seq
        else:
            lines = {place: seq for place, seq in lines.items() if seq != body["retracts"]}
    events = {
        (logged.block_hash, logged.log_index): logged
        for logged in load_order_events(session, desk.contract_id, [room.order_id])
    }
    for place in [place for place in reversed(lines) if place not in events]:
        add(desk, session, room, EntryKind.Retraction, {"retracts": lines[place]})
    for place, logged in events.items():
        if place in lines:
            continue
        body = {
            "event": type(logged.event).__name__,
            "block_hash": logged.block_hash,
            "block_number": logged.block_number,
            "log_index": logged.log_index,
            "timestamp": logged.timestamp,
            "transaction_hash": logged.transaction_hash,
        }
        add(desk, session, room, EntryKind.Line, body)
        if isinstance(logged.event, OrderDisputed):
            _file_paper(desk, session, room, logged.event.evidence)
    room.event_block, room.event_log_index = standing.last_block, standing.last_log_index
    room.event_block_hash = standing.last_block_hash


def _file_paper(desk: Desk, session: Session, room: RoomRow, digest: str) -> None:
    """Files the buyer's paper, now that the chain carries its hash and everybody may read it."""
    paper = disputes.paper_of(session, desk.contract_id, room.order_id, EVIDENCE, digest)
    if paper is None or paper.seq is not None or paper.document is None:
        return
    files = [row for row in talk.files_named(session, room, digest) if row.seq is None]
    body = {
        "files": [file_document(row) for row in files],
        "paper": digest,
        "salt": salt(),
        "text": paper.document["statement"],
    }
    entry = add(desk, session, room, EntryKind.Evidence, body, author=paper.author, seat=Seat.Buyer.value, always=True)
    paper.seq = entry.seq
    for row in files:
        row.seq = entry.seq


def add(
    desk: Desk,
    session: Session,
    room: RoomRow,
    kind: EntryKind,
    body: dict[str, Any],
    *,
    author: str = "",
    seat: str = "",
    always: bool = False,
) -> Entry:
    """Adds an entry to a locked room, and says so to those who wait for it. `always`: also where the share of the
    author's seat is used up.

    Raises:
        RoomFull: somebody's entry, where that seat has made as many as it may.
    """
    if author and not always:
        most = desk.limits.entries_of(Seat(seat))
        if room.size >= most and talk.entries_by(session, room, seat) >= most:  # counted only where it can be so
            raise RoomFull(most, "entries of one seat", "本席位的消息")
    entry = talk.append(session, room, kind, body, author=author, seat=seat, now_ms=desk.now_ms())
    desk.announce(session)
    return entry


def attach(desk: Desk, session: Session, room: RoomRow, who: Present, ids: tuple[str, ...]) -> list[FileRow]:
    """The files that somebody is about to show: sent into this room by the same account, and shown to nobody yet.

    Raises:
        UnknownItem: one is not.
        RoomFull: they are too many for one entry.
    """
    if len(ids) > desk.limits.files_per_entry:
        raise RoomFull(desk.limits.files_per_entry, "files for one entry", "单条消息的文件")
    rows = talk.files_of(session, room, [name for name in ids if is_id(name, "fil")])
    for name in ids:
        row = rows.get(name)
        if row is None or row.uploader != who.account or row.seq is not None or row.paper is not None:
            raise UnknownItem("file that you sent and have not shown", "由你上传且尚未发出的文件", name)
    return [rows[name] for name in dict.fromkeys(ids)]


def file_document(row: FileRow) -> dict[str, Any]:
    """A file as an entry's body names it."""
    return {"name": row.name, "sha256": row.sha256, "size": row.size, "type": row.media_type}


def salt() -> str:
    """32 random bytes."""
    return "0x" + secrets.token_hex(32)
