from collections.abc import Iterator
from pathlib import Path

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import Outcome
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld


@pytest.fixture
def world() -> Iterator[EscrowWorld]:
    """An escrow of its own, on a chain inside this process."""
    with InProcessNode() as node:
        yield EscrowWorld(node)


@pytest.fixture
def anvil_world() -> Iterator[EscrowWorld]:
    """An escrow of its own, on an Anvil."""
    with AnvilNode() as node:
        yield EscrowWorld(node)


@pytest.fixture(scope="session")
def lived() -> Iterator[tuple[EscrowWorld, dict[Outcome, OrderTerms]]]:
    """A chain on which everything has happened, and the orders that ended. Look, don't touch."""
    with InProcessNode() as node:
        world = EscrowWorld(node)
        yield world, world.everything()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in a file."""
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        yield store
