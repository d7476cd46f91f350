"""The tables of the rooms in which people talk about orders.

A room's log (`domain.transcript`) is only added to. What an entry says is in `body` and may be erased; its header's
hashes stay. What happened on the chain is not copied here: an entry of kind "line" says where the chain has the event,
which is looked up when the room is read.
"""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kameng_escrow.domain.seats import Seat
from kameng_escrow.domain.states import State
from kameng_escrow.domain.transcript import EntryKind

from ..models import ORDER_DIGITS, Base
from ..types import Address, Amount, Hash, Json, Label, labels, one_of
from .ids import LENGTH

SHA256 = String(64)
NAME_LENGTH = 120  # of a file, code points


class RoomRow(Base):
    """An order's room. It is made when somebody first says something in it, or looks into it after an event."""

    __tablename__ = "talk_rooms"
    __table_args__ = (UniqueConstraint("contract_id", "order_id"), Index(None, "contract_id", "last_ms"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    order_id: Mapped[str] = mapped_column(Hash())
    size: Mapped[int]  # entries of the log
    head: Mapped[str] = mapped_column(Hash())  # of the last one
    last_ms: Mapped[int] = mapped_column(BigInteger)  # Unix milliseconds of our clock, of the last one
    file_bytes: Mapped[int] = mapped_column(BigInteger)  # of all files together
    # The order's last event that has a line here; NULL together: none has.
    event_block: Mapped[int | None] = mapped_column(BigInteger)
    event_log_index: Mapped[int | None]
    event_block_hash: Mapped[str | None] = mapped_column(Hash())


class EntryRow(Base):
    """An entry of a room's log."""

    __tablename__ = "talk_entries"
    __table_args__ = (CheckConstraint(one_of("kind", [kind.value for kind in EntryKind]), "kind"),)

    room_id: Mapped[int] = mapped_column(ForeignKey("talk_rooms.id"), primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # from 0
    kind: Mapped[str] = mapped_column(String(16))
    author: Mapped[str] = mapped_column(Address())  # empty: the chain's or the service's
    seat: Mapped[str] = mapped_column(String(16))  # likewise
    sent_ms: Mapped[int] = mapped_column(BigInteger)  # Unix milliseconds of our clock
    content: Mapped[str] = mapped_column(Hash())  # of the body
    prev: Mapped[str] = mapped_column(Hash())  # head of the entry before
    head: Mapped[str] = mapped_column(Hash())
    body: Mapped[dict[str, Any] | None] = mapped_column(Json())  # NULL: erased


class FileRow(Base):
    """A file that was sent into a room. Its bytes are in the folder of files; nobody finds it but by its room."""

    __tablename__ = "talk_files"
    __table_args__ = (
        CheckConstraint(one_of("seat", [seat.value for seat in Seat]), "seat"),
        Index(None, "room_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("talk_rooms.id"))
    uploader: Mapped[str] = mapped_column(Address())
    seat: Mapped[str] = mapped_column(String(16))
    sha256: Mapped[str] = mapped_column(SHA256, index=True)  # of what is kept
    sent_sha256: Mapped[str] = mapped_column(SHA256)  # of what was sent: its sender can tell it again
    size: Mapped[int] = mapped_column(BigInteger)  # bytes that are kept
    media_type: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    width: Mapped[int | None]  # pixels, of pictures
    height: Mapped[int | None]
    uploaded_ms: Mapped[int] = mapped_column(BigInteger)  # Unix milliseconds of our clock
    seq: Mapped[int | None]  # of the entry that shows it; NULL: none does yet, and only the uploader sees it
    paper: Mapped[str | None] = mapped_column(Hash())  # that names it, and will show it once the chain has the paper


class ReadMarkRow(Base):
    """How far somebody has read in a room."""

    __tablename__ = "talk_reads"

    room_id: Mapped[int] = mapped_column(ForeignKey("talk_rooms.id"), primary_key=True, autoincrement=False)
    account: Mapped[str] = mapped_column(Address(), primary_key=True)
    seq: Mapped[int]  # every entry up to it
    at_ms: Mapped[int] = mapped_column(BigInteger)  # Unix milliseconds of our clock


class ProposalRow(Base):
    """A split that somebody proposed. Whether it still holds is not kept: the order says so."""

    __tablename__ = "talk_proposals"
    __table_args__ = (
        CheckConstraint(one_of("state", labels(State)), "state"),
        Index(None, "room_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("talk_rooms.id"))
    seq: Mapped[int]  # of the entry that tells of it
    proposer: Mapped[str] = mapped_column(Address())
    state: Mapped[State] = mapped_column(Label(State))
    disputed_units: Mapped[int]
    revision: Mapped[int]
    to_buyer: Mapped[int] = mapped_column(Amount(ORDER_DIGITS))  # base units
    expiry: Mapped[int] = mapped_column(BigInteger)  # Unix seconds
    buyer_signature: Mapped[bytes | None] = mapped_column(LargeBinary)
    seller_signature: Mapped[bytes | None] = mapped_column(LargeBinary)
    withdrawn_by: Mapped[str | None] = mapped_column(Address())
