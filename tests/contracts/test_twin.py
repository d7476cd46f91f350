"""The contract does what its twin in Python says, to the last base unit and the last argument of every refusal."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.domain import shares
from kameng_escrow.domain.lifecycle import LIFECYCLE, Move, Who, half_time, negotiation_end
from kameng_escrow.domain.order import NATIVE, Order, OrderTerms
from kameng_escrow.domain.refusals import ConflictOfInterest, Refusal
from kameng_escrow.domain.signed import Action, Offer, OperatorGrant, Split
from kameng_escrow.domain.states import Right, Role, State, Verb
from kameng_escrow.domain.typed_data import action_digest, offer_digest, split_digest
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.evm import Evm
from tests.contracts.harness.revm import Revm
from tests.contracts.harness.world import COMMITMENT, DAY, EVIDENCE, GROUNDS, POLICY
from tests.contracts.twin_drafts import Draft, terms_of
from tests.contracts.twin_history import USUAL
from tests.contracts.twin_machine import Histories
from tests.contracts.twins import Twins

HISTORIES = int(os.environ.get("KAMENG_HISTORIES", "300"))  # 10,000 and more for a thorough look
SHARDS = 2 * -(-HISTORIES // 5_000)  # for two cores; long runs in more parts, since hypothesis remembers a whole run
SEED = os.environ.get("KAMENG_SEED")  # a number: the same histories every time; without it, others each time
HISTORIES_ON_PY_EVM = 20  # which takes a second for each

PRICE = 1_000_011  # with three of ten units in dispute both bonds are odd, and nearly every division has a rest
FAR = 2**39  # Unix seconds: an expiry that no test comes to
UNITS, DISPUTED = 10, 3


@pytest.fixture(scope="module")
def world_of_twins(compiled: Callable[[str], Artifact]) -> Twins:
    return Twins(compiled, Evm())


@pytest.fixture
def twins(world_of_twins: Twins) -> Twins:
    world_of_twins.reset()
    return world_of_twins


@pytest.mark.parametrize("shard", range(SHARDS))
def test_random_histories_agree(
    compiled: Callable[[str], Artifact], shard: int, record_property: Callable[[str, object], None]
) -> None:
    run_histories(Twins(compiled, Revm()), -(-HISTORIES // SHARDS), shard)
    record_property("histories", Histories.agreed)


def test_random_histories_agree_on_another_evm(twins: Twins) -> None:
    run_histories(twins, HISTORIES_ON_PY_EVM)


def run_histories(twins: Twins, number: int, shard: int = 0) -> None:
    Histories.twins, Histories.agreed = twins, 0
    histories = Histories if SEED is None else seed(int(SEED) + shard)(Histories)
    run_state_machine_as_test(
        histories,
        settings=settings(
            max_examples=number,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    assert Histories.agreed >= number


# ----------------------------------------------------------------------- everything, at every time, in every state


def order_in(twins: Twins, state: State, coin: int, **changes: Any) -> OrderTerms:
    """The terms of an order that has come to the state by the shortest way."""
    draft = Draft("buyer", "refund_to", "seller", "pay_to", coin, PRICE, UNITS, 0, DAY, None)
    terms = replace(terms_of(draft, twins, 0), **changes)
    native = terms.token == NATIVE
    twins.do("revise", terms.seller, terms, 0)
    if state is not State.Nothing:
        done(twins.do("open", terms.buyer, terms, value=terms.price if native else 0))
    if state is State.Closed:
        done(twins.do("cancel", terms.buyer, terms, State.Opened))
    elif state >= State.Accepted:
        done(twins.do("accept", terms.seller, terms))
    if state in (State.Delivered, State.Disputed):
        done(twins.do("deliver", terms.seller, terms, COMMITMENT))
    if state is State.Disputed:
        done(twins.do("dispute", terms.buyer, terms, DISPUTED, EVIDENCE, value=dispute_bond(twins, terms)))
    assert twins.twin.order_of(terms).state is state
    return terms


def done(result: Any) -> None:
    assert not isinstance(result, Refusal), result


def dispute_bond(twins: Twins, terms: OrderTerms) -> int:
    """What to send along with a dispute."""
    policy = twins.twin.books.policies[terms.policy_id].policy
    sums = shares.held_in(State.Disputed, policy, price=terms.price, units=UNITS, disputed_units=DISPUTED)
    return sums.dispute_bond if terms.token == NATIVE else 0


def times(twins: Twins, order: Order) -> Iterator[int]:
    """Now, and just before, at and just after every mark of the order's clock."""
    marks = {order.deadline, negotiation_end(order), half_time(order)} - {None}
    for time in sorted({twins.now, *(mark + second for mark in marks if mark for second in (-1, 0, 1))}):
        twins.evm.warp(time)
        yield time


ACTORS = {Role.Buyer: "buyer", Role.Seller: "seller", Role.Operator: "operator"}
in_every_state = pytest.mark.parametrize("state", State, ids=lambda state: state.label)
IN_NATIVE, IN_TOKEN = 0, 1


