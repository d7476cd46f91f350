"""The contract and its twin side by side: everything is done to both, and must have the same effect."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.domain.actions import next_action
from kameng_escrow.domain.events import Event, Logged
from kameng_escrow.domain.fold import fold
from kameng_escrow.domain.order import NATIVE, Order, OrderTerms
from kameng_escrow.domain.payments import PERMIT2
from kameng_escrow.domain.policy import NO_CANCEL, Policy
from kameng_escrow.domain.refusals import Refusal
from kameng_escrow.domain.reverts import decode_refusal
from kameng_escrow.domain.shares import held
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import Fault, Outcome, State
from kameng_escrow.domain.twin import Books, Escrow
from kameng_escrow.domain.typed_data import Domain, policy_id
from tests.contracts.harness.abi import Contract, deploy
from tests.contracts.harness.cast import CAST, KEYS
from tests.contracts.harness.evm import Evm, Reverted
from tests.contracts.harness.revm import Revm
from tests.contracts.harness.world import DAY, NO_MEDIATOR, POLICY

WEALTH = 2**200  # base units of every coin that everybody starts with
UNLIMITED = 2**256 - 1
BOND = 10**6  # base units in a seller's bond balance at the start: enough for some orders
ALL_RIGHTS = 15
PAYABLE = {"open", "open_with_offer", "dispute", "act", "fund_bond"}
TOKEN_NAME = "Authorized dollar"  # of the token that takes permits and authorizations
REFUSING = bytes.fromhex("5f5ffd")  # an account with this code takes no coins: revert(0, 0)

LARGEST = {
    "platform_fee_bps": 1_000,
    "cancel_fee_bps": 5_000,
    "seller_bond_bps": 5_000,
    "dispute_bond_bps": 5_000,
    "mediation_fee_bps": 5_000,
    "silence_share_bps": 10_000,
    "backup_mediator": NATIVE,
}
ODD = {
    "platform_fee_bps": 1,
    "seller_bond_bps": 3,
    "dispute_bond_bps": 7,
    "mediation_fee_bps": 9,
    "silence_share_bps": 3_333,
}
POLICIES: tuple[dict[str, Any], ...] = (
    {},
    {"platform_fee_bps": 0, "dispute_bond_bps": 0, "seller_bond_bps": 0, **NO_MEDIATOR},
    LARGEST,
    {"cancel_fee_bps": NO_CANCEL, "silence_share_bps": 0, "mediation_fee_bps": 0},
    {"inspect_window": 3_600, "negotiate_window": 3_600, "mediate_window": 86_400},
)

Key = tuple[str, str, str]  # what is kept, whose, and of which token


class Twins:
    """One history at a time; `reset` begins the next."""

    def __init__(self, compiled: Callable[[str], Artifact], evm: Evm | Revm) -> None:
        self.evm = evm
        issuer = CAST["stranger"]
        for address in CAST.values():
            self.evm.set_balance(address, WEALTH)
        self.escrow = deploy(self.evm, compiled("KamengEscrow"), sender=issuer)
        self.lens = deploy(self.evm, compiled("KamengLens"), self.escrow.address, sender=issuer)
        self.authorized = deploy(self.evm, compiled("AuthorizedToken"), TOKEN_NAME, "AUSD", 6, sender=issuer)
        self.blocking = deploy(self.evm, compiled("BlockingToken"), "Blocking", "BUSD", 18, sender=issuer)
        self.wallet = deploy(self.evm, compiled("Wallet"), CAST["seller"], sender=issuer).address
        self.evm.set_balance(self.wallet, WEALTH)
        self.tokens = {contract.address: contract for contract in (self.authorized, self.blocking)}
        double = deploy(self.evm, compiled("Permit2Double"), sender=issuer)
        self.evm.set_code(PERMIT2, self.evm.code(double.address))
        self.permit2 = Contract(self.evm, PERMIT2, double.abi)
        self.coins = (NATIVE, *self.tokens)
        self.accounts = (*CAST.values(), self.wallet)
        self.domain = Domain(self.evm.chain_id, self.escrow.address)
        self.twin = Escrow(self.domain, self.tokens)
        self.logs: list[Logged] = []
        self.policies: list[Policy] = []
        self._ids: dict[Policy, str] = {}
        self._reads: dict[Key, tuple[str, bytes]] = {}  # the call that answers
        self._enrich()
        self._register()
        self._base = self.evm.snapshot(), self.twin.books.copy(), tuple(self.policies), tuple(self.logs)

    def _enrich(self) -> None:
        books = self.twin.books
        for account in self.accounts:
            books.balances[account, NATIVE] = WEALTH
            for address, token in self.tokens.items():
                token.mint(account, WEALTH, sender=account)
                token.approve(self.escrow.address, UNLIMITED, sender=account)
                token.approve(PERMIT2, UNLIMITED, sender=account)
                books.balances[account, address] = WEALTH
                books.allowances[account, address] = UNLIMITED

    def _register(self) -> None:
        """Policies of all kinds, and operators of two sellers."""
        now = self.now
        for change in (*POLICIES, {"platform": CAST["mediator"], "mediator": self.wallet, **ODD}):
            policy = replace(POLICY, **change)
            self.register(policy.platform, policy, now + 300 * DAY)
        self.register(POLICY.platform, replace(POLICY, effective_from=now + 2_000), now + 300 * DAY)
        self.register(POLICY.platform, replace(POLICY, accept_window=300), now + 3_000)
        for seller in (CAST["seller"], self.wallet):
            self.do("register_pay_to", seller, CAST["pay_to"])
            for coin in self.coins:
                value = BOND if coin == NATIVE else 0
                self.do("fund_bond", seller, seller, coin, BOND, value=value)
                for policy in self.policies:
                    grant = OperatorGrant(rights=ALL_RIGHTS, expiry=now + 5 * DAY, max_price=10**9)
                    self.do("set_operator", seller, CAST["operator"], coin, self.id_of(policy), grant)

    def reset(self) -> None:
        snapshot, books, policies, logs = self._base
        self.evm.restore(snapshot)
        self.twin.books, self.twin.refusing = books.copy(), set()
        self.policies, self.logs = list(policies), list(logs)

    @property
    def now(self) -> int:
        return self.evm.now

    def id_of(self, policy: Policy) -> str:
        if policy not in self._ids:
            self._ids[policy] = policy_id(policy)
        return self._ids[policy]

    # ---------------------------------------------------------------------------------------------------- doing to both

    def do(
        self, method: str, caller: str, *arguments: Any, signatures: Iterable[bytes] = (), value: int = 0, **told: bool
    ) -> Refusal | tuple[Event, ...]:
        """Does the same to both and compares what came of it.

        Args:
            method: the twin's name of it.
            arguments: but for `signatures`, which follow them on the chain.
            told: what the twin is told about the signatures instead.
        """
        before = self.twin.books.copy()
        expected = self._twin(method, caller, arguments, value, told)
        data = self.escrow.data(camel(method), *arguments, *signatures)
        call = {"sender": caller, "to": self.escrow.address, "data": data, "value": value}
        if isinstance(expected, Refusal):
            # A refusal leaves no trace on a chain, so it need not be mined.
            self._assert_refused(method, expected, call)
            return expected
        try:
            receipt = self.evm.transact(**call)
        except Reverted as revert:
            reason = decode_refusal(revert.data)
            raise AssertionError(f"{method} gives {expected} in Python; the contract refuses: {reason!r}") from revert
        events = tuple(self.escrow.events(receipt))
        assert events == expected, f"{method} logs {events}, and in Python {expected}"
        self._log(events)
        self._compare(before, caller, arguments)
        return expected

    def ask(
        self, method: str, caller: str, *arguments: Any, signatures: Iterable[bytes] = (), value: int = 0, **told: bool
    ) -> Refusal | tuple[Event, ...]:
        """As `do`, and undoes it in both."""
        before = self.twin.books.copy()
        expected = self._twin(method, caller, arguments, value, told)
        self.twin.books = before
        data = self.escrow.data(camel(method), *arguments, *signatures)
        call = {"sender": caller, "to": self.escrow.address, "data": data, "value": value}
        if isinstance(expected, Refusal):
            self._assert_refused(method, expected, call)
        else:
            events = tuple(self.escrow.events(self.evm.call(**call)))
            assert events == expected, f"{method} logs {events}, and in Python {expected}"
        return expected

    def _twin(
        self, method: str, caller: str, arguments: tuple[Any, ...], value: int, told: dict[str, bool]
    ) -> Refusal | tuple[Event, ...]:
        sent = {"value": value} if method in PAYABLE else {}
        try:
            events: tuple[Event, ...] = getattr(self.twin, method)(caller, self.now, *arguments, **sent, **told)
        except Refusal as refusal:
            return refusal
        return events

    def _assert_refused(self, method: str, expected: Refusal, call: dict[str, Any]) -> None:
        try:
            receipt = self.evm.call(**call)
        except Reverted as revert:
            actual = decode_refusal(revert.data)
        else:
            raise AssertionError(f"{method}: Python refuses {expected!r}; the contract {self.escrow.events(receipt)}")
        assert actual == expected, f"{method}: the contract refuses {actual!r}, Python {expected!r}"

    def _log(self, events: tuple[Event, ...]) -> None:
        for index, event in enumerate(events):
            self.logs.append(
                Logged(
                    event=event,
                    block_number=len(self.logs),
                    block_hash="0x" + "bb" * 32,
                    timestamp=self.now,
                    transaction_hash="0x" + "cc" * 32,
                    log_index=index,
                )
            )

    # -------------------------------------------------------------------------------------------------------- the world

    def register(self, caller: str, policy: Policy, review_by: int) -> None:
        if not isinstance(self.do("register_policy", caller, policy, review_by), Refusal):
            self.policies.append(policy)

    def refuse(self, account: str, coin: str, refuses: bool) -> None:
        """From now on the account can't be paid in this coin, nor pay; or it can again."""
        if coin == NATIVE:
            self.evm.set_code(account, REFUSING if refuses else b"")
        else:
            assert coin == self.blocking.address
            self.blocking.setBlocked(account, refuses, sender=CAST["stranger"])
        (self.twin.refusing.add if refuses else self.twin.refusing.discard)((account, coin))

    def approve(self, owner: str, coin: str, amount: int) -> None:
        """Changes what the escrow may pull."""
        self.tokens[coin].approve(self.escrow.address, amount, sender=owner)
        self.twin.books.allowances[owner, coin] = amount

    def sign(self, signer: str, digest: str) -> bytes:
        """A signature of the account's key; a contract wallet's is its owner's."""
        key = KEYS[CAST["seller"] if signer == self.wallet else signer]
        return bytes(key.unsafe_sign_hash(digest).signature)

    # -------------------------------------------------------------------------------------------------------- comparing

    def _compare(self, before: Books, caller: str, arguments: tuple[Any, ...]) -> None:
        """What the twin says has changed, and what is near it."""
        after = self.twin.books
        keys = {key for key, _ in _entries(before) ^ _entries(after)}
        terms = _terms_in(arguments)
        for item in terms:
            if item.token in self.coins:
                for account in {caller, self.escrow.address, *_parties(item)}:
                    keys |= {(kind, account, item.token) for kind in ("balance", "bond", "credit")}
        self._compare_keys(keys)
        moved = [after.orders[name].terms for name in _changed(before.orders, after.orders)]
        self.compare_orders([item for item in moved if item is not None] or terms[:1])
        self._compare_registers(before)
        self.assert_conserved({coin for _, _, coin in keys})

    def compare_everything(self) -> None:
        """Every balance of every account, every order, and the fold of all logs."""
        keys = {key for key, _ in _entries(self.twin.books)}
        for coin in self.coins:
            keys |= {(kind, account, coin) for kind in ("balance", "bond", "credit") for account in self.accounts}
            keys.add(("balance", self.escrow.address, coin))
            keys |= {("fees", self.id_of(policy), coin) for policy in self.policies}
        self._compare_keys(keys)
        self.compare_orders([order.terms for order in self.twin.books.orders.values() if order.terms])
        self.assert_conserved(self.coins)
        assert self._folded() == self.twin.books.orders

    def _compare_keys(self, keys: Iterable[Key]) -> None:
        for key in sorted(keys):
            actual, expected = self._actual(key), self._expected(key)
            assert actual == expected, f"{key} is {actual}, and in Python {expected}"

    def _actual(self, key: Key) -> int:
        kind, owner, coin = key
        if (kind, coin) == ("balance", NATIVE):
            return self.evm.balance(owner)
        if key not in self._reads:
            escrow = self.escrow
            self._reads[key] = {
                "balance": lambda: (coin, self.tokens[coin].data("balanceOf", owner)),
                "allowance": lambda: (coin, self.tokens[coin].data("allowance", owner, escrow.address)),
                "bond": lambda: (escrow.address, escrow.data("bondOf", owner, coin)),
                "credit": lambda: (escrow.address, escrow.data("creditOf", owner, coin)),
                "fees": lambda: (escrow.address, escrow.data("feesOf", owner, coin)),
            }[kind]()
        to, data = self._reads[key]
        return int.from_bytes(self.evm.read(to=to, data=data).returned, "big")

    def _expected(self, key: Key) -> int:
        kind, owner, coin = key
        return _book(self.twin.books, kind).get((owner, coin), 0)

    def compare_orders(self, many: Iterable[OrderTerms]) -> None:
        terms = list(dict.fromkeys(many))
        orders = [self.twin.order_of(item) for item in terms]
        statuses = self._lens("stateOf", [order.id for order in orders])
        for order, status in zip(orders, statuses, strict=True):
            assert vars(status) == _status(order), f"order {order.id}"
        for order, action in zip(orders, self._lens("nextAction", terms), strict=True):
            self._compare_next_action(order, action)

    def _lens(self, function: str, *arguments: Any) -> Any:
        answer = self.evm.read(to=self.lens.address, data=self.lens.data(function, *arguments))
        return self.lens.returned(function, answer)

    def _compare_next_action(self, order: Order, actual: Any) -> None:
        expected = next_action(order, self.now)
        assert (actual.state, actual.due_at, actual.due) == (expected.state, expected.due_at or 0, expected.due)
        if closing := expected.closing:
            paid = closing.shares
            assert vars(actual.closing) == {
                "outcome": closing.outcome,
                "fault": closing.fault,
                "to_buyer": paid.to_buyer,
                "to_seller": paid.to_seller,
                "platform_fee": paid.platform_fee,
                "bond_returned": paid.bond_returned,
            }

    def _compare_registers(self, before: Books) -> None:
        after = self.twin.books
        for name in _changed(before.policies, after.policies):
            registered = after.policies[name]
            assert self.lens.policyOf(name) == (registered.policy, registered.review_by, registered.retired)
        for seller, operator, coin, policy in _changed(before.grants, after.grants):
            assert (
                self.escrow.operatorOf(seller, operator, coin, policy) == after.grants[seller, operator, coin, policy]
            )
        for seller in _changed(before.pay_to, after.pay_to):
            assert self.escrow.payToOf(seller) == after.pay_to[seller]

    def _folded(self) -> dict[str, Order]:
        policies = {self.id_of(policy): policy for policy in self.policies}
        orders: dict[str, Order] = {}
        for logged in self.logs:
            name = getattr(logged.event, "order_id", None)
            if name is not None:
                orders[name] = fold(orders.get(name), logged, policies)
        return orders

    def assert_conserved(self, coins: Collection[str]) -> None:
        """Of these coins the escrow has exactly what it holds for orders and owes."""
        books = self.twin.books
        for coin in coins:
            owed = sum(
                amount
                for book in (books.bonds, books.credits, books.fees)
                for (_, of), amount in book.items()
                if of == coin
            )
            locked = sum(held(order).total for order in books.orders.values() if _token(order) == coin)
            balance = self._actual(("balance", self.escrow.address, coin))
            assert balance == owed + locked, f"of {coin} there is {balance}, and {owed} + {locked} is owed and held"


