"""What is asked of the tables of webhooks."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from kameng_escrow.store.loading import parts

from .notifying import Delivery, Stage
from .webhook_rows import AttemptRow, DeliveryRow, EndpointRow

# ----------------------------------------------------------------------------------------------------------- endpoints


def endpoints_of(session: Session, contract_id: int, owner: str) -> Sequence[EndpointRow]:
    """An account's endpoints, the oldest first."""
    query = select(EndpointRow).filter_by(contract_id=contract_id, owner=owner).order_by(EndpointRow.id)
    return session.scalars(query).all()


def endpoint_of(
    session: Session, contract_id: int, owner: str, endpoint_id: str, *, lock: bool = False
) -> EndpointRow | None:
    """An account's endpoint of that id; `lock`: nobody else changes it until the transaction ends."""
    query = select(EndpointRow).filter_by(id=endpoint_id, contract_id=contract_id, owner=owner)
    return session.scalar(query.with_for_update() if lock else query)


def listening(session: Session, contract_id: int, delivery: Delivery) -> Sequence[EndpointRow]:
    """The endpoints of a kind that are enabled."""
    query = select(EndpointRow).filter_by(contract_id=contract_id, delivery=delivery, disabled_ms=None)
    return session.scalars(query.order_by(EndpointRow.id)).all()


def forget_endpoint(session: Session, endpoint_id: str) -> None:
    """Deletes an endpoint and all that was ever sent there."""
    mine = select(DeliveryRow.id).where(DeliveryRow.endpoint_id == endpoint_id)
    session.execute(delete(AttemptRow).where(AttemptRow.delivery_id.in_(mine)))
    session.execute(delete(DeliveryRow).where(DeliveryRow.endpoint_id == endpoint_id))
    session.execute(delete(EndpointRow).where(EndpointRow.id == endpoint_id))


# ---------------------------------------------------------------------------------------------------------- deliveries


