"""Reports on which rules would have served a platform better."""

from pydantic import Field

from .common import Address, ChainSeconds, Hash, View, Words


class IntervalView(View):
    """An estimate, and between what it lies with 95 % confidence."""

    mean: float
    low: float
    high: float


class PolicyChangeView(View):
    """One number of a policy, otherwise."""

    field: str = Field(description="Of the policy: windows in seconds, shares in bps; 16383 as cancel fee: no cancel.")
    before: int
    after: int
    sentence: Words


class TriedChangeView(PolicyChangeView):
    """A single change that was tried."""

    cost_fen: IntervalView = Field(
        description="By how much all of it weighed differs, fen an order: below 0 is better."
    )
    better: bool = Field(description="Whether it surely costs less.")


class PolicyEffectView(IntervalView):
    """By how much one measure differs under all advised changes together: what grows is worse."""

    measure: str
    name: Words
    sentence: Words


class MeasuresView(View):
    """What the policy as it is comes to: means over the orders of the replays."""

    failed: float = Field(description="The part of orders that come to nothing.")
    harm_fen: float = Field(description="What honest people lose in an order, fen.")
    refund_hours: float
    paid_hours: float
    frozen_fen_days: float = Field(description="Sellers' money and bonds held in an order, fen times days.")
    mediated: float = Field(description="The part of orders that reaches the mediator.")
    cost_fen: float = Field(description="All of it weighed, fen an order.")


class PolicyNumbersView(View):
    """A policy's numbers. Windows in seconds, shares in bps."""

    accept_window: int
    deliver_window: int
    inspect_window: int
    negotiate_window: int
    mediate_window: int
    platform_fee_bps: int
    cancel_fee_bps: int = Field(description="16383: no cancel once accepted.")
    seller_bond_bps: int
    dispute_bond_bps: int
    mediation_fee_bps: int
    silence_share_bps: int


class PolicyCautionView(View):
    """What the policy checker says of the advised policy."""

    code: str
    severity: str = Field(description="Notice, Caution or Danger.")
    field: str
    recommended: int | None
    sentence: Words


class PolicyAdviceView(View):
    """What the history of one category under one policy spoke for when the report was made."""

    id: int
    policy_id: Hash
    category: str | None = Field(description="Null: orders that were not sold through a listing of the service.")
    made_at: ChainSeconds
    orders: int = Field(description="That had ended, and were looked at.")
    enough: bool = Field(description="Whether the history says more than the simulation's own parameters do.")
    price_fen: int = Field(description="Of the median order, 1/100 yuan.")
    price_known: bool = Field(description="False: nobody said what its token is worth, and 100 yuan were assumed.")
    replays: int
    seed: int
    basis: Words
    verdict: Words
    changes: list[PolicyChangeView] = Field(description="What is advised; none: keep the policy.")
    effects: list[PolicyEffectView] = Field(description="Of all these changes together.")
    advised: PolicyNumbersView | None = Field(description="With these changes; null: nothing is surely better.")
    warnings: list[PolicyCautionView] = Field(description="That the advised policy would bring.")
    now: MeasuresView
    tried: list[TriedChangeView] = Field(description="Single changes, the best first.")
    review_by: ChainSeconds = Field(description="By when the policy's review was due when the report was made.")
    next_review_days: int = Field(description="When to look again.")


class PolicyAdvicesView(View):
    """A page of a platform's reports, the latest first."""

    platform: Address
    reports: list[PolicyAdviceView]
    before: int | None = Field(description="For the next page; null: this is the last.")
