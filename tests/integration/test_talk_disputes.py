"""A dispute from its reason to its ruling, with papers whose hashes the chain carries."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.domain.disputes import DisputeReason, EvidencePaper, Finding, PaperRefused, Phase, UnitOutcome
from kameng_escrow.domain.inputs import Malformed
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.refusals import TooEarly, TooLate, Unauthorized
from kameng_escrow.domain.seats import Conflict, Seat, Tie
from kameng_escrow.domain.shares import sum_in_dispute
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import Fault, Outcome
from kameng_escrow.domain.transcript import BrokenTranscript
from kameng_escrow.store import Store
from kameng_escrow.store.service import audit, disputes, talk
from kameng_escrow.store.service.disputes import MediatorTie
from kameng_escrow.talk.archive import LOG, against_chain, position_of, verify
from kameng_escrow.talk.desk import RoomLimits
from kameng_escrow.talk.errors import (
    BadArchive,
    Conflicted,
    EvidenceClosed,
    NotDisputed,
    RoomFull,
    UnknownItem,
    WrongSeat,
)
from kameng_escrow.talk.mediation import Award
from tests.integration.escrow_world import DAY, EscrowWorld

from .mirrors import book_of, logged_on_chain
from .talking import Talking, talking
from .test_talk_rooms import png

BUYER, SELLER, SHARED = UnitOutcome.Buyer, UnitOutcome.Seller, UnitOutcome.Shared


@pytest.fixture
def room(world: EscrowWorld, store: Store, tmp_path: Path) -> Talking:
    """Rooms over a new world, on each database in turn."""
    return talking(world, store, tmp_path)


def find(*outcomes: UnitOutcome, lines: tuple[int, ...] = (2, 5, 9)) -> list[Finding]:
    return [Finding(line=line, outcome=outcome) for line, outcome in zip(lines, outcomes, strict=True)]


def write(room: Talking, order: str, **changes: Any) -> EvidencePaper:
    words: dict[str, Any] = {
        "reason": DisputeReason.AlreadyUsed,
        "lines": [9, 2, 5],
        "statement": "三张都显示已被使用",
    }
    return room.papers.write_evidence(order, room.world.buyer.address, **words | changes)


def dispute(room: Talking, terms: OrderTerms, paper: EvidencePaper) -> None:
    """What the buyer's wallet sends."""
    bond = sum_in_dispute(terms.price, terms.units, paper.units) * 1_500 // 10_000
    room.world.send(room.world.buyer, "dispute", terms, paper.units, paper.hash, value=bond)
    room.mirror()


def begun(room: Talking, **changes: Any) -> tuple[OrderTerms, str]:
    """An order in dispute, with the buyer's paper."""
    terms = room.world.delivered(**changes)
    order = room.id_of(terms)
    dispute(room, terms, write(room, order))
    return terms, order


def with_backup(world: EscrowWorld, backup: LocalAccount) -> str:
    return world.register(world.policy(backup_mediator=backup.address))


# ---------------------------------------------------------------------------------------------------------- refusals


def test_who_may_not_write_which_paper(room: Talking) -> None:
    world, papers = room.world, room.papers
    terms = world.delivered()
    order = room.id_of(terms)
    words: dict[str, Any] = {"reason": DisputeReason.Other, "lines": [1], "statement": "x"}
    for who in (world.seller, world.platform):
        with pytest.raises(WrongSeat, match="buyer"):
            papers.write_evidence(order, who.address, **words)
    with pytest.raises(NotDisputed):
        papers.write_evidence(room.id_of(world.accepted()), world.buyer.address, **words)
    with pytest.raises(NotDisputed):
        papers.file_evidence(order, world.seller.address, "look")
    with pytest.raises(NotDisputed):
        papers.look(order, world.seller.address)
    for lines in ([], [0], [11], [1, 1]):
        with pytest.raises(PaperRefused):
            write(room, order, lines=lines)
    with pytest.raises(UnknownItem):
        write(room, order, files=["fil_none"])
    dispute(room, terms, write(room, order))
    for who in (world.buyer, world.seller, world.platform):
        with pytest.raises(WrongSeat, match="mediators"):
            papers.write_ruling(order, who.address, findings=find(BUYER, BUYER, BUYER), grounds="mine")
    for who in (world.mediator, world.platform):
        with pytest.raises(WrongSeat, match="buyer and the seller"):
            papers.file_evidence(order, who.address, "look")


