"""A little of what `make verify` does with ten million calls: everybody calls everything, at random."""

import random

from bench.verify.invariants import run_batch
from tests.compiled import ROOT

RUNS = 20
DEPTH = 250


def test_promises_hold_whatever_is_called():
    seed = random.randrange(2**32)
    batch = run_batch(ROOT, seed, RUNS, DEPTH)
    assert batch.failure == ""
    assert (batch.calls, batch.reverts) == (RUNS * DEPTH, 0), f"seed {seed}"
