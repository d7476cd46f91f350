"""Champion and challenger: a new model takes over only where it was better on orders that neither had seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .endings import BAD, Ending
from .scoring import Example, OrderModel, drift

WINDOW: Final = 0.2  # of the examples: the last ones, on which both are tried
LEAST: Final = 100  # examples in it
MARGIN: Final = 0.002  # nats by which a challenger must surprise less
MOST: Final = 60_000  # examples that are learnt from: the last ones


@dataclass(frozen=True)
class Contest:
    """What came of a retraining."""

    model: OrderModel | None  # that is to score from now on
    new: bool  # it is another than before
    facts: dict[str, Any]  # what is kept of it, and shown


def contend(champion: OrderModel | None, examples: Sequence[Example], *, threads: int = 1) -> Contest:
    """Trains a challenger and tries it against the champion on the last of what has ended; takes whom to go on with.

    `threads`: at most so many.
    """
    ended = sorted(examples, key=lambda one: one.closed_at)[-MOST:]
    cut = int(len(ended) * (1 - WINDOW))
    if champion is None:
        made = OrderModel.fit(ended, threads=threads)
        facts = {} if made is None else {"kept_loss": made.model.kept_loss, **_facts(made, ended)}
        return Contest(made, made is not None, facts)
    until = max(champion.trained_until, ended[cut].closed_at if ended else 0)
    window = [one for one in ended if one.snapshot.at > until]
    if len(window) < LEAST:
        return Contest(champion, False, {})
    challenger = OrderModel.fit([one for one in ended if one.closed_at <= until], threads=threads)
    losses = {"champion_loss": surprise(champion, window)}
    watch = {
        "window": len(window),
        "calibration_gap": calibration_gap(champion, window),
        "drift": {name: round(value, 4) for name, value in _largest(champion, window)},
    }
    if challenger is None:
        return Contest(champion, False, {**losses, **watch})
    losses["challenger_loss"] = surprise(challenger, window)
    if losses["challenger_loss"] > losses["champion_loss"] - MARGIN:
        return Contest(champion, False, {**losses, **watch})
    made = OrderModel.fit(ended, threads=threads) or challenger  # once more, from all
    return Contest(made, True, {**losses, **watch, **_facts(made, ended)})


def surprise(model: OrderModel, examples: Sequence[Example]) -> float:
    """The mean of how much examples surprise a model, in nats."""
    said = model.score([one.snapshot for one in examples])
    total = 0.0
    for score, one in zip(said, examples, strict=True):
        likely = 1 - score.bad if one.ending is Ending.Well else float(getattr(score, one.ending.value))
        total -= float(np.log(max(likely, 1e-4)))
    return total / len(examples)


def calibration_gap(model: OrderModel, examples: Sequence[Example]) -> float:
    """What the model said on average, less what came: above zero it feared too much."""
    said = sum(one.bad for one in model.score([one.snapshot for one in examples])) / len(examples)
    return round(said - sum(one.ending in BAD for one in examples) / len(examples), 4)


def _largest(model: OrderModel, window: Sequence[Example]) -> list[tuple[str, float]]:
    found = drift(model, [one.snapshot for one in window])
    return sorted(found.items(), key=lambda one: -one[1])[:5]


def _facts(model: OrderModel, examples: Sequence[Example]) -> dict[str, Any]:
    return {
        "examples": len(examples),
        "trained_until": model.trained_until,
        "calibration": model.model.calibration,
        "weights": model.model.weights,
    }