def test_nobody_learns_of_a_dispute_before_it_has_begun(room: Talking) -> None:
    world = room.world
    terms = world.delivered()
    order = room.id_of(terms)
    sent = room.rooms.send_file(order, world.buyer.address, name="a.png", content=png())
    paper = write(room, order, files=[sent.id])
    assert room.papers.own_paper(order, world.buyer.address, paper.hash) == paper.document()
    with pytest.raises(UnknownItem):
        room.papers.own_paper(order, world.seller.address, paper.hash)
    with pytest.raises(UnknownItem):
        room.rooms.file(order, world.seller.address, sent.id)
    with pytest.raises(UnknownItem):  # it belongs to the paper by now
        room.rooms.say(order, world.buyer.address, "look", files=[sent.id])
    assert all("已被使用" not in text for text in room.texts(order))
    world.wait(DAY)
    room.mirror()
    with pytest.raises(TooLate):
        write(room, order)


def test_everybody_has_a_time(room: Talking) -> None:
    world, papers, backup = room.world, room.papers, room.world.stranger
    _, order = begun(room, policy_id=with_backup(world, backup))
    findings = find(BUYER, SELLER, SHARED)

    def rule(who: LocalAccount) -> None:
        papers.write_ruling(order, who.address, findings=findings, grounds="so")

    def at(seconds: int) -> None:
        world.wait(seconds)
        room.mirror()

    assert papers.look(order, backup.address).phase is Phase.Negotiation
    for who in (world.mediator, backup):
        with pytest.raises(TooEarly):
            rule(who)
    at(DAY)
    assert papers.look(order, backup.address).phase is Phase.FirstHalf
    papers.file_evidence(order, world.seller.address, "still in time")
    rule(world.mediator)
    with pytest.raises(Unauthorized):
        rule(backup)
    at(DAY)
    assert papers.look(order, backup.address).phase is Phase.SecondHalf
    with pytest.raises(EvidenceClosed) as caught:
        papers.file_evidence(order, world.seller.address, "too late")
    assert caught.value.message_zh != caught.value.message
    rule(backup)
    with pytest.raises(Unauthorized):
        rule(world.mediator)
    at(DAY)
    assert papers.look(order, backup.address).phase is Phase.Due
    for who in (world.mediator, backup):
        with pytest.raises(TooLate):
            rule(who)


def test_findings_are_of_the_units_that_the_buyer_named(room: Talking) -> None:
    world = room.world
    _, order = begun(room)
    world.wait(DAY)
    room.mirror()
    for findings in ([], find(BUYER, BUYER, BUYER, lines=(1, 2, 3)), find(BUYER, lines=(2,))):
        with pytest.raises(PaperRefused, match="in dispute"):
            room.papers.write_ruling(order, world.mediator.address, findings=findings, grounds="so")


# ----------------------------------------------------------------------------------------------------------- the whole


