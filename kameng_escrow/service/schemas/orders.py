"""Orders, their clocks, and who may do what."""

from typing import Any

from pydantic import Field

from kameng_escrow.domain.lifecycle import Move
from kameng_escrow.domain.states import Fault, Outcome, State

from ..callers import OrderRole
from .common import Address, Amount, ChainSeconds, Currency, Hash, View, Words, labelled

_STATES = [member.label for member in State]
_OUTCOMES = [member.label for member in Outcome]
_FAULTS = [member.label for member in Fault]


class TermsView(View):
    """What the parties agreed on; its EIP-712 digest is the order's id."""

    buyer: Address
    refund_to: Address = Field(description="Where the buyer's money goes back.")
    seller: Address
    pay_to: Address = Field(description="Where the seller's money goes.")
    token: Address
    price: Amount
    units: int = Field(description="Identical card lines.")
    policy_id: Hash
    listing: Hash
    open_by: ChainSeconds
    salt: Hash


class SharesView(View):
    """What an ending pays, in base units of the order's token."""

    to_buyer: Amount
    to_seller: Amount
    platform_fee: Amount
    bond_returned: Amount = Field(description="To the seller's bond balance.")
    mediation_fee: Amount


class ClosingView(View):
    """How an order ends, and what that pays to whom."""

    outcome: str = labelled(_OUTCOMES)
    outcome_label: Words
    fault: str = labelled(_FAULTS)
    shares: SharesView


class ClockView(View):
    """What happens by itself if nobody acts, and when. Anyone may `settle` from `due_at` on."""

    due_at: ChainSeconds | None = Field(description="Null: no clock runs, the order is not open.")
    due: bool = Field(description="Whether that is now.")
    closing: ClosingView | None


class PossibilityView(View):
    """Something that the caller may do now."""

    move: str = labelled(Move, "The contract's function.")
    who: str = Field(description="In what capacity.")
    until: ChainSeconds | None = Field(description="Possible before; null: as long as the order is in this state.")
    ends: bool = Field(description="Whether it closes the order.")
    closing: ClosingView | None = Field(
        description="What it pays; null where it ends nothing, or an amount is yet to be named."
    )


class TimesView(View):
    """When the order came to each state, Unix seconds of the chain."""

    opened_at: ChainSeconds | None
    accepted_at: ChainSeconds | None
    delivered_at: ChainSeconds | None
    disputed_at: ChainSeconds | None
    closed_at: ChainSeconds | None


class OrderView(View):
    """An order as the chain tells it."""

    order_id: Hash
    state: str = labelled(_STATES)
    state_label: Words
    outcome: str = labelled(_OUTCOMES)
    outcome_label: Words
    fault: str = labelled(_FAULTS)
    fault_label: Words
    revision: int
    terms: TermsView | None
    currency: Currency | None
    payer: Address | None
    times: TimesView
    deadline: ChainSeconds | None
    disputed_units: int
    commitment: Hash | None
    evidence: Hash | None
    grounds: Hash | None
    mediator: Address | None = Field(description="Who ruled, or earned the fee of a concession.")
    awarded: Amount | None = Field(description="By the ruling, to the buyer.")
    undisputed: SharesView | None = Field(description="What the units not in dispute paid when the dispute began.")
    shares: SharesView | None = Field(description="What the ending paid.")
    final: bool = Field(description="Whether what is told here is not expected to be undone by a reorganisation.")
    roles: list[OrderRole] = Field(description="What the caller is to the order.")


class OrderDetailView(OrderView):
    """An order, its clock, and what the caller may do."""

    chain_now: ChainSeconds = Field(description="The second that clock and possibilities are told for.")
    clock: ClockView
    possible: list[PossibilityView]


class OrdersView(View):
    """A page of orders."""

    orders: list[OrderView]
    cursor: str | None = Field(description="Asks for the next page; null: this was the last.")


class EventView(View):
    """An event of the order on the chain."""

    name: str
    fields: dict[str, Any] = Field(description="As the contract emitted them; amounts as decimal strings.")
    block_number: int
    block_hash: Hash
    timestamp: ChainSeconds
    transaction_hash: Hash
    transaction_url: str | None = Field(description="On the chain's explorer, where the service knows one.")
    log_index: int
    final: bool


class HistoryView(View):
    """All that happened to an order, oldest first."""

    order_id: Hash
    events: list[EventView]
