"""The market in the twin of the contract: no chain, thousands of orders a second, the same rules to the last unit."""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from heapq import heappop, heappush

from eth_utils.address import to_checksum_address

from kameng_escrow.domain.events import Event, Logged, OrderEvent
from kameng_escrow.domain.lifecycle import Move
from kameng_escrow.domain.order import NATIVE, Order, OrderTerms
from kameng_escrow.domain.policy import MAX_REVIEW_PERIOD, Policy
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.states import Role, State
from kameng_escrow.domain.twin import Escrow
from kameng_escrow.domain.typed_data import Domain

from .calls import dispute_bond, split_of
from .cast import Cast
from .ledger import conserved
from .venue import Answer, Closing, Deed, Withdrawal

CHAIN_ID = 31_337
WEALTH = 10**33  # base units of either coin that each buyer has; more than any market moves
_UNLIMITED = 2**256 - 1


def _address(name: str) -> str:
    return to_checksum_address(sha256(f"simulated {name}".encode()).digest()[-20:])


class TwinVenue:
    """A venue without a chain. Each is for one market."""

    name = "twin"

    def __init__(self) -> None:
        self.token = _address("token")
        self.contract = _address("escrow")
        self.keeper = _address("keeper")
        self.escrow = Escrow(Domain(CHAIN_ID, self.contract), {self.token})
        self._logged: list[Logged] = []
        self._block = 0
        self._clocks: list[tuple[int, str]] = []  # deadlines, and the orders that they may be of
        self._endowed: Counter[str] = Counter()  # base units by token
        self._settled = 0
        self._policies: dict[str, Policy] = {}

    def address_of(self, name: str) -> str:
        """An address that nobody has a key for."""
        return _address(name)

    def id_of(self, terms: OrderTerms) -> str:
        """As the contract's `toId`."""
        return self.escrow.id_of(terms)

    def order(self, order_id: str) -> Order:
        """As the twin keeps it."""
        return self.escrow.books.orders.get(order_id) or Order(id=order_id, state=State.Nothing, revision=0)

    def prepare(self, cast: Cast, at: int) -> None:
        """Registers the policies, endows everybody and funds the bonds."""
        books = self.escrow.books
        self._policies = cast.policies
        for address in (*(one.address for one in cast.buyers), *(one.address for one in cast.sellers)):
            for token in (NATIVE, self.token):
                books.balances[address, token] = WEALTH
                self._endowed[token] += WEALTH
            books.allowances[address, self.token] = _UNLIMITED
        events: list[Event] = []
        for platform in cast.platforms.values():
            for policy in platform.policies.values():
                events += self.escrow.register_policy(platform.address, at, policy, at + MAX_REVIEW_PERIOD)
        for seller in cast.sellers:
            if seller.capital:
                value = seller.capital if seller.token == NATIVE else 0
                events += self.escrow.fund_bond(
                    seller.address, at, seller.address, seller.token, seller.capital, value=value
                )
        self._log(at, [(event,) for event in events])

    def perform(self, at: int, deeds: Sequence[Deed | Withdrawal]) -> Sequence[Answer]:
        """One after the other, in one block."""
        answers: list[Answer] = []
        for deed in deeds:
            try:
                answers.append(self._withdraw(at, deed) if isinstance(deed, Withdrawal) else self._do(at, deed))
            except Refusal as refusal:
                answers.append(refusal)
        self._log(at, [answer for answer in answers if not isinstance(answer, Refusal)])
        return answers

    def settle_due(self, at: int) -> Sequence[Event]:
        """Everything whose clock has run out, in the order of the clocks."""
        due: list[OrderTerms] = []
        seen: set[str] = set()
        while self._clocks and self._clocks[0][0] <= at:
            order = self.order(heappop(self._clocks)[1])
            if order.terms and order.state.is_open and order.deadline and order.deadline <= at and order.id not in seen:
                seen.add(order.id)
                due.append(order.terms)
        if not due:
            return ()
        events = self.escrow.settle_many(self.keeper, at, due)
        self._settled += len(due)
        self._log(at, [events])
        return events

    def finish(self) -> Closing:
        """The books of both coins, added up."""
        return Closing(
            events=tuple(self._logged),
            conserved={token: self._is_conserved(token) for token in (NATIVE, self.token)},
            mirror_equals_chain=None,
            gas=(),
            settled_by_keeper=self._settled,
        )

    # -------------------------------------------------------------------------------------------------------- deeds

    def _do(self, at: int, deed: Deed) -> tuple[Event, ...]:
        escrow, terms, who = self.escrow, deed.terms, deed.actor
        value = terms.price if terms.token == NATIVE else 0
        match deed.move:
            case Move.Open:
                return escrow.open(who, at, terms, value=value)
            case Move.OpenWithOffer:
                return escrow.open_with_offer(who, at, terms, Offer(expiry=deed.expiry, signature=b""), value=value)
            case Move.Accept:
                return escrow.accept(who, at, terms)
            case Move.Deliver:
                return escrow.deliver(who, at, terms, deed.content)
            case Move.Confirm:
                return escrow.confirm(who, at, terms, deed.expected)
            case Move.Cancel:
                return escrow.cancel(who, at, terms, deed.expected)
            case Move.Decline:
                return escrow.decline(who, at, terms, deed.expected)
            case Move.Refund:
                return escrow.refund(who, at, terms, deed.expected)
            case Move.Dispute:
                return escrow.dispute(
                    who, at, terms, deed.units, deed.content, value=dispute_bond(deed, self.order(self.id_of(terms)))
                )
            case Move.Recommit:
                return escrow.recommit(who, at, terms, deed.revision, deed.content)
            case Move.Concede:
                return escrow.concede(who, at, terms, Role.Buyer if who == terms.buyer else Role.Seller)
            case Move.Rule:
                return escrow.rule(who, at, terms, deed.to_buyer, deed.content)
            case Move.Agree:
                split = split_of(deed)
                return escrow.agree(who, at, terms, split, buyer_signed=True, seller_signed=True)
            case Move.Intervene:
                return escrow.intervene(who, at, terms, deed.expected)
        raise ValueError(f"nobody in the market does {deed.move} by itself")

    def _withdraw(self, at: int, deed: Withdrawal) -> tuple[Event, ...]:
        free = self.escrow.bond_of(deed.seller, deed.token)
        return self.escrow.withdraw_bond(deed.seller, at, deed.token, free, deed.seller)

    # ---------------------------------------------------------------------------------------------------------- books

    def _log(self, at: int, transactions: Sequence[Sequence[Event]]) -> None:
        """A block with these transactions' events."""
        if not any(transactions):
            return
        self._block += 1
        block_hash = "0x" + sha256(f"block {self._block}".encode()).hexdigest()
        index = 0
        for number, events in enumerate(transactions):
            transaction = "0x" + sha256(f"transaction {self._block} {number}".encode()).hexdigest()
            for event in events:
                self._logged.append(
                    Logged(
                        event=event,
                        block_number=self._block,
                        block_hash=block_hash,
                        timestamp=at,
                        transaction_hash=transaction,
                        log_index=index,
                    )
                )
                index += 1
                if isinstance(event, OrderEvent):
                    order = self.order(event.order_id)
                    if order.deadline is not None and order.state.is_open:
                        heappush(self._clocks, (order.deadline, order.id))

    def _is_conserved(self, token: str) -> bool:
        books = self.escrow.books
        total = sum(amount for (_, coin), amount in books.balances.items() if coin == token)
        in_escrow = books.balances.get((self.contract, token), 0)
        return total == self._endowed[token] and conserved(self._logged, self._policies, token, in_escrow)
