"""Two who need the same row for the first time at the same moment, on PostgreSQL: neither fails; one row."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.store import Store
from kameng_escrow.store.models import Base
from kameng_escrow.store.service import deliveries, deposits, idempotency, listings, notifications, outbox, relays, talk
from kameng_escrow.store.service.notification_rows import PersonRow
from kameng_escrow.store.service.talk_rows import RoomRow
from kameng_escrow.store.service.trade_rows import DeskRow
from kameng_escrow.store.service.webhook_rows import CursorRow
from tests.integration.shelf import BUYER, HASH, NOW, SELLER, Shelf
from tests.unit.histories import PLATFORM, account

ORDER = "0x" + "11" * 32
TERMS = OrderTerms(
    buyer=BUYER,
    refund_to=BUYER,
    seller=SELLER,
    pay_to=SELLER,
    token=NATIVE,
    price=10,
    units=1,
    policy_id=HASH,
    listing=HASH,
    open_by=NOW,
    salt=HASH,
)
Use = Callable[[Session, int], object]


def watch(session: Session, contract: int) -> object:
    return deposits.watch(
        session,
        contract,
        ORDER,
        address=account(50),
        terms=TERMS,
        platform=PLATFORM,
        account=BUYER,
        offer=None,
        signature=b"\x01",
        now_ms=1,
    )


def keep(session: Session, contract: int) -> object:
    return deliveries.store_delivery(
        session,
        contract_id=contract,
        order_id=ORDER,
        commitment=HASH,
        root=HASH,
        payload_hash=HASH,
        payload=b"x",
        account=SELLER,
        now=NOW,
    )


def show(session: Session, contract: int) -> object:
    keep(session, contract)
    return deliveries.add_disclosure(
        session, contract_id=contract, order_id=ORDER, account=BUYER, payload_hash=HASH, now=NOW, unit=1, code="a"
    )


def ask(session: Session, _: int) -> object:
    return idempotency.begin(session, caller="c", key="k", request_hash="00" * 32, now=NOW)


USES: dict[str, tuple[Use, type[Base], int]] = {
    "readers": (outbox.begin_reading, CursorRow, 3),
    "person": (
        lambda session, _: notifications.locked_person(session, BUYER, language="zh", time_zone="UTC", now_ms=1),
        PersonRow,
        1,
    ),
    "desk": (lambda session, n: listings.set_desk(session, n, PLATFORM, reviews=True, now=NOW), DeskRow, 1),
    "deposit": (watch, deposits.DepositRow, 1),
    "budget": (lambda session, n: relays.set_budget(session, n, PLATFORM, 5), relays.RelayBudgetRow, 1),
    "room": (lambda session, n: talk.locked_room(session, n, ORDER), RoomRow, 1),
    "delivery": (keep, deliveries.DeliveryRow, 1),
    "disclosure": (show, deliveries.DisclosureRow, 1),
    "request": (ask, idempotency.AnswerRow, 1),
}


@pytest.fixture(scope="module")
def shelf(postgres: object) -> Iterator[Shelf]:
    url: str = postgres.create_database()  # type: ignore[attr-defined]  # a tests.postgres.Server
    with Store.open(url) as store:
        yield Shelf(store)
    postgres.drop_database(url)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", USES)
def test_of_two_at_once_neither_fails(shelf: Shelf, name: str) -> None:
    use, kind, rows = USES[name]
    failures: list[BaseException] = []

    def second() -> None:
        try:
            with shelf.store.writing() as session:
                use(session, shelf.contract_id)
        except BaseException as error:  # told below, in the test's own thread
            failures.append(error)

    thread = threading.Thread(target=second)
    with shelf.store.writing() as session:
        use(session, shelf.contract_id)
        thread.start()
        until_one_waits(shelf.store)
    thread.join(60)
    assert failures == []
    with shelf.store.reading() as session:
        assert session.scalar(select(func.count()).select_from(kind)) == rows


def until_one_waits(store: Store) -> None:
    """Until another session waits for what this one has."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    end = time.monotonic() + 60
    with store.engine.connect() as connection:
        while not connection.scalar(text(waiting)):
            connection.rollback()  # the view is of the transaction's beginning
            assert time.monotonic() < end, "nobody waits"
            time.sleep(0.01)