def test_a_dispute_from_its_reason_to_its_ruling(room: Talking, tmp_path: Path) -> None:
    """Reason and evidence, the queue, findings and grounds: the chain carries both hashes, and an archive proves it."""
    world, papers = room.world, room.papers
    buyer, seller, mediator = world.buyer.address, world.seller.address, world.mediator.address
    terms = world.delivered()
    order = room.id_of(terms)
    room.rooms.say(order, buyer, "激活不了")
    sent = room.rooms.send_file(order, buyer, name="截图.png", content=png())
    paper = write(room, order, files=[sent.id])
    assert (paper.lines, paper.transcript.size) == ((2, 5, 9), 4)
    dispute(room, terms, paper)

    seen = papers.look(order, seller)
    assert seen.evidence == paper
    assert seen.promised is not None
    assert seen.promised.fault is Fault.Mediator
    assert [entry.body["paper"] for entry in seen.filed if entry.body] == [paper.hash]
    assert b"".join(room.rooms.file(order, seller, sent.id)[1])
    papers.file_evidence(order, seller, "My supplier says they are new.")
    [case] = room.mediation.queue(mediator).cases
    assert (case.order.id, case.turn, case.phase, case.evidence) == (order, False, Phase.Negotiation, paper)

    world.wait(DAY)
    room.mirror()
    [case] = room.mediation.queue(mediator).cases
    assert (case.turn, case.rule_until) == (True, case.deadline)
    award, preview = papers.preview_ruling(order, mediator, find(BUYER, SELLER, SHARED))
    ruling = papers.write_ruling(order, mediator, findings=find(BUYER, SELLER, SHARED), grounds="第 2 张确已被使用。")
    assert (ruling.paper.award, ruling.closing) == (award, preview)
    assert award == ruling.in_dispute - ruling.in_dispute * 15_000 // 30_000
    with room.store.reading() as session:
        [written] = audit.entries(session, subject=order)
    assert (written.action, written.actor, written.platform) == ("ruling.write", mediator, world.platform.address)
    assert papers.look(order, seller).grounds is None  # nobody reads it before it is the chain's
    world.send(world.mediator, "rule", terms, ruling.paper.award, ruling.paper.hash)
    room.mirror()

    ended = book_of(world, room.store).order(order).order
    assert (ended.outcome, ended.evidence, ended.grounds) == (Outcome.Ruled, paper.hash, ruling.paper.hash)
    assert ended.shares == preview.shares
    seen = papers.look(order, seller)
    assert seen.grounds == ruling.paper
    assert (seen.phase, seen.promised, seen.mediator) == (None, None, None)
    assert room.mediation.queue(mediator).cases == ()

    room.rooms.say(order, buyer, "谢谢")
    path = exported(room, order, tmp_path, seller)
    proved = verify(path)
    assert proved.evidence == (paper,)
    assert proved.grounds == (ruling.paper,)
    assert (proved.order_id, proved.files, proved.erased) == (order, 1, 0)
    events = [logged for logged in logged_on_chain(world) if getattr(logged.event, "order_id", None) == order]
    assert against_chain(proved, events) == []
    without_ruling = [logged for logged in events if type(logged.event).__name__ != "OrderRuled"]
    [line, other] = against_chain(proved, without_ruling)
    assert (line.partition(" ")[0], other) == ("line", "grounds")
    assert position_of(path, paper.transcript.head) == paper.transcript.size - 1
    assert position_of(path, "0x" + "00" * 32) is None


def test_without_a_paper_the_hash_is_anybody_s_guess(room: Talking) -> None:
    world = room.world
    order = room.id_of(world.disputed(units=3))
    assert room.papers.look(order, world.seller.address).evidence is None
    world.wait(DAY)
    room.mirror()
    ruling = room.papers.write_ruling(
        order, world.mediator.address, findings=find(SELLER, SELLER, SELLER, lines=(1, 2, 3)), grounds="No evidence."
    )
    assert ruling.paper.award == 0


def test_a_full_room_takes_what_the_chain_has_taken(world: EscrowWorld, store: Store, tmp_path: Path) -> None:
    room = talking(world, store, tmp_path, entries=1)
    _, order = begun(room)
    with pytest.raises(RoomFull):
        room.rooms.say(order, world.buyer.address, "one more")
    assert room.papers.look(order, world.seller.address).evidence is not None
    assert room.texts(order)[-2:] == ["OrderDisputed", "三张都显示已被使用"]


