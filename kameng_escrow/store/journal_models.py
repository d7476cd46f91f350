"""The journal's tables. Only the keeper or relayer that leads for an account writes them, under its term."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .keeping import Payload, Rejection, Stage
from .models import ORDER_DIGITS, Base
from .types import Address, Amount, Hash, Label, labels, one_of

_Id = BigInteger().with_variant(Integer, "sqlite")
_WAITING = "stage IN ('Live', 'Mined')"


class IntentRow(Base):
    """What is to be done in one transaction, the nonce that it has, and what became of it.

    The columns from `mined_hash` on are of the transaction that is in a block, and NULL together.
    """

    __tablename__ = "keeper_intents"
    __table_args__ = (
        CheckConstraint(one_of("stage", labels(Stage)), "stage"),
        # Two transactions that wait with one nonce would be one too many.
        Index(
            None,
            *("chain_id", "account", "nonce"),
            unique=True,
            sqlite_where=text(_WAITING),
            postgresql_where=text(_WAITING),
        ),
        Index(None, "chain_id", "account", "mined_ms"),
        Index(None, "contract_id", "mined_ms"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    chain_id: Mapped[int] = mapped_column(BigInteger)
    account: Mapped[str] = mapped_column(Address())  # who pays
    nonce: Mapped[int] = mapped_column(BigInteger)
    stage: Mapped[Stage] = mapped_column(Label(Stage))
    created_ms: Mapped[int] = mapped_column(BigInteger)  # Unix milliseconds of our clock, likewise the others
    mined_hash: Mapped[str | None] = mapped_column(Hash())
    mined_block: Mapped[int | None] = mapped_column(BigInteger)
    mined_block_hash: Mapped[str | None] = mapped_column(Hash())
    mined_ms: Mapped[int | None] = mapped_column(BigInteger)  # when we saw it there
    succeeded: Mapped[bool | None]
    gas_used: Mapped[int | None] = mapped_column(BigInteger)
    cost: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))  # wei

    orders: Mapped[list["IntentOrderRow"]] = relationship(order_by="IntentOrderRow.position", lazy="raise")
    transactions: Mapped[list["TransactionRow"]] = relationship(order_by="TransactionRow.position", lazy="raise")


class IntentOrderRow(Base):
    """An order that an intent is to settle."""

    __tablename__ = "keeper_orders"
    __table_args__ = (Index(None, "order_id"),)

    intent_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("keeper_intents.id"), primary_key=True, autoincrement=False
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(Hash())
    closed: Mapped[bool]  # whether the mined transaction ended it


class TransactionRow(Base):
    """A transaction that was signed for an intent: written before any node heard of it."""

    __tablename__ = "keeper_transactions"
    __table_args__ = (
        CheckConstraint(one_of("payload", labels(Payload)), "payload"),
        CheckConstraint(one_of("rejection", labels(Rejection)), "rejection"),
        Index(None, "intent_id"),
    )

    hash: Mapped[str] = mapped_column(Hash(), primary_key=True)
    intent_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("keeper_intents.id"))
    position: Mapped[int]  # among the intent's: each pays more than the one before
    payload: Mapped[Payload] = mapped_column(Label(Payload))
    highest_fee: Mapped[int] = mapped_column(BigInteger)  # wei a unit of gas
    tip: Mapped[int | None] = mapped_column(BigInteger)  # likewise; NULL: a chain without EIP-1559
    gas: Mapped[int] = mapped_column(BigInteger)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)  # as signed; NULL once the intent has ended
    signed_ms: Mapped[int] = mapped_column(BigInteger)
    offered_ms: Mapped[int | None] = mapped_column(BigInteger)  # when a node was last given it
    rejection: Mapped[Rejection | None] = mapped_column(Label(Rejection))  # what that node said; NULL: it took it


class TroubleRow(Base):
    """An order that could not be settled when it was due, and when it is tried again."""

    __tablename__ = "keeper_troubles"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(Hash(), primary_key=True)
    failures: Mapped[int]
    code: Mapped[str] = mapped_column(String(64))  # of the error
    reason: Mapped[str] = mapped_column(Text)  # its sentence
    since_ms: Mapped[int] = mapped_column(BigInteger)
    next_try_ms: Mapped[int | None] = mapped_column(BigInteger)  # NULL: given up, left to a person
