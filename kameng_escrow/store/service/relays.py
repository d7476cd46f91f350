"""Relays: what was accepted to be brought to the chain, in which intents, and what each platform may spend on it.

A relay is written down before anything is sent for it. From then on its row follows the intent that carries it, in the
same transactions that write the intent (`follow`), so that the two never tell different stories.
"""

from collections.abc import Iterable

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from kameng_escrow.errors import EscrowError
from kameng_escrow.store.journal_models import IntentRow, TransactionRow
from kameng_escrow.store.keeping import LONGEST_WAIT_MS, BrokenJournal, Intent, Stage
from kameng_escrow.store.models import ORDER_DIGITS, Base
from kameng_escrow.store.relaying import Allowance, NewRelay, Relay, RelayKind, RelayStage
from kameng_escrow.store.types import Address, Amount, Hash, Label, labels, one_of
from kameng_escrow.store.unless_there import insert_unless_there

from .ids import LENGTH, new_id

DAY_MS = 86_400_000
_OPEN = "stage IN ('Accepted', 'Sent', 'Mined')"
_OPEN_STAGES = (RelayStage.Accepted, RelayStage.Sent, RelayStage.Mined)


class RelayRow(Base):
    """Something to be brought to the chain."""

    __tablename__ = "relays"
    __table_args__ = (
        CheckConstraint(one_of("kind", labels(RelayKind)), "kind"),
        CheckConstraint(one_of("stage", labels(RelayStage)), "stage"),
        # The same call twice would be one too many.
        Index(
            None,
            *("contract_id", "digest"),
            unique=True,
            sqlite_where=text(_OPEN),
            postgresql_where=text(_OPEN),
        ),
        Index(None, "contract_id", "try_ms", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
        Index(None, "contract_id", "order_id"),
        Index(None, "account", "created_ms"),
        Index(None, "intent_id"),
    )

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    kind: Mapped[RelayKind] = mapped_column(Label(RelayKind))
    order_id: Mapped[str] = mapped_column(Hash())
    verb: Mapped[str | None] = mapped_column(String(16))  # of an action
    platform: Mapped[str] = mapped_column(Address())  # whose budget it is
    account: Mapped[str | None] = mapped_column(Address())  # who asked; NULL: the watcher of deposits
    target: Mapped[str] = mapped_column(Address())  # the contract that is called
    data: Mapped[bytes] = mapped_column(LargeBinary)  # the calldata
    digest: Mapped[str] = mapped_column(Hash())  # of both
    gas: Mapped[int] = mapped_column(BigInteger)
    created_ms: Mapped[int] = mapped_column(BigInteger)  # Unix milliseconds of our clock, likewise below
    stage: Mapped[RelayStage] = mapped_column(Label(RelayStage))
    try_ms: Mapped[int] = mapped_column(BigInteger)  # not before
    intent_id: Mapped[int | None] = mapped_column(ForeignKey("keeper_intents.id"))  # that carries it, or did last
    failures: Mapped[int]
    code: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(Text)
    reason_zh: Mapped[str | None] = mapped_column(Text)


class RelayIntentRow(Base):
    """That an intent carries a relay, or has: one at a time, another only once it can't be mined any more."""

    __tablename__ = "relay_intents"
    __table_args__ = (Index(None, "relay_id"),)

    intent_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("keeper_intents.id"), primary_key=True, autoincrement=False
    )
    relay_id: Mapped[str] = mapped_column(ForeignKey("relays.id"))


class RelayBudgetRow(Base):
    """What the relays of a platform's orders may cost, where it is another sum than the settings'."""

    __tablename__ = "relay_budgets"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    platform: Mapped[str] = mapped_column(Address(), primary_key=True)
    daily: Mapped[int | None] = mapped_column(Amount(ORDER_DIGITS))  # wei in any 24 hours; NULL: no limit


# --------------------------------------------------------------------------------------------------------- accepting


def accept(session: Session, contract_id: int, new: NewRelay, digest: str, now_ms: int) -> Relay:
    """Writes a relay down; or finds the one that is under way with the same call. `digest`: of contract and call."""
    known = under_way(session, contract_id, digest)
    if known is not None:
        return known
    row = RelayRow(
        id=new_id("rly"),
        contract_id=contract_id,
        kind=new.kind,
        order_id=new.order_id,
        verb=new.verb,
        platform=new.platform,
        account=new.account,
        target=new.to,
        data=new.data,
        digest=digest,
        gas=new.gas,
        created_ms=now_ms,
        stage=RelayStage.Accepted,
        try_ms=now_ms,
        failures=0,
    )
    session.add(row)
    session.flush()
    return _relay(row)


