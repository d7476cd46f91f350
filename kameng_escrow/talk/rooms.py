"""An order's room: what is said in it, what is shown, and how far each has read."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from kameng_escrow.domain.events import Logged
from kameng_escrow.domain.seats import Seat
from kameng_escrow.domain.spoken_text import clean_message, clean_name
from kameng_escrow.domain.transcript import Entry, EntryKind
from kameng_escrow.store.loading import load_order_events
from kameng_escrow.store.service import talk
from kameng_escrow.store.service.ids import is_id, new_id
from kameng_escrow.store.service.talk_rows import FileRow, RoomRow

from .desk import Desk, Present, add, attach, entered, file_document, follow, present, salt
from .errors import FileTooLarge, RoomFull, UnknownItem


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that was sent into a room."""

    id: str
    uploader: str
    seat: Seat
    name: str  # for people: one line, no path
    media_type: str  # by its content
    size: int  # bytes
    sha256: str  # of what is kept, 64 hex digits
    sent_sha256: str  # of what was sent
    width: int | None  # pixels, of pictures
    height: int | None
    uploaded_ms: int  # Unix milliseconds
    seq: int | None  # of the entry that shows it


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An entry with what belongs to it."""

    entry: Entry
    files: tuple[File, ...]
    event: Logged | None  # of a line: what happened; None also where the chain no longer has it
    retracted_by: int | None  # of a line: the entry that says so


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMark:
    """How far somebody has read."""

    account: str
    seq: int
    at_ms: int  # Unix milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A part of a room's log, and what stands for the whole."""

    order_id: str
    seats: tuple[Seat, ...]  # of whoever asked
    size: int  # entries in all
    head: str  # of the last: whoever keeps it can tell later whether anything up to it was touched
    entries: tuple[Shown, ...]
    marks: tuple[ReadMark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSummary:
    """A room in a list."""

    order_id: str
    size: int
    last_ms: int  # Unix milliseconds, of the last entry
    unread: int  # entries of others that the account has not read


class Rooms:
    """The rooms of one contract's orders. Every method raises `UnknownOrder`, `NotInRoom` or `Conflicted` where the
    account has no seat, and what `Store.reading` and `Store.writing` raise.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # -------------------------------------------------------------------------------------------------------- reading

    def read(
        self, order_id: str, account: str, *, after: int = -1, before: int | None = None, limit: int = 100
    ) -> Room:
        """A part of the room's log: the entries with numbers above `after`, at most `limit`; where `before` is given,
        the last ones with numbers below it.
        """
        follow(self._desk, order_id, account)
        with self._desk.store.reading() as session:
            who = present(self._desk, session, order_id, account)
            room = talk.room_of(session, self._desk.contract_id, order_id)
            assert room is not None  # `follow` has made it
            entries = talk.entries_of(session, room, after=after, before=before, limit=limit, newest=before is not None)
            marks = talk.read_marks(session, room)
            return Room(
                order_id=order_id,
                seats=who.seats,
                size=room.size,
                head=room.head,
                entries=self._shown(session, room, entries),
                marks=tuple(ReadMark(account=mark.account, seq=mark.seq, at_ms=mark.at_ms) for mark in marks.values()),
            )

    def rooms(
        self, account: str, *, before: tuple[int, int] | None = None, limit: int = 50
    ) -> tuple[list[RoomSummary], tuple[int, int] | None]:
        """The rooms of the account's own orders, those with the latest entries first; and where the next page begins,
        if there is one.
        """
        with self._desk.store.reading() as session:
            found = talk.rooms_of(session, self._desk.contract_id, account, before=before, limit=limit + 1)
            page = found[:limit]
            unread = talk.unread(session, page, account)
            rooms = [
                RoomSummary(order_id=row.order_id, size=row.size, last_ms=row.last_ms, unread=unread.get(row.id, 0))
                for row in page
            ]
            more = (page[-1].last_ms, page[-1].id) if len(found) > limit else None
        return rooms, more

    def _shown(self, session: Session, room: RoomRow, entries: Sequence[Entry]) -> tuple[Shown, ...]:
        files: dict[int, list[File]] = {}
        for row in talk.shown_files(session, room, [entry.seq for entry in entries]):
            files.setdefault(row.seq or 0, []).append(file_of(row))
        events: Mapping[tuple[str, int], Logged] = {}
        retracted: dict[int, int] = {}
        if any(entry.kind is EntryKind.Line for entry in entries):
            found = load_order_events(session, self._desk.contract_id, [room.order_id])
            events = {(logged.block_hash, logged.log_index): logged for logged in found}
            lines = talk.lines_of(session, room)
            retracted = {line.body["retracts"]: line.seq for line in lines if line.body and "retracts" in line.body}
        return tuple(
            Shown(
                entry=entry,
                files=tuple(files.get(entry.seq, ())),
                event=_event(entry, events),
                retracted_by=retracted.get(entry.seq),
            )
            for entry in entries
        )

    # --------------------------------------------------------------------------------------------------------- adding

    def say(self, order_id: str, account: str, text: str, *, files: Sequence[str] = ()) -> Entry:
        """Adds a message: text, files that the account has sent into this room before, or both.

        Raises:
            TextUnfit, TextLength: the text can't be taken, or there is neither text nor a file.
            UnknownItem: a file is not there, was shown before, or is another's.
            RoomFull: the account's seat has made as many entries as it may.
        """
        clean = clean_message(text, "text") if text.strip() or not files else ""
        with self._desk.store.writing() as session:
            who = present(self._desk, session, order_id, account)
            room = entered(self._desk, session, who)
            rows = attach(self._desk, session, room, who, tuple(files))
            body: dict[str, Any] = {"files": [file_document(row) for row in rows], "salt": salt(), "text": clean}
            entry = self._add(session, room, EntryKind.Message, body, who)
            for row in rows:
                row.seq = entry.seq
            talk.mark_read(session, room, account, entry.seq, entry.sent_ms)
        return entry

    def mark_read(self, order_id: str, account: str, seq: int) -> None:
        """Says that the account has read every entry up to `seq`. Marks never go back.

        Raises:
            UnknownItem: the log has not come that far.
        """
        with self._desk.store.writing() as session:
            present(self._desk, session, order_id, account)
            room = talk.room_of(session, self._desk.contract_id, order_id)
            if room is None or not 0 <= seq < room.size:
                raise UnknownItem("entry", "条目", str(seq))
            talk.mark_read(session, room, account, seq, self._desk.now_ms())
            self._desk.announce(session)

    def _add(self, session: Session, room: RoomRow, kind: EntryKind, body: dict[str, Any], who: Present) -> Entry:
        return add(self._desk, session, room, kind, body, author=who.account, seat=who.seat.value)

    # ---------------------------------------------------------------------------------------------------------- files

    def send_file(self, order_id: str, account: str, *, name: str, content: bytes) -> File:
        """Sends a file into the room. Nobody else sees it until an entry shows it; one that none has shown within a day
        is forgotten.

        Raises:
            FileRefused, FileTooLarge: see `files.clean_file`.
            RoomFull: the files of the account's seat would take more than its share of the room.
            StoreFull: there is no room for more files at all.
        """
        from .files import clean_file  # which needs libraries that only the service has

        limits = self._desk.limits
        with self._desk.store.reading() as session:
            who = present(self._desk, session, order_id, account)
            room = talk.room_of(session, self._desk.contract_id, order_id)
            if room is not None:
                self._require_space(session, room, who.seat, 1)  # before the work of looking at it
        if len(content) > limits.file_bytes:
            raise FileTooLarge(len(content), limits.file_bytes)
        clean = clean_file(content, max_bytes=limits.file_bytes)
        blob = self._desk.blobs.put(clean.content)
        with self._desk.store.writing() as session:
            who = present(self._desk, session, order_id, account)
            locked = entered(self._desk, session, who)
            self._require_space(session, locked, who.seat, blob.size)
            locked.file_bytes += blob.size
            row = FileRow(
                id=new_id("fil"),
                room_id=locked.id,
                uploader=account,
                seat=who.seat.value,
                sha256=blob.sha256,
                sent_sha256=hashlib.sha256(content).hexdigest(),
                size=blob.size,
                media_type=clean.media_type,
                name=clean_name(name),
                width=clean.width,
                height=clean.height,
                uploaded_ms=self._desk.now_ms(),
            )
            session.add(row)
            session.flush()
            return file_of(row)

    def _require_space(self, session: Session, room: RoomRow, seat: Seat, size: int) -> None:
        most = self._desk.limits.bytes_of(seat)
        if talk.file_bytes_by(session, room, seat) + size > most:
            raise RoomFull(most, "bytes in files of one seat", "本席位的文件字节")

    def file(self, order_id: str, account: str, file_id: str) -> tuple[File, Iterator[bytes]]:
        """A file and its bytes, which are checked before the first is given out.

        Raises:
            UnknownItem: the room has no such file, or it is another's that was not shown yet.
            BlobMissing, BlobDamaged: see `BlobStore.stream`.
        """
        with self._desk.store.reading() as session:
            present(self._desk, session, order_id, account)
            room = talk.room_of(session, self._desk.contract_id, order_id)
            row = None
            if room is not None and is_id(file_id, "fil"):
                row = talk.files_of(session, room, [file_id]).get(file_id)
            if row is None or (row.seq is None and row.uploader != account):
                raise UnknownItem("file", "文件", file_id)
            found = file_of(row)
        return found, self._desk.blobs.stream(found.sha256)


def file_of(row: FileRow) -> File:
    """The file of a row."""
    return File(
        id=row.id,
        uploader=row.uploader,
        seat=Seat(row.seat),
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        sent_sha256=row.sent_sha256,
        width=row.width,
        height=row.height,
        uploaded_ms=row.uploaded_ms,
        seq=row.seq,
    )


def _event(entry: Entry, events: Mapping[tuple[str, int], Logged]) -> Logged | None:
    if entry.kind is not EntryKind.Line or entry.body is None:
        return None
    return events.get((entry.body["block_hash"], entry.body["log_index"]))
