"""`kameng keeper` as people and cron run it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from kameng_escrow.chain.deployments import save_deployment
from kameng_escrow.domain.states import State
from kameng_escrow.keyfile import write_key
from kameng_escrow.store import Journal, Leadership, Store
from kameng_escrow.store.keeping import Trouble

from .escrow_world import EscrowWorld
from .keepers import KEEPER, due_orders, states, until

Kameng = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(anvil_world: EscrowWorld, tmp_path: Path) -> dict[str, str]:
    save_deployment(anvil_world.deployment, tmp_path / "deployments")
    write_key(tmp_path / "keeper.key", bytes(anvil_world.node.accounts[KEEPER].key))
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("KAMENG_")},
        "KAMENG_RPC_URL": str(anvil_world.node.url),
        "KAMENG_DEPLOYMENTS": str(tmp_path / "deployments"),
        "KAMENG_STORE": str(tmp_path / "store.sqlite"),
        "KAMENG_KEY_FILE": str(tmp_path / "keeper.key"),
        "KAMENG_LANG": "en",
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from kameng_escrow.cli import main; main()", *arguments]


@pytest.fixture
def kameng(environment: dict[str, str]) -> Kameng:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command("keeper", *arguments), env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    return run


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The store of the command line."""
    return Store.open(str(tmp_path / "store.sqlite"))


def test_cron_settles_and_says_so(anvil_world: EscrowWorld, store: Store, kameng: Kameng) -> None:
    due = due_orders(anvil_world, store, 5)
    done = kameng("--once", "--json", "--confirmations", "1")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["complete"], said["settled"], said["transactions"], said["left"]) == (True, 5, 1, 0)
    assert int(said["cost"]) > 0
    assert said["last"][0]["stage"] == "Settled"
    assert states(anvil_world, due) == {State.Closed}
    again = kameng("--once")
    assert again.returncode == 0
    assert "Nothing is due" in again.stdout
    assert "没有到期的订单" in kameng("--once", "--lang", "zh").stdout


def test_money_that_is_missing_has_an_exit_code_of_its_own(
    anvil_world: EscrowWorld, store: Store, kameng: Kameng
) -> None:
    due_orders(anvil_world, store, 1)
    done = kameng("--once", "--patience", "0", "--keeper-budget", "1000")
    assert done.returncode == 4
    assert "1 are due and not settled" in done.stdout
    assert "KAMENG_KEEPER_BUDGET" in done.stdout
    assert kameng("--once", "--keeper-budget", "none").returncode == 0


def test_what_was_given_up_is_loud_until_somebody_looks(anvil_world: EscrowWorld, store: Store, kameng: Kameng) -> None:
    due = due_orders(anvil_world, store, 2)
    journal = Journal(store, chain_id=31_337, account=anvil_world.node.accounts[KEEPER].address)
    hopeless = Trouble(
        order_id=anvil_world.id_of(due[0]), failures=8, code="x", reason="x", next_try_ms=None, since_ms=1
    )
    journal.note_troubles(1, [hopeless])
    done = kameng("--once", "--patience", "0")
    assert done.returncode == 1
    assert "1 were given up" in done.stdout
    done = kameng("--once", "--again", "--json")
    assert done.returncode == 0
    assert states(anvil_world, due) == {State.Closed}


def test_beside_another_keeper_cron_does_nothing_and_is_content(
    anvil_world: EscrowWorld, store: Store, kameng: Kameng
) -> None:
    due_orders(anvil_world, store, 1)
    scope = f"31337:{anvil_world.node.accounts[KEEPER].address}"
    with Leadership(store, "keeper", scope) as place:
        assert place.take() is not None
        done = kameng("--once")
        assert done.returncode == 0
        assert "Another keeper of this account is at work" in done.stdout


def test_a_store_without_a_mirror_says_what_to_run(kameng: Kameng) -> None:
    done = kameng("--once")
    assert done.returncode == 6
    assert "kameng mirror --once" in done.stderr


def test_a_follower_settles_serves_metrics_and_ends_on_ctrl_c(
    anvil_world: EscrowWorld, store: Store, environment: dict[str, str]
) -> None:
    world = anvil_world
    due = due_orders(world, store, 3)
    port = 19_219
    arguments = command("keeper", "--metrics", str(port), "--spread", "0", "--poll", "0.1", "--log-json")
    with subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            until(lambda: states(world, due) == {State.Closed})
            until(lambda: "kameng_keeper_settled_total 3.0" in scraped(port))
            text, ready = scraped(port), json.loads(scraped(port, "readyz"))
        finally:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "kameng_keeper_leader 1.0" in text
    assert ready == {"ok": True, "leader": True, "conditions": [], "seconds_since_look": ready["seconds_since_look"]}
    logged = [json.loads(line) for line in err.splitlines()]
    assert {"leading", "sent", "mined"} <= {line["message"] for line in logged}
    assert 'kameng_keeper_transactions_total{step="sent"} 1.0' in text
    assert "settles 3 orders" in out
    assert "✓ 3 settled in 1 transactions" in out


def scraped(port: int, path: str = "metrics") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
        return str(answer.read().decode())
