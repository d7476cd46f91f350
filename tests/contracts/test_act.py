"""What a party or operator signed, brought to the chain by anyone."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import OrderClosed, OrderDelivered, OrderDisputed, OrderRecommitted
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.policy import NO_CANCEL
from kameng_escrow.domain.refusals import (
    CancelNotAllowed,
    EmptyCommitment,
    Expired,
    InvalidSignature,
    NoRight,
    NotPossible,
    PullFailed,
    TooLate,
    Unauthorized,
    UnitsOutOfRange,
    WrongRevision,
    WrongRole,
    WrongState,
    WrongValue,
)
from kameng_escrow.domain.reverts import RevertedSilently
from kameng_escrow.domain.states import Outcome, Right, Role, State, Verb
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.world import COMMITMENT, EVIDENCE, UNITS, reverts

NOTHING = "0x" + "00" * 32

BUYERS = {Verb.Confirm, Verb.Cancel, Verb.Dispute, Verb.Concede, Verb.Revise}
SELLERS = {Verb.Accept, Verb.Deliver, Verb.Decline, Verb.Refund, Verb.Concede, Verb.Revise, Verb.Recommit}
OPERATORS = {
    Verb.Accept: Right.Accept,
    Verb.Deliver: Right.Deliver,
    Verb.Decline: Right.Decline,
    Verb.Refund: Right.Refund,
    Verb.Concede: Right.Refund,
    Verb.Recommit: Right.Deliver,
}
STATES = {
    Verb.Accept: [State.Opened],
    Verb.Deliver: [State.Accepted],
    Verb.Confirm: [State.Accepted, State.Delivered, State.Disputed],
    Verb.Cancel: [State.Opened, State.Accepted],
    Verb.Decline: [State.Opened, State.Accepted],
    Verb.Refund: [State.Delivered, State.Disputed],
    Verb.Dispute: [State.Delivered],
    Verb.Concede: [State.Disputed],
    Verb.Revise: [State.Opened, State.Accepted, State.Delivered, State.Disputed],
    Verb.Recommit: [State.Disputed],
}
ALLOWED = [
    (verb, role, state)
    for verb in Verb
    for role, verbs in ((Role.Buyer, BUYERS), (Role.Seller, SELLERS), (Role.Operator, OPERATORS))
    if verb in verbs
    for state in STATES[verb]
]
FORBIDDEN = [
    (verb, role, state)
    for verb in Verb
    for role in Role
    for state in STATES[verb]
    if (verb, role, state) not in ALLOWED
]
ACTORS = {Role.Buyer: CAST["buyer"], Role.Seller: CAST["seller"], Role.Operator: CAST["operator"]}


def prepared(world, verb, role, state):
    """An order in that state, its clock where the verb is possible, and the action that its actor would sign."""
    order = world.in_state(state)
    world.fund_bond(order)
    world.grant(order.terms, sum(Right))
    if verb == Verb.Concede:
        world.warp(order.mediation)
    number = {Verb.Dispute: 3}.get(verb, 0)
    content = {Verb.Deliver: COMMITMENT, Verb.Recommit: COMMITMENT, Verb.Dispute: EVIDENCE}.get(verb, NOTHING)
    return order, world.action(order, verb, role, ACTORS[role], number=number, content=content)


def value_of(order, action):
    return replace(order, k=3).sums.E if action.verb == Verb.Dispute else 0


# --------------------------------------------------------------------------------------------------------- refusals


def test_act_reverts_from_the_expiry_on(escrow, world, delivered, buyer, relayer, warp):
    order = delivered()
    action = world.action(order, Verb.Confirm, Role.Buyer, buyer, expiry=world.evm.now + 60)
    signature = world.sign_action(order, action)
    for late in (0, 1, 1_000):
        warp(action.expiry + late)
        with reverts(Expired(world.evm.now, action.expiry)):
            escrow.act(order.terms, action, signature, sender=relayer)


@pytest.mark.parametrize("name", ["seller", "refund_to", "platform", "operator", "relayer"])
def test_act_reverts_where_another_signed(escrow, world, delivered, buyer, relayer, name, request):
    order = delivered()
    action = world.action(order, Verb.Confirm, Role.Buyer, buyer)
    signature = world.sign_action(order, action, request.getfixturevalue(name))
    with reverts(InvalidSignature(buyer, world.action_digest(order, action))):
        escrow.act(order.terms, action, signature, sender=relayer)


@pytest.mark.parametrize(
    "change",
    [
        {"verb": Verb.Decline},
        {"state": State.Disputed},
        {"role": Role.Operator},
        {"signer": CAST["operator"]},
        {"number": 1},
        {"content": EVIDENCE},
        {"expiry": 2**40 - 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_act_reverts_for_another_action_than_signed(escrow, world, delivered, seller, relayer, change):
    order = delivered()
    action = world.action(order, Verb.Refund, Role.Seller, seller)
    changed = replace(action, **change)
    with reverts(InvalidSignature(changed.signer, world.action_digest(order, changed))):
        escrow.act(order.terms, changed, world.sign_action(order, action), sender=relayer)


def test_act_reverts_for_an_action_on_another_order(escrow, world, delivered, buyer, relayer):
    order, other = delivered(), delivered()
    action = world.action(order, Verb.Confirm, Role.Buyer, buyer)
    with reverts(InvalidSignature(buyer, world.action_digest(order, action))):
        escrow.act(order.terms, action, world.sign_action(other, action), sender=relayer)


def test_act_reverts_for_an_action_signed_on_another_chain(escrow, world, delivered, buyer, relayer):
    order = delivered()
    action = world.action(order, Verb.Confirm, Role.Buyer, buyer)
    world.evm.chain_id += 1
    signature = world.sign_action(order, action)
    world.evm.chain_id -= 1
    with reverts(InvalidSignature(buyer, world.action_digest(order, action))):
        escrow.act(order.terms, action, signature, sender=relayer)


def test_act_reverts_for_nobodys_signature(escrow, world, delivered, relayer):
    order = delivered()
    action = world.action(order, Verb.Confirm, Role.Buyer, NATIVE)
    for signature in (b"", bytes(65), bytes(64) + b"\x1b"):
        with reverts(InvalidSignature(NATIVE, world.action_digest(order, action))):
            escrow.act(order.terms, action, signature, sender=relayer)


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb != Verb.Dispute])
def test_act_reverts_for_value_with_anything_but_a_dispute(escrow, world, relayer, verb):
    role = Role.Buyer if verb in BUYERS else Role.Seller
    order, action = prepared(world, verb, role, STATES[verb][0])
    with reverts(WrongValue(1, 0)):
        escrow.act(order.terms, action, world.sign_action(order, action), sender=relayer, value=1)


@pytest.mark.parametrize("verb", list(Verb))
def test_act_reverts_in_another_state_than_signed(escrow, world, relayer, verb):
    role = Role.Buyer if verb in BUYERS else Role.Seller
    signed_for = STATES[verb][0]
    for actual in State:
        if actual == signed_for:
            continue
        order = world.in_state(actual)
        action = world.action(order, verb, role, ACTORS[role], state=signed_for)
        with reverts(WrongState(order.id, actual, signed_for)):
            escrow.act(order.terms, action, world.sign_action(order, action), sender=relayer)


@pytest.mark.parametrize("verb", list(Verb))
def test_act_reverts_where_the_state_does_not_allow_it(escrow, world, relayer, verb):
    role = Role.Buyer if verb in BUYERS else Role.Seller
    possible = {*STATES[verb], State.Nothing} if verb == Verb.Revise else STATES[verb]
    for state in State:
        if state in possible:
            continue
        order = world.in_state(state)
        action = world.action(order, verb, role, ACTORS[role])
        with reverts(NotPossible(order.id, state)):
            escrow.act(order.terms, action, world.sign_action(order, action), sender=relayer)


@pytest.mark.parametrize(("verb", "role", "state"), FORBIDDEN)
def test_act_reverts_in_a_role_that_may_not(escrow, world, relayer, verb, role, state):
    order, action = prepared(world, verb, role, state)
    with reverts(WrongRole(verb, role)):
        escrow.act(order.terms, action, world.sign_action(order, action), sender=relayer)


@pytest.mark.parametrize(("verb", "role", "state"), [each for each in ALLOWED if each[1] != Role.Operator])
def test_act_reverts_for_a_signer_that_is_not_in_that_role(escrow, world, relayer, stranger, verb, role, state):
    order, action = prepared(world, verb, role, state)
    action = replace(action, signer=stranger)
    with reverts(Unauthorized(stranger, ACTORS[role])):
        escrow.act(order.terms, action, world.sign_action(order, action), sender=relayer)


@pytest.mark.parametrize(("verb", "role", "state"), [each for each in ALLOWED if each[1] == Role.Operator])
def test_act_reverts_for_an_operator_without_the_right(escrow, world, relayer, verb, role, state):
    order, action = prepared(world, verb, role, state)
    world.grant(order.terms, sum(Right) - OPERATORS[verb])
    with reverts(NoRight(action.signer, OPERATORS[verb])):
        escrow.act(order.terms, action, world.sign_action(order, action), sender=relayer)


def test_act_reverts_for_the_buyers_revision_before_the_opening(escrow, world, buyer, seller, relayer):
    order = world.order()
    action = world.action(order, Verb.Revise, Role.Buyer, buyer)
    with reverts(Unauthorized(buyer, seller)):
        escrow.act(order.terms, action, world.sign_action(order, action), sender=relayer)


@pytest.mark.parametrize(("field", "beyond"), [("verb", 10), ("state", 6), ("role", 3)])
def test_act_reverts_for_a_word_that_does_not_exist(escrow, world, delivered, buyer, relayer, field, beyond):
    order = delivered()
    action = world.action(order, Verb.Confirm, Role.Buyer, buyer, **{})
    with reverts(RevertedSilently()):
        escrow.act(order.terms, replace(action, **{field: beyond}), b"", sender=relayer)


def test_act_checks_what_the_action_itself_would(escrow, world, accepted, delivered, disputed, relayer, warp):
    """One refusal of each verb's own; the rest is in that verb's file."""
    late = accepted(policy=world.make_policy(cancel_fee_bps=NO_CANCEL))
    for order, verb, role, fields, refusal in (
        (late, Verb.Cancel, Role.Buyer, {}, CancelNotAllowed(late.id)),
        (late, Verb.Deliver, Role.Seller, {"content": NOTHING}, EmptyCommitment()),
        (delivered(), Verb.Dispute, Role.Buyer, {"number": UNITS + 1}, UnitsOutOfRange(UNITS + 1, UNITS)),
        (delivered(), Verb.Dispute, Role.Buyer, {"number": 2**16 + 1}, UnitsOutOfRange(2**16 + 1, UNITS)),
        (delivered(), Verb.Revise, Role.Buyer, {"number": 1}, WrongRevision(1, 0)),
        (delivered(), Verb.Revise, Role.Buyer, {"number": 2**24}, WrongRevision(2**24, 0)),
        (disputed(), Verb.Recommit, Role.Seller, {"number": 1, "content": COMMITMENT}, WrongRevision(1, 0)),
        (disputed(), Verb.Recommit, Role.Seller, {"content": NOTHING}, EmptyCommitment()),
    ):
        action = world.action(order, verb, role, ACTORS[role], **fields)
        with reverts(refusal):
            escrow.act(order.terms, action, world.sign_action(order, action), sender=relayer)
    warp(late.deadline)
    action = world.action(late, Verb.Deliver, Role.Seller, ACTORS[Role.Seller], content=COMMITMENT)
    with reverts(TooLate(late.deadline, late.deadline)):
        escrow.act(late.terms, action, world.sign_action(late, action), sender=relayer)


def test_act_checks_its_guards_in_order(escrow, world, opened, stranger, relayer):
    order = opened()
    action = world.action(order, Verb.Confirm, Role.Seller, stranger, expiry=world.evm.now, state=State.Accepted)
    steps = [
        ({}, Expired(world.evm.now, world.evm.now)),
        ({"expiry": world.evm.now + 1}, None),
        ({}, WrongValue(1, 0)),
        ({}, WrongState(order.id, State.Opened, State.Accepted)),
        ({"state": State.Opened}, NotPossible(order.id, State.Opened)),
        ({"verb": Verb.Cancel}, WrongRole(Verb.Cancel, Role.Seller)),
        ({"role": Role.Buyer}, Unauthorized(stranger, order.terms.buyer)),
    ]
    signature, value = b"", 1
    for change, refusal in steps:
        action = replace(action, **change)
        if refusal is None:
            refusal = InvalidSignature(stranger, world.action_digest(order, action))
        elif not isinstance(refusal, Expired):
            signature = world.sign_action(order, action)
        if isinstance(refusal, WrongState):
            value = 0
        with reverts(refusal):
            escrow.act(order.terms, action, signature, sender=relayer, value=value)


# -------------------------------------------------------------------------------------------------------- successes


@pytest.mark.parametrize(("verb", "role", "state"), ALLOWED)
def test_act_does_what_the_signer_calling_would(escrow, world, verb, role, state, relayer):
    """The same events, and the same slot, whether relayed or called."""
    order, action = prepared(world, verb, role, state)
    terms, signer, value = order.terms, action.signer, value_of(order, action)
    direct = {
        Verb.Accept: ("accept",),
        Verb.Deliver: ("deliver", COMMITMENT),
        Verb.Confirm: ("confirm", state),
        Verb.Cancel: ("cancel", state),
        Verb.Decline: ("decline", state),
        Verb.Refund: ("refund", state),
        Verb.Dispute: ("dispute", 3, EVIDENCE),
        Verb.Concede: ("concede", role),
        Verb.Revise: ("revise", 0),
        Verb.Recommit: ("recommit", 0, COMMITMENT),
    }[verb]
    snapshot = world.evm.snapshot()
    called = getattr(escrow, direct[0])(terms, *direct[1:], sender=signer, value=value)
    slot = escrow.slotOf(order.id)
    world.evm.restore(snapshot)
    relayed = escrow.act(terms, action, world.sign_action(order, action), sender=relayer, value=value)
    assert escrow.events(relayed) == escrow.events(called)
    assert escrow.slotOf(order.id) == slot


def test_act_succeeds_until_the_second_before_the_expiry(escrow, world, delivered, buyer, relayer, warp):
    order = delivered()
    action = world.action(order, Verb.Confirm, Role.Buyer, buyer, expiry=world.evm.now + 60)
    warp(action.expiry - 1)
    escrow.act(order.terms, action, world.sign_action(order, action), sender=relayer)
    assert order.status.outcome == Outcome.Confirmed


def test_act_takes_a_dispute_bond_in_the_native_coin_from_who_relays(escrow, world, delivered, buyer, relayer):
    order = delivered(policy=world.make_policy(platform_fee_bps=0))
    order.k = UNITS
    E = order.sums.E
    action = world.action(order, Verb.Dispute, Role.Buyer, buyer, number=UNITS, content=EVIDENCE)
    signature = world.sign_action(order, action)
    for wrong in (0, E - 1, E + 1):
        with reverts(WrongValue(wrong, E)):
            escrow.act(order.terms, action, signature, sender=relayer, value=wrong)
    with world.moves(NATIVE, {"relayer": -E, "escrow": E}):
        escrow.act(order.terms, action, signature, sender=relayer, value=E)


def test_act_takes_a_dispute_bond_in_a_token_from_the_buyer(escrow, world, delivered, token, buyer, relayer):
    """Never from the relayer's allowance."""
    order = delivered(token=token.address)
    order.k = UNITS
    E = order.sums.E
    action = world.action(order, Verb.Dispute, Role.Buyer, buyer, number=UNITS, content=EVIDENCE)
    signature = world.sign_action(order, action)
    token.approve(escrow.address, E - 1, sender=buyer)
    with reverts(PullFailed(token.address, buyer, E)):
        escrow.act(order.terms, action, signature, sender=relayer)
    with reverts(WrongValue(1, 0)):
        escrow.act(order.terms, action, signature, sender=relayer, value=1)
    token.approve(escrow.address, E, sender=buyer)
    with world.moves(token.address, {"buyer": -E, "escrow": E}):
        escrow.act(order.terms, action, signature, sender=relayer)


