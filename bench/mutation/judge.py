"""The tests as judge over mutants: a plugin of pytest, so that what judges is the tests as they are.

The tests are collected once. A child of this process runs them all on revm against the program with every mutant in it
and none chosen, and writes down what they do and see. Each mutant then goes through that, first through what killed its
neighbours: a difference within a history of contract and twin kills it; the tests that would see a difference are run
for real, in a child of their own, until one fails.
"""

import os
import pickle
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kameng_escrow.chain.artifacts import Artifact

EXACT = "test_twin.py::test_random_histories_agree["  # the tests that compare everything
LEFT_OUT = ("on_another_evm", "histories_agree[1]")  # the same again: with one seed, the same histories


@dataclass
class Suspect:
    """A mutant as the judge takes it: a number to choose, or code of its own."""

    number: int
    where: str  # mutants in the same function fall to the same tests
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)  # by contract; empty: the number chooses


@dataclass(eq=False)
class Judge:
    """Passed to pytest as a plugin; `judge_all` is called once the tests have been collected and recorded."""

    schema: Mapping[str, Artifact]  # of the contracts under test, all mutants in them
    work: Callable[["Judge"], None]
    recordings: list[Any] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)  # tests that fail on the unharmed schema, because of gas or size
    killers: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    _items: dict[str, pytest.Item] = field(default_factory=dict)
    _failed: set[str] = field(default_factory=set)
    _running: str = ""

    # ------------------------------------------------------------------------------------------------- pytest's hooks

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items if not item.nodeid.endswith(LEFT_OUT)}
        self.recordings, self.unusable = self._in_child(self._record)
        self.work(self)
        return True

    # ------------------------------------------------------------------------------------------------------ recording

    def _record(self) -> tuple[list[Any], list[str]]:
        from bench.mutation.recording import Recorder

        recorders: list[Recorder] = []

        def new_evm(*_: Any, **__: Any) -> Recorder:
            recorders.append(Recorder(lambda: self._running, code, lambda: EXACT in self._running))
            return recorders[-1]

        code = self.schema["KamengEscrow"].bytecode[2:]
        self._stage(self.schema, new_evm)
        self._run_all(self._items)
        recordings = [recorder.recording for recorder in recorders]
        for recording in recordings:
            recording.segments = [segment for segment in recording.segments if segment.test not in self._failed]
        return recordings, sorted(self._failed)

    def _stage(self, artifacts: Mapping[str, Artifact], new_evm: Callable[..., Any] | None) -> None:
        """Has the tests take these contracts, and this chain."""
        from tests.compiled import compiled

        for name, module in list(sys.modules.items()):
            if hasattr(module, "compile_once") and name.startswith("tests"):
                module.compile_once = lambda wanted: artifacts.get(wanted) or compiled(wanted)
            if name.startswith("tests.contracts") and new_evm:
                for engine in ("Evm", "Revm"):
                    if hasattr(module, engine) and not name.startswith("tests.contracts.harness"):
                        setattr(module, engine, new_evm)

    def _run_all(self, names: Iterable[str]) -> None:
        """Runs the tests until one fails; all of them while recording."""
        items = [self._items[name] for name in names]
        for item, following in zip(items, [*items[1:], None], strict=True):
            self._running = item.nodeid
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed and self.recordings:
                return

    # -------------------------------------------------------------------------------------------------------- judging

    def killed_by(self, suspect: Suspect) -> str | None:
        """A test that tells the mutant from the original; None if none does."""
        from bench.mutation.recording import Replay

        codes = {
            bytes.fromhex(self.schema[name].bytecode[2:]): bytes.fromhex(artifact.bytecode[2:])
            for name, artifact in suspect.artifacts.items()
        }
        replays: dict[int, Replay] = {}
        doubted: list[str] = []
        for place in self._in_order(suspect.where):
            at, index = place
            recording = self.recordings[at]
            segment = recording.segments[index]
            if at not in replays:
                replays[at] = Replay(recording, suspect.number if not codes else 0, codes)
            if segment.test in doubted or not replays[at].differs_in(segment):
                continue
            if recording.exact or self._fails(suspect, [segment.test]):
                self._remember(suspect.where, place)
                return segment.test
            doubted.append(segment.test)
        return None

    def _in_order(self, where: str) -> Iterable[tuple[int, int]]:
        first = list(self.killers[where])
        yield from first
        order = sorted(range(len(self.recordings)), key=lambda at: not self.recordings[at].exact)
        for at in order:
            for index in range(len(self.recordings[at].segments)):
                if (at, index) not in first:
                    yield at, index

    def _remember(self, where: str, place: tuple[int, int]) -> None:
        known = self.killers[where]
        if place in known:
            known.remove(place)
        known.insert(0, place)
        del known[24:]

    def _fails(self, suspect: Suspect, tests: list[str]) -> bool:
        """Whether one of these tests, run for real, fails on the mutant."""

        def run() -> bool:
            from tests.contracts.harness import revm

            def new_evm(*_: Any, **__: Any) -> revm.Revm:
                evm = revm.Revm(code_size=10**7)
                evm.set_randao(0 if suspect.artifacts else suspect.number)
                return evm

            self._stage(suspect.artifacts or self.schema, new_evm)
            self._run_all(tests)
            return bool(self._failed)

        return bool(self._in_child(run))

    def fails_elsewhere(self, suspect: Suspect) -> str | None:
        """Of the tests that can't be recorded, one that fails on a mutant with code of its own, on its own chain."""

        def run() -> str | None:
            self._stage(suspect.artifacts, None)
            self._run_all(self.unusable)
            return min(self._failed, default=None)

        return self._in_child(run)

    def _in_child(self, work: Callable[[], Any]) -> Any:
        """What the work gives, done in a copy of this process that leaves no trace in it."""
        with tempfile.NamedTemporaryFile() as file:
            child = os.fork()
            if not child:
                code = 1
                try:
                    self._failed.clear()
                    Path(file.name).write_bytes(pickle.dumps(work()))
                    code = 0
                except BaseException:
                    import traceback

                    traceback.print_exc(file=sys.__stderr__)
                finally:
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            if status:
                raise RuntimeError("the tests could not be run; see above")
            return pickle.loads(Path(file.name).read_bytes())


def run_tests(judge: Judge, paths: Iterable[str]) -> int:
    """Collects the tests at these paths and hands them to the judge."""
    quiet = ["-q", "-p", "no:ape_test", "--hypothesis-seed=0", "--no-header", "-rN"]
    return int(pytest.main([*quiet, *paths], plugins=[judge]))
