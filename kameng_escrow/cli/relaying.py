"""`kameng relayer`: brings what others signed; `kameng relay-budget`: what a platform's relays may cost."""

from typing import TYPE_CHECKING, Annotated

import typer

from .command import NODE, STORE, both, command
from .forms import parse_address
from .keeper_views import COIN
from .problems import BadInput
from .relayer_views import data_of, lines_of, news_text, overview_panel, relay_data
from .running import exit_code_of, running
from .running_options import InFlight, LogJson, MetricsPort, Patience, Poll, StuckAfter
from .screen import Answer
from .session import Session

if TYPE_CHECKING:
    from ..keeper import News

RELAYER = (
    "relayer_key_file",
    "relayer_passphrase_file",
    "relayer_max_fee",
    "relayer_budget",
    "relayer_low_balance",
    "relayer_platform_budget",
    "relayer_new_budget",
    "relayer_account_limit",
    "deposit_confirmations",
    "deposit_least",
)


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
        uses=(*NODE, *STORE, "relayer_platform_budget", "relayer_new_budget"),
    )(relay_budget)


def relayer(
    session: Session,
    once: Annotated[
        bool,
        typer.Option("--once", help=both("送完就结束，供 cron 使用", "End once everything is brought: for cron")),
    ] = False,
    in_flight: InFlight = 16,
    confirmations: Annotated[
        int,
        typer.Option("--confirmations", min=1, max=100, help=both("几个区块之后算最终", "Blocks until it is final")),
    ] = 12,
    stuck_after: StuckAfter = 30.0,
    patience: Patience = 60.0,
    poll: Poll = 1.0,
    metrics: MetricsPort = None,
    log_json: LogJson = False,
) -> Answer:
    from .. import bootstrap
    from ..relay import RelayerMetrics

    account = bootstrap.relayer_signer(session.settings, session.ask_passphrase)
    deployment = session.deployment()
    store = session.store()
    store.check_schema()
    counted = RelayerMetrics()
    with running(session, counted, port=metrics, log_json=log_json) as run:
        works = run.holding(
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
        if once:
            done = works.run_once(run.stop, patience_seconds=patience, trouble=run.trouble)
        else:
            looked = run.drawing(lambda part: overview_panel(session.screen, works.overview(part)))
            done = works.follow(run.stop, poll_seconds=poll, trouble=run.trouble, looked=looked)
        seen = works.overview(None)
    data = {**data_of(done), "account": account.address, "last": [relay_data(one) for one in seen.latest]}
    code = exit_code_of(done, interrupted=run.stop.is_set()) if once else 0
    return Answer(data, lines_of(session.screen, done), exit_code=code)


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
    from ..relay.budgets import purses_of
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
    settings = session.settings
    with store.reading() as reading:
        own = who in relays.budgets(reading, contract)
        each, new = settings.relayer_platform_budget, settings.relayer_new_budget
        purse, *shared = purses_of(reading, contract, who, each=each, new=new, now_ms=now_ms())
        has = purse.has
    limit = screen.say("不限", "no limit") if has.limit is None else COIN.show(has.limit)
    if own:
        source = screen.say("单独设定", "set for it")
    elif shared:
        source = screen.say("新平台的份额", "the share of a platform that is new here")
    else:
        source = screen.say("按设置", "as the settings say")
    used = COIN.show(has.spent + has.under_way)
    line = screen.say(
        f"平台 {who} 的中继 24 小时预算 {limit}（{source}），已用 {used}",
        f"Relaying for {who} may cost {limit} in 24 hours ({source}); {used} are spent or set aside",
    )
    data = {
        "platform": who,
        "daily": None if has.limit is None else str(has.limit),
        "own": own,
        "new": bool(shared),
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
