"""How a function becomes a command: with the settings it needs as flags, `--json`, `--lang`, and help in two languages.

A command's function gets a `Session` and its own arguments, and returns an `Answer`.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Concatenate, ParamSpec, get_type_hints

import typer
from typer.core import TyperGroup

from ..settings import TABLE, Settings
from .problems import INTERRUPTED
from .screen import Answer, Screen
from .session import Session

P = ParamSpec("P")

NODE = ("rpc_url", "rpc_fallbacks", "chain_id", "contract", "deployments", "timeout")
KEY = ("key_file", "passphrase_file")
STORE = ("store",)
CHAIN = NODE + KEY  # what signing and sending needs

_SEPARATOR = "\x1f"


def both(zh: str, en: str) -> str:
    """A help text in two languages; `localize` leaves one."""
    return f"{zh}{_SEPARATOR}{en}"


def group(name: str, zh: str, en: str, cls: type["Group"] | None = None) -> typer.Typer:
    """An empty group of commands."""
    return typer.Typer(name=name, help=both(zh, en), cls=cls or Group, add_completion=False)


def command(
    app: typer.Typer, name: str, *, zh: str, en: str, uses: Sequence[str] = (), own_json: bool = False
) -> Callable[[Callable[Concatenate[Session, P], Answer | None]], Callable[Concatenate[Session, P], Answer | None]]:
    """Registers a function under `app`.

    `uses` names the settings that it needs as flags. `own_json`: the function takes `--json` itself, and talks to
    people on stdout.
    """
    rows = [row for row in TABLE if row.name in uses or row.name in ("lang", "config")]

    def register(
        function: Callable[Concatenate[Session, P], Answer | None],
    ) -> Callable[Concatenate[Session, P], Answer | None]:
        hints = get_type_hints(function, include_extras=True)
        own = list(inspect.signature(function).parameters.values())[1:]
        extra = [
            inspect.Parameter(
                row.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[
                    str | None,
                    typer.Option(
                        row.flag,
                        metavar=row.metavar,
                        help=both(f"{row.zh}（{row.env}）", f"{row.en} ({row.env})"),
                        show_default=False,
                    ),
                ],
            )
            for row in rows
        ]
        if not own_json:
            flag = typer.Option("--json", help=both("输出给程序读的 JSON", "Answer in JSON, for machines"))
            extra.append(
                inspect.Parameter(
                    "as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, flag]
                )
            )

        def run(**given: Any) -> None:
            flags = {row.name: given.pop(row.name) for row in rows}
            settings = Settings.load(**flags)
            screen = Screen(lang=settings.lang, as_json=bool(given.pop("as_json", False)))
            with Session(settings, screen) as session:
                try:
                    answer = function(session, **given)  # type: ignore[call-arg]  # typer gave what the signature says
                except KeyboardInterrupt as interrupt:
                    screen.problem("interrupted", "已中断。", "Interrupted.", {})
                    raise typer.Exit(INTERRUPTED) from interrupt
                if answer is not None:
                    screen.answer(answer)
                    if answer.exit_code:
                        raise typer.Exit(answer.exit_code)

        parameters = [
            *(p.replace(annotation=hints[p.name], kind=inspect.Parameter.KEYWORD_ONLY) for p in own),
            *extra,
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        run.__name__ = function.__name__
        app.command(name, help=both(zh, en))(run)
        return function

    return register


class Group(TyperGroup):
    """Without a command, explains itself."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])


def localize(tree: Any, lang: str) -> None:
    """Leaves one language in every help text of a command and all below it."""
    tree.help = _pick(tree.help, lang)
    tree.short_help = _pick(tree.short_help, lang)
    for parameter in tree.params:
        parameter.help = _pick(getattr(parameter, "help", None), lang)
    for below in getattr(tree, "commands", {}).values():
        localize(below, lang)


def _pick(text: str | None, lang: str) -> str | None:
    if not text or _SEPARATOR not in text:
        return text
    zh, en = text.split(_SEPARATOR, 1)
    return zh if lang == "zh" else en
