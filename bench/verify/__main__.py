"""Runs steps of the proof one after the other; see the package. After each, its figures are in the file."""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.compiler import ARTIFACTS, stale_artifacts
from kameng_escrow.errors import EscrowError

from .options import ROOT, Options, StepFailed

RESULTS = ROOT / "bench" / "results" / "verify.json"

Figures = Mapping[str, int | float]

# The steps in their order, the quick ones first, and what each must find for `make verify` to succeed.
STEPS: Mapping[str, Callable[[Figures], bool]] = {
    "slither": lambda found: found["unexplained"] == 0,
    "coverage": lambda found: found["unexplained"] == 0,
    "halmos": lambda found: found["proved"] > 0 and found["failed"] == 0,
    "differential": lambda found: found["histories"] > 0 and found["differences"] == 0,
    "invariants": lambda found: found["calls"] > 0 and found["failures"] == 0,
    "mutation": lambda found: found["killed_pct"] >= 95,
}


def code_hashes(root: Path, names: Iterable[str]) -> dict[str, str]:
    """What tells whether a figure is of the contract as it is: a hash of the code that ships, by name. It does not
    change with comments or layout."""
    hashes = {}
    for name in names:
        artifact = Artifact.from_json((root / ARTIFACTS / f"{name}.json").read_text("utf-8"))
        hashes[name] = "0x" + sha256(bytes.fromhex(artifact.bytecode[2:])).hexdigest()
    return hashes


def run_step(name: str, options: Options) -> dict[str, Any]:
    """One step's entry in the file.

    Raises:
        StepFailed: the shipped artifacts are older than the sources, or the step says so.
    """
    step = importlib.import_module(f"bench.verify.{name}")
    if stale := set(stale_artifacts(options.root)) & set(step.CONTRACTS):
        raise StepFailed(f"{', '.join(sorted(stale))}: older than the sources. Run `make compile` first.")
    started = time.monotonic()
    figures = step.run(options)
    seconds = round(time.monotonic() - started)
    return {**figures, "seconds": seconds, "code": code_hashes(options.root, step.CONTRACTS)}


def write_entry(path: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Puts a step's entry among the others'."""
    entries = json.loads(path.read_text("utf-8")) if path.exists() else {}
    entries[name] = entry
    ordered = {step: entries[step] for step in STEPS if step in entries}
    path.write_text(json.dumps(ordered, indent=2) + "\n", "utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.verify", description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"of {', '.join(STEPS)}; all of them if none is named")
    parser.add_argument("--calls", type=int, default=Options().calls, help="random calls against the contract")
    parser.add_argument("--histories", type=int, default=Options().histories, help="random histories of the twins")
    parser.add_argument("--seed", type=int, default=Options().seed, help="of all that is random")
    parser.add_argument("--jobs", type=int, default=Options().jobs, help="processes at a time")
    given = parser.parse_args(arguments)
    steps = [step for words in given.steps for step in words.split(",") if step] or list(STEPS)
    if unknown := set(steps) - set(STEPS):
        parser.error(f"no such step: {', '.join(sorted(unknown))} (there are {', '.join(STEPS)})")
    if min(given.calls, given.histories, given.jobs) < 1:
        parser.error("calls, histories and jobs are at least 1")
    options = Options(calls=given.calls, histories=given.histories, seed=given.seed, jobs=given.jobs)

    failed = []
    for name in steps:
        options.say(f"--- {name}")
        try:
            entry = run_step(name, options)
        except (StepFailed, EscrowError) as error:
            options.say(f"{name} could not be carried out: {error}")
            failed.append(name)
            continue
        write_entry(RESULTS, name, entry)
        figures = {key: value for key, value in entry.items() if key != "code"}
        options.say(f"{name}: " + ", ".join(f"{key} {value:,}" for key, value in figures.items()))
        if not STEPS[name](figures):
            failed.append(name)
    if failed:
        options.say(f"Not as it should be: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