def camel(name: str) -> str:
    """The contract's name of a function."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _terms_in(arguments: tuple[Any, ...]) -> list[OrderTerms]:
    [*first] = arguments[:1]
    listed = first[0] if first and isinstance(first[0], list | tuple) else first
    return [item for item in listed if isinstance(item, OrderTerms)]


def _parties(terms: OrderTerms) -> tuple[str, ...]:
    return terms.buyer, terms.refund_to, terms.seller, terms.pay_to


def _token(order: Order) -> str | None:
    return None if order.terms is None else order.terms.token


def _book(books: Books, kind: str) -> dict[tuple[str, str], int]:
    return {
        "balance": books.balances,
        "allowance": books.allowances,
        "bond": books.bonds,
        "credit": books.credits,
        "fees": books.fees,
    }[kind]


def _entries(books: Books) -> set[tuple[Key, int]]:
    kinds = ("balance", "allowance", "bond", "credit", "fees")
    return {((kind, *key), amount) for kind in kinds for key, amount in _book(books, kind).items()}


def _changed(before: dict[Any, Any], after: dict[Any, Any]) -> set[Any]:
    return {key for key, value in after.items() if before.get(key) != value}


def _status(order: Order) -> dict[str, Any]:
    """The lens's words for an order."""
    return {
        "state": order.state,
        "outcome": order.outcome if order.state is State.Closed else Outcome.Nothing,
        "fault": order.fault if order.state is State.Closed else Fault.Nobody,
        "deadline": (order.closed_at if order.state is State.Closed else order.deadline) or 0,
        "disputed_units": order.disputed_units,
        "revision": order.revision,
    }
