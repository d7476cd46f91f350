"""`kameng risk evaluate`: how good the model is on a table of anybody's, on rows that it has not seen.

Each split hides a fifth of the rows: the last ones in time, or some at random. The model and the baselines learn from
the rest, and all are asked about the same hidden rows. Nothing that is reported was used to learn or to choose.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .baselines import BASELINES, predict_with, simple_table
from .blending import log_loss
from .columns import texts
from .errors import TableUnusable, TargetUnusable
from .metrics import Reliability, Scores, reliability, scores
from .model import CancellationModel, classes_of, split_target, times_of
from .statistics import Integers
from .threads import at_most

Floats = NDArray[np.float64]

HIDDEN: Final = 0.2  # of the rows
OURS: Final = "kameng"
_SHUFFLED_ROWS: Final = 4_000  # for the importance of columns
_TELLS_ALL: Final = 0.9995  # of the rows whose ending one column gives away
_SHOWN_COLUMNS: Final = 30

Report = Callable[[str, str], None]


@dataclass(frozen=True)
class Importance:
    """What is lost when a column is shuffled."""

    column: str
    log_loss: float  # by how many nats a row it surprises more


@dataclass(frozen=True)
class SplitResult:
    """What came out on one split."""

    split: str  # "time" or "random"
    learnt: int  # rows
    hidden: int
    share_hidden: list[float]  # of each class among the hidden rows
    scores: dict[str, Scores]  # by model: `OURS` and the baselines
    reliability: dict[str, list[Reliability]]  # of the model, by class
    importance: list[Importance]
    weights: dict[str, float]  # of the model's members
    calibration: str
    dropped: list[tuple[str, str, str]]  # column, reason, in Chinese


@dataclass(frozen=True)
class Evaluation:
    """The whole report."""

    target: str
    time: str | None
    classes: list[str]
    rows: int
    left_out: int  # rows without an ending
    columns: dict[str, str]  # kinds of those used, by name
    splits: list[SplitResult]
    warnings: list[tuple[str, str]] = field(default_factory=list)  # in Chinese, in English

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        made = asdict(self)
        made["warnings"] = [{"zh": zh, "en": en} for zh, en in self.warnings]
        for split, found in zip(made["splits"], self.splits, strict=True):
            split["dropped"] = [{"column": name, "en": en, "zh": zh} for name, en, zh in found.dropped]
            split |= margins(found)
            for values in split["scores"].values():
                for name, value in values.items():
                    values[name] = None if value != value else round(value, 6)
        return made


def margins(split: SplitResult) -> dict[str, float | None]:
    """By how much the model beats the best baseline: AUC (more is better) and Brier score (less is better)."""
    others = [split.scores[name] for name in split.scores if name != OURS]
    ours = split.scores[OURS]
    auc = ours.auc - max(one.auc for one in others)
    return {
        "auc_minus_best_baseline": None if auc != auc else round(auc, 6),
        "brier_minus_best_baseline": round(ours.brier - min(one.brier for one in others), 6),
    }


def evaluate(
    table: pd.DataFrame,
    target: str,
    *,
    time: str | None = None,
    splits: Sequence[str] = (),
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    seed: int = 0,
    threads: int | None = None,
    report: Report | None = None,
) -> Evaluation:
    """Fits and compares.

    Args:
        table: a row for each case.
        target: the column that says how it ended.
        time: a column of dates or numbers by which rows came. With it there is a split by time, too.
        splits: "time", "random"; both where there is a time.
        drop: columns that nobody may look at, such as what is written down after the ending.
        keep: columns that are used though they seem to tell the ending itself.
        seed: of the random split and of the model.
        threads: at most so many, of the model and the baselines; None: as many as there are cores.
        report: told what is being done.

    Raises:
        TableUnusable, TargetUnusable: as `CancellationModel.fit`; or a named column is not there.
    """
    frame, endings = split_target(table, target)
    for name in (*drop, *keep):
        if name not in frame.columns:
            raise TableUnusable(f"There is no column {name!r}.", f"没有名为 {name!r} 的列。", column=name)
    frame = frame.drop(columns=list(drop))
    names, classes = classes_of(endings)
    there = classes >= 0
    left_out = int((~there).sum())
    frame, classes = frame[there].reset_index(drop=True), classes[there]
    warnings = []
    if left_out:
        warnings.append((f"{left_out:,} 行没有结局，未用。", f"{left_out:,} rows have no ending and were left out."))
    times = times_of(frame, time) if time is not None else None
    for column in telling(frame, classes):
        if column in keep:
            continue
        frame = frame.drop(columns=[column])
        warnings.append(
            (
                f"{column} 列几乎就是结局本身，多半是事后才写下的：已排除（要保留请用 --keep）。",
                f"The column {column} all but says the ending, and was most likely written after it: left out (--keep "
                "uses it all the same).",
            )
        )
    wanted = tuple(splits) or (("time", "random") if times is not None else ("random",))
    results, kinds = [], {}
    for split in wanted:
        if report is not None:
            report(f"{split}：训练与比较", f"{split}: fitting and comparing")
        learnt, hidden = _divide(split, len(classes), times, seed)
        with at_most(threads):
            result, model = _run(split, frame, classes, names, learnt, hidden, time if split == "time" else None, seed)
        results.append(result)
        kinds = {column.name: column.kind.value for column in model.columns}
        warnings += [note for note in model.notes if note not in warnings]
    return Evaluation(target, time, names, len(classes), left_out, kinds, results, warnings)


def telling(frame: pd.DataFrame, classes: Integers) -> list[str]:
    """Columns of few values each of which has one ending: they say the ending itself."""
    found = []
    most = np.bincount(classes).max() / len(classes)
    for name in frame.columns:
        codes, levels = pd.factorize(texts(frame[name]) if frame[name].dtype == object else frame[name])
        if not 2 <= len(levels) + (codes < 0).any() <= max(30, 3 * (classes.max() + 1)):
            continue
        table = np.zeros((len(levels) + 1, classes.max() + 1))
        np.add.at(table, (codes, classes), 1)  # holes are the last level
        told = table.max(axis=1).sum() / len(classes)
        if told >= _TELLS_ALL and told > most + (1 - most) * 0.98:
            found.append(str(name))
    return found


def _divide(split: str, rows: int, times: Floats | None, seed: int) -> tuple[Integers, Integers]:
    if split == "time":
        if times is None:
            raise TableUnusable(
                "A split by time needs the column that tells the time: name it with --time.",
                "按时间划分需要时间列：请用 --time 指定。",
            )
        order = np.argsort(np.nan_to_num(times, nan=-np.inf), kind="stable")
        cut = _between_instants(times[order], int(rows * (1 - HIDDEN)))
    else:
        order = np.random.default_rng(seed).permutation(rows)
        cut = int(rows * (1 - HIDDEN))
    return order[:cut], order[cut:]


def _between_instants(times: Floats, cut: int) -> int:
    """The nearest place that does not divide rows of one instant, if there is any near."""
    before = int(np.searchsorted(times, times[cut], side="left"))
    after = int(np.searchsorted(times, times[cut], side="right"))
    near = min((before, after), key=lambda place: abs(place - cut))
    return near if 0.5 * len(times) <= near <= 0.95 * len(times) else cut


def _run(
    split: str,
    frame: pd.DataFrame,
    classes: Integers,
    names: list[str],
    learnt: Integers,
    hidden: Integers,
    time: str | None,
    seed: int,
) -> tuple[SplitResult, CancellationModel]:
    known, unseen = frame.iloc[learnt], frame.iloc[hidden]
    seen = np.unique(classes[learnt])
    if len(seen) < len(names):
        lost = ", ".join(name for place, name in enumerate(names) if place not in seen)
        raise TargetUnusable(
            f"Nothing ended as {lost} in the part that is learnt from ({split}).",
            f"用于学习的那部分（{split}）里没有以 {lost} 结束的。",
        )
    model = CancellationModel(seed=seed).fit(
        known, pd.Series(np.array(names, dtype=object)[classes[learnt]]), time=time
    )
    places = [names.index(name) for name in model.classes]  # as it sorts them
    matrix = model.encode(unseen)
    said = np.empty((len(hidden), len(names)))
    said[:, places] = model.predict_matrix(matrix)
    all_said = {OURS: said}
    simple_known, simple_unseen = simple_table(known, model.columns), simple_table(unseen, model.columns)
    for name in BASELINES:
        all_said[name] = predict_with(name, simple_known, classes[learnt], simple_unseen, len(names))
    actual = classes[hidden]
    told = [1] if len(names) == 2 else range(len(names))
    result = SplitResult(
        split=split,
        learnt=len(learnt),
        hidden=len(hidden),
        share_hidden=[float((actual == one).mean()) for one in range(len(names))],
        scores={name: scores(actual, values) for name, values in all_said.items()},
        reliability={names[one]: reliability(actual == one, said[:, one]) for one in told},
        importance=_importance(model, matrix, actual, places, seed),
        weights=model.weights,
        calibration=model.calibration,
        dropped=[(one.name, one.reason, one.reason_zh) for one in model.dropped],
    )
    return result, model


def _importance(
    model: CancellationModel, matrix: Floats, actual: Integers, places: list[int], seed: int
) -> list[Importance]:
    """How much more the hidden rows surprise when one column of the table is shuffled, by falling importance."""
    random = np.random.default_rng(seed)
    rows = random.permutation(len(matrix))[:_SHUFFLED_ROWS]
    matrix, theirs = matrix[rows], np.argsort(places)[actual[rows]]
    base = log_loss(theirs, model.predict_matrix(matrix))
    found = []
    for column in dict.fromkeys(feature.source for feature in model.features):
        at = [place for place, feature in enumerate(model.features) if feature.source == column]
        shuffled = matrix.copy()
        shuffled[:, at] = matrix[random.permutation(len(matrix))][:, at]
        found.append(Importance(column, log_loss(theirs, model.predict_matrix(shuffled)) - base))
    return sorted(found, key=lambda one: -one.log_loss)[:_SHOWN_COLUMNS]
