"""Alarms about platforms' orders, what the detectors remember, and what they learn from.

An alarm belongs to the platform whose orders it is about, and is shown to nobody else. The detectors' memory is written
together with the alarms and with how far the chain was read, so that nothing is learned twice, or never. Times are Unix
seconds of the chain.
"""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, and_, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..errors import InvalidCursor
from ..models import Base, CheckpointRow
from ..types import Address, Hash, Json
from ..values import Position

LARGEST_PAGE = 200
_WORD = String(16)


class AnomalyRow(Base):
    """An alarm, as it stands."""

    __tablename__ = "anomalies"
    __table_args__ = (Index(None, "contract_id", "platform", "raised_at", "id"),)

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    platform: Mapped[str] = mapped_column(Address(), primary_key=True)
    id: Mapped[str] = mapped_column(String(31), primary_key=True)
    kind: Mapped[str] = mapped_column(_WORD)
    role: Mapped[str] = mapped_column(_WORD)  # of the subject
    who: Mapped[str] = mapped_column(Hash())  # an account, a category, or the policy that stands for one
    about: Mapped[str] = mapped_column(Hash())
    severity: Mapped[str] = mapped_column(_WORD)
    since: Mapped[int] = mapped_column(BigInteger)
    raised_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
    findings: Mapped[int]
    with_whom: Mapped[list[str]] = mapped_column(Json())
    orders: Mapped[list[str]] = mapped_column(Json())
    numbers: Mapped[dict[str, Any]] = mapped_column(Json())
    sentence_en: Mapped[str] = mapped_column(Text())
    sentence_zh: Mapped[str] = mapped_column(Text())


class WatchRow(Base):
    """What a platform's detectors remember."""

    __tablename__ = "anomaly_watches"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    platform: Mapped[str] = mapped_column(Address(), primary_key=True)
    state: Mapped[bytes] = mapped_column(LargeBinary())  # JSON, deflated: its order matters, which JSONB does not keep
    updated_at: Mapped[int] = mapped_column(BigInteger)


class AnomalyCursorRow(Base):
    """The last event that the detectors have learned from."""

    __tablename__ = "anomaly_cursors"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    block_number: Mapped[int] = mapped_column(BigInteger)
    log_index: Mapped[int]


@dataclass(frozen=True, slots=True)
class AnomalyPage:
    """A part of a list. `cursor` asks for the next one; None: this was the last."""

    anomalies: Sequence[AnomalyRow]
    cursor: str | None


def anomalies(
    session: Session,
    contract_id: int,
    platform: str,
    *,
    kinds: Collection[str] = (),
    severities: Collection[str] = (),
    who: str | None = None,
    updated_since: int | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> AnomalyPage:
    """A platform's alarms, those raised last first.

    Args:
        kinds, severities: only these; none: all.
        who: only with this subject.
        updated_since: only those with a finding at or after this Unix second.

    Raises:
        InvalidCursor: no page gave it out.
        ValueError: the limit is out of range.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"a page has 1 to {LARGEST_PAGE} alarms, not {limit}")
    query = select(AnomalyRow).filter_by(contract_id=contract_id, platform=platform)
    if kinds:
        query = query.where(AnomalyRow.kind.in_(sorted(kinds)))
    if severities:
        query = query.where(AnomalyRow.severity.in_(sorted(severities)))
    if who is not None:
        query = query.where(AnomalyRow.who == who)
    if updated_since is not None:
        query = query.where(AnomalyRow.updated_at >= updated_since)
    if cursor is not None:
        raised_at, name = _parse_cursor(cursor)
        earlier = and_(AnomalyRow.raised_at == raised_at, AnomalyRow.id < name)
        query = query.where(or_(AnomalyRow.raised_at < raised_at, earlier))
    rows = session.scalars(query.order_by(AnomalyRow.raised_at.desc(), AnomalyRow.id.desc()).limit(limit + 1)).all()
    page = rows[:limit]
    return AnomalyPage(page, f"{page[-1].raised_at}-{page[-1].id}" if len(rows) > limit else None)


def anomaly(session: Session, contract_id: int, platform: str, name: str) -> AnomalyRow | None:
    """One alarm of a platform's."""
    return session.get(AnomalyRow, (contract_id, platform, name))


def keep_anomalies(session: Session, contract_id: int, platform: str, alarms: Iterable[Mapping[str, Any]]) -> None:
    """Writes alarms down as they stand, by their ids: each has the columns but for contract and platform."""
    for alarm in alarms:
        session.merge(AnomalyRow(contract_id=contract_id, platform=platform, **alarm))


def read_watch(session: Session, contract_id: int, platform: str) -> bytes | None:
    """What a platform's detectors remember; None: nothing yet."""
    row = session.get(WatchRow, (contract_id, platform))
    return None if row is None else zlib.decompress(row.state)


def keep_watch(session: Session, contract_id: int, platform: str, state: bytes, at: int) -> None:
    """Writes down what a platform's detectors remember, as of a chain's second."""
    deflated = zlib.compress(state, level=1)
    session.merge(WatchRow(contract_id=contract_id, platform=platform, state=deflated, updated_at=at))


def read_cursor(session: Session, contract_id: int, *, lock: bool = False) -> Position:
    """The last event that was learned from; before the first one: a place before all. `lock`: until the transaction
    ends nobody else moves it.
    """
    row = session.get(AnomalyCursorRow, contract_id, with_for_update=lock or None)
    return (
        Position(block_number=-1, log_index=-1)
        if row is None
        else Position(block_number=row.block_number, log_index=row.log_index)
    )


def keep_cursor(session: Session, contract_id: int, position: Position) -> None:
    """Writes down how far was learned."""
    row = AnomalyCursorRow(contract_id=contract_id, block_number=position.block_number, log_index=position.log_index)
    session.merge(row)


def final_block(session: Session, contract_id: int) -> int:
    """The last block that is not expected to change any more."""
    return session.scalar(select(CheckpointRow.final_number).filter_by(contract_id=contract_id)) or 0


def forget_watches(session: Session, contract_id: int) -> None:
    """Has the detectors begin anew, from the first event; alarms stay, and are written again as they were."""
    session.execute(delete(WatchRow).where(WatchRow.contract_id == contract_id))
    session.execute(delete(AnomalyCursorRow).where(AnomalyCursorRow.contract_id == contract_id))


def _parse_cursor(cursor: str) -> tuple[int, str]:
    at, _, name = cursor.partition("-")
    if not (at.isascii() and at.isdigit() and len(at) < 16 and name.startswith("alm_") and len(name) <= 31):
        raise InvalidCursor(f"{cursor[:60]!r} is no cursor of a page: take the one that the page before gave.")
    return int(at), name
