"""`kameng retention`: what is kept too long, and what a person asks to have erased."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from .command import STORE, both, command
from .forms import parse_address, parse_duration
from .problems import BadInput
from .screen import Answer, Screen
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..store.service.retention import Kind, PersonalKind

_DAY = 86_400


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    command(
        app,
        "retention",
        zh="保管期限：哪些该抹除了、某人要求抹除什么；缺省只看不动，--erase 才动手",
        en="What is kept too long, or a person asks to have erased: shows it, and erases it with --erase",
        uses=("contract", "chain_id", "deployments", "files", *STORE),
    )(retention)


def retention(
    session: Session,
    erase: Annotated[bool, typer.Option("--erase", help=both("真的抹除", "Really erase it"))] = False,
    older_than: Annotated[
        str,
        typer.Option(
            "--older-than",
            metavar="TIME",
            help=both(
                "订单结束多久之后；交易记录至少三年", "How long after the order's end; records at least three years"
            ),
        ),
    ] = "",
    only: Annotated[
        str, typer.Option("--only", metavar="LIST", help=both("只要这几类，逗号分隔", "Only these kinds, with commas"))
    ] = "",
    account: Annotated[
        str,
        typer.Option(
            "--account", metavar="ADDRESS", help=both("应此人要求抹除", "What this account asks to have erased")
        ),
    ] = "",
    records_too: Annotated[
        bool,
        typer.Option(
            "--records-too",
            help=both(
                "--account：未满三年的交易记录也抹除",
                "--account: also records of transactions of less than three years",
            ),
        ),
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help=both("--account：为什么，写进审计日志", "--account: why, for the audit log"))
    ] = "",
) -> Answer:
    from ..store.service import retention as keeping

    book, store = session.book(), session.store()
    now = int(time.time())
    if account:
        if only or older_than:
            raise BadInput(
                "--account 不能与 --only、--older-than 同用。", "--account goes without --only and --older-than."
            )
        if erase and not reason.strip():
            raise BadInput(
                "请用 --reason 写明原因，它会记入审计日志。", "Say why with --reason: the audit log keeps it."
            )
        who = parse_address(account, "--account")
        if erase:
            counts = keeping.erase_account(
                store, book.info().id, who, now=now, reason=reason.strip(), records_too=records_too
            )
            _sweep(session)
        else:
            counts = keeping.personal(store, book.info().id, who, now=now, records_too=records_too)
        return _answer(session.screen, counts, keeping.PERSONAL, erase)
    if records_too or reason:
        raise BadInput("--records-too 和 --reason 只用于 --account。", "--records-too and --reason are for --account.")
    days = keeping.LEGAL_DAYS
    if older_than:
        days = parse_duration(older_than, "--older-than", "--older-than") // _DAY
    names = [word.strip() for word in only.split(",") if word.strip()] or [kind.name for kind in keeping.KINDS]
    known = {kind.name: kind for kind in keeping.KINDS}
    if unknown := [name for name in names if name not in known]:
        raise BadInput(
            f"--only 里没有 {'、'.join(unknown)} 这类：有 {'、'.join(known)}。",
            f"--only knows no {', '.join(unknown)}: there are {', '.join(known)}.",
        )
    if erase:
        with session.screen.progress("抹除", "erasing", unit=session.screen.say("条", "records")) as tick:
            counts = keeping.clear(
                store, book.info().id, names, now=now, days=days, progress=lambda name, done: tick(done, None, name)
            )
        _sweep(session)
    else:
        found = keeping.due(store, book.info().id, now=now, days=days)
        counts = {name: found[name] for name in names}
    return _answer(session.screen, counts, [known[name] for name in names], erase)


def _sweep(session: Session) -> None:
    """Takes the files from the disk that no room names any more."""
    from .. import bootstrap
    from ..talk.upkeep import tidy

    if session.settings.files.is_dir():
        tidy(session.store(), bootstrap.open_files(session.settings), now_ms=int(time.time() * 1000))


def _answer(screen: Screen, counts: "Mapping[str, int]", kinds: "Sequence[Kind | PersonalKind]", erase: bool) -> Answer:
    table = screen.table(("类", "Kind"), ("数量", "Number"), ("是什么", "What goes"), right=(1,))
    for kind in kinds:
        table.add_row(kind.name, f"{counts[kind.name]:,}", screen.say(kind.zh, kind.en))
    last = (
        screen.say("✓ 已抹除，并记入审计日志", "✓ erased, and written into the audit log")
        if erase
        else screen.say("只看未动：加 --erase 才会抹除", "Nothing was erased: that takes --erase")
    )
    return Answer({"erased": erase, "counts": dict(counts)}, [table, last])
