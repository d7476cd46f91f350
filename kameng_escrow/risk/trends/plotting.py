"""A series and its outlook as a picture: what was, what is to come, and what changed."""

import warnings
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

_WORDS = {
    "en": {"count": "per day", "rate": "part of orders", "forecast": "forecast, 80 % and 95 %", "change": "changed"},
    "zh": {"count": "每日笔数", "rate": "占订单比例", "forecast": "预测（80% 与 95% 区间）", "change": "变化"},
}


def plot_outlook(document: Mapping[str, Any], path: Path, *, title: str, lang: str = "en") -> None:
    """Draws an outlook (`documents.outlook_json`) into an SVG file. Raises `OSError` where it can't be written."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    words = _WORDS[lang]
    since = date.fromisoformat(document["since"]).toordinal()
    days = [date.fromordinal(since + number) for number in range(len(document["orders"]))]
    ahead = [date.fromisoformat(one["date"]) for one in document["forecast"]]
    rates: list[float] = [
        count / orders if orders else float("nan")
        for count, orders in zip(document["counts"], document["orders"], strict=True)
    ]
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "kameng", "font.family": "sans-serif"}):
        figure = Figure(figsize=(10, 6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        for axes, past, name, prefix in (
            (above, document["counts"], "count", ""),
            (below, rates, "rate", "rate_"),
        ):
            axes.plot(days, past, color="#333333", linewidth=1)
            if ahead:
                for level, alpha in ((95, 0.18), (80, 0.32)):
                    lows, highs = zip(*(one[f"{prefix}within_{level}"] for one in document["forecast"]), strict=True)
                    axes.fill_between(ahead, lows, highs, color="#1f77b4", alpha=alpha, linewidth=0)
                middle = [one["rate" if prefix else "expected"] for one in document["forecast"]]
                axes.plot(ahead, middle, color="#1f77b4", label=words["forecast"])
            for number, change in enumerate(document["changes"]):
                axes.axvline(
                    date.fromisoformat(change["date"]),
                    color="#d62728",
                    linestyle="--",
                    linewidth=1,
                    label=words["change"] if number == 0 else None,
                )
            axes.set_ylabel(words[name])
            axes.set_ylim(bottom=0)
            if axes.get_legend_handles_labels()[0]:
                axes.legend(loc="upper left", frameon=False)
        above.set_title(title)
        figure.autofmt_xdate()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # the viewer's fonts have them
            figure.savefig(path, format="svg", metadata={"Date": None})
