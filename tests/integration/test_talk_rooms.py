"""What is said about an order, by whom, and in what order with what happened."""

import io
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update

from kameng_escrow.domain.plain_text import TextLength, TextUnfit
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.seats import Conflict, Seat
from kameng_escrow.domain.states import State
from kameng_escrow.domain.transcript import EntryKind
from kameng_escrow.store import BlobDamaged, Store, UnknownOrder
from kameng_escrow.store.service import talk
from kameng_escrow.store.service.talk_rows import FileRow
from kameng_escrow.talk.errors import Conflicted, FileRefused, FileTooLarge, NotInRoom, RoomFull, UnknownItem
from kameng_escrow.talk.upkeep import keep_tidy, tidy
from tests.integration.escrow_world import DAY, EscrowWorld
from tests.terminal import wait_for

from .talking import Talking, talking

OPENED, ACCEPTED, DELIVERED, DISPUTED = "OrderOpened", "OrderAccepted", "OrderDelivered", "OrderDisputed"


@pytest.fixture
def room(world: EscrowWorld, store: Store, tmp_path: Path) -> Talking:
    """Rooms over a new world, on each database in turn."""
    return talking(world, store, tmp_path)


def png(color: str = "teal") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (8, 6), color).save(made, "PNG")
    return made.getvalue()


# --------------------------------------------------------------------------------------------------------- who may not

DEEDS: dict[str, Callable[[Talking, str, str], object]] = {
    "read": lambda room, order, who: room.rooms.read(order, who),
    "say": lambda room, order, who: room.rooms.say(order, who, "hello"),
    "mark read": lambda room, order, who: room.rooms.mark_read(order, who, 0),
    "send a file": lambda room, order, who: room.rooms.send_file(order, who, name="a.png", content=png()),
    "read a file": lambda room, order, who: room.rooms.file(order, who, "fil_x"),
    "propose": lambda room, order, who: room.proposals.propose(order, who, to_buyer=1),
    "list proposals": lambda room, order, who: room.proposals.list(order, who),
    "sign": lambda room, order, who: room.proposals.sign(order, who, "prp_x", bytes(65)),
    "withdraw": lambda room, order, who: room.proposals.withdraw(order, who, "prp_x"),
    "agree": lambda room, order, who: room.proposals.agreement(order, who, "prp_x"),
    "look at the dispute": lambda room, order, who: room.papers.look(order, who),
    "file evidence": lambda room, order, who: room.papers.file_evidence(order, who, "look"),
    "rule": lambda room, order, who: room.papers.write_ruling(order, who, findings=[], grounds="so"),
    "export": lambda room, order, who: room.transcripts.export(order, who, io.BytesIO()),
}


def test_strangers_operators_and_mediators_of_others_stay_out(room: Talking) -> None:
    world = room.world
    order = room.id_of(world.delivered())
    outside = [one.address for one in (world.stranger, world.operator, world.deployer, world.mediator)]
    for deed in DEEDS.values():
        for who in (*outside, ZERO_ADDRESS):  # the mediator too: there is no dispute yet
            with pytest.raises(NotInRoom) as caught:
                deed(room, order, who)
            assert caught.value.account == who
    assert room.log(order) == []


def test_there_is_no_room_without_an_order(room: Talking) -> None:
    for order in ("0x" + "00" * 32, room.id_of(room.world.terms()), "0x", "' OR 1=1"):
        for deed in DEEDS.values():
            with pytest.raises(UnknownOrder):
                deed(room, order, room.world.seller.address)


def test_a_mediator_with_a_conflict_stays_out(room: Talking) -> None:
    world = room.world
    order = room.id_of(world.disputed(pay_to=world.mediator.address))
    for deed in DEEDS.values():
        with pytest.raises(Conflicted) as caught:
            deed(room, order, world.mediator.address)
        assert caught.value.conflict is Conflict.Receiver
        assert caught.value.message_zh != caught.value.message


def test_what_is_no_message_is_not_said(room: Talking) -> None:
    order = room.id_of(room.world.opened())
    for text in ("", " \n", "x" * 4_001, "a\x00b"):
        with pytest.raises((TextLength, TextUnfit)):
            room.rooms.say(order, room.world.buyer.address, text)
    assert room.log(order) == []


