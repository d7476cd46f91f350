"""The mirrors and keepers of a run: started, killed, and started again as a service manager would."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from kameng_escrow.cli.problems import NODE, STORE

from .schedule import fates

ROOT = Path(__file__).resolve().parents[2]
AGAIN_SECONDS = 0.3  # until one that ended is started again
_MAY_END = (NODE, STORE)  # a node or store that is away while it starts
# What all nodes together may have done, and nobody waits for: which it is depends on what they were asked while they
# were of another chain.
_OTHER_CHAIN = ("The node serves chain", "There is no contract at", "The node's chain differs from the mirrored one")


@dataclass(slots=True)
class Member:
    """One of the processes."""

    name: str
    arguments: Sequence[str]
    fates: Iterator[str]
    pid: int | None = None
    at_work: bool = False  # whether it has been, since it was started: from then on it has to wait for what passes
    last_words: str = ""


@dataclass(slots=True)
class Life:
    """What became of the processes."""

    killed: Counter[str] = field(default_factory=Counter)  # by name
    ended: Counter[str] = field(default_factory=Counter)  # by the code of what ended them
    unforeseen: list[str] = field(default_factory=list)  # how they ended that should not have


class Household:
    """Runs them, each again when it has ended, until it is left. A context manager.

    Args:
        members: name and arguments of `kameng`, by which it is started.
        environment: of all.
        sky: the path of what they live under.
        log: the path of what they write.
        seed: draws at which point of its work a process kills itself.
    """

    def __init__(
        self, members: Mapping[str, Sequence[str]], environment: Mapping[str, str], *, sky: Path, log: Path, seed: int
    ) -> None:
        self._members = {name: Member(name, arguments, fates(seed, name)) for name, arguments in members.items()}
        self._environment = dict(environment)
        self._sky = sky
        self._log_path = log
        self._turn = threading.Condition()
        self._mortal = True  # whether they are to kill themselves
        self._over = False
        self._space: int | None = None
        self.life = Life()
        self.moves: Counter[int] = Counter()  # by nonce: how often it came into a block, or out of one
        self.codes: Counter[str] = Counter()  # what they were troubled by, by code

    def __enter__(self) -> Self:
        self._log = self._log_path.open("w", encoding="utf-8", buffering=1)
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for who leads the run, and he ends them
        )
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._overhear)]
        for thread in self._threads:
            thread.start()
        for member in self._members.values():
            self._start(member)
        return self

    def __exit__(self, *_: object) -> None:
        with self._turn:
            self._over = True
        self._nursery.terminate()
        for member in self._members.values():
            self._strike(member.pid)
        for thread in self._threads:
            thread.join(10)
        self._nursery.wait()
        for pipe in (self._nursery.stdin, self._nursery.stdout, self._nursery.stderr):
            assert pipe is not None
            pipe.close()
        self._log.close()

    # --------------------------------------------------------------------------------------------- what is done to them

    def kill(self, name: str) -> None:
        """Kills one without warning, wherever it is."""
        with self._turn:
            self._strike(self._members[name].pid)

    def limit_space(self, most: int | None) -> None:
        """From now on no file of theirs may be longer than so many bytes; None: as long as there is room."""
        with self._turn:
            self._space = most
            for member in self._members.values():
                self._limit(member.pid)

    def spare(self) -> None:
        """From now on none kills itself that is started."""
        with self._turn:
            self._mortal = False

    @staticmethod
    def _strike(pid: int | None) -> None:
        if pid is not None:
            with suppress(ProcessLookupError):  # it was faster
                os.kill(pid, signal.SIGKILL)

    def _limit(self, pid: int | None) -> None:
        if pid is not None:
            with suppress(ProcessLookupError):
                hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if self._space is None else self._space, hard))

    # ------------------------------------------------------------------------------------------------------------ lives

    def _start(self, member: Member) -> None:
        with self._turn:
            if self._over:
                return
            member.at_work = False
            fate = next(member.fates) if self._mortal else "never"
            order = {"name": member.name, "arguments": member.arguments, "fate": fate}
            assert self._nursery.stdin is not None
            text = json.dumps({**order, "environment": self._environment, "sky": str(self._sky)})
            try:
                self._nursery.stdin.write(text + "\n")
                self._nursery.stdin.flush()
            except BrokenPipeError:
                self.life.unforeseen.append("the nursery is gone")

    def _listen(self) -> None:
        assert self._nursery.stdout is not None
        for line in self._nursery.stdout:
            told: dict[str, Any] = json.loads(line)
            member = self._members[told["name"]]
            if "status" not in told:
                with self._turn:
                    member.pid = told["pid"]
                    self._limit(member.pid)
                continue
            with self._turn:
                if self._over:
                    continue
                member.pid = None
            threading.Timer(AGAIN_SECONDS, self._revive, [member, told["status"]]).start()

    def _revive(self, member: Member, status: int) -> None:
        """By now all that it wrote has been read."""
        with self._turn:
            if not self._over:
                self._bury(member, status)
                self._start(member)

    def _bury(self, member: Member, status: int) -> None:
        if status == -signal.SIGKILL:
            self.life.killed[member.name] += 1
        elif status in _MAY_END and (not member.at_work or any(said in member.last_words for said in _OTHER_CHAIN)):
            self.life.ended[str(status)] += 1
        else:
            self.life.unforeseen.append(f"{member.name} ended with {status}: {member.last_words}")

    def _overhear(self) -> None:
        """Keeps what they write; a traceback is a mistake of ours."""
        assert self._nursery.stderr is not None
        for line in self._nursery.stderr:
            self._log.write(line)
            if "Traceback (most recent call last)" in line:
                self.life.unforeseen.append(line.strip())
            name, _, words = line.partition(": ")
            while words.partition(": ")[0] in self._members:  # one was killed in the middle of its line
                name, _, words = words.partition(": ")
            member = self._members.get(name)
            if member is None:
                continue
            if not words.startswith("{"):
                member.last_words = words.strip()
                continue
            with suppress(ValueError):
                said = json.loads(words)
                member.at_work |= name.startswith("keeper") or said["message"] == "mirrored"
                self.codes[str(said.get("code", ""))] += 1
                if said["message"] in ("mined", "undone"):
                    self.moves[said["nonce"]] += 1
