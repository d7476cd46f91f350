"""A service over a chain on which everything has happened, and people who call it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from fastapi.testclient import TestClient
from siwe import SiweMessage

from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import Outcome
from kameng_escrow.notify import Telling
from kameng_escrow.service.app import make_app
from kameng_escrow.service.parts import Parts, ServiceConfig
from kameng_escrow.store import BlobStore, Store
from tests.integration.escrow_world import EscrowWorld
from tests.integration.mirrors import book_of, mirror_of

ORIGIN = "https://escrow.example"


@dataclass(slots=True)
class Clock:
    """The service's own clock: begins where the chain is, and moves when told."""

    now: int

    def __call__(self) -> int:
        return self.now


@dataclass(slots=True)
class Service:
    """A running service and its world."""

    world: EscrowWorld
    store: Store
    parts: Parts
    clock: Clock
    client: TestClient
    orders: dict[Outcome, OrderTerms] = field(default_factory=dict)
    addresses: Iterator[int] = field(default_factory=lambda: iter(range(1, 255)))

    def mirror(self) -> None:
        """Brings what happened on the chain into the store."""
        mirror_of(self.world, self.store).run_once()

    def id_of(self, terms: OrderTerms) -> str:
        return self.world.id_of(terms)

    def visitor(self) -> TestClient:
        """Somebody with a browser of its own, who has not signed in."""
        return TestClient(self.client.app, base_url=ORIGIN, headers={"Origin": ORIGIN})

    def signed_in(self, who: LocalAccount) -> TestClient:
        """The same, signed in."""
        browser = self.visitor()
        asked = browser.post("/v1/sign-in/challenge").json()
        message = message_of(asked, who.address)
        answer = browser.post("/v1/sign-in", json={"message": message, "signature": sign(who, message)})
        assert answer.status_code == 200, answer.text
        return browser

    def with_key(self, who: LocalAccount, *scopes: str) -> TestClient:
        """A program of the account's, with a key, at a network address of its own."""
        made = self.signed_in(who).post("/v1/api-keys", json={"name": "test", "scopes": list(scopes)})
        assert made.status_code == 201, made.text
        secret = made.json()["secret"]
        address = (f"10.1.0.{next(self.addresses)}", 50_000)
        bearing = {"Authorization": f"Bearer {secret}"}
        return TestClient(self.client.app, base_url=ORIGIN, headers=bearing, client=address)


def message_of(asked: dict[str, object], address: str, **changes: object) -> str:
    """The message that a wallet would show for a challenge."""
    fields = {**asked, "address": address, **changes}
    return str(SiweMessage(**{name: value for name, value in fields.items() if value is not None}).prepare_message())


def sign(who: LocalAccount, message: str) -> str:
    """As ``personal_sign`` does."""
    return "0x" + bytes(who.sign_message(encode_defunct(text=message)).signature).hex()


@pytest.fixture(scope="session")
def _busy_world() -> Iterator[tuple[EscrowWorld, dict[Outcome, OrderTerms]]]:
    with InProcessNode() as node:
        world = EscrowWorld(node)
        yield world, world.everything()


@pytest.fixture(scope="session")
def _mirrored(
    _busy_world: tuple[EscrowWorld, dict[Outcome, OrderTerms]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A store of it, to be copied."""
    path = tmp_path_factory.mktemp("service") / "store.sqlite"
    with Store.open(str(path)) as store:
        store.migrate()
        mirror_of(_busy_world[0], store).run_once()
    return path


@pytest.fixture
def service(
    _busy_world: tuple[EscrowWorld, dict[Outcome, OrderTerms]], _mirrored: Path, tmp_path: Path
) -> Iterator[Service]:
    """A service over a chain on which everything has happened."""
    with serving_copy(_busy_world, _mirrored, tmp_path) as service:
        yield service


@contextmanager
def serving_copy(
    busy_world: tuple[EscrowWorld, dict[Outcome, OrderTerms]], mirrored: Path, folder: Path, **config: Any
) -> Iterator[Service]:
    """A service with a copy of the store in `folder`; afterwards the chain is as it was."""
    world, orders = busy_world
    snapshot = world.node.snapshot()
    for file in mirrored.parent.glob(f"{mirrored.name}*"):
        shutil.copy(file, folder / file.name)
    with Store.open(str(folder / mirrored.name)) as store:
        yield from _serving(world, store, orders, folder, **config)
    world.node.revert(snapshot)


@pytest.fixture
def service_on_each(
    _busy_world: tuple[EscrowWorld, dict[Outcome, OrderTerms]], store_url: str, tmp_path: Path
) -> Iterator[Service]:
    """The same, on each database in turn."""
    world, orders = _busy_world
    snapshot = world.node.snapshot()
    with Store.open(store_url) as store:
        store.migrate()
        mirror_of(world, store).run_once()
        yield from _serving(world, store, orders, tmp_path)
    world.node.revert(snapshot)


def _serving(
    world: EscrowWorld, store: Store, orders: dict[Outcome, OrderTerms], folder: Path, **config: Any
) -> Iterator[Service]:
    book = book_of(world, store)
    clock = Clock(world.now())
    parts = Parts(
        config=ServiceConfig(public_url=ORIGIN, explorer_url="https://explorer.example", **config),
        store=store,
        book=book,
        contract_id=book.info().id,
        node=world.node,
        deployment=world.deployment,
        client=EscrowClient(node=world.node, contract=world.deployment),
        blobs=BlobStore(folder / "files"),
        telling=Telling(public_url=ORIGIN, loopback=True, clock_ms=lambda: 1_000 * clock.now),
        clock=clock,
    )
    with TestClient(make_app(parts), base_url=ORIGIN, headers={"Origin": ORIGIN}) as client:
        yield Service(world=world, store=store, parts=parts, clock=clock, client=client, orders=dict(orders))


@pytest.fixture
def strict_service(service: Service) -> Iterator[Callable[..., Service]]:
    """The same service set up otherwise: `strict_service(rate_limit=3)`."""
    opened: list[TestClient] = []

    def make(**changes: object) -> Service:
        parts = replace(service.parts, config=replace(service.parts.config, **changes))  # type: ignore[arg-type]
        client = TestClient(
            make_app(parts), base_url=parts.config.public_url, headers={"Origin": parts.config.public_url}
        )
        opened.append(client.__enter__())
        return replace(service, parts=parts, client=client)

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def newcomer() -> LocalAccount:
    """Somebody whom the chain has never heard of."""
    account: LocalAccount = Account.create()
    return account
