"""How a platform's people behave, as far as the history of its own orders shows it.

What a history shows directly is fitted: delays by maximum likelihood (those that a clock cut off count as cut off, and
some people never act), shares as they were. Either leans on the parameters' own numbers where there are few orders, as
if those had been seen PRIOR_WEIGHT times. What no history under one policy can show, such as whether bonds would have
kept cheats away, is taken from the parameters.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from statistics import NormalDist, fmean, pstdev
from typing import Any

from kameng_escrow.domain.categories import Category
from kameng_escrow.domain.incentives import Incentives
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import NO_CANCEL, ZERO_ADDRESS, Policy
from kameng_escrow.domain.states import Fault, Outcome

from .parameters import (
    BuyerKind,
    CategoryKind,
    Delay,
    MediatorKind,
    Parameters,
    PlatformKind,
    PolicyChanges,
    SellerKind,
)

PRIOR_WEIGHT = 20  # orders that the parameters' own numbers count for
GOODS = Category.Other.value  # the one category of a fitted market
OWN = "own"  # its platform
FITTED = "fitted"  # its kinds of people
_NEVER = 1_000_000.0  # minutes: two years
_BINS_PER_E = 20  # bins of a factor e that delays are counted in
_PLENTY_FEN = 10**9
_STANDARD = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When something happens, if it ever does."""

    delay: Delay
    never: float  # the part of people who don't


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted market, and what went into it."""

    parameters: Parameters
    orders: int  # that were looked at
    accept: Timing
    deliver: Timing
    speak: Timing  # buyers, after the delivery: confirm or dispute
    shares: Mapping[str, float]  # by what they are of


def fit(history: Sequence[Order], policy: Policy, priors: Parameters, *, price_fen: int) -> Fit:
    """A market like the one that made these closed orders, all under rules like `policy`'s.

    `price_fen`: what the median order of the history costs, in fen (1/100 yuan).
    """
    buyer, seller, mediator = _average_buyer(priors), _average_seller(priors), _average_mediator(priors)
    waits = [one for one in history if one.accepted_at != one.opened_at]
    accepted = [one for one in history if one.accepted_at is not None]
    delivered = [one for one in history if one.delivered_at is not None]
    disputed = [one for one in history if one.disputed_at is not None]
    accept = _timing(
        waits,
        lambda one: one.opened_at,
        lambda one: one.accepted_at,
        seller.accept,
        seller.ignores,
        policy.accept_window,
    )
    deliver = _timing(
        accepted,
        lambda one: one.accepted_at,
        lambda one: one.delivered_at,
        seller.deliver,
        seller.out_of_stock,
        policy.deliver_window,
    )
    silent = 1 - buyer.confirms
    speak = _timing(delivered, lambda one: one.delivered_at, _spoke_at, buyer.look, silent, policy.inspect_window)
    counts = _counts(len(history) - len(waits), accepted, disputed)
    share = _shares(counts, len(history), len(delivered), buyer, seller, mediator)
    regret = _regrets(history, policy, buyer)
    fitted_seller = replace(
        seller,
        share=1.0,
        offers=share["offers"],
        machine=1.0,
        accept=_unhurried(accept.delay, policy.accept_window, priors),
        deliver=_unhurried(deliver.delay, policy.deliver_window, priors),
        slow_factor=1.0,
        ignores=accept.never,
        out_of_stock=deliver.never,
        oversells=1.0,
        finds_late=0.0,
        says_so=share["says_so"],
        **_tempting(share["bad"], policy, price_fen, seller, "bad", lambda one: one.gain_of_garbage > 0),
        dies=0.0,
        owns_up=share["owns_up"],
        refunds_bad=share["gives_in"],
        concedes=share["concedes"],
        capital_fen=_PLENTY_FEN,
        vanishes=0.0,
    )
    fitted_buyer = replace(
        buyer,
        share=1.0,
        look=speak.delay,
        never_looks=0.0,
        confirms=1 - speak.never,
        patience=Delay(_NEVER, 0.0),
        waits=Delay(_NEVER, 0.0),
        regrets=1 - regret.never,
        regret=regret.delay,
        **_tempting(share["lies"], policy, price_fen, buyer, "false", lambda one: one.gain_of_false_dispute > 0),
    )
    parameters = _market_of(
        priors,
        policy,
        buyer=fitted_buyer,
        seller=fitted_seller,
        mediator=replace(mediator, silent=share["silent"], rules=_ruling(disputed, policy, mediator)),
        goods=_goods(history, price_fen),
    )
    return Fit(parameters=parameters, orders=len(history), accept=accept, deliver=deliver, speak=speak, shares=share)


# ------------------------------------------------------------------------------------------------------------- shares


def _counts(offered: int, accepted: Sequence[Order], disputed: Sequence[Order]) -> Counter[str]:
    counts: Counter[str] = Counter(offers=offered)
    failed = [one for one in accepted if one.delivered_at is None and one.fault is Fault.Seller]
    counts["failed"] = len(failed)
    counts["says_so"] = sum(one.outcome is Outcome.Declined for one in failed)
    counts["owns_up"] = sum(one.outcome is Outcome.Refunded and one.disputed_at is None for one in accepted)
    for one in disputed:
        by_seller = one.fault is Fault.Seller
        counts["sellers_fault"] += by_seller
        counts["buyers_fault"] += one.fault is Fault.Buyer or one.outcome is Outcome.Confirmed
        counts["gives_in"] += one.outcome is Outcome.Refunded
        counts["concedes"] += one.outcome is Outcome.Conceded and by_seller
        counts["mediated"] += one.outcome in (Outcome.Ruled, Outcome.Defaulted)
        counts["silent"] += one.outcome is Outcome.Defaulted
    return counts


def _shares(
    counts: Counter[str],
    orders: int,
    delivered: int,
    buyer: BuyerKind,
    seller: SellerKind,
    mediator: MediatorKind,
) -> dict[str, float]:
    noticed = buyer.notices * buyer.disputes_bad  # of bad deliveries, that are ever disputed
    bad = counts["sellers_fault"] / noticed + counts["owns_up"]
    return {
        "offers": _share(counts["offers"], orders, seller.offers),
        "says_so": _share(counts["says_so"], counts["failed"], seller.says_so),
        "bad": min(1.0, _share(bad, delivered, (seller.bad_tempted + seller.bad_untempted) / 2)),
        "lies": _share(counts["buyers_fault"], delivered, (buyer.false_tempted + buyer.false_untempted) / 2),
        "owns_up": _share(counts["owns_up"], round(bad), seller.owns_up),
        "gives_in": _share(counts["gives_in"], counts["sellers_fault"], seller.refunds_bad),
        "concedes": _share(counts["concedes"], counts["sellers_fault"], seller.concedes),
        "silent": _share(counts["silent"], counts["mediated"], mediator.silent),
    }


def _share(count: float, among: int, prior: float) -> float:
    """The part, leaning on the prior as far as few were seen."""
    return (count + PRIOR_WEIGHT * prior) / (max(among, count) + PRIOR_WEIGHT)


def _tempting(
    share: float, policy: Policy, price_fen: int, prior: Any, name: str, pays: Callable[[Incentives], bool]
) -> dict[str, Any]:
    """A share that is known under the policy, and what it would be where lying pays, or does not, by the priors' ratio
    of the two."""
    tempted, untempted = getattr(prior, f"{name}_tempted"), getattr(prior, f"{name}_untempted")
    ratio = untempted / tempted if tempted else 1.0
    if pays(Incentives(policy, price_fen)):
        return {f"{name}_tempted": share, f"{name}_untempted": min(1.0, share * ratio)}
    return {f"{name}_untempted": share, f"{name}_tempted": min(1.0, share / ratio) if ratio else share}


# ------------------------------------------------------------------------------------------------------------- delays


def _timing(
    orders: Iterable[Order],
    since: Callable[[Order], int | None],
    until: Callable[[Order], int | None],
    prior: Delay,
    never: float,
    window: int,
) -> Timing:
    happened, cut = [], []
    for one in orders:
        start, end = since(one), until(one)
        if start is None:
            continue
        if end is not None:
            happened.append((end - start) / 60)
        elif one.closed_at is not None:
            cut.append(min(one.closed_at - start, window) / 60)
    return fit_timing(happened, cut, prior, never)


def fit_timing(happened: Sequence[float], cut: Sequence[float], prior: Delay, never: float) -> Timing:
    """The log-normal delay, and the part that never comes, that fit best.

    Args:
        happened: how long it took where it happened, minutes.
        cut: how long it had not happened, where something else ended the waiting; minutes.
        prior, never: what is taken to be without any order.
    """
    logs = [log(max(one, 0.25)) for one in happened]
    count, total, squares = len(logs), sum(logs), sum(one * one for one in logs)
    unseen = _binned(cut)
    centre = log(prior.median)
    means = sorted({centre, *(low / 4 for low in range(-8, 41))})
    spreads = sorted({prior.spread, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.6, 2.0})
    parts = sorted({never, 0.002, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9})
    parts = [min(max(part, 0.001), 0.999) for part in parts]
    best: tuple[float, float, float, float] | None = None
    for mean in means:
        for spread in spreads:
            width = max(spread, 0.05)
            # The density of all that happened needs no more than how many, their sum and their squares.
            early = -count * log(width) - (squares - 2 * mean * total + count * mean * mean) / width**2 / 2
            lasting = [(1 - _STANDARD.cdf((at - mean) / width), many) for at, many in unseen]
            # The prior counts for PRIOR_WEIGHT orders: normal for mean and spread, a beta for the part.
            off = ((mean - centre) / max(prior.spread, 0.3)) ** 2 / 4 + (spread - prior.spread) ** 2
            lean = PRIOR_WEIGHT / 2 * off
            for part in parts:
                fits = early + count * log(1 - part) - lean
                fits += sum(many * log(part + (1 - part) * survives) for survives, many in lasting)
                fits += PRIOR_WEIGHT * (never * log(part) + (1 - never) * log(1 - part))
                if best is None or fits > best[0]:
                    best = (fits, mean, spread, part)
    assert best is not None  # there are always some to try
    _, mean, spread, part = best
    return Timing(delay=Delay(median=max(0.02, exp(mean)), spread=spread), never=part)


def _binned(minutes: Sequence[float]) -> list[tuple[float, int]]:
    """The logarithms of delays, in fine bins: some dozens instead of thousands."""
    counts = Counter(round(_BINS_PER_E * log(max(one, 0.25))) for one in minutes)
    return [(place / _BINS_PER_E, count) for place, count in counts.items()]


def _unhurried(delay: Delay, window: int, priors: Parameters) -> Delay:
    """What people take when no clock hurries them, of what they took under this window: see `people._hurry`."""
    habits, pace = priors.everybody, window / 60 / priors.everybody.hurry_from
    if delay.median <= pace or habits.hurry >= 1:
        return delay
    slower = (delay.median / pace**habits.hurry) ** (1 / (1 - habits.hurry))
    return Delay(median=min(slower, 10 * delay.median), spread=delay.spread)


def _spoke_at(order: Order) -> int | None:
    if order.disputed_at is not None:
        return order.disputed_at
    return order.closed_at if order.outcome is Outcome.Confirmed else None


def _regrets(history: Sequence[Order], policy: Policy, buyer: BuyerKind) -> Timing:
    """Buyers who change their mind: while nobody has accepted, and later where the policy lets them."""
    happened, cut = [], []
    for one in history:
        if one.opened_at is None or one.closed_at is None:
            continue
        end = one.delivered_at if policy.cancel_fee_bps != NO_CANCEL else one.accepted_at
        if one.outcome is Outcome.Cancelled:
            happened.append((one.closed_at - one.opened_at) / 60)
        else:
            cut.append(((end or one.closed_at) - one.opened_at) / 60)
    cut = [one for one in cut if one > 0]  # accepted beforehand: there was no time to
    return fit_timing(happened, cut, buyer.regret, 1 - buyer.regrets)


def _ruling(disputed: Sequence[Order], policy: Policy, mediator: MediatorKind) -> Delay:
    took = [
        (one.closed_at - one.disputed_at - policy.negotiate_window) / 60
        for one in disputed
        if one.outcome is Outcome.Ruled and one.closed_at and one.disputed_at
    ]
    took = [one for one in took if one > 0]
    return fit_timing(took, [], mediator.rules, 0.001).delay if took else mediator.rules


# -------------------------------------------------------------------------------------------------------- the market


def _goods(history: Sequence[Order], price_fen: int) -> CategoryKind:
    prices = [one.terms.price / one.terms.units for one in history if one.terms]
    units = [one.terms.units for one in history if one.terms]
    return CategoryKind(
        share=1.0,
        price_fen=max(10, price_fen),
        price_spread=min(2.0, pstdev([log(max(one, 1)) for one in prices])) if len(prices) > 1 else 0.5,
        several=fmean(one > 1 for one in units) if units else 0.0,
        most_units=max(units, default=1),
        instant=True,  # whatever the goods are, the fitted delay is theirs
        bad_factor=1.0,
    )


def _market_of(
    priors: Parameters,
    policy: Policy,
    *,
    buyer: BuyerKind,
    seller: SellerKind,
    mediator: MediatorKind,
    goods: CategoryKind,
) -> Parameters:
    """One platform with one kind of goods; its weather is in the fitted delays, and there are no attacks."""
    trouble = priors.trouble
    none = 0.0
    seated = FITTED if policy.mediator != ZERO_ADDRESS else ""
    backup = FITTED if policy.backup_mediator != ZERO_ADDRESS else ""
    return replace(
        priors,
        market=replace(priors.market, days=30.0, native_share=0.0, banned_after=10**7),
        promotion=replace(priors.promotion, demand=1.0, out_of_stock=1.0),
        shock=replace(priors.shock, per_30_days=none),
        trouble=replace(
            trouble,
            shop_outage=replace(trouble.shop_outage, per_30_days=none),
            payment=replace(trouble.payment, late_share=none, lost_share=none),
            gas_spike=replace(trouble.gas_spike, per_30_days=none),
            node=replace(trouble.node, per_30_days=none),
        ),
        categories={GOODS: goods},
        buyers={FITTED: buyer},
        sellers={FITTED: seller},
        mediators={FITTED: mediator},
        platforms={
            OWN: PlatformKind(
                share=1.0,
                mediator=seated,
                backup=backup,
                intervenes=none,
                checks=Delay(_NEVER, 0.0),
                policy=PolicyChanges(),
            )
        },
        attacks={},
    )


def _average_buyer(priors: Parameters) -> BuyerKind:
    return BuyerKind(**_average(priors.buyers))


def _average_seller(priors: Parameters) -> SellerKind:
    return SellerKind(**_average(priors.sellers))


def _average_mediator(priors: Parameters) -> MediatorKind:
    return MediatorKind(**_average(priors.mediators))


def _average(kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Of everybody, by the shares of the kinds."""
    whole = sum(kind.share for kind in kinds.values())
    averaged: dict[str, Any] = {}
    for name in type(next(iter(kinds.values()))).__dataclass_fields__:
        values = [(getattr(kind, name), kind.share / whole) for kind in kinds.values()]
        if isinstance(values[0][0], Delay):
            medians = sum(part * log(one.median) for one, part in values)
            spread = sum(part * one.spread for one, part in values)
            averaged[name] = Delay(median=exp(medians), spread=spread)
        elif isinstance(values[0][0], int) and name == "capital_fen":
            averaged[name] = round(sum(part * one for one, part in values))
        else:
            averaged[name] = sum(part * one for one, part in values)
    return averaged
