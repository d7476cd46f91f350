"""Which platforms have a past here: orders that ended well, and some time ago."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kameng_escrow.domain.states import Outcome
from kameng_escrow.store.journal_models import IntentRow, TransactionRow
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


@dataclass(slots=True)
class Spending:
    """What the relays of one platform cost. Wei."""

    spent: int = 0  # by mined transactions, in the time that was asked for
    under_way: int = 0  # the most that what is sent and not mined may cost
    waiting_gas: int = 0  # of what was accepted and is not sent; gas, not wei

    @property
    def total(self) -> int:
        return self.spent + self.under_way


def spending(session: Session, contract_id: int, since_ms: int) -> dict[str, Spending]:
    """What relaying cost since then, and may cost, by platform: in as many questions whether there are two platforms or
    ten thousand.
    """
    found: defaultdict[str, Spending] = defaultdict(Spending)
    carried = (
        RelayIntentRow.intent_id == IntentRow.id,
        RelayRow.id == RelayIntentRow.relay_id,
        RelayRow.contract_id == contract_id,
    )
    for platform, cost in session.execute(
        select(RelayRow.platform, IntentRow.cost).where(*carried, IntentRow.mined_ms >= since_ms)
    ):
        found[platform].spent += cost or 0
    sent = select(RelayRow.platform, TransactionRow.intent_id, TransactionRow.gas, TransactionRow.highest_fee)
    dearest: dict[tuple[str, int], int] = {}
    for platform, intent_id, gas, fee in session.execute(
        sent.where(*carried, TransactionRow.intent_id == IntentRow.id, IntentRow.stage == Stage.Live)
    ):
        dearest[platform, intent_id] = max(gas * fee, dearest.get((platform, intent_id), 0))
    for (platform, _), cost in dearest.items():  # only one of an intent's transactions is ever mined
        found[platform].under_way += cost
    waiting = (
        select(RelayRow.platform, func.sum(RelayRow.gas))
        .where(RelayRow.contract_id == contract_id, RelayRow.stage == RelayStage.Accepted)
        .group_by(RelayRow.platform)
    )
    for platform, gas in session.execute(waiting):
        found[platform].waiting_gas += int(gas)
    return dict(found)
