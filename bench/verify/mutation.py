"""Mutants of the contracts against their tests: bench/mutation. Writes bench/results/mutation.md, which explains every
survivor.

A mutant is killed if a test that passes on the contract fails on it. It is equivalent if the shipping compiler makes
the very same code of it; those count neither way. All of them are judged, in an order drawn with the seed, or as many
as there is time for. What survives is compiled as what ships is, as long as there is time: to tell what is equivalent,
and to run the tests that can't be recorded.

What was judged is kept in .cache/mutation, for contracts as they are. With KAMENG_MUTATION_AGAIN=1 what a run before
left, by surviving or by not having had its turn, is judged with the tests as they are by now, and all the rest is
believed.
"""

import hashlib
import json
import os
import pickle
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.mutation.judge import Judge, Suspect, run_tests
from bench.mutation.mutants import Mutant, mutants_of
from bench.mutation.schemata import compile_schema, plain
from bench.mutation.syntax import UNOPTIMISED, Program, read_program, run_compiler
from kameng_escrow.chain.artifacts import Artifact, load_artifact
from kameng_escrow.chain.compiler import SETTINGS, find_source

from .options import Options, StepFailed

CONTRACTS = ("KamengEscrow", "KamengLens")

HISTORIES = 400  # of contract and twin, that every mutant goes through
MINUTES = int(os.environ.get("KAMENG_MUTATION_MINUTES", "60"))  # each for judging and for what is left; then it ends
AGAIN = os.environ.get("KAMENG_MUTATION_AGAIN") == "1"
REPORT = Path("bench/results/mutation.md")
REASONS = Path("bench/mutation/reasons.json")
OUTPUT = ("abi", "evm.bytecode.object", "evm.deployedBytecode.object")


@dataclass(frozen=True)
class Verdict:
    mutant: Mutant
    ending: str  # "killed", "survived", "equivalent" or "not compiled"
    by: str = ""  # the test that killed it


def run(options: Options) -> dict[str, int | float]:
    os.environ |= {"KAMENG_HISTORIES": str(HISTORIES), "KAMENG_SEED": str(options.seed)}
    program = read_program(options.root, list(CONTRACTS))
    mutants = mutants_of(program)
    options.say(f"{len(mutants):,} mutants; compiling them into one program, which takes minutes.")
    path = _kept_at(options.root, program, mutants)
    schema, taken = _schema(options.root, path, program, mutants)
    verdicts_path = path.with_name(f"{path.stem}-verdicts.json")
    before = _read_verdicts(verdicts_path, mutants) if AGAIN else []
    bench = _Bench(options, program, mutants, taken, schema, before)
    tests = sorted(str(path) for path in (options.root / "tests" / "contracts").glob("test_*.py"))
    run_tests(bench.judge, tests)
    verdicts = bench.verdicts
    if not verdicts:
        raise StepFailed("The tests could not be collected or recorded; see above.")
    _write_verdicts(verdicts_path, verdicts)
    return write_report(options, mutants, verdicts, len(bench.judge.unusable))


def _kept_at(root: Path, program: Program, mutants: list[Mutant]) -> Path:
    """Where the program with these mutants in it is kept."""
    text = repr([sorted(program.sources.items()), mutants, sorted(UNOPTIMISED.items())])
    return root / ".cache" / "mutation" / f"{hashlib.sha256(text.encode()).hexdigest()}.json"


def _read_verdicts(path: Path, mutants: list[Mutant]) -> list[Verdict]:
    """The verdicts of the runs before."""
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return [Verdict(mutant, *kept[str(mutant.number)]) for mutant in mutants if str(mutant.number) in kept]


def _write_verdicts(path: Path, verdicts: Iterable[Verdict]) -> None:
    kept = {str(verdict.mutant.number): (verdict.ending, verdict.by) for verdict in verdicts}
    path.write_text(json.dumps(kept, indent=0), "utf-8")


def _schema(root: Path, path: Path, program: Program, mutants: list[Mutant]) -> tuple[dict[str, Artifact], set[int]]:
    """The artifacts with all mutants in them, and which those are. Kept, since compiling takes minutes."""
    if not path.exists():
        answer, taken = compile_schema(program, mutants, {**UNOPTIMISED, "outputSelection": _selection(root)})
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"codes": _codes(root, answer), "taken": sorted(taken)}), "utf-8")
    kept = json.loads(path.read_text("utf-8"))
    return _artifacts(kept["codes"]), set(kept["taken"])


