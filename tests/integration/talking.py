"""Rooms over a real chain, for tests: who is in them, and what they have to say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.signing import is_signed_by, sign_split
from kameng_escrow.chain.steps import run
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.signed import Split
from kameng_escrow.domain.transcript import Entry, check_transcript
from kameng_escrow.store import BlobStore, Store
from kameng_escrow.store.service import talk
from kameng_escrow.talk.archive import Transcripts
from kameng_escrow.talk.desk import Desk, RoomLimits
from kameng_escrow.talk.mediation import Mediation
from kameng_escrow.talk.papers import Papers
from kameng_escrow.talk.proposals import Proposals
from kameng_escrow.talk.rooms import Rooms

from .escrow_world import EscrowWorld
from .mirrors import book_of, mirror_of


@dataclass
class Talking:
    """Everything that `kameng_escrow.talk` offers, over one world and store."""

    world: EscrowWorld
    store: Store
    desk: Desk
    rooms: Rooms
    proposals: Proposals
    papers: Papers
    mediation: Mediation
    transcripts: Transcripts

    def mirror(self) -> None:
        """Brings what happened on the chain into the store."""
        mirror_of(self.world, self.store).run_once()

    def id_of(self, terms: OrderTerms) -> str:
        self.mirror()
        return self.world.id_of(terms)

    def sign(self, who: LocalAccount, order_id: str, split: Split) -> bytes:
        return sign_split(who, order_id, split, self.world.domain)

    def log(self, order_id: str) -> list[Entry]:
        """The whole log as it is stored, which must be sound."""
        with self.store.reading() as session:
            room = talk.room_of(session, self.desk.contract_id, order_id)
            entries = [] if room is None else talk.entries_of(session, room)
        check_transcript(order_id, entries)
        return entries

    def texts(self, order_id: str) -> list[str]:
        """What was said, and what happened, in a word each."""
        return [_word(entry) for entry in self.log(order_id)]


def _word(entry: Entry) -> str:
    body = entry.body
    if body is None:
        return "(erased)"
    if "event" in body:
        return str(body["event"])
    return str(body["text"]) if "text" in body else f"{entry.kind.value}"


def talking(world: EscrowWorld, store: Store, folder: Path, **limits: Any) -> Talking:
    """Rooms for the world's orders, whose clock is the chain's."""
    store.migrate()
    mirror_of(world, store).run_once()
    desk = Desk(
        store=store,
        contract_id=book_of(world, store).info().id,
        domain=world.domain,
        blobs=BlobStore(folder / "files"),
        limits=RoomLimits(**limits),
        now_ms=lambda: world.now() * 1_000,
    )
    connection = Connection(world.node.w3)

    def asks_contract(signer: str, digest: str, signature: bytes) -> bool:
        return run(is_signed_by(signer, digest, signature), connection)

    return Talking(
        world=world,
        store=store,
        desk=desk,
        rooms=Rooms(desk),
        proposals=Proposals(desk, asks_contract),
        papers=Papers(desk),
        mediation=Mediation(desk),
        transcripts=Transcripts(desk),
    )
