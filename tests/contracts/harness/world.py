"""The escrow deployed among its cast, and orders brought to any state."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from eth_abi import encode
from eth_utils import keccak

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.reverts import decode_refusal
from kameng_escrow.domain.signed import Action, Offer, OperatorGrant, Split
from kameng_escrow.domain.states import Role, State
from tests.contracts.harness.abi import Contract, deploy, to_abi, type_of
from tests.contracts.harness.cast import CAST, KEYS
from tests.contracts.harness.evm import Evm, Reverted
from tests.contracts.harness.signing import TypedData, digest, sign
from tests.contracts.harness.sums import Sums

WEALTH = 10**30  # base units of either coin that everybody starts with
MAX_UINT256 = 2**256 - 1
DAY = 24 * 60 * 60

EVIDENCE = "0x" + "e1" * 32
COMMITMENT = "0x" + "c0" * 32
GROUNDS = "0x" + "91" * 32

# Windows and shares all differ, and the mediate window is odd, so that no two can be mistaken for each other.
POLICY = Policy(
    platform=CAST["platform"],
    accept_window=600,
    deliver_window=1_200,
    inspect_window=86_400,
    negotiate_window=43_200,
    mediate_window=172_801,
    platform_fee_bps=125,
    cancel_fee_bps=500,
    seller_bond_bps=3_000,
    dispute_bond_bps=1_500,
    mediation_fee_bps=300,
    silence_share_bps=4_000,
    mediator=CAST["mediator"],
    backup_mediator=CAST["backup"],
    fee_receiver=CAST["fee_receiver"],
    effective_from=0,
)
NO_MEDIATOR: dict[str, Any] = {
    "mediator": NATIVE,
    "backup_mediator": NATIVE,
    "mediate_window": 0,
    "mediation_fee_bps": 0,
}
PRICE = 100_000_007  # a prime, so that every division has a rest
UNITS = 10


@dataclass(repr=False)
class Order:
    """An order that a test follows. `state` and the times are what the test made it, not what the chain says."""

    world: "World"
    terms: OrderTerms
    policy: Policy
    state: State = State.Nothing
    entered: int = 0  # when it came to its state, Unix seconds
    k: int = 0  # units in dispute

    @property
    def id(self) -> str:
        return str(self.world.escrow.toId(self.terms))

    @property
    def sums(self) -> Sums:
        return Sums(self.terms, self.policy, self.k)

    @property
    def deadline(self) -> int:
        """d, Unix seconds."""
        policy = self.policy
        window = {
            State.Opened: policy.accept_window,
            State.Accepted: policy.deliver_window,
            State.Delivered: policy.inspect_window,
            State.Disputed: policy.negotiate_window + policy.mediate_window,
        }[self.state]
        return self.entered + window

    @property
    def mediation(self) -> int:
        """n, where the mediator's half begins."""
        assert self.state == State.Disputed
        return self.entered + self.policy.negotiate_window

    @property
    def backup(self) -> int:
        """h, where the backup's half begins."""
        return self.mediation + self.policy.mediate_window // 2

    @property
    def status(self) -> SimpleNamespace:
        """What the chain says: state, outcome, fault, deadline, disputed_units, revision."""
        [status] = self.world.lens.stateOf([self.id])
        return status

    def moved(self, to: State) -> "Order":
        self.state, self.entered = to, self.world.evm.now
        return self


