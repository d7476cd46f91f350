"""What is asked of the rooms, and what is written into them.

Everything here takes a session and leaves committing to whoever opened it. Whether somebody may is not asked here:
`kameng_escrow.talk` does.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, null, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.transcript import Entry, EntryKind, next_entry, start_of

from ..engine import POSTGRESQL
from ..loading import load_policies
from ..models import BlockRow, CheckpointRow, OrderRow, PolicyRow
from ..order_rows import restore_order
from ..unless_there import insert_unless_there
from .talk_rows import EntryRow, FileRow, ProposalRow, ReadMarkRow, RoomRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomNews:
    """That something was added to a room, and whom it concerns."""

    order_id: str
    size: int  # entries
    head: str
    last_ms: int  # Unix milliseconds, of the last entry
    accounts: frozenset[str]  # buyer, seller, platform; its mediators too, in a dispute


@dataclass(frozen=True, slots=True)
class Standing:
    """An order as the mirror has it, and how far the mirror is."""

    order: Order
    last_block: int  # of its last event, with the log's index in the block and the block's hash
    last_log_index: int
    last_block_hash: str
    seen_at: int  # Unix seconds: the chain's time as far as the rows know it


def order_in(session: Session, contract_id: int, order_id: str) -> Standing | None:
    """The order; None where the mirror has none under that id, or only a raised revision."""
    of_block = (BlockRow.contract_id == OrderRow.contract_id) & (BlockRow.number == OrderRow.last_block)
    found = session.execute(
        select(OrderRow, BlockRow.hash, CheckpointRow.seen_at)
        .join(BlockRow, of_block)
        .join(CheckpointRow, CheckpointRow.contract_id == OrderRow.contract_id)
        .where(OrderRow.contract_id == contract_id, OrderRow.order_id == order_id, OrderRow.buyer.is_not(None))
    ).first()
    if found is None:
        return None
    row, block_hash, seen_at = found
    order = restore_order(row, load_policies(session, contract_id, [row.policy_id or ""]))
    return Standing(order, row.last_block, row.last_log_index, block_hash, seen_at)


# -------------------------------------------------------------------------------------------------------------- rooms


def room_of(session: Session, contract_id: int, order_id: str) -> RoomRow | None:
    """The order's room; None: nobody has said anything yet."""
    return session.scalar(select(RoomRow).filter_by(contract_id=contract_id, order_id=order_id))


def locked_room(session: Session, contract_id: int, order_id: str) -> RoomRow:
    """The order's room, made if need be; nobody else adds to it until the transaction ends."""
    query = select(RoomRow).filter_by(contract_id=contract_id, order_id=order_id)
    query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:  # and somebody else may be making it at this moment
        new = {"size": 0, "head": start_of(order_id), "last_ms": 0, "file_bytes": 0}
        insert_unless_there(session, RoomRow, contract_id=contract_id, order_id=order_id, **new)
        found = session.scalars(query).one()
    return found


def append(
    session: Session, room: RoomRow, kind: EntryKind, body: dict[str, Any], *, author: str, seat: str, now_ms: int
) -> Entry:
    """Adds an entry to a locked room's log."""
    entry = next_entry(
        room.head,
        order_id=room.order_id,
        seq=room.size,
        kind=kind,
        author=author,
        seat=seat,
        sent_ms=max(now_ms, room.last_ms),  # clocks may be put back, logs not
        body=body,
    )
    session.add(
        EntryRow(
            room_id=room.id,
            seq=entry.seq,
            kind=kind.value,
            author=author,
            seat=seat,
            sent_ms=entry.sent_ms,
            content=entry.content,
            prev=entry.prev,
            head=entry.head,
            body=body,
        )
    )
    room.size, room.head, room.last_ms = entry.seq + 1, entry.head, entry.sent_ms
    return entry


def entries_of(
    session: Session,
    room: RoomRow,
    *,
    after: int = -1,
    before: int | None = None,
    limit: int | None = None,
    newest: bool = False,
) -> list[Entry]:
    """Entries of the log in their order, with numbers above `after` and below `before`; of more than `limit` the
    first, or the last where `newest`.
    """
    query = select(EntryRow).where(EntryRow.room_id == room.id, EntryRow.seq > after)
    if before is not None:
        query = query.where(EntryRow.seq < before)
    query = query.order_by(EntryRow.seq.desc() if newest else EntryRow.seq).limit(limit)
    found = [_entry(room.order_id, row) for row in session.scalars(query)]
    return found[::-1] if newest else found


