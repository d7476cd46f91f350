"""What may go wrong at the command line itself, and the exit code of everything that may go wrong anywhere.

Exit codes
    0    done
    1    checked, and found wrong (doctor, demo), or an error of ours that nobody foresaw
    2    the command line is not understood
    3    an input is unusable: setting, address, amount, time, file, key
    4    the contract or the service refuses: state, time, rights or money are not as the action needs
    5    the node or the service does not answer, or is on another chain
    6    the store is missing, damaged or of another version, or does not know the order
    7    a tool that is needed is not installed
    130  interrupted
"""

from ..errors import EscrowError

CHECK_FAILED = 1
USAGE = 2
BAD_INPUT = 3
REFUSED = 4
NODE = 5
STORE = 6
TOOL = 7
INTERRUPTED = 130


class CliError(EscrowError):
    """An error of the command line: English, Chinese, and what a program may want to know."""

    code = "bad_input"
    exit_code = BAD_INPUT

    def __init__(self, zh: str, en: str, **fields: str | int) -> None:
        super().__init__(en)
        self.message_zh = zh
        self.fields = fields


class BadInput(CliError):
    """A value on the command line or in a file can't be what it must be."""


class FileUnusable(CliError):
    """A file can't be read, parsed or written. Nothing was half-written."""

    code = "bad_file"


class KeyOnCommandLine(CliError):
    """Somebody put a private key where every process of the machine can read it."""

    code = "key_on_command_line"
    exit_code = USAGE


class KeyMissing(CliError):
    """The command must sign, and no key was named."""

    code = "key_missing"


class OrderUnknown(CliError):
    """The store has no such order."""

    code = "order_unknown"
    exit_code = STORE
