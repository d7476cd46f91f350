"""What `import kameng_escrow` offers."""

import subprocess
import sys

import pytest

import kameng_escrow


@pytest.mark.parametrize("name", kameng_escrow.__all__)
def test_offered_name_is_there(name: str) -> None:
    assert getattr(kameng_escrow, name) is not None


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Escrow'"):
        _ = kameng_escrow.Escrow


def test_importing_alone_loads_nothing_else() -> None:
    """So that `kameng --help` does not wait for web3."""
    script = "import sys, kameng_escrow; sys.exit('web3' in sys.modules or 'eth_abi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
