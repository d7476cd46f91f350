"""A market as a page to read: one HTML file with its plots inside, in Chinese and English."""

import io
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.resources import files
from typing import Any

from kameng_escrow.domain.categories import category_label
from kameng_escrow.domain.labels import Label, label_of
from kameng_escrow.domain.states import Fault, Outcome

from .errors import ReportUnavailable
from .figures import Figures
from .result import MarketRun
from .words import WORDS, kind_label

_BLUE, _ORANGE, _RED = "#2f6f9f", "#d98c3f", "#b8433f"
_LONGEST_BARS = 14
Bars = Sequence[tuple[str, float]]


def render(market: MarketRun, figures: Figures, *, seconds: float) -> str:
    """The page. `seconds`: what the simulation took.

    Raises:
        ReportUnavailable: jinja2 or matplotlib is not installed.
    """
    try:
        jinja2, pyplot = import_module("jinja2"), _pyplot()
    except ImportError as error:
        raise ReportUnavailable(str(error.name or error)) from error
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(files(__package__).joinpath("report.html.jinja").read_text("utf-8"))
    start = market.parameters.start
    page: str = template.render(
        market=market,
        figures=figures,
        seconds=seconds,
        words=WORDS,
        began=_day(market, start),
        ended=_day(market, market.ended),
        plots={name: _both(svg) for name, svg in _plots(pyplot, market, figures).items()},
        outcome=lambda name: label_of(Outcome.from_label(name)),
        fault=lambda name: label_of(Fault.from_label(name)),
        category=category_label,
        kind=kind_label,
        yuan=lambda fen: f"{fen // 100:,}.{fen % 100:02}",
        span=_span,
        share=lambda part, whole: f"{part / whole:.1%}" if whole else "–",
    )
    return page


def _pyplot() -> Any:
    matplotlib = import_module("matplotlib")
    matplotlib.use("svg")
    return import_module("matplotlib.pyplot")


def _plots(pyplot: Any, market: MarketRun, figures: Figures) -> dict[str, str]:
    waits = sorted(
        (one.closed_at - one.opened_at) / 3600
        for one in market.orders.values()
        if one.closed_at is not None and one.opened_at is not None
    )
    harmed = [(one.kind, one.lost_fen / 100) for one in figures.suffering if one.lost_fen][:_LONGEST_BARS]
    plots = {
        "outcomes": _bars(pyplot, list(figures.outcomes.items()), _BLUE, "orders"),
        "faults": _bars(pyplot, list(figures.faults.items()), _ORANGE, "orders"),
        "waiting": _steps(pyplot, waits),
        "frozen": _frozen(pyplot, market, figures),
    }
    if harmed:
        plots["suffering"] = _bars(pyplot, harmed, _RED, "yuan lost")
    if figures.gas:
        plots["gas"] = _bars(
            pyplot, [(one.function, one.gas / 1e6) for one in figures.gas[:_LONGEST_BARS]], _BLUE, "million gas"
        )
    return plots


def _bars(pyplot: Any, rows: Bars, colour: str, unit: str) -> str:
    figure, axes = pyplot.subplots(figsize=(7, 0.6 + 0.32 * max(len(rows), 2)))
    axes.barh([name for name, _ in rows][::-1], [value for _, value in rows][::-1], color=colour)
    axes.set_xlabel(unit)
    return _svg(pyplot, figure)


def _steps(pyplot: Any, hours: Sequence[float]) -> str:
    figure, axes = pyplot.subplots(figsize=(7, 2.6))
    if hours:
        axes.plot(hours, [100 * (place + 1) / len(hours) for place in range(len(hours))], color=_BLUE)
    axes.set_xlabel("hours from payment to money")
    axes.set_ylabel("% of orders")
    axes.set_ylim(0, 101)
    axes.set_xlim(left=0)
    return _svg(pyplot, figure)


def _frozen(pyplot: Any, market: MarketRun, figures: Figures) -> str:
    figure, axes = pyplot.subplots(figsize=(7, 2.6))
    days = [(at - market.parameters.start) / 86_400 for at, _, _ in figures.frozen]
    prices = [prices / 100 for _, prices, _ in figures.frozen]
    bonds = [bonds / 100 for _, _, bonds in figures.frozen]
    axes.stackplot(days, prices, bonds, labels=["prices", "bonds"], colors=[_BLUE, _ORANGE])
    axes.set_xlabel("days")
    axes.set_ylabel("yuan in escrow")
    axes.legend(loc="upper right", frameon=False)
    return _svg(pyplot, figure)


def _svg(pyplot: Any, figure: Any) -> str:
    """Text stays text, which the browser sets in its own fonts; nothing in it depends on when it was made."""
    settings = {"svg.fonttype": "none", "svg.hashsalt": "kameng", "font.family": "sans-serif"}
    with pyplot.rc_context(settings):
        for axes in figure.axes:
            axes.spines[["top", "right"]].set_visible(False)
        out = io.StringIO()
        figure.savefig(out, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    return out.getvalue()[out.getvalue().index("<svg") :]


def _both(svg: str) -> Mapping[str, str]:
    """The plot with its words in each language."""

    def told(language: str) -> str:
        def word(found: re.Match[str]) -> str:
            label = _label(found.group(2))
            return f"{found.group(1)}{label if label is None else getattr(label, language)}</text>"

        def keep(found: re.Match[str]) -> str:
            return found.group(0) if _label(found.group(2)) is None else word(found)

        return re.sub(r"(<text[^>]*>)([^<]+)</text>", keep, svg)

    return {"en": told("en"), "zh": told("zh")}


def _label(text: str) -> Label | None:
    if text in WORDS:
        return WORDS[text]
    for kind in (Outcome, Fault):
        for member in kind:
            if member.label == text and text != "None":
                return label_of(member)
    if text == "None":
        return label_of(Fault.Nobody)
    return kind_label(text) if text.split(" ")[0] in ("buyer", "seller") else None


def _day(market: MarketRun, at: int) -> str:
    local = datetime.fromtimestamp(at, UTC) + timedelta(hours=market.parameters.market.utc_offset_hours)
    return f"{local:%Y-%m-%d %H:%M}"


def _span(seconds: int) -> Label:
    if seconds < 7_200:
        return Label(f"{seconds // 60} min", f"{seconds // 60} 分钟")
    if seconds < 172_800:
        return Label(f"{seconds / 3600:.1f} h", f"{seconds / 3600:.1f} 小时")
    return Label(f"{seconds / 86_400:.1f} days", f"{seconds / 86_400:.1f} 天")