def under_way(session: Session, contract_id: int, digest: str) -> Relay | None:
    """The relay that is to make this very call, unless it has ended."""
    query = select(RelayRow).filter_by(contract_id=contract_id, digest=digest).where(RelayRow.stage.in_(_OPEN_STAGES))
    row = session.scalar(query)
    return None if row is None else _relay(row)


def relay(session: Session, contract_id: int, relay_id: str) -> Relay | None:
    """One relay."""
    row = session.get(RelayRow, relay_id)
    return None if row is None or row.contract_id != contract_id else _relay(row)


def of_order(session: Session, contract_id: int, order_id: str, *, kind: RelayKind | None = None) -> list[Relay]:
    """The relays of an order, the newest first."""
    query = select(RelayRow).filter_by(contract_id=contract_id, order_id=order_id).order_by(RelayRow.id.desc())
    if kind is not None:
        query = query.where(RelayRow.kind == kind)
    return [_relay(row) for row in session.scalars(query)]


def latest(session: Session, contract_id: int, limit: int) -> list[Relay]:
    """The last `limit` relays, the newest first."""
    query = select(RelayRow).filter_by(contract_id=contract_id).order_by(RelayRow.id.desc()).limit(limit)
    return [_relay(row) for row in session.scalars(query)]


def asked_since(session: Session, account: str, since_ms: int) -> int:
    """How many relays an account has been granted since then."""
    query = select(func.count()).select_from(RelayRow).filter_by(account=account)
    return session.scalar(query.where(RelayRow.created_ms >= since_ms)) or 0


# ----------------------------------------------------------------------------------------------------------- sending


def to_send(session: Session, contract_id: int, now_ms: int, limit: int) -> list[Relay]:
    """The relays that wait to be sent, the oldest first; without those that are to be tried later."""
    query = (
        select(RelayRow)
        .filter_by(contract_id=contract_id, stage=RelayStage.Accepted)
        # What lies further ahead than anybody waits was written before the clock was set back.
        .where(or_(RelayRow.try_ms <= now_ms, RelayRow.try_ms > now_ms + LONGEST_WAIT_MS))
        .order_by(RelayRow.created_ms, RelayRow.id)
        .limit(limit)
    )
    return [_relay(row) for row in session.scalars(query)]


def count_open(session: Session, contract_id: int) -> dict[RelayStage, int]:
    """How many relays stand where, of those that have not ended."""
    query = select(RelayRow.stage, func.count()).filter_by(contract_id=contract_id)
    counts = dict.fromkeys(_OPEN_STAGES, 0)
    for row in session.execute(query.where(RelayRow.stage.in_(_OPEN_STAGES)).group_by(RelayRow.stage)):
        counts[row[0]] = row[1]
    return counts


def take(session: Session, relay_id: str, intent: Intent) -> None:
    """An intent is to carry the relay. Raises `BrokenJournal` where another does, or the relay has ended."""
    row = session.get(RelayRow, relay_id, with_for_update=True)
    if row is None or row.stage is not RelayStage.Accepted or row.intent_id is not None:
        raise BrokenJournal(f"relay {relay_id} does not wait to be sent")
    row.stage, row.intent_id, row.failures = RelayStage.Sent, intent.id, 0
    row.code = row.reason = row.reason_zh = None
    session.add(RelayIntentRow(intent_id=intent.id, relay_id=relay_id))


def follow(session: Session, intent: Intent) -> None:
    """The relay stands where the intent that carries it does."""
    row = session.scalar(select(RelayRow).filter_by(intent_id=intent.id))
    if row is None:  # it only fills a gap
        return
    match intent.stage:
        case Stage.Live:
            row.stage = RelayStage.Sent
        case Stage.Mined:
            row.stage = RelayStage.Mined
        case Stage.Settled:
            row.stage = RelayStage.Done
            row.code = row.reason = row.reason_zh = None
        case Stage.Reverted:
            row.stage = RelayStage.Failed
        case Stage.Withdrawn:
            row.stage = RelayStage.Refused
        case Stage.Displaced:  # it can never be mined: another may carry the relay
            row.stage, row.intent_id = RelayStage.Accepted, None


def carried(session: Session, intent_id: int) -> Relay | None:
    """The relay that an intent carries; None: none."""
    row = session.scalar(select(RelayRow).filter_by(intent_id=intent_id))
    return None if row is None else _relay(row)


def note(
    session: Session,
    relay_id: str,
    error: EscrowError,
    *,
    ended: bool,
    try_ms: int | None = None,
    failed: bool = False,
) -> None:
    """Why a relay is not brought, for good or until `try_ms`. `failed`: that was an attempt."""
    row = session.get_one(RelayRow, relay_id)
    row.code, row.reason = error.code, error.message
    row.reason_zh = str(getattr(error, "message_zh", error.message))
    if ended and row.stage is RelayStage.Accepted:
        row.stage = RelayStage.Refused
    if try_ms is not None:
        row.try_ms = try_ms
    row.failures += failed


