"""Deposit addresses open their orders by themselves, and give back what is not theirs to keep."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.errors import NodeError, NodeRefused, NodeUnreachable
from kameng_escrow.chain.rpc import BlockTag
from kameng_escrow.chain.steps import Steps, run
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.states import State, Verb
from kameng_escrow.keeper.working import now_ms
from kameng_escrow.relay import Act, watching
from kameng_escrow.relay.balances import PAGE, balances
from kameng_escrow.store import Store
from kameng_escrow.store.relaying import RelayKind
from kameng_escrow.store.service import deposits, relays
from kameng_escrow.store.service.deposits import WatchedDeposit

from .relayers import book_of, bring, intake_of, mine, mirror, relayer_of, sent_by
from .sdk_cast import HOUR, PRICE, Cast
from .test_client_deposits import bondless, pay

Pairs = Sequence[tuple[str, str]]


@pytest.fixture(params=["native", "token"])
def terms(request: pytest.FixtureRequest, cast: Cast, store: Store) -> OrderTerms:
    """Of an order to be paid at its deposit address; refunds go to the operator's account."""
    token = NATIVE if request.param == "native" else cast.token
    made = cast.terms(policy_id=bondless(cast), token=token, refund_to=cast.operator.address)
    mirror(cast, store)
    return made


def watch(cast: Cast, store: Store, terms: OrderTerms, **changes: Any) -> WatchedDeposit:
    """Has the address watched."""
    with store.writing() as session:
        return deposits.watch(
            session,
            book_of(cast, store).info().id,
            cast.reader.order_id(terms),
            address=cast.reader.deposit_address(terms),
            terms=terms,
            platform=cast.platform.address,
            account=terms.buyer,
            now_ms=now_ms(),
            **{"offer": None, "signature": b"", **changes},
        )


def watched(cast: Cast, store: Store, terms: OrderTerms) -> WatchedDeposit:
    """As it is now."""
    with store.reading() as session:
        found = deposits.deposit(session, book_of(cast, store).info().id, cast.reader.order_id(terms))
    assert found is not None
    return found


def kinds(cast: Cast, store: Store, terms: OrderTerms) -> list[RelayKind]:
    """What was taken on for an order, the oldest first."""
    with store.reading() as session:
        found = relays.of_order(session, book_of(cast, store).info().id, cast.reader.order_id(terms))
    return [one.kind for one in reversed(found)]


def offer(cast: Cast, terms: OrderTerms, seconds: int = HOUR) -> Offer:
    return cast.seller.sign_offer(terms, expiry=cast.reader.now() + seconds)


def back(cast: Cast, terms: OrderTerms) -> int:
    """What the refund address has."""
    return cast.reader.balance(account=terms.refund_to, token=terms.token)


# ----------------------------------------------------------------------------------------------------------- balances


def test_balances_of_many_are_one_question(cast: Cast) -> None:
    connection = Connection(cast.node.w3)
    accounts = [client.address for client in (cast.buyer, cast.seller, cast.stranger)]
    pairs = [(token, account) for account in accounts for token in (NATIVE, cast.token)]
    found = run(balances(pairs, "latest"), connection)
    assert found == [cast.reader.balance(account=account, token=token) for token, account in pairs]
    assert any(found)


def test_balances_are_those_of_the_block_that_was_asked_for(cast: Cast) -> None:
    connection = Connection(cast.node.w3)
    pair = [(cast.token, cast.stranger.address)]
    before = cast.node.w3.eth.block_number
    [then] = run(balances(pair, before), connection)
    cast.call_token("mint", cast.stranger.address, 5)
    assert then is not None
    assert run(balances(pair, before), connection) == [then]
    assert run(balances(pair, "latest"), connection) == [then + 5]


def test_a_token_that_says_nothing_holds_up_no_other(cast: Cast) -> None:
    pairs = [
        (cast.stranger.address, cast.buyer.address),  # no contract
        (cast.deployment.address, cast.buyer.address),  # one that knows no balances
        (NATIVE, cast.buyer.address),
    ]
    found = run(balances(pairs, "latest"), Connection(cast.node.w3))
    assert found == [None, None, cast.reader.balance(account=cast.buyer.address)]


def test_a_question_has_room_for_a_page(cast: Cast) -> None:
    pairs = [(cast.token, cast.buyer.address)] * PAGE
    found = run(balances(pairs, "latest"), Connection(cast.node.w3))
    assert found == [cast.reader.balance(account=cast.buyer.address, token=cast.token)] * PAGE
    with pytest.raises(ValueError, match="1 to"):
        run(balances([], "latest"), Connection(cast.node.w3))


# ----------------------------------------------------------------------------------------------------------- openings


def test_a_paid_address_opens_with_the_sellers_offer(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms, offer=offer(cast, terms))
    bring(cast, store, patience=0.1)
    assert kinds(cast, store, terms) == []
    pay(cast, terms)
    mine(cast, 2)
    bring(cast, store)
    assert cast.state(terms) is State.Accepted
    assert kinds(cast, store, terms) == [RelayKind.DepositOpening]


