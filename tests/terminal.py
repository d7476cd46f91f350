"""`kameng` as a user has it: in a folder, with a home of its own; as another process, or quicker in this one."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from kameng_escrow.cli import main

TIMEOUT = 120  # seconds; a busy machine is slow, a hanging command is hanging


# What whoever runs the tests may have set, and would change what is printed or where it is kept.
ELSEWHERE = ("KAMENG_", "LC_", "LANG", "XDG_", "COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_")


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """A folder to be in and an environment: what one terminal window is to a user."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)}
        self.environment = kept | {"HOME": str(folder), "LANG": "en_US.UTF-8", "PYTHONWARNINGS": ""} | environment

    def run(self, *words: object, **environment: str) -> Outcome:
        """Types a command and waits for its end, whatever that is."""
        done = subprocess.run(
            [*KAMENG, *map(str, words)],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: object, **environment: str) -> Outcome:
        """A command that has to succeed."""
        outcome = self.run(*words, **environment)
        assert outcome.code == 0, outcome.text
        return outcome

    def json(self, *words: object, **environment: str) -> Any:
        """What a command answers to a machine."""
        return self.ok(*words, "--json", **environment).json()

    @contextmanager
    def running(self, *words: object, until: str | None) -> Iterator[subprocess.Popen[str]]:
        """A command that goes on, once it has printed `until` (None: at once); ended at the end."""
        process = subprocess.Popen(
            [*KAMENG, *map(str, words)],
            cwd=self.folder,
            env=self.environment | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        try:
            assert process.stdout is not None
            seen: list[str] = []
            while until is not None and not (seen and until in seen[-1]):
                seen.append(process.stdout.readline())
                assert seen[-1], "".join(seen)  # it has ended
            process.said = "".join(seen)  # type: ignore[attr-defined]  # for the tests to read
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]

    def quickly(self) -> "Quick":
        """The same, without a process for each command."""
        quick = Quick(self.folder)
        quick.environment = self.environment
        return quick

    def files(self) -> list[str]:
        """Everything in the folder, by relative path."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


class Quick(Terminal):
    """A terminal whose commands run in this process: the same code, without two seconds of loading it each time."""

    def run(self, *words: object, **environment: str) -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        code: Any = 0
        with (
            patch.dict(os.environ, self.environment | environment, clear=True),
            patch.object(sys, "stdin", io.StringIO()),
            chdir(self.folder),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main([str(word) for word in words])
            except SystemExit as end:
                code = end.code or 0
        return Outcome(code, out.getvalue(), err.getvalue())


def interrupt(process: "subprocess.Popen[str]") -> int:
    """Ctrl-C, and how the command ended."""
    process.send_signal(signal.SIGINT)
    return process.wait(timeout=TIMEOUT)


def wait_for(condition: Any, seconds: float = 30) -> None:
    """Until something that another process does is done."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


KAMENG = (sys.executable, "-c", "from kameng_escrow.cli import main; main()")
