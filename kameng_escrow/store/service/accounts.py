"""Who has signed in, and with which keys platforms come: sessions, nonces, API keys.

No secret is kept, only SHA-256 of it: they are random and long, so that nobody finds one by its hash. Times are Unix
seconds of our clock.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from functools import cache
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Index, String, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..glances import Prepared, Reader
from ..models import Base
from ..types import Address, Json
from .ids import LENGTH, new_id

NONCE_SECONDS: Final = 600  # between asking for a nonce and signing in with it
ROTATE_SECONDS: Final = 3_600  # after which a session's token is replaced when it is next used
GRACE_SECONDS: Final = 60  # that the token before is still taken: several requests may be under way
TOUCH_SECONDS: Final = 60  # "last used" is no more exact than this, so that reading does not always write
_HASH = String(64)
NAME_LENGTH: Final = 100


class NonceRow(Base):
    """A nonce that was given out and not used yet."""

    __tablename__ = "sign_in_nonces"

    nonce: Mapped[str] = mapped_column(String(32), primary_key=True)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class SessionRow(Base):
    """A browser, or a program, in which somebody has signed in."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)
    account: Mapped[str] = mapped_column(Address(), index=True)
    token_hash: Mapped[str] = mapped_column(_HASH, unique=True)
    previous_hash: Mapped[str | None] = mapped_column(_HASH, index=True)  # of the token before the last rotation
    created_at: Mapped[int] = mapped_column(BigInteger)
    rotated_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class ApiKeyRow(Base):
    """A platform's key."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("length(name) > 0", "name"),
        Index(None, "platform", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)
    platform: Mapped[str] = mapped_column(Address())  # the account that it acts for
    secret_hash: Mapped[str] = mapped_column(_HASH)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    scopes: Mapped[list[str]] = mapped_column(Json())
    created_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)  # NULL: never
    replaced_by: Mapped[str | None] = mapped_column(String(LENGTH))


# ----------------------------------------------------------------------------------------------------------- signing in


def issue_nonce(session: Session, now: int) -> str:
    """A nonce for one sign-in (EIP-4361: at least eight letters or digits)."""
    session.execute(delete(NonceRow).where(NonceRow.expires_at <= now))
    nonce = secrets.token_hex(16)
    session.add(NonceRow(nonce=nonce, expires_at=now + NONCE_SECONDS))
    return nonce


def use_nonce(session: Session, nonce: str, now: int) -> bool:
    """Whether it was given out, is not too old, and was not used before. From now on it was."""
    found = session.execute(delete(NonceRow).where(NonceRow.nonce == nonce, NonceRow.expires_at > now))
    return bool(found.rowcount == 1)  # type: ignore[attr-defined]  # a cursor's result has it


def begin_session(session: Session, account: str, now: int, *, lifetime: int) -> str:
    """Signs an account in and returns the session's token, which is not kept."""
    token = secrets.token_urlsafe(32)
    session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
    session.add(
        SessionRow(
            id=new_id("ses"),
            account=account,
            token_hash=_hash(token),
            created_at=now,
            rotated_at=now,
            used_at=now,
            expires_at=now + lifetime,
        )
    )
    return token


def find_session(session: Session, token: str, now: int) -> SessionRow | None:
    """The session of a token; None where there is none, or not any more.

    A token that was replaced longer ago than several requests may overlap was taken by somebody: then nobody goes on
    with this session.
    """
    hashed = _hash(token)
    row = session.scalar(select(SessionRow).where(SessionRow.token_hash == hashed))
    if row is None:
        row = session.scalar(select(SessionRow).where(SessionRow.previous_hash == hashed))
        if row is None or now > row.rotated_at + GRACE_SECONDS:
            return None
    return row if now < row.expires_at else None


@cache
def _live_session() -> Prepared:
    hashed = bindparam("hash", type_=_HASH)
    columns = (SessionRow.id, SessionRow.account, SessionRow.used_at, SessionRow.expires_at)
    return Prepared(select(*columns).where(SessionRow.token_hash == hashed))


def glance_session(reader: Reader, token: str, now: int) -> tuple[str, str] | None:
    """Id and account of a session whose token this is, and that needs nothing written down; None where `find_session`
    has to be asked, which knows the other cases.
    """
    row = reader.first(_live_session(), hash=_hash(token))
    if row is None:
        return None
    session_id, account, used_at, expires_at = row
    return (session_id, account) if now < expires_at and not _is_old(used_at, now) else None


def is_stolen(session: Session, token: str, now: int) -> str | None:
    """The id of the session whose old token this is, too late for it to be the browser's own; None where it is not."""
    row = session.scalar(select(SessionRow).where(SessionRow.previous_hash == _hash(token)))
    return row.id if row is not None and now > row.rotated_at + GRACE_SECONDS else None


def needs_touch(row: SessionRow, now: int) -> bool:
    """Whether `touch_session` has something to do."""
    return _is_old(row.used_at, now)


