"""Which risks lead to something, and to what; and whether what was feared came."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from kameng_escrow.domain.policy import Policy
from kameng_escrow.store.service.risk import CAUTION, CAUTION_FROM, CONFIRM_STOCK, MEDIATOR, STRICTER_POLICY

from .chronicle import Finished, Snapshot
from .endings import BAD, Ending, Stage
from .scoring import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From which probability on something is done."""

    confirm_stock: float = 0.25  # that the seller fails, before it has delivered
    caution: float = CAUTION_FROM  # that orders of this seller fail by it, or are disputed
    stricter_policy: float = 0.4  # that an order ends badly, where the platform has a policy with a larger bond
    mediator: float = 0.2  # that a delivered order is disputed


@dataclass(frozen=True, slots=True)
class Alert:
    """A warning to be raised."""

    kind: str
    snapshot: Snapshot
    risk: float
    details: dict[str, str]


FEARED: Final[dict[str, frozenset[Ending]]] = {
    CONFIRM_STOCK: frozenset({Ending.Seller}),
    CAUTION: frozenset({Ending.Seller, Ending.Dispute}),
    STRICTER_POLICY: frozenset(BAD),
    MEDIATOR: frozenset({Ending.Dispute}),
}


def alerts(
    snapshot: Snapshot,
    score: Score,
    thresholds: Thresholds,
    *,
    seller_risk: float,
    policy: Policy | None = None,
    policies: Collection[tuple[str, Policy]] = (),
) -> Iterator[Alert]:
    """What a score leads to.

    Args:
        seller_risk: what buyers were told of the seller when the order was opened.
        policy: the order's.
        policies: the live ones of its platform, by id, of which a stricter one may be proposed.
    """
    stage = snapshot.stage
    at_once = stage is Stage.Accepted and snapshot.values["waited"] == 0.0
    fresh = snapshot.is_new and (stage is Stage.Opened or at_once)
    if snapshot.stage in (Stage.Opened, Stage.Accepted) and score.seller >= thresholds.confirm_stock:
        yield Alert(CONFIRM_STOCK, snapshot, score.seller, {})
    if fresh and seller_risk >= thresholds.caution:
        yield Alert(CAUTION, snapshot, seller_risk, {})
    if fresh and score.bad >= thresholds.stricter_policy and policy is not None:
        stricter = [
            (one.seller_bond_bps, name) for name, one in policies if one.seller_bond_bps > policy.seller_bond_bps
        ]
        if stricter:
            bond, name = min(stricter)
            yield Alert(STRICTER_POLICY, snapshot, score.bad, {"policy_id": name, "seller_bond_bps": str(bond)})
    if snapshot.stage is Stage.Delivered and score.dispute >= thresholds.mediator:
        yield Alert(MEDIATOR, snapshot, score.dispute, {})


def came(finished: Finished) -> dict[str, bool]:
    """For each kind of warning whether what it feared came, of an order that has ended.

    An order that its platform ended tells nothing.
    """
    seen = [ending for stage, ending in finished.endings.items() if stage is not Stage.Disputed and ending is not None]
    return {kind: seen[-1] in feared for kind, feared in FEARED.items()} if seen else {}
