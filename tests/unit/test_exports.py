"""What `import kameng_escrow` offers, and what it costs."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import kameng_escrow

PUBLIC = [name for name in kameng_escrow.__all__ if name != "__version__"]


def test_the_list_the_types_and_the_homes_are_one() -> None:
    """Type checkers read the imports, Python the homes, people the list."""
    imported = {
        alias.asname or alias.name
        for block in ast.parse(Path(kameng_escrow.__file__).read_text("utf-8")).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == set(PUBLIC) == set(kameng_escrow._HOME_OF)
    assert len(set(kameng_escrow.__all__)) == len(kameng_escrow.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_an_export_is_there_and_documented(name: str) -> None:
    offered = getattr(kameng_escrow, name)
    assert not isinstance(offered, ModuleType)
    if isinstance(offered, type) or callable(offered):
        assert offered.__doc__, f"{name} has no docstring"


def test_the_list_is_this() -> None:
    """A name that goes breaks somebody's program: take it out here on purpose, and say so in the changelog."""
    assert set(PUBLIC) >= {
        "AsyncEscrowClient",
        "EscrowClient",
        "InProcessNode",
        "AnvilNode",
        "RpcNode",
        "deploy",
        "recommended_policy",
        "OrderTerms",
        "Policy",
        "State",
        "EscrowError",
        "Refusal",
    }


def test_a_name_that_is_not_offered_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Escrow'"):
        kameng_escrow.Escrow  # noqa: B018
    assert not hasattr(kameng_escrow, "run")
    assert set(kameng_escrow.__all__) <= set(dir(kameng_escrow))


def test_importing_the_package_loads_neither_web3_nor_an_evm() -> None:
    code = (
        "import sys, kameng_escrow; print([m for m in ('web3', 'eth', 'eth_account', 'aiohttp') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_client_needs_no_evm() -> None:
    code = "import sys; from kameng_escrow import EscrowClient; print('eth' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
