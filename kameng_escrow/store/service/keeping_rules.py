"""What there is of each topic to erase, and erasing it. An order that is open keeps all that it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Select, delete, exists, func, null, or_, select, update
from sqlalchemy.orm import Session

from kameng_escrow.domain.transcript import EntryKind
from kameng_escrow.store.loading import parts
from kameng_escrow.store.models import OrderRow

from . import accounts, deliveries, disputes, notifications, talk
from .accounts import SessionRow
from .deliveries import DeliveryRow
from .dispute_rows import PaperRow
from .idempotency import AnswerRow
from .notification_rows import ChannelRow, PersonRow
from .talk_rows import EntryRow, RoomRow
from .trade_rows import Hold, OfferRow, QuoteRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is old enough."""

    contract_id: int
    before: int  # Unix seconds: what ended earlier
    now: int  # Unix seconds of our clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whose, and of which orders."""

    contract_id: int
    account: str  # checksummed
    closed_before: int  # Unix seconds: of orders that closed earlier
    now: int  # Unix seconds of our clock


# ------------------------------------------------------------------------------------------------------------- codes


def count_codes(session: Session, span: Span) -> int:
    """Deliveries, by their orders' end."""
    query = select(func.count()).select_from(DeliveryRow).where(_codes(span.contract_id, span.before))
    return session.scalar(query) or 0


def erase_codes(session: Session, span: Span, limit: int) -> int:
    found = deliveries.orders_to_erase(session, span.contract_id, span.before, limit=limit)
    return sum(deliveries.erase_deliveries(session, span.contract_id, order_id, span.now) for order_id in found)


def count_codes_of(session: Session, person: Person) -> int:
    return len(_orders_with_codes(session, person))


def erase_codes_of(session: Session, person: Person) -> int:
    found = _orders_with_codes(session, person)
    return sum(deliveries.erase_deliveries(session, person.contract_id, order_id, person.now) for order_id in found)


def _orders_with_codes(session: Session, person: Person) -> Sequence[str]:
    bought = _closed(DeliveryRow, person.contract_id, person.closed_before, OrderRow.buyer == person.account)
    query = select(DeliveryRow.order_id).where(DeliveryRow.erased_at.is_(None), bought)
    return session.scalars(query.where(DeliveryRow.contract_id == person.contract_id).distinct()).all()


def _codes(contract_id: int, before: int) -> ColumnElement[bool]:
    of_contract = DeliveryRow.contract_id == contract_id
    return of_contract & DeliveryRow.erased_at.is_(None) & _closed(DeliveryRow, contract_id, before)


# -------------------------------------------------------------------------------------------------------------- talk

_SAID = (EntryKind.Message.value, EntryKind.Evidence.value)


def count_talk(session: Session, span: Span) -> int:
    """Entries that say something."""
    query = select(func.count()).select_from(EntryRow).join(RoomRow, RoomRow.id == EntryRow.room_id)
    return session.scalar(query.where(*_standing(), _rooms(span.contract_id, span.before))) or 0


def erase_talk(session: Session, span: Span, limit: int) -> int:
    said = exists().where(EntryRow.room_id == RoomRow.id, *_standing())
    query = select(RoomRow.order_id).where(_rooms(span.contract_id, span.before), said).limit(limit)
    return sum(_erase_room(session, span.contract_id, order_id, span.now) for order_id in session.scalars(query).all())


def count_talk_of(session: Session, person: Person) -> int:
    query = select(func.count()).select_from(EntryRow).join(RoomRow, RoomRow.id == EntryRow.room_id)
    mine = EntryRow.author == person.account
    return session.scalar(query.where(*_standing(), mine, _rooms(person.contract_id, person.closed_before))) or 0


def erase_talk_of(session: Session, person: Person) -> int:
    mine = EntryRow.author == person.account
    said = exists().where(EntryRow.room_id == RoomRow.id, mine, *_standing())
    query = select(RoomRow.order_id).where(_rooms(person.contract_id, person.closed_before), said)
    return sum(
        _erase_room(session, person.contract_id, order_id, person.now, mine)
        for order_id in session.scalars(query).all()
    )


def _erase_room(session: Session, contract_id: int, order_id: str, now: int, *whose: ColumnElement[bool]) -> int:
    room = talk.locked_room(session, contract_id, order_id)
    query = select(EntryRow.seq).where(EntryRow.room_id == room.id, *_standing(), *whose)
    seqs = session.scalars(query).all()
    talk.erase(session, room, seqs, now_ms=now * 1000)
    return len(seqs)


def _standing() -> tuple[ColumnElement[bool], ...]:
    return EntryRow.kind.in_(_SAID), EntryRow.body.is_not(None)