def test_nobody_fills_the_room_for_another(world: EscrowWorld, store: Store, tmp_path: Path) -> None:
    room = talking(world, store, tmp_path, entries=20, room_bytes=20 * len(png()))
    _, order = begun(room)
    buyer, seller = world.buyer.address, world.seller.address

    def say_all(who: str) -> int:
        for said in range(20):
            try:
                room.rooms.say(order, who, str(said))
            except RoomFull:
                return said
        raise AssertionError("nothing is too much")

    def send_all(who: str) -> list[str]:
        sent: list[str] = []
        while len(sent) < 20:
            try:
                sent.append(room.rooms.send_file(order, who, name="a.png", content=png()).id)
            except RoomFull:
                return sent
        raise AssertionError("nothing is too much")

    assert len(send_all(seller)) > 1  # shown to nobody, and counted all the same
    assert say_all(seller) == 7
    with pytest.raises(RoomFull):
        room.papers.file_evidence(order, seller, "and one more")
    for who in (world.mediator, world.platform):
        assert len(send_all(who.address)) >= 1
        assert say_all(who.address) == 2

    shown = room.rooms.send_file(order, buyer, name="proof.png", content=png()).id
    filed = room.papers.file_evidence(order, buyer, "截图", files=[shown])
    assert room.papers.look(order, seller).filed[-1] == filed
    assert len(send_all(buyer)) > 1
    assert say_all(buyer) == 5  # after the paper and what it filed


@given(st.integers(0, 10**12))
def test_the_seats_shares_are_never_more_than_the_whole(whole: int) -> None:
    limits = RoomLimits(room_bytes=whole, entries=whole)
    assert whole - len(Seat) <= sum(limits.bytes_of(seat) for seat in Seat) <= whole
    assert whole - len(Seat) <= sum(limits.entries_of(seat) for seat in Seat) <= whole
    assert limits.bytes_of(Seat.Buyer) == limits.bytes_of(Seat.Seller)


# ----------------------------------------------------------------------------------------------------------- the queue


def test_the_queue_goes_by_the_clock_and_shows_what_happens_by_itself(room: Talking) -> None:
    world, mediator, backup = room.world, room.world.mediator, room.world.stranger
    shared = with_backup(world, backup)
    alone = [begun(room)[1] for _ in range(2)]
    world.wait(3_600)
    both = begun(room, policy_id=shared)[1]
    room.id_of(world.delivered())

    def cases(who: LocalAccount, **options: Any) -> list[str]:
        return [case.order.id for case in room.mediation.queue(who.address, **options).cases]

    assert cases(mediator) == [both, *alone]  # its half ends before the others' whole
    assert cases(backup) == [both]
    first = room.mediation.queue(mediator.address, limit=1)
    assert first.next is not None
    assert cases(mediator, after=first.next) == alone
    [case] = room.mediation.queue(backup.address).cases
    assert (case.rule_from, case.rule_until) == (case.deadline - DAY, case.deadline)
    assert case.promised.shares.to_buyer > 0
    assert cases(world.buyer) == []

    world.wait(2 * DAY + 100)
    room.mirror()
    assert cases(mediator, over=True) == [both]
    assert cases(mediator) == alone
    world.wait(DAY)
    room.mirror()
    assert cases(mediator, over=True) == [both, *alone]
    assert [case.phase for case in room.mediation.queue(mediator.address, over=True).cases] == [Phase.Due] * 3


# ----------------------------------------------------------------------------------------------------------- conflicts


