"""What relaying for a platform may cost: its own sum, and for platforms without a past a share of one sum for them all.

A platform is an address, and addresses cost nothing: without the common sum, whoever makes up platforms enough would
spend all that there is, and those who have been here for years would wait.
"""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from kameng_escrow.keeper.rules import DAY_MS
from kameng_escrow.store.relaying import Allowance
from kameng_escrow.store.service import relays
from kameng_escrow.store.service.platforms import Spending, has_past, spending

from .errors import RelayBudgetSpent

PLATFORM_BUDGET: Final = 2 * 10**16  # wei in 24 hours
NEW_BUDGET: Final = 25 * 10**15  # likewise, for all platforms without a past together
SHARES: Final = 5  # of that: no new platform takes more than one of them
PAST_ORDERS: Final = 20  # that ended paid, each with another buyer
ASKED: Final = 100  # platforms whose past is looked at for one relay
PAST_SECONDS: Final = 7 * 24 * 60 * 60  # ago, at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """A sum that a relay is paid from."""

    has: Allowance
    waiting_gas: int  # of what was accepted, is to be paid from it, and is not sent
    together: bool  # whether it is that of all new platforms

    def short(self, cost: int, waiting: int = 0) -> RelayBudgetSpent | None:
        """What to say where `cost` more is too much, beside `waiting` for what was accepted and is not sent; wei."""
        used = self.has.spent + self.has.under_way + waiting
        if self.has.limit is None or used + cost <= self.has.limit:
            return None
        return RelayBudgetSpent(self.has.platform, self.has.limit, used, cost, together=self.together)


def purses_of(
    session: Session, contract_id: int, platform: str, *, each: int | None, new: int | None, now_ms: int
) -> list[Purse]:
    """Every sum that a relay for this platform must find room in.

    Args:
        each: for a platform that has no sum of its own; None: no limit. Wei in 24 hours, as below.
        new: for all platforms without a past together; None: they are as good as any.
    """
    has = relays.allowance(session, contract_id, platform, default=each, now_ms=now_ms)
    costs = spending(session, contract_id, now_ms - DAY_MS)
    own = Purse(has=has, waiting_gas=costs.get(platform, Spending()).waiting_gas, together=False)
    past = {"orders": PAST_ORDERS, "before": now_ms // 1_000 - PAST_SECONDS}
    if new is None or has_past(session, contract_id, platform, **past):
        return [own]
    # Those that cost most are asked about. The rest, of which there are more only where somebody makes them up, count
    # as new: at worst the new ones have a little less.
    dearest = sorted(costs, key=lambda one: (costs[one].total, costs[one].waiting_gas), reverse=True)[:ASKED]
    old = {one for one in dearest if one != platform and has_past(session, contract_id, one, **past)}
    theirs = [cost for one, cost in costs.items() if one not in old]
    share = new // SHARES
    limited = replace(has, limit=share if has.limit is None else min(has.limit, share))
    sums = Allowance(
        platform=platform,
        limit=new,
        spent=sum(one.spent for one in theirs),
        under_way=sum(one.under_way for one in theirs),
    )
    waiting = sum(one.waiting_gas for one in theirs)
    return [replace(own, has=limited), Purse(has=sums, waiting_gas=waiting, together=True)]
