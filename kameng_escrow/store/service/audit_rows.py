"""The audit log's table. Rows are added and never changed: the database itself refuses.

The one thing that may go is what an entry said of a person: `details` and their salt together, whose hash stays.
"""

from sqlalchemy import DDL, BigInteger, Index, String, Text, event, text
from sqlalchemy.orm import Mapped, mapped_column

from kameng_escrow.store.models import Base
from kameng_escrow.store.types import Address, Hash

OF_PLATFORM = "platform IS NOT NULL"
SEALED = (
    *("position", "at_ms", "actor", "action", "subject", "platform"),
    *("details_hash", "previous", "hash"),
)  # the columns that nothing may change


class AuditRow(Base):
    """Something that staff did. `hash` covers all columns but `details` and `details_salt`, for which `details_hash`
    stands, and by `previous` every row before."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(
            "ix_audit_log_platform_position",
            *("platform", "position"),
            sqlite_where=text(OF_PLATFORM),
            postgresql_where=text(OF_PLATFORM),
        ),
        Index("ix_audit_log_subject_position", "subject", "position"),
    )

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # 1, 2, 3 …
    at_ms: Mapped[int] = mapped_column(BigInteger)  # Unix milliseconds of our clock
    actor: Mapped[str] = mapped_column(String(128))  # an account, an API key's id, or a part of ours
    action: Mapped[str] = mapped_column(String(64))  # "noun.verb"
    subject: Mapped[str] = mapped_column(String(200))  # an order's id, an account, a row's id
    platform: Mapped[str | None] = mapped_column(Address())  # whose staff it was; NULL: the operator's of this store
    details: Mapped[str | None] = mapped_column(Text)  # canonical JSON, to the byte as hashed; NULL: erased
    details_salt: Mapped[str | None] = mapped_column(String(32))  # hex; goes with the details, or they could be guessed
    details_hash: Mapped[str] = mapped_column(Hash())
    previous: Mapped[str] = mapped_column(Hash())  # the hash of the row before
    hash: Mapped[str] = mapped_column(Hash())


_CHANGED = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in SEALED)
_BROUGHT_BACK = "NEW.details IS NOT NULL AND NEW.details IS DISTINCT FROM OLD.details"
_SALTED_AGAIN = "NEW.details_salt IS NOT NULL AND NEW.details_salt IS DISTINCT FROM OLD.details_salt"
_REFUSAL = "the audit log is only added to"

# What keeps the rows as they are. A migration spells them out again, since it must never change.
_ON_SQLITE = (
    f"CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    "CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log "
    f"WHEN {_CHANGED} OR ({_BROUGHT_BACK}) OR ({_SALTED_AGAIN}) ".replace("IS DISTINCT FROM", "IS NOT")
    + f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
)
_ON_POSTGRESQL = (
    "CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
    "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_refuse()",
    "CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()",
    "CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log FOR EACH ROW "
    f"WHEN ({_CHANGED} OR ({_BROUGHT_BACK}) OR ({_SALTED_AGAIN})) EXECUTE FUNCTION audit_log_refuse()",
)
for _dialect, _statements in (("sqlite", _ON_SQLITE), ("postgresql", _ON_POSTGRESQL)):
    for _statement in _statements:
        event.listen(
            AuditRow.__table__,
            "after_create",
            DDL(_statement.replace("%", "%%")).execute_if(dialect=_dialect),  # type: ignore[no-untyped-call]
        )