def test_a_paid_address_opens_with_the_buyers_signature(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms, signature=cast.buyer.sign_terms(terms))
    pay(cast, terms)
    mine(cast, 2)
    bring(cast, store)
    assert cast.state(terms) is State.Opened


def test_nothing_opens_before_the_deposit_is_deep_enough(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms, offer=offer(cast, terms))
    pay(cast, terms)
    deep = 6
    bring(cast, store, patience=0.1, confirmations=deep)
    assert watched(cast, store, terms).balance == PRICE
    assert watched(cast, store, terms).confirmed == 0
    mine(cast, deep - 2)
    bring(cast, store, patience=0.1, confirmations=deep)
    assert cast.state(terms) is State.Nothing
    mine(cast, 1)
    bring(cast, store, confirmations=deep)
    assert cast.state(terms) is State.Accepted


def test_less_than_the_price_waits_for_the_rest(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms, offer=offer(cast, terms))
    pay(cast, terms, PRICE - 1)
    mine(cast, 2)
    bring(cast, store, patience=0.1)
    assert sent_by(cast) == []
    pay(cast, terms, 1)
    mine(cast, 2)
    bring(cast, store)
    assert cast.state(terms) is State.Accepted


def test_a_void_offer_leaves_the_buyers_signature(cast: Cast, store: Store, terms: OrderTerms) -> None:
    """The seller's bond is gone by the time that the money comes: the order opens and waits for the seller."""
    watch(cast, store, terms, offer=offer(cast, terms), signature=cast.buyer.sign_terms(terms))
    cast.seller.withdraw_bond(amount=cast.reader.bond(seller=terms.seller, token=terms.token), token=terms.token)
    pay(cast, terms)
    mine(cast, 2)
    for _ in range(3):
        bring(cast, store, patience=0.3)
    assert cast.state(terms) is State.Opened


def test_what_keeps_an_order_from_being_opened_is_told(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms, offer=offer(cast, terms))
    cast.seller.withdraw_bond(amount=cast.reader.bond(seller=terms.seller, token=terms.token), token=terms.token)
    pay(cast, terms)
    mine(cast, 2)
    bring(cast, store, patience=0.3)
    kept = watched(cast, store, terms)
    assert kept.code == "bond_short"
    assert kept.reason
    assert kept.failures > 0
    assert sent_by(cast) == []
    cast.seller.fund_bond(amount=10**9, token=terms.token)
    again(cast, store, terms)
    assert cast.state(terms) is State.Accepted
    assert watched(cast, store, terms).code is None