@in_every_state
def test_every_verb_by_every_role_at_every_time(twins: Twins, state: State) -> None:
    """Relayed, so that every role can be claimed; and what is possible is what the table says."""
    terms = order_in(twins, state, IN_NATIVE)
    order = twins.twin.order_of(terms)
    signed = [
        (action, twins.sign(action.signer, action_digest(order.id, action, twins.domain)))
        for verb in Verb
        for role, name in ACTORS.items()
        for signer in (CAST[name], CAST["stranger"])
        for action in [an_action(verb, order, role, signer)]
    ]
    ours = [pair for pair in signed if pair[0].signer != CAST["stranger"]]
    possible, begun = set(), twins.now
    for _ in times(twins, order):
        for action, signature in signed if twins.now == begun else ours:
            value = dispute_bond(twins, terms) if action.verb is Verb.Dispute else 0
            result = twins.ask("act", CAST["relayer"], terms, action, signatures=[signature], value=value)
            if not isinstance(result, Refusal):
                assert action.signer == CAST[ACTORS[action.role]]
                possible.add((action.verb, action.role))
    assert possible == {
        (row.move.verb, role)
        for row in LIFECYCLE
        for role in Role
        if state in row.states and row.move.verb is not None and Who(role.label.lower()) in row.who
    }


def an_action(verb: Verb, order: Order, role: Role, signer: str) -> Action:
    return Action(
        verb=verb,
        state=order.state,
        role=role,
        signer=signer,
        expiry=FAR,
        number=DISPUTED if verb is Verb.Dispute else order.revision,
        content=COMMITMENT,
    )


