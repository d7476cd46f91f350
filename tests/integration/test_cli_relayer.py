"""`kameng relayer`, `kameng relay-budget` and `kameng buyer`, as people and cron run them."""

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.deployments import save_deployment
from kameng_escrow.cli.documents import Place, offer_document, terms_document
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import State, Verb
from kameng_escrow.domain.walletless import WEAKER
from kameng_escrow.keyfile import write_key
from kameng_escrow.relay import Act
from kameng_escrow.store import Store

from .keepers import until
from .relayers import RELAYER, intake_of, mirror
from .sdk_cast import HOUR, Cast, make_cast
from .test_client_deposits import bondless

Kameng = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cast() -> Iterator[Cast]:
    with AnvilNode() as node:
        yield make_cast(node)


@pytest.fixture
def environment(cast: Cast, tmp_path: Path) -> dict[str, str]:
    save_deployment(cast.deployment, tmp_path / "deployments")
    write_key(tmp_path / "relayer.key", bytes(cast.node.accounts[RELAYER].key))
    (tmp_path / "word").write_text("correct horse battery staple\n")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("KAMENG_")},
        "KAMENG_RPC_URL": str(cast.node.url),
        "KAMENG_DEPLOYMENTS": str(tmp_path / "deployments"),
        "KAMENG_STORE": str(tmp_path / "store.sqlite"),
        "KAMENG_RELAYER_KEY_FILE": str(tmp_path / "relayer.key"),
        "KAMENG_KEY_PASSPHRASE_FILE": str(tmp_path / "word"),
        "KAMENG_LANG": "en",
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from kameng_escrow.cli import main; main()", *arguments]


@pytest.fixture
def kameng(environment: dict[str, str]) -> Kameng:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command(*arguments), env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    return run


@pytest.fixture
def store(cast: Cast, tmp_path: Path) -> Iterator[Store]:
    """The store of the command line, mirrored."""
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        mirror(cast, store)
        yield store


def accepted(cast: Cast, store: Store) -> OrderTerms:
    """An order whose confirmation was taken on."""
    terms = cast.order(State.Delivered)
    mirror(cast, store)
    action = cast.buyer.action(terms, verb=Verb.Confirm)
    request = Act(terms=terms, action=action, signature=cast.buyer.sign_action(terms, action))
    intake_of(cast, store).accept(request, account=cast.buyer.address)
    return terms


def answer(done: "subprocess.CompletedProcess[str]", code: int = 0) -> Any:
    assert done.returncode == code, done.stderr + done.stdout
    return json.loads(done.stdout)


def test_cron_brings_what_was_accepted_and_says_so(cast: Cast, store: Store, kameng: Kameng) -> None:
    terms = accepted(cast, store)
    told = answer(kameng("relayer", "--once", "--json", "--confirmations", "1"))
    assert cast.state(terms) is State.Closed
    assert told["complete"]
    assert told["transactions"] == 1
    assert told["account"] == cast.node.accounts[RELAYER].address
    assert [one["verb"] for one in told["last"]] == ["Confirm"]
    assert "0 transactions" in kameng("relayer", "--once").stdout


def test_a_platforms_budget_is_set_shown_and_forgotten(cast: Cast, store: Store, kameng: Kameng) -> None:
    platform = cast.platform.address
    shown = answer(kameng("relay-budget", platform, "--json"))
    assert (shown["daily"], shown["own"], shown["new"], shown["spent"]) == ("5000000000000000", False, True, "0")
    assert "new here" in kameng("relay-budget", platform).stdout
    old = answer(kameng("relay-budget", platform, "--json", "--relayer-new-budget", "none"))
    assert (old["daily"], old["new"]) == ("20000000000000000", False)
    accepted(cast, store)
    assert answer(kameng("relay-budget", platform, "1", "--json"))["daily"] == "1"
    done = kameng("relayer", "--once", "--patience", "0.5", "--json")
    assert answer(done, 4)["left"] == 1
    assert "relay-budget" in done.stderr
    assert answer(kameng("relay-budget", platform, "none", "--json"))["daily"] is None
    assert not answer(kameng("relay-budget", platform, "default", "--json"))["own"]
    assert kameng("relay-budget", platform, "much").returncode == 3
    assert kameng("relay-budget", "0x12").returncode == 3


def ready(port: int) -> tuple[int, list[str]]:
    """What the follower says of itself."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as response:
            return response.status, json.load(response)["conditions"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["conditions"]


def test_without_a_key_of_its_own_it_says_which(environment: dict[str, str], kameng: Kameng, store: Store) -> None:
    del environment["KAMENG_RELAYER_KEY_FILE"]
    done = kameng("relayer", "--once")
    assert done.returncode == 3
    assert "KAMENG_RELAYER_KEY_FILE" in done.stderr
    assert store.where


def test_a_follower_brings_serves_its_health_and_ends_when_told(
    cast: Cast, store: Store, environment: dict[str, str]
) -> None:
    port = 18_937
    line = command("relayer", "--poll", "0.1", "--metrics", str(port), "--confirmations", "1")
    with subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        terms = accepted(cast, store)
        until(lambda: cast.state(terms) is State.Closed)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            assert b"kameng_relayer_accepted_relays 0.0" in response.read()
        until(lambda: ready(port) == (200, []))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_buyers_key_is_made_and_pays_by_a_transfer(cast: Cast, store: Store, kameng: Kameng, tmp_path: Path) -> None:
    file = tmp_path / "buyer.json"
    made = answer(kameng("buyer", "new", str(file), "--json"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one["en"] for one in made["warnings"]] == [label.en for label in WEAKER]
    assert kameng("buyer", "new", str(file)).returncode == 3  # never in the place of another
    terms = cast.terms(buyer=made["address"], refund_to=cast.stranger.address, policy_id=bondless(cast))
    order_id = cast.reader.order_id(terms)
    place = Place(chain_id=cast.deployment.chain_id, contract=cast.deployment.address, order_id=order_id)
    (tmp_path / "terms.json").write_text(json.dumps(terms_document(place, terms)))
    offer = cast.seller.sign_offer(terms, expiry=cast.reader.now() + HOUR)
    (tmp_path / "offer.json").write_text(json.dumps(offer_document(place, offer)))
    names = (str(tmp_path / "terms.json"), "--key-file", str(file))
    nothing = kameng("buyer", "deposit", *names)
    assert nothing.returncode == 3
    body = answer(kameng("buyer", "deposit", *names, "--sign", "--offer", str(tmp_path / "offer.json"), "--json"))
    assert body["terms"]["buyer"] == made["address"]
    assert body["offer"]["signature"] == "0x" + offer.signature.hex()
    shown = kameng("buyer", "deposit", *names, "--sign", "--output", str(tmp_path / "deposit.json"))
    assert cast.reader.deposit_address(terms) in shown.stdout
    assert terms.refund_to in shown.stdout
    cast.stranger.open(terms)
    cast.seller.accept(terms)
    cast.seller.deliver(terms, commitment="0x" + "c0" * 32)
    relay = answer(kameng("buyer", "act", "confirm", *names, "--json"))
    assert relay["kind"] == "Action"
    assert relay["action"]["signer"] == made["address"]
    assert kameng("buyer", "act", "accept", *names).returncode == 3
    assert store.where
