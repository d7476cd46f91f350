"""What Halmos proves, for all inputs within stated bounds: tests/forge/proofs.

Of the libraries, compiled there, and of the artifact that ships, from any storage. Where a proof rests on a lemma about
whole numbers, Z3 proves that too, and it counts as one of the proofs. Halmos and its solvers live in an environment of
their own, .venv-proofs.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from kameng_escrow.chain.artifacts import load_artifact
from kameng_escrow.chain.foundry import find_foundry
from kameng_escrow.chain.solc import resolve_solc

from .options import Options, StepFailed

CONTRACTS = ("KamengEscrow",)

PROFILE = "proofs"
BUILT = Path(".cache/forge/proofs")
PROOFS = ("SlotsProof", "IdProof", "CallsProof", "SharesProof", "ArrowsProof")
TIMEOUT = "600s"  # an assertion
_ENDINGS = {0: "proved", 1: "contradicted", 2: "not decided in time", 3: "got stuck", 4: "every path reverts"}


def run(options: Options) -> dict[str, int | float]:
    """Proves; raises `StepFailed` if the analysers are not installed, or the proofs do not compile."""
    analysers = options.root / ".venv-proofs" / "bin"
    if not (analysers / "halmos").exists():
        raise StepFailed(f"Halmos is not installed in {analysers}. Run `make .venv-proofs/.proofs`.")
    results = _lemmas(options, analysers)
    for name in PROOFS:
        results |= _proofs(options, analysers, name)
    for name, result in results.items():
        if result != "proved":
            options.say(f"{name}: {result}")
    proved = sum(result == "proved" for result in results.values())
    return {"proved": proved, "failed": len(results) - proved}


def _lemmas(options: Options, analysers: Path) -> dict[str, str]:
    done = subprocess.run(
        [analysers / "python", options.root / "bench" / "verify" / "lemmas.py"], capture_output=True, text=True
    )
    if done.returncode:
        raise StepFailed(f"The lemmas were not tried:\n{done.stderr}")
    return {f"lemma {name}": result for name, result in json.loads(done.stdout).items()}


def _proofs(options: Options, analysers: Path, contract: str) -> dict[str, str]:
    """By proof: "proved", or what Halmos says instead."""
    folder = options.root / BUILT
    folder.mkdir(parents=True, exist_ok=True)
    shipped = {"bytecode": {"object": load_artifact("KamengEscrow").bytecode}}
    (folder / "KamengEscrow.json").write_text(json.dumps(shipped), "utf-8")
    solver = f"{analysers / 'python'} {options.root / 'bench' / 'verify' / 'portfolio.py'}"
    forge = find_foundry("forge", options.root).parent
    command = [
        *(analysers / "halmos", "--root", options.root, "--forge-build-out", BUILT / "out", "--contract", contract),
        *("--solver-command", solver, "--solver-timeout-assertion", TIMEOUT, "--solver-threads", str(options.jobs)),
        *("--panic-error-codes", "*", "--no-status"),
    ]
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        done = subprocess.run(
            [*command, "--json-output", report.name],
            cwd=options.root,
            env={
                **os.environ,
                "PATH": f"{forge}{os.pathsep}{os.environ.get('PATH', '')}",
                "FOUNDRY_PROFILE": PROFILE,
                "FOUNDRY_SOLC": str(resolve_solc(options.root).path),
            },
            capture_output=True,
            text=True,
        )
        text = Path(report.name).read_text("utf-8")
    if not text:
        raise StepFailed(f"Halmos did not run {contract}:\n{done.stdout}{done.stderr}")
    tests = [test for tests in json.loads(text)["test_results"].values() for test in tests]
    results = {f"{contract}.{test['name'].partition('(')[0]}": _ending(test) for test in tests}
    if not results:
        raise StepFailed(f"Halmos found no proofs in {contract}:\n{done.stdout}{done.stderr}")
    options.say(f"{contract}: {sum(result == 'proved' for result in results.values())} of {len(results)} proved.")
    return results


def _ending(test: dict[str, Any]) -> str:
    """A loop that was not followed to its end proves nothing."""
    if test["exitcode"] == 0 and test["num_bounded_loops"]:
        return "a loop was cut short"
    return _ENDINGS.get(test["exitcode"], "could not be run")
