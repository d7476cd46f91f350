"""`kameng risk …`: how likely orders are to end badly, and how good such figures are."""

import json
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table

from .command import NODE, STORE, both, command
from .files import require_writable, write_text
from .forms import clock
from .network import stop_on_signals
from .problems import CHECK_FAILED, BadInput
from .risk_anomalies import choose_platform
from .running_options import LogJson, Poll
from .screen import Answer
from .session import Session

if TYPE_CHECKING:
    from ..risk.evaluate import Evaluation, SplitResult

_SPLITS = ("time", "random")
_KINDS = {
    "confirm_stock": ("请卖家确认有货", "confirm stock"),
    "caution": ("提醒买家", "caution"),
    "stricter_policy": ("建议更严的规则", "stricter policy"),
    "mediator": ("预告仲裁员", "mediator"),
}


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    command(
        app,
        "evaluate",
        zh="用任何一张表检验风险模型：在没见过的行上与逻辑回归、随机森林、常数比较",
        en="Test the risk model on any table: on rows it has not seen, against logistic regression, forest, constant",
        own_json=True,
    )(evaluate)
    command(
        app,
        "watch",
        zh="风险程序：给订单评分、预警、定期重新训练、建议规则（缺省一直跟随，--once 一轮就结束）",
        en="Score orders, warn, retrain now and then, advise on rules: go on until Ctrl-C, or --once",
        uses=(*NODE, *STORE, "risk_threads", "advice_days", "yuan_tokens"),
    )(watch)
    command(
        app,
        "warnings",
        zh="一个平台的预警，以及每种预警有多准、提前多久",
        en="A platform's warnings, how often each kind was right, and how early",
        uses=STORE,
    )(warnings)


def watch(
    session: Session,
    once: Annotated[
        bool, typer.Option("--once", help=both("做完一轮就结束，供 cron 使用", "One round, and end: for cron"))
    ] = False,
    poll: Poll = 5.0,
    log_json: LogJson = False,
) -> Answer:
    from .. import bootstrap
    from ..telemetry import log_to

    deployment = session.deployment()
    store = session.store()
    store.check_schema()
    worker = bootstrap.make_risk_worker(store, deployment, session.settings)
    stop = threading.Event()
    with ExitStack() as stack:
        stop_on_signals(stack, stop)
        if log_json:
            stack.enter_context(log_to(sys.stderr))
        well = worker.run(stop, poll_seconds=poll, once=once)
    text = (
        session.screen.say("✓ 做完了", "✓ Done")
        if well
        else session.screen.say("! 有一步失败了，见日志", "! A step failed")
    )
    return Answer({"well": well}, [text], exit_code=0 if well or not once else CHECK_FAILED)


def warnings(
    session: Session,
    platform: Annotated[
        str,
        typer.Option(
            "--platform", metavar="ADDRESS", help=both("平台；只有一个时可省", "The platform; may be the only")
        ),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help=both("最多几条", "At most so many"))] = 20,
) -> Answer:
    from ..store.service import risk as rows

    store, screen = session.store(), session.screen
    store.check_schema()
    account = choose_platform(session, platform)
    contract_id = session.book().info().id
    with store.reading() as reading:
        worth = rows.worth(reading, contract_id, account)
        found = rows.warnings(reading, contract_id, account, limit=limit)
        data = [
            {
                "kind": one.kind,
                "order_id": one.order_id,
                "seller": one.seller,
                "risk": one.risk,
                "raised_at": one.raised_at,
                "answer": one.answer,
                "came": one.came,
                "lead_seconds": one.lead_seconds,
            }
            for one in found
        ]
    table = Table(
        *screen.say("预警 发出 已结束 言中 准确率 提前（小时）", "kind raised ended came precision lead(h)").split()
    )
    for one in worth:
        table.add_row(
            screen.say(*_KINDS[one.kind]),
            *(f"{number:,}" for number in (one.raised, one.ended, one.came)),
            "–" if one.precision is None else f"{one.precision:.1%}",
            "–" if one.lead_seconds is None else f"{one.lead_seconds / 3_600:.1f}",
        )
    lines: list[RenderableType] = [table]
    for row in data:
        name = screen.say(*_KINDS[str(row["kind"])])
        lines.append(f"{clock(int(str(row['raised_at'])))} {name} {row['risk']:.0%} {row['order_id']}")
    shown = {
        one.kind: {
            "raised": one.raised,
            "ended": one.ended,
            "came": one.came,
            "precision": one.precision,
            "lead_seconds": one.lead_seconds,
        }
        for one in worth
    }
    return Answer({"platform": account, "worth": shown, "warnings": data}, lines)


