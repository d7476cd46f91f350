"""What `kameng_escrow.domain` offers is what it says it offers."""

import ast
from pathlib import Path
from types import ModuleType

import pytest

from kameng_escrow import domain


def test_the_export_list_is_what_is_imported() -> None:
    imported = {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(Path(domain.__file__).read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(domain.__all__) == imported
    assert len(set(domain.__all__)) == len(domain.__all__)


@pytest.mark.parametrize("name", domain.__all__)
def test_an_export_is_documented_and_no_module_hides_it(name: str) -> None:
    """``domain.fold`` is the function: a module of the same name must not come back in its place."""
    offered = getattr(domain, name)
    assert not isinstance(offered, ModuleType)
    if isinstance(offered, type):
        assert offered.__doc__


def test_modules_named_in_the_docstring_exist() -> None:
    folder = Path(domain.__file__).parent
    for name in ("events", "refusals", "shares", "incentives", "twin"):
        assert f"``{name}``" in str(domain.__doc__)
        assert (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists()
