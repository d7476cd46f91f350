"""What is erased by age or on request, and what of it stays, on both databases and with real orders."""

from typing import Any

import pytest
from sqlalchemy import func, select

from kameng_escrow.domain.states import State
from kameng_escrow.domain.transcript import EntryKind
from kameng_escrow.store import Store, contracts
from kameng_escrow.store.service import accounts, talk
from kameng_escrow.store.service.audit import entries
from kameng_escrow.store.service.audit_check import verify
from kameng_escrow.store.service.deliveries import DeliveryRow
from kameng_escrow.store.service.dispute_rows import PaperRow
from kameng_escrow.store.service.ids import new_id
from kameng_escrow.store.service.notification_rows import PersonRow
from kameng_escrow.store.service.retention import (
    DAY,
    KINDS,
    LEGAL_DAYS,
    PERSONAL,
    clear,
    due,
    erase_account,
    personal,
)
from kameng_escrow.store.service.talk_rows import EntryRow

from .escrow_world import COMMITMENT, EscrowWorld
from .mirrors import mirror_of

MOST = LEGAL_DAYS * DAY


class Kept:
    """A store with a closed and an open order, each with everything that is kept beside an order."""

    def __init__(self, world: EscrowWorld, store: Store) -> None:
        self.world, self.store = world, store
        self.closed, self.open = world.delivered(), world.delivered()
        world.send(world.buyer, "confirm", self.closed, State.Delivered)
        mirror_of(world, store, final_depth=0).run_once()
        self.contract = contracts(store)[0]
        self.closed_at = self.contract.marks.seen_at
        self.ids = [world.id_of(terms) for terms in (self.closed, self.open)]
        with store.writing() as session:
            for order_id in self.ids:
                self._fill(session, order_id)
            accounts.begin_session(session, world.buyer.address, self.closed_at, lifetime=DAY)
            session.add(PersonRow(account=world.buyer.address, language="zh", time_zone="Asia/Shanghai", **PERSON))

    def _fill(self, session: Any, order_id: str) -> None:
        world = self.world
        session.add(
            DeliveryRow(
                id=new_id("dlv"),
                contract_id=self.contract.id,
                order_id=order_id,
                commitment=COMMITMENT,
                root="0x" + "10" * 32,
                payload_hash="0x" + "20" * 32,
                payload=b"age-encryption.org/v1 codes",
                size=27,
                stored_by=world.seller.address,
                stored_at=self.closed_at,
            )
        )
        room = talk.locked_room(session, self.contract.id, order_id)
        for account, seat in ((world.buyer, "buyer"), (world.seller, "seller")):
            talk.append(
                session,
                room,
                EntryKind.Message,
                {"text": f"卡不能用 {account.address}"},
                author=account.address,
                seat=seat,
                now_ms=self.closed_at * 1000,
            )
        session.add(
            PaperRow(
                hash="0x" + order_id[2:].rjust(64, "0"),
                contract_id=self.contract.id,
                order_id=order_id,
                kind="evidence",
                author=world.buyer.address,
                document={"reason": "code_invalid"},
                written_ms=self.closed_at * 1000,
            )
        )

    def count(self, query: Any) -> int:
        with self.store.reading() as session:
            return session.scalar(query) or 0

    def said(self) -> int:
        return self.count(
            select(func.count()).select_from(EntryRow).where(EntryRow.kind == "message", EntryRow.body.is_not(None))
        )

    def codes(self) -> int:
        return self.count(select(func.count()).select_from(DeliveryRow).where(DeliveryRow.payload.is_not(None)))


PERSON: dict[str, Any] = {"quiet_from": None, "quiet_to": None, "muted": [], "codes": 0, "codes_since_ms": 0}


@pytest.fixture
def kept(world: EscrowWorld, store: Store) -> Kept:
    return Kept(world, store)


# --------------------------------------------------------------------------------------------------------- refusals


def test_nothing_goes_before_its_time(kept: Kept) -> None:
    at = kept.closed_at + MOST
    found = due(kept.store, kept.contract.id, now=at)
    assert {name for name, count in found.items() if count} == {"sessions"}
    clear(kept.store, kept.contract.id, [kind.name for kind in KINDS], now=at)
    assert (kept.said(), kept.codes()) == (4, 2)


def test_records_are_kept_three_years_whatever_is_asked(kept: Kept) -> None:
    found = due(kept.store, kept.contract.id, now=kept.closed_at + DAY, days=0)
    assert (found["codes"], found["talk"], found["papers"]) == (1, 0, 0)


