"""An evaluation as one HTML page, in both languages, which asks no other host for anything."""

import io
from typing import Any, Final

from .evaluate import OURS, Evaluation, margins
from .metrics import Reliability

_NAMES: Final = {
    OURS: ("本模型", "kameng"),
    "constant": ("常数", "constant"),
    "logistic": ("逻辑回归", "logistic regression"),
    "forest": ("随机森林", "random forest"),
}
_SPLITS: Final = {"time": ("按时间：检验最后的行", "By time: tested on the last rows"), "random": ("随机", "At random")}
_COLUMNS: Final = (
    ("auc", "AUC"),
    ("average_precision", "average precision"),
    ("brier", "Brier"),
    ("log_loss", "log loss"),
    ("calibration_error", "calibration error"),
    ("lift", "lift (top 10 %)"),
)
_PAGE: Final = """<!doctype html><html lang="zh"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ e.target }}</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .7rem;border-bottom:1px solid #ccc;text-align:right}
td:first-child,th:first-child{text-align:left}.best{font-weight:600}.warn{background:#fff3cd;padding:.5rem 1rem}
small{color:#666}svg{max-width:100%;height:auto}</style>
<h1>{{ e.target }}</h1>
<p>{{ "{:,}".format(e.rows) }} 行，{{ e.columns|length }} 列可用；结局：{{ e.classes|join("、") }}<br>
{{ "{:,}".format(e.rows) }} rows, {{ e.columns|length }} columns used; endings: {{ e.classes|join(", ") }}</p>
{% for zh, en in e.warnings %}<p class="warn">{{ zh }}<br>{{ en }}</p>{% endfor %}
{% for split in e.splits %}<h2>{{ titles[split.split][0] }} · {{ titles[split.split][1] }}</h2>
<p>学习 {{ "{:,}".format(split.learnt) }} 行，检验 {{ "{:,}".format(split.hidden) }} 行 ·
learnt from {{ "{:,}".format(split.learnt) }} rows, tested on {{ "{:,}".format(split.hidden) }} that were hidden</p>
<table><tr><th></th>{% for key, label in keys %}<th>{{ label }}</th>{% endfor %}</tr>
{% for name, scores in split.scores.items() %}<tr{% if name == ours %} class="best"{% endif %}>
<td>{{ names[name][0] }} · {{ names[name][1] }}</td>
{% for key, label in keys %}<td>{{ "%.4f"|format(scores[key]) }}</td>{% endfor %}</tr>{% endfor %}</table>
<p>比最好的对照：AUC {{ margins[loop.index0].auc_minus_best_baseline }}，Brier
{{ margins[loop.index0].brier_minus_best_baseline }} · against the best baseline</p>
{{ plots[loop.index0] }}
<h3>打乱哪一列损失最大 · What is lost when a column is shuffled <small>nats</small></h3>
<table>{% for one in split.importance %}<tr><td>{{ one.column }}</td><td>{{ "%.5f"|format(one.log_loss) }}</td></tr>
{% endfor %}</table>
{% if split.dropped %}<h3>未用的列 · Columns not used</h3><table>{% for name, en, zh in split.dropped %}
<tr><td>{{ name }}</td><td>{{ zh }} · {{ en }}</td></tr>{% endfor %}</table>{% endif %}
<p><small>{{ split.weights }} · calibration: {{ split.calibration }}</small></p>{% endfor %}</html>
"""


def page(evaluation: Evaluation) -> str:
    """The page. Whatever a table holds is written as text, never as markup."""
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True)
    from markupsafe import Markup

    return environment.from_string(_PAGE).render(
        e=evaluation,
        ours=OURS,
        names=_NAMES,
        titles=_SPLITS,
        keys=_COLUMNS,
        margins=[margins(split) for split in evaluation.splits],
        plots=[Markup(_plot(split.reliability)) for split in evaluation.splits],
    )


def _plot(curves: dict[str, list[Reliability]]) -> str:
    """What was said against what came, as SVG."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.2), layout="constrained")
    axes: Any = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#bbb", linewidth=1)
    for place, bins in enumerate(curves.values()):  # by number: a label may be in letters that no font here has
        axes.plot([one.said for one in bins], [one.came for one in bins], marker="o", label=f"{place + 1}")
    axes.set_xlabel("said")
    axes.set_ylabel("came true")
    if len(curves) > 1:
        axes.legend()
    buffer = io.StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(buffer, metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