def test_conflicts_keep_orders_out_of_the_queue(room: Talking) -> None:
    world, mediator = room.world, room.world.mediator
    _, order = begun(room)
    begun(room, pay_to=mediator.address)
    queue = room.mediation.queue(mediator.address)
    assert ([case.order.id for case in queue.cases], queue.hidden) == ([order], 1)

    for who, about in ((world.stranger, None), (world.stranger, mediator.address), (mediator, world.stranger.address)):
        with pytest.raises(WrongSeat):
            room.mediation.declare(who.address, subject=order, note="no", mediator=about)
    for subject in ("0x12", "0x" + "zz" * 32, ""):
        with pytest.raises(Malformed):
            room.mediation.declare(mediator.address, subject=subject, note="no")

    mine = room.mediation.declare(mediator.address, subject=order, note="我认识买家")
    theirs = room.mediation.declare(
        world.platform.address, subject=world.seller.address, note="cousins", mediator=mediator.address
    )
    assert room.mediation.declarations(mediator.address) == [theirs, mine]
    assert room.mediation.queue(mediator.address).cases == ()
    with pytest.raises(Conflicted) as caught:
        room.papers.look(order, mediator.address)
    assert caught.value.conflict is Conflict.Declared
    with pytest.raises(UnknownItem):
        room.mediation.withdraw(mediator.address, theirs.id)
    room.mediation.withdraw(mediator.address, mine.id)
    assert room.mediation.queue(mediator.address).cases == ()
    room.mediation.withdraw(world.platform.address, theirs.id)
    with room.store.reading() as session:
        done = [(entry.action, entry.actor, entry.platform) for entry in audit.entries(session)]
    assert done == [
        ("conflict.withdraw", world.platform.address, world.platform.address),
        ("conflict.withdraw", mediator.address, mediator.address),
        ("conflict.declare", world.platform.address, world.platform.address),
        ("conflict.declare", mediator.address, mediator.address),
    ]
    assert len(room.mediation.queue(mediator.address).cases) == 1


def test_a_seller_alone_bars_no_mediator(room: Talking) -> None:
    world, mediator = room.world, room.world.mediator
    terms, order = begun(room)
    assert room.papers.look(order, world.buyer.address).ties == ()
    grant = OperatorGrant(rights=1, expiry=world.now() + 2 * DAY, max_price=1)
    world.send(world.seller, "setOperator", mediator.address, ZERO_ADDRESS, world.policy_id, grant)
    world.send(world.seller, "registerPayTo", mediator.address)
    world.wait(DAY)
    room.mirror()

    tied = tuple(MediatorTie(mediator.address, tie) for tie in (Tie.Receiver, Tie.Operator))
    for who in (world.buyer, world.seller, world.platform, mediator):
        assert room.papers.look(order, who.address).ties == tied
    queue = room.mediation.queue(mediator.address)
    assert ([(case.order.id, case.ties) for case in queue.cases], queue.hidden) == ([(order, tied)], 0)
    assert room.rooms.say(order, mediator.address, "请双方举证").seat == Seat.Mediator
    ruling = room.papers.write_ruling(
        order, mediator.address, findings=find(BUYER, BUYER, BUYER), grounds="Used before the delivery."
    )
    world.send(mediator, "rule", terms, ruling.paper.award, ruling.paper.hash)
    world.wait(DAY)
    room.mirror()
    assert room.papers.look(order, world.buyer.address).ties == tied[:1]  # the grant has run out


def test_a_party_declares_nothing_about_its_mediator(room: Talking) -> None:
    """Anyone may register a policy that names the mediator: that makes it nobody's platform in another's order."""
    world, mediator = room.world, room.world.mediator
    _, order = begun(room)
    own = world.policy(platform=world.seller.address)
    world.send(world.seller, "registerPolicy", own, world.now() + DAY)
    room.mirror()
    for subject in (order, world.buyer.address):
        room.mediation.declare(world.seller.address, subject=subject, note="no", mediator=mediator.address)
    queue = room.mediation.queue(mediator.address)
    assert ([case.order.id for case in queue.cases], queue.hidden) == ([order], 0)
    assert room.papers.look(order, mediator.address).order.id == order
    room.mediation.declare(world.platform.address, subject=order, note="cousins", mediator=mediator.address)
    with pytest.raises(Conflicted):
        room.papers.look(order, mediator.address)


