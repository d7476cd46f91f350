"""The tree of commands."""

from typing import Annotated, Any

import typer
from typer.main import get_command

from .. import __version__
from . import machinery
from .command import both, group


def build() -> Any:
    """The whole tree, with help in both languages."""
    app = group(
        "kameng",
        "卡密订单托管：钱在合约里，每个状态都有时限和结果。",
        "Escrow for game-card orders: money in a contract, and a clock with an outcome for every state.",
    )
    app.callback(invoke_without_command=True)(_root)
    machinery.register(app)
    return get_command(app)


def _root(
    version: Annotated[bool, typer.Option("--version", help=both("打印版本号", "Print the version"))] = False,
    lang: Annotated[  # `main` hands this and the next on to the command
        str, typer.Option("--lang", metavar="zh|en", help=both("输出语言", "Language of the output"))
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help=both("输出给程序读的 JSON", "Answer in JSON, for machines"))
    ] = False,
) -> None:
    del lang, as_json
    if version:
        typer.echo(f"kameng_escrow {__version__}")
        raise typer.Exit
