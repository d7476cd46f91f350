"""A relayer that is killed at any point, without warning, loses nothing and brings nothing twice."""

import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import State, Verb
from kameng_escrow.relay import Act
from kameng_escrow.store import Store
from kameng_escrow.store.keeping import Payload
from kameng_escrow.store.relaying import RelayStage
from kameng_escrow.store.service import deposits, relays

from .relayers import RELAYER, book_of, found, intake_of, intents_of, mine, mirror, sent_by
from .sdk_cast import HOUR, Cast, make_cast
from .test_client_deposits import bondless, pay

SCRIPT = Path(__file__).with_name("killed_relayer.py")
SEED = 20_261_126


class Killer:
    """Runs relayers of an Anvil in processes of their own and kills them."""

    def __init__(self, cast: Cast, store_url: str, folder: Path) -> None:
        self.cast = cast
        self.url = store_url
        self._record = folder / "deployment.json"
        self._record.write_text(cast.deployment.to_json(), "utf-8")

    def run(self, *points: str) -> list[str]:
        """One process after the other on the same store; how each ended."""
        command = [sys.executable, str(SCRIPT), str(self.cast.node.url), self.url, str(self._record), str(RELAYER)]
        done = subprocess.run([*command, *points], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def strike(self, count: int, *points: str) -> list[str]:
        """So many relays are accepted, relayers are killed at them, and one lives; each was brought once."""
        with Store.open(self.url) as store:
            orders = [self.cast.order(State.Delivered) for _ in range(count)]
            mirror(self.cast, store)
            intake = intake_of(self.cast, store)
            taken = [intake.accept(confirmation(self.cast, one), account=None).id for one in orders]
            ends = self.run(*points, "never")
            assert {self.cast.state(one) for one in orders} == {State.Closed}
            self.check(store, taken)
        return ends

    def check(self, store: Store, taken: list[str]) -> None:
        """Every relay was carried by one intent, and every transaction is in the journal."""
        mine(self.cast, 3)
        self.run("never")
        assert {found(self.cast, store, one).stage for one in taken} == {RelayStage.Done}
        journal = intents_of(self.cast, store)
        with store.reading() as session:
            carried = [relays.carried(session, intent.id) for intent in journal]
        assert sorted(one.id for one in carried if one is not None) == sorted(taken), "something was brought twice"
        assert {attempt.payload for intent in journal for attempt in intent.attempts} == {Payload.Call}
        assert [intent.inclusion.hash for intent in journal if intent.inclusion] == sent_by(self.cast)
        assert len(sent_by(self.cast)) == len(taken)


def confirmation(cast: Cast, terms: OrderTerms) -> Act:
    action = cast.buyer.action(terms, verb=Verb.Confirm)
    return Act(terms=terms, action=action, signature=cast.buyer.sign_action(terms, action))


@pytest.fixture
def killer(store_url: str, tmp_path: Path) -> Iterator[Killer]:
    with AnvilNode() as node:
        yield Killer(make_cast(node), store_url, tmp_path)


def test_kills_around_everything_that_counts_lose_nothing(killer: Killer) -> None:
    """Before and after each commit, before and after each transaction is given to the node."""
    points = [f"{kind}:{number}" for kind in ("sending", "sent", "commit", "committed") for number in (1, 2)]
    ends = killer.strike(10, *points)
    assert ends.count("killed") == len(points)


def test_kills_at_random_statements_lose_nothing(killer: Killer) -> None:
    dice = random.Random(SEED)
    points = [f"statement:{dice.randint(1, 60)}" for _ in range(12)]
    assert killer.strike(10, *points).count("killed") >= 8


def test_a_node_that_forgot_what_a_killed_relayer_sent_gets_the_same_bytes(killer: Killer) -> None:
    cast = killer.cast
    with Store.open(killer.url) as store:
        orders = [cast.order(State.Delivered) for _ in range(2)]
        mirror(cast, store)
        taken = [intake_of(cast, store).accept(confirmation(cast, one), account=None).id for one in orders]
        cast.node.request("evm_setAutomine", False)
        assert killer.run("sent:2") == ["killed"]
        written = [attempt.hash for intent in intents_of(cast, store) for attempt in intent.attempts]
        cast.node.request("anvil_dropAllTransactions")
        cast.node.request("evm_setAutomine", True)
        killer.run("never")
        killer.check(store, taken)
        assert sent_by(cast) == written


def test_kills_while_a_deposit_opens_open_it_once(killer: Killer) -> None:
    cast = killer.cast
    with Store.open(killer.url) as store:
        terms = replace(cast.terms(policy_id=bondless(cast)), refund_to=cast.operator.address)
        mirror(cast, store)
        contract, order_id = book_of(cast, store).info().id, cast.reader.order_id(terms)
        with store.writing() as session:
            deposits.watch(
                session,
                contract,
                order_id,
                address=cast.reader.deposit_address(terms),
                terms=terms,
                platform=cast.platform.address,
                account=terms.buyer,
                offer=cast.seller.sign_offer(terms, expiry=cast.reader.now() + HOUR),
                signature=b"",
                now_ms=0,
            )
        pay(cast, terms)
        points = [f"{kind}:{number}" for number in (1, 2, 3) for kind in ("commit", "committed")]
        killer.run(*points, "sending:1", "sent:1", "never")
        assert cast.state(terms) is State.Accepted
        with store.reading() as session:
            taken = [one.id for one in relays.of_order(session, contract, order_id)]
        killer.check(store, taken)
        assert len(taken) == 1
