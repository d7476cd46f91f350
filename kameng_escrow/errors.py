"""Everything this package raises on purpose.

EscrowError
├── CompilerUnavailable   no usable Solidity compiler: install what the message names
├── CompilationFailed     the Solidity sources are missing or wrong: fix what the message shows
├── UnknownArtifact       the package ships no contract of that name: fix the name
└── ToolUnavailable       a development tool (Anvil, Forge) is not installed
"""


class EscrowError(Exception):
    """The root. Catch this to catch everything of ours.

    The message is a sentence that says what to do; `code` is stable and made for machines.
    """

    code: str = "escrow_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


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