@in_every_state
def test_what_others_do_at_every_time(twins: Twins, state: State) -> None:
    """Rulings, interventions, agreements and the clock; by the right ones and by others."""
    terms = order_in(twins, state, IN_TOKEN)
    order = twins.twin.order_of(terms)
    held = shares.held(order).amount
    callers = [CAST[name] for name in ("buyer", "seller", "mediator", "backup", "platform", "stranger")]
    possible = set()
    for now in times(twins, order):
        for caller in callers:
            results = {
                Move.Intervene: [twins.ask("intervene", caller, terms, state)],
                Move.Settle: [twins.ask("settle", caller, terms), twins.ask("settle_many", caller, [terms])][:1],
                Move.Rule: [
                    twins.ask("rule", caller, terms, award, GROUNDS) for award in (0, held // 3, held, held + 1)
                ],
                Move.Agree: [agreed(twins, order, terms, caller, award, now + DAY) for award in (held, held + 1)],
            }
            for move, answers in results.items():
                if any(not isinstance(answer, Refusal) for answer in answers):
                    possible.add(move)
    others = (Move.Intervene, Move.Settle, Move.Rule, Move.Agree)
    assert possible == {row.move for row in LIFECYCLE if row.move in others and state in row.states}


def agreed(twins: Twins, order: Order, terms: OrderTerms, caller: str, award: int, expiry: int) -> Any:
    """What comes of a split that both have signed."""
    split = Split(
        state=order.state,
        disputed_units=order.disputed_units,
        revision=order.revision,
        to_buyer=award,
        expiry=expiry,
    )
    digest = split_digest(order.id, split, twins.domain)
    signatures = [twins.sign(party, digest) for party in (terms.buyer, terms.seller)]
    told = {"buyer_signed": True, "seller_signed": True}
    return twins.ask("agree", caller, terms, split, signatures=signatures, **told)


def test_openings_at_every_time(twins: Twins) -> None:
    """Just before, at and just after everything that lets an order open, or no longer."""
    begun, platform, seller = twins.now, CAST["platform"], CAST["seller"]
    effective, reviewed, lapsed, granted, closing = (begun + second for second in (1_000, 9_000, 3_000, 5_000, 7_000))
    policy = replace(POLICY, effective_from=effective, accept_window=301)
    twins.register(platform, policy, reviewed)
    name = twins.id_of(policy)
    long, short = (replace(terms_of(USUAL, twins, 0), policy_id=name, open_by=end) for end in (FAR, closing))
    grant = OperatorGrant(rights=Right.Accept, expiry=granted, max_price=long.price)
    done(twins.do("set_operator", seller, CAST["operator"], NATIVE, name, grant))
    marks = (effective, reviewed, lapsed, granted, closing)
    opened = set()
    for time in (begun, *sorted(mark + second for mark in marks for second in (-1, 0, 1))):
        twins.evm.warp(time)
        for kind, terms in (("long", long), ("short", short)):
            if not isinstance(twins.ask("open", CAST["payer"], terms, value=terms.price), Refusal):
                opened.add((kind, time))
        for kind, operator, expiry in (("offer", NATIVE, lapsed), ("operator's", CAST["operator"], FAR)):
            if not isinstance(offered(twins, long, operator, expiry), Refusal):
                opened.add((kind, time))
    last = {"long": reviewed, "short": closing, "offer": lapsed - 1, "operator's": granted - 1}
    times_tried = {mark + second for mark in marks for second in (-1, 0, 1)}
    assert opened == {(kind, time) for kind, end in last.items() for time in times_tried if effective <= time <= end}


def offered(twins: Twins, terms: OrderTerms, operator: str, expiry: int) -> Any:
    """What comes of an offer that the seller, or else the operator, has signed."""
    signer = terms.seller if operator == NATIVE else operator
    digest = offer_digest(twins.twin.id_of(terms), revision=0, expiry=expiry, domain=twins.domain)
    offer = Offer(expiry=expiry, operator=operator, signature=twins.sign(signer, digest))
    return twins.ask("open_with_offer", CAST["payer"], terms, offer, value=terms.price)


@pytest.mark.parametrize("over", [0, 1])
def test_operators_act_up_to_the_price_granted(twins: Twins, over: int) -> None:
    terms = order_in(twins, State.Opened, IN_NATIVE)
    grant = OperatorGrant(rights=Right.Accept, expiry=FAR, max_price=terms.price - over)
    done(twins.do("set_operator", terms.seller, CAST["operator"], NATIVE, terms.policy_id, grant))
    assert isinstance(twins.ask("accept", CAST["operator"], terms), Refusal) == bool(over)


@pytest.mark.parametrize("price", [PRICE, PRICE - 1], ids=["even", "odd"])
def test_rulings_around_half(twins: Twins, price: int) -> None:
    """Of 300,004 and of 300,003 in dispute: at and beside the half, and at both ends."""
    terms = order_in(twins, State.Disputed, IN_NATIVE, price=price)
    order = twins.twin.order_of(terms)
    held = shares.held(order).amount
    twins.evm.warp(negotiation_end(order) or 0)
    for award in (0, 1, held // 2 - 1, held // 2, held // 2 + 1, held - 1, held):
        done(twins.ask("rule", CAST["mediator"], terms, award, GROUNDS))


@pytest.mark.parametrize("party", ["buyer", "seller"])
def test_a_party_neither_intervenes_nor_rules(twins: Twins, party: str) -> None:
    policy = replace(POLICY, platform=CAST[party], mediator=CAST[party])
    twins.register(CAST[party], policy, twins.now + DAY)
    terms = order_in(twins, State.Disputed, IN_TOKEN, policy_id=twins.id_of(policy))
    twins.evm.warp(negotiation_end(twins.twin.order_of(terms)) or 0)
    assert twins.ask("rule", CAST[party], terms, 0, GROUNDS) == ConflictOfInterest(CAST[party])
    twins.reset()
    twins.register(CAST[party], policy, twins.now + DAY)
    terms = order_in(twins, State.Accepted, IN_TOKEN, policy_id=twins.id_of(policy))
    assert twins.ask("intervene", CAST[party], terms, State.Accepted) == ConflictOfInterest(CAST[party])


@in_every_state
def test_every_expected_state(twins: Twins, state: State) -> None:
    """Whatever its caller expects, an action happens in that state or not at all."""
    terms = order_in(twins, state, IN_NATIVE)
    for expected in State:
        for method, caller in (
            ("confirm", terms.buyer),
            ("cancel", terms.buyer),
            ("decline", terms.seller),
            ("refund", terms.seller),
            ("intervene", CAST["platform"]),
        ):
            result = twins.ask(method, caller, terms, expected)
            assert isinstance(result, Refusal) or expected is state


# ----------------------------------------------------------------------------------------------- batches and neighbours


@pytest.mark.parametrize("frozen", [False, True])
def test_a_batch_pays_neighbours_in_one(twins: Twins, frozen: bool) -> None:
    """Two coins, two receivers, some of whom can't be paid; a doubled, an unknown and a closed order between."""
    many = []
    for salt, (coin, refund_to) in enumerate(
        [(0, "refund_to"), (0, "refund_to"), (2, "pay_to"), (2, "pay_to"), (0, None)]
    ):
        draft = Draft("buyer", refund_to, "seller", "pay_to", coin, 1_001 + salt, 1, 0, DAY, None)
        terms = terms_of(draft, twins, salt)
        done(twins.do("open", terms.buyer, terms, value=terms.price if coin == 0 else 0))
        many.append(terms)
    done(twins.do("cancel", many[4].buyer, many[4], State.Opened))
    unknown = replace(many[0], salt="0x" + "ff" * 32)
    twins.refuse(CAST["refund_to"], NATIVE, True)
    twins.refuse(twins.escrow.address if frozen else CAST["pay_to"], twins.blocking.address, True)
    twins.evm.warp(twins.now + 600)
    done(twins.do("settle_many", CAST["keeper"], [many[0], unknown, many[1], many[4], many[2], many[2], many[3]]))
    assert twins.twin.credit_of(CAST["refund_to"], NATIVE) == 1_001 + 1_002
    assert twins.twin.credit_of(CAST["pay_to"], twins.blocking.address) == 1_003 + 1_004
    twins.compare_everything()
