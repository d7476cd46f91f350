"""Settings, commands, errors: the lists that the code keeps anyway."""

import importlib
import pkgutil
from typing import Any

import kameng_escrow
from kameng_escrow.cli.app import build
from kameng_escrow.cli.command import localize
from kameng_escrow.cli.failures import exit_code_of
from kameng_escrow.domain.inputs import Malformed
from kameng_escrow.domain.refusal_sentences import SENTENCES
from kameng_escrow.domain.refusals import MayRetry, MustFix, MustWait, NeedsHuman, Refusal
from kameng_escrow.errors import EscrowError
from kameng_escrow.settings import TABLE

from .error_words import CHINESE
from .text import Lang, Text, table

# ----------------------------------------------------------------------------------------------------------- settings


def settings_table(lang: Lang) -> str:
    """Every setting: variable, flag, default, meaning."""
    heads = Text("环境变量 | 命令行选项 | 默认值 | 含义", "Variable | Flag | Default | Meaning")[lang].split(" | ")
    return table(
        heads,
        (
            [
                f"`{row.env}`",
                f"`{row.flag} {row.metavar}`",
                f"`{row.default.replace('{data}', 'DATA')}`" if row.default else "–",
                row.zh if lang == "zh" else row.en,
            ]
            for row in TABLE
        ),
    )


# ----------------------------------------------------------------------------------------------------------- commands


def command_paths(tree: Any, path: str = "kameng") -> list[tuple[str, Any]]:
    """Every command that does something, with its full name."""
    below = getattr(tree, "commands", {})
    if not below:
        return [(path, tree)]
    return [found for name, one in below.items() for found in command_paths(one, f"{path} {name}")]


def command_list(lang: Lang) -> str:
    """Every command with its arguments and options; those that all have are left to the page."""
    tree = build()
    localize(tree, lang)
    groups: dict[str, list[str]] = {}
    for path, command in command_paths(tree):
        name = " ".join(path.split()[:2])
        groups.setdefault(name, []).append(_command(path, command, lang, deep=len(path.split()) > 2))
    parts = []
    for name, commands in groups.items():
        group = tree.commands[name.split()[1]]
        parts += [f"## {name}", _plain(group.help)] if getattr(group, "commands", {}) else []
        parts += commands
    return "\n\n".join(parts)


def _command(path: str, command: Any, lang: Lang, *, deep: bool) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name not in COMMON]
    usage = " ".join([path, *(_usage(one) for one in arguments), *(["[…]"] if options else [])])
    parts = [f"{'###' if deep else '##'} {path}", _plain(command.help), f"```text\n{usage}\n```"]
    rows = [[f"`{_name(one)}`", _plain(one.help)] for one in arguments]
    rows += [[f"`{_flags(one)}`", _plain(one.help) + _default(one, lang)] for one in options]
    if rows:
        parts.append(table(Text("参数 | 含义", "Argument | Meaning")[lang].split(" | "), rows))
    return "\n\n".join(parts)


COMMON = {"help", "lang", "as_json", *(row.name for row in TABLE)}


def _usage(argument: Any) -> str:
    name = _name(argument) + ("…" if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _flags(option: Any) -> str:
    flags = ", ".join([*option.opts, *option.secondary_opts])
    return flags if option.is_flag else f"{flags} {_name(option)}"


def _name(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _default(option: Any, lang: Lang) -> str:
    if option.required:
        return Text("（必填）", " (required)")[lang]
    if option.is_flag or option.default in (None, "", 0, ()) or callable(option.default):
        return ""
    return Text(f"（默认 `{option.default}`）", f" (default `{option.default}`)")[lang]


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


# ------------------------------------------------------------------------------------------------------------- errors

BRANCHES = {
    MustFix: Text("请求本身不对，照说明改了再来", "The same request is refused again: change what the message names"),
    MustWait: Text("时候未到，届时同样的请求会成功", "The same request succeeds by itself, later"),
    MayRetry: Text("按说明处理后，同样的请求会成功", "The same request succeeds after what the message says"),
    NeedsHuman: Text("要有人先作决定或修复", "Somebody must decide or repair something first"),
}


def refusal_tables(lang: Lang) -> str:
    """What the contract refuses, by branch."""
    parts = []
    for branch, meaning in BRANCHES.items():
        parts += [f"### {branch.__name__}", f"{meaning[lang]}{'。' if lang == 'zh' else '.'}", _refusals(branch, lang)]
    return "\n\n".join(parts)


def malformed_table(lang: Lang) -> str:
    """What never reaches the contract."""
    return _refusals(Malformed, lang)


def _refusals(branch: type[Refusal], lang: Lang) -> str:
    heads = Text("错误 | `code` | 出了什么事：该怎么办", "Error | `code` | What happened: what to do")[lang].split(
        " | "
    )
    for module in ("reverts", "listing"):  # which add those that are not the contract's own
        importlib.import_module(f"kameng_escrow.domain.{module}")
    found = sorted((one for one in branch.__subclasses__() if one is not Malformed), key=lambda one: one.__name__)
    return table(heads, ([_anchored(one, one.field_names()), f"`{one.code}`", _sentence(one, lang)] for one in found))


def _sentence(error: type[Refusal], lang: Lang) -> str:
    label = SENTENCES[error.__name__]
    text = label.zh if lang == "zh" else label.en
    return text.replace("{", "⟨").replace("}", "⟩")


def _anchored(error: type[EscrowError], names: tuple[str, ...] = ()) -> str:
    signature = f"{error.__name__}({', '.join(names)})" if names else error.__name__
    return f'<a id="{error.__name__.lower()}"></a>`{signature}`'


def other_errors() -> list[type[EscrowError]]:
    """Every error of the package that is not a refusal of the contract's, in the order of their names."""
    for module in pkgutil.walk_packages(kameng_escrow.__path__, "kameng_escrow."):
        if ".migrations." not in module.name:  # which run inside Alembic only
            importlib.import_module(module.name)
    found: set[type[EscrowError]] = set()
    waiting: list[type[EscrowError]] = [EscrowError]
    while waiting:
        one = waiting.pop()
        if one is not Refusal and one.__module__.startswith("kameng_escrow."):
            found.add(one)
            waiting += one.__subclasses__()
    named = (one for one in found if one.code != EscrowError.code)  # the others only share code
    return sorted(named, key=lambda one: (one.__module__, one.__name__))


def error_table(lang: Lang) -> str:
    """Every error that is not a refusal."""
    heads = Text("错误 | `code` | 退出码 | 含义", "Error | `code` | Exit code | Meaning")[lang].split(" | ")
    rows = []
    for error in other_errors():
        bare = error.__new__(error)  # only its class is asked for
        rows.append([f"`{_place(error)}`", f"`{error.code}`", str(exit_code_of(bare)), _meaning(error, lang)])
    return table(heads, rows)


def _place(error: type[EscrowError]) -> str:
    """The part of the package, and the name there."""
    return f"{error.__module__.split('.')[1]}.{error.__name__}"


def _meaning(error: type[EscrowError], lang: Lang) -> str:
    if lang == "zh":
        return CHINESE[_place(error)]
    return _plain((error.__doc__ or "").split("\n\n")[0])
