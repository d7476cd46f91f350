"""Whether the libraries of `kameng-escrow[risk]` are there; asked before anything that needs them is loaded."""

from importlib.util import find_spec

from .errors import RiskLibraryMissing

_NEEDED = {"sklearn": "scikit-learn", "pandas": "pandas"}
_FOR_REPORTS = {"jinja2": "Jinja2", "matplotlib": "Matplotlib"}


def need_libraries(*, reports: bool = False) -> None:
    """Raises `RiskLibraryMissing` unless what models (and, if asked, reports) need is installed."""
    for module, name in (_NEEDED | (_FOR_REPORTS if reports else {})).items():
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
