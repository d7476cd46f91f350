"""Both READMEs say the same, and what they say works as written.

A block that begins with `# terminal N` is typed in that terminal; one terminal's blocks share a shell. What terminal 1
starts keeps running, as it would for a reader, until the others are done. The code is the same in both languages but
for its comments, which a test holds, so terminals are typed once, in Chinese. `make` targets are looked up, not run:
each has tests of its own, and this file runs within one of them. Other blocks run as they are.
"""

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.acceptance.markdown import ROOT, Block, blocks, dead_links, headings, links

ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"
BOTH = pytest.mark.parametrize("readme", [ENGLISH, CHINESE], ids=["en", "zh"])
LOCALES = {ENGLISH: "C.UTF-8", CHINESE: "zh_CN.UTF-8"}
START_SECONDS = 60


def read(readme: Path) -> str:
    return readme.read_text("utf-8")


def without_comments(block: Block) -> str:
    if block.language == "python":
        return ast.dump(ast.parse(block.code))
    lines = (re.sub(r"(^|\s)#.*$", "", line).rstrip() for line in block.code.splitlines())
    return "\n".join(line for line in lines if line)


# ------------------------------------------------------------------------------------------------------ the same words


def test_both_have_the_same_blocks() -> None:
    english, chinese = ([without_comments(block) for block in blocks(read(one))] for one in (ENGLISH, CHINESE))
    assert english == chinese


def test_both_have_the_same_headings_and_tables() -> None:
    english, chinese = (read(one) for one in (ENGLISH, CHINESE))
    assert [level for level, _ in headings(english)] == [level for level, _ in headings(chinese)]
    rows = [[line.count("|") for line in text.splitlines() if line.startswith("|")] for text in (english, chinese)]
    assert rows[0] == rows[1]


def test_both_link_to_the_same_pages() -> None:
    def language_free(link: str) -> str:
        return link.replace(".zh.md", ".md")

    english, chinese = ([language_free(link) for link in links(read(one))] for one in (ENGLISH, CHINESE))
    assert english == chinese


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(name: str) -> None:
    assert dead_links(ROOT / name) == []


@BOTH
def test_every_folder_of_the_layout_exists(readme: Path) -> None:
    named = re.findall(r"^\| `([\w/]+/)` \|", read(readme), re.MULTILINE)
    assert [folder for folder in named if not (ROOT / folder).is_dir()] == []
    parts = {f"kameng_escrow/{path.parent.name}/" for path in (ROOT / "kameng_escrow").glob("*/__init__.py")}
    assert parts - set(named) == set(), "parts of the package that the layout does not name"


# ------------------------------------------------------------------------------------------------------- they work


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a reader's own environment, where the README's install block has been run.

    It borrows this environment's dependencies, so that nothing is downloaded but what builds the wheel.
    """
    folder = tmp_path_factory.mktemp("user")
    venv.create(folder, with_pip=True)
    [site] = folder.glob("lib/python*/site-packages")
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (site / "borrowed.pth").write_text("\n".join(borrowed) + "\n", "utf-8")
    [install] = [block for block in blocks(read(ENGLISH)) if "pip install" in block.code]
    environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder)}
    with FileLock(ROOT / ".cache" / "readme-wheel.lock"):
        bash(install.code, ROOT, environment)
    return folder / "bin"


def bash(script: str, folder: Path, environment: dict[str, str]) -> str:
    """What the script says. It fails with its first failing command."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def clean(user: Path, home: Path, readme: Path) -> dict[str, str]:
    """A reader's environment: nothing but the installed wheel and the system."""
    return {"PATH": f"{user}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": LOCALES[readme]}


@BOTH
def test_targets_of_make_exist(readme: Path) -> None:
    targets = {word for block in blocks(read(readme)) for word in re.findall(r"^make ([\w-]+)$", block.code, re.M)}
    targets |= set(re.findall(r"`make ([\w-]+)`", read(readme)))
    assert {"demo", "test"} <= targets
    for target in targets:
        done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@BOTH
def test_python_blocks_say_what_they_promise(readme: Path, user: Path, tmp_path: Path) -> None:
    found = [block for block in blocks(read(readme)) if block.language == "python"]
    assert found
    for block in found:
        script = tmp_path / "block.py"
        script.write_text(block.code, "utf-8")
        said = bash("python -W ignore block.py", tmp_path, clean(user, tmp_path, readme))
        promised = re.findall(r"print\(.*\)\s+# (.+)$", block.code, re.MULTILINE)
        assert promised
        assert said.splitlines() == promised


def test_commands_by_hand_work(user: Path, tmp_path: Path) -> None:
    terminals: dict[int, str] = {}
    for block in blocks(read(CHINESE)):
        if block.terminal is not None:
            terminals[block.terminal] = terminals.get(block.terminal, "") + block.code
    assert sorted(terminals) == [1, 2]
    with free_port() as port:
        environment = clean(user, tmp_path, CHINESE) | {"KAMENG_RPC_URL": f"http://127.0.0.1:{port}"}
        with running(terminals[1], tmp_path, environment, port):
            bash(terminals[2], tmp_path, environment)
            [order] = json.loads(bash("kameng orders --json", tmp_path, environment))["orders"]
    assert (order["state"], order["outcome"]) == ("Closed", "Confirmed")


@contextmanager
def free_port() -> Iterator[int]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    yield port


@contextmanager
def running(script: str, folder: Path, environment: dict[str, str], port: int) -> Iterator[None]:
    """A terminal whose last command goes on until Ctrl-C; ready once something answers on the port."""
    with (folder / "terminal.log").open("w+", encoding="utf-8") as log:
        command = ["bash", "-euo", "pipefail", "-c", script]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            give_up = time.monotonic() + START_SECONDS
            while not answers(port):
                assert process.poll() is None, (folder / "terminal.log").read_text("utf-8")
                assert time.monotonic() < give_up, "nothing answered in time"
                time.sleep(0.1)
            yield
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=START_SECONDS)


def answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