def _selection(root: Path) -> dict[str, dict[str, list[str]]]:
    return {find_source(root, name): {name: list(OUTPUT)} for name in CONTRACTS}


def _codes(root: Path, answer: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """By contract: the code that creates it, and the code that stays."""
    made = {name: answer["contracts"][find_source(root, name)][name]["evm"] for name in CONTRACTS}
    return {
        name: ("0x" + evm["bytecode"]["object"], "0x" + evm["deployedBytecode"]["object"]) for name, evm in made.items()
    }


def _artifacts(codes: Mapping[str, tuple[str, str]]) -> dict[str, Artifact]:
    return {
        name: replace(load_artifact(name), bytecode=creating, deployed_bytecode=staying)
        for name, (creating, staying) in codes.items()
    }


class _Bench:
    """Judges within pytest's run, since the tests are pytest's."""

    def __init__(
        self,
        options: Options,
        program: Program,
        mutants: list[Mutant],
        taken: set[int],
        schema: dict[str, Artifact],
        before: list[Verdict],
    ) -> None:
        self.options, self.program, self.taken = options, program, taken
        self.believed = [verdict for verdict in before if verdict.ending != "survived"]
        settled = {verdict.mutant.number for verdict in self.believed}
        survived = {verdict.mutant.number for verdict in before} - settled
        self.order = [mutant for mutant in mutants if mutant.number not in settled]
        random.Random(options.seed).shuffle(self.order)
        self.order.sort(key=lambda mutant: mutant.number not in survived)
        self.verdicts: list[Verdict] = []
        self.judge = Judge(schema, self._work)

    def _work(self, judge: Judge) -> None:
        told = f"{len(judge.unusable)} tests can't be recorded and are run only on what the others leave"
        segments = sum(len(recording.segments) for recording in judge.recordings)
        self.options.say(f"Recorded {segments:,} pieces of tests; {told}.")
        first = self._in_parallel(self.order, self._judged)
        left = [verdict.mutant for verdict in first if verdict.ending == "survived"]
        self.options.say(f"{len(left):,} of {len(first):,} are left; compiling them as what ships is.")
        again = {verdict.mutant: verdict for verdict in self._in_parallel(left, self._judged_as_shipped)}
        self.verdicts = self.believed + [again.get(verdict.mutant, verdict) for verdict in first]

    def _in_parallel(self, mutants: list[Mutant], judge: Callable[[Mutant], Verdict]) -> list[Verdict]:
        """One process for every job, each with every so-manieth mutant, until time is up."""
        jobs, files, children = self.options.jobs, [], []
        for job in range(jobs):
            handle, name = tempfile.mkstemp()
            os.close(handle)
            files.append(Path(name))
            child = os.fork()
            if not child:
                code = 1
                try:
                    files[-1].write_bytes(pickle.dumps(self._judge_some(mutants[job::jobs], judge, job == 0)))
                    code = 0
                finally:
                    os._exit(code)
            children.append(child)
        statuses = [os.waitpid(child, 0)[1] for child in children]
        if any(statuses):
            raise StepFailed("A judging process died.")
        parts = [pickle.loads(file.read_bytes()) for file in files]
        for file in files:
            file.unlink()
        return [verdict for part in parts for verdict in part]

    def _judge_some(self, mutants: list[Mutant], judge: Callable[[Mutant], Verdict], tells: bool) -> list[Verdict]:
        begun, verdicts = time.monotonic(), []
        for done, mutant in enumerate(mutants):
            if time.monotonic() - begun > MINUTES * 60:
                break
            verdicts.append(judge(mutant))
            if tells and (done + 1) % 100 == 0:
                endings = Counter(verdict.ending for verdict in verdicts)
                counted = ", ".join(f"{number:,} {ending}" for ending, number in endings.most_common())
                self.options.say(f"{done + 1:,} of {len(mutants):,}: {counted}.")
        return verdicts

    def _judged(self, mutant: Mutant) -> Verdict:
        suspect = Suspect(mutant.number, mutant.where)
        if mutant.number not in self.taken:
            alone = self._compiled(mutant, UNOPTIMISED)
            if alone is None:
                return Verdict(mutant, "not compiled")
            suspect = Suspect(mutant.number, mutant.where, alone)
        if test := self.judge.killed_by(suspect):
            return Verdict(mutant, "killed", test)
        return Verdict(mutant, "survived")

    def _judged_as_shipped(self, mutant: Mutant) -> Verdict:
        shipping = self._compiled(mutant, SETTINGS)
        if shipping is None:
            return Verdict(mutant, "not compiled")
        if all(shipping[name].bytecode == load_artifact(name).bytecode for name in CONTRACTS):
            return Verdict(mutant, "equivalent")
        if test := self.judge.fails_elsewhere(Suspect(mutant.number, mutant.where, shipping)):
            return Verdict(mutant, "killed", test)
        return Verdict(mutant, "survived")

    def _compiled(self, mutant: Mutant, settings: Mapping[str, Any]) -> dict[str, Artifact] | None:
        """The mutant alone; None where the compiler refuses it."""
        root, codes = self.options.root, {}
        sources = plain(self.program, mutant)
        for name, file in ((name, find_source(root, name)) for name in CONTRACTS):
            needed = _closure(self.program, file)
            selected = {**settings, "outputSelection": {file: {name: list(OUTPUT)}}}
            if mutant.file in needed:
                answer = run_compiler(self.program.solc, {path: sources[path] for path in needed}, selected)
                if any(error["severity"] == "error" for error in answer.get("errors", ())):
                    return None
                evm = answer["contracts"][file][name]["evm"]
                codes[name] = ("0x" + evm["bytecode"]["object"], "0x" + evm["deployedBytecode"]["object"])
        return {name: load_artifact(name) for name in CONTRACTS} | _artifacts(codes)


def _closure(program: Program, entry: str) -> list[str]:
    """The file and all that it imports."""
    found, waiting = [], [entry]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.append(path)
            waiting += [
                node["absolutePath"] for node in program.trees[path]["nodes"] if node["nodeType"] == "ImportDirective"
            ]
    return sorted(found)


# --------------------------------------------------------------------------------------------------------------- report


def described(mutant: Mutant) -> str:
    """What tells it from others and outlives a move to another line."""
    return f"{mutant.where} {mutant.kind} `{' '.join(mutant.original.split())}` → `{' '.join(mutant.changed.split())}`"


def write_report(
    options: Options, mutants: list[Mutant], verdicts: Iterable[Verdict], unusable: int
) -> dict[str, int | float]:
    """Figures of the verdicts; and the report, with the reasons given in reasons.json."""
    verdicts = sorted(verdicts, key=lambda verdict: verdict.mutant.number)
    reasons = json.loads((options.root / REASONS).read_text("utf-8"))
    endings = Counter(verdict.ending for verdict in verdicts)
    survivors = [verdict.mutant for verdict in verdicts if verdict.ending == "survived"]
    unexplained = [mutant for mutant in survivors if described(mutant) not in reasons]
    counted = endings["killed"] + endings["survived"]
    figures: dict[str, int | float] = {
        "mutants": len(mutants),
        "judged": counted,
        "killed": endings["killed"],
        "survived": endings["survived"],
        "equivalent": endings["equivalent"],
        "not_compiled": endings["not compiled"],
        "unexplained": len(unexplained),
        "seed": options.seed,
        "killed_pct": round(100 * endings["killed"] / max(counted, 1), 2),
    }
    lines = [
        "# Mutants of the contracts",
        "",
        "Written by `make verify STEPS=mutation`. What the kinds mean stands in `bench/mutation/mutants.py`; how they",
        "are judged, in `bench/mutation/judge.py`.",
        "",
        f"Of {len(mutants):,} mutants {counted:,} were judged (order drawn with seed {options.seed}): "
        f"{endings['killed']:,} killed, {endings['survived']:,} survived: **{figures['killed_pct']} %** killed. "
        f"{endings['equivalent']:,} more are equivalent (the compiler makes the very same code of them), and "
        f"{endings['not compiled']:,} do not compile. "
        f"{unusable} tests that watch gas or change the chain's id were run only on what all others left.",
        "",
        *_table(verdicts, "kind", lambda mutant: mutant.kind),
        *_table(verdicts, "file", lambda mutant: mutant.file),
        "## Survivors",
        "",
    ]
    for mutant in survivors:
        reason = reasons.get(described(mutant), "not explained yet")
        lines.append(f"- {mutant.file}:{mutant.line} {described(mutant)}: {reason}")
    (options.root / REPORT).write_text("\n".join(lines) + "\n", "utf-8")
    return figures


def _table(verdicts: list[Verdict], title: str, of: Any) -> list[str]:
    counts: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        counts.setdefault(of(verdict.mutant), Counter())[verdict.ending] += 1
    rows = [
        f"| {name} | {count['killed']:,} | {count['survived']:,} | {count['equivalent']:,} |"
        for name, count in sorted(counts.items())
    ]
    return [f"| {title} | killed | survived | equivalent |", "|---|---:|---:|---:|", *rows, ""]