def test_a_mediator_s_record_is_counted_from_the_chain(room: Talking) -> None:
    world, mediator, backup = room.world, room.world.mediator, room.world.stranger
    shared = with_backup(world, backup)
    ruled = [world.disputed(units=3) for _ in range(3)]
    silent, settled = world.disputed(), world.refunded()
    missed = world.disputed(policy_id=shared)
    world.disputed(pay_to=mediator.address)
    world.wait(DAY)
    for terms, award in zip(ruled, (0, 300_003, 150_000), strict=True):
        world.send(mediator, "rule", terms, award, "0x" + "91" * 32)
    world.wait(DAY)
    world.send(backup, "rule", missed, 1, "0x" + "91" * 32)
    world.wait(DAY)
    world.settle(silent)
    room.mirror()
    record = room.mediation.record(mediator.address)
    assert settled
    assert (record.disputes, record.running, record.settled) == (7, 1, 1)
    assert (record.ruled, record.ruled_by_other, record.missed, record.silent) == (3, 1, 2, 1)
    assert record.awards == {Award.AllToSeller: 1, Award.AllToBuyer: 1, Award.MostToSeller: 1}
    assert record.median_seconds is not None
    assert 0 <= record.median_seconds < 3_600
    assert sum(record.fees.values()) > 0
    other = room.mediation.record(backup.address)
    assert (other.disputes, other.ruled, other.ruled_by_other, other.missed) == (1, 1, 0, 0)
    assert room.mediation.record(world.buyer.address).disputes == 0


# ------------------------------------------------------------------------------------------------------------ archives


def exported(room: Talking, order: str, folder: Path, who: str | None) -> Path:
    path = folder / "transcript.zip"
    with path.open("w+b") as file:
        room.transcripts.export(order, who, file)
    return path


@pytest.fixture
def archive(world: EscrowWorld, sqlite_store: Store, tmp_path: Path) -> Path:
    """An honest one, of a dispute with a file."""
    room = talking(world, sqlite_store, tmp_path)
    terms = world.delivered()
    order = room.id_of(terms)
    room.rooms.say(order, world.buyer.address, "hello")
    sent = room.rooms.send_file(order, world.buyer.address, name="a.png", content=png())
    dispute(room, terms, write(room, order, files=[sent.id]))
    room.rooms.say(order, world.seller.address, "bye")
    path = exported(room, order, tmp_path, None)
    verify(path)
    return path


def rebuilt(path: Path, change: Callable[[dict[str, Any]], object] | None = None, **files: bytes | None) -> Path:
    """The archive with its log changed, or files put in (by name) or left out."""
    other = path.with_name("tampered.zip")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            content: bytes | None = source.read(name)
            if name == LOG and change is not None and content is not None:
                log = json.loads(content)
                change(log)
                content = json.dumps(log, ensure_ascii=False).encode("utf-8", "surrogatepass")
            if name.startswith("files/") and "picture" in files:
                content = files["picture"]
            if content is not None:
                target.writestr(name, content)
        for name, extra in files.items():
            if name != "picture" and extra is not None:
                target.writestr(name, extra)
    return other


