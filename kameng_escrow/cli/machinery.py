"""`compile`, `doctor`: the tools around the tools."""

from pathlib import Path
from typing import Annotated

import typer

from .command import both, command
from .screen import Answer
from .session import Session


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    command(
        app,
        "compile",
        zh="编译合约，写出随包发布的产物（需在源码目录里运行）",
        en="Compile the contracts into the artifacts that the package ships (in a checkout)",
    )(compile_)


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
