"""What every step is told."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]


def _print(sentence: str) -> None:
    Console(soft_wrap=True).print(sentence, markup=False, highlight=False)


@dataclass(frozen=True, slots=True)
class Options:
    root: Path = ROOT  # the checkout
    calls: int = 10_000_000  # random calls against the contract
    histories: int = 10_000  # random histories of contract and twin
    seed: int = 1  # of all that is random; the same one gives the same run
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)  # processes at a time
    say: Callable[[str], None] = _print  # told, in a sentence, how it goes


class StepFailed(Exception):
    """A step could not be carried out. That is not a finding about the contract."""