def test_a_room_takes_only_so_much(world: EscrowWorld, store: Store, tmp_path: Path) -> None:
    room = talking(world, store, tmp_path, entries=6, room_bytes=900, file_bytes=1_000, files_per_entry=1)
    buyer, terms = world.buyer.address, world.opened()
    order = room.id_of(terms)
    room.rooms.say(order, buyer, "one")
    room.rooms.say(order, buyer, "two")
    with pytest.raises(RoomFull):
        room.rooms.say(order, buyer, "three")
    world.send(world.seller, "accept", terms)
    world.send(world.seller, "decline", terms, State.Accepted)
    room.mirror()
    assert room.rooms.read(order, buyer).size == 5  # the chain's own lines are taken all the same

    other = room.id_of(world.opened())
    with pytest.raises(FileTooLarge):
        room.rooms.send_file(other, buyer, name="a", content=bytes(1_001))
    sent = [room.rooms.send_file(other, buyer, name="a", content=png(color)).id for color in ("red", "blue")]
    with pytest.raises(RoomFull):
        room.rooms.say(other, buyer, "", files=sent)
    while room.rooms.send_file(other, buyer, name="a", content=png("green")).size * (len(sent) + 2) <= 315:
        sent.append("another")
    with pytest.raises(RoomFull):
        room.rooms.send_file(other, buyer, name="a", content=png("green"))


# --------------------------------------------------------------------------------------------------------- what is said


def test_what_is_said_stands_between_what_happened(room: Talking) -> None:
    world, buyer, seller = room.world, room.world.buyer.address, room.world.seller.address
    terms = world.opened()
    order = room.id_of(terms)
    room.rooms.say(order, buyer, "请尽快发货")
    world.send(world.seller, "accept", terms)
    room.mirror()
    room.rooms.say(order, seller, "on my way")
    world.send(world.seller, "deliver", terms, "0x" + "c0" * 32)
    room.mirror()
    seen = room.rooms.read(order, buyer)
    assert room.texts(order) == [OPENED, "请尽快发货", ACCEPTED, "on my way", DELIVERED]
    assert [shown.entry.seat for shown in seen.entries] == ["", "buyer", "", "seller", ""]
    assert seen.seats == (Seat.Buyer,)
    assert (seen.size, seen.head) == (5, room.log(order)[-1].head)
    [line] = [shown for shown in seen.entries if shown.entry.seq == 4]
    assert type(line.event.event).__name__ == DELIVERED if line.event else False
    assert line.retracted_by is None


def test_looking_twice_adds_nothing(room: Talking) -> None:
    order = room.id_of(room.world.accepted())
    first = room.rooms.read(order, room.world.seller.address)
    assert room.rooms.read(order, room.world.buyer.address) == first.__class__(
        **{**{name: getattr(first, name) for name in first.__slots__}, "seats": (Seat.Buyer,)}
    )
    assert room.texts(order) == [OPENED, ACCEPTED]


