"""`kameng risk trends`: where a platform's cancellations and disputes are heading."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from .command import STORE, both, command
from .files import require_writable
from .forms import parse_address, parse_hash, short
from .problems import BadInput
from .risk_anomalies import choose_platform
from .screen import Answer, Screen
from .session import Session

if TYPE_CHECKING:
    from ..risk.trends import By

MEASURES = ("cancelled", "disputed")
CLOCKS = ("UTC", "Asia/Shanghai")
_MEASURE_NAMES: dict[str, tuple[str, str]] = {"cancelled": ("取消", "cancellations"), "disputed": ("争议", "disputes")}


def register(risk: typer.Typer) -> None:
    """Adds the command to the group `risk`."""
    command(
        risk,
        "trends",
        zh="取消和争议的走势：预测与区间、一周中的规律、何时起了变化（可按类目、卖家、规则）",
        en="Where cancellations and disputes are heading: forecast with intervals, the week, what changed since when",
        uses=STORE,
    )(trends)


def trends(
    session: Session,
    platform: Annotated[
        str,
        typer.Option(
            "--platform",
            metavar="ADDRESS",
            help=both("平台；只有一个时可省", "The platform; where there is one, it is that"),
        ),
    ] = "",
    category: Annotated[str, typer.Option("--category", help=both("只看此类目", "Only of this category"))] = "",
    seller: Annotated[
        str, typer.Option("--seller", metavar="ADDRESS", help=both("只看此卖家", "Only of this seller"))
    ] = "",
    policy: Annotated[
        str, typer.Option("--policy", metavar="0x…", help=both("只看此规则", "Only under this policy"))
    ] = "",
    measure: Annotated[
        str, typer.Option("--measure", metavar="cancelled|disputed", help=both("看取消还是争议", "What is counted"))
    ] = "cancelled",
    clock: Annotated[
        str,
        typer.Option("--clock", metavar="UTC|Asia/Shanghai", help=both("按哪里的零点分日", "Whose midnight")),
    ] = "Asia/Shanghai",
    days: Annotated[int, typer.Option("--days", min=7, max=400, help=both("回看多少天", "Days to look back"))] = 180,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.svg", help=both("画成 SVG 图", "Draw it as an SVG picture"))
    ] = None,
) -> Answer:
    from ..risk.libraries import need_trend_libraries

    need_trend_libraries(plots=plot is not None)
    from ..risk.trends import By, Clock, Measure, make_outlook
    from ..risk.trends.documents import outlook_json
    from ..risk.trends.keeping import read_series

    by, name = _chosen(By, category, seller, policy)
    if measure not in MEASURES:
        raise BadInput(
            f"--measure 应为 cancelled 或 disputed，不能是 {measure!r}。",
            f"--measure is cancelled or disputed, not {measure!r}.",
        )
    if clock not in CLOCKS:
        raise BadInput(
            f"--clock 应为 UTC 或 Asia/Shanghai，不能是 {clock!r}。", f"--clock is UTC or Asia/Shanghai, not {clock!r}."
        )
    if plot is not None:
        require_writable(plot)
    store = session.store()
    store.check_schema()
    info = session.book().info()
    account = choose_platform(session, platform)
    every = read_series(store, info.id, account, clock=Clock(clock), by=by, measure=Measure(measure), days=days)
    series = next((one for one in every if one.name == name), None)
    if series is None:
        return Answer({"platform": account, "outlook": None}, [_nothing(session.screen, [one.name for one in every])])
    document = outlook_json(make_outlook(series), Clock(clock))
    lines = _lines(session.screen, document)
    if plot is not None:
        from ..risk.trends.plotting import plot_outlook

        title = session.screen.say(*_MEASURE_NAMES[measure])
        plot_outlook(document, plot, title=f"{title} · {name or account}", lang=session.screen.lang)
        lines.append(session.screen.say(f"图已写入 {plot}", f"Drawn into {plot}"))
    return Answer({"platform": account, "outlook": document}, lines)


def _chosen(by: "type[By]", category: str, seller: str, policy: str) -> "tuple[By, str]":
    named = [
        *([(by.Category, category)] if category else []),
        *([(by.Seller, parse_address(seller, "--seller"))] if seller else []),
        *([(by.Policy, parse_hash(policy, "--policy"))] if policy else []),
    ]
    if len(named) > 1:
        raise BadInput(
            "--category、--seller、--policy 只能用一个。", "Only one of --category, --seller and --policy can be given."
        )
    return named[0] if named else (by.All, "")


def _nothing(screen: Screen, names: list[str]) -> str:
    if not names:
        return screen.say("还没有已经结束且最终确认的订单", "No orders have ended for good yet")
    shown = ", ".join(names[:8])
    return screen.say(f"没有这样的订单；有订单的是：{shown}", f"There are no such orders; there are some of: {shown}")


def _lines(screen: Screen, document: dict[str, Any]) -> list[RenderableType]:
    orders, counts = sum(document["orders"]), sum(document["counts"])
    what = screen.say(*_MEASURE_NAMES[document["measure"]])
    whose = short(document["name"]) if document["name"] else screen.say("全部订单", "all orders")
    share = f"{counts / orders:.1%}" if orders else "–"
    lines: list[RenderableType] = [
        screen.say(
            f"{whose}，{document['since']} 至 {document['until']}（{document['clock']}）：{orders} 笔结束，"
            f"{what} {counts} 笔（{share}）",
            f"{whose}, {document['since']} to {document['until']} ({document['clock']}): {orders} orders ended, "
            f"{counts} {what} ({share})",
        )
    ]
    if document["forecast"]:
        table = screen.table(
            ("日期", "Day"),
            ("预计", "Expected"),
            ("80%", "80 %"),
            ("95%", "95 %"),
            ("比例", "Rate"),
            right=(1, 2, 3, 4),
        )
        for one in document["forecast"]:
            low, high = one["rate_within_80"]
            table.add_row(
                one["date"],
                f"{one['expected']:.1f}",
                "–".join(map(str, one["within_80"])),
                "–".join(map(str, one["within_95"])),
                f"{one['rate']:.1%} ({low:.1%}–{high:.1%})",
            )
        lines.append(table)
    return [*lines, *(document["remarks_zh"] if screen.lang == "zh" else document["remarks_en"])]
