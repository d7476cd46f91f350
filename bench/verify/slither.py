"""Static analysis by Slither, all detectors, over every contract that is deployed.

A finding is explained by a comment above the line: the reason in words, then `slither-disable-next-line <detector>`.
What is of medium impact or higher and not explained so is counted, and so is a comment that gives no reason.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kameng_escrow.chain.compiler import standard_input
from kameng_escrow.chain.solc import SOLC_VERSION, resolve_solc

from .options import Options, StepFailed

CONTRACTS = ("KamengEscrow", "KamengLens", "KamengCart", "KamengDeposits", "KamengAutomation")

SERIOUS = ("High", "Medium")
_NO_CODE = {
    "bytecode": {"object": "", "sourceMap": ""},
    "deployedBytecode": {"object": "", "sourceMap": ""},
    "methodIdentifiers": {},
}
_DISABLE = re.compile(r"^\s*// slither-disable")
_REASON = re.compile(r"^\s*//(?! slither-disable)\s*\S")


def run(options: Options) -> dict[str, int | float]:
    python = options.root / ".venv-proofs" / "bin" / "python"
    if not python.exists():
        raise StepFailed(f"{python} is missing: `make verify` installs it")
    answers = {name: _read(options.root, name) for name in CONTRACTS}
    script = Path(__file__).with_name("findings.py")
    given = json.dumps({"version": SOLC_VERSION, "answers": answers})
    done = subprocess.run([python, "-P", script], cwd=options.root, input=given, capture_output=True, text=True)
    if done.returncode != 0:
        raise StepFailed(f"Slither said: {done.stderr.strip()[-2_000:]}")
    found = {
        (finding["impact"], finding["check"], finding["description"])
        for findings in json.loads(done.stdout).values()
        for finding in findings
    }
    serious = sorted(finding for finding in found if finding[0] in SERIOUS)
    for impact, check, description in serious:
        options.say(f"{impact}: {check}: {description}")
    silent = list(_without_reason(options.root))
    for place in silent:
        options.say(f"{place}: turns a detector off and does not say why")
    explained = sum(1 for _ in _disabled(options.root))
    return {"unexplained": len(serious) + len(silent), "explained": explained, "lower": len(found) - len(serious)}


def _read(root: Path, name: str) -> dict[str, Any]:
    """The syntax trees of a contract and of all that it imports. Slither does not look at bytecode, so none is made,
    which takes seconds instead of minutes."""
    question = standard_input(root, name)
    question["settings"]["outputSelection"] = {"*": {"": ["ast"], "*": ["abi", "userdoc", "devdoc"]}}
    done = subprocess.run(
        [resolve_solc(root).path, "--standard-json"], input=json.dumps(question), capture_output=True, text=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    for contracts in answer["contracts"].values():
        for contract in contracts.values():
            contract["evm"] = _NO_CODE
    return answer


def _disabled(root: Path) -> Iterator[tuple[Path, int, list[str]]]:
    """Every comment that turns a detector off: its file, its place among the lines, and the lines."""
    for path in sorted((root / "contracts").rglob("*.sol")):
        relative = path.relative_to(root)
        if relative.parts[1] in ("test", ".cache"):
            continue
        lines = path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines):
            if _DISABLE.match(line):
                yield relative, number, lines


def _without_reason(root: Path) -> Iterator[str]:
    for path, number, lines in _disabled(root):
        if number == 0 or not _REASON.match(lines[number - 1]):
            yield f"{path}:{number + 1}"
