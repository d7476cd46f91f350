"""What an event costs as a store grows: a curve out of samples, and its plot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_STEP = 1.25  # from one point of the curve to the next, in events
_FIRST = 5_000  # events, with which everything has been done once


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a long run: events in the store, then microseconds of time and of the process's own work for each of
    the events since the point before."""

    name: str
    points: tuple[tuple[int, float, float], ...]

    @classmethod
    def of(cls, name: str, samples: Sequence[Mapping[str, Any]]) -> Self:
        """The curve of a run's samples (`bench.mirror_run.Sample`)."""
        points = []
        before = None
        for sample in samples:
            if before is None:
                if sample["events"] >= _FIRST:
                    before = sample
                continue
            more = sample["events"] - before["events"]
            if sample["events"] >= before["events"] * _STEP and more:
                points.append(
                    (
                        sample["events"],
                        1e6 * (sample["seconds"] - before["seconds"]) / more,
                        1e6 * (sample["cpu"] - before["cpu"]) / more,
                    )
                )
                before = sample
        return cls(name, tuple(points))

    def cost_at(self, events: int) -> float | None:
        """Microseconds of time for each event around there; None beyond the run."""
        near = [cost for at, cost, _ in self.points if events / 1.6 <= at <= events * 1.6]
        return sum(near) / len(near) if near and events <= self.points[-1][0] * _STEP else None


def plot(curves: Sequence[Curve], path: Path) -> None:
    """Draws the curves into an SVG file."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "kameng", "font.size": 10}
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for curve in curves:
        events = [at for at, _, _ in curve.points]
        [line] = axes.plot(events, [cost for _, cost, _ in curve.points], marker="o", markersize=3, label=curve.name)
        work = [cpu for _, _, cpu in curve.points]
        axes.plot(
            events, work, linestyle=":", color=line.get_color(), label=f"{curve.name}: work of the mirror's process"
        )
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("events in the store")
    axes.set_ylabel("µs an event")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
