"""`kameng reputation`: what an account's closed orders say of it, from the store or from any node."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from ..domain.reputation import ONE, Kind, Tally, Yardstick
from ..errors import EscrowError
from .command import NODE, STORE, both, command
from .forms import clock, iso, parse_address
from .network import stop_on_signals
from .screen import Answer, Screen
from .session import Session

if TYPE_CHECKING:
    from ..mirror import Progress
    from ..store.service.reputation import Reckoning

KINDS: dict[Kind, tuple[str, str]] = {
    Kind.Good: ("顺利", "good"),
    Kind.Bad: ("有责", "at fault"),
    Kind.Neutral: ("无责且无手续费", "neutral"),
    Kind.Unanswered: ("无人接单", "unanswered"),
    Kind.Returned: ("协商全退", "returned by agreement"),
    Kind.SelfTrade: ("自己与自己", "with itself"),
    Kind.Mutual: ("互相买卖", "in both directions"),
    Kind.Dust: ("手续费太小", "dust"),
    Kind.Unlisted: ("代币或平台不在名单", "token or platform not listed"),
}


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    command(
        app,
        "reputation",
        zh="一个账户的信誉：买卖分开、按责任、可复算（--from-chain 直接从节点复算）",
        en="An account's reputation by its closed orders; --from-chain recomputes it from any node",
        uses=(*NODE, *STORE, "reputation_tokens", "reputation_platforms"),
    )(reputation)


def reputation(
    session: Session,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help=both("账户地址", "The account"))],
    from_chain: Annotated[
        bool,
        typer.Option(
            "--from-chain",
            help=both("不看数据库，读节点上的全部日志复算", "Recompute from the node's logs, not the store"),
        ),
    ] = False,
    at_block: Annotated[
        int | None,
        typer.Option(
            "--at-block",
            min=1,
            help=both("算到这个区块为止；缺省为最后的最终区块", "As of this block; else of the last final one"),
        ),
    ] = None,
) -> Answer:
    from .. import bootstrap
    from ..books.reputation import from_store

    account = parse_address(address, "ADDRESS")
    yardstick = bootstrap.make_yardstick(session.settings)
    if from_chain:
        found = _from_chain(session, account, yardstick, at_block)
    else:
        found = from_store(session.store(), session.book().info(), account, yardstick, at_block=at_block)
    return Answer({**reckoning_data(found), "source": "chain" if from_chain else "store"}, _lines(session, found))


def _from_chain(session: Session, account: str, yardstick: Yardstick, at_block: int | None) -> "Reckoning":
    from .. import bootstrap
    from ..books.reputation import from_chain

    with reading_chain(session) as (stop, report):
        return from_chain(
            bootstrap.make_source(session.node()),
            bootstrap.make_target(session.deployment()),
            account,
            yardstick,
            at_block=at_block,
            stop=stop,
            progress=report,
        )


@contextmanager
def reading_chain(session: Session) -> "Iterator[tuple[threading.Event, Callable[[Progress], None]]]":
    """A bar, and an event that Ctrl-C sets, for whoever reads the whole chain."""
    stop = threading.Event()
    with ExitStack() as stack:
        stop_on_signals(stack, stop)
        tick = stack.enter_context(
            session.screen.progress("读取区块", "reading blocks", unit=session.screen.say("块", "blocks"))
        )
        try:
            yield stop, lambda progress: tick(progress.done, progress.total)
        except EscrowError as error:
            if stop.is_set():  # what was read so far is not enough for an answer
                raise KeyboardInterrupt from error
            raise


def reckoning_data(found: "Reckoning") -> dict[str, Any]:
    """A reputation for machines, with all that is needed to recompute it."""
    platforms = found.yardstick.platforms
    return {
        "account": found.reputation.account,
        "as_of": {
            "block": found.as_of.number,
            "block_hash": found.as_of.hash,
            "time": iso(found.as_of.timestamp),
            "timestamp": found.as_of.timestamp,
        },
        "yardstick": {
            "units": {token: str(unit) for token, unit in sorted(found.yardstick.units.items())},
            "platforms": None if platforms is None else sorted(platforms),
        },
        "as_buyer": tally_data(found.reputation.as_buyer),
        "as_seller": tally_data(found.reputation.as_seller),
    }


def tally_data(tally: Tally) -> dict[str, Any]:
    """One role's part; weights and shares in millionths."""
    return {
        "orders": tally.orders,
        "counts": {kind.value: tally.counts[kind] for kind in Kind},
        "counterparties": tally.counterparties,
        "good": tally.good,
        "bad": tally.bad,
        "rate": tally.rate,
        "lower": tally.lower,
        "upper": tally.upper,
        "fees": {token: str(fee) for token, fee in tally.fees.items()},
    }


def _lines(session: Session, found: "Reckoning") -> list[RenderableType]:
    screen = session.screen
    as_of, account = found.as_of, found.reputation.account
    lines: list[RenderableType] = [
        screen.say(
            f"{account}，截至区块 {as_of.number:,}（{clock(as_of.timestamp)}）",
            f"{account}, as of block {as_of.number:,} ({clock(as_of.timestamp)})",
        )
    ]
    for zh, en, tally in (
        ("作为卖家", "As a seller", found.reputation.as_seller),
        ("作为买家", "As a buyer", found.reputation.as_buyer),
    ):
        lines += [f"{screen.say(zh, en)}{screen.say('：', ': ')}{_verdict(screen, tally)}", *_details(session, tally)]
    if found.yardstick.platforms is None:
        lines.append(
            screen.say(
                "! 没有限定平台：自建平台刷单不花手续费（--reputation-platforms）",
                "! no platforms are named: a cheat's own costs him nothing (--reputation-platforms)",
            )
        )
    return lines


def _verdict(screen: Screen, tally: Tally) -> str:
    if tally.rate is None:
        return screen.say(f"{tally.orders} 单，还没有可算的", f"{tally.orders} orders, none that counts yet")
    low, high = _percent(tally.lower), _percent(tally.upper)
    return screen.say(
        f"好评 {_percent(tally.rate)}（95% 置信 {low} – {high}），{tally.counterparties} 个对手，{tally.orders} 单",
        f"{_percent(tally.rate)} good (95 %: {low} – {high}), {tally.counterparties} counterparties, "
        f"{tally.orders} orders",
    )


def _details(session: Session, tally: Tally) -> list[str]:
    screen = session.screen
    parts = [f"{screen.say(*KINDS[kind])} {number}" for kind, number in tally.counts.items() if number]
    fees = [session.currency(token).show(fee) for token, fee in tally.fees.items()]
    lines = [f"  {' · '.join(parts)}"] if parts else []
    if fees:
        lines.append(screen.say(f"  已付平台手续费 {'、'.join(fees)}", f"  platform fees paid: {', '.join(fees)}"))
    return lines


def _percent(millionths: int) -> str:
    return f"{millionths * 100 / ONE:.1f} %"