# ------------------------------------------------------------------------------------------------------------ budgets


def set_budget(session: Session, contract_id: int, platform: str, daily: int | None) -> None:
    """What a platform's relays may cost in any 24 hours, in wei; None: as much as there is."""
    insert_unless_there(session, RelayBudgetRow, contract_id=contract_id, platform=platform, daily=daily)
    session.get_one(RelayBudgetRow, (contract_id, platform), with_for_update=True).daily = daily


def forget_budget(session: Session, contract_id: int, platform: str) -> None:
    """The settings' sum counts for the platform again."""
    row = session.get(RelayBudgetRow, (contract_id, platform))
    if row is not None:
        session.delete(row)


def budgets(session: Session, contract_id: int) -> dict[str, int | None]:
    """The platforms with a sum of their own."""
    query = select(RelayBudgetRow).filter_by(contract_id=contract_id).order_by(RelayBudgetRow.platform)
    return {row.platform: row.daily for row in session.scalars(query)}


def allowance(session: Session, contract_id: int, platform: str, *, default: int | None, now_ms: int) -> Allowance:
    """What a platform may spend, and what it has in the last 24 hours."""
    row = session.get(RelayBudgetRow, (contract_id, platform))
    # From the intents, of which a day has few, and not from all that was ever relayed.
    carries = (
        select(RelayIntentRow.intent_id)
        .join(RelayRow, RelayRow.id == RelayIntentRow.relay_id)
        .where(RelayIntentRow.intent_id == IntentRow.id)
        .where(RelayRow.contract_id == contract_id, RelayRow.platform == platform)
    )
    of_platform = (IntentRow.contract_id == contract_id, carries.exists())
    costs = session.scalars(select(IntentRow.cost).where(*of_platform, IntentRow.mined_ms >= now_ms - DAY_MS))
    spent = sum(cost for cost in costs if cost is not None)
    live = (IntentRow.stage == Stage.Live, IntentRow.mined_ms.is_(None))  # the second says no more, and has an index
    sent = session.execute(
        select(TransactionRow.intent_id, TransactionRow.gas, TransactionRow.highest_fee).where(
            TransactionRow.intent_id == IntentRow.id, *of_platform, *live
        )
    )
    return Allowance(
        platform=platform,
        limit=default if row is None else row.daily,
        spent=spent,
        under_way=sum(_dearest((intent_id, gas * fee) for intent_id, gas, fee in sent).values()),
    )


def held_up(session: Session, contract_id: int, code: str) -> Relay | None:
    """The oldest relay that waits to be sent because of such an error; None: none does."""
    query = select(RelayRow).filter_by(contract_id=contract_id, stage=RelayStage.Accepted, code=code)
    row = session.scalar(query.order_by(RelayRow.created_ms, RelayRow.id).limit(1))
    return None if row is None else _relay(row)


def cost_of(session: Session, relay_id: str) -> tuple[int, list[str]]:
    """What a relay has cost so far, in wei, and the transactions that were signed for it, the last one last."""
    intents = select(IntentRow).where(IntentRow.id == RelayIntentRow.intent_id, RelayIntentRow.relay_id == relay_id)
    costs = [row.cost for row in session.scalars(intents) if row.cost is not None]
    hashes = (
        select(TransactionRow.hash)
        .where(TransactionRow.intent_id == RelayIntentRow.intent_id, RelayIntentRow.relay_id == relay_id)
        .order_by(TransactionRow.intent_id, TransactionRow.position)
    )
    return sum(costs), list(session.scalars(hashes))


def mined_hash(session: Session, relay_id: str) -> str | None:
    """The transaction of a relay that is in a block; None: none is."""
    query = select(IntentRow.mined_hash).where(
        IntentRow.id == RelayRow.intent_id, RelayRow.id == relay_id, IntentRow.mined_hash.is_not(None)
    )
    return session.scalar(query)


def _dearest(costs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """By intent the most that it may cost: only one of its transactions is ever mined."""
    most: dict[int, int] = {}
    for intent_id, cost in costs:
        most[intent_id] = max(cost, most.get(intent_id, 0))
    return most


def _relay(row: RelayRow) -> Relay:
    return Relay(
        id=row.id,
        contract_id=row.contract_id,
        kind=row.kind,
        order_id=row.order_id,
        verb=row.verb,
        platform=row.platform,
        account=row.account,
        to=row.target,
        data=row.data,
        gas=row.gas,
        created_ms=row.created_ms,
        stage=row.stage,
        intent_id=row.intent_id,
        failures=row.failures,
        code=row.code,
        reason=row.reason,
        reason_zh=row.reason_zh,
    )
