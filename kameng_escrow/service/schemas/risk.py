"""Scores, warnings and what they have been worth."""

from typing import Any, Literal

from pydantic import Field

from .common import Address, Hash, Model, View, Words


class CauseView(View):
    """One of what raises a risk most."""

    feature: str
    value: float | None = Field(description="The figure behind the sentence; null: there is no record to go by.")
    sentence: Words


class CautionView(View):
    """What a buyer should know of a seller before paying."""

    risk: float = Field(description="How likely an order of this seller fails by it or is disputed, 0 to 1.")
    orders: int = Field(description="Of how many orders of the seller that have ended this is known.")
    sentence: Words
    reasons: list[CauseView]
    as_of: str


class ScoreView(View):
    """What was last said of the order at a stage; null for what the caller is not told."""

    stage: str = Field(description="opened, accepted, delivered or disputed.")
    at: str = Field(description="When it came to the stage, or was looked at again while it stayed there.")
    by_model: bool = Field(description="false: by the rates of its category, before there was a model.")
    seller: float | None = Field(description="How likely the order fails by its seller, 0 to 1.")
    buyer: float | None = Field(description="How likely it ends by its buyer.")
    dispute: float | None = Field(description="How likely it is disputed; of one that is: not settled by the parties.")
    reasons: list[CauseView]


class RiskWarningView(View):
    """A risk that was over its threshold."""

    id: int
    kind: str = Field(description="confirm_stock, caution, stricter_policy or mediator.")
    order_id: Hash
    seller: Address
    risk: float
    raised_at: str
    details: dict[str, Any] = Field(description="Of stricter_policy: the policy that is proposed.")
    answer: str | None = Field(description="The seller's, of confirm_stock: in_stock or out_of_stock.")
    answered_at: str | None
    came: bool | None = Field(description="Whether what was feared came; null: the order is open.")
    lead_seconds: int | None = Field(description="From the warning until it came.")


class RiskView(View):
    """An order's risk, as far as the caller is told."""

    order_id: Hash
    score: ScoreView | None = Field(description="Of its latest stage; null: there is none.")
    stages: list[ScoreView] = Field(description="All, the latest first.")
    warnings: list[RiskWarningView]


class WorthView(View):
    """How good a kind of warning has been."""

    kind: str
    raised: int
    ended: int = Field(description="Of those, whose orders have ended.")
    came: int = Field(description="Of those that ended: what was feared came.")
    precision: float | None = Field(description="came / ended; null before any ended.")
    lead_hours: float | None = Field(description="From the warning until it came, on average.")


class RiskWarningsView(View):
    """A page of a platform's warnings, and what each kind has been worth."""

    platform: Address
    worth: list[WorthView]
    warnings: list[RiskWarningView]
    before: int | None = Field(description="For the next page; null: this is the last.")


class NewStockAnswer(Model):
    """What a seller says when it is asked whether the goods are there."""

    answer: Literal["in_stock", "out_of_stock"]
