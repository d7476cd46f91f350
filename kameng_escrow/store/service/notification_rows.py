"""The tables of notifications. People write themselves and their channels; the leading notifier writes messages."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kameng_escrow.store.models import Base
from kameng_escrow.store.types import Address, Hash, Json, Label, labels, one_of

from .ids import LENGTH
from .notifying import ChannelKind, Stage, StoppedFor
from .webhook_rows import WAITING, Id


class PersonRow(Base):
    """How an account wants to be told."""

    __tablename__ = "notification_people"
    __table_args__ = (CheckConstraint(one_of("language", ("zh", "en")), "language"),)

    account: Mapped[str] = mapped_column(Address(), primary_key=True)
    language: Mapped[str] = mapped_column(String(2))
    time_zone: Mapped[str] = mapped_column(String(64))  # an IANA name
    quiet_from: Mapped[int | None]  # minutes after midnight there; NULL with the other: no quiet hours
    quiet_to: Mapped[int | None]  # likewise; may be before `quiet_from`: over midnight
    muted: Mapped[list[str]] = mapped_column(Json())  # topics
    codes: Mapped[int]  # that were asked for since `codes_since_ms`
    codes_since_ms: Mapped[int] = mapped_column(BigInteger)


class ChannelRow(Base):
    """A way to tell an account. Times are Unix milliseconds of our clock."""

    __tablename__ = "notification_channels"
    __table_args__ = (
        CheckConstraint(one_of("kind", labels(ChannelKind)), "kind"),
        CheckConstraint(one_of("stopped_for", labels(StoppedFor)), "stopped_for"),
        Index(None, "account"),
    )

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)  # "chn_…"
    account: Mapped[str] = mapped_column(Address())
    kind: Mapped[ChannelKind] = mapped_column(Label(ChannelKind))
    address: Mapped[str] = mapped_column(Text)  # its fields as JSON, sealed
    hint: Mapped[str] = mapped_column(String(64))  # enough for its owner to know it again
    created_ms: Mapped[int] = mapped_column(BigInteger)
    verified_ms: Mapped[int | None] = mapped_column(BigInteger)  # NULL: nothing but a code was sent there
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # of the code that was sent; NULL: none counts
    code_until_ms: Mapped[int | None] = mapped_column(BigInteger)
    code_tries: Mapped[int]  # wrong ones since it was sent
    opt_out_key: Mapped[bytes] = mapped_column(LargeBinary(32))  # signs the links that stop it
    stopped_for: Mapped[StoppedFor | None] = mapped_column(Label(StoppedFor))
    failures: Mapped[int]  # messages given up since one got through


class MessageRow(Base):
    """Something to be told by a channel, and what became of it."""

    __tablename__ = "notification_messages"
    __table_args__ = (
        CheckConstraint(one_of("stage", labels(Stage)), "stage"),
        UniqueConstraint("channel_id", "key"),
        Index(
            "ix_notification_messages_due",
            *("channel_id", "next_try_ms"),
            sqlite_where=text(WAITING),
            postgresql_where=text(WAITING),
        ),
        Index(None, "contract_id", "order_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    channel_id: Mapped[str] = mapped_column(ForeignKey("notification_channels.id"))
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contracts.id"))  # NULL: about no contract
    order_id: Mapped[str | None] = mapped_column(Hash())
    topic: Mapped[str] = mapped_column(String(48))
    key: Mapped[str] = mapped_column(String(128))  # what would be the same message: told once
    details: Mapped[dict[str, Any]] = mapped_column(Json())  # what its words are made of
    stage: Mapped[Stage] = mapped_column(Label(Stage))
    attempts: Mapped[int]
    created_ms: Mapped[int] = mapped_column(BigInteger)
    next_try_ms: Mapped[int | None] = mapped_column(BigInteger)  # NULL once it waits no more
    too_late_ms: Mapped[int | None] = mapped_column(BigInteger)  # from when on it is of no use
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str | None] = mapped_column(String(64))  # the code of what last went wrong
