"""`kameng …`: the command line. Each group of commands is a file here; `problems.py` lists the exit codes."""

import os
import sys
from collections.abc import Sequence

from .app import build
from .command import localize
from .failures import explain
from .problems import INTERRUPTED, USAGE
from .screen import Screen


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script: does what the command line says and exits with the code that `problems.py` documents."""
    words = _common_last(list(sys.argv[1:] if arguments is None else arguments))
    lang = _language(list(sys.argv[1:] if arguments is None else arguments))
    # `demo --json FILE` writes a file; everywhere else --json turns the answer itself, and so its errors, into JSON.
    as_json = "--json" in words and next((word for word in words if not word.startswith("-")), "") != "demo"
    screen = Screen(lang=lang, as_json=as_json)
    sys.exit(_run(words, screen))


def _run(words: list[str], screen: Screen) -> int:
    tree = build()
    localize(tree, screen.lang)
    try:
        code = tree.main(args=words, prog_name="kameng", standalone_mode=False)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:  # whoever read our output has had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return explain(error, screen)
    if code == INTERRUPTED:
        screen.problem("interrupted", "已中断。", "Interrupted.", {})
    return code if isinstance(code, int) else 0


def _common_last(words: list[str]) -> list[str]:
    """`kameng --lang zh orders` is `kameng orders --lang zh`: commands take these options, groups and --help none."""
    moved: list[str] = []
    kept: list[str] = []
    index = 0
    everywhere = "--help" in words
    while index < len(words):
        common = words[index].startswith("--lang") or words[index] == "--json"
        width = 2 if words[index] == "--lang" else 1
        into = moved if common and (everywhere or not kept) else kept
        into += words[index : index + width]
        index += width
    return kept if everywhere or not kept else [*kept, *moved]


def _language(words: list[str]) -> str:
    """The language for help and for errors that come before the settings are read."""
    wanted = ""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        if word == "--lang":
            wanted = following
        elif word.startswith("--lang="):
            wanted = word.removeprefix("--lang=")
    for text in (wanted, *(os.environ.get(name, "") for name in ("KAMENG_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))):
        if text:
            return "zh" if text.lower().startswith("zh") else "en"
    return "en"


__all__ = ["USAGE", "main"]
