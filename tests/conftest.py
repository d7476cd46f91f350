"""What every shelf of tests shares: pytest's own arrangements first, fixtures after."""

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.solc import resolve_solc
from tests.compiled import compiled as compile_once

ROOT = Path(__file__).resolve().parents[1]
APE_TESTS = ROOT / "tests" / "ape"

pytest_plugins = ["tests.postgres"]

# Everything that running the tests leaves behind is in one place.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(ROOT / ".cache" / "hypothesis"))

# How long an example takes says how busy the machine is.
settings.register_profile("kameng", deadline=None)
settings.load_profile("kameng")


def _under_ape(config: pytest.Config) -> bool:
    """Whether this is `ape test`: it hands its plugin to pytest by name."""
    return "ape_test" in (config.invocation_params.plugins or ())


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keeps ape's plugin, which loads wherever ape is installed, out of plain pytest runs; gives ape its compiler."""
    if _under_ape(config):
        resolve_solc(ROOT)  # into the folder where ape looks for it: nothing else may have asked for it yet
    else:
        for name in ("ape-test", "ape-fixtures"):
            if plugin := config.pluginmanager.getplugin(name):
                config.pluginmanager.unregister(plugin)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Gives `ape test` the tests in tests/ape, and plain pytest all others."""
    for_ape = collection_path == APE_TESTS or APE_TESTS in collection_path.parents
    on_the_way = collection_path in APE_TESTS.parents
    if on_the_way or for_ape == _under_ape(config):
        return None
    return True


def pytest_collection_finish() -> None:
    """Spares all collections of cycles from now on the objects that nine thousand tests are."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: many tests wait for a node, a server or another process."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def compiled() -> Callable[[str], Artifact]:
    """`compiled("Name")`: the artifact of any contract under contracts/, doubles included."""
    return compile_once
