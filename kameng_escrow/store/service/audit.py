"""The audit log: what staff did, in a chain of hashes that shows when somebody tampers with it.

`audit` adds an entry in the transaction of the action itself, so that neither is there without the other. Each entry's
hash covers the hash of the one before: whoever changes, takes out or reorders an entry breaks the chain, and whoever
makes a new chain, or cuts the end off, has another *head* than the one that was published (in logs, in statements).

    hash         = SHA-256 of the canonical JSON of position, at_ms, actor, action, subject, platform, details_hash
                   and previous
    details_hash = SHA-256 of the salt and the canonical JSON of the details
    canonical    = keys sorted, no spaces, characters as they are, UTF-8; there are no fractions

What an entry's details say of a person can be erased: the hash stays, and a further entry says that it was done.
"""

import hashlib
import json
import logging
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session

from kameng_escrow.domain.inputs import parse_address
from kameng_escrow.store.engine import POSTGRESQL
from kameng_escrow.store.errors import UnknownEntry

from .audit_rows import AuditRow

log = logging.getLogger("kameng_escrow.audit")

FIRST = "0x" + "00" * 32  # what the first entry has for the hash of the one before
ERASED = "audit.erase"  # the action of the entry that says that another's details went
LARGEST = 16 * 1024  # bytes of details

_ANNOUNCING = "audit_head"  # in the session's notes: the head that its transaction leaves
_ACTION = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
_TURN = 0x6B616D_61756474  # "kam-audt": the lock of whoever adds an entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of the log."""

    position: int  # 1, 2, 3 …
    at_ms: int  # Unix milliseconds of our clock
    actor: str  # who did it: an account, an API key's id, or a part of ours
    action: str  # "noun.verb"
    subject: str  # what it was done to
    platform: str | None  # whose staff did it; None: this store's operator's
    details: Mapping[str, Any] | None  # None: erased
    details_hash: str
    previous: str  # the hash of the entry before
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The log up to an entry, in two words: publish it, and nobody can change what is before."""

    position: int  # zero: there are no entries
    hash: str

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """What `str` made. Raises `ValueError`."""
        match = re.fullmatch(r"(\d{1,18}):(0x[0-9a-f]{64})", text.strip().lower())
        if match is None:
            raise ValueError(f"{text!r} is no head of an audit log: it looks like 12:0x…")
        return cls(position=int(match[1]), hash=match[2])


def audit(
    session: Session,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
    *,
    platform: str | None = None,
    at_ms: int | None = None,
) -> Entry:
    """Adds an entry, as part of the session's transaction: call it last, since others' entries wait until that ends.

    Args:
        session: of `Store.writing`.
        actor: who did it: an account, an API key's id, or a part of ours such as "kameng retention".
        action: "noun.verb", such as "key.rotate" or "listing.hide".
        subject: what it was done to: an order's id, an account, the id of a row.
        details: what else there is to know: text, whole numbers, truth values, lists and dicts of these. No secrets.
        platform: whose staff it was, who may then read it; None: the operator's of this store.
        at_ms: when, in Unix milliseconds; None: now.

    Raises:
        ValueError: the action is not "noun.verb", or something is too long or can't be written as canonical JSON.
        StoreError: as `Store.writing`.
    """
    _check(actor, action, subject)
    text = canonical(dict(details or {}))
    if len(text.encode()) > LARGEST:
        raise ValueError(f"details of {action} are longer than {LARGEST} bytes")
    _take_turn(session)
    before = head(session)
    salt = secrets.token_hex(16)
    row = AuditRow(
        position=before.position + 1,
        at_ms=int(time.time() * 1000) if at_ms is None else at_ms,
        actor=actor,
        action=action,
        subject=subject,
        platform=None if platform is None else parse_address(platform, "platform"),
        details=text,
        details_salt=salt,
        details_hash=_details_hash(salt, text),
        previous=before.hash,
    )
    row.hash = entry_hash(row)
    session.add(row)
    session.flush()
    _announce(session)
    return _entry(row)


def head(session: Session) -> Head:
    """The log's last entry."""
    found = session.execute(
        select(AuditRow.position, AuditRow.hash).order_by(AuditRow.position.desc()).limit(1)
    ).first()
    return Head(position=0, hash=FIRST) if found is None else Head(position=found[0], hash=found[1])


def entries(
    session: Session,
    *,
    platform: str | None = None,
    subject: str | None = None,
    actor: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Entry]:
    """Entries, newest first.

    Args:
        platform: only those of this platform's staff.
        subject: only those about this.
        actor: only what this one did.
        before: only those with a smaller position: that of the last entry of the page before.
        limit: at most so many.
    """
    query = select(AuditRow).order_by(AuditRow.position.desc()).limit(limit)
    if platform is not None:
        query = query.where(AuditRow.platform == parse_address(platform, "platform"))
    if subject is not None:
        query = query.where(AuditRow.subject == subject)
    if actor is not None:
        query = query.where(AuditRow.actor == actor)
    if before is not None:
        query = query.where(AuditRow.position < before)
    return [_entry(row) for row in session.scalars(query)]