@dataclass(repr=False)
class World:
    evm: Evm
    escrow: Contract
    lens: Contract
    token: Contract
    names: dict[str, str]  # address → how assertions call it
    policies: list[Policy] = field(default_factory=list)  # registered in this test
    salts: int = 0

    # -------------------------------------------------------------------------------------------------------- set-up

    @classmethod
    def create(cls, compiled: Callable[[str], Artifact], evm: Evm) -> "World":
        platform = CAST["platform"]
        for address in CAST.values():
            evm.set_balance(address, WEALTH)
        escrow = deploy(evm, compiled("KamengEscrow"), sender=platform)
        lens = deploy(evm, compiled("KamengLens"), escrow.address, sender=platform)
        token = deploy(evm, compiled("TestToken"), "Test dollar", "TUSD", 6, sender=platform)
        world = cls(evm, escrow, lens, token, {address: name for name, address in CAST.items()})
        world.names[escrow.address] = "escrow"
        world.enrich(token)
        return world

    def enrich(self, token: Contract) -> None:
        """Gives everybody of a token, and the escrow everybody's allowance."""
        for address in CAST.values():
            token.mint(address, WEALTH, sender=address)
            token.approve(self.escrow.address, MAX_UINT256, sender=address)

    def warp(self, to: int) -> None:
        self.evm.warp(to)

    # ---------------------------------------------------------------------------------------------- terms and policies

    def policy_id(self, policy: Policy) -> str:
        [parameter] = [
            parameter
            for entry in self.escrow.abi
            if entry.get("name") == "registerPolicy"
            for parameter in entry["inputs"]
            if parameter["name"] == "policy"
        ]
        return "0x" + keccak(encode([type_of(parameter)], [to_abi(parameter, policy)])).hex()

    def make_policy(self, **overrides: Any) -> Policy:
        """A registered policy; each is registered once."""
        policy = replace(POLICY, **overrides)
        if policy not in self.policies:
            self.escrow.registerPolicy(policy, self.evm.now + 300 * DAY, sender=policy.platform)
            self.policies.append(policy)
        return policy

    def make_terms(self, *, policy: Policy = POLICY, **overrides: Any) -> OrderTerms:
        """Terms of an order that could be opened; no two are the same."""
        self.salts += 1
        values: dict[str, Any] = {
            "buyer": CAST["buyer"],
            "refund_to": CAST["refund_to"],
            "seller": CAST["seller"],
            "pay_to": CAST["pay_to"],
            "token": NATIVE,
            "price": PRICE,
            "units": UNITS,
            "policy_id": self.policy_id(policy),
            "listing": "0x" + "11" * 32,
            "open_by": self.evm.now + DAY,
            "salt": f"0x{self.salts:064x}",
        }
        return OrderTerms(**{**values, **overrides})

    # --------------------------------------------------------------------------------------------------------- orders

    def value(self, terms: OrderTerms, amount: int | None = None) -> int:
        """What a payer of `amount`, or of the price, sends along."""
        return (terms.price if amount is None else amount) if terms.token == NATIVE else 0

    def order(self, *, policy: Policy | None = None, **overrides: Any) -> Order:
        """An order that is not open yet, under a registered policy."""
        policy = self.make_policy(**asdict(policy)) if policy else self.make_policy()
        return Order(self, self.make_terms(policy=policy, **overrides), policy)

    def opened(self, **overrides: Any) -> Order:
        order = self.order(**overrides)
        self.escrow.open(order.terms, sender=order.terms.buyer, value=self.value(order.terms))
        return order.moved(State.Opened)

    def accepted(self, **overrides: Any) -> Order:
        order = self.opened(**overrides)
        self.fund_bond(order)
        self.escrow.accept(order.terms, sender=order.terms.seller)
        return order.moved(State.Accepted)

    def delivered(self, **overrides: Any) -> Order:
        order = self.accepted(**overrides)
        self.escrow.deliver(order.terms, COMMITMENT, sender=order.terms.seller)
        return order.moved(State.Delivered)

    def disputed(self, *, k: int = 3, **overrides: Any) -> Order:
        """Of the terms' units, `k` are in dispute."""
        order = self.delivered(**overrides)
        order.k = k
        value = self.value(order.terms, order.sums.E)
        self.escrow.dispute(order.terms, k, EVIDENCE, sender=order.terms.buyer, value=value)
        return order.moved(State.Disputed)

    def closed(self, **overrides: Any) -> Order:
        """Cancelled before anybody accepted."""
        order = self.opened(**overrides)
        self.escrow.cancel(order.terms, State.Opened, sender=order.terms.buyer)
        return order.moved(State.Closed)

    def in_state(self, state: State, **overrides: Any) -> Order:
        makers = {
            State.Nothing: self.order,
            State.Opened: self.opened,
            State.Accepted: self.accepted,
            State.Delivered: self.delivered,
            State.Disputed: self.disputed,
            State.Closed: self.closed,
        }
        return makers[state](**overrides)

    def fund_bond(self, order: Order) -> None:
        """Brings the seller's bond balance to what accepting takes."""
        terms, missing = order.terms, order.sums.B
        if missing:
            value = self.value(terms, missing)
            self.escrow.fundBond(terms.seller, terms.token, missing, sender=CAST["seller"], value=value)

    def grant(self, terms: OrderTerms, rights: int, **overrides: Any) -> OperatorGrant:
        """Lets the operator act for the seller on orders like this one, paying where the terms say."""
        values = {"rights": rights, "expiry": self.evm.now + 300 * DAY, "max_price": 2**128 - 1, **overrides}
        grant = OperatorGrant(**values)
        self.escrow.registerPayTo(terms.pay_to, sender=terms.seller)
        self.escrow.setOperator(CAST["operator"], terms.token, terms.policy_id, grant, sender=terms.seller)
        return grant

    # ----------------------------------------------------------------------------------------------------- signatures

    @property
    def typed_data(self) -> TypedData:
        return TypedData(self.escrow.address, self.evm.chain_id)

    def offer(
        self, order: Order, *, signer: str = CAST["seller"], operator: str = NATIVE, revision: int = 0, **overrides: Any
    ) -> Offer:
        expiry = overrides.get("expiry", self.evm.now + DAY)
        message = self.typed_data.offer(order.id, revision, expiry)
        return Offer(operator=operator, expiry=expiry, signature=sign(message, KEYS[signer]))

    def offer_digest(self, order: Order, offer: Offer, revision: int = 0) -> str:
        return digest(self.typed_data.offer(order.id, revision, offer.expiry))

    def split(self, order: Order, to_buyer: int, **overrides: Any) -> Split:
        values = {
            "state": order.state,
            "disputed_units": order.k,
            "revision": 0,
            "to_buyer": to_buyer,
            "expiry": self.evm.now + DAY,
        }
        return Split(**{**values, **overrides})

    def sign_split(self, order: Order, split: Split, signer: str) -> bytes:
        return sign(self.typed_data.split(order.id, split), KEYS[signer])

    def split_digest(self, order: Order, split: Split) -> str:
        return digest(self.typed_data.split(order.id, split))

    def action(self, order: Order, verb: Any, role: Role, signer: str, **overrides: Any) -> Action:
        values = {"state": order.state, "expiry": self.evm.now + DAY, **overrides}
        return Action(verb=verb, role=role, signer=signer, **values)

    def sign_action(self, order: Order, action: Action, signer: str | None = None) -> bytes:
        return sign(self.typed_data.action(order.id, action), KEYS[signer or action.signer])

    def action_digest(self, order: Order, action: Action) -> str:
        return digest(self.typed_data.action(order.id, action))

    # ---------------------------------------------------------------------------------------------------------- money

    def books(self, coin: str) -> dict[str, int]:
        """Every balance in one coin: purses, and what the escrow keeps apart for whom."""
        escrow, books = self.escrow, {}
        for address, name in self.names.items():
            books[name] = self.balance(coin, address)
            if coin != NATIVE:
                books[f"{name}, native"] = self.evm.balance(address)
            books[f"credit of {name}"] = escrow.creditOf(address, coin)
            books[f"bond of {name}"] = escrow.bondOf(address, coin)
        books["fees"] = sum(escrow.feesOf(self.policy_id(policy), coin) for policy in self.policies)
        return books

    def balance(self, coin: str, address: str) -> int:
        if coin == NATIVE:
            return self.evm.balance(address)
        return int(Contract(self.evm, coin, self.token.abi).balanceOf(address))

    @contextmanager
    def moves(self, coin: str, expected: Mapping[str, int]) -> Iterator[None]:
        """Asserts that within, in `coin`, exactly this moves and nothing else, and that the escrow can pay its debts.
        Labels as in `books`."""
        before = self.books(coin)
        yield
        after = self.books(coin)
        actual = {name: after[name] - before[name] for name in after if after[name] != before[name]}
        wanted = {name: amount for name, amount in expected.items() if amount}
        assert actual == wanted, f"moved {actual}, and not {wanted}"
        owed = sum(amount for name, amount in after.items() if name.startswith(("credit of ", "bond of ", "fees")))
        assert after["escrow"] >= owed, f"the escrow owes {owed} and has {after['escrow']}"


@contextmanager
def reverts(refusal: Any) -> Iterator[None]:
    """Asserts that within a transaction is refused, with exactly this refusal and its arguments."""
    with pytest.raises(Reverted) as revert:
        yield
    actual = decode_refusal(revert.value.data)
    assert actual == refusal, f"refused as {actual!r} ({revert.value}), and not as {refusal!r}"
