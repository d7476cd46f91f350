"""The tables. Every row belongs to one contract on one chain, so that a store holds as many as you like.

Rows of orders, policies, grants and balances are folds of the rows in `events`, and only the mirror writes them, in one
transaction with the events, the checkpoint and the outbox. Times are the chain's Unix seconds in BIGINT columns; each
has a property ending in `_time` that gives an aware UTC datetime. Whether something is final is never stored with it:
it is, if its block is at or below the checkpoint's final mark, so that a moving mark touches one row.
"""

from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Self

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    UniqueConstraint,
    and_,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from kameng_escrow.domain.states import Fault, Outcome, State

from .event_json import event_names, order_event_names
from .types import Address, Amount, Hash, Json, Label, any_of, labels, one_of

ORDER_DIGITS = 39  # prices are below 2^127, and with both bonds below 2^128
BALANCE_DIGITS = 78  # a token may have anything below 2^256


NO_ORDER = "order_block IS NULL"  # conditions of indexes that few rows are in
RETRACTS = "retracts IS NOT NULL"
DISPUTED = "disputed_at IS NOT NULL"
HALF = 50  # percent of a page: see `OrderRow`


class BalanceKind(IntEnum):
    """What the escrow owes besides the orders themselves."""

    Bond = 0  # to a seller: its bond balance that is not locked in orders
    Credit = 1  # to an account: a payment it refused, or a mediator's fee
    Fee = 2  # to a policy's platform: what accrued and was not claimed

    @property
    def label(self) -> str:
        return self.name

    @classmethod
    def from_label(cls, label: str) -> Self:
        return cls[label]


def as_time(seconds: int | None) -> datetime | None:
    """A chain's Unix second as an aware UTC datetime."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ChainRow(Base):
    """A chain, told from others with the same chain id (local ones, mostly) by its first block."""

    __tablename__ = "chains"

    chain_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    genesis_hash: Mapped[str] = mapped_column(Hash())


class ContractRow(Base):
    """An escrow contract that is mirrored."""

    __tablename__ = "contracts"
    __table_args__ = (UniqueConstraint("chain_id", "address"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    chain_id: Mapped[int] = mapped_column(ForeignKey("chains.chain_id"))
    address: Mapped[str] = mapped_column(Address())
    first_block: Mapped[int] = mapped_column(BigInteger)  # of its deployment: nothing is looked for below


class CheckpointRow(Base):
    """How far a contract's mirror has come."""

    __tablename__ = "checkpoints"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    seen_number: Mapped[int] = mapped_column(BigInteger)  # every block up to it is in the rows
    seen_hash: Mapped[str] = mapped_column(Hash())
    seen_at: Mapped[int] = mapped_column(BigInteger)  # the block's timestamp, Unix seconds
    final_number: Mapped[int] = mapped_column(BigInteger)  # blocks up to it are not expected to change any more

    @property
    def seen_time(self) -> datetime | None:
        return as_time(self.seen_at)


class BlockRow(Base):
    """A block with events, or one of the recent ones, whose hashes tell a reorg."""

    __tablename__ = "blocks"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(Hash())
    parent_hash: Mapped[str] = mapped_column(Hash())
    timestamp: Mapped[int] = mapped_column(BigInteger)  # Unix seconds
    has_events: Mapped[bool]

    @property
    def time(self) -> datetime | None:
        return as_time(self.timestamp)


class EventRow(Base):
    """An event of the contract on the chain as we know it.

    A number names one block here, so number and index name one log; the block's row has the hash. Events of blocks that
    a reorg took away are deleted.

    An order's events name the place of its first one, which is also in the order's row. They are found by that place
    and not by the order's id: places grow with the chain, so that however many rows there are, new ones are written
    next to the ones before, and not all over an index as hashes are.
    """

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint(any_of("name", event_names()), "name"),
        Index("ix_events_contract_id_order", "contract_id", "order_block", "order_log_index"),
        Index(
            "ix_events_contract_id_subject",
            *("contract_id", "subject"),
            sqlite_where=text(NO_ORDER),
            postgresql_where=text(NO_ORDER),
        ),
    )

    contract_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    block_number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    log_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # within the block
    transaction_hash: Mapped[str] = mapped_column(Hash())
    name: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(Hash())  # the order, policy or account that it is about
    fields: Mapped[dict[str, Any]] = mapped_column(Json())  # but for the subject
    order_block: Mapped[int | None] = mapped_column(BigInteger)  # of the order's first event; NULL: about no order
    order_log_index: Mapped[int | None]