def test_mediators_come_in_with_the_dispute_and_read_it_all(room: Talking) -> None:
    world = room.world
    terms = world.delivered()
    order = room.id_of(terms)
    room.rooms.say(order, world.buyer.address, "the code does not work")
    bond = (terms.price - terms.price * 7 // 10) * 1_500 // 10_000
    world.send(world.buyer, "dispute", terms, 3, "0x" + "00" * 32, value=bond)
    room.mirror()
    seen = room.rooms.read(order, world.mediator.address)
    assert seen.seats == (Seat.Mediator,)
    assert [
        shown.entry.body["text"] for shown in seen.entries if shown.entry.kind is EntryKind.Message and shown.entry.body
    ] == ["the code does not work"]
    room.rooms.say(order, world.mediator.address, "Which region?")
    assert room.log(order)[-1].seat == "mediator"


def test_the_platform_is_in_every_room_of_its_policies(room: Talking) -> None:
    order = room.id_of(room.world.opened())
    room.rooms.say(order, room.world.platform.address, "We look after it.")
    assert room.log(order)[-1].seat == "platform"


def test_many_who_speak_at_once_make_one_log(room: Talking) -> None:
    world = room.world
    order = room.id_of(world.opened())
    together, failures = threading.Barrier(6), []

    def speak(who: str) -> None:
        try:
            together.wait()
            for n in range(5):
                room.rooms.say(order, who, f"{who[:6]} {n}")
        except Exception as error:
            failures.append(error)

    accounts = [world.buyer.address, world.seller.address, world.platform.address] * 2
    threads = [threading.Thread(target=speak, args=[who]) for who in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(room.log(order)) == 31


def test_a_reorganisation_takes_its_lines_back_and_keeps_what_was_said(room: Talking) -> None:
    world, seller = room.world, room.world.seller.address
    terms = world.opened()
    order = room.id_of(terms)
    room.rooms.read(order, seller)
    before = world.node.snapshot()
    world.send(world.seller, "accept", terms)
    world.send(world.seller, "deliver", terms, "0x" + "c0" * 32)
    room.mirror()
    room.rooms.say(order, seller, "delivered")
    world.node.revert(before)
    world.wait(60)
    world.send(world.seller, "accept", terms)
    world.wait(60)
    world.wait(60)
    world.wait(60)
    room.mirror()
    seen = room.rooms.read(order, seller)
    kinds = [entry.kind.value for entry in room.log(order)]
    assert kinds == ["line", "line", "line", "message", "retraction", "retraction", "line"]
    by_seq = {shown.entry.seq: shown for shown in seen.entries}
    assert [by_seq[seq].retracted_by for seq in (0, 1, 2, 6)] == [None, 5, 4, None]
    assert [by_seq[seq].event is None for seq in (0, 1, 2, 6)] == [False, True, True, False]
    assert room.texts(order)[-1] == ACCEPTED


# --------------------------------------------------------------------------------------------------------------- pages


def test_a_long_talk_is_read_in_parts(room: Talking) -> None:
    buyer, order = room.world.buyer.address, room.id_of(room.world.opened())
    for n in range(7):
        room.rooms.say(order, buyer, str(n))

    def numbers(**part: int) -> list[int]:
        return [shown.entry.seq for shown in room.rooms.read(order, buyer, **part).entries]

    assert numbers() == list(range(8))
    assert numbers(after=2, limit=3) == [3, 4, 5]
    assert numbers(after=7) == []
    assert numbers(before=8, limit=3) == [5, 6, 7]
    assert numbers(before=5, limit=3) == [2, 3, 4]
    assert numbers(before=2, limit=9) == [0, 1]


def test_marks_move_forward_and_count_what_is_unread(room: Talking) -> None:
    world, buyer, seller = room.world, room.world.buyer.address, room.world.seller.address
    order, quiet = room.id_of(world.opened()), room.id_of(world.opened())
    for n in range(3):
        room.rooms.say(order, buyer, str(n))
    room.rooms.read(quiet, seller)

    def unread(who: str) -> dict[str, int]:
        return {summary.order_id: summary.unread for summary in room.rooms.rooms(who)[0]}

    assert unread(seller) == {order: 4, quiet: 1}  # with the line
    assert unread(buyer) == {order: 0, quiet: 1}  # who speaks has read what was before
    room.rooms.mark_read(order, seller, 2)
    room.rooms.mark_read(order, seller, 1)
    assert unread(seller) == {order: 1, quiet: 1}
    assert {mark.account: mark.seq for mark in room.rooms.read(order, buyer).marks} == {buyer: 3, seller: 2}
    for seq in (-1, 4):
        with pytest.raises(UnknownItem):
            room.rooms.mark_read(order, seller, seq)


def test_rooms_are_listed_with_the_latest_first(room: Talking) -> None:
    world, buyer = room.world, room.world.buyer.address
    orders = [room.id_of(world.opened()) for _ in range(5)]
    for order in orders:
        world.wait(10)
        room.rooms.say(order, buyer, "hello")
    listed: list[str] = []
    place = None
    while True:
        found, place = room.rooms.rooms(buyer, before=place, limit=2)
        listed += [summary.order_id for summary in found]
        if place is None:
            break
    assert listed == orders[::-1]
    assert room.rooms.rooms(world.stranger.address) == ([], None)


# --------------------------------------------------------------------------------------------------------------- files


def test_a_file_is_seen_once_it_is_shown(room: Talking) -> None:
    world, buyer, seller = room.world, room.world.buyer.address, room.world.seller.address
    order, other = room.id_of(world.opened()), room.id_of(world.opened())
    sent = room.rooms.send_file(order, buyer, name="../截图.png", content=png())
    assert (sent.name, sent.media_type, sent.width, sent.height, sent.seq) == ("截图.png", "image/png", 8, 6, None)
    assert b"".join(room.rooms.file(order, buyer, sent.id)[1])
    with pytest.raises(UnknownItem):
        room.rooms.file(order, seller, sent.id)
    with pytest.raises(UnknownItem):
        room.rooms.file(other, buyer, sent.id)

    entry = room.rooms.say(order, buyer, "", files=[sent.id])
    found, content = room.rooms.file(order, seller, sent.id)
    assert found.seq == entry.seq
    with Image.open(io.BytesIO(b"".join(content))) as image:
        assert image.size == (8, 6)
    [shown] = [shown for shown in room.rooms.read(order, seller).entries if shown.files]
    assert shown.files == (found,)
    assert shown.entry.body is not None
    assert shown.entry.body["files"] == [
        {"name": "截图.png", "sha256": found.sha256, "size": found.size, "type": "image/png"}
    ]


def test_nobody_shows_a_file_of_another_or_another_room_or_twice(room: Talking) -> None:
    world, buyer, seller = room.world, room.world.buyer.address, room.world.seller.address
    order, other = room.id_of(world.opened()), room.id_of(world.opened())
    sent = room.rooms.send_file(order, buyer, name="a.png", content=png()).id
    for where, who in ((order, seller), (other, buyer)):
        with pytest.raises(UnknownItem):
            room.rooms.say(where, who, "look", files=[sent])
    room.rooms.say(order, buyer, "look", files=[sent, sent])
    with pytest.raises(UnknownItem):
        room.rooms.say(order, buyer, "again", files=[sent])
    with pytest.raises(UnknownItem):
        room.rooms.say(order, buyer, "again", files=["fil_none"])


def test_a_hostile_file_leaves_nothing(room: Talking) -> None:
    order = room.id_of(room.world.opened())
    with pytest.raises(FileRefused):
        room.rooms.send_file(order, room.world.buyer.address, name="a.png", content=b"<svg onload=alert(1)>")
    assert not room.desk.blobs.folder.exists()


def test_a_file_that_was_changed_on_the_disk_is_not_given_out(room: Talking) -> None:
    buyer, order = room.world.buyer.address, room.id_of(room.world.opened())
    sent = room.rooms.send_file(order, buyer, name="a.png", content=png())
    [path] = (path for path in room.desk.blobs.folder.rglob(sent.sha256))
    path.write_bytes(b"<script>")
    with pytest.raises(BlobDamaged):
        room.rooms.file(order, buyer, sent.id)


def test_what_nobody_showed_is_forgotten_and_collected(room: Talking) -> None:
    world, buyer = room.world, room.world.buyer.address
    order = room.id_of(world.opened())
    shown = room.rooms.send_file(order, buyer, name="a.png", content=png("red"))
    room.rooms.say(order, buyer, "look", files=[shown.id])
    lost = room.rooms.send_file(order, buyer, name="b.png", content=png("blue"))
    world.wait(DAY + 1)
    gone = tidy(room.store, room.desk.blobs, now_ms=room.desk.now_ms(), grace_seconds=-1)
    assert (gone.forgotten, gone.blobs, gone.bytes) == (1, 1, lost.size)
    with pytest.raises(UnknownItem):
        room.rooms.file(order, buyer, lost.id)
    assert room.desk.blobs.has(shown.sha256)
    assert not room.desk.blobs.has(lost.sha256)


def test_tidying_goes_on_until_it_is_told_to_stop(room: Talking) -> None:
    world, buyer = room.world, room.world.buyer.address
    lost = room.rooms.send_file(room.id_of(world.opened()), buyer, name="b.png", content=png())
    (place,) = room.desk.blobs.folder.rglob(lost.sha256)
    with room.store.writing() as session:
        session.execute(update(FileRow).values(uploaded_ms=0))
    os.utime(place, (0, 0))
    stop, troubles = threading.Event(), []
    works = threading.Thread(
        target=keep_tidy, args=(room.store, room.desk.blobs, stop), kwargs={"trouble": troubles.append}
    )
    works.start()
    try:
        wait_for(lambda: not place.exists())
    finally:
        stop.set()
        works.join()
    assert troubles == []


def test_what_was_said_can_be_erased_and_the_log_stays_whole(room: Talking) -> None:
    buyer, order = room.world.buyer.address, room.id_of(room.world.opened())
    sent = room.rooms.send_file(order, buyer, name="me.png", content=png())
    said = room.rooms.say(order, buyer, "my number is 138…", files=[sent.id])
    room.rooms.say(order, buyer, "thanks")
    head = room.log(order)[-1].head
    with room.store.writing() as session:
        locked = talk.locked_room(session, room.desk.contract_id, order)
        entry = talk.erase(session, locked, range(locked.size), now_ms=room.desk.now_ms())
        assert entry is not None
        assert entry.body == {"erases": [said.seq, said.seq + 1]}
        assert talk.erase(session, locked, range(locked.size), now_ms=0) is None
    assert room.texts(order) == [OPENED, "(erased)", "(erased)", "erasure"]
    assert room.log(order)[2].head == head
    assert room.rooms.read(order, buyer).entries[1].files == ()
    with pytest.raises(UnknownItem):
        room.rooms.file(order, buyer, sent.id)
