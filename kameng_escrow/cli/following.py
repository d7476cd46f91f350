"""`kameng mirror`, `kameng settle`: bring the chain into the store, and end what is due."""

import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..chinese import chinese
from ..errors import EscrowError
from .command import CHAIN, NODE, STORE, both, command
from .deeds import receipt_data
from .forms import short
from .network import stop_on_signals
from .problems import CHECK_FAILED, INTERRUPTED, BadInput
from .running_options import LogJson, MetricsPort
from .screen import Answer
from .session import Session
from .upkeep import serve_health
from .wording import state_text

if TYPE_CHECKING:
    from ..mirror import AuditReport, Drift, MirrorReport, Progress
    from ..mirror.metrics import MirrorMetrics


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    command(
        app,
        "mirror",
        zh="把链上的订单同步到数据库（--once 一次，--follow 一直）",
        en="Bring the chain's orders into the store (--once, or --follow)",
        uses=(*NODE, "ws_url", *STORE),
    )(mirror)
    command(
        app,
        "settle",
        zh="结算所有到期订单（镜像里找，链上核对，成批上链）",
        en="Settle every order that is due: found in the mirror, checked with the chain, sent in batches",
        uses=CHAIN + STORE,
    )(settle)


def mirror(
    session: Session,
    once: Annotated[
        bool,
        typer.Option("--once", help=both("追上链头就结束（缺省）", "Catch up with the head and end (the default)")),
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", help=both("一直跟随，直到 Ctrl-C", "Go on until Ctrl-C"))] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help=both(
                "结束时与链上逐笔核对，有差异就以 1 退出", "Compare with the chain at the end; exit 1 on a difference"
            ),
        ),
    ] = False,
    final_depth: Annotated[
        int | None,
        typer.Option(
            "--final-depth",
            min=0,
            help=both("多少个区块之后算最终；缺省问节点", "Blocks until final; else the node says"),
        ),
    ] = None,
    poll: Annotated[
        float,
        typer.Option(
            "--poll", min=0.05, max=60, help=both("--follow 时隔几秒看一次", "--follow: seconds between looks")
        ),
    ] = 1.0,
    audit: Annotated[
        float,
        typer.Option(
            "--audit",
            min=0,
            max=86_400,
            help=both(
                "--follow 时隔几秒与链上核对一次；0 表示不核对",
                "--follow: seconds between comparisons with the chain; 0: none",
            ),
        ),
    ] = 600.0,
    metrics: MetricsPort = None,
    log_json: LogJson = False,
) -> Answer:
    from .. import bootstrap
    from ..mirror.heads import HeadBell
    from ..mirror.metrics import MirrorMetrics
    from ..mirror.reconcile import reconcile
    from ..telemetry import log_to

    if once and follow:
        raise BadInput("--once 和 --follow 只能选一个。", "Choose --once or --follow, not both.")
    deployment = session.deployment()
    store = session.store()
    store.migrate()
    stop = threading.Event()
    with ExitStack() as stack:
        stop_on_signals(stack, stop)
        if log_json:
            stack.enter_context(log_to(sys.stderr))
        counted = MirrorMetrics()
        if metrics is not None:
            serve_health(stack, counted.registry, alive=counted.alive, ready=counted.ready, port=metrics)
        works = bootstrap.make_mirror(store, session.node(), deployment, final_depth=final_depth, observer=counted)
        tick = stack.enter_context(
            session.screen.progress("同步区块", "mirroring blocks", unit=session.screen.say("块", "blocks"))
        )

        def report(progress: "Progress") -> None:
            rate = f"{progress.events_per_second:,.0f}"
            note = session.screen.say(
                f"{progress.events:,} 个事件，每秒 {rate} 个", f"{progress.events:,} events, {rate} a second"
            )
            tick(progress.done, progress.total, note)

        def trouble(error: EscrowError) -> None:
            if not log_json:  # which has said it
                session.screen.note(f"等待：{chinese(error)}", f"Waiting: {error.message}")

        if follow:
            bell = stack.enter_context(HeadBell(session.settings.ws_url)) if session.settings.ws_url else None
            if audit:
                _audit_beside(session, stack, stop, counted, audit)
            done = works.follow(stop, poll_seconds=poll, progress=report, trouble=trouble, bell=bell)
        else:
            done = works.run_once(report, stop=stop, trouble=trouble)

    drifts = reconcile(bootstrap.open_book(store, deployment), session.node().w3, deployment.lens) if check else None
    interrupted = stop.is_set() and not follow
    return _mirror_answer(session, done, drifts, interrupted)


