"""How much of the contracts' lines and branches their tests run: every contract that is deployed, every statement, and
both ways of every condition.

The tests are those of tests/contracts, on the EVM that they always run on, in a copy of the checkout whose contracts
carry marks (`instrument`). Left out are the tests of size and of how much gas is too little, since marked code has more
of the one and takes more of the other, and those that run the artifact elsewhere.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from .instrument import Mark, instrument
from .options import Options, StepFailed
from .watching import FOLDER

CONTRACTS = ("KamengEscrow", "KamengLens", "KamengCart", "KamengDeposits", "KamengAutomation")

COPIED = ("contracts", "kameng_escrow", "tests", "bench", "pyproject.toml", "foundry.toml")
LEFT_OUT = ("tests/contracts/test_size.py", "tests/contracts/test_invariants.py", "tests/contracts/test_twin.py")
TOO_LITTLE_GAS = ("starve", "too_little_gas")  # in the names of tests

# What the tests reach on the code that ships, and can't on marked code: by file and text, with the reason.
_DEPOSITS = "contracts/periphery/KamengDeposits.sol"
_STARVED = (
    "happens where a creation runs out of gas and what EIP-150 held back is enough to say so; marked code needs more "
    "to say it. test_with_too_little_gas_nothing_happens_at_all asserts it of the code that ships"
)
_AUTOMATION = "contracts/periphery/KamengAutomation.sol"
_TOO_LITTLE = (
    "happens with too little gas for a single order, which is another amount for marked code. "
    "test_too_little_gas_for_one_order_is_told asserts it of the code that ships"
)
ELSEWHERE = {
    (_DEPOSITS, "revert VaultNotCreated"): _STARVED,
    (_DEPOSITS, "Vault.create("): _STARVED,
    (_AUTOMATION, "revert IKamengEscrow.InsufficientGas"): _TOO_LITTLE,
    (_AUTOMATION, "i == 0"): _TOO_LITTLE,
}


def run(options: Options) -> dict[str, int | float]:
    with tempfile.TemporaryDirectory() as folder:
        marks = _prepare(options.root, Path(folder))
        seen = _run_tests(options, Path(folder))
    unreached = [mark for mark in marks if mark.number not in seen]
    unexplained = 0
    for mark in unreached:
        reason = _reason(mark)
        unexplained += reason is None
        what = f"never {mark.way}" if mark.way else "never run"
        options.say(f"{mark.file}:{mark.line}: {what}: {mark.text}" + (f" ({reason})" if reason else ""))
    lines = _by_line(mark for mark in marks if not mark.way)
    missed = _by_line(mark for mark in unreached if not mark.way)
    branches = [mark for mark in marks if mark.way]
    missed_branches = [mark for mark in unreached if mark.way]
    return {
        "lines_pct": _percent(len(lines) - len(missed), len(lines)),
        "branches_pct": _percent(len(branches) - len(missed_branches), len(branches)),
        "unexplained": unexplained,
        "lines": len(lines),
        "branches": len(branches),
    }


def _reason(mark: Mark) -> str | None:
    """Why no test reaches it here; None if there is no reason."""
    return next((why for (file, text), why in ELSEWHERE.items() if mark.file == file and text in mark.text), None)


def _prepare(root: Path, copy: Path) -> list[Mark]:
    """The checkout, with marks."""
    without = shutil.ignore_patterns("__pycache__", ".cache")
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, copy / name, ignore=without)
        else:
            shutil.copy(root / name, copy / name)
    (copy / "node_modules").symlink_to(root / "node_modules")
    instrumented = instrument(root, CONTRACTS)
    for path, text in instrumented.sources.items():
        (copy / path).write_text(text, "utf-8")
    return instrumented.marks


def _run_tests(options: Options, copy: Path) -> set[int]:
    """The marks that the tests left.

    Raises:
        StepFailed: a test failed.
    """
    found = copy / "seen"
    found.mkdir()
    command = [sys.executable, "-m", "pytest", "-p", "no:ape_test", "-p", "bench.verify.watching", "-q", "-n", "auto"]
    command += ["--maxprocesses", str(options.jobs), "--maxfail", "20", *(f"--ignore={path}" for path in LEFT_OUT)]
    command += ["-k", " and ".join(f"not {words}" for words in TOO_LITTLE_GAS), "tests/contracts"]
    environment = {**os.environ, FOLDER: str(found), "PYTHONPATH": str(copy)}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    options.say(done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr)
    if done.returncode != 0:
        raise StepFailed(f"the tests fail on the contracts with marks:\n{done.stdout[-3_000:]}{done.stderr[-1_000:]}")
    return {mark for path in found.glob("*.json") for mark in json.loads(path.read_text("utf-8"))}


def _by_line(marks: Iterable[Mark]) -> dict[tuple[str, int], list[Mark]]:
    lines: dict[tuple[str, int], list[Mark]] = defaultdict(list)
    for mark in marks:
        lines[mark.file, mark.line].append(mark)
    return lines


def _percent(part: int, whole: int) -> float:
    """Rounded down, so that a hundred means all."""
    return part * 10_000 // whole / 100
