"""The manual says what the code says, in both languages, and builds without the network."""

import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy import text as sql

import kameng_escrow
from docs.generators import pages
from docs.generators.events_and_views import EVENTS, LENS, VIEWS
from docs.generators.guards import Guard
from docs.generators.interface import SOURCE, entries, selector, views, writes
from docs.generators.lifecycle import rows_of
from docs.generators.method_words import GROUPS, METHODS
from docs.generators.operations import OPERATIONS, Operation
from docs.generators.references import command_paths
from docs.generators.sdk_methods import methods
from docs.generators.text import DOCS, LANGS, Lang, kebab, page
from kameng_escrow.cli import problems
from kameng_escrow.cli.app import build
from kameng_escrow.domain.states import State
from kameng_escrow.settings import TABLE
from kameng_escrow.store.models import Base
from tests.acceptance.markdown import ROOT, anchors, blocks, headings
from tests.guards import refusals

ENGLISH = sorted(path for path in DOCS.rglob("*.md") if not path.name.endswith(".zh.md"))
TEXTS = [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))]


def chinese_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".md") + ".zh.md")


def stem(path: Path) -> str:
    return str(path.relative_to(ROOT))


# ------------------------------------------------------------------------------------------------------- the contract


def test_generated_parts_are_fresh() -> None:
    stale = [
        stem(path) for path, text in pages.rendered().items() if not path.exists() or path.read_text("utf-8") != text
    ]
    assert stale == [], "run `make docs`"


def test_every_function_that_writes_has_a_page() -> None:
    assert sorted(operation.name for operation in OPERATIONS) == sorted(writes())
    for name in writes():
        for lang in LANGS:
            assert page(f"contract/{kebab(name)}", lang).exists()


def test_every_view_and_event_is_told() -> None:
    assert set(VIEWS) == set(views())
    assert set(LENS) == set(views("KamengLens"))
    assert set(EVENTS) == set(entries("event"))
    for lang in LANGS:
        told = {title for _, title in headings(page("contract/views", lang).read_text("utf-8"))}
        assert set(views()) | set(views("KamengLens")) <= told
        told = {title for _, title in headings(page("contract/events", lang).read_text("utf-8"))}
        assert set(entries("event")) <= told


def test_every_error_of_the_contract_is_told() -> None:
    for lang in LANGS:
        told = anchors(page("errors", lang).read_text("utf-8"))
        assert {name.lower() for name in entries("error")} <= told


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operation_names_what_there_is(operation: Operation) -> None:
    assert {guard.error for guard in operation.guards} <= set(entries("error"))
    assert set(operation.events) <= set(entries("event"))
    assert operation.sdk in methods()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operation_has_the_guards_that_the_interface_names(operation: Operation) -> None:
    """NatSpec lists a function's own errors after "Reverts"."""
    named = [name for name in re.findall(r"\b[A-Z]\w+", reverts_of(operation.name)) if name in entries("error")]
    assert set(named) <= {guard.error for guard in operation.guards}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operation_has_its_guards_in_the_order_of_the_code(operation: Operation) -> None:
    """As the compiler reads the sources; what is shared by many verbs can refuse more than each of them."""
    in_code, told = refusals(operation.name), [guard.error for guard in operation.guards]
    remaining = iter(in_code)
    assert all(error in remaining for error in told), f"{told} against {in_code}"
    if operation.name not in SHARED:
        assert set(told) == set(in_code)


