"""What each move pays each side, by backward induction, so that a policy can be judged by whom it tempts.

One order is looked at alone, all of it in dispute, and every payoff is a part of its price: nobody's reputation counts,
bonds carry the honesty. Good codes are worth the price to the buyer, who has them either way; bad ones nothing. So the
buyer's payoffs are money from the delivery on, and the seller's money from the acceptance on, less what the codes cost.

    seller   deliver good codes · deliver garbage · decline · vanish
    buyer    (sees which) confirm · stay silent · dispute
    seller   (disputed) refund · stand
    buyer    (the seller stands) confirm, which takes the dispute back · fight
    mediator (they fight) rules, mostly rightly · is silent, and the policy's split is paid

Whoever moves takes what pays more, and rests in doubt: a dispute, a lie or a fight must pay more than nothing.
"""

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from .policy import ZERO_ADDRESS, Policy
from .shares import BPS

ZERO = Fraction(0)


class Goods(Enum):
    """What was delivered."""

    Good = "good"
    Bad = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How people are taken to behave, and what things cost."""

    mediator_right: Fraction  # of rulings
    mediator_silent: Fraction  # of disputes that reach the mediators
    buyer_attentive: Fraction  # look at what was delivered within the inspect window
    seller_late: Fraction  # of an honest seller's orders miss the deliver window, at worst
    low_margin: Fraction  # a seller's, of the price; the leanest
    high_margin: Fraction  # the fattest
    effort: int  # what going through mediation costs a party in time, in fen (1/100 yuan)


STATED = World(
    mediator_right=Fraction(95, 100),
    mediator_silent=Fraction(5, 100),
    buyer_attentive=Fraction(95, 100),
    seller_late=Fraction(5, 100),
    low_margin=Fraction(2, 100),
    high_margin=Fraction(5, 100),
    effort=100,
)
"""What a policy must stand in any case."""

STRAINED = World(
    mediator_right=Fraction(90, 100),
    mediator_silent=Fraction(10, 100),
    buyer_attentive=Fraction(95, 100),
    seller_late=Fraction(5, 100),
    low_margin=Fraction(2, 100),
    high_margin=Fraction(5, 100),
    effort=100,
)
"""Mediators fail twice as often: what a policy should stand where the sums are worth a fight."""


@dataclass(frozen=True, slots=True)
class Incentives:
    """The payoffs of every move under `policy`, for an order of `price` fen (1/100 yuan), as parts of the price."""

    policy: Policy
    price: int
    world: World = STATED

    # ------------------------------------------------------------------------------------------------- the mediators

    @property
    def silent(self) -> Fraction:
        """How often nobody rules; always, where there is no mediator."""
        return Fraction(1) if self.policy.mediator == ZERO_ADDRESS else self.world.mediator_silent

    @property
    def effort(self) -> Fraction:
        """What fighting costs a party; nothing, where there is nobody to convince."""
        return ZERO if self.policy.mediator == ZERO_ADDRESS else Fraction(self.world.effort, self.price)

    def buyer_wins(self, goods: Goods) -> Fraction:
        """How often a ruling is for the buyer."""
        right = self.world.mediator_right
        return right if goods is Goods.Bad else 1 - right

    @property
    def pot(self) -> Fraction:
        """Q of row 16: what a ruling gives away."""
        return 1 + self._dispute_bond + self._seller_bond - _part(self.policy.mediation_fee_bps)

    # ----------------------------------------------------------------------------------------------------- the buyer

    def buyer_fights(self, goods: Goods) -> Fraction:
        """Rows 16 and 17, less the dispute bond and the effort."""
        ruled = self.buyer_wins(goods) * self.pot
        defaulted = _part(self.policy.silence_share_bps) + self._dispute_bond
        return (1 - self.silent) * ruled + self.silent * defaulted - self._dispute_bond - self.effort

    def buyer_disputes(self, goods: Goods) -> Fraction:
        """What a dispute is worth to the buyer, the seller's best answer considered."""
        if self.seller_refunds(goods):
            return 1 + self._seller_bond / 2
        return max(self.buyer_fights(goods), self.buyer_confirms())

    @staticmethod
    def buyer_confirms() -> Fraction:
        """Rows 11 and 15; as much as silence."""
        return ZERO

    # ---------------------------------------------------------------------------------------------------- the seller

    def seller_fights(self, goods: Goods) -> Fraction:
        """Rows 16 and 17, less the seller's own bond and the effort."""
        ruled = (1 - self.buyer_wins(goods)) * (self.pot - self._platform_fee)
        defaulted = 1 - _part(self.policy.silence_share_bps) + self._seller_bond
        return (1 - self.silent) * ruled + self.silent * defaulted - self._seller_bond - self.effort

    def seller_stands(self, goods: Goods) -> Fraction:
        """What not refunding a dispute is worth: the fight, or the price if the buyer would rather take it back."""
        if self.buyer_fights(goods) > self.buyer_confirms():
            return self.seller_fights(goods)
        return self.seller_is_paid

    def seller_refunds(self, goods: Goods) -> bool:
        """Whether refunding a dispute is the seller's best answer."""
        return self.seller_gives_up > self.seller_stands(goods)

    @property
    def seller_gives_up(self) -> Fraction:
        """Rows 8, 12 and 14: half the bond is gone."""
        return -self._seller_bond / 2

    @property
    def seller_vanishes(self) -> Fraction:
        """Row 10: the bond is gone."""
        return -self._seller_bond

    @property
    def seller_is_paid(self) -> Fraction:
        """Row 11: the price less the fee."""
        return 1 - self._platform_fee

    def seller_delivers(self, margin: Fraction) -> Fraction:
        """What good codes earn at this margin."""
        return margin - self._platform_fee

    @property
    def seller_cheats(self) -> Fraction:
        """What garbage earns: inattentive buyers pay for it, the others dispute if that is worth it to them."""
        disputed = self.seller_is_paid
        if self.buyer_disputes(Goods.Bad) > self.buyer_confirms():
            disputed = max(self.seller_gives_up, self.seller_stands(Goods.Bad))
        attentive = self.world.buyer_attentive
        return (1 - attentive) * self.seller_is_paid + attentive * disputed

    # --------------------------------------------------------------------------------------------------- temptations

    @property
    def gain_of_garbage(self) -> Fraction:
        """What a seller of the leanest margin gains by delivering garbage; not positive where honesty pays."""
        return self.seller_cheats - self.seller_delivers(self.world.low_margin)

    @property
    def gain_of_false_dispute(self) -> Fraction:
        """What a buyer with good codes gains by disputing; not positive where honesty pays."""
        return self.buyer_disputes(Goods.Good) - self.buyer_confirms()

    @property
    def gain_of_stubbornness(self) -> Fraction:
        """What a seller of garbage gains by fighting rather than refunding; not positive where giving in pays."""
        return self.seller_fights(Goods.Bad) - self.seller_gives_up

    @property
    def gain_of_an_honest_claim(self) -> Fraction:
        """What a buyer with bad codes gains by disputing; not positive where nobody would bother."""
        return self.buyer_disputes(Goods.Bad) - self.buyer_confirms()

    @property
    def break_even_attention(self) -> Fraction:
        """The part of buyers that must look in time for garbage not to pay; 1 where no number is enough."""
        caught = max(self.seller_gives_up, self.seller_stands(Goods.Bad))
        saved = self.seller_is_paid - self.seller_delivers(self.world.low_margin)
        return min(Fraction(1), saved / (self.seller_is_paid - caught)) if caught < self.seller_is_paid else Fraction(1)

    @property
    def break_even_doubt(self) -> Fraction:
        """How sure of a bad code a buyer must be for a dispute to be worth its bond; 1 where it never is."""
        lost, won = self.buyer_fights(Goods.Good), self.buyer_fights(Goods.Bad)
        return min(Fraction(1), max(ZERO, -lost / (won - lost))) if won > lost else Fraction(1)

    # ------------------------------------------------------------------------------------------------------- numbers

    @property
    def _platform_fee(self) -> Fraction:
        return _part(self.policy.platform_fee_bps)

    @property
    def _seller_bond(self) -> Fraction:
        return _part(self.policy.seller_bond_bps)

    @property
    def _dispute_bond(self) -> Fraction:
        return _part(self.policy.dispute_bond_bps)


def _part(bps: int) -> Fraction:
    return Fraction(bps, BPS)
