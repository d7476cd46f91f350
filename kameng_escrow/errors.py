"""Everything this package raises on purpose.

EscrowError
├── CompilerUnavailable   no usable Solidity compiler: install what the message names
├── CompilationFailed     the Solidity sources are missing or wrong: fix what the message shows
├── UnknownArtifact       the package ships no contract of that name: fix the name
└── ToolUnavailable       a development tool (Anvil, Forge) is not installed
"""

from dataclasses import fields, is_dataclass
from typing import Any


class EscrowError(Exception):
    """The root. Catch this to catch everything of ours.

    The message is a sentence that says what to do; `code` is stable and made for machines.
    """

    code: str = "escrow_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def facts(self) -> dict[str, Any]:
        """What the error knows besides its sentences, as JSON: numbers as strings, the contract's words as labels."""
        this: Any = self
        if is_dataclass(this):  # a refusal of the contract
            return {field.name: _plain(getattr(this, field.name)) for field in fields(this)}
        known = vars(self) | dict(getattr(self, "fields", {}) or {})
        return {
            name: _plain(value)
            for name, value in known.items()
            if name not in ("message", "message_zh", "fields") and not name.startswith("_")
        }


def _plain(value: Any) -> Any:
    if hasattr(value, "label"):
        return value.label
    return value if isinstance(value, bool | None) else str(value)


class CompilerUnavailable(EscrowError):
    """No Solidity compiler of the pinned version can be found, downloaded or wrapped."""

    code = "compiler_unavailable"


class CompilationFailed(EscrowError):
    """The compiler refused the sources, or a source is missing."""

    code = "compilation_failed"


class UnknownArtifact(EscrowError):
    """The package ships no compiled contract of that name."""

    code = "unknown_artifact"


class ToolUnavailable(EscrowError):
    """A development tool that is not part of the wheel is not installed."""

    code = "tool_unavailable"


def library_missing(what: str, what_zh: str, library: str, extra: str) -> tuple[str, str]:
    """That something needs a library that is not there, and how to get it, in English and Chinese.

    Args:
        what: needs it; `what_zh` is its Chinese name.
        extra: of this package, which brings the library.
    """
    install = f"pip install 'kameng-escrow[{extra}]'"
    return (
        f"{what} needs {library}, which is not installed: {install}.",
        f"{what_zh}需要 {library}，而它没有安装：{install}。",
    )
