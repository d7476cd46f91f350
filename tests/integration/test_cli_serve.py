"""`kameng serve` as whoever runs it would: from nothing to answers, and down again."""

import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.states import State

from .escrow_world import EscrowWorld
from .keepers import until
from .serving import COMMAND, environment_of, free_port, get, served


@pytest.fixture
def environment(anvil_world: EscrowWorld, tmp_path: Path) -> dict[str, str]:
    return environment_of(anvil_world, tmp_path, str(tmp_path / "store.sqlite"))


def refused(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=120
    )


# ------------------------------------------------------------------------------------------------------------- refusals


def test_a_port_that_is_taken_is_told_before_anything_begins(environment: dict[str, str], tmp_path: Path) -> None:
    host, _, port = environment["KAMENG_LISTEN"].partition(":")
    with socket.create_server((host, int(port))):
        done = refused(environment)
    assert done.returncode == 3
    assert f"{host}:{port} can't be listened on" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "api,king"), "no part named king"),
        (("--listen", "8080"), "looks like 127.0.0.1:8080"),
        (("--listen", "localhost:0"), "looks like 127.0.0.1:8080"),
        (("--only", "keeper"), "KAMENG_KEY_FILE"),
        (("--public-url", "escrow.example"), "KAMENG_PUBLIC_URL"),
    ],
)
def test_what_can_not_be_served_is_refused(environment: dict[str, str], arguments: tuple[str, ...], said: str) -> None:
    done = refused(environment, *arguments)
    assert done.returncode != 0
    assert said in done.stderr


def test_an_api_alone_needs_a_mirror_to_have_been_there(environment: dict[str, str]) -> None:
    done = refused(environment, "--only", "api")
    assert done.returncode != 0
    assert "kameng mirror --once" in done.stderr


# ------------------------------------------------------------------------------------------------------------ successes


def test_one_process_mirrors_settles_and_answers(
    anvil_world: EscrowWorld, environment: dict[str, str], tmp_path: Path
) -> None:
    terms = anvil_world.opened()
    environment["KAMENG_KEY_FILE"] = str(tmp_path / "keeper.key")
    with served(environment, "--metrics", str(metrics := free_port())) as process:
        until(lambda: get(environment, "/readyz")[0] == 200)
        assert get(environment, "/v1/about")[1]["contract"] == anvil_world.address
        assert get(environment, "/v1/orders")[0] == 401
        anvil_world.wait(600)  # nobody accepts
        reader = EscrowClient(node=anvil_world.node, contract=anvil_world.deployment)
        until(lambda: reader.status(anvil_world.id_of(terms)).state is State.Closed)
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=30) as answer:
            told = answer.read().decode()
        assert 'kameng_service_requests_total{method="GET",route="/v1/orders",status="4xx"} 1.0' in told
        assert "kameng_mirror_" in told
        assert "kameng_keeper_" in told
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Stopped" in output
