"""The sums of the lifecycle's table, in the table's letters. Kept apart from the package's own arithmetic, so that the
contract is checked against what is written and not against a sibling."""

from dataclasses import dataclass

from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy

BPS = 10_000


@dataclass(frozen=True)
class Sums:
    """Of an order with `k` units in dispute. Base units; every division rounds down."""

    terms: OrderTerms
    policy: Policy
    k: int

    def f(self, x: int) -> int:
        """The platform's fee on x."""
        return x * self.policy.platform_fee_bps // BPS

    @property
    def P(self) -> int:
        """The price."""
        return self.terms.price

    @property
    def B(self) -> int:
        """The seller's bond on the price."""
        return self.P * self.policy.seller_bond_bps // BPS

    @property
    def C(self) -> int:
        """The cancel fee."""
        return self.P * self.policy.cancel_fee_bps // BPS

    @property
    def D(self) -> int:
        """The sum in dispute."""
        return self.P - self.P * (self.terms.units - self.k) // self.terms.units

    @property
    def U(self) -> int:
        """What is not in dispute."""
        return self.P - self.D

    @property
    def b(self) -> int:
        """The seller's bond on the sum in dispute."""
        return self.D * self.policy.seller_bond_bps // BPS

    @property
    def E(self) -> int:
        """The buyer's dispute bond."""
        return self.D * self.policy.dispute_bond_bps // BPS

    @property
    def M(self) -> int:
        """The mediation fee."""
        return self.D * self.policy.mediation_fee_bps // BPS

    @property
    def Q(self) -> int:
        """What a ruling divides."""
        return self.D + self.E + self.b - self.M

    def S(self, r: int) -> int:
        """The seller's part of Q, its bond included, where r is awarded to the buyer."""
        return self.Q * (self.D - r) // self.D

    @property
    def s(self) -> int:
        """What the seller gets when nobody rules."""
        return self.D * (BPS - self.policy.silence_share_bps) // BPS
