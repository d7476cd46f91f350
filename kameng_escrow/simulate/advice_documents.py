"""Advice as JSON: for machines, and as the service shows it to a platform."""

from dataclasses import asdict
from typing import Any

from kameng_escrow.domain.labels import Label
from kameng_escrow.domain.policy_warnings import PolicyWarning

from .advice import Advice, Effect
from .advice_words import MEASURES, basis_text, change_text, interval_text, numbers_text, verdict_text
from .candidates import Change
from .replays import NUMBERS, Interval


def advice_json(advice: Advice) -> dict[str, Any]:
    """All that was found, without words. Amounts in fen, times as the names say."""
    return {
        "orders": advice.orders,
        "enough": advice.enough,
        "replays": advice.replays,
        "seed": advice.seed,
        "fitted": {
            "accept": asdict(advice.fit.accept),
            "deliver": asdict(advice.fit.deliver),
            "speak": asdict(advice.fit.speak),
            "shares": dict(advice.fit.shares),
        },
        "now": asdict(advice.now),
        "tried": [_effect(one) for one in advice.tried],
        "effect": None if advice.effect is None else _effect(advice.effect),
        "next_review_days": advice.review_days,
    }


def report_json(advice: Advice, *, price_known: bool, review_by: int) -> dict[str, Any]:
    """A report for people, in both languages.

    Args:
        price_known: whether the median order's price was known, and not merely assumed.
        review_by: the Unix second by which the policy's review is due.
    """
    effect = advice.effect
    return {
        "orders": advice.orders,
        "enough": advice.enough,
        "price_fen": advice.price_fen,
        "price_known": price_known,
        "replays": advice.replays,
        "seed": advice.seed,
        "basis": _words(basis_text(advice)),
        "verdict": _words(verdict_text(advice)),
        "changes": [] if effect is None else [_change(one, change_text(one)) for one in effect.changes],
        "effects": [] if effect is None else _effects(effect),
        "advised": None if effect is None else {name: getattr(advice.advised, name) for name in NUMBERS},
        "warnings": [_warning(one) for one in advice.warnings],
        "now": {name: round(value, 4) for name, value in asdict(advice.now).items()},
        "tried": [
            {
                **_change(one.changes[0], numbers_text(one.changes[0])),
                "cost_fen": _interval(one.differences["cost_fen"]),
                "better": one.better,
            }
            for one in advice.tried
        ],
        "review_by": review_by,
        "next_review_days": advice.review_days,
    }


def _effect(one: Effect) -> dict[str, Any]:
    return {
        "changes": [asdict(change) for change in one.changes],
        "differences": {name: asdict(interval) for name, interval in one.differences.items()},
        "better": one.better,
    }


def _effects(effect: Effect) -> list[dict[str, Any]]:
    return [
        {
            "measure": key,
            "name": _words(name),
            "sentence": _words(interval_text(effect.differences[key], scale, unit)),
            **_interval(effect.differences[key]),
        }
        for key, name, scale, unit in MEASURES
    ]


def _change(change: Change, sentence: Label) -> dict[str, Any]:
    return {**asdict(change), "sentence": _words(sentence)}


def _interval(interval: Interval) -> dict[str, float]:
    return {name: round(value, 4) for name, value in asdict(interval).items()}


def _warning(found: PolicyWarning) -> dict[str, Any]:
    return {
        "code": found.code,
        "severity": found.severity.name,
        "field": found.field,
        "recommended": found.recommended,
        "sentence": {"zh": found.message_zh, "en": found.message},
    }


def _words(label: Label) -> dict[str, str]:
    return {"zh": label.zh, "en": label.en}
