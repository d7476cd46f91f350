"""From an exception to one clear sentence and an exit code. A traceback is for our own mistakes only."""

import traceback
from typing import Any

from ..chinese import chinese
from ..errors import EscrowError
from . import problems
from .forms import clock
from .reasons import reasons
from .screen import Screen


def explain(error: Exception, screen: Screen) -> int:
    """Prints what went wrong and what to do, and returns the exit code."""
    if _is_usage(error):
        return _usage(error, screen)
    if isinstance(error, EscrowError):
        zh, en = chinese(error), error.message
        if ready_at := getattr(error, "ready_at", None):  # it only has to wait, and reads another clock than UTC
            at = clock(ready_at)
            zh, en = f"{zh}本机时间 {at}。", f"{en} That is {at} here."
        screen.problem(error.code, zh, en, error.facts())
        return exit_code_of(error)
    if isinstance(error, OSError):
        return _system(error, screen)
    if not screen.as_json:
        screen.err.print("".join(traceback.format_exception(error)), markup=False, highlight=False, style="dim")
    name = type(error).__name__
    screen.problem(
        "internal_error",
        f"程序内部出错（{name}）：请把上面的记录发给维护者。",
        f"An error of ours ({name}): please report the lines above.",
        {},
    )
    return problems.CHECK_FAILED


def exit_code_of(error: EscrowError) -> int:
    """The code that `problems.py` documents, by the branch of the error tree."""
    if isinstance(error, problems.CliError):
        return error.exit_code
    for kind in type(error).__mro__:
        if kind.__name__ in _BRANCHES:
            return _BRANCHES[kind.__name__]
    return problems.CHECK_FAILED


# By name, so that the command line starts without loading what it may not need.
_BRANCHES = {
    "SettingError": problems.BAD_INPUT,
    "KeyFileUnusable": problems.BAD_INPUT,
    "DeliveryError": problems.BAD_INPUT,
    "InvalidInput": problems.BAD_INPUT,
    "ListingMismatch": problems.BAD_INPUT,
    "ReceiptFalse": problems.BAD_INPUT,
    "ReceiptUnreadable": problems.BAD_INPUT,
    "InvalidCursor": problems.BAD_INPUT,
    "InvalidUrl": problems.BAD_INPUT,
    "ServiceBusy": problems.NODE,
    "ServiceProblem": problems.REFUSED,
    "PlatformError": problems.NODE,
    "BadParameter": problems.BAD_INPUT,
    "SecretFileUnusable": problems.BAD_INPUT,
    "Malformed": problems.BAD_INPUT,
    "PaperRefused": problems.BAD_INPUT,
    "BadArchive": problems.BAD_INPUT,
    "TalkError": problems.REFUSED,
    "Refusal": problems.REFUSED,
    "Reverted": problems.REFUSED,
    "TransactionError": problems.REFUSED,
    "NodeError": problems.NODE,
    "DeploymentError": problems.NODE,
    "ExplorerRefused": problems.NODE,
    "UndecodableLog": problems.NODE,
    "MirrorError": problems.NODE,
    "BooksError": problems.STORE,
    "NotReadable": problems.BAD_INPUT,
    "ManifestMissing": problems.BAD_INPUT,
    "ManifestBroken": problems.BAD_INPUT,
    "OtherChain": problems.NODE,
    "NodePruned": problems.NODE,
    "LibraryMissing": problems.TOOL,
    "ReportUnavailable": problems.TOOL,
    "NoHistory": problems.STORE,
    "KeeperError": problems.REFUSED,
    "StoreError": problems.STORE,
    "BrokenHistory": problems.STORE,
    "WrongShares": problems.STORE,
    "RiskLibraryMissing": problems.TOOL,
    "RiskError": problems.BAD_INPUT,
    "CompilerUnavailable": problems.TOOL,
    "CompilationFailed": problems.TOOL,
    "ToolUnavailable": problems.TOOL,
    "UnknownArtifact": problems.TOOL,
}


def _is_usage(error: Exception) -> bool:
    """Whether the parser of command lines raised it; its class lives in different modules of different releases."""
    return callable(getattr(error, "format_message", None)) and not isinstance(error, EscrowError)


def _usage(error: Any, screen: Screen) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "kameng"
    text = error.format_message().strip()
    screen.problem(
        "usage",
        f"命令行有误：{text} 用 {path} --help 查看写法。",
        f"{text} See `{path} --help`.",
        {},
    )
    return problems.USAGE


def _system(error: OSError, screen: Screen) -> int:
    place = f" {error.filename}" if error.filename else ""
    zh, en = reasons(error)
    screen.problem("system", f"系统拒绝了操作{place}：{zh}。", f"The system refused{place}: {en}.", {})
    return problems.BAD_INPUT