def entries_by(session: Session, room: RoomRow, seat: str) -> int:
    """How many entries of the log were made from that seat."""
    return session.scalar(select(func.count()).where(EntryRow.room_id == room.id, EntryRow.seat == seat)) or 0


def lines_of(session: Session, room: RoomRow) -> list[Entry]:
    """The log's lines and retractions, in their order."""
    kinds = (EntryKind.Line.value, EntryKind.Retraction.value)
    query = select(EntryRow).where(EntryRow.room_id == room.id, EntryRow.kind.in_(kinds)).order_by(EntryRow.seq)
    return [_entry(room.order_id, row) for row in session.scalars(query)]


def heads_of(session: Session, room: RoomRow) -> list[str]:
    """The heads of all entries, in their order."""
    return list(session.scalars(select(EntryRow.head).where(EntryRow.room_id == room.id).order_by(EntryRow.seq)))


def _entry(order_id: str, row: EntryRow) -> Entry:
    return Entry(
        order_id=order_id,
        seq=row.seq,
        kind=EntryKind(row.kind),
        author=row.author,
        seat=row.seat,
        sent_ms=row.sent_ms,
        content=row.content,
        prev=row.prev,
        body=row.body,
    )


def erase(session: Session, room: RoomRow, seqs: Collection[int], *, now_ms: int) -> Entry | None:
    """Takes away what these entries of a locked room say, with their files, and adds the entry that says so. Lines and
    what tells of erasures stay, since they are about nobody. None: there was nothing to erase.
    """
    kinds = [kind.value for kind in (EntryKind.Message, EntryKind.Evidence)]
    of_room = EntryRow.room_id == room.id
    standing = (of_room, EntryRow.seq.in_(seqs), EntryRow.kind.in_(kinds), EntryRow.body.is_not(None))
    gone = list(session.scalars(select(EntryRow.seq).where(*standing).order_by(EntryRow.seq)))
    if not gone:
        return None
    session.execute(update(EntryRow).where(of_room, EntryRow.seq.in_(gone)).values(body=null()))
    for file in session.scalars(select(FileRow).where(FileRow.room_id == room.id, FileRow.seq.in_(gone))):
        room.file_bytes -= file.size
        session.delete(file)
    return append(session, room, EntryKind.Erasure, {"erases": gone}, author="", seat="", now_ms=now_ms)


def news_since(session: Session, contract_id: int, since_ms: int, *, limit: int = 10_000) -> list[RoomNews]:
    """The rooms whose last entry is not older than that Unix millisecond, the latest first."""
    of_order = (OrderRow.contract_id == RoomRow.contract_id) & (OrderRow.order_id == RoomRow.order_id)
    of_policy = (PolicyRow.contract_id == OrderRow.contract_id) & (PolicyRow.policy_id == OrderRow.policy_id)
    query = (
        select(RoomRow, OrderRow.buyer, OrderRow.seller, OrderRow.disputed_at, PolicyRow)
        .join(OrderRow, of_order)
        .join(PolicyRow, of_policy)
        .where(RoomRow.contract_id == contract_id, RoomRow.last_ms >= since_ms)
        .order_by(RoomRow.last_ms.desc(), RoomRow.id.desc())
        .limit(limit)
    )
    found = []
    for room, buyer, seller, disputed_at, policy in session.execute(query):
        mediators = () if disputed_at is None else (policy.mediator, policy.backup_mediator)
        accounts = frozenset({buyer, seller, policy.platform, *mediators} - {None, ZERO_ADDRESS})
        news = RoomNews(order_id=room.order_id, size=room.size, head=room.head, last_ms=room.last_ms, accounts=accounts)
        found.append(news)
    return found


# -------------------------------------------------------------------------------------------------------------- files


def files_of(session: Session, room: RoomRow, ids: Collection[str]) -> dict[str, FileRow]:
    """Those of the room's files that have these ids."""
    found = session.scalars(select(FileRow).where(FileRow.room_id == room.id, FileRow.id.in_(ids)))
    return {row.id: row for row in found}


def shown_files(session: Session, room: RoomRow, seqs: Collection[int] | None = None) -> list[FileRow]:
    """The files that these entries show, or all; in the order in which they were sent."""
    query = select(FileRow).where(FileRow.room_id == room.id, FileRow.seq.is_not(None)).order_by(FileRow.id)
    return list(session.scalars(query if seqs is None else query.where(FileRow.seq.in_(seqs))))


