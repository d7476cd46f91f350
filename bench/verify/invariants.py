"""Random calls by everybody against the artifact that ships: tests/forge/invariants.

The calls are cut into batches of their own seeds, several at a time, so that progress can be told and every core is
used. What counts is what forge counted.
"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .forge import run_forge
from .options import Options, StepFailed

CONTRACTS = ("KamengEscrow",)

DEPTH = 500  # calls a run
BATCH_RUNS = 200  # runs a batch


@dataclass(frozen=True, slots=True)
class Batch:
    """What forge did with one seed."""

    seed: int
    calls: int
    reverts: int
    failure: str  # why it stopped early; empty if it did not


def run_batch(root: Path, seed: int, runs: int, depth: int) -> Batch:
    """`runs` times `depth` calls.

    Raises:
        StepFailed: forge did not get as far as calling.
    """
    settings = {"INVARIANT_RUNS": runs, "INVARIANT_DEPTH": depth, "INVARIANT_SHRINK_RUN_LIMIT": 500}
    done = run_forge(root, "invariants", ["test", "--json", "--threads", "1", "--fuzz-seed", str(seed)], settings)
    try:
        suites = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, json.JSONDecodeError) as error:
        said = (done.stderr or done.stdout).strip()[-2_000:]
        raise StepFailed(f"forge ended with {done.returncode} and said: {said or 'nothing'}") from error
    calls = reverts = 0
    failure = ""
    for suite in suites.values():
        for name, result in suite["test_results"].items():
            if result["status"] != "Success":
                failure = f"seed {seed}, {name}: {result['reason']}\n{_sequence(result)}"
            counted = result["kind"].get("Invariant", {})
            calls += counted.get("calls", 0)
            reverts += counted.get("reverts", 0)
    if not calls and not failure:
        raise StepFailed(f"forge found nothing to call: {done.stderr.strip()[-2_000:]}")
    return Batch(seed, calls, reverts, failure)


def run(options: Options) -> dict[str, int | float]:
    batches = -(-options.calls // (DEPTH * BATCH_RUNS))
    run_batch(options.root, options.seed, 1, 1)  # compiles, once
    calls = failures = finished = 0
    started = time.monotonic()
    for batch in _batches(options, batches):
        calls += batch.calls
        finished += 1
        if batch.failure:
            failures += 1
            options.say(batch.failure)
        rate = calls / (time.monotonic() - started)
        left = max(options.calls - calls, 0) / rate if rate else 0
        options.say(f"{calls:>12,} calls, {failures} failures, {rate:,.0f} calls/s, {left / 60:.0f} min left")
    return {"calls": calls, "failures": failures, "runs": finished * BATCH_RUNS, "depth": DEPTH, "seed": options.seed}


def _batches(options: Options, count: int) -> Iterator[Batch]:
    """Their results as they come; each with a seed of its own, whatever the other runs of this kind were told."""
    seeds = [options.seed * 1_000_000 + number for number in range(count)]
    with ThreadPoolExecutor(options.jobs) as pool:
        yield from pool.map(lambda seed: run_batch(options.root, seed, BATCH_RUNS, DEPTH), seeds)


def _sequence(result: dict[str, object]) -> str:
    """The calls that lead there, one a line."""
    counterexample = result.get("counterexample")
    if not isinstance(counterexample, dict):
        return ""
    calls = next(iter(counterexample.values()))
    calls = calls[-1] if isinstance(calls, list) and calls and isinstance(calls[-1], list) else calls
    if not isinstance(calls, list):
        return str(calls)
    return "\n".join(
        f"  {call.get('func_name', '')}({call.get('raw_args', '')})" for call in calls if isinstance(call, dict)
    )
