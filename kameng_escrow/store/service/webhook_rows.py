"""The tables of webhooks. Owners write endpoints; only the notifier that leads writes deliveries and cursors."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kameng_escrow.store.models import Base
from kameng_escrow.store.types import Address, Hash, Json, Label, labels, one_of

from .ids import LENGTH
from .notifying import Delivery, DisabledFor, Purpose, Stage

Id = BigInteger().with_variant(Integer, "sqlite")
WAITING = "stage = 'waiting'"


class EndpointRow(Base):
    """Where an account wants to hear of its orders. Times are Unix milliseconds of our clock."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint(one_of("delivery", labels(Delivery)), "delivery"),
        CheckConstraint(one_of("purpose", labels(Purpose)), "purpose"),
        CheckConstraint(one_of("disabled_for", labels(DisabledFor)), "disabled_for"),
        # The rule of `notify.rules`, once more where nobody gets past it.
        CheckConstraint("purpose <> 'release' OR delivery = 'final'", "release_is_final"),
        Index(None, "contract_id", "owner"),
    )

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)  # "whk_…"
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    owner: Mapped[str] = mapped_column(Address())
    url: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(String(200))
    events: Mapped[list[str]] = mapped_column(Json())  # types; none: all of them
    delivery: Mapped[Delivery] = mapped_column(Label(Delivery))
    purpose: Mapped[Purpose] = mapped_column(Label(Purpose))
    secret: Mapped[str] = mapped_column(Text)  # sealed, see `notify.sealing`
    old_secret: Mapped[str | None] = mapped_column(Text)  # likewise; signs too until `old_until_ms`
    old_until_ms: Mapped[int | None] = mapped_column(BigInteger)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    disabled_ms: Mapped[int | None] = mapped_column(BigInteger)
    disabled_for: Mapped[DisabledFor | None] = mapped_column(Label(DisabledFor))
    failing_since_ms: Mapped[int | None] = mapped_column(BigInteger)  # the first failure since something got through
    quiet_until_ms: Mapped[int | None] = mapped_column(BigInteger)  # it asked for a pause
    heard_ms: Mapped[int | None] = mapped_column(BigInteger)  # when something last got through


class DeliveryRow(Base):
    """A message for an endpoint, and what became of it."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint(one_of("stage", labels(Stage)), "stage"),
        UniqueConstraint("endpoint_id", "outbox_id"),
        Index(
            "ix_webhook_deliveries_due",
            *("endpoint_id", "next_try_ms"),
            sqlite_where=text(WAITING),
            postgresql_where=text(WAITING),
        ),
        Index(
            "ix_webhook_deliveries_turn",
            *("endpoint_id", "order_id", "outbox_id"),
            sqlite_where=text(WAITING),
            postgresql_where=text(WAITING),
        ),
        Index(None, "endpoint_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id"))
    outbox_id: Mapped[int | None] = mapped_column(BigInteger)  # NULL: a test
    order_id: Mapped[str | None] = mapped_column(Hash())  # likewise
    type: Mapped[str] = mapped_column(String(48))
    final: Mapped[bool]
    stage: Mapped[Stage] = mapped_column(Label(Stage))
    attempts: Mapped[int]  # since it was last asked for
    created_ms: Mapped[int] = mapped_column(BigInteger)
    next_try_ms: Mapped[int | None] = mapped_column(BigInteger)  # NULL once it waits no more
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)


class AttemptRow(Base):
    """One request of a delivery. What the receiver said beside its status is not kept."""

    __tablename__ = "webhook_attempts"

    delivery_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    at_ms: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    took_ms: Mapped[int]
    status: Mapped[int | None]  # of HTTP; NULL: no answer
    error: Mapped[str | None] = mapped_column(String(64))  # the code of what went wrong


class CursorRow(Base):
    """How far a reader has come in a contract's outbox. Written with what follows from what it has read."""

    __tablename__ = "outbox_cursors"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    reader: Mapped[str] = mapped_column(String(16), primary_key=True)  # "instant", "final", "people"
    outbox_id: Mapped[int] = mapped_column(BigInteger)  # the last that it has dealt with
