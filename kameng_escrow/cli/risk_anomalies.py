"""`kameng risk anomalies`: what is out of the ordinary among a platform's orders."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .command import STORE, both, command
from .forms import clock, iso, parse_address, parse_duration
from .problems import BadInput
from .screen import Answer, Screen
from .session import Session

if TYPE_CHECKING:
    from ..store.service.anomalies import AnomalyRow

KINDS = ("velocity", "ring", "price", "disputer", "code_reuse", "mediator_bias", "failure")
SEVERITIES = ("low", "medium", "high")
_KIND_NAMES: dict[str, tuple[str, str]] = {
    "velocity": ("订单激增", "burst"),
    "ring": ("自买自卖", "self-dealing"),
    "price": ("异常价格", "odd price"),
    "disputer": ("频繁争议", "serial disputer"),
    "code_reuse": ("卡密重复", "code again"),
    "mediator_bias": ("仲裁偏向", "mediator's bias"),
    "failure": ("突然失败", "sudden failure"),
}
_SEVERITY_NAMES: dict[str, tuple[str, str]] = {"low": ("低", "low"), "medium": ("中", "medium"), "high": ("高", "high")}


def register(risk: typer.Typer) -> None:
    """Adds the command to the group `risk`."""
    command(
        risk,
        "anomalies",
        zh="一个平台的异常：订单激增、自买自卖、异常价格、频繁争议、卡密重复、仲裁偏向、突然失败",
        en="A platform's alarms: bursts, self-dealing, odd prices, serial disputers, codes again, bias, sudden failure",
        uses=STORE,
    )(anomalies)


def anomalies(
    session: Session,
    platform: Annotated[
        str,
        typer.Option(
            "--platform",
            metavar="ADDRESS",
            help=both("平台；只有一个时可省", "The platform; where there is one, it is that"),
        ),
    ] = "",
    kind: Annotated[
        str,
        typer.Option(
            "--kind", metavar="KIND,KIND…", help=both(f"只看：{', '.join(KINDS)}", f"Only these: {', '.join(KINDS)}")
        ),
    ] = "",
    severity: Annotated[
        str, typer.Option("--severity", metavar="low|medium|high", help=both("至少这么严重的", "At least as severe"))
    ] = "low",
    since: Annotated[
        str,
        typer.Option("--since", metavar="7d", help=both("只看近期有新发现的", "Only with recent findings")),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help=both("最多几条", "At most so many"))] = 50,
    learn: Annotated[
        bool,
        typer.Option(
            "--learn",
            help=both(
                "先学完已确认的事件（后台进程自己会做）", "First learn from what is final, as the worker does by itself"
            ),
        ),
    ] = False,
) -> Answer:
    from ..store.service import anomalies as rows

    kinds = _words(kind, KINDS, "--kind")
    if severity not in SEVERITIES:
        raise _no_word("--severity", severity, SEVERITIES)
    store, screen = session.store(), session.screen
    store.check_schema()
    info = session.book().info()
    if learn:
        from ..risk.libraries import need_anomaly_libraries

        need_anomaly_libraries()
        from ..risk.anomalies.following import AnomalyFollower

        AnomalyFollower(store, info.id).look()
    account = choose_platform(session, platform)
    period = parse_duration(since, "时间", "The time") if since else None
    with store.reading() as reading:
        page = rows.anomalies(
            reading,
            info.id,
            account,
            kinds=kinds,
            severities=SEVERITIES[SEVERITIES.index(severity) :],
            updated_since=None if period is None else info.marks.seen_at - period,
            limit=limit,
        )
        known = rows.read_cursor(reading, info.id)
    data = {
        "platform": account,
        "learned_to_block": None if known.block_number < 0 else known.block_number,
        "anomalies": [anomaly_data(one) for one in page.anomalies],
    }
    if not page.anomalies:
        return Answer(data, [_nothing(screen, known.block_number)])
    return Answer(data, [line for one in page.anomalies for line in _lines(screen, one)])


def choose_platform(session: Session, text: str) -> str:
    """The platform that is meant: the only one with orders where none is named. Raises `BadInput`."""
    from ..store.service.order_steps import platforms_with_orders

    if text:
        return parse_address(text, "--platform")
    with session.store().reading() as reading:
        known = platforms_with_orders(reading, session.book().info().id)
    if len(known) == 1:
        return known[0]
    if not known:
        raise BadInput("数据库里还没有订单。", "There are no orders in the store yet.")
    raise BadInput(
        f"数据库里有 {len(known)} 个平台，请用 --platform 指定：{'、'.join(known[:5])}",
        f"The store has orders of {len(known)} platforms: name one with --platform: {', '.join(known[:5])}",
    )


def anomaly_data(one: "AnomalyRow") -> dict[str, Any]:
    """An alarm for machines."""
    return {
        "id": one.id,
        "kind": one.kind,
        "severity": one.severity,
        "role": one.role,
        "who": one.who,
        "about": one.about,
        "with_whom": one.with_whom,
        "since": iso(one.since),
        "raised_at": iso(one.raised_at),
        "updated_at": iso(one.updated_at),
        "findings": one.findings,
        "orders": one.orders,
        "numbers": one.numbers,
        "sentence_en": one.sentence_en,
        "sentence_zh": one.sentence_zh,
    }


def _lines(screen: Screen, one: "AnomalyRow") -> list[str]:
    since, last = clock(one.since), clock(one.updated_at)
    kind, severity = screen.say(*_KIND_NAMES[one.kind]), screen.say(*_SEVERITY_NAMES[one.severity])
    return [
        screen.say(
            f"{clock(one.raised_at)}  [{severity}] {kind}：{one.sentence_zh}",
            f"{clock(one.raised_at)}  [{severity}] {kind}: {one.sentence_en}",
        ),
        screen.say(
            f"    始于 {since}，最近 {last}，共 {one.findings} 次；订单 {len(one.orders)} 笔",
            f"    since {since}, last {last}, {one.findings} times; {len(one.orders)} orders",
        ),
    ]


def _nothing(screen: Screen, learned_to: int) -> str:
    if learned_to < 0:
        return screen.say(
            "还没有学过任何事件：请运行 risk 进程，或加 --learn",
            "Nothing was learned yet: run the risk worker, or add --learn",
        )
    return screen.say(
        f"没有异常（已学到区块 {learned_to:,}）", f"Nothing out of the ordinary (up to block {learned_to:,})"
    )


def _words(text: str, known: tuple[str, ...], option: str) -> list[str]:
    named = [word.strip() for word in text.split(",") if word.strip()]
    for word in named:
        if word not in known:
            raise _no_word(option, word, known)
    return named


def _no_word(option: str, word: str, known: tuple[str, ...]) -> BadInput:
    return BadInput(
        f"{option} 没有 {word!r}：应为 {'、'.join(known)}。",
        f"{option} knows no {word!r}: it is one of {', '.join(known)}.",
    )
