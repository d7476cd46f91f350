"""A notifier that is killed at any moment loses nothing, and what it says twice has the same id."""

import subprocess
import sys
from pathlib import Path

import pytest

from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .notify_world import Ear, NotifyWorld

SCRIPT = Path(__file__).with_name("killed_notifier.py")


def run(told: NotifyWorld, place: str, *points: str) -> list[str]:
    record = told.world.deployment
    arguments = [sys.executable, str(SCRIPT), place, str(record.chain_id), record.address, *points]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


POINTS = [
    tuple(f"statement:{number}" for number in range(1, 90, 4)),
    ("commit:each", "committed:each"),
    ("posting:each", "posted:each"),
]


@pytest.mark.parametrize("points", POINTS, ids=["statements", "commits", "requests"])
def test_killed_anywhere(world: EscrowWorld, store: Store, store_url: str, ear: Ear, points: tuple[str, ...]) -> None:
    told = NotifyWorld(world, store)
    for path in ("/one", "/two"):
        told.endpoint(ear.url + path)
    orders = [told.world.id_of(told.world.delivered()) for _ in range(2)]
    told.mirror()
    ends = run(told, store_url, *points, "never")
    assert ends.count("killed") >= 4
    assert ends[-1] != "killed"
    for path in ("/one", "/two"):
        heard = [one for one in ear.heard if one.path == path]
        for order in orders:
            mine = [one for one in heard if one.json["data"]["order_id"] == order]
            ids = list(dict.fromkeys(one.headers["webhook-id"] for one in mine))
            types = list(dict.fromkeys(one.json["type"] for one in mine))
            assert types == ["order.opened", "order.accepted", "order.delivered"]  # in their order, each at least once
            assert len(ids) == 3  # and however often, by one id
            places = [ids.index(one.headers["webhook-id"]) for one in mine]
            assert places == sorted(places)  # nothing is said again once something later was
    with told.store.reading() as session:
        owner = world.platform.address
        for endpoint in told.endpoints().of(session, owner):
            log = told.endpoints().log(session, owner, endpoint.id)
            assert [entry.stage.label for entry in log] == ["sent"] * 6
