"""Contract against its twin in Python, on random histories: tests/contracts/test_twin.py, many times as long.

What counts is what the tests say came to its end without a difference. A history that finds one ends the test it is
part of, with the shortest history that does.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from .options import Options, StepFailed

CONTRACTS = ("KamengEscrow", "KamengLens")

TEST = "tests/contracts/test_twin.py"


def run(options: Options) -> dict[str, int | float]:
    """Compares; raises `StepFailed` if pytest did not get as far."""
    options.say(f"{options.histories:,} histories in {options.jobs} processes; about a thousand a minute each.")
    chosen = [TEST, "-k", "random_histories_agree and not another"]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:ape_test", "-n", str(options.jobs), *chosen]
        done = subprocess.run(
            [*command, f"--junitxml={report}"],
            cwd=options.root,
            env={**os.environ, "KAMENG_HISTORIES": str(options.histories), "KAMENG_SEED": str(options.seed)},
            capture_output=True,
            text=True,
        )
        if done.returncode not in (0, 1) or not report.exists():
            raise StepFailed(f"pytest did not run:\n{done.stdout}{done.stderr}")
        cases = list(ET.parse(report).iter("testcase"))
    differences = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    if differences:
        options.say(done.stdout[-5_000:])
    histories = sum(int(item.get("value", 0)) for item in _properties(cases) if item.get("name") == "histories")
    return {"histories": histories, "differences": len(differences)}


def _properties(cases: list[ET.Element]) -> list[ET.Element]:
    return [item for case in cases for item in case.iter("property")]