# What these do is one function for every verb, called or signed: its code has the refusals of all of them.
SHARED = {
    *("accept", "deliver", "confirm", "cancel", "decline", "refund", "dispute", "recommit", "concede", "revise"),
    *("act", "actWithPermit", "actWithAuthorization"),
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operation_tells_the_events_of_its_rows(operation: Operation) -> None:
    """Those of orders follow from the rows."""
    for row in rows_of(operation.name):
        assert ("OrderClosed" in operation.events) == row.ends
        assert ("OrderOpened" in operation.events) == (State.Nothing in row.states and row.to is not None)


def test_every_event_is_some_operation_s() -> None:
    assert set(entries("event")) == {event for one in OPERATIONS for event in one.events}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize("lang", LANGS)
def test_page_of_an_operation_has_every_section(operation: Operation, lang: Lang) -> None:
    """Who may call, state and money, guards, event, errors and gas; selector and signature as the ABI has them."""
    text = page(f"contract/{kebab(operation.name)}", lang).read_text("utf-8")
    facts = re.findall(r"^- \*\*(?:\[)?([^*\]]+)", text, re.MULTILINE)
    wanted = {
        "zh": ["谁可以调用", "事件", "Python", "选择器", "Gas"],
        "en": ["Who may call", "Events", "Python", "Selector", "Gas"],
    }
    assert facts == wanted[lang]
    assert all(value.strip() for value in re.findall(r"^- \*\*[^*]+\*\*(?:：|: )(.*)$", text, re.MULTILINE))
    titles = [title for level, title in headings(text) if level == 2]
    moves = {"zh": ["状态、时间和钱"], "en": ["State, time and money"]}[lang]
    money = {"zh": ["钱"], "en": ["Money"]}[lang]
    guards = {"zh": "检查，按先后", "en": "Guards, in order"}[lang]
    assert titles[:2] in ([*moves, guards], [*money, guards])
    assert (titles[:1] == moves) == bool(rows_of(operation.name))
    inputs = entries("function")[operation.name]["inputs"]
    [solidity] = [block.code for block in blocks(text) if block.language == "solidity"]
    declared = re.search(r"\((.*?)\)", solidity, re.DOTALL)
    assert declared
    assert [word.split()[-1] for word in declared[1].split(",") if word.strip()] == [one["name"] for one in inputs]
    assert f"`{selector(operation.name)}`" in text
    told = re.findall(r"^\| \d+ \| \[`(\w+)`\]\(\.\./errors", text, re.MULTILINE)
    assert told == [guard.error for guard in operation.guards]


def reverts_of(function: str) -> str:
    """What the comment above a function says after "Reverts"."""
    source = SOURCE.read_text("utf-8")
    comment = source[: source.index(f"    function {function}(")].rsplit("\n\n", 1)[-1]
    return comment.partition("Reverts")[2]


def test_every_error_is_some_guard() -> None:
    assert set(entries("error")) == {guard.error for one in OPERATIONS for guard in one.guards}


def test_guards_are_told_in_both_languages() -> None:
    for one in OPERATIONS:
        for guard in one.guards:
            assert isinstance(guard, Guard)
            assert guard.when.zh
            assert guard.when.en


# ----------------------------------------------------------------------------------------------------------- the rest


def test_every_method_of_the_clients_is_told_once() -> None:
    told = [name for _, names in GROUPS for name in names]
    assert sorted(told) == sorted(methods())
    assert set(METHODS) == set(methods())


def test_settings_named_anywhere_exist() -> None:
    known = {row.env for row in TABLE}
    for path in TEXTS:
        assert set(re.findall(r"\bKAMENG_\w+", path.read_text("utf-8"))) <= known, stem(path)


def test_exit_codes_are_those_of_the_command_line() -> None:
    codes = re.findall(r"^    (\d+) ", inspect.getdoc(problems) or "", re.MULTILINE)
    assert codes
    for lang in LANGS:
        _, _, listed = page("errors", lang).read_text("utf-8").partition("{ #exit-codes }")
        assert re.findall(r"^\| (\d+) \|", listed, re.MULTILINE) == codes


def test_commands_named_anywhere_exist() -> None:
    tree = build()
    paths = dict(command_paths(tree))
    groups = {" ".join(path.split()[:-1]) for path in paths}
    for path in TEXTS:
        for line in command_lines(path.read_text("utf-8")):
            name = longest(line, set(paths) | groups)
            assert name, f"{stem(path)}: {line}"
            if name in paths:
                flags = {flag for one in paths[name].params for flag in (*one.opts, *one.secondary_opts)}
                used = set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", line))
                assert used <= flags | {"--help"}, f"{stem(path)}: {line}"


def command_lines(text: str) -> list[str]:
    """Every call of `kameng` in code, fenced or not, with what it pipes into cut off."""
    fenced = "\n".join(block.code for block in blocks(text)).replace("\\\n", " ")
    fenced = re.sub(r"\$\((?!kameng)[^)]*\)", "…", fenced)  # what other programs say
    lines = [*re.findall(r"(?<![\w/.])kameng [^\n|)#]*", fenced), *re.findall(r"`(kameng [^`\n]*)`", text)]
    return [line for line in lines if not line.startswith(("kameng …", "kameng --version"))]


def longest(line: str, names: set[str]) -> str:
    words = line.split()
    return next((found for n in range(3, 1, -1) if (found := " ".join(words[:n])) in names), "")


@pytest.mark.parametrize("path", ENGLISH, ids=stem)
def test_both_languages_have_the_same_page(path: Path) -> None:
    english, chinese = path.read_text("utf-8"), chinese_of(path).read_text("utf-8")
    assert [level for level, _ in headings(english)] == [level for level, _ in headings(chinese)]
    assert [block.language for block in blocks(english)] == [block.language for block in blocks(chinese)]
    rows = [sum(line.startswith("|") for line in text.splitlines()) for text in (english, chinese)]
    assert rows[0] == rows[1]
    assert re.findall(r"<!-- begin: .*", english) == re.findall(r"<!-- begin: .*", chinese)


def test_no_chinese_page_is_alone() -> None:
    assert sorted(path for path in DOCS.rglob("*.zh.md")) == sorted(chinese_of(path) for path in ENGLISH)


def test_modules_named_in_the_sdk_page_exist() -> None:
    for lang in LANGS:
        for name in re.findall(r"`(domain\.\w+)`", page("sdk", lang).read_text("utf-8")):
            importlib.import_module(f"kameng_escrow.{name}")


def test_python_of_the_manual_runs() -> None:
    for path in sorted(DOCS.rglob("*.md")):
        for block in blocks(path.read_text("utf-8")):
            if block.language == "python":
                exec(compile(block.code, stem(path), "exec"), {})


def test_sql_of_the_manual_runs_and_every_table_is_told() -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    for lang in LANGS:
        text = page("mirror", lang).read_text("utf-8")
        assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(Base.metadata.tables)
        with engine.connect() as connection:
            for block in [*blocks(text), *blocks(page("keeper", lang).read_text("utf-8"))]:
                if block.language == "sql":
                    for statement in block.code.strip().split("\n"):
                        connection.execute(sql(statement))


@pytest.mark.parametrize("path", TEXTS, ids=stem)
def test_no_page_names_somebody_s_machine(path: Path) -> None:
    assert not re.search(r"(?<![\w.~])/(?:home|root|tmp|Users)/", path.read_text("utf-8"))


def test_changelog_begins_with_this_version() -> None:
    titles = [title for level, title in headings((ROOT / "CHANGELOG.md").read_text("utf-8")) if level == 2]
    assert titles[0] == "[Unreleased]"
    assert titles[1].split()[0].strip("[]") == kameng_escrow.__version__


def test_the_manual_builds_strictly_and_asks_nobody_else(tmp_path: Path) -> None:
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(mkdocs, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for built in tmp_path.rglob("*.html"):
        text = built.read_text("utf-8")
        foreign = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"?(https?:[^\">\s]+)", text)
        assert foreign == [], str(built.relative_to(tmp_path))
    assert (tmp_path / "zh" / "index.html").exists()
