"""`kameng keeper`: settles what comes due, by itself."""

import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from ..chinese import chinese
from ..errors import EscrowError
from .command import CHAIN, STORE, both, command
from .keeper_views import data_of, intent_data, lines_of, news_text, overview_panel
from .network import stop_on_signals
from .problems import CHECK_FAILED, INTERRUPTED, REFUSED
from .running_options import LogJson, MetricsPort
from .screen import Answer
from .session import Session
from .upkeep import serve_health

if TYPE_CHECKING:
    from ..keeper import Keeper, KeeperReport, News, Round

MONEY = ("keeper_max_fee", "keeper_budget", "keeper_low_balance")
_NO_MONEY = {"budget_spent", "gas_too_dear", "account_dry"}  # the codes that a person can do something about


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    command(
        app,
        "keeper",
        zh="守护程序：到期订单自动结算（缺省一直跟随，--once 结算完就结束）",
        en="Settle orders as they come due: go on until Ctrl-C, or --once",
        uses=CHAIN + STORE + MONEY,
    )(keeper)


def keeper(
    session: Session,
    once: Annotated[
        bool,
        typer.Option("--once", help=both("结算完到期订单就结束，供 cron 使用", "End once nothing is due: for cron")),
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help=both("放弃过的订单也重新尝试", "Try again what was given up")),
    ] = False,
    batch: Annotated[
        int, typer.Option("--batch", min=1, max=300, help=both("一笔交易最多结算几单", "Orders in one transaction"))
    ] = 100,
    in_flight: Annotated[
        int,
        typer.Option("--in-flight", min=1, max=64, help=both("最多同时有几笔交易等着上链", "Transactions that wait")),
    ] = 16,
    confirmations: Annotated[
        int,
        typer.Option("--confirmations", min=1, max=1_000, help=both("几个区块之后算最终", "Blocks until it is final")),
    ] = 12,
    stuck_after: Annotated[
        float,
        typer.Option(
            "--stuck-after",
            min=1,
            max=3600,
            help=both("几秒不上链就加价重发", "Seconds unmined until it is offered for more"),
        ),
    ] = 45.0,
    spread: Annotated[
        int,
        typer.Option(
            "--spread",
            min=0,
            max=600,
            help=both(
                "与别的守护程序错开：到期后最多等几秒再动手",
                "Seconds to wait at most after a deadline, so that keepers keep out of each other's way",
            ),
        ),
    ] = 10,
    patience: Annotated[
        float,
        typer.Option(
            "--patience",
            min=0,
            max=3600,
            help=both("--once 时多少秒没有进展就结束", "--once: seconds without progress until it ends"),
        ),
    ] = 60.0,
    poll: Annotated[
        float, typer.Option("--poll", min=0.05, max=60, help=both("隔几秒看一次", "Seconds between looks"))
    ] = 3.0,
    metrics: MetricsPort = None,
    log_json: LogJson = False,
) -> Answer:
    from .. import bootstrap
    from ..keeper import KeeperMetrics
    from ..telemetry import log_to

    account = session.signer()
    deployment = session.deployment()
    store = session.store()
    store.check_schema()
    stop = threading.Event()
    with ExitStack() as stack:
        if log_json:
            stack.enter_context(log_to(sys.stderr))
        counted = KeeperMetrics()
        if metrics is not None:
            serve_health(stack, counted.registry, alive=counted.alive, ready=counted.ready, port=metrics)
        works = stack.enter_context(
            bootstrap.make_keeper(
                store,
                session.node(),
                deployment,
                account,
                session.settings,
                announce=lambda news: _tell(session, news),
                metrics=counted,
                batch=batch,
                in_flight=in_flight,
                confirmations=confirmations,
                stuck_seconds=stuck_after,
                resend_seconds=min(15.0, stuck_after),
                spread_seconds=spread,
            )
        )
        if again:
            count = works.try_again()
            session.screen.note(f"{count} 单重新尝试", f"{count} orders are tried again")
        stop_on_signals(stack, stop)

        def trouble(error: EscrowError) -> None:
            if not log_json:  # which has said it
                session.screen.note(f"! {chinese(error)}", f"! {error.message}")

        if once:
            done = works.run_once(stop, patience_seconds=patience, trouble=trouble)
        else:
            done = _follow(session, works, stop, poll, stack, trouble)
        seen = works.overview(None)
    data = {**data_of(done), "account": account.address, "last": [intent_data(one) for one in seen.latest]}
    return Answer(
        data, lines_of(session.screen, done), exit_code=_exit_code(done, interrupted=stop.is_set()) if once else 0
    )


def _follow(
    session: Session,
    works: "Keeper",
    stop: threading.Event,
    poll: float,
    stack: ExitStack,
    trouble: Callable[[EscrowError], None],
) -> "KeeperReport":
    draw = stack.enter_context(session.screen.panel())

    def looked(part: "Round | None") -> None:
        if draw is not None:
            draw(overview_panel(session.screen, works.overview(part)))

    return works.follow(stop, poll_seconds=poll, trouble=trouble, looked=looked)


def _tell(session: Session, news: "News") -> None:
    text = news_text(session.screen, news)
    if text is not None:
        session.screen.show(text)


def _exit_code(done: "KeeperReport", *, interrupted: bool) -> int:
    """0: all that was due is settled, or another keeper is at it; see the manual's page on the keeper for the rest."""
    if not done.leading or done.complete:
        return 0
    if interrupted:
        return INTERRUPTED
    return REFUSED if _NO_MONEY & {error.code for error in done.conditions} else CHECK_FAILED