class PolicyRow(Base):
    """A registered policy, and what became of it. Windows in seconds, shares in bps."""

    __tablename__ = "policies"
    __table_args__ = (Index(None, "contract_id", "platform"),)

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    policy_id: Mapped[str] = mapped_column(Hash(), primary_key=True)
    platform: Mapped[str] = mapped_column(Address())
    accept_window: Mapped[int]
    deliver_window: Mapped[int]
    inspect_window: Mapped[int]
    negotiate_window: Mapped[int]
    mediate_window: Mapped[int]
    platform_fee_bps: Mapped[int]
    cancel_fee_bps: Mapped[int]
    seller_bond_bps: Mapped[int]
    dispute_bond_bps: Mapped[int]
    mediation_fee_bps: Mapped[int]
    silence_share_bps: Mapped[int]
    mediator: Mapped[str] = mapped_column(Address())
    backup_mediator: Mapped[str] = mapped_column(Address())
    fee_receiver: Mapped[str] = mapped_column(Address())
    effective_from: Mapped[int] = mapped_column(BigInteger)  # Unix seconds
    review_by: Mapped[int] = mapped_column(BigInteger)  # Unix seconds; new orders up to and including it
    retired: Mapped[bool]

    @property
    def review_by_time(self) -> datetime | None:
        return as_time(self.review_by)


class OrderRow(Base):
    """An order: the domain's `Order`, with its terms and shares spread over columns so that they can be searched.

    The terms are NULL together, while an order is known by a raised revision only; `undisputed_…` and `shares_…` are
    NULL together where nothing was paid yet.

    What an order's course changes has its indexes in `clocks`, and none here but for a dispute. So PostgreSQL writes a
    changed row next to the old one and leaves all indexes alone (HOT), if the page has room: half of each is left free,
    since neighbours change together.
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(any_of("state", labels(State)), "state"),
        CheckConstraint(any_of("outcome", labels(Outcome)), "outcome"),
        CheckConstraint(any_of("fault", labels(Fault)), "fault"),
        UniqueConstraint("contract_id", "first_block", "first_log_index"),
        Index(None, "contract_id", "policy_id", sqlite_where=text(DISPUTED), postgresql_where=text(DISPUTED)),
        Index(None, "contract_id", "buyer", "first_block", "first_log_index"),
        Index(None, "contract_id", "seller", "first_block", "first_log_index"),
        Index(None, "contract_id", "policy_id", "first_block", "first_log_index"),
        {"postgresql_with": {"fillfactor": HALF}},
    )

    contract_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(Hash(), primary_key=True)
    state: Mapped[State] = mapped_column(Label(State))
    outcome: Mapped[Outcome] = mapped_column(Label(Outcome))
    fault: Mapped[Fault] = mapped_column(Label(Fault))
    revision: Mapped[int]
    deadline: Mapped[int | None] = mapped_column(BigInteger)  # Unix seconds; NULL where no clock runs

    buyer: Mapped[str | None] = mapped_column(Address())
    refund_to: Mapped[str | None] = mapped_column(Address())
    seller: Mapped[str | None] = mapped_column(Address())
    pay_to: Mapped[str | None] = mapped_column(Address())
    token: Mapped[str | None] = mapped_column(Address())
    price: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))
    units: Mapped[int | None]
    policy_id: Mapped[str | None] = mapped_column(Hash())
    listing: Mapped[str | None] = mapped_column(Hash())
    open_by: Mapped[int | None] = mapped_column(BigInteger)
    salt: Mapped[str | None] = mapped_column(Hash())
    payer: Mapped[str | None] = mapped_column(Address())

    opened_at: Mapped[int | None] = mapped_column(BigInteger)  # Unix seconds, likewise the others
    accepted_at: Mapped[int | None] = mapped_column(BigInteger)
    delivered_at: Mapped[int | None] = mapped_column(BigInteger)
    disputed_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    commitment: Mapped[str | None] = mapped_column(Hash())
    disputed_units: Mapped[int]
    evidence: Mapped[str | None] = mapped_column(Hash())
    grounds: Mapped[str | None] = mapped_column(Hash())
    mediator: Mapped[str | None] = mapped_column(Address())
    awarded: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))
    mediation_fee: Mapped[int] = mapped_column(Amount(ORDER_DIGITS))

    undisputed_to_buyer: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))
    undisputed_to_seller: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))
    undisputed_platform_fee: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))
    undisputed_bond_returned: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))
    undisputed_mediation_fee: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))
    shares_to_buyer: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))
    shares_to_seller: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))
    shares_platform_fee: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))
    shares_bond_returned: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))
    shares_mediation_fee: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))

    first_block: Mapped[int] = mapped_column(BigInteger)  # of its first event: the order of lists
    first_log_index: Mapped[int]
    last_block: Mapped[int] = mapped_column(BigInteger)  # of its last event: final once this is
    last_log_index: Mapped[int]

    @property
    def deadline_time(self) -> datetime | None:
        return as_time(self.deadline)

    @property
    def opened_time(self) -> datetime | None:
        return as_time(self.opened_at)

    @property
    def closed_time(self) -> datetime | None:
        return as_time(self.closed_at)


class ClockRow(Base):
    """An order that is open, by its state and by when its clock runs out; `running` joins it to the order's row.

    What an open order is looked for by, apart from its row: it says what that says, and is gone once the order closes.
    """

    __tablename__ = "clocks"
    __table_args__ = (
        CheckConstraint(any_of("state", labels(state for state in State if state.is_open)), "state"),
        Index(None, "contract_id", "deadline", "first_block", "first_log_index"),
        {"sqlite_with_rowid": False},
    )

    contract_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[State] = mapped_column(Label(State), primary_key=True)
    first_block: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # the order's place
    first_log_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    deadline: Mapped[int] = mapped_column(BigInteger)  # Unix seconds


def running() -> ColumnElement[bool]:
    """The condition that joins `ClockRow` to the `OrderRow` of the same order."""
    return and_(
        ClockRow.contract_id == OrderRow.contract_id,
        ClockRow.first_block == OrderRow.first_block,
        ClockRow.first_log_index == OrderRow.first_log_index,
        ClockRow.state == OrderRow.state,  # which says no more, and opens the key from the order's side
    )


class BalanceRow(Base):
    """What the escrow owes somebody in one token. No row: nothing."""

    __tablename__ = "balances"
    __table_args__ = (CheckConstraint(one_of("kind", labels(BalanceKind)), "kind"),)

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    kind: Mapped[BalanceKind] = mapped_column(Label(BalanceKind), primary_key=True)
    holder: Mapped[str] = mapped_column(Hash(), primary_key=True)  # seller, account or policy id
    token: Mapped[str] = mapped_column(Address(), primary_key=True)
    amount: Mapped[int] = mapped_column(Amount(BALANCE_DIGITS))  # base units


class OperatorRow(Base):
    """What a seller lets an operator do with orders of one token under one policy."""

    __tablename__ = "operators"
    __table_args__ = (Index(None, "contract_id", "operator"),)

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    seller: Mapped[str] = mapped_column(Address(), primary_key=True)
    operator: Mapped[str] = mapped_column(Address(), primary_key=True)
    token: Mapped[str] = mapped_column(Address(), primary_key=True)
    policy_id: Mapped[str] = mapped_column(Hash(), primary_key=True)
    rights: Mapped[int]  # sum of the domain's `Right`s; zero: none
    expiry: Mapped[int] = mapped_column(BigInteger)  # Unix seconds; live while t < expiry
    max_price: Mapped[int] = mapped_column(Amount(ORDER_DIGITS))

    @property
    def expiry_time(self) -> datetime | None:
        return as_time(self.expiry)


class PayToRow(Base):
    """Where operators may let a seller's money go. No row: to the seller."""

    __tablename__ = "pay_to"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    seller: Mapped[str] = mapped_column(Address(), primary_key=True)
    pay_to: Mapped[str] = mapped_column(Address())


