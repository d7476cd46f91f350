from collections.abc import Iterator

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import Outcome
from kameng_escrow.notify import Senders
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .notify_world import Ear, NotifyWorld, listening
from .people_told import at
from .sdk_cast import Cast, make_cast


@pytest.fixture(scope="session")
def _world() -> Iterator[EscrowWorld]:
    with InProcessNode() as node:
        yield EscrowWorld(node)


@pytest.fixture
def world(_world: EscrowWorld) -> Iterator[EscrowWorld]:
    """An escrow on a chain inside this process, as new for every test."""
    snapshot = _world.node.snapshot()
    yield _world
    _world.node.revert(snapshot)


@pytest.fixture
def anvil_world() -> Iterator[EscrowWorld]:
    """An escrow of its own, on an Anvil."""
    with AnvilNode() as node:
        yield EscrowWorld(node)


@pytest.fixture
def anvil(anvil_world: EscrowWorld) -> AnvilNode:
    """The node of `anvil_world`."""
    assert isinstance(anvil_world.node, AnvilNode)
    return anvil_world.node


@pytest.fixture(scope="session")
def lived() -> Iterator[tuple[EscrowWorld, dict[Outcome, OrderTerms]]]:
    """A chain on which everything has happened, and the orders that ended. Look, don't touch."""
    with InProcessNode() as node:
        world = EscrowWorld(node)
        yield world, world.everything()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, on each database in turn."""
    with Store.open(store_url) as store:
        yield store


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """A store in a file, with its tables and nothing in them."""
    with Store.open(sqlite_url) as store:
        yield store


@pytest.fixture(scope="session")
def _cast() -> Iterator[Cast]:
    with InProcessNode() as node:
        yield make_cast(node)


@pytest.fixture
def cast(_cast: Cast) -> Iterator[Cast]:
    """Everybody who uses the SDK, on a chain inside this process, as new for every test."""
    snapshot = _cast.node.snapshot()
    yield _cast
    _cast.node.revert(snapshot)


@pytest.fixture
def anvil_cast() -> Iterator[Cast]:
    """Everybody who uses the SDK, on an Anvil of their own."""
    with AnvilNode() as node:
        yield make_cast(node)


@pytest.fixture
def ear() -> Iterator[Ear]:
    """A web server on this machine that keeps what it is sent."""
    with listening() as ear:
        yield ear


@pytest.fixture
def told(world: EscrowWorld, store: Store, ear: Ear) -> NotifyWorld:
    """A notifier whose messengers talk to the ear."""
    return NotifyWorld(world, store, senders=Senders(make=at(ear)))
