"""`kameng …`: the command line. Each group of commands is a file here; `problems.py` lists the exit codes."""

import sys
from collections.abc import Sequence

from .interrupts import listening


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script: does what the command line says and exits with the code that `problems.py` documents."""
    try:
        with listening():
            from .entry import run  # loading takes a moment, in which somebody may change their mind

            code = run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        sys.stderr.write("✗ 已中断。Interrupted.\n")
        code = 130
    sys.exit(code)


__all__ = ["main"]
