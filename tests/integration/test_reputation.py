"""Reputation from real orders: the store's and the chain's are the same, to the last digit, for everybody."""

from dataclasses import replace
from typing import Any

import pytest

from kameng_escrow.books.errors import BlockNotFinal, NothingFinal
from kameng_escrow.books.reputation import from_chain, from_store
from kameng_escrow.bootstrap import make_target
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.reputation import ONE, Kind, Yardstick
from kameng_escrow.domain.states import Outcome, State
from kameng_escrow.domain.typed_data import policy_id
from kameng_escrow.mirror import Web3Source
from kameng_escrow.store import Store, contracts
from kameng_escrow.store.service.reputation import Reckoning

from .escrow_world import EscrowWorld
from .mirrors import mirror_of

FEE = 12_500  # 1.25 % of the usual price
ALL = Yardstick(units={NATIVE: FEE})


def stored(world: EscrowWorld, store: Store, account: str, **options: Any) -> Reckoning:
    mirror_of(world, store, final_depth=0).run_once()
    return from_store(store, contracts(store)[0], account, options.pop("yardstick", ALL), **options)


def chained(world: EscrowWorld, account: str, **options: Any) -> Reckoning:
    target = make_target(world.deployment)
    return from_chain(Web3Source(world.node.w3), target, account, options.pop("yardstick", ALL), **options)


def test_everybody_s_reputation_is_the_same_from_store_and_chain(
    lived: tuple[EscrowWorld, dict[Outcome, OrderTerms]], store: Store
) -> None:
    world, ended = lived
    yardstick = Yardstick(units={NATIVE: FEE, world.token: FEE}, platforms=frozenset({world.platform.address}))
    for account in (world.buyer, world.seller, world.stranger, world.platform):
        here = stored(world, store, account.address, yardstick=yardstick)
        there = chained(world, account.address, yardstick=yardstick, at_block=here.as_of.number)
        assert here == there
    seller = stored(world, store, world.seller.address, yardstick=yardstick).reputation.as_seller
    assert seller.orders >= len(ended)
    assert all(seller.counts[kind] for kind in (Kind.Good, Kind.Bad, Kind.Neutral, Kind.Unanswered))


def test_a_sale_and_a_fault_are_counted(world: EscrowWorld, store: Store) -> None:
    sold = world.offered()
    world.send(world.buyer, "confirm", sold, State.Accepted)
    failed = world.offered()
    world.wait(31 * 60)
    world.settle(failed)
    found = stored(world, store, world.seller.address).reputation.as_seller
    assert (found.counts[Kind.Good], found.counts[Kind.Bad], found.counterparties) == (1, 1, 1)
    assert found.bad == ONE
    assert found.fees == {NATIVE: FEE}
    bought = stored(world, store, world.buyer.address).reputation.as_buyer
    assert (bought.counts[Kind.Good], bought.counts[Kind.Bad], bought.counts[Kind.Neutral]) == (1, 0, 1)


def test_only_what_is_final_counts(world: EscrowWorld, store: Store) -> None:
    world.send(world.buyer, "confirm", world.offered(), State.Accepted)
    mirror_of(world, store, final_depth=3).run_once()
    contract = contracts(store)[0]
    early = from_store(store, contract, world.seller.address, ALL)
    assert early.reputation.as_seller.orders == 0
    assert early.as_of.number <= contract.marks.final
    with pytest.raises(BlockNotFinal) as caught:
        from_store(store, contract, world.seller.address, ALL, at_block=contract.marks.seen)
    assert caught.value.final == contract.marks.final
    world.node.mine(3)
    mirror_of(world, store, final_depth=3).run_once()
    late = from_store(store, contracts(store)[0], world.seller.address, ALL)
    assert late.reputation.as_seller.counts[Kind.Good] == 1
    before = from_store(store, contracts(store)[0], world.seller.address, ALL, at_block=early.as_of.number)
    assert before == early


def test_a_chain_without_anything_final_is_told_of(world: EscrowWorld, store: Store) -> None:
    mirror_of(world, store, final_depth=10_000).run_once()
    with pytest.raises(NothingFinal):
        from_store(store, contracts(store)[0], world.seller.address, ALL)
    target = replace(make_target(world.deployment), first_block=10_000)
    with pytest.raises(NothingFinal):
        from_chain(Web3Source(world.node.w3), target, world.seller.address, ALL)
    with pytest.raises(BlockNotFinal):
        chained(world, world.seller.address, at_block=10_000)


def test_a_platform_of_one_s_own_buys_nothing_where_platforms_are_named(world: EscrowWorld, store: Store) -> None:
    own = world.policy(platform=world.stranger.address, fee_receiver=world.stranger.address)
    world.send(world.stranger, "registerPolicy", own, world.now() + 86_400)
    world.send(world.buyer, "confirm", world.offered(policy_id=policy_id(own)), State.Accepted)
    named = replace(ALL, platforms=frozenset({world.platform.address}))
    trusted = stored(world, store, world.seller.address, yardstick=named).reputation.as_seller
    assert (trusted.good, trusted.counts[Kind.Unlisted]) == (0, 1)
    assert stored(world, store, world.seller.address).reputation.as_seller.good == ONE
