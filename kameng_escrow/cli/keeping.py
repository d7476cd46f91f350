"""`kameng keeper`: settles what comes due, by itself."""

from typing import TYPE_CHECKING, Annotated

import typer

from .command import CHAIN, STORE, both, command
from .keeper_views import data_of, intent_data, lines_of, news_text, overview_panel
from .running import exit_code_of, running
from .running_options import InFlight, LogJson, MetricsPort, Patience, Poll, StuckAfter
from .screen import Answer
from .session import Session

if TYPE_CHECKING:
    from ..keeper import News

MONEY = ("keeper_max_fee", "keeper_budget", "keeper_low_balance")


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
    in_flight: InFlight = 16,
    confirmations: Annotated[
        int,
        typer.Option("--confirmations", min=1, max=1_000, help=both("几个区块之后算最终", "Blocks until it is final")),
    ] = 12,
    stuck_after: StuckAfter = 45.0,
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
    patience: Patience = 60.0,
    poll: Poll = 3.0,
    metrics: MetricsPort = None,
    log_json: LogJson = False,
) -> Answer:
    from .. import bootstrap
    from ..keeper import KeeperMetrics

    account = session.signer()
    deployment = session.deployment()
    store = session.store()
    store.check_schema()
    counted = KeeperMetrics()
    with running(session, counted, port=metrics, log_json=log_json) as run:
        works = run.holding(
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
        if once:
            done = works.run_once(run.stop, patience_seconds=patience, trouble=run.trouble)
        else:
            looked = run.drawing(lambda part: overview_panel(session.screen, works.overview(part)))
            done = works.follow(run.stop, poll_seconds=poll, trouble=run.trouble, looked=looked)
        seen = works.overview(None)
    data = {**data_of(done), "account": account.address, "last": [intent_data(one) for one in seen.latest]}
    code = exit_code_of(done, interrupted=run.stop.is_set()) if once else 0
    return Answer(data, lines_of(session.screen, done), exit_code=code)


def _tell(session: Session, news: "News") -> None:
    text = news_text(session.screen, news)
    if text is not None:
        session.screen.show(text)
