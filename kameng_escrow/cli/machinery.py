"""`compile`, `doctor`: the tools around the tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ..chinese import chinese
from .command import CHAIN, STORE, both, command
from .problems import CHECK_FAILED
from .screen import Answer
from .session import Session

if TYPE_CHECKING:
    from ..doctor import Finding


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    command(
        app,
        "compile",
        zh="编译合约，写出随包发布的产物（需在源码目录里运行）",
        en="Compile the contracts into the artifacts that the package ships (in a checkout)",
    )(compile_)
    command(
        app,
        "doctor",
        zh="体检：装了什么、连得上什么、哪里不匹配，各该怎么办",
        en="Check-up: what is installed, reachable, mismatched, and what to do",
        uses=CHAIN + STORE,
    )(doctor)


def compile_(
    session: Session,
    output: Annotated[
        Path | None, typer.Option("--output", help=both("产物写到这个文件夹", "Write the artifacts to this folder"))
    ] = None,
) -> Answer:
    from ..chain.compiler import ARTIFACTS, compile_contracts, find_root, write_artifacts

    screen = session.screen
    root = find_root()
    artifacts = compile_contracts(root, report=lambda line: screen.note(line, line))
    changed = write_artifacts(artifacts, output or root / ARTIFACTS)
    names = [path.name for path in changed]
    if changed:
        text = screen.say(f"已写出 {len(changed)} 个产物：{'、'.join(names)}", f"Wrote {', '.join(names)}")
    else:
        text = screen.say(f"{len(artifacts)} 个产物都是最新的", f"All {len(artifacts)} artifacts are up to date")
    return Answer({"contracts": [a.name for a in artifacts], "written": [str(path) for path in changed]}, [text])


def doctor(session: Session) -> Answer:
    from ..doctor import Finding, Level, examine

    screen = session.screen
    findings: list[Finding] = []
    marks = {Level.Ok: ("✓", "green"), Level.Warn: ("!", "yellow"), Level.Fail: ("✗", "red")}
    for finding in examine(session.settings):
        findings.append(finding)
        mark, style = marks[finding.level]
        screen.show(Text.assemble((mark, style), " ", screen.say(_zh(finding), finding.en)))
    failed = sum(finding.level is Level.Fail for finding in findings)
    data = {
        "ok": not failed,
        "findings": [{"code": f.code, "level": f.level.value, "message": f.en, "message_zh": _zh(f)} for f in findings],
    }
    last = screen.say(f"{failed} 项有问题", f"{failed} to repair") if failed else screen.say("一切就绪", "All is well")
    return Answer(data, ["", last], exit_code=CHECK_FAILED if failed else 0)


def _zh(finding: "Finding") -> str:
    """The finding in Chinese, also where the error that it was found by speaks only English."""
    own = finding.error is None or finding.zh != finding.error.message
    return finding.zh if own or finding.error is None else chinese(finding.error)