def _audit_beside(
    session: Session, stack: ExitStack, stop: threading.Event, counted: "MirrorMetrics", every: float
) -> None:
    """Compares store and chain every so often in a thread of its own, with a connection of its own."""
    from .. import bootstrap
    from ..mirror.auditor import Auditor

    deployment, store, screen = session.deployment(), session.store(), session.screen
    node = stack.enter_context(bootstrap.connect(session.settings))

    def found(report: "AuditReport") -> None:
        counted.audited(report)
        for drift in report.drifts:
            screen.note(
                f"✗ {drift.what} 的 {drift.field}：镜像 {drift.mirrored}，链上 {drift.on_chain}",
                f"✗ {drift.what}, {drift.field}: {drift.mirrored} here, {drift.on_chain} on chain",
            )
        if report.drifts:
            screen.note("请运行 kameng reconcile --repair", "Run `kameng reconcile --repair`")

    auditor = Auditor(
        lambda: bootstrap.open_book(store, deployment),
        node.w3,
        deployment.lens,
        every_seconds=every,
        found=found,
        trouble=counted.trouble,
    )
    thread = threading.Thread(target=auditor.run, args=(stop,), name="audit", daemon=True)
    thread.start()

    def finish() -> None:
        stop.set()
        thread.join()

    stack.callback(finish)


def settle(
    session: Session,
    batch: Annotated[
        int, typer.Option("--batch", min=1, max=200, help=both("一笔交易结算几单", "Orders in one transaction"))
    ] = 50,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help=both("最多几单", "At most so many"))] = None,
) -> Answer:
    from .. import bootstrap
    from ..keeper import settle_due

    client = session.acting(watched=False)
    book = bootstrap.open_book(session.store(), session.deployment())
    screen = session.screen
    with screen.progress("结算", "settling", unit=screen.say("单", "orders")) as tick:
        done = settle_due(book, client, batch=batch, limit=limit, progress=lambda count, total: tick(count, total))
    from ..domain.states import State

    data: dict[str, Any] = {
        "settled": [
            {"order_id": event.order_id, "outcome": event.outcome.label, "fault": event.fault.label}
            for event in done.settled
        ],
        "skipped": list(done.skipped),
        "transactions": [receipt_data(receipt) for receipt in done.receipts],
    }
    if not done.settled:
        text = screen.say("没有到期的订单", "Nothing is due")
        if done.skipped:
            text += screen.say(
                f"（{len(done.skipped)} 单在链上已有变化，请先 kameng mirror）",
                f" ({len(done.skipped)} have moved on: run `kameng mirror` first)",
            )
        return Answer(data, [text])
    lines = [
        screen.say(
            f"✓ 结算 {len(done.settled)} 单，{len(done.receipts)} 笔交易，gas {done.gas_used:,}",
            f"✓ {len(done.settled)} settled in {len(done.receipts)} transactions, gas {done.gas_used:,}",
        )
    ]
    lines += [
        f"  {short(event.order_id)}  {state_text(screen, State.Closed, event.outcome, event.fault)}"
        for event in done.settled
    ]
    return Answer(data, lines)


def _mirror_answer(session: Session, done: "MirrorReport", drifts: "list[Drift] | None", interrupted: bool) -> Answer:
    screen = session.screen
    data: dict[str, Any] = {
        "seen_block": done.seen,
        "final_block": done.final,
        "head_block": done.head,
        "blocks": done.blocks,
        "events": done.events,
        "reorgs": [
            {"fork": r.fork, "depth": r.depth, "events": r.events, "orders": r.orders, "below_final": r.below_final}
            for r in done.reorgs
        ],
        "seconds": round(done.seconds, 3),
        "complete": not interrupted,
    }
    lines = [
        screen.say(
            f"✓ 已同步到区块 {done.seen:,}（{done.blocks:,} 块、{done.events:,} 个事件，{done.seconds:.1f} 秒）",
            f"✓ At block {done.seen:,}: {done.blocks:,} blocks, {done.events:,} events, {done.seconds:.1f} s",
        )
    ]
    for r in done.reorgs:
        text = screen.say(
            f"  ! 链在区块 {r.fork} 之后改写过：回滚 {r.depth} 块，重算 {r.orders} 单",
            f"  ! the chain changed after block {r.fork}: {r.depth} blocks undone, {r.orders} orders folded again",
        )
        lines.append(text + (screen.say("（低于最终标记！）", " (below the final mark!)") if r.below_final else ""))
    code = INTERRUPTED if interrupted else 0
    if interrupted:
        lines.append(
            screen.say("  中途停下；再次运行会接着做", "  stopped on the way; running again goes on from here")
        )
    if drifts is not None:
        data["drifts"] = [
            {"what": d.what, "field": d.field, "mirrored": str(d.mirrored), "on_chain": str(d.on_chain)} for d in drifts
        ]
        if drifts:
            code = CHECK_FAILED
            lines += [
                screen.say(
                    f"  ✗ {d.what} 的 {d.field}：镜像 {d.mirrored}，链上 {d.on_chain}",
                    f"  ✗ {d.what}, {d.field}: {d.mirrored} here, {d.on_chain} on chain",
                )
                for d in drifts
            ]
        else:
            lines.append(screen.say("✓ 镜像与链上完全一致", "✓ mirror and chain agree on everything"))
    return Answer(data, lines, exit_code=code)