def files_named(session: Session, room: RoomRow, paper: str) -> list[FileRow]:
    """The files that a paper names, in the order in which they were sent."""
    return list(session.scalars(select(FileRow).filter_by(room_id=room.id, paper=paper).order_by(FileRow.id)))


def file_bytes_by(session: Session, room: RoomRow, seat: str) -> int:
    """How many bytes the files have together that were sent from that seat, shown or not."""
    total = select(func.sum(FileRow.size)).where(FileRow.room_id == room.id, FileRow.seat == seat)
    return int(session.scalar(total) or 0)


def named_blobs(session: Session, names: Collection[str]) -> set[str]:
    """Those of the blobs that a room's file is."""
    return set(session.scalars(select(FileRow.sha256).where(FileRow.sha256.in_(names))))


def drop_pending(session: Session, before_ms: int) -> int:
    """Forgets files that were sent before that Unix millisecond, and that no entry shows or paper names; how many."""
    pending = (FileRow.seq.is_(None), FileRow.paper.is_(None), FileRow.uploaded_ms < before_ms)
    rows = session.scalars(select(FileRow).where(*pending)).all()
    for row in rows:
        room = session.get_one(RoomRow, row.room_id, with_for_update=True)
        room.file_bytes -= row.size
        session.delete(row)
    return len(rows)


# --------------------------------------------------------------------------------------------------------- read marks


def mark_read(session: Session, room: RoomRow, account: str, seq: int, now_ms: int) -> None:
    """Moves somebody's mark forward; never back."""
    insert = postgresql.insert if session.get_bind().dialect.name == POSTGRESQL else sqlite.insert
    new = insert(ReadMarkRow).values(room_id=room.id, account=account, seq=seq, at_ms=now_ms)
    session.execute(
        new.on_conflict_do_update(
            index_elements=["room_id", "account"],
            set_={"seq": new.excluded.seq, "at_ms": new.excluded.at_ms},
            where=ReadMarkRow.seq < new.excluded.seq,
        )
    )


def read_marks(session: Session, room: RoomRow) -> dict[str, ReadMarkRow]:
    """How far each has read, by account."""
    return {row.account: row for row in session.scalars(select(ReadMarkRow).filter_by(room_id=room.id))}


def unread(session: Session, rooms: Sequence[RoomRow], account: str) -> Mapping[int, int]:
    """How many entries of others each room has that the account has not read, by room."""
    mark = (ReadMarkRow.room_id == EntryRow.room_id) & (ReadMarkRow.account == account)
    query = (
        select(EntryRow.room_id, func.count())
        .outerjoin(ReadMarkRow, mark)
        .where(
            EntryRow.room_id.in_([room.id for room in rooms]),
            EntryRow.author != account,
            EntryRow.seq > func.coalesce(ReadMarkRow.seq, -1),
        )
        .group_by(EntryRow.room_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def rooms_of(
    session: Session, contract_id: int, account: str, *, before: tuple[int, int] | None, limit: int
) -> list[RoomRow]:
    """The rooms of orders of which the account is buyer or seller, the ones with the latest entry first. `before`: last
    entry's time and id of the last room of the page before.
    """
    of_order = (OrderRow.contract_id == RoomRow.contract_id) & (OrderRow.order_id == RoomRow.order_id)
    latest = tuple_(RoomRow.last_ms, RoomRow.id)
    query = (
        select(RoomRow)
        .join(OrderRow, of_order)
        .where(RoomRow.contract_id == contract_id, (OrderRow.buyer == account) | (OrderRow.seller == account))
        .order_by(RoomRow.last_ms.desc(), RoomRow.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query if before is None else query.where(latest < before)))


# ---------------------------------------------------------------------------------------------------------- proposals


def proposals_of(session: Session, room: RoomRow) -> list[ProposalRow]:
    """The room's proposals, newest first."""
    query = select(ProposalRow).where(ProposalRow.room_id == room.id).order_by(ProposalRow.id.desc())
    return list(session.scalars(query))


def proposal_in(session: Session, room: RoomRow, proposal_id: str) -> ProposalRow | None:
    """One of the room's proposals; nobody else changes it until a writing transaction ends."""
    return session.scalar(select(ProposalRow).where(ProposalRow.room_id == room.id, ProposalRow.id == proposal_id))
