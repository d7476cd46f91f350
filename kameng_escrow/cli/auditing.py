"""`kameng audit`: what staff did, and whether the record of it is whole."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .command import STORE, both, command
from .forms import clock, iso, short
from .problems import CHECK_FAILED, BadInput
from .screen import Answer, Screen
from .session import Session

if TYPE_CHECKING:
    from ..store.service.audit import Entry
    from ..store.service.audit_check import Flaw

_WORDS: dict[str, tuple[str, str]] = {
    "missing": ("这里少了记录", "entries are missing here"),
    "altered": ("记录被改过", "the entry was altered"),
    "unlinked": ("没有接在前一条之后", "it does not follow on the one before"),
    "details_altered": ("细节被改过", "its details were altered"),
    "erased_silently": ("细节没了，却没有记录说明", "its details are gone, and no entry says so"),
    "truncated": ("末尾被截掉了", "the end was cut off"),
    "rewritten": ("与公布过的链头不同", "it is not the one that was published"),
}


def register(app: typer.Typer) -> None:
    """Adds the commands to the group `app`."""
    command(app, "list", zh="列出员工做过的事，最近的在前", en="What staff did, newest first", uses=STORE)(list_)
    command(
        app,
        "verify",
        zh="核对整条记录：改动、删除、调换、截断都会被发现",
        en="Check the whole log: changes, deletions, reorderings and a cut-off end show",
        uses=STORE,
    )(verify)
    command(
        app,
        "erase",
        zh="抹除一条的细节（如其中的个人数据）；哈希留下，另记一条说明",
        en="Erase an entry's details, such as personal data in them: the hash stays, and a further entry says so",
        uses=STORE,
    )(erase)


def list_(
    session: Session,
    platform: Annotated[
        str,
        typer.Option("--platform", metavar="ADDRESS", help=both("只看此平台员工的", "Only of this platform's staff")),
    ] = "",
    subject: Annotated[str, typer.Option("--subject", help=both("只看关于此对象的", "Only about this"))] = "",
    actor: Annotated[str, typer.Option("--actor", help=both("只看此人做的", "Only what this one did"))] = "",
    before: Annotated[
        int | None, typer.Option("--before", min=1, help=both("只看这一条之前的", "Only those before this position"))
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help=both("最多几条", "At most so many"))] = 50,
) -> Answer:
    from ..store.service.audit import entries

    store = session.store()
    store.check_schema()
    with store.reading() as reading:
        found = entries(
            reading,
            platform=platform or None,
            subject=subject or None,
            actor=actor or None,
            before=before,
            limit=limit,
        )
    screen = session.screen
    if not found:
        return Answer({"entries": []}, [screen.say("没有记录", "There are no entries")])
    table = screen.table(
        ("序号", "No."), ("时间", "Time"), ("谁", "Who"), ("做了什么", "What"), ("对象", "To"), right=(0,)
    )
    for entry in found:
        at = clock(entry.at_ms // 1000)
        table.add_row(str(entry.position), at, short(entry.actor), entry.action, short(entry.subject))
    return Answer({"entries": [entry_data(entry) for entry in found]}, [table])


def verify(
    session: Session,
    head: Annotated[
        str,
        typer.Option(
            "--head",
            metavar="N:0x…",
            help=both(
                "公布过的链头；没有它就看不出末尾被截",
                "A head that was published: without one, a cut-off end does not show",
            ),
        ),
    ] = "",
) -> Answer:
    from ..store.service.audit import Head, count
    from ..store.service.audit_check import verify as check

    published: Head | None = None
    if head:
        try:
            published = Head.parse(head)
        except ValueError as error:
            raise BadInput(
                f"--head 应像 12:0x…，不能是 {head!r}。", f"--head looks like 12:0x…, not {head!r}."
            ) from error
    store, screen = session.store(), session.screen
    store.check_schema()
    with store.reading() as reading, screen.progress("核对", "checking", unit=screen.say("条", "entries")) as tick:
        total = count(reading)
        found = check(reading, published=published, progress=lambda done: tick(done, total))
    data: dict[str, Any] = {
        "whole": not found.flaws,
        "entries": found.entries,
        "erased": found.erased,
        "head": str(found.head),
        "flaws": [{"kind": flaw.kind.value, "position": flaw.position} for flaw in found.flaws],
    }
    if found.flaws:
        return Answer(data, [_flaw(screen, flaw) for flaw in found.flaws], exit_code=CHECK_FAILED)
    text = screen.say(
        f"✓ {found.entries:,} 条，环环相扣；其中 {found.erased:,} 条的细节已按规定抹除",
        f"✓ {found.entries:,} entries, each linked to the one before; the details of {found.erased:,} are erased",
    )
    return Answer(data, [text, screen.say(f"  链头 {found.head}", f"  head {found.head}")])


def erase(
    session: Session,
    position: Annotated[int, typer.Argument(metavar="N", min=1, help=both("哪一条", "Which entry"))],
    reason: Annotated[str, typer.Option("--reason", help=both("为什么，会写进日志", "Why: the log keeps it"))],
) -> Answer:
    from ..store.service.audit import ERASED, entries, erase_details

    if not reason.strip():
        raise BadInput("请用 --reason 写明原因。", "Say why with --reason.")
    store, screen = session.store(), session.screen
    store.check_schema()
    with store.writing() as writing:
        found = entries(writing, before=position + 1, limit=1)
        if found and found[0].position == position and found[0].action == ERASED:
            raise BadInput(
                f"第 {position} 条记的就是一次抹除，必须留下。",
                f"Entry {position} tells of an erasure itself: it stays.",
            )
        told = erase_details(writing, position, actor="kameng audit erase", reason=reason.strip())
    text = screen.say(
        f"✓ 第 {position} 条的细节已抹除，见第 {told.position} 条",
        f"✓ The details of entry {position} are erased, as entry {told.position} says",
    )
    return Answer({"erased": position, "told_by": entry_data(told)}, [text])


def entry_data(entry: "Entry") -> dict[str, Any]:
    """An entry for machines, with all that its hash covers."""
    return {
        "position": entry.position,
        "at": iso(entry.at_ms // 1000),
        "at_ms": entry.at_ms,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "platform": entry.platform,
        "details": entry.details,
        "details_hash": entry.details_hash,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def _flaw(screen: Screen, flaw: "Flaw") -> str:
    return (
        f"✗ {screen.say('第', 'no.')} {flaw.position}{screen.say(' 条：', ': ')}{screen.say(*_WORDS[flaw.kind.value])}"
    )