def evaluate(
    session: Session,
    csv: Annotated[Path, typer.Option("--csv", metavar="FILE", help=both("CSV 文件", "The CSV file"))],
    target: Annotated[
        str, typer.Option("--target", metavar="COL", help=both("结局所在的列", "The column that says the ending"))
    ],
    time: Annotated[
        str,
        typer.Option("--time", metavar="COL", help=both("时间列：另按时间先后检验", "A time column: split by it, too")),
    ] = "",
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="COL", help=both("不许看的列，如事后才写下的", "A column nobody may look at")),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COL", help=both("看似泄露结局也保留", "Use it all the same")),
    ] = None,
    split: Annotated[
        str, typer.Option("--split", metavar="time|random", help=both("只做这一种划分", "Only this split"))
    ] = "",
    seed: Annotated[int, typer.Option("--seed", help=both("随机种子", "The seed of everything random"))] = 0,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            metavar="N",
            min=1,
            max=256,
            help=both(
                "最多用几个线程；缺省每个核一个。机器忙时 1 个反而更快",
                "At most so many threads; left out: one for each core. On a busy machine 1 is faster",
            ),
        ),
    ] = None,
    json_file: Annotated[
        str,
        typer.Option("--json", metavar="FILE", help=both("结果写成 JSON（- 为标准输出）", "Write JSON (-: stdout)")),
    ] = "",
    html: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help=both("写成网页报告", "Write a page with plots"))
    ] = None,
) -> Answer:
    from ..risk.libraries import need_libraries

    need_libraries(reports=html is not None)
    from ..risk.evaluate import evaluate as run
    from ..risk.reading import read_csv

    if split and split not in _SPLITS:
        raise BadInput(
            f"--split 只能是 time 或 random，不能是 {split!r}。", f"--split is time or random, not {split!r}."
        )
    for path in (Path(json_file) if json_file not in ("", "-") else None, html):
        if path is not None:
            require_writable(path)  # before minutes of work
    table = read_csv(csv)
    screen = session.screen
    found = run(
        table.frame,
        target,
        time=time or None,
        splits=(split,) if split else (),
        drop=drop or (),
        keep=keep or (),
        seed=seed,
        threads=threads,
        report=None if json_file == "-" else screen.note,
    )
    found.warnings[:0] = table.notes
    data = found.as_json()
    text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    if json_file == "-":
        screen.document(text)
        return Answer(data, printed=True)
    if json_file:
        write_text(Path(json_file), text)
    if html is not None:
        from ..risk.report_page import page

        write_text(html, page(found))
    return Answer(data, _lines(session, found))


def _lines(session: Session, found: "Evaluation") -> list[RenderableType]:
    screen = session.screen
    lines: list[RenderableType] = [
        screen.say(
            f"{found.rows:,} 行，{len(found.columns)} 列可用，结局：{'、'.join(found.classes)}",
            f"{found.rows:,} rows, {len(found.columns)} columns used, endings: {', '.join(found.classes)}",
        )
    ]
    lines += [f"! {screen.say(*warning)}" for warning in found.warnings]
    for split in found.splits:
        lines += _split_lines(session, split)
    return lines


def _split_lines(session: Session, split: "SplitResult") -> list[RenderableType]:
    from ..risk.evaluate import OURS, margins

    screen = session.screen
    names = {
        OURS: screen.say("本模型", "kameng"),
        "constant": screen.say("常数", "constant"),
        "logistic": screen.say("逻辑回归", "logistic regression"),
        "forest": screen.say("随机森林", "random forest"),
    }
    title = screen.say(
        f"{'按时间先后' if split.split == 'time' else '随机'}划分：学 {split.learnt:,} 行，检验 {split.hidden:,} 行",
        f"Split {'by time' if split.split == 'time' else 'at random'}: learnt from {split.learnt:,} rows, tested on "
        f"{split.hidden:,}",
    )
    table = Table("", "AUC", "AP", "Brier", "ECE", "lift")
    for name, one in split.scores.items():
        row = (one.auc, one.average_precision, one.brier, one.calibration_error, one.lift)
        table.add_row(names[name], *("–" if value != value else f"{value:.4f}" for value in row))
    beat: dict[str, Any] = margins(split)
    lines: list[RenderableType] = [
        title,
        table,
        screen.say(
            f"比最好的对照：AUC {_signed(beat['auc_minus_best_baseline'])}（越大越好），"
            f"Brier {_signed(beat['brier_minus_best_baseline'])}（越小越好）",
            f"Against the best baseline: AUC {_signed(beat['auc_minus_best_baseline'])} (more is better), "
            f"Brier {_signed(beat['brier_minus_best_baseline'])} (less is better)",
        ),
    ]
    most = [one.column for one in split.importance[:5] if one.log_loss > 0]
    if most:
        lines.append(screen.say(f"最有用的列：{'、'.join(most)}", f"Columns that matter most: {', '.join(most)}"))
    for name, en, zh in split.dropped:
        lines.append(screen.say(f"未用 {name}：{zh}", f"Not used: {name}, {en}"))
    return lines


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.4f}"
