"""What parties sign: promises, divisions and actions that others may bring to the chain."""

from dataclasses import dataclass

from .policy import ZERO_ADDRESS
from .states import Role, State, Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A seller's signed promise to accept one order, bound to its id, its revision and an expiry."""

    expiry: int  # Unix seconds; live while t < expiry
    signature: bytes
    operator: str = ZERO_ADDRESS  # the operator that signed; the zero address: the seller signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A division of what is held, to be signed by both parties."""

    state: State
    disputed_units: int
    revision: int
    to_buyer: int  # base units of the price, or of the sum in dispute once Disputed
    expiry: int  # Unix seconds; t < expiry ≤ t + 24 hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action that a party or operator signs and anyone may relay."""

    verb: Verb
    state: State  # the state the signer expects
    role: Role
    signer: str
    expiry: int  # Unix seconds; live while t < expiry
    number: int = 0  # Dispute: units in dispute · Revise, Recommit: the current revision · else 0
    content: str = "0x" + "00" * 32  # Deliver, Recommit: the commitment · Dispute: the evidence · else zero


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorGrant:
    """What a seller lets an operator do with orders of one token under one policy."""

    rights: int  # sum of ``Right``; zero: none
    expiry: int  # Unix seconds; live while t < expiry
    max_price: int  # base units; the largest price of an order it may act on