def _is_old(used_at: int | None, now: int) -> bool:
    return used_at is None or now >= used_at + TOUCH_SECONDS


def touch_session(session: Session, session_id: str, token: str, now: int, *, lifetime: int) -> str | None:
    """Writes down that a session is used, and lets it live on. Gives its new token where it is time for one; the one
    before is taken for a while longer.
    """
    row = session.get(SessionRow, session_id, with_for_update=True)
    if row is None:
        return None
    row.used_at, row.expires_at = now, now + lifetime
    hashed = _hash(token)
    if row.token_hash != hashed or now < row.rotated_at + ROTATE_SECONDS:
        return None
    fresh = secrets.token_urlsafe(32)
    row.previous_hash, row.token_hash, row.rotated_at = hashed, _hash(fresh), now
    return fresh


def end_sessions(session: Session, *, session_id: str | None = None, account: str | None = None) -> int:
    """Ends one session, or all of an account's; returns how many."""
    query = delete(SessionRow)
    query = query.where(SessionRow.id == session_id) if session_id is not None else query.filter_by(account=account)
    return session.execute(query).rowcount  # type: ignore[attr-defined, no-any-return]  # a cursor's result has it


# ------------------------------------------------------------------------------------------------------------- API keys


def create_key(
    session: Session, platform: str, *, name: str, scopes: Collection[str], now: int, expires_at: int | None = None
) -> tuple[ApiKeyRow, str]:
    """A new key, and its secret, which is not kept: ``kmk_<id>_<43 letters>``."""
    row = ApiKeyRow(
        id=new_id("key"),
        platform=platform,
        name=name,
        scopes=sorted(scopes),
        created_at=now,
        expires_at=expires_at,
    )
    secret = secrets.token_urlsafe(32)
    row.secret_hash = _hash(secret)
    session.add(row)
    return row, f"kmk_{row.id.removeprefix('key_')}_{secret}"


def find_key(session: Session, token: str, now: int) -> ApiKeyRow | None:
    """The key whose secret this is; None where there is none, or not any more."""
    key_id, secret = _parts_of(token)
    row = session.get(ApiKeyRow, key_id) if key_id is not None else None
    # Compared even where there is no such key: how long it takes shall not tell.
    same = hmac.compare_digest(_hash(secret), row.secret_hash if row is not None else "0" * 64)
    if row is None or not same or (row.expires_at is not None and now >= row.expires_at):
        return None
    return row


@cache
def _live_key() -> Prepared:
    columns = (ApiKeyRow.platform, ApiKeyRow.secret_hash, ApiKeyRow.scopes, ApiKeyRow.used_at, ApiKeyRow.expires_at)
    return Prepared(select(*columns).where(ApiKeyRow.id == bindparam("id", type_=String)))


def glance_key(reader: Reader, token: str, now: int) -> tuple[str, str, Sequence[str]] | None:
    """Id, platform and scopes of a key that is in force, and that needs nothing written down; None where `find_key` has
    to be asked, which knows the other cases.
    """
    key_id, secret = _parts_of(token)
    row = reader.first(_live_key(), id=key_id) if key_id is not None else None
    if row is None or key_id is None:
        return None
    platform, secret_hash, scopes, used_at, expires_at = row
    same = hmac.compare_digest(_hash(secret), secret_hash)
    live = expires_at is None or now < expires_at
    return (key_id, platform, scopes) if same and live and not _is_old(used_at, now) else None


def _parts_of(token: str) -> tuple[str | None, str]:
    """The id of the key that a token may be of, None where it looks like none, and its secret."""
    kind, _, rest = token.partition("_")
    name, _, secret = rest.partition("_")
    return f"key_{name}" if kind == "kmk" and len(name) < LENGTH else None, secret


def touch_key(session: Session, key_id: str, now: int) -> None:
    """Writes down that a key is used."""
    session.execute(update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(used_at=now))


def key_needs_touch(row: ApiKeyRow, now: int) -> bool:
    """Whether `touch_key` has something to say."""
    return _is_old(row.used_at, now)


def keys_of(session: Session, platform: str) -> Sequence[ApiKeyRow]:
    """A platform's keys, the newest first; those that are over are among them."""
    return session.scalars(select(ApiKeyRow).filter_by(platform=platform).order_by(ApiKeyRow.created_at.desc())).all()


def replace_key(session: Session, row: ApiKeyRow, *, now: int, overlap: int) -> tuple[ApiKeyRow, str]:
    """A key in another's place, with the same name and scopes; the old one is taken for `overlap` seconds more."""
    fresh, secret = create_key(
        session, row.platform, name=row.name, scopes=row.scopes, now=now, expires_at=row.expires_at
    )
    row.expires_at = now + overlap if row.expires_at is None else min(row.expires_at, now + overlap)
    row.replaced_by = fresh.id
    return fresh, secret


def revoke_key(row: ApiKeyRow, now: int) -> None:
    """Ends a key at once."""
    row.expires_at = now if row.expires_at is None else min(row.expires_at, now)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
