"""The contracts around the escrow, and orders paid at deposit addresses."""

from collections.abc import Callable
from typing import Any

import pytest

from kameng_escrow.domain.order import NATIVE
from tests.contracts.harness.abi import Contract, deploy
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.world import World
from tests.contracts.periphery.deposit_order import DepositOrder


@pytest.fixture
def deposits(world: World, compiled: Callable[[str], Any]) -> Contract:
    contract = deploy(world.evm, compiled("KamengDeposits"), world.escrow.address, sender=CAST["stranger"])
    world.names[contract.address] = "deposits"
    return contract


@pytest.fixture
def make_order(world: World, deposits: Contract) -> Callable[..., DepositOrder]:
    """`make_order(token=coin)`: an order that nobody opened yet, under a policy without a dispute bond."""

    def make(**overrides: Any) -> DepositOrder:
        no_bond = world.make_policy(dispute_bond_bps=0, mediation_fee_bps=0)
        order = world.order(**{"policy": no_bond, **overrides})
        made = DepositOrder(world, deposits, order)
        world.names[made.address] = "vault"
        return made

    return make


@pytest.fixture
def paid(make_order: Callable[..., DepositOrder]) -> Callable[..., DepositOrder]:
    """`paid(token=coin)`: likewise, with the price at its deposit address."""

    def make(**overrides: Any) -> DepositOrder:
        order = make_order(**overrides)
        order.receive(order.terms.price)
        return order

    return make


@pytest.fixture
def moody(world: World, compiled: Callable[[str], Any]) -> Contract:
    """A token in a fair mood, of which everybody has plenty."""
    token = deploy(world.evm, compiled("MoodyToken"), sender=CAST["stranger"])
    world.enrich(token)
    return token


@pytest.fixture
def other_coin(coin: str, world: World) -> str:
    """The coin that `coin` is not."""
    return world.token.address if coin == NATIVE else NATIVE
