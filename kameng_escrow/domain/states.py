"""Where an order stands and how it ended. Values and names are the contract's (``IKamengEscrow.sol``).

Only ``None``, which Python reserves, has another name here; ``label`` gives the contract's, which is also the one in
SQL and JSON.
"""

from enum import IntEnum
from functools import cache
from typing import Any, Self


class _Word(IntEnum):
    """An enum of the contract: the same values, the same labels."""

    @property
    def label(self) -> str:
        """The contract's name of the member, as in SQL, JSON and on the page."""
        name: str = self._name_  # `name` itself goes a long way round, and this is asked for in every row
        return "None" if name in ("Nothing", "Nobody") else name

    @classmethod
    def from_label(cls, label: str) -> Self:
        """The member with this label. Raises ``ValueError`` naming the labels there are."""
        members: dict[str, Self] = _members(cls)
        if label in members:
            return members[label]
        raise ValueError(f"{label!r} is no {cls.__name__}: it is one of {', '.join(m.label for m in cls)}")


@cache
def _members(word: type[_Word]) -> dict[str, Any]:
    return {member.label: member for member in word}


class State(_Word):
    """Where an order stands. States only move forward."""

    Nothing = 0  # Solidity's ``None``, which Python reserves: no order was opened under this id
    Opened = 1
    Accepted = 2
    Delivered = 3
    Disputed = 4
    Closed = 5

    @property
    def is_open(self) -> bool:
        """Whether the escrow holds money for the order and a clock is running."""
        return self not in (State.Nothing, State.Closed)


class Outcome(_Word):
    """How a closed order ended."""

    Nothing = 0  # Solidity's ``None``: still open
    Expired = 1
    Cancelled = 2
    Declined = 3
    Intervened = 4
    Undelivered = 5
    Confirmed = 6
    Released = 7
    Refunded = 8
    Ruled = 9
    Conceded = 10
    Defaulted = 11
    Agreed = 12


class Fault(_Word):
    """Who caused the ending, decided by the row that closed the order. It is what reputation counts."""

    Nobody = 0  # Solidity's ``None``
    Buyer = 1
    Seller = 2
    Platform = 3
    Mediator = 4


class Role(_Word):
    """In what capacity an account acts on an order."""

    Buyer = 0
    Seller = 1
    Operator = 2


class Verb(_Word):
    """The actions that a party or operator may sign and anyone may relay."""

    Accept = 0
    Deliver = 1
    Confirm = 2
    Cancel = 3
    Decline = 4
    Refund = 5
    Dispute = 6
    Concede = 7
    Revise = 8
    Recommit = 9


class Right(IntEnum):
    """What an operator may be allowed to do; grants hold their sum."""

    Accept = 1
    Deliver = 2
    Decline = 4
    Refund = 8


class PolicyField(_Word):
    """What ``PolicyOutOfBounds`` is about."""

    AcceptWindow = 0
    DeliverWindow = 1
    InspectWindow = 2
    NegotiateWindow = 3
    MediateWindow = 4
    PlatformFee = 5
    CancelFee = 6
    SellerBond = 7
    DisputeBond = 8
    MediationFee = 9
    SilenceShare = 10
    EffectiveFrom = 11
    ReviewBy = 12
