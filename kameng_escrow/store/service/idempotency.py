"""What was answered to a request that may be sent again: `Idempotency-Key`, as the IETF's draft of that name has it."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, LargeBinary, String, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..models import Base

KEPT_SECONDS: Final = 24 * 60 * 60
ABANDONED_SECONDS: Final = 300  # after which a request that never got its answer may be tried again
KEY_LENGTH: Final = 255


class AnswerRow(Base):
    """A request and, once there is one, its answer."""

    __tablename__ = "idempotency_keys"

    caller: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))  # SHA-256 of method, path and body
    created_at: Mapped[int] = mapped_column(BigInteger, index=True)  # Unix seconds of our clock
    status: Mapped[int | None]  # NULL: under way
    media_type: Mapped[str | None] = mapped_column(String(100))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)  # NULL where it held a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What became of the first request with this key."""

    same: bool  # whether it asked for the same
    status: int | None  # None: it is still under way
    media_type: str | None
    body: bytes | None


def begin(session: Session, *, caller: str, key: str, request_hash: str, now: int) -> Before | None:
    """Takes note of a request; or tells of the first with this key, if there was one. Raises nothing: of two at once,
    one is first.
    """
    stale = (AnswerRow.created_at <= now - KEPT_SECONDS) | (
        AnswerRow.status.is_(None) & (AnswerRow.created_at <= now - ABANDONED_SECONDS)
    )
    session.execute(delete(AnswerRow).where(stale))
    try:
        with session.begin_nested():
            session.execute(insert(AnswerRow).values(caller=caller, key=key, request_hash=request_hash, created_at=now))
    except IntegrityError:
        row = session.execute(select(AnswerRow).filter_by(caller=caller, key=key)).scalar_one()
        return Before(
            same=row.request_hash == request_hash, status=row.status, media_type=row.media_type, body=row.body
        )
    return None


def finish(session: Session, *, caller: str, key: str, status: int, media_type: str | None, body: bytes | None) -> None:
    """Writes down what was answered."""
    row = session.get(AnswerRow, (caller, key))
    if row is not None:
        row.status, row.media_type, row.body = status, media_type, body


def forget(session: Session, *, caller: str, key: str) -> None:
    """The request did nothing: it may be sent again as if for the first time."""
    session.execute(delete(AnswerRow).filter_by(caller=caller, key=key, status=None))
