"""What was answered to a request that may be sent again: `Idempotency-Key`, as the IETF's draft of that name has it.

A request that was begun is never carried out again under the same key, whatever became of it, but where it is known to
have done nothing.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from sqlalchemy import BigInteger, LargeBinary, String, delete, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..models import Base
from ..unless_there import insert_unless_there

KEPT_SECONDS: Final = 24 * 60 * 60
ABANDONED_SECONDS: Final = 300  # after which nobody waits for the answer any more: what it did is unknown
_UNKNOWN: Final = 0  # in place of a status: it ended in a way that leaves open whether it did anything
_ROUNDS: Final = 5
KEY_LENGTH: Final = 255


class AnswerRow(Base):
    """A request and, once there is one, its answer."""

    __tablename__ = "idempotency_keys"

    caller: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))  # SHA-256 of method, path and body
    created_at: Mapped[int] = mapped_column(BigInteger, index=True)  # Unix seconds of our clock
    status: Mapped[int | None]  # NULL: under way, or its process ended in the middle
    media_type: Mapped[str | None] = mapped_column(String(100))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)  # NULL where it held a secret


class Became(Enum):
    """What there is to say about an earlier request."""

    UnderWay = auto()
    Answered = auto()
    Unknown = auto()  # it may have done what it was to do, or not: it is never done again under the same key


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What became of the first request with this key."""

    same: bool  # whether it asked for the same
    became: Became
    status: int | None  # of the answer
    media_type: str | None
    body: bytes | None


def begin(session: Session, *, caller: str, key: str, request_hash: str, now: int) -> Before | None:
    """Takes note of a request; or tells of the first with this key, if there was one. Raises nothing: of two at once,
    one is first.
    """
    session.execute(delete(AnswerRow).where(AnswerRow.created_at <= now - KEPT_SECONDS))
    for _ in range(_ROUNDS):
        if insert_unless_there(session, AnswerRow, caller=caller, key=key, request_hash=request_hash, created_at=now):
            return None
        row = session.get(AnswerRow, (caller, key), populate_existing=True)
        if row is not None:
            return _before(row, request_hash, now)
    # Whoever was first did nothing and took its note back, again and again: it is as good as under way.
    return Before(same=True, became=Became.UnderWay, status=None, media_type=None, body=None)


def _before(row: AnswerRow, request_hash: str, now: int) -> Before:
    if row.status is None:
        became = Became.Unknown if row.created_at <= now - ABANDONED_SECONDS else Became.UnderWay
    else:
        became = Became.Unknown if row.status == _UNKNOWN else Became.Answered
    return Before(
        same=row.request_hash == request_hash,
        became=became,
        status=row.status or None,
        media_type=row.media_type,
        body=row.body,
    )


def finish(session: Session, *, caller: str, key: str, status: int, media_type: str | None, body: bytes | None) -> None:
    """Writes down what was answered."""
    row = session.get(AnswerRow, (caller, key))
    if row is not None:
        row.status, row.media_type, row.body = status, media_type, body


def leave_unknown(session: Session, *, caller: str, key: str) -> None:
    """Writes down that nobody knows whether the request did anything."""
    session.execute(update(AnswerRow).filter_by(caller=caller, key=key, status=None).values(status=_UNKNOWN))


def forget(session: Session, *, caller: str, key: str) -> None:
    """The request did nothing: it may be sent again as if for the first time."""
    session.execute(delete(AnswerRow).filter_by(caller=caller, key=key, status=None))
