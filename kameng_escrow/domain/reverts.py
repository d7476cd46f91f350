"""The refusal in the data of a revert: a contract's of ours, Solidity's, or somebody else's."""

from typing import Annotated

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from .periphery_refusals import PERIPHERY_REFUSALS
from .refusal_base import Refusal
from .refusal_sentences import Kind
from .refusals import REFUSALS, NeedsHuman


class Panicked(NeedsHuman):
    """Solidity's ``Panic(uint256)``: `panic` is its number, 0x11 for an overflow."""

    panic: Annotated[int, "uint256", Kind.Hex]


class RevertedWithText(NeedsHuman):
    """Solidity's ``Error(string)``: somebody else's words, usually a token's."""

    text: Annotated[str, "string", Kind.Quoted]


class RevertedSilently(NeedsHuman):
    """A revert without any data."""


class RevertedUnknown(NeedsHuman):
    """A revert with an error that this version of the package does not know; `data` is 0x-hex."""

    data: Annotated[str, "bytes", Kind.Quoted]


_BY_SELECTOR = {cls.selector(): cls for cls in (REFUSALS | PERIPHERY_REFUSALS).values()}
_ERROR_STRING = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")


def decode_refusal(data: bytes) -> Refusal:
    """The refusal in a revert's data. Never raises: what it can't read is a `RevertedUnknown`."""
    if not data:
        return RevertedSilently()
    selector, body = data[:4], data[4:]
    try:
        if selector == _PANIC:
            return Panicked(*decode(["uint256"], body))
        if selector == _ERROR_STRING:
            return RevertedWithText(*decode(["string"], body))
        if cls := _BY_SELECTOR.get(selector):
            return cls.from_wire(decode(cls.wire_types(), body))
    except (DecodingError, ValueError):  # ValueError: no such value of an enum, or text that is no UTF-8
        pass
    return RevertedUnknown("0x" + data.hex())
