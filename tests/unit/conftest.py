"""Fixtures of the tests of pure code."""

import pytest

from tests.unit.on_chain import Escrow, deploy


@pytest.fixture(scope="module")
def real_escrow() -> Escrow:
    """The contract itself, freshly deployed on an EVM in this process: what pure code is held against."""
    return deploy()
