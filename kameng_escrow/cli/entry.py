"""From the words of a command line to an exit code."""

import os
import sys
from collections.abc import Sequence

from .app import build
from .command import localize
from .failures import explain
from .screen import Screen


def run(arguments: Sequence[str]) -> int:
    """Does what the command line says, and returns the code that `problems.py` documents."""
    words = _common_last(list(arguments))
    # `demo --json FILE` writes a file; everywhere else --json turns the answer itself, and so its errors, into JSON.
    named = tuple(word for word in words if not word.startswith("-"))
    as_json = "--json" in words and named[:1] not in _JSON_FILES and named[:2] not in _JSON_FILES
    return _run(words, Screen(lang=_language(list(arguments)), as_json=as_json))


_JSON_FILES = (("demo",), ("simulate",), ("risk", "evaluate"))  # the commands whose --json names a file


def _run(words: list[str], screen: Screen) -> int:
    tree = build()
    localize(tree, screen.lang)
    try:
        code = tree.main(args=words, prog_name="kameng", standalone_mode=False)
    except BrokenPipeError:  # whoever read our output has had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return explain(error, screen)
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