def test_looking_erases_nothing(kept: Kept) -> None:
    for _ in range(2):
        assert due(kept.store, kept.contract.id, now=kept.closed_at + MOST + 1)["talk"] == 2
        assert personal(kept.store, kept.contract.id, kept.world.buyer.address, now=kept.closed_at)["codes"] == 1


# --------------------------------------------------------------------------------------------------------- by age


def test_what_is_old_goes_and_what_is_open_stays(kept: Kept) -> None:
    at = kept.closed_at + MOST + 1
    found = due(kept.store, kept.contract.id, now=at)
    assert (found["codes"], found["talk"], found["papers"]) == (1, 2, 1)
    assert clear(kept.store, kept.contract.id, [kind.name for kind in KINDS], now=at) == found
    assert (kept.said(), kept.codes()) == (2, 1)
    assert not any(due(kept.store, kept.contract.id, now=at).values())
    with kept.store.reading() as session:
        bodies = dict(
            session.execute(
                select(PaperRow.order_id, PaperRow.document).where(PaperRow.contract_id == kept.contract.id)
            ).all()
        )
    assert bodies[kept.ids[0]] is None
    assert bodies[kept.ids[1]] == {"reason": "code_invalid"}


def test_the_proofs_hold_after_it(kept: Kept) -> None:
    """Hashes, commitments and the room's chain are as before; the log says what went."""
    with kept.store.reading() as session:
        room = talk.room_of(session, kept.contract.id, kept.ids[0])
        assert room is not None
        before = talk.heads_of(session, room)
    clear(kept.store, kept.contract.id, ["talk", "codes"], now=kept.closed_at + MOST + 1)
    with kept.store.reading() as session:
        room = talk.room_of(session, kept.contract.id, kept.ids[0])
        assert room is not None
        assert talk.heads_of(session, room)[: len(before)] == before
        [delivery] = session.scalars(select(DeliveryRow).filter_by(order_id=kept.ids[0])).all()
        assert (delivery.payload, delivery.commitment) == (None, COMMITMENT)
        told = [(entry.action, entry.subject) for entry in entries(session)]
        assert told == [("retention.erase", "talk"), ("retention.erase", "codes")]
        assert verify(session).flaws == ()


def test_only_what_was_asked_for_goes(kept: Kept) -> None:
    clear(kept.store, kept.contract.id, ["codes"], now=kept.closed_at + MOST + 1)
    assert (kept.said(), kept.codes()) == (4, 1)


# --------------------------------------------------------------------------------------------------------- on request


def test_a_person_s_own_goes_and_records_stay(kept: Kept) -> None:
    buyer = kept.world.buyer.address
    gone = erase_account(kept.store, kept.contract.id, buyer, now=kept.closed_at, reason="asked by mail")
    assert gone == {"channels": 0, "sessions": 1, "answers": 0, "codes": 1, "talk": 0, "papers": 0}
    assert (kept.said(), kept.codes()) == (4, 1)
    assert kept.count(select(func.count()).select_from(PersonRow)) == 0
    with kept.store.reading() as session:
        entry = entries(session)[0]
    assert (entry.action, entry.subject) == ("account.erase", buyer)
    assert entry.details is not None
    assert entry.details["erased"] == gone


def test_records_go_too_where_that_is_decided(kept: Kept) -> None:
    buyer = kept.world.buyer.address
    gone = erase_account(
        kept.store, kept.contract.id, buyer, now=kept.closed_at, reason="a court's order", records_too=True
    )
    assert (gone["talk"], gone["papers"]) == (1, 1)
    assert kept.said() == 3  # the seller's words, and those about the open order
    assert personal(kept.store, kept.contract.id, buyer, now=kept.closed_at, records_too=True) == dict.fromkeys(gone, 0)


def test_others_keep_what_is_theirs(kept: Kept) -> None:
    seller = kept.world.seller.address
    gone = erase_account(kept.store, kept.contract.id, seller, now=kept.closed_at, reason="asked", records_too=True)
    assert (gone["codes"], gone["sessions"], gone["talk"]) == (0, 0, 1)
    assert kept.codes() == 2


def test_every_kind_is_described_and_named_once() -> None:
    for kinds in (KINDS, PERSONAL):
        names = [kind.name for kind in kinds]
        assert len(set(names)) == len(names)
        assert all(kind.zh and kind.en for kind in kinds)
