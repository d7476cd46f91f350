"""`kameng notifier`: tells endpoints and people what happened."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .command import NODE, STORE, both, command
from .problems import CHECK_FAILED, INTERRUPTED
from .running import running
from .running_options import LogJson, MetricsPort, Poll
from .screen import Answer, Screen
from .session import Session

if TYPE_CHECKING:
    from ..notify import NotifierReport

TELLING = (
    *("public_url", "seal_key_file", "webhook_loopback", "mail_file", "telegram_token_file"),
    *("push_key_file", "push_contact", "notify_hosts"),
)


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    command(
        app,
        "notifier",
        zh="通知程序：把订单变化发给 webhook 端点和用户（缺省一直跟随，--once 发完就结束）",
        en="Tell webhook endpoints and people what happened: go on until Ctrl-C, or --once",
        uses=NODE + STORE + TELLING,
    )(notifier)


def notifier(
    session: Session,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help=both("发完现在该发的就结束，供 cron 使用", "Send what is due now, and end: for cron")
        ),
    ] = False,
    at_once: Annotated[
        int,
        typer.Option(
            "--at-once", min=1, max=256, help=both("最多同时有几个 webhook 请求", "Webhook requests under way")
        ),
    ] = 32,
    each: Annotated[
        int,
        typer.Option(
            "--each", min=1, max=32, help=both("同一端点最多同时几个请求", "Of those, at one and the same endpoint")
        ),
    ] = 4,
    wait: Annotated[
        float,
        typer.Option("--wait", min=1, max=60, help=both("等端点回答几秒", "Seconds to wait for an endpoint's answer")),
    ] = 20.0,
    poll: Poll = 1.0,
    metrics: MetricsPort = None,
    log_json: LogJson = False,
) -> Answer:
    from .. import bootstrap
    from ..client import EscrowClient
    from ..notify import NotifierMetrics

    deployment = session.deployment()
    store = session.store()
    store.check_schema()
    telling = bootstrap.make_telling(
        session.settings, deployment, EscrowClient(node=session.node(), contract=deployment)
    )
    counted = NotifierMetrics()
    with running(session, counted, port=metrics, log_json=log_json) as run:
        if not telling.sealer.seals:
            session.screen.note(
                "! 没有 KAMENG_SEAL_KEY_FILE：webhook 密钥和通知地址明文存放在数据库里",
                "! Without KAMENG_SEAL_KEY_FILE webhook secrets and people's addresses lie in the store as they are",
            )
        works = run.holding(
            telling.notifier(
                store,
                bootstrap.open_book(store, deployment),
                queue={"at_once": at_once, "at_once_each": each},
                timeout_seconds=wait,
                metrics=counted,
            )
        )
        go = works.run_once if once else partial(works.follow, poll_seconds=poll)
        done = go(run.stop, trouble=run.trouble)
    code = _exit_code(done, interrupted=run.stop.is_set()) if once else 0
    return Answer(_data(done), _lines(session.screen, done), exit_code=code)


def _exit_code(done: "NotifierReport", *, interrupted: bool) -> int:
    """0: all that was due was taken, or another notifier is at it."""
    if interrupted:
        return INTERRUPTED
    return CHECK_FAILED if done.leading and done.failed else 0


def _data(done: "NotifierReport") -> dict[str, Any]:
    return {
        "leading": done.leading,
        "webhooks": done.webhooks,
        "messages": done.messages,
        "failed": done.failed,
        "disabled": done.disabled,
        "waiting": done.waiting,
    }


def _lines(screen: Screen, done: "NotifierReport") -> list[str]:
    if not done.leading:
        return [screen.say("另一个通知程序在运行", "Another notifier is at work")]
    lines = [
        screen.say(
            f"✓ 送达 {done.webhooks:,} 个 webhook、{done.messages:,} 条通知",
            f"✓ {done.webhooks:,} webhooks and {done.messages:,} messages were taken",
        )
    ]
    if done.failed:
        lines.append(
            screen.say(
                f"  ! {done.failed:,} 次没有送达，{done.waiting:,} 个 webhook 等着再试",
                f"  ! {done.failed:,} attempts failed; {done.waiting:,} webhooks wait for their next",
            )
        )
    if done.disabled:
        lines.append(screen.say(f"  ! 停用了 {done.disabled} 个端点", f"  ! {done.disabled} endpoints were disabled"))
    return lines