def test_more_addresses_than_a_question_has_room_for_are_all_looked_at(
    cast: Cast, store: Store, terms: OrderTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PAGE", 2)
    orders = [replace(terms, salt=f"0x{number:064x}") for number in range(1, 6)]
    for one in orders:
        watch(cast, store, one, signature=cast.buyer.sign_terms(one))
        pay(cast, one)
    mine(cast, 2)
    bring(cast, store)
    assert {cast.state(one) for one in orders} == {State.Opened}
    assert len(sent_by(cast)) == 5


def refusing(monkeypatch: pytest.MonkeyPatch, refuses: Callable[[Pairs], Exception | None]) -> list[int]:
    """A node that refuses some questions for balances; of how many addresses each question was."""
    asked: list[int] = []

    def ask(pairs: Pairs, tag: BlockTag) -> Steps[list[int | None]]:
        asked.append(len(pairs))
        if (error := refuses(pairs)) is not None:
            raise error
        return (yield from balances(pairs, tag))

    monkeypatch.setattr(watching, "balances", ask)
    return asked


def several(cast: Cast, store: Store, terms: OrderTerms, count: int) -> list[OrderTerms]:
    """Orders whose addresses are watched and paid."""
    orders = [replace(terms, salt=f"0x{number:064x}") for number in range(1, count + 1)]
    for one in orders:
        watch(cast, store, one, signature=cast.buyer.sign_terms(one))
        pay(cast, one)
    mine(cast, 2)
    return orders


def test_an_address_that_the_node_refuses_holds_up_no_other(
    cast: Cast, store: Store, terms: OrderTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = several(cast, store, terms, 5)
    bad = cast.reader.deposit_address(orders[2])
    refused = NodeRefused("out of gas")
    refusing(monkeypatch, lambda pairs: refused if bad in [address for _, address in pairs] else None)
    bring(cast, store, patience=0.5)
    assert [cast.state(one) for one in orders].count(State.Opened) == 4
    assert cast.state(orders[2]) is State.Nothing
    assert (watched(cast, store, orders[2]).code, watched(cast, store, orders[0]).code) == ("node_refused", None)


def test_a_node_that_takes_small_questions_only_gets_those(
    cast: Cast, store: Store, terms: OrderTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = several(cast, store, terms, 5)
    refusing(monkeypatch, lambda pairs: NodeRefused("too large") if len(pairs) > 2 else None)
    bring(cast, store)
    assert {cast.state(one) for one in orders} == {State.Opened}
    assert {watched(cast, store, one).failures for one in orders} == {0}


def test_a_node_that_refuses_everything_is_not_asked_for_ever(
    cast: Cast, store: Store, terms: OrderTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    several(cast, store, terms, 5)
    monkeypatch.setattr(watching, "MOST_REFUSALS", 3)
    asked = refusing(monkeypatch, lambda _: NodeRefused("not today"))
    with relayer_of(cast, store) as relayer:
        relayer.run_once(patience_seconds=0)
    assert asked[0] == 5
    assert len(asked) <= 5


@pytest.mark.parametrize("error", [NodeRefused("not today"), NodeUnreachable("http://127.0.0.1:1")])
def test_relays_are_sent_whatever_becomes_of_the_deposits(
    cast: Cast, store: Store, terms: OrderTerms, monkeypatch: pytest.MonkeyPatch, error: NodeError
) -> None:
    watch(cast, store, terms)
    delivered = cast.order(State.Delivered)
    mirror(cast, store)
    action = cast.buyer.action(delivered, verb=Verb.Confirm)
    signature = cast.buyer.sign_action(delivered, action)
    intake_of(cast, store).accept(Act(terms=delivered, action=action, signature=signature), account=None)
    refusing(monkeypatch, lambda _: error)
    with suppress(NodeUnreachable):
        bring(cast, store)
    assert cast.state(delivered) is State.Closed


# ----------------------------------------------------------------------------------------------------- what goes back


def test_too_much_goes_back_to_the_refund_address(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms, offer=offer(cast, terms))
    pay(cast, terms, PRICE + 777)
    mine(cast, 2)
    before = back(cast, terms)
    bring(cast, store)
    again(cast, store, terms)
    assert back(cast, terms) == before + 777
    assert kinds(cast, store, terms) == [RelayKind.DepositOpening, RelayKind.DepositSweep]


def test_too_late_goes_back_to_the_refund_address(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms)
    before = back(cast, terms)
    pay(cast, terms)
    mine(cast, 2)
    bring(cast, store, patience=0.1)
    assert back(cast, terms) == before
    cast.node.warp(terms.open_by + 1)
    mine(cast, 2)
    bring(cast, store)
    assert back(cast, terms) == before + PRICE
    assert cast.state(terms) is State.Nothing


def test_dust_does_not_spend_the_platforms_money_for_ever(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms)
    cast.node.warp(terms.open_by + 1)
    for paid, swept in ((1, 0), (1, 0), *((PRICE // 10, sweeps) for sweeps in (1, 2, 3, 3)), (PRICE, 4)):
        pay(cast, terms, paid)
        mine(cast, 4)
        again(cast, store, terms, least=PRICE // 100)
        mine(cast, 3)
        assert kinds(cast, store, terms) == [RelayKind.DepositSweep] * swept


def test_an_address_is_left_alone_once_nothing_can_come(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms)
    cast.node.warp(terms.open_by + 31 * 24 * HOUR)
    again(cast, store, terms)
    assert not watched(cast, store, terms).watched


# ------------------------------------------------------------------------------------------------------------- restarts


def test_a_restart_forgets_nothing_and_opens_once(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms, offer=offer(cast, terms))
    pay(cast, terms)
    mine(cast, 2)
    for _ in range(3):
        with relayer_of(cast, store) as relayer:
            relayer.run_once(patience_seconds=0.2)
    assert cast.state(terms) is State.Accepted
    assert len(sent_by(cast)) == 1


def test_a_deposit_that_a_reorg_took_away_opens_nothing(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms, offer=offer(cast, terms))
    mine(cast, 1)
    snapshot = cast.node.snapshot()
    pay(cast, terms)
    bring(cast, store, patience=0.1, confirmations=4)
    cast.node.revert(snapshot)
    mine(cast, 6)
    bring(cast, store, patience=0.1, confirmations=4)
    assert watched(cast, store, terms).balance == 0
    assert sent_by(cast) == []


def test_a_newer_offer_takes_the_place_of_the_older(cast: Cast, store: Store, terms: OrderTerms) -> None:
    watch(cast, store, terms, offer=offer(cast, terms, 60))
    cast.node.warp(cast.reader.now() + 61)
    pay(cast, terms)
    mine(cast, 2)
    bring(cast, store, patience=0.1)
    assert cast.state(terms) is State.Nothing
    renewed = watch(cast, store, terms, offer=offer(cast, terms))
    assert renewed.created_ms == watched(cast, store, terms).created_ms
    bring(cast, store)
    assert cast.state(terms) is State.Accepted


def again(cast: Cast, store: Store, terms: OrderTerms, **options: Any) -> None:
    """Looks at an address at once, though nothing is waited for there."""
    with store.writing() as session:
        known = deposits.deposit(session, book_of(cast, store).info().id, cast.reader.order_id(terms))
        assert known is not None
        if known.watched:
            deposits.seen(
                session,
                book_of(cast, store).info().id,
                known.order_id,
                balance=known.balance,
                confirmed=known.confirmed,
                look_ms=0,
                watched=True,
            )
    bring(cast, store, patience=0.3, **options)
