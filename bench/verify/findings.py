"""What Slither finds in contracts: from the compiler's answers on standard input to findings on standard output, both
JSON by contract. It runs in the environment that Slither is installed in, and imports nothing of ours.
"""

import inspect
import json
import sys
from typing import Any

from crytic_compile import CryticCompile
from crytic_compile.compilation_unit import CompilationUnit
from crytic_compile.compiler.compiler import CompilerVersion
from crytic_compile.platform.solc_standard_json import SolcStandardJson, parse_standard_json_output
from slither import Slither
from slither.detectors import all_detectors
from slither.detectors.abstract_detector import AbstractDetector


class Compiled(SolcStandardJson):
    """What the compiler has answered already."""

    def __init__(self, answer: dict[str, Any], version: str) -> None:
        super().__init__()
        self._answer, self._version = answer, version

    def compile(self, crytic_compile: CryticCompile, **_: Any) -> None:
        unit = CompilationUnit(crytic_compile, "standard_json")
        unit.compiler_version = CompilerVersion(compiler="solc", version=self._version, optimized=True)
        parse_standard_json_output(self._answer, unit)


def find(answer: dict[str, Any], version: str) -> list[dict[str, str]]:
    """Every finding about our own sources that no comment beside the line turns off."""
    slither = Slither(CryticCompile(Compiled(answer, version)), filter_paths=["node_modules/"])
    for detector in vars(all_detectors).values():
        if inspect.isclass(detector) and issubclass(detector, AbstractDetector):
            slither.register_detector(detector)
    found = [finding for findings in slither.run_detectors() for finding in findings]
    return [{key: finding[key].strip() for key in ("check", "impact", "description")} for finding in found]


if __name__ == "__main__":
    given = json.load(sys.stdin)
    findings = {name: find(answer, given["version"]) for name, answer in given["answers"].items()}
    json.dump(findings, sys.stdout)
