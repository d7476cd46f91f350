"""Splits that one proposes, both sign, and the chain pays."""

from collections.abc import Callable
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.domain.inputs import NumberOutOfRange
from kameng_escrow.domain.refusals import AmountOutOfRange, InvalidSignature
from kameng_escrow.domain.seats import Seat
from kameng_escrow.domain.states import Outcome, State
from kameng_escrow.store import Store
from kameng_escrow.talk.errors import NothingToSplit, NotInRoom, NotSigned, ProposalVoid, UnknownItem, WrongSeat
from kameng_escrow.talk.proposals import LONGEST, SHORTEST, Agreement, Proposal, ProposalStatus, VoidReason
from tests.integration.escrow_world import HOUR, EscrowWorld

from .mirrors import book_of
from .talking import Talking, talking


@pytest.fixture
def room(world: EscrowWorld, store: Store, tmp_path: Path) -> Talking:
    """Rooms over a new world, on each database in turn."""
    return talking(world, store, tmp_path)


def signed(room: Talking, proposal: Proposal, *who: LocalAccount) -> Proposal:
    for one in who:
        signature = room.sign(one, proposal.order_id, proposal.split)
        proposal = room.proposals.sign(proposal.order_id, one.address, proposal.id, signature)
    return proposal


def pay(room: Talking, agreement: Agreement, sender: LocalAccount) -> None:
    signatures = (agreement.buyer_signature, agreement.seller_signature)
    room.world.send(sender, "agree", agreement.terms, agreement.split, *signatures)
    room.mirror()


def test_what_can_not_be_proposed_or_signed_is_refused(room: Talking) -> None:
    world, proposals = room.world, room.proposals
    buyer, seller, platform = world.buyer.address, world.seller.address, world.platform.address
    terms = world.delivered()
    order, closed = room.id_of(terms), room.id_of(world.confirmed())
    with pytest.raises(WrongSeat, match="parties and mediators"):
        proposals.propose(order, platform, to_buyer=1)
    with pytest.raises(NothingToSplit, match="Closed"):
        proposals.propose(closed, buyer, to_buyer=1)
    for amount in (-1, terms.price + 1):
        with pytest.raises(AmountOutOfRange):
            proposals.propose(order, buyer, to_buyer=amount)
    for seconds in (SHORTEST - 1, LONGEST + 1):
        with pytest.raises(NumberOutOfRange):
            proposals.propose(order, buyer, to_buyer=1, seconds=seconds)

    proposal = proposals.propose(order, buyer, to_buyer=terms.price)
    good = room.sign(world.buyer, order, proposal.split)
    for who, signature in (
        (seller, good),  # another's
        (buyer, room.sign(world.buyer, closed, proposal.split)),  # for another order
        (buyer, b""),
        (buyer, good[:-1]),
        (buyer, bytes(9_000)),
    ):
        with pytest.raises(InvalidSignature):
            proposals.sign(order, who, proposal.id, signature)
    with pytest.raises(WrongSeat, match="buyer and seller"):
        proposals.sign(order, platform, proposal.id, good)
    with pytest.raises(UnknownItem):
        proposals.sign(closed, buyer, proposal.id, good)
    with pytest.raises(NotSigned) as caught:
        proposals.agreement(order, seller, proposal.id)
    assert caught.value.seat is Seat.Buyer
    signed(room, proposal, world.buyer)
    with pytest.raises(NotSigned) as caught:
        proposals.agreement(order, buyer, proposal.id)
    assert caught.value.seat is Seat.Seller
    with pytest.raises(WrongSeat):
        proposals.agreement(order, platform, proposal.id)
    with pytest.raises(NotInRoom):
        proposals.get(order, world.stranger.address, proposal.id)


def test_a_split_that_both_sign_is_paid_by_whoever_brings_it(room: Talking) -> None:
    world, proposals = room.world, room.proposals
    terms = world.disputed(units=3)
    order = room.id_of(terms)
    proposal = proposals.propose(order, world.mediator.address, to_buyer=120_000)
    assert proposal.split.state is State.Disputed
    assert proposal.split.disputed_units == 3
    assert proposal.status is ProposalStatus.Open
    assert proposal.closing is not None
    assert signed(room, proposal, world.seller).signed_by == (Seat.Seller,)
    assert signed(room, proposal, world.seller).signed_by == (Seat.Seller,)  # again changes nothing
    ready = signed(room, proposal, world.buyer)
    assert (ready.status, ready.signed_by) == (ProposalStatus.Ready, (Seat.Buyer, Seat.Seller))
    assert room.texts(order)[-3:] == ["proposal", "signature", "signature"]

    pay(room, proposals.agreement(order, world.buyer.address, proposal.id), world.stranger)
    ended = book_of(world, room.store).order(order).order
    assert ended.outcome is Outcome.Agreed
    assert ended.shares == proposal.closing.shares
    [paid] = proposals.list(order, world.seller.address)
    assert (paid.status, paid.void, paid.closing) == (ProposalStatus.Paid, None, None)
    with pytest.raises(ProposalVoid, match="another state"):
        proposals.agreement(order, world.buyer.address, proposal.id)


