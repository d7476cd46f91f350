"""The tables of disputes: papers by their hash, and conflicts that were declared."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..models import Base
from ..types import Address, Hash, Json, one_of
from .ids import LENGTH

EVIDENCE, GROUNDS = "evidence", "grounds"
STANDING = "withdrawn_ms IS NULL"
NOTE_LENGTH = 400  # of a declaration, code points


class PaperRow(Base):
    """A paper whose hash a dispute or a ruling carries, or may carry: it is one of the order's once the chain has it.

    Until then only its author sees it, so that nobody learns of a dispute before it has begun.
    """

    __tablename__ = "dispute_papers"
    __table_args__ = (
        CheckConstraint(one_of("kind", (EVIDENCE, GROUNDS)), "kind"),
        Index(None, "contract_id", "order_id"),
    )

    hash: Mapped[str] = mapped_column(Hash(), primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    order_id: Mapped[str] = mapped_column(Hash())
    kind: Mapped[str] = mapped_column(String(16))
    author: Mapped[str] = mapped_column(Address())
    document: Mapped[dict[str, Any] | None] = mapped_column(Json())  # what was hashed; NULL: erased
    written_ms: Mapped[int] = mapped_column(BigInteger)  # Unix milliseconds of our clock
    seq: Mapped[int | None]  # of the entry in the room's log that files it; NULL: none does (yet)


class ConflictRow(Base):
    """A mediator's conflict of interest with an account or in one order, as declared by itself or by its platform."""

    __tablename__ = "mediator_conflicts"
    __table_args__ = (
        Index(
            "ix_mediator_conflicts_mediator",
            *("contract_id", "mediator"),
            sqlite_where=text(STANDING),
            postgresql_where=text(STANDING),
        ),
    )

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    mediator: Mapped[str] = mapped_column(Address())
    subject: Mapped[str] = mapped_column(Hash())  # an account, or an order's id
    note: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    declared_by: Mapped[str] = mapped_column(Address())
    declared_ms: Mapped[int] = mapped_column(BigInteger)  # Unix milliseconds of our clock
    withdrawn_ms: Mapped[int | None] = mapped_column(BigInteger)
