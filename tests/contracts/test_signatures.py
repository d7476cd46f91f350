"""Whose signature counts: a key's, a contract wallet's (ERC-1271), and either for an account with code (EIP-7702)."""

import pytest
from eth.vm.forks.prague import PragueVM

from kameng_escrow.domain.refusals import InvalidSignature
from kameng_escrow.domain.states import Outcome, Role, State, Verb
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.cast import ACCOUNTS, CAST
from tests.contracts.harness.evm import Evm
from tests.contracts.harness.world import World, reverts


def test_the_domain_is_announced(escrow, evm):
    """ERC-5267; what is signed follows the chain's present id."""
    domain = (b"\x0f", "KamengEscrow", "1", evm.chain_id, escrow.address, "0x" + "00" * 32, [])
    assert escrow.eip712Domain() == domain
    evm.chain_id += 1
    assert escrow.eip712Domain() == (*domain[:3], evm.chain_id, *domain[4:])


def test_act_takes_a_contract_wallets_signature(escrow, world, compiled, buyer, stranger, relayer):
    wallet = deploy(world.evm, compiled("Wallet"), buyer, sender=buyer)
    order = world.order(buyer=wallet.address)
    escrow.open(order.terms, sender=stranger, value=order.terms.price)
    order.moved(State.Opened)
    action = world.action(order, Verb.Cancel, Role.Buyer, wallet.address)
    with reverts(InvalidSignature(wallet.address, world.action_digest(order, action))):
        escrow.act(order.terms, action, world.sign_action(order, action, stranger), sender=relayer)
    escrow.act(order.terms, action, world.sign_action(order, action, buyer), sender=relayer)
    assert order.status.outcome == Outcome.Cancelled


@pytest.mark.parametrize("contract", ["Receiver", "MoodyToken"])
def test_act_reverts_for_a_contract_that_knows_no_signatures(escrow, world, compiled, contract, buyer, relayer):
    other = deploy(world.evm, compiled(contract), sender=relayer)
    order = world.order(buyer=other.address)
    escrow.open(order.terms, sender=buyer, value=order.terms.price)
    order.moved(State.Opened)
    action = world.action(order, Verb.Cancel, Role.Buyer, other.address)
    with reverts(InvalidSignature(other.address, world.action_digest(order, action))):
        escrow.act(order.terms, action, world.sign_action(order, action, buyer), sender=relayer)


def test_act_takes_the_own_keys_signature_of_an_account_with_code(escrow, world, compiled, opened, evm, buyer, relayer):
    """Whatever that code would say of it."""
    foreign = deploy(evm, compiled("Wallet"), relayer, sender=relayer)
    order = opened()
    evm.set_code(buyer, evm.code(foreign.address))
    action = world.action(order, Verb.Cancel, Role.Buyer, buyer)
    escrow.act(order.terms, action, world.sign_action(order, action), sender=relayer)
    assert order.status.outcome == Outcome.Cancelled


@pytest.mark.parametrize("signer", ["buyer", "owner of the delegate"])
def test_act_takes_either_signature_of_a_delegated_account(compiled, signer):
    """EIP-7702, on an EVM that knows it: the account's key signs, or its delegate's owner does (ERC-1271)."""
    world = World.create(compiled, Evm(PragueVM))
    buyer, relayer, owner = CAST["buyer"], CAST["relayer"], CAST["stranger"]
    delegate = deploy(world.evm, compiled("Wallet"), owner, sender=relayer)
    order = world.opened()
    world.evm.set_code(buyer, bytes.fromhex("ef0100" + delegate.address[2:]))
    action = world.action(order, Verb.Cancel, Role.Buyer, buyer)
    signature = world.sign_action(order, action, buyer if signer == "buyer" else owner)
    with reverts(InvalidSignature(buyer, world.action_digest(order, action))):
        wrong = world.sign_action(order, action, ACCOUNTS["seller"].address)
        world.escrow.act(order.terms, action, wrong, sender=relayer)
    world.escrow.act(order.terms, action, signature, sender=relayer)
    assert order.status.outcome == Outcome.Cancelled
