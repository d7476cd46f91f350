"""Which platforms have a past here: orders that ended well, and some time ago."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kameng_escrow.domain.states import Outcome
from kameng_escrow.store.journal_models import IntentRow
from kameng_escrow.store.keeping import Stage
from kameng_escrow.store.models import OrderRow, PolicyRow
from kameng_escrow.store.relaying import RelayStage

from .relays import RelayBudgetRow, RelayIntentRow, RelayRow

PAID = (Outcome.Confirmed, Outcome.Released)  # the seller has the whole price, and nobody disputed


def has_past(session: Session, contract_id: int, platform: str, *, orders: int, before: int) -> bool:
    """Whether at least so many orders under the platform's policies ended paid before then (Unix seconds), each with
    another buyer; or whoever runs this gave the platform a sum of its own, which says the same.
    """
    if session.get(RelayBudgetRow, (contract_id, platform)) is not None:
        return True
    of_platform = (PolicyRow.contract_id == OrderRow.contract_id) & (PolicyRow.policy_id == OrderRow.policy_id)
    buyers = (
        select(OrderRow.buyer)
        .join(PolicyRow, of_platform)
        .where(
            OrderRow.contract_id == contract_id,
            PolicyRow.platform == platform,
            OrderRow.outcome.in_(PAID),
            OrderRow.closed_at < before,
        )
        .distinct()
        .limit(orders)
    )
    return len(session.execute(buyers).all()) >= orders


def newcomers(session: Session, contract_id: int, *, since_ms: int, orders: int, before: int) -> Sequence[str]:
    """The platforms without a past whose relays wait, are under way, or have cost something since then."""
    lately = (
        select(RelayRow.platform)
        .outerjoin(RelayIntentRow, RelayIntentRow.relay_id == RelayRow.id)
        .outerjoin(IntentRow, IntentRow.id == RelayIntentRow.intent_id)
        .where(
            RelayRow.contract_id == contract_id,
            or_(
                RelayRow.stage == RelayStage.Accepted,
                IntentRow.stage == Stage.Live,
                IntentRow.mined_ms >= since_ms,
            ),
        )
        .distinct()
    )
    found = sorted(session.scalars(lately))
    return [one for one in found if not has_past(session, contract_id, one, orders=orders, before=before)]