TAMPERED: dict[str, Callable[[dict[str, Any]], object]] = {
    "an author": lambda log: log["entries"][3].update(author=log["entries"][-1]["author"]),
    "a seat": lambda log: log["entries"][3].update(seat="seller"),
    "a time": lambda log: log["entries"][3].update(sent_ms=log["entries"][3]["sent_ms"] + 1),
    "a kind": lambda log: log["entries"][3].update(kind="evidence"),
    "a number": lambda log: log["entries"][3].update(seq=9),
    "a hash": lambda log: log["entries"][3].update(content="0x" + "00" * 32),
    "a link": lambda log: log["entries"][3].update(prev="0x" + "00" * 32),
    "words": lambda log: log["entries"][3]["body"].update(text="never said"),
    "a salt": lambda log: log["entries"][3]["body"].update(salt="0x" + "00" * 32),
    "a file's name": lambda log: log["entries"][5]["body"]["files"][0].update(name="b.png"),
    "words that are missing": lambda log: log["entries"][3].update(body=None),
    "an event": lambda log: log["entries"][0]["body"].update(event="OrderClosed"),
    "an event's block": lambda log: log["entries"][0]["body"].update(block_number=1),
    "an entry that is missing": lambda log: log["entries"].pop(2),
    "a last entry that is missing": lambda log: log["entries"].pop(),
    "an entry twice": lambda log: log["entries"].append(log["entries"][-1]),
    "entries in another order": lambda log: log["entries"].reverse(),
    "a head": lambda log: log.update(head="0x" + "00" * 32),
    "a root": lambda log: log.update(root="0x" + "00" * 32),
    "a size": lambda log: log.update(size=1),
    "an order": lambda log: log.update(order_id="0x" + "00" * 32),
    "a schema": lambda log: log.update(schema="kameng-transcript/2"),
    "a member too many": lambda log: log["entries"][3]["body"].update(more=1),
    "a text that is none": lambda log: log["entries"][3]["body"].update(text=7),
    "half a character": lambda log: log["entries"][3]["body"].update(text="\ud800"),
    "a number beyond all": lambda log: log["entries"][0]["body"].update(block_number=2**70),
    "no entries": lambda log: log.pop("entries"),
    "entries that are none": lambda log: log.update(entries=[1]),
    "a paper's reason": lambda log: log["papers"][0]["document"].update(reason="Other"),
    "a paper's mark": lambda log: log["papers"][0]["document"]["transcript"].update(size=2),
    "a paper's root": lambda log: log["papers"][0]["document"]["transcript"].update(root="0x" + "00" * 32),
    "a paper's addition": lambda log: log["papers"][0]["document"].update(more="x"),
    "a paper's order": lambda log: log["papers"][0]["document"].update(order_id="0x" + "00" * 32),
    "a paper that is none": lambda log: log["papers"].append({"kind": "evidence", "document": 7}),
    "a paper's lines": lambda log: log["papers"][0]["document"].update(lines=["x"]),
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in TAMPERED.items()])
def test_whatever_is_tampered_with_shows(archive: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """In the log itself, or in the hash of a paper that the chain has another of."""
    [paper] = verify(archive).evidence
    try:
        proved = verify(rebuilt(archive, change))
    except (BrokenTranscript, BadArchive, PaperRefused, Malformed):
        return
    assert [other.hash for other in proved.evidence] != [paper.hash]


def test_archives_of_an_enemy_are_refused(archive: Path, tmp_path: Path) -> None:
    bombs: dict[str, dict[str, bytes | None]] = {
        "a file that is missing": {"picture": None},
        "a file that is another": {"picture": png("red")},
        "a file that unpacks without end": {"picture": bytes(50_000_000)},
        "a foreign file": {"files/" + "ab" * 32 + ".png": b"x"},
        "a path out of it": {"../../evil.sh": b"x"},
    }
    for files in bombs.values():
        with pytest.raises(BadArchive):
            verify(rebuilt(archive, **files))
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = rebuilt(archive, **{LOG: b"{}"})
    with pytest.raises(BadArchive):
        verify(twice)
    for content in (b"", b"PK\x03\x04", archive.read_bytes()[:-30], archive.read_bytes()[:200]):
        (tmp_path / "broken.zip").write_bytes(content)
        with pytest.raises(BadArchive):
            verify(tmp_path / "broken.zip")
    with zipfile.ZipFile(tmp_path / "deep.zip", "w") as made:
        made.writestr(LOG, b"[" * 100_000)
    with pytest.raises(BadArchive):
        verify(tmp_path / "deep.zip")
    with pytest.raises(BadArchive):
        verify(tmp_path / "nowhere.zip")


def test_erased_words_leave_an_archive_that_verifies(room: Talking, tmp_path: Path) -> None:
    world = room.world
    _, order = begun(room)
    room.rooms.say(order, world.seller.address, "my number is 138…")
    [paper] = verify(exported(room, order, tmp_path, None)).evidence
    with room.store.writing() as session:
        locked = talk.locked_room(session, room.desk.contract_id, order)
        assert talk.erase(session, locked, range(locked.size), now_ms=room.desk.now_ms())
        assert disputes.erase_papers(session, room.desk.contract_id, order) == 1
    proved = verify(exported(room, order, tmp_path, world.buyer.address))
    assert (proved.erased, proved.evidence) == (2, ())
    assert position_of(tmp_path / "transcript.zip", paper.transcript.head) == paper.transcript.size - 1
    assert "my number" not in zipfile.ZipFile(tmp_path / "transcript.zip").read(LOG).decode()
    assert room.papers.look(order, world.seller.address).evidence is None
