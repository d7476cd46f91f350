"""Whether what somebody typed or sent can be read at all: addresses, hashes, whole numbers.

Everything here either passes or raises a `Malformed` that names the field, what was given and what is allowed. What was
given is shown shortened: people paste private keys into the wrong field.
"""

from functools import lru_cache

from eth_utils.address import to_checksum_address

from .refusals import MustFix

_HEX = frozenset("0123456789abcdef")
_SHOWN = 10  # characters of what was given


class Malformed(MustFix):
    """What was given for a field is no value that the contract could read; it never gets there."""


class MalformedAddress(Malformed):
    """Not ``0x`` and 40 hex digits."""

    field: str
    given: str  # shortened, likewise below


class WrongChecksum(Malformed):
    """Upper and lower case that are not the address's EIP-55 checksum: mistyped, or never checksummed."""

    field: str
    given: str


class MalformedHash(Malformed):
    """Not ``0x`` and 64 lowercase hex digits."""

    field: str
    given: str


class NumberOutOfRange(Malformed):
    """A whole number outside of what the field holds."""

    field: str
    given: int
    min: int
    max: int


class WrongType(Malformed):
    """Not the Python type that the field takes, such as a float for an amount. `given` is the type's name."""

    field: str
    given: str
    expected: str


def check_address(value: object, field: str) -> None:
    """Passes an EIP-55 checksummed address.

    Raises:
        MalformedAddress, WrongChecksum, WrongType: it is none.
    """
    address = _text(value, field)
    if not _is_hex(address.lower(), 40):
        raise MalformedAddress(field, _shorten(address))
    if not _is_checksummed(address):
        raise WrongChecksum(field, address)


def check_hash(value: object, field: str) -> None:
    """Passes 32 bytes as ``0x`` and lowercase hex.

    Raises:
        MalformedHash, WrongType: it is none.
    """
    if not _is_hex(digest := _text(value, field), 64):
        raise MalformedHash(field, _shorten(digest))


def check_uint(value: object, bits: int, field: str) -> None:
    """Passes a whole number that fits in `bits` bits.

    Raises:
        NumberOutOfRange, WrongType: it is none. True and False are no numbers.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongType(field, type(value).__name__, "int")
    if not 0 <= value < 1 << bits:
        raise NumberOutOfRange(field, value, 0, (1 << bits) - 1)


def parse_address(value: object, field: str) -> str:
    """The checksummed form of an address as people type it: all in one case, or with its checksum.

    Raises:
        MalformedAddress, WrongChecksum, WrongType: it is none.
    """
    text = _text(value, field)
    if _is_hex(text.lower(), 40) and text[2:] in (text[2:].lower(), text[2:].upper()):
        return to_checksum_address(text)
    check_address(text, field)
    return text


def parse_hash(value: object, field: str) -> str:
    """The lowercase form of 32 bytes in hex.

    Raises:
        MalformedHash, WrongType: it is none.
    """
    text = _text(value, field).lower()
    check_hash(text, field)
    return text


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise WrongType(field, type(value).__name__, "str")
    return value


def _is_hex(value: str, digits: int) -> bool:
    return len(value) == digits + 2 and value.startswith("0x") and set(value[2:]) <= _HEX


@lru_cache(maxsize=4096)  # a checksum is a hash, and the same few addresses come again and again
def _is_checksummed(address: str) -> bool:
    return to_checksum_address(address) == address


def _shorten(value: str) -> str:
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}… ({len(value)} characters)"
