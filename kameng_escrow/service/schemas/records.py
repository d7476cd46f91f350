"""Reputation, the audit log, erasure."""

from typing import Any

from pydantic import Field

from .common import Address, Amount, ChainSeconds, Hash, View


class YardstickView(View):
    """What fees are measured by: with the same, anybody gets the same numbers from the chain."""

    units: dict[str, str] = Field(description="By token: the platform fee, in base units, that makes a whole order.")
    platforms: list[Address] | None = Field(description="Whose orders count; null: everybody's.")


class AsOfView(View):
    """The final block up to which it is told."""

    block: int
    block_hash: Hash
    timestamp: ChainSeconds
    time: str


class TallyView(View):
    """What an account's closed orders in one role say. Weights and shares are in millionths."""

    orders: int
    counts: dict[str, int] = Field(description="Closed orders of each kind, as the manual's page explains them.")
    counterparties: int
    good: int
    bad: int
    rate: int | None = Field(description="The good share of the weight; null: nothing weighs anything.")
    lower: int = Field(description="Lower end of Wilson's interval at 95 %: what to sort by.")
    upper: int
    fees: dict[str, Amount] = Field(description="Paid on the good orders, by token: what it would cost to fake them.")


class ReputationView(View):
    """An account's reputation, recomputable from the chain by anybody."""

    account: Address
    as_of: AsOfView
    yardstick: YardstickView
    as_buyer: TallyView
    as_seller: TallyView


class AuditEntryView(View):
    """Something that a platform's staff did."""

    position: int
    at: str
    at_ms: int
    actor: str
    action: str
    subject: str
    platform: Address | None
    details: dict[str, Any] | None = Field(description="Null: erased.")
    details_hash: Hash
    previous: Hash
    hash: Hash


class AuditView(View):
    """A part of the audit log, the newest first."""

    entries: list[AuditEntryView]
    before: int | None = Field(description="What to ask for to get the next page; null: this was the last.")
    head: str = Field(description="The whole log's head now, position and hash: keep it, and nobody can rewrite it.")


class ErasureView(View):
    """How many records of each kind would go, or went."""

    erased: bool
    counts: dict[str, int]
