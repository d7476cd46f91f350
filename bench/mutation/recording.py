"""What the tests do to the contract, and see of it, written down once, to be done to every mutant at machine speed.

A test is a list of transactions and questions. As long as a mutant answers each as the original did, the test can't
tell them apart: nothing else of the contract reaches it. Where an answer differs, the test may fail. Whether it does is
for the test to say, except in the histories of contract and twin, which compare all that is written down here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.harness import revm
from tests.contracts.harness.evm import GAS, Receipt, Reverted

Answer = tuple[Any, ...]
Step = tuple[Any, ...]  # a method, its arguments, and for questions and transactions the answer


@dataclass
class Segment:
    """What happened from one restored state to the next."""

    test: str
    steps: list[Step] = field(default_factory=list)


@dataclass
class Recording:
    """All that was done to one chain."""

    exact: bool  # whether the tests compare everything: then logs are the escrow's alone, and answers are left out
    escrow: str = ""  # its address
    setup: list[Step] = field(default_factory=list)  # until the snapshot that segments begin with
    segments: list[Segment] = field(default_factory=list)


class Recorder:
    """A chain that writes down what is done to it."""

    chain_id = revm.Revm.chain_id

    def __init__(self, test: Callable[[], str], code: str, exact: Callable[[], bool]) -> None:
        """`test`: which one is running; `code`: how the creation code of the escrow begins."""
        self._evm = revm.Revm(code_size=10**7)
        self._test, self._code = test, bytes.fromhex(code)
        self.recording = Recording(exact())
        self._snapshots: list[revm.Snapshot] = []

    @property
    def now(self) -> int:
        return self._evm.now

    def _note(self, *step: Any) -> None:
        segments = self.recording.segments
        if segments and segments[-1].test != self._test():
            raise AssertionError("a test went on with another's state")
        (segments[-1].steps if segments else self.recording.setup).append(step)

    def warp(self, to: int) -> None:
        self._note("warp", to)
        self._evm.warp(to)

    def snapshot(self) -> int:
        self._note("snapshot")
        self._snapshots.append(self._evm.snapshot())
        return len(self._snapshots) - 1

    def restore(self, snapshot: int) -> None:
        if snapshot == 0:
            self.recording.segments.append(Segment(self._test()))
            del self._snapshots[1:]
        else:
            self._note("restore", snapshot)
            del self._snapshots[snapshot + 1 :]
        self._evm.restore(self._snapshots[snapshot])

    def balance(self, address: str) -> int:
        amount = self._evm.balance(address)
        self._note("balance", address, amount)
        return amount

    def set_balance(self, address: str, amount: int) -> None:
        self._note("set_balance", address, amount)
        self._evm.set_balance(address, amount)

    def code(self, address: str) -> bytes:
        return self._evm.code(address)

    def set_code(self, address: str, code: bytes) -> None:
        self._note("set_code", address, code)
        self._evm.set_code(address, code)

    def transact(
        self, *, sender: str, to: str | None = None, data: bytes = b"", value: int = 0, gas: int = GAS
    ) -> Receipt:
        if to is None and data.startswith(self._code) and not self.recording.escrow:
            self.recording.escrow = "next"
        call = {"sender": sender, "to": to, "data": data, "value": value, "gas": gas}
        return self._answered("transact", call, self._evm.transact)

    def call(self, *, sender: str, to: str, data: bytes, value: int = 0, gas: int = GAS) -> Receipt:
        call = {"sender": sender, "to": to, "data": data, "value": value, "gas": gas}
        return self._answered("call", call, self._evm.call)

    def read(self, *, to: str, data: bytes) -> Receipt:
        return self._answered("read", {"to": to, "data": data}, self._evm.read)

    def _answered(self, method: str, call: dict[str, Any], ask: Callable[..., Receipt]) -> Receipt:
        recording = self.recording
        try:
            receipt = ask(**call)
        except Reverted as revert:
            self._note(method, call, ("reverted", revert.data))
            raise
        if recording.escrow == "next":
            recording.escrow = receipt.created
        self._note(method, call, answer_of(receipt, method, recording))
        return receipt


def answer_of(receipt: Receipt, method: str, recording: Recording) -> Answer:
    if method == "read":
        return (receipt.returned,)
    if recording.exact:
        return tuple(log for log in receipt.logs if log.address == recording.escrow)
    return receipt.created, receipt.returned, receipt.logs


class Replay:
    """A mutant under a recording.

    Args:
        choice: the mutant's number.
        codes: creation codes to be replaced, by how they begin, for mutants that are compiled alone.
    """

    def __init__(self, recording: Recording, choice: int, codes: dict[bytes, bytes]) -> None:
        self.recording = recording
        self.evm = revm.Revm(code_size=10**7)
        self.evm.set_randao(choice)
        self.codes = codes
        self.snapshots: list[revm.Snapshot] = []
        self.sound = self._agrees(recording.setup)  # whether it came as far as the tests begin

    def differs_in(self, segment: Segment) -> bool:
        """Whether it answers anything otherwise."""
        if not self.sound:
            return True
        del self.snapshots[1:]
        self.evm.restore(self.snapshots[0])
        return not self._agrees(segment.steps)

    def differences(self, segments: list[Segment]) -> Iterator[Segment]:
        yield from (segment for segment in segments if self.differs_in(segment))

    def _agrees(self, steps: list[Step]) -> bool:
        evm, recording, snapshots = self.evm, self.recording, self.snapshots
        for step in steps:
            method = step[0]
            if method == "read":
                try:
                    answer: Answer = (evm.read(**step[1]).returned,)
                except Reverted as revert:
                    answer = ("reverted", revert.data)
                if answer != step[2]:
                    return False
            elif method in ("transact", "call"):
                call = step[1]
                if call["to"] is None and self.codes:
                    call = {**call, "data": self._replaced(call["data"])}
                try:
                    receipt = (evm.transact if method == "transact" else evm.call)(**call)
                    answer = answer_of(receipt, method, recording)
                except Reverted as revert:
                    answer = ("reverted", revert.data)
                if answer != step[2]:
                    return False
            elif method == "balance":
                if evm.balance(step[1]) != step[2]:
                    return False
            elif method == "snapshot":
                snapshots.append(evm.snapshot())
            elif method == "restore":
                del snapshots[step[1] + 1 :]
                evm.restore(snapshots[step[1]])
            else:
                getattr(evm, method)(*step[1:])
        return True

    def _replaced(self, data: bytes) -> bytes:
        for old, new in self.codes.items():
            if data.startswith(old):
                return new + data[len(old) :]
        return data
