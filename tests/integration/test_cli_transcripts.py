"""A room's log at the terminal: written into one archive, and checked by whoever has it."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kameng_escrow.domain.typed_data import Domain
from kameng_escrow.store import BlobStore, Store, contracts
from kameng_escrow.talk.archive import LOG
from kameng_escrow.talk.desk import Desk
from kameng_escrow.talk.rooms import Rooms
from tests.hand import Hand, bring_up

from .test_talk_rooms import png


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    with bring_up(tmp_path_factory.mktemp("transcripts"), quick=True) as hand:
        yield hand


@pytest.fixture(scope="module")
def order(hand: Hand) -> str:
    """An order about which something was said, with a picture, and a picture that was never shown."""
    order_id = hand.opened()
    hand.terminal.json("mirror", "--once", "--store", "s.sqlite")
    with Store.open(str(hand.terminal.folder / "s.sqlite")) as store:
        [info] = contracts(store)
        blobs = BlobStore(hand.terminal.folder / "files")
        desk = Desk(store=store, contract_id=info.id, domain=Domain(info.chain_id, info.address), blobs=blobs)
        rooms, buyer = Rooms(desk), json.loads((hand.terminal.folder / "t.json").read_text())["terms"]["buyer"]
        shown = rooms.send_file(order_id, buyer, name="a.png", content=png("red"))
        rooms.say(order_id, buyer, "看图", files=[shown.id])
        rooms.send_file(order_id, buyer, name="b.png", content=png("blue"))
    return order_id


PLACE = ("--store", "s.sqlite", "--files", "files")


def test_what_is_written_is_checked_by_anybody(hand: Hand, order: str) -> None:
    made = hand.terminal.json("transcript", "export", order, "-o", "t.zip", *PLACE)
    checked = hand.terminal.json("transcript", "verify", "t.zip", "--head", made["head"], "--on-chain")
    assert (checked["size"], checked["files"], checked["head_at"], checked["wrong"]) == (2, 1, 1, [])
    assert checked["root"] == made["root"]
    told = hand.terminal.run("transcript", "verify", "t.zip", LANG="zh_CN.UTF-8")
    assert (told.code, "前后相接" in told.out) == (0, True)
    [log] = [name for name in zipfile.ZipFile(hand.terminal.folder / "t.zip").namelist() if name == LOG]
    assert log


def test_what_is_wrong_is_said_and_told_by_the_exit_code(hand: Hand, order: str) -> None:
    hand.terminal.json("transcript", "export", order, "-o", "t.zip", *PLACE)
    other = "0x" + "00" * 32
    for option, said in (("--head", "no entry has the head"), ("--evidence", "no paper with the hash")):
        outcome = hand.terminal.run("transcript", "verify", "t.zip", option, other)
        assert outcome.code == 1
        assert said in outcome.out
    folder: Path = hand.terminal.folder
    with zipfile.ZipFile(folder / "t.zip") as source, zipfile.ZipFile(folder / "x.zip", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content.replace("看图".encode(), "没看".encode()) if name == LOG else content)
    hand.fail("transcript", "verify", "x.zip", code=1)
    (folder / "y.zip").write_bytes(b"no archive")
    hand.fail("transcript", "verify", "y.zip", code=3)
    hand.fail("transcript", "verify", "nowhere.zip", code=3)
    hand.fail("transcript", "export", "0x12", "-o", "z.zip", *PLACE, code=3)
    hand.fail("transcript", "export", order, "-o", "nowhere/z.zip", *PLACE, code=3)


def test_files_take_room_until_they_are_tidied(hand: Hand, order: str) -> None:
    before = hand.terminal.json("files", *PLACE)
    assert before["used_bytes"] > 0
    after = hand.terminal.json("files", "--tidy", *PLACE)
    assert (after["forgotten"], after["blobs"], after["used_bytes"]) == (0, 0, before["used_bytes"])  # within a day
    hand.fail("files", "--store", "none.sqlite", "--files", "files", code=6)
