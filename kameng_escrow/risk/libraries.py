"""Whether the libraries of `kameng-escrow[risk]` are there; asked before anything that needs them is loaded."""

from collections.abc import Mapping
from importlib.util import find_spec

from .errors import RiskLibraryMissing

_NEEDED = {"sklearn": "scikit-learn", "pandas": "pandas"}
_FOR_REPORTS = {"jinja2": "Jinja2", "matplotlib": "Matplotlib"}
_FOR_ANOMALIES = {"river": "River", "scipy": "SciPy"}
_FOR_TRENDS = {"statsmodels": "statsmodels", "scipy": "SciPy"}
_FOR_PLOTS = {"matplotlib": "Matplotlib"}


def need_libraries(*, reports: bool = False) -> None:
    """Raises `RiskLibraryMissing` unless what models (and, if asked, reports) need is installed."""
    _need(_NEEDED | (_FOR_REPORTS if reports else {}))


def need_anomaly_libraries() -> None:
    """Raises `RiskLibraryMissing` unless what the detectors need is installed."""
    _need(_FOR_ANOMALIES)


def need_trend_libraries(*, plots: bool = False) -> None:
    """Raises `RiskLibraryMissing` unless what outlooks (and, if asked, their pictures) need is installed."""
    _need(_FOR_TRENDS | (_FOR_PLOTS if plots else {}))


def _need(libraries: Mapping[str, str]) -> None:
    for module, name in libraries.items():
        try:
            found = find_spec(module) is not None
        except (ImportError, ValueError):  # half-installed
            found = False
        if not found:
            raise RiskLibraryMissing(name)


def libraries_installed() -> bool:
    """Whether models can be used here."""
    try:
        need_libraries()
    except RiskLibraryMissing:
        return False
    return True