def _rooms(contract_id: int, before: int) -> ColumnElement[bool]:
    return (RoomRow.contract_id == contract_id) & _closed(RoomRow, contract_id, before)


# ------------------------------------------------------------------------------------------------------------- papers


def count_papers(session: Session, span: Span) -> int:
    query = select(func.count()).select_from(PaperRow).where(*_papers(span.contract_id, span.before))
    return session.scalar(query) or 0


def erase_papers(session: Session, span: Span, limit: int) -> int:
    query = select(PaperRow.order_id).where(*_papers(span.contract_id, span.before)).distinct().limit(limit)
    return sum(disputes.erase_papers(session, span.contract_id, one) for one in session.scalars(query).all())


def count_papers_of(session: Session, person: Person) -> int:
    return len(_papers_by(session, person))


def erase_papers_of(session: Session, person: Person) -> int:
    found = _papers_by(session, person)
    for part in parts(found):
        session.execute(update(PaperRow).where(PaperRow.hash.in_(part)).values(document=null()))
    return len(found)


def _papers_by(session: Session, person: Person) -> Sequence[str]:
    wanted = (*_papers(person.contract_id, person.closed_before), PaperRow.author == person.account)
    return session.scalars(select(PaperRow.hash).where(*wanted)).all()


def _papers(contract_id: int, before: int) -> tuple[ColumnElement[bool], ...]:
    standing = PaperRow.document.is_not(None)
    return PaperRow.contract_id == contract_id, standing, _closed(PaperRow, contract_id, before)


# ------------------------------------------------------------------------------------------------------------- quotes


def count_quotes(session: Session, span: Span) -> int:
    return session.scalar(select(func.count()).select_from(_old_quotes(span).subquery())) or 0


def erase_quotes(session: Session, span: Span, limit: int) -> int:
    ids = session.scalars(_old_quotes(span).order_by(QuoteRow.id).limit(limit)).all()
    for part in parts(ids):
        session.execute(delete(OfferRow).where(OfferRow.quote_id.in_(part)))
        session.execute(delete(QuoteRow).where(QuoteRow.id.in_(part)))
    return len(ids)


def _old_quotes(span: Span) -> Select[str]:
    """Those whose units are held for nothing any more, and whose order was never opened or closed long ago."""
    order = select(OrderRow.order_id).where(
        OrderRow.contract_id == QuoteRow.contract_id, OrderRow.order_id == QuoteRow.order_id
    )
    return select(QuoteRow.id).where(
        QuoteRow.contract_id == span.contract_id,
        QuoteRow.expires_at < span.before,
        QuoteRow.hold.in_([Hold.Spent, Hold.Released]),
        or_(~order.exists(), _closed(QuoteRow, span.contract_id, span.before)),
    )


# ----------------------------------------------------------------------------------------------------------- accounts


def count_sessions(session: Session, span: Span) -> int:
    query = select(func.count()).select_from(SessionRow).where(SessionRow.expires_at < span.now)
    return session.scalar(query) or 0


def erase_sessions(session: Session, span: Span, limit: int) -> int:
    query = select(SessionRow.id).where(SessionRow.expires_at < span.now).limit(limit)
    ids = session.scalars(query).all()
    for part in parts(ids):
        session.execute(delete(SessionRow).where(SessionRow.id.in_(part)))
    return len(ids)


def count_sessions_of(session: Session, person: Person) -> int:
    return session.scalar(select(func.count()).select_from(SessionRow).filter_by(account=person.account)) or 0


def erase_sessions_of(session: Session, person: Person) -> int:
    return accounts.end_sessions(session, account=person.account)


def count_answers_of(session: Session, person: Person) -> int:
    return session.scalar(select(func.count()).select_from(AnswerRow).filter_by(caller=person.account)) or 0


def erase_answers_of(session: Session, person: Person) -> int:
    return _rows(session.execute(delete(AnswerRow).where(AnswerRow.caller == person.account)))


def count_channels_of(session: Session, person: Person) -> int:
    return len(notifications.channels_of(session, person.account))


def erase_channels_of(session: Session, person: Person) -> int:
    found = session.scalars(select(ChannelRow.id).filter_by(account=person.account)).all()
    for channel_id in found:
        notifications.forget_channel(session, channel_id)
    session.execute(delete(PersonRow).where(PersonRow.account == person.account))
    return len(found)


def _rows(result: Any) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0


def _closed(model: Any, contract_id: int, before: int, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    """That the order of a row closed before then, for good."""
    return exists().where(
        OrderRow.contract_id == contract_id,
        OrderRow.order_id == model.order_id,
        *deliveries.closed_for_good(contract_id, before),
        *more,
    )
