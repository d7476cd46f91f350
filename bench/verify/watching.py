"""A pytest plugin that notes which marks of `instrument` the contracts run over.

It looks at one opcode of py-evm, on which the contracts' tests run, and lifts what instrumented code can't keep: the
limit on the size of a contract. The optimizer would remove the marks, so all of its steps are left out.
"""

import json
import os
from pathlib import Path
from typing import Any

from eth.abc import ComputationAPI, OpcodeAPI
from eth.vm.forks.cancun.computation import CancunComputation
from eth.vm.forks.spurious_dragon import computation as size_limit

from kameng_escrow.chain import compiler

from .instrument import MARKS

FOLDER = "KAMENG_COVERAGE"  # where the marks are written to, a file a process
CALLDATACOPY = 0x37

_seen: set[int] = set()


class Watching(OpcodeAPI):
    """CALLDATACOPY, and a look at what it copies where."""

    def __init__(self, opcode: Any) -> None:
        self._opcode, self.mnemonic, self.gas_cost = opcode, opcode.mnemonic, opcode.gas_cost

    @classmethod
    def as_opcode(cls, logic_fn: Any, mnemonic: str, gas_cost: int) -> OpcodeAPI:
        raise NotImplementedError("made of an opcode that is there")

    def __call__(self, computation: ComputationAPI) -> Any:
        target: Any = computation._stack.values[-1]  # type: ignore[attr-defined]
        place = target if isinstance(target, int) else int.from_bytes(target, "big")
        if place >= MARKS:
            _seen.add(place)
        return self._opcode(computation=computation)


def pytest_configure() -> None:
    opcodes = dict(CancunComputation.opcodes)
    opcodes[CALLDATACOPY] = Watching(opcodes[CALLDATACOPY])
    CancunComputation.opcodes = opcodes
    size_limit.EIP170_CODE_SIZE_LIMIT = 1 << 20
    compiler.SETTINGS["optimizer"]["details"]["yulDetails"]["optimizerSteps"] = ":"
    compiler._is_our_warning = lambda _: False  # that the contract is too large


def pytest_sessionfinish() -> None:
    path = Path(os.environ[FOLDER]) / f"{os.getpid()}.json"
    path.write_text(json.dumps(sorted(_seen)), "utf-8")
