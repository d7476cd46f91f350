"""`kameng notifier` as people and cron run it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kameng_escrow.chain.deployments import save_deployment
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .keepers import until
from .notify_world import Ear, NotifyWorld

Kameng = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(anvil_world: EscrowWorld, tmp_path: Path) -> dict[str, str]:
    save_deployment(anvil_world.deployment, tmp_path / "deployments")
    (tmp_path / "seal").write_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")  # as NotifyWorld seals
    (tmp_path / "seal").chmod(0o600)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("KAMENG_")},
        "KAMENG_RPC_URL": str(anvil_world.node.url),
        "KAMENG_DEPLOYMENTS": str(tmp_path / "deployments"),
        "KAMENG_STORE": str(tmp_path / "store.sqlite"),
        "KAMENG_SEAL_KEY_FILE": str(tmp_path / "seal"),
        "KAMENG_WEBHOOK_LOOPBACK": "yes",
        "KAMENG_LANG": "en",
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from kameng_escrow.cli import main; main()", "notifier", *arguments]


@pytest.fixture
def kameng(environment: dict[str, str]) -> Kameng:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command(*arguments), env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    return run


@pytest.fixture
def told(anvil_world: EscrowWorld, tmp_path: Path) -> Iterator[NotifyWorld]:
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        yield NotifyWorld(anvil_world, store)


def test_cron_sends_and_says_so(told: NotifyWorld, ear: Ear, kameng: Kameng) -> None:
    told.endpoint(ear.url)
    told.world.accepted()
    told.mirror()
    done = kameng("--once", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["leading"], said["webhooks"], said["failed"], said["waiting"]) == (True, 2, 0, 0)
    assert ear.types == ["order.opened", "order.accepted"]
    ear.always(500)
    told.world.opened()
    told.mirror()
    done = kameng("--once")
    assert done.returncode == 1
    assert "1 webhooks wait" in done.stdout
    assert "not taken" in done.stderr


def fetched(path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:18765{path}") as answer:
        return str(answer.read().decode())


def test_a_follower_goes_on_until_it_is_told_to_stop(told: NotifyWorld, ear: Ear, environment: dict[str, str]) -> None:
    told.endpoint(ear.url)
    arguments = command("--poll", "0.1", "--log-json", "--metrics", "18765")
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            told.world.opened()
            told.mirror()
            until(lambda: ear.types == ["order.opened"])
            until(lambda: 'kameng_notifier_webhook_attempts_total{stage="sent"} 1.0' in fetched("/metrics"))
            assert json.loads(fetched("/readyz"))["ok"]
            process.send_signal(signal.SIGTERM)
            _, logged = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert [line["status"] for line in lines if line["message"] == "webhook taken"] == [200]
    assert ear.url not in logged


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("KAMENG_WEBHOOK_LOOPBACK", "perhaps", "yes, no"),
        ("KAMENG_NOTIFY_HOSTS", "https://ntfy.example", "hosts"),
        ("KAMENG_PUSH_CONTACT", "me", "mailto"),
        ("KAMENG_SEAL_KEY_FILE", "/nowhere", "can't be read"),
        ("KAMENG_MAIL_FILE", "/nowhere", "can't be read"),
    ],
)
def test_settings_that_can_t_be(
    told: NotifyWorld, environment: dict[str, str], variable: str, value: str, said: str
) -> None:
    done = subprocess.run(
        command("--once"), env={**environment, variable: value}, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode not in (0, 1)
    assert said in done.stderr


def test_without_a_key_file_it_says_what_that_means(told: NotifyWorld, environment: dict[str, str]) -> None:
    bare = {name: value for name, value in environment.items() if name != "KAMENG_SEAL_KEY_FILE"}
    done = subprocess.run(command("--once"), env=bare, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert "KAMENG_SEAL_KEY_FILE" in done.stderr