def test_act_needs_nothing_of_the_buyer_but_a_key(escrow, world, delivered, buyer, relayer):
    order = delivered()
    world.evm.set_balance(buyer, 0)
    P, B, f = order.sums.P, order.sums.B, order.sums.f
    action = world.action(order, Verb.Confirm, Role.Buyer, buyer)
    with world.moves(NATIVE, {"escrow": -(P - f(P)), "pay_to": P - f(P), "fees": f(P), "bond of seller": B}):
        escrow.act(order.terms, action, world.sign_action(order, action), sender=relayer)


@pytest.mark.parametrize(("verb", "role", "state"), ALLOWED)
def test_act_happens_once(escrow, world, relayer, verb, role, state):
    order, action = prepared(world, verb, role, state)
    signature, value = world.sign_action(order, action), value_of(order, action)
    escrow.act(order.terms, action, signature, sender=relayer, value=value)
    if verb in (Verb.Revise, Verb.Recommit):
        refusal = WrongRevision(0, 1)
    else:
        refusal = WrongState(order.id, order.status.state, state)
    with reverts(refusal):
        escrow.act(order.terms, action, signature, sender=relayer, value=value)


def test_an_action_meant_for_opened_does_nothing_once_the_seller_accepted(
    escrow, world, opened, buyer, seller, relayer
):
    order = opened()
    world.fund_bond(order)
    action = world.action(order, Verb.Cancel, Role.Buyer, buyer)
    signature = world.sign_action(order, action)
    escrow.accept(order.terms, sender=seller)
    with reverts(WrongState(order.id, State.Accepted, State.Opened)):
        escrow.act(order.terms, action, signature, sender=relayer)


# ----------------------------------------------------------------------------------------------------------- events


def test_act_logs_what_the_action_does_and_not_who_relayed(escrow, world, buyer, seller, relayer):
    for verb, role, state, kind in (
        (Verb.Deliver, Role.Seller, State.Accepted, OrderDelivered),
        (Verb.Dispute, Role.Buyer, State.Delivered, OrderDisputed),
        (Verb.Recommit, Role.Seller, State.Disputed, OrderRecommitted),
        (Verb.Confirm, Role.Buyer, State.Delivered, OrderClosed),
    ):
        order, action = prepared(world, verb, role, state)
        receipt = escrow.act(
            order.terms, action, world.sign_action(order, action), sender=relayer, value=value_of(order, action)
        )
        assert [type(event) for event in escrow.events(receipt)] == [kind]