def enqueue(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Adds deliveries; leaves out those that there are."""
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    for part in parts(rows):
        session.execute(dialect.insert(DeliveryRow).values(part).on_conflict_do_nothing())


def told(session: Session, endpoint_ids: Sequence[str], outbox_id: int) -> list[DeliveryRow]:
    """What was, or will be, sent to these endpoints because of a row of the outbox."""
    query = select(DeliveryRow).where(DeliveryRow.outbox_id == outbox_id)
    return [
        row for part in parts(endpoint_ids) for row in session.scalars(query.where(DeliveryRow.endpoint_id.in_(part)))
    ]


def endpoints_with_due(session: Session, contract_id: int, now_ms: int) -> Sequence[EndpointRow]:
    """The enabled endpoints for which something is to be sent now."""
    something = exists().where(
        DeliveryRow.endpoint_id == EndpointRow.id, DeliveryRow.stage == Stage.Waiting, DeliveryRow.next_try_ms <= now_ms
    )
    query = select(EndpointRow).where(
        EndpointRow.contract_id == contract_id,
        EndpointRow.disabled_ms.is_(None),
        or_(EndpointRow.quiet_until_ms.is_(None), EndpointRow.quiet_until_ms <= now_ms),
        something,
    )
    return session.scalars(query.order_by(EndpointRow.id)).all()


def due(session: Session, endpoint_id: str, now_ms: int, *, busy: Collection[int], limit: int) -> Sequence[DeliveryRow]:
    """What an endpoint is to be sent now: of each order only the first that waits. `busy`: under way already."""
    before = aliased(DeliveryRow)
    query = (
        select(DeliveryRow)
        .where(
            DeliveryRow.endpoint_id == endpoint_id,
            DeliveryRow.stage == Stage.Waiting,
            DeliveryRow.next_try_ms <= now_ms,
            DeliveryRow.id.not_in(busy),
            ~exists().where(
                before.endpoint_id == DeliveryRow.endpoint_id,
                before.order_id == DeliveryRow.order_id,
                before.stage == Stage.Waiting,
                before.outbox_id < DeliveryRow.outbox_id,
            ),
        )
        .order_by(DeliveryRow.next_try_ms, DeliveryRow.id)
        .limit(limit)
    )
    return session.scalars(query).all()


def move_followers(session: Session, row: DeliveryRow, next_try_ms: int) -> None:
    """Has those that wait behind a delivery, for the same order, wait until then."""
    if row.order_id is None:
        return
    session.execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.endpoint_id == row.endpoint_id,
            DeliveryRow.order_id == row.order_id,
            DeliveryRow.stage == Stage.Waiting,
            DeliveryRow.outbox_id > row.outbox_id,
        )
        .values(next_try_ms=next_try_ms)
    )


def deliveries_of(
    session: Session,
    endpoint_id: str,
    *,
    stages: Collection[Stage] | None = None,
    order_id: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[DeliveryRow]:
    """An endpoint's deliveries, the newest first; `before`: only with smaller ids."""
    query = select(DeliveryRow).where(DeliveryRow.endpoint_id == endpoint_id)
    if stages is not None:
        query = query.where(DeliveryRow.stage.in_(stages))
    if order_id is not None:
        query = query.where(DeliveryRow.order_id == order_id)
    if before is not None:
        query = query.where(DeliveryRow.id < before)
    return session.scalars(query.order_by(DeliveryRow.id.desc()).limit(limit)).all()


def attempts_of(session: Session, delivery_ids: Iterable[int]) -> Sequence[AttemptRow]:
    """What was tried for these deliveries, in its order."""
    query = select(AttemptRow).where(AttemptRow.delivery_id.in_(list(delivery_ids)))
    return session.scalars(query.order_by(AttemptRow.delivery_id, AttemptRow.at_ms)).all()


def ask_again(session: Session, endpoint_id: str, since_ms: int, now_ms: int) -> int:
    """Has what was given up since then sent again; returns how much that is."""
    again = (
        update(DeliveryRow)
        .where(
            DeliveryRow.endpoint_id == endpoint_id,
            DeliveryRow.stage == Stage.Failed,
            DeliveryRow.created_ms >= since_ms,
        )
        .values(stage=Stage.Waiting, attempts=0, next_try_ms=now_ms, ended_ms=None)
    )
    return int(getattr(session.execute(again), "rowcount", 0))


def waiting_test(session: Session, endpoint_id: str) -> DeliveryRow | None:
    """The test of an endpoint that waits for its time; None: there is none."""
    query = select(DeliveryRow).filter_by(endpoint_id=endpoint_id, outbox_id=None, stage=Stage.Waiting)
    return session.scalar(query.order_by(DeliveryRow.id).limit(1).with_for_update())


def owners_of(session: Session, endpoint_ids: Collection[str]) -> dict[str, str]:
    """Whose these endpoints are, by id."""
    query = select(EndpointRow.id, EndpointRow.owner).where(EndpointRow.id.in_(endpoint_ids))
    return {row.id: row.owner for row in session.execute(query)}


def waiting_count(session: Session, contract_id: int) -> int:
    """How many deliveries wait for their time or their turn, disabled endpoints' left out."""
    query = (
        select(func.count())
        .select_from(DeliveryRow)
        .join(EndpointRow, EndpointRow.id == DeliveryRow.endpoint_id)
        .where(DeliveryRow.stage == Stage.Waiting, EndpointRow.contract_id == contract_id)
        .where(EndpointRow.disabled_ms.is_(None))
    )
    return session.scalar(query) or 0


def forget_old(session: Session, before_ms: int, limit: int) -> int:
    """Deletes at most `limit` deliveries that ended before then; returns how many there were."""
    query = select(DeliveryRow.id).where(DeliveryRow.ended_ms < before_ms).order_by(DeliveryRow.id).limit(limit)
    ids = session.scalars(query).all()
    for part in parts(ids):
        session.execute(delete(AttemptRow).where(AttemptRow.delivery_id.in_(part)))
        session.execute(delete(DeliveryRow).where(DeliveryRow.id.in_(part)))
    return len(ids)