class OutboxRow(Base):
    """What others should hear of: an order's event, or that one is no longer so. Read them with `news.read_news`.

    Rows are only ever added, in the chain's order, and an id is never used again, so that a reader who remembers the
    last id it has dealt with misses nothing. A reorg adds, for each event it takes away, a row whose `retracts` names
    that event's row. Who wants final news only takes rows at or below the final mark with both `retracts` and
    `retracted_by` NULL.

    What the event said is in its own row while it stands; a reorg, which deletes that, moves it to `withdrawn` here.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(any_of("name", order_event_names()), "name"),
        Index(
            "uq_outbox_retracts", "retracts", unique=True, sqlite_where=text(RETRACTS), postgresql_where=text(RETRACTS)
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    contract_id: Mapped[int]
    order_id: Mapped[str] = mapped_column(Hash())
    name: Mapped[str] = mapped_column(String(32))  # of the event
    block_number: Mapped[int] = mapped_column(BigInteger)
    log_index: Mapped[int]
    retracts: Mapped[int | None] = mapped_column(BigInteger)  # the id of another row
    retracted_by: Mapped[int | None] = mapped_column(BigInteger)  # likewise
    created_ms: Mapped[int] = mapped_column(BigInteger)  # Unix milliseconds of our clock, not the chain's
    # How the order stood after it: after the event, or after its retraction. NULL together: there is no such order.
    state: Mapped[State | None] = mapped_column(Label(State))
    outcome: Mapped[Outcome | None] = mapped_column(Label(Outcome))
    fault: Mapped[Fault | None] = mapped_column(Label(Fault))
    revision: Mapped[int | None]
    deadline: Mapped[int | None] = mapped_column(BigInteger)  # Unix seconds; NULL also where no clock runs
    withdrawn: Mapped[dict[str, Any] | None] = mapped_column(Json())  # NULL while the event stands

    @property
    def created_time(self) -> datetime:
        return datetime.fromtimestamp(self.created_ms / 1000, UTC)


class LeaderRow(Base):
    """Who may write, by role and scope: see `leadership`. The row's number is what a transaction is held against."""

    __tablename__ = "leaders"

    role: Mapped[str] = mapped_column(String(16), primary_key=True)  # "mirror", "keeper"
    scope: Mapped[str] = mapped_column(String(128), primary_key=True)  # of which contract or account
    term: Mapped[int] = mapped_column(BigInteger)  # grows by one each time somebody takes the place
    holder: Mapped[str] = mapped_column(String(300))  # "host:pid"
    since: Mapped[int] = mapped_column(BigInteger)  # Unix seconds of the holder's clock

    @property
    def since_time(self) -> datetime | None:
        return as_time(self.since)
