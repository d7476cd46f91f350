"""The tree of commands as a whole: every command speaks both languages, and JSON."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import kameng_escrow
from kameng_escrow.chinese import SENTENCES, chinese
from kameng_escrow.cli import main
from kameng_escrow.cli.app import build
from kameng_escrow.cli.command import localize
from kameng_escrow.cli.failures import exit_code_of
from kameng_escrow.domain.refusals import Refusal
from kameng_escrow.errors import EscrowError

CHINESE = re.compile("[一-鿿]")
EXPECTED = """
    demo node deploy orders mirror status reconcile settle keeper relayer relay-budget reputation compile doctor
    serve notifier
    simulate
    statement verify retention
    audit list|verify|erase
    risk evaluate|watch|warnings|anomalies|trends
    transcript export|verify
    files
    policy draft|check|register|show|list|review|retire|advise
    order terms|offer|split|countersign|agree|sign|relay|open|accept|deliver|confirm|cancel|decline|refund|dispute
    order deposit-address|deposit-sign|deposit-open|deposit-refund|deposit-sweep|deposit-rescue|open-cart
    order recommit|rule|concede|revise|intervene|settle|show|summary|payment|approve-permit2|listing
    delivery key|recipient|pack|fetch|open|disclose|check
    receipt make|show
    watchtower
    buyer new|deposit|act
    offers serve|check
    bond fund|withdraw|show
    credit show|pay|withdraw
    fees show|claim
    operator set|show
"""


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    below = getattr(tree, "commands", {})
    if not below:
        yield path, tree
    for name, command in below.items():
        yield from leaves(command, f"{path} {name}".strip())


def expected() -> set[str]:
    names: set[str] = set()
    for line in EXPECTED.strip().splitlines():
        words = line.split()
        if "|" in words[-1] or words[0] == "risk":
            names |= {f"{words[0]} {word}" for word in words[1].split("|")}
        else:
            names |= set(words)
    return names


def errors() -> list[type[EscrowError]]:
    """Every error class of the package."""
    for module in pkgutil.walk_packages(kameng_escrow.__path__, "kameng_escrow."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    found: list[type[EscrowError]] = []
    waiting: list[type[EscrowError]] = [EscrowError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return sorted(
        {kind for kind in found if kind.__module__.startswith("kameng_escrow")}, key=lambda kind: kind.__name__
    )


def test_every_command_is_there_and_no_other() -> None:
    assert {path for path, _ in leaves(build())} == expected()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_help_text_is_in_the_readers_language(lang: str) -> None:
    tree = build()
    localize(tree, lang)
    for path, command in leaves(tree):
        texts = [command.help, *(p.help for p in command.params if getattr(p, "help", None))]
        assert command.help, path
        for parameter in command.params:
            assert parameter.help, f"{path}: {parameter.name} is not explained"
        for text in texts:
            assert "\x1f" not in text
            assert bool(CHINESE.search(text)) == (lang == "zh"), f"{path}: {text}"


def test_every_command_takes_lang_and_json() -> None:
    for path, command in leaves(build()):
        flags = {flag for parameter in command.params for flag in parameter.opts}
        assert {"--lang", "--json"} <= flags, path


def test_no_flag_takes_a_key() -> None:
    for path, command in leaves(build()):
        flags = {flag for parameter in command.params for flag in parameter.opts}
        assert not flags & {"--key", "--private-key", "--passphrase", "--password"}, path


@pytest.mark.parametrize("words", [[], ["--help"], ["order"], ["order", "--help", "--lang", "zh"], ["--lang", "zh"]])
def test_help_is_had_everywhere(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert "Usage: kameng" in out
    assert bool(CHINESE.search(out)) == ("zh" in words)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert kameng_escrow.__version__ in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--lang", "zh", "policy", "draft"], ["policy", "draft", "--lang=zh"]])
def test_common_options_stand_before_or_after_the_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    assert '"seller_bond_bps"' in capsys.readouterr().out


def test_every_error_speaks_chinese() -> None:
    for kind in errors():
        if "code" in kind.__dict__ and kind is not EscrowError:  # without a code of its own it is only a branch
            branches = {getattr(one, "code", "") for one in kind.__mro__}
            assert speaks_chinese(kind) or branches & SENTENCES.keys(), f"{kind.__name__} has no Chinese"


def speaks_chinese(kind: type[EscrowError]) -> bool:
    """Whether it can't be made without Chinese: it has the sentence itself, or whoever raises it has to bring it."""
    if issubclass(kind, Refusal):
        return True  # its sentences are in a table of their own
    for one in kind.__mro__:
        init = one.__dict__.get("__init__")
        if inspect.isfunction(init):
            needed = {p.name for p in inspect.signature(init).parameters.values() if p.default is p.empty}
            if needed & {"zh", "message_zh"} or CHINESE.search(inspect.getsource(init)):
                return True
    return False


def test_every_chinese_sentence_is_of_an_error_that_exists() -> None:
    assert SENTENCES.keys() <= {kind.code for kind in errors()}


def test_every_error_has_an_exit_code_of_its_branch() -> None:
    for kind in errors():
        if kind is not EscrowError:
            error = kind.__new__(kind)
            assert exit_code_of(error) in (1, 2, 3, 4, 5, 6, 7, 130), kind.__name__


def test_an_error_without_chinese_of_its_own_gets_its_branchs() -> None:
    class Odd(EscrowError):
        code = "odd"

    assert chinese(Odd("something odd")) == "something odd"
