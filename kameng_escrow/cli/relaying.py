"""`kameng relayer`: brings what others signed; `kameng relay-budget`: what a platform's relays may cost."""

import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from ..chinese import chinese
from ..errors import EscrowError
from .command import NODE, STORE, both, command
from .forms import parse_address
from .keeper_views import COIN
from .network import stop_on_signals
from .problems import CHECK_FAILED, INTERRUPTED, REFUSED, BadInput
from .relayer_views import data_of, lines_of, news_text, overview_panel, relay_data
from .running_options import LogJson, MetricsPort
from .screen import Answer
from .session import Session
from .upkeep import serve_health

if TYPE_CHECKING:
    from ..keeper import News, Round
    from ..relay import RelayReport

RELAYER = (
    "relayer_key_file",
    "relayer_passphrase_file",
    "relayer_max_fee",
    "relayer_budget",
    "relayer_low_balance",
    "relayer_platform_budget",
    "relayer_account_limit",
    "deposit_confirmations",
)
_NO_MONEY = {"budget_spent", "relay_budget_spent", "gas_too_dear", "account_dry"}  # that a person can help with


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    command(
        app,
        "relayer",
        zh="中继程序：把别人签好的动作送上链，收款地址到账就下单（缺省一直跟随）",
        en="Bring what others signed, and open orders whose deposit addresses are paid: until Ctrl-C, or --once",
        uses=NODE + STORE + RELAYER,
    )(relayer)
    command(
        app,
        "relay-budget",
        zh="某个平台的中继每 24 小时最多花多少；不给数目就查看",
        en="What relaying for a platform may cost in 24 hours; without a sum, shows it",
        uses=(*NODE, *STORE, "relayer_platform_budget"),
    )(relay_budget)


def relayer(
    session: Session,
    once: Annotated[
        bool,
        typer.Option("--once", help=both("送完就结束，供 cron 使用", "End once everything is brought: for cron")),
    ] = False,
    in_flight: Annotated[
        int,
        typer.Option("--in-flight", min=1, max=64, help=both("最多同时有几笔交易等着上链", "Transactions that wait")),
    ] = 16,
    confirmations: Annotated[
        int,
        typer.Option("--confirmations", min=1, max=100, help=both("几个区块之后算最终", "Blocks until it is final")),
    ] = 12,
    stuck_after: Annotated[
        float,
        typer.Option(
            "--stuck-after",
            min=1,
            max=3600,
            help=both("几秒不上链就加价重发", "Seconds unmined until it is offered for more"),
        ),
    ] = 30.0,
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
    ] = 1.0,
    metrics: MetricsPort = None,
    log_json: LogJson = False,
) -> Answer:
    from .. import bootstrap
    from ..relay import RelayerMetrics
    from ..telemetry import log_to

    account = bootstrap.relayer_signer(session.settings, session.ask_passphrase)
    deployment = session.deployment()
    store = session.store()
    store.check_schema()
    stop = threading.Event()
    with ExitStack() as stack:
        if log_json:
            stack.enter_context(log_to(sys.stderr))
        counted = RelayerMetrics()
        if metrics is not None:
            serve_health(stack, counted.registry, alive=counted.alive, ready=counted.ready, port=metrics)
        works = stack.enter_context(
            bootstrap.make_relayer(
                store,
                session.node(),
                deployment,
                account,
                session.settings,
                announce=lambda news: _tell(session, news),
                metrics=counted,
                in_flight=in_flight,
                confirmations=confirmations,
                stuck_seconds=stuck_after,
                resend_seconds=min(15.0, stuck_after),
            )
        )
        stop_on_signals(stack, stop)

        def trouble(error: EscrowError) -> None:
            if not log_json:  # which has said it
                session.screen.note(f"! {chinese(error)}", f"! {error.message}")

        if once:
            done = works.run_once(stop, patience_seconds=patience, trouble=trouble)
        else:
            draw = stack.enter_context(session.screen.panel())

            def looked(part: "Round | None") -> None:
                if draw is not None:
                    draw(overview_panel(session.screen, works.overview(part)))

            done = works.follow(stop, poll_seconds=poll, trouble=trouble, looked=looked)
        seen = works.overview(None)
    data = {**data_of(done), "account": account.address, "last": [relay_data(one) for one in seen.latest]}
    return Answer(
        data, lines_of(session.screen, done), exit_code=_exit_code(done, interrupted=stop.is_set()) if once else 0
    )


def relay_budget(
    session: Session,
    platform: Annotated[str, typer.Argument(metavar="ADDRESS", help=both("平台的地址", "The platform's address"))],
    daily: Annotated[
        str,
        typer.Argument(
            metavar="WEI|none|default",
            help=both(
                "每 24 小时多少 wei；none 不限；default 按设置", "Wei in 24 hours; none: no limit; default: as set"
            ),
        ),
    ] = "",
) -> Answer:
    from ..keeper.working import now_ms
    from ..store.service import relays
    from ..store.service.audit import audit

    who = parse_address(platform, "ADDRESS")
    store, screen = session.store(), session.screen
    contract = session.book().info().id
    if daily:
        with store.writing() as writing:
            if daily == "default":
                relays.forget_budget(writing, contract, who)
            else:
                relays.set_budget(writing, contract, who, None if daily == "none" else _wei(daily))
            audit(writing, "kameng relay-budget", "budget.set", who, {"daily": daily})
    default = session.settings.relayer_platform_budget
    with store.reading() as reading:
        has = relays.allowance(reading, contract, who, default=default, now_ms=now_ms())
        own = who in relays.budgets(reading, contract)
    limit = screen.say("不限", "no limit") if has.limit is None else COIN.show(has.limit)
    source = screen.say("单独设定", "set for it") if own else screen.say("按设置", "as the settings say")
    used = COIN.show(has.spent + has.under_way)
    line = screen.say(
        f"平台 {who} 的中继 24 小时预算 {limit}（{source}），已用 {used}",
        f"Relaying for {who} may cost {limit} in 24 hours ({source}); {used} are spent or set aside",
    )
    data = {
        "platform": who,
        "daily": None if has.limit is None else str(has.limit),
        "own": own,
        "spent": str(has.spent),
        "under_way": str(has.under_way),
    }
    return Answer(data, [line])


def _wei(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 30:
        raise BadInput(
            f"预算应为整数 wei、none 或 default，不能是 {text!r}。",
            f"A budget is a whole number of wei, none or default, not {text!r}.",
        )
    return int(text)


def _tell(session: Session, news: "News") -> None:
    text = news_text(session.screen, news)
    if text is not None:
        session.screen.show(text)


def _exit_code(done: "RelayReport", *, interrupted: bool) -> int:
    """0: all that was accepted is brought, or another relayer is at it; see the manual's page for the rest."""
    if not done.leading or done.complete:
        return 0
    if interrupted:
        return INTERRUPTED
    return REFUSED if _NO_MONEY & {error.code for error in done.conditions} else CHECK_FAILED
