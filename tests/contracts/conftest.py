"""The cast, and the escrow among them: deployed once, as new for every test."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.domain.order import NATIVE
from tests.contracts.harness.abi import Contract
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.evm import Evm, Snapshot
from tests.contracts.harness.payments import PERMIT2, Payments
from tests.contracts.harness.world import World


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names a word of the contract by its label instead of its number."""
    return getattr(val, "label", None)


@pytest.fixture(scope="session")
def deployment(compiled: Callable[[str], Artifact]) -> tuple[World, Snapshot]:
    world = World.create(compiled, Evm())
    return world, world.evm.snapshot()


@pytest.fixture
def world(deployment: tuple[World, Snapshot]) -> World:
    """The escrow, the lens, a token, and everybody with plenty of both coins."""
    base, snapshot = deployment
    base.evm.restore(snapshot)
    return replace(base, names=dict(base.names), policies=[], salts=0)


@pytest.fixture
def evm(world: World) -> Evm:
    return world.evm


@pytest.fixture
def escrow(world: World) -> Contract:
    return world.escrow


@pytest.fixture
def lens(world: World) -> Contract:
    return world.lens


@pytest.fixture
def token(world: World) -> Contract:
    """An ERC-20 in good faith, with 6 decimals."""
    return world.token


@pytest.fixture(params=["native", "token"])
def coin(request: pytest.FixtureRequest, world: World) -> str:
    """What is paid in: the native coin, then a token."""
    return NATIVE if request.param == "native" else world.token.address


@pytest.fixture
def payments(world: World, compiled: Callable[[str], Artifact]) -> Payments:
    """A token with EIP-2612 and EIP-3009, Permit2, and who signs for them."""
    made = Payments.create(world, compiled)
    world.names[PERMIT2] = "Permit2"
    return made


def _member(name: str) -> Any:
    @pytest.fixture(name=name)
    def member() -> str:
        return CAST[name]

    return member


buyer = _member("buyer")
refund_to = _member("refund_to")
seller = _member("seller")
pay_to = _member("pay_to")
payer = _member("payer")
platform = _member("platform")
mediator = _member("mediator")
backup = _member("backup")
fee_receiver = _member("fee_receiver")
operator = _member("operator")
relayer = _member("relayer")
keeper = _member("keeper")
stranger = _member("stranger")


@pytest.fixture
def make_policy(world: World) -> Callable[..., Any]:
    """`make_policy(platform_fee_bps=0)`: a registered policy."""
    return world.make_policy


@pytest.fixture
def make_terms(world: World) -> Callable[..., Any]:
    """`make_terms(policy=…, price=1)`: terms that differ from all others."""
    return world.make_terms


@pytest.fixture
def opened(world: World) -> Callable[..., Any]:
    """`opened(policy=…, token=coin)`: an order in that state; likewise the next ones."""
    return world.opened


@pytest.fixture
def accepted(world: World) -> Callable[..., Any]:
    return world.accepted


@pytest.fixture
def delivered(world: World) -> Callable[..., Any]:
    return world.delivered


@pytest.fixture
def disputed(world: World) -> Callable[..., Any]:
    """`disputed(k=3)`: three of ten units in dispute."""
    return world.disputed


@pytest.fixture
def warp(world: World) -> Callable[[int], None]:
    """`warp(to)`: the next transaction happens in that Unix second."""
    return world.warp