def erase_details(session: Session, position: int, *, actor: str, reason: str) -> Entry:
    """Takes away what an entry says beside who did what to what, and adds the entry that says so.

    Raises:
        UnknownEntry: there is none at that position.
        ValueError: it tells of an erasure itself, and what it tells has to stay.
    """
    _take_turn(session)
    row = session.get(AuditRow, position)
    if row is None:
        raise UnknownEntry(f"The audit log has no entry {position}: look for it with `kameng audit list`.")
    if row.action == ERASED:
        raise ValueError(f"entry {position} tells of an erasure: it stays")
    session.execute(
        update(AuditRow).where(AuditRow.position == position).values(details=None, details_salt=None),
        execution_options={"synchronize_session": "fetch"},
    )
    return audit(session, actor, ERASED, str(position), {"reason": reason}, platform=row.platform)


def stored_rows(session: Session) -> Iterator[AuditRow]:
    """Every row, oldest first, however many there are: for those who verify."""
    query = select(AuditRow).order_by(AuditRow.position).execution_options(yield_per=1_000)
    for row in session.scalars(query):
        yield row
        session.expunge(row)


def count(session: Session) -> int:
    """How many entries there are."""
    return session.scalar(select(func.count()).select_from(AuditRow)) or 0


def canonical(value: Any) -> str:
    """JSON of which there is only one spelling. Raises `ValueError` for what has none."""
    _check_json(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def entry_hash(row: Any) -> str:
    """The hash that an entry, or its row, must have."""
    fields = ("position", "at_ms", "actor", "action", "subject", "platform", "details_hash", "previous")
    text = canonical({name: getattr(row, name) for name in fields})
    return "0x" + hashlib.sha256(text.encode()).hexdigest()


def details_fit(row: AuditRow) -> bool:
    """Whether a row's details are those that its hash covers; they must not be erased."""
    return _details_hash(row.details_salt or "", row.details or "") == row.details_hash


def _details_hash(salt: str, text: str) -> str:
    return "0x" + hashlib.sha256(salt.encode() + text.encode()).hexdigest()


def _check(actor: str, action: str, subject: str) -> None:
    if not _ACTION.fullmatch(action) or len(action) > 64:
        raise ValueError(f"{action!r} is no action: it looks like key.rotate")
    for name, text, longest in (("actor", actor, 128), ("subject", subject, 200)):
        if not 0 < len(text) <= longest or not text.isprintable():
            raise ValueError(f"{name} {text!r} is none: 1 to {longest} printable characters")


def _check_json(value: Any) -> None:
    match value:
        case None | bool() | int():
            return
        case str():
            if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
                raise ValueError("text with NUL or half a character can't be written down")
        case list() | tuple():
            for item in value:
                _check_json(item)
        case dict():
            for name, item in value.items():
                if not isinstance(name, str):
                    raise ValueError(f"{name!r} is no name")
                _check_json(name)
                _check_json(item)
        case _:
            raise ValueError(f"{type(value).__name__} has no canonical JSON: make text or a whole number of it")


def _take_turn(session: Session) -> None:
    """Until the transaction ends nobody else adds an entry. SQLite's writers take turns anyway."""
    if session.get_bind().dialect.name == POSTGRESQL:
        session.execute(select(func.pg_advisory_xact_lock(_TURN)))


def _announce(session: Session) -> None:
    """Has the new head logged once the transaction is committed: a copy of the log elsewhere is a witness.

    The head is asked for at the end, since a savepoint may take entries back.
    """
    if _ANNOUNCING in session.info:
        return
    session.info[_ANNOUNCING] = None

    def committing(_: Session) -> None:
        if session.get_nested_transaction() is None:
            session.info[_ANNOUNCING] = head(session)

    def committed(_: Session) -> None:
        now = session.info[_ANNOUNCING]
        if session.get_nested_transaction() is None and now is not None:
            log.info("audit head", extra={"position": now.position, "hash": now.hash})

    event.listen(session, "before_commit", committing)
    event.listen(session, "after_commit", committed)


def _entry(row: AuditRow) -> Entry:
    return Entry(
        position=row.position,
        at_ms=row.at_ms,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        platform=row.platform,
        details=None if row.details is None else json.loads(row.details),
        details_hash=row.details_hash,
        previous=row.previous,
        hash=row.hash,
    )
