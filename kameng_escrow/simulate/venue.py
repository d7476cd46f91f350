"""Where the market's decisions are carried out: the twin of the contract, or the contract itself on a chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kameng_escrow.domain.events import Event, Logged
from kameng_escrow.domain.lifecycle import Move
from kameng_escrow.domain.order import Order, OrderTerms
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.domain.states import State

from .cast import Cast

ZERO_HASH = "0x" + "00" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody does to an order."""

    move: Move
    actor: str  # the address that calls
    terms: OrderTerms
    expected: State  # that the actor takes the order to be in
    units: int = 0  # in dispute
    to_buyer: int = 0  # base units: by the ruling, or agreed
    content: str = ZERO_HASH  # commitment, evidence or grounds
    revision: int = 0  # the current one, for what names it
    disputed_units: int = 0  # the current ones, for a split
    expiry: int = 0  # Unix seconds, of an offer or a split


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A seller takes its bond balance, as far as it is not locked."""

    seller: str
    token: str


Answer = tuple[Event, ...] | Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a transaction took."""

    at: int  # Unix seconds
    function: str  # of the contract
    gas: int
    orders: int  # that it did something to; none of one that was refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What a venue has to show at the end."""

    events: tuple[Logged, ...]  # of the escrow, in the chain's order
    conserved: dict[str, bool]  # by token: what came in is what went out and what is held, and all there ever was
    mirror_equals_chain: bool | None  # None: nothing was mirrored
    gas: tuple[Spent, ...]  # every transaction's; empty where gas costs nothing
    settled_by_keeper: int  # orders


class Venue(Protocol):
    """What the market asks of the place where it is held."""

    name: str
    token: str  # the address of its stable token

    def address_of(self, name: str) -> str:
        """The account of somebody, by name; the same for the same name."""

    def prepare(self, cast: Cast, at: int) -> None:
        """Registers the policies and gives everybody what they need, bonds included, before the Unix second `at`."""

    def id_of(self, terms: OrderTerms) -> str:
        """The id of these terms there."""

    def order(self, order_id: str) -> Order:
        """An order as it stands."""

    def perform(self, at: int, deeds: Sequence[Deed | Withdrawal]) -> Sequence[Answer]:
        """Carries out, in this order and all at the Unix second `at`, what people do; says what came of each."""

    def settle_due(self, at: int) -> Sequence[Event]:
        """Settles what is due at the Unix second `at` or a little before; the events of that."""

    def finish(self) -> Closing:
        """Checks the books, and hands them over."""
