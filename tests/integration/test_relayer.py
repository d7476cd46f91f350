"""Signed actions, agreements and openings are brought to the chain, once, and what is refused costs nothing."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.signing import sign_action
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.refusals import (
    Expired,
    InvalidSignature,
    PolicyUnknown,
    WrongState,
)
from kameng_escrow.domain.signed import Action, OperatorGrant
from kameng_escrow.domain.states import Right, Role, State, Verb
from kameng_escrow.domain.typed_data import Domain
from kameng_escrow.errors import EscrowError
from kameng_escrow.keeper import AccountShared, Keeper
from kameng_escrow.keeper.rules import DAY_MS
from kameng_escrow.keeper.working import now_ms
from kameng_escrow.relay import (
    Act,
    Agreement,
    NativeBondNotRelayed,
    RelayBudgetSpent,
    RelayLimitReached,
    RelayTooCostly,
)
from kameng_escrow.store import Store
from kameng_escrow.store.keeping import Payload, Stage
from kameng_escrow.store.relaying import Relay, RelayKind, RelayStage
from kameng_escrow.store.service import relays
from kameng_escrow.store.service.platforms import Spending, spending

from .relayers import LIMITS, RELAYER, book_of, bring, found, intake_of, intents_of, mine, mirror, relayer_of, sent_by
from .sdk_cast import COMMITMENT, DAY, EVIDENCE, HOUR, Cast, make_cast


def signed(cast: Cast, terms: OrderTerms, verb: Verb, **changes: object) -> Act:
    """What the buyer wants done."""
    action = cast.buyer.action(terms, verb=verb, **changes)  # type: ignore[arg-type]
    return Act(terms=terms, action=action, signature=cast.buyer.sign_action(terms, action))


@pytest.fixture
def delivered(cast: Cast, store: Store) -> OrderTerms:
    """A delivered order, mirrored."""
    terms = cast.order(State.Delivered)
    mirror(cast, store)
    return terms


# ----------------------------------------------------------------------------------------------------------- refusals


def test_an_unknown_policy_is_refused(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    action = Act(
        terms=replace(delivered, policy_id="0x" + "12" * 32),
        action=Action(
            verb=Verb.Confirm,
            state=State.Delivered,
            role=Role.Buyer,
            signer=cast.buyer.address,
            expiry=cast.reader.now() + HOUR,
        ),
        signature=b"",
    )
    with pytest.raises(PolicyUnknown):
        intake_of(cast, store).accept(action, account=cast.buyer.address)


def test_a_foreign_signer_is_refused_and_costs_nothing(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    action = cast.buyer.action(delivered, verb=Verb.Confirm)
    forged = cast.stranger.sign_action(delivered, replace(action, signer=cast.stranger.address))
    with pytest.raises(InvalidSignature):
        intake_of(cast, store).accept(Act(terms=delivered, action=action, signature=forged), account=None)
    bring(cast, store)
    assert sent_by(cast) == []


def test_an_expired_action_is_refused(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    request = signed(cast, delivered, Verb.Confirm, expiry=cast.reader.now() + 60)
    cast.node.warp(cast.reader.now() + 61)
    with pytest.raises(Expired):
        intake_of(cast, store).accept(request, account=cast.buyer.address)


def test_another_state_than_was_meant_is_refused(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    request = signed(cast, delivered, Verb.Confirm, expected=State.Accepted)
    with pytest.raises(WrongState):
        intake_of(cast, store).accept(request, account=cast.buyer.address)


def test_what_was_signed_for_another_chain_is_refused(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    action = cast.buyer.action(delivered, verb=Verb.Confirm)
    elsewhere = Domain(cast.deployment.chain_id + 1, cast.deployment.address)
    buyer = next(one for one in cast.node.accounts if one.address == cast.buyer.address)
    signature = sign_action(buyer, cast.reader.order_id(delivered), action, elsewhere)
    with pytest.raises(InvalidSignature):
        intake_of(cast, store).accept(Act(terms=delivered, action=action, signature=signature), account=None)


def test_a_bond_in_coins_never_comes_from_the_relayer(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    with pytest.raises(NativeBondNotRelayed) as refused:
        intake_of(cast, store).accept(signed(cast, delivered, Verb.Dispute, number=3), account=cast.buyer.address)
    assert refused.value.bond > 0
    assert refused.value.order_id == cast.reader.order_id(delivered)


def test_a_relay_takes_no_more_gas_than_it_may(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    with pytest.raises(RelayTooCostly) as refused:
        intake_of(cast, store, gas=60_000).accept(signed(cast, delivered, Verb.Confirm), account=None)
    assert refused.value.gas > refused.value.most == 60_000


def test_an_account_has_so_many_relays_a_day(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    intake = intake_of(cast, store, account_limit=1)
    intake.accept(signed(cast, delivered, Verb.Confirm), account=cast.buyer.address)
    later = signed(cast, delivered, Verb.Confirm, expiry=cast.reader.now() + 2 * HOUR)
    with pytest.raises(RelayLimitReached):
        intake.accept(later, account=cast.buyer.address)
    intake.accept(later, account=cast.stranger.address)


# ---------------------------------------------------------------------------------------------------------- successes


def test_an_action_is_brought_and_ends_when_it_is_final(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    relay = intake_of(cast, store).accept(signed(cast, delivered, Verb.Confirm), account=cast.buyer.address)
    assert (relay.kind, relay.verb, relay.stage) == (RelayKind.Action, "Confirm", RelayStage.Accepted)
    assert (relay.platform, relay.account) == (cast.platform.address, cast.buyer.address)
    before = cast.reader.balance(account=cast.seller.address)
    report = bring(cast, store)
    assert report.complete
    assert cast.state(delivered) is State.Closed
    assert cast.reader.balance(account=cast.seller.address) > before
    assert found(cast, store, relay).stage is RelayStage.Mined
    mine(cast, 3)
    bring(cast, store)
    assert found(cast, store, relay).stage is RelayStage.Done
    [intent] = intents_of(cast, store)
    assert intent.stage is Stage.Settled
    assert intent.attempts[0].payload is Payload.Call
    with store.reading() as session:
        cost, hashes = relays.cost_of(session, relay.id)
    assert intent.inclusion is not None
    assert (cost, hashes) == (intent.inclusion.cost, [intent.inclusion.hash])
    assert sent_by(cast) == hashes


def test_what_was_taken_on_before_the_clock_was_set_back_is_brought(
    cast: Cast, store: Store, delivered: OrderTerms
) -> None:
    intake = intake_of(cast, store, clock_ms=lambda: now_ms() + 2 * DAY_MS)
    intake.accept(signed(cast, delivered, Verb.Confirm), account=cast.buyer.address)
    assert bring(cast, store).complete
    assert cast.state(delivered) is State.Closed


def test_the_same_twice_is_one_relay(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    intake, request = intake_of(cast, store), signed(cast, delivered, Verb.Confirm)
    first = intake.accept(request, account=cast.buyer.address)
    assert intake.accept(request, account=cast.buyer.address) == first
    bring(cast, store)
    assert intake.accept(request, account=cast.buyer.address).id == first.id
    mine(cast, 3)
    bring(cast, store)
    with pytest.raises(WrongState):  # once it is done it is a replay
        intake.accept(request, account=cast.buyer.address)
    assert len(sent_by(cast)) == 1


def test_two_actions_on_one_order_cost_one_transaction(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    intake = intake_of(cast, store)
    first = intake.accept(signed(cast, delivered, Verb.Confirm), account=None)
    second = intake.accept(signed(cast, delivered, Verb.Confirm, expiry=cast.reader.now() + 2 * HOUR), account=None)
    bring(cast, store)
    assert found(cast, store, first).stage is RelayStage.Mined
    late = found(cast, store, second)
    assert (late.stage, late.code) == (RelayStage.Refused, "wrong_state")
    assert late.reason
    assert late.reason_zh
    assert len(sent_by(cast)) == 1


def test_an_agreed_split_is_brought(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    split = cast.buyer.split(delivered, to_buyer=1_000)
    relay = intake_of(cast, store).accept(
        Agreement(
            terms=delivered,
            split=split,
            buyer_signature=cast.buyer.sign_split(delivered, split),
            seller_signature=cast.seller.sign_split(delivered, split),
        ),
        account=cast.seller.address,
    )
    bring(cast, store)
    assert relay.kind is RelayKind.Agreement
    assert cast.state(delivered) is State.Closed


def test_a_split_needs_both_signatures_though_a_party_asks(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    split = cast.buyer.split(delivered, to_buyer=1_000)
    half = Agreement(
        terms=delivered, split=split, buyer_signature=b"", seller_signature=cast.seller.sign_split(delivered, split)
    )
    with pytest.raises(InvalidSignature):
        intake_of(cast, store).accept(half, account=cast.buyer.address)


def test_a_sellers_operator_delivers_by_signature(cast: Cast, store: Store) -> None:
    terms = cast.order(State.Accepted)
    grant = OperatorGrant(rights=Right.Deliver, expiry=cast.reader.now() + DAY, max_price=terms.price)
    cast.seller.set_operator(cast.operator.address, policy_id=cast.policy_id, grant=grant)
    mirror(cast, store)
    action = cast.operator.action(terms, verb=Verb.Deliver, content=COMMITMENT)
    request = Act(terms=terms, action=action, signature=cast.operator.sign_action(terms, action))
    intake_of(cast, store).accept(request, account=cast.operator.address)
    bring(cast, store)
    assert cast.state(terms) is State.Delivered


def test_a_dispute_whose_bond_is_a_token_is_paid_by_the_buyer(cast: Cast, store: Store) -> None:
    terms = cast.order(State.Delivered, token=cast.token)
    mirror(cast, store)
    cast.buyer.approve(cast.token, amount=10**9)
    before = cast.reader.balance(account=cast.buyer.address, token=cast.token)
    request = signed(cast, terms, Verb.Dispute, number=3, content=EVIDENCE)
    intake_of(cast, store).accept(request, account=cast.buyer.address)
    bring(cast, store)
    assert cast.state(terms) is State.Disputed
    assert cast.reader.balance(account=cast.buyer.address, token=cast.token) < before


# ------------------------------------------------------------------------------------------------------------ budgets


def test_a_platforms_money_is_used_up_and_comes_back(cast: Cast, store: Store) -> None:
    orders = [cast.order(State.Delivered) for _ in range(2)]
    mirror(cast, store)
    intake = intake_of(cast, store, platform_budget=10**15)
    first = intake.accept(signed(cast, orders[0], Verb.Confirm), account=None)
    limits = replace(LIMITS, platform_budget=10**15)
    bring(cast, store, limits=limits)
    contract = book_of(cast, store).info().id
    with store.writing() as session:
        has = relays.allowance(session, contract, cast.platform.address, default=None, now_ms=first.created_ms)
        assert has.spent > 0
        assert has.under_way == 0
        everybody = spending(session, contract, first.created_ms)
        assert everybody == {cast.platform.address: Spending(spent=has.spent)}
        relays.set_budget(session, contract, cast.platform.address, has.spent + 1_000)
    with pytest.raises(RelayBudgetSpent) as refused:
        intake.accept(signed(cast, orders[1], Verb.Confirm), account=None)
    assert refused.value.used == has.spent
    assert refused.value.platform == cast.platform.address
    with store.writing() as session:
        relays.forget_budget(session, contract, cast.platform.address)
    intake.accept(signed(cast, orders[1], Verb.Confirm), account=None)


def test_what_was_accepted_waits_for_the_platforms_money(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    relay = intake_of(cast, store).accept(signed(cast, delivered, Verb.Confirm), account=None)
    contract = book_of(cast, store).info().id
    with store.writing() as session:
        relays.set_budget(session, contract, cast.platform.address, 1)
    report = bring(cast, store, patience=0.3)
    assert [error.code for error in report.conditions] == ["relay_budget_spent"]
    waiting = found(cast, store, relay)
    assert (waiting.stage, waiting.code) == (RelayStage.Accepted, "relay_budget_spent")
    assert sent_by(cast) == []


def test_the_whole_budget_and_a_dry_account_hold_everything(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    intake_of(cast, store).accept(signed(cast, delivered, Verb.Confirm), account=None)
    report = bring(cast, store, patience=0.3, budget=1)
    assert [error.code for error in report.conditions] == ["budget_spent"]
    assert "KAMENG_RELAYER_BUDGET" in report.conditions[0].message
    assert sent_by(cast) == []


def at_once(work: Callable[[int], object], count: int) -> list[object]:
    """What each of so many threads gets, an error for an error."""
    together = threading.Barrier(count)

    def one(number: int) -> object:
        together.wait()
        try:
            return work(number)
        except EscrowError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_many_who_ask_at_once_share_one_relay_and_one_budget(store_url: str) -> None:
    with AnvilNode() as node, Store.open(store_url) as store:
        cast = make_cast(node)
        orders = [cast.order(State.Delivered) for _ in range(6)]
        mirror(cast, store)
        requests = [signed(cast, one, Verb.Confirm) for one in orders]
        intake = intake_of(cast, store)
        same = at_once(lambda _: intake.accept(requests[0], account=None), 6)
        assert len({one.id for one in same if isinstance(one, Relay)}) == 1
        [first] = {one for one in same if isinstance(one, Relay)}
        price = 2 * cast.node.w3.eth.get_block("latest")["baseFeePerGas"] + cast.node.w3.eth.max_priority_fee
        tight = intake_of(cast, store, platform_budget=int(3.5 * first.gas * price))
        answers = at_once(lambda number: tight.accept(requests[number], account=None), 6)
        assert sum(isinstance(one, Relay) for one in answers) == 3
        assert {type(one) for one in answers} == {Relay, RelayBudgetSpent}


# -------------------------------------------------------------------------------------------------------- other places


def test_a_keeper_and_a_relayer_keep_off_one_account(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    intake_of(cast, store).accept(signed(cast, delivered, Verb.Confirm), account=None)
    bring(cast, store)
    with Keeper(store, cast.node, cast.deployment, cast.node.accounts[RELAYER]) as keeper, pytest.raises(AccountShared):
        keeper.run_once(patience_seconds=0.1)


def test_one_of_two_relayers_of_an_account_works(cast: Cast, store: Store, delivered: OrderTerms) -> None:
    intake_of(cast, store).accept(signed(cast, delivered, Verb.Confirm), account=None)
    with relayer_of(cast, store) as first, relayer_of(cast, store) as second:
        assert first.run_once(patience_seconds=1).leading
        report = second.run_once(patience_seconds=1)
        assert not report.leading
        assert [error.code for error in second.overview(None).conditions] == ["not_leading"]


def test_relayers_of_two_accounts_share_the_work(cast: Cast, store: Store) -> None:
    orders = [cast.order(State.Delivered) for _ in range(3)]
    mirror(cast, store)
    intake = intake_of(cast, store)
    taken: list[Relay] = [intake.accept(signed(cast, one, Verb.Confirm), account=None) for one in orders]
    with relayer_of(cast, store, in_flight=1) as first, relayer_of(cast, store, account=8) as second:
        first.run_once(patience_seconds=0.2)
        second.run_once(patience_seconds=0.2)
    assert {found(cast, store, one).stage for one in taken} <= {RelayStage.Mined, RelayStage.Done}
    assert len(sent_by(cast)) + len(sent_by(cast, 8)) == 3
