"""Reports of advice in the store: made anew now and then for each platform, and kept with their time, so that reviews
of a policy can be compared.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from kameng_escrow.domain.order import Order
from kameng_escrow.store import Store
from kameng_escrow.store.service import policy_advice as rows
from kameng_escrow.store.service.reputation import last_final

from .advice import ENOUGH, Advice
from .advice_documents import report_json
from .apart import advise_apart
from .parameters import Parameters, load_parameters

_log = logging.getLogger("kameng.risk")

MOST_GROUPS: Final = 20  # of a platform, those with the most orders
HISTORY: Final = 2_000  # the latest orders of a group
USUAL_FEN: Final = 100_00  # what a median order is taken to cost where nobody said what its token is worth

Advising = Callable[..., Advice | None]  # as `advise_apart`


def refresh_advice(
    store: Store,
    contract_id: int,
    *,
    period: int,
    yuan: Mapping[str, int],
    stop: threading.Event | None = None,
    advising: Advising = advise_apart,
) -> int:
    """Makes the reports that are due, one after the other; returns how many.

    A report is due where a category under a policy that takes orders has as many ended orders as advice can rest on,
    and there is none of it yet, or its last one is older than the period and orders have ended since. Each takes a
    quarter of a minute, so this is for a thread of its own.

    Args:
        period: seconds of the chain's clock between reports of the same group.
        yuan: base units that one yuan comes to, by token.
        stop: set: it ends soon, and what is not done is done the next time.

    Raises `StoreError`.
    """
    stop = stop or threading.Event()
    with store.reading() as session:
        groups = rows.ended_groups(session, contract_id, least=ENOUGH)
    made, per_platform, priors = 0, Counter[str](), None
    for group in groups:
        per_platform[group.platform] += 1
        if per_platform[group.platform] > MOST_GROUPS or stop.is_set():
            continue
        now = _due(store, contract_id, group, period)
        if now is not None:
            priors = priors or load_parameters()
            made += _report(store, contract_id, group, now, priors, yuan, stop, advising)
    return made


def _due(store: Store, contract_id: int, group: rows.EndedGroup, period: int) -> int | None:
    """The chain's second, where a report is due."""
    with store.reading() as session:
        as_of = last_final(session, contract_id)
        last = rows.latest_advice(session, contract_id, group)
    if as_of is None:
        return None
    if last is not None and (as_of.timestamp - last.made_at < period or group.until <= last.until):
        return None
    return as_of.timestamp


def _report(
    store: Store,
    contract_id: int,
    group: rows.EndedGroup,
    now: int,
    priors: Parameters,
    yuan: Mapping[str, int],
    stop: threading.Event,
    advising: Advising,
) -> int:
    with store.reading() as session:
        history = rows.ended_orders_of(session, contract_id, group, most=HISTORY)
        policy, review_by = rows.group_policy(session, contract_id, group)
    price = median_fen(history, yuan)
    kind = priors.categories.get(group.category)
    try:
        found = advising(
            stop,
            history,
            policy,
            priors,
            group=group.category or group.policy_id,
            price_fen=USUAL_FEN if price is None else price,
            instant=kind is None or kind.instant,
        )
    except Exception:  # the other groups have theirs all the same
        _log.exception("no advice for %s under %s", group.category or "no category", group.policy_id)
        return 0
    if found is None:
        return 0
    with store.writing() as session:
        session.add(
            rows.PolicyAdviceRow(
                contract_id=contract_id,
                platform=group.platform,
                policy_id=group.policy_id,
                category=group.category,
                made_at=now,
                until=group.until,
                document=report_json(found, price_known=price is not None, review_by=review_by),
            )
        )
    return 1


def median_fen(history: Sequence[Order], yuan: Mapping[str, int]) -> int | None:
    """What the median order costs in fen, of those in the token that most are in; None: nobody said what that is worth.

    `yuan`: base units that one yuan comes to, by token.
    """
    prices: dict[str, list[int]] = {}
    for one in history:
        if one.terms is not None:
            prices.setdefault(one.terms.token, []).append(one.terms.price)
    if not prices:
        return None
    token, found = max(prices.items(), key=lambda item: len(item[1]))
    worth = yuan.get(token)
    if worth is None:
        return None
    ordered = sorted(found)
    # statistics.median would make a float of two in the middle.
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) // 2
    return max(1, middle * 100 // worth)