def test_a_proposal_is_void_once_the_order_has_moved(room: Talking) -> None:
    world, proposals, buyer = room.world, room.proposals, room.world.buyer.address
    moved, revised, late = world.accepted(), world.accepted(), world.accepted()
    made = {
        name: proposals.propose(room.id_of(terms), buyer, to_buyer=1, seconds=HOUR)
        for name, terms in (("moved", moved), ("revised", revised), ("late", late))
    }
    for one in made.values():
        signed(room, one, world.buyer, world.seller)
    world.send(world.seller, "deliver", moved, "0x" + "c0" * 32)
    world.send(world.buyer, "revise", revised, 0)
    room.mirror()

    def void(name: str) -> VoidReason | None:
        return proposals.get(made[name].order_id, buyer, made[name].id).void

    assert (void("moved"), void("revised"), void("late")) == (VoidReason.StateChanged, VoidReason.RevisionChanged, None)
    world.wait(HOUR)
    room.mirror()
    assert void("late") is VoidReason.Expired
    for one in made.values():
        with pytest.raises(ProposalVoid) as caught:
            proposals.agreement(one.order_id, buyer, one.id)
        assert caught.value.message_zh != caught.value.message
        with pytest.raises(ProposalVoid):
            signed(room, one, world.buyer)
        assert proposals.get(one.order_id, buyer, one.id).closing is None


def test_a_proposal_of_other_units_is_void(room: Talking) -> None:
    """A dispute begins with other units than the one that a reorganisation took away."""
    world, buyer = room.world, room.world.buyer.address
    terms = world.delivered()
    order = room.id_of(terms)
    before = world.node.snapshot()
    bond = terms.price * 1_500 // 10_000
    world.send(
        world.buyer, "dispute", terms, 3, "0x" + "00" * 32, value=(terms.price - terms.price * 7 // 10) * 15 // 100
    )
    room.mirror()
    proposal = room.proposals.propose(order, buyer, to_buyer=1)
    world.node.revert(before)
    world.wait(30)
    world.send(world.buyer, "dispute", terms, 10, "0x" + "00" * 32, value=bond)
    world.wait(30)
    room.mirror()
    assert room.proposals.get(order, buyer, proposal.id).void is VoidReason.UnitsChanged


def test_whoever_no_longer_wants_it_says_so(room: Talking) -> None:
    world, proposals = room.world, room.proposals
    order = room.id_of(world.accepted())
    proposal = signed(room, proposals.propose(order, world.buyer.address, to_buyer=1), world.buyer, world.seller)
    with pytest.raises(WrongSeat):
        proposals.withdraw(order, world.platform.address, proposal.id)
    gone = proposals.withdraw(order, world.seller.address, proposal.id)
    assert (gone.status, gone.void, gone.signed_by) == (ProposalStatus.Void, VoidReason.Withdrawn, ())
    assert proposals.withdraw(order, world.buyer.address, proposal.id).void is VoidReason.Withdrawn
    assert room.texts(order)[-1] == "withdrawal"
    assert room.texts(order).count("withdrawal") == 1
    with pytest.raises(ProposalVoid, match="no longer wants"):
        signed(room, proposal, world.buyer)


def test_the_longest_proposal_can_still_be_paid_at_its_end(room: Talking) -> None:
    world = room.world
    order = room.id_of(world.delivered())
    proposal = signed(
        room,
        room.proposals.propose(order, world.seller.address, to_buyer=5, seconds=LONGEST),
        world.buyer,
        world.seller,
    )
    world.wait(LONGEST - 120)
    room.mirror()
    pay(room, room.proposals.agreement(order, world.seller.address, proposal.id), world.seller)
    [paid] = room.proposals.list(order, world.buyer.address)
    assert paid.status is ProposalStatus.Paid


def test_contracts_sign_by_erc_1271(room: Talking, compiled: Callable[[str], Artifact]) -> None:
    """A buyer that is a contract, for which its owner signs."""
    world = room.world
    creation = bytes.fromhex(compiled("Wallet").bytecode[2:]) + encode(["address"], [world.buyer.address])
    sent = {"from": world.deployer.address, "data": "0x" + creation.hex(), "gas": hex(1_000_000)}
    receipt = world.node.request("eth_getTransactionReceipt", world.node.request("eth_sendTransaction", sent))
    wallet = to_checksum_address(receipt["contractAddress"])
    terms = world.opened(buyer=wallet)  # somebody else pays
    order = room.id_of(terms)
    proposal = room.proposals.propose(order, wallet, to_buyer=terms.price // 2)
    with pytest.raises(InvalidSignature):
        room.proposals.sign(order, wallet, proposal.id, room.sign(world.seller, order, proposal.split))
    room.proposals.sign(order, wallet, proposal.id, room.sign(world.buyer, order, proposal.split))
    signed(room, proposal, world.seller)
    pay(room, room.proposals.agreement(order, wallet, proposal.id), world.stranger)
    assert room.proposals.get(order, wallet, proposal.id).status is ProposalStatus.Paid
