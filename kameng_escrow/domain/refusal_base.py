"""What every refusal can do: carry its values, say them in two languages, be built from what the chain returned."""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Annotated, Any, Self, dataclass_transform, get_args, get_origin

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kameng_escrow.errors import EscrowError

from .refusal_sentences import Kind, sentences

# What a field is on the wire, and how it is shown.
Address = Annotated[str, "address", Kind.Plain]
Amount = Annotated[int, "uint256", Kind.Plain]  # base units
Bytes32 = Annotated[str, "bytes32", Kind.Plain]
Rights = Annotated[int, "uint8", Kind.Rights]  # a sum of ``Right``
Time = Annotated[int, "uint256", Kind.Time]  # Unix seconds
Token = Annotated[str, "address", Kind.Token]
Uint8 = Annotated[int, "uint8", Kind.Plain]
Uint256 = Annotated[int, "uint256", Kind.Plain]


@dataclass_transform(eq_default=False)
class Refusal(EscrowError):
    """What the contract refuses to do, or its twin before it. The fields are those of the Solidity error, in order.

    Two refusals are equal if they are of one class and their fields are. `message` (English) and `message_zh` (Chinese)
    say in a sentence what happened and what to do; `code` is stable and made for machines.
    """

    def __init_subclass__(cls) -> None:
        """Makes every subclass a dataclass of its own annotations, and names it for machines."""
        super().__init_subclass__()
        cls.code = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__)[1:]
        dataclass(eq=False, repr=False)(cls)

    def __init__(self) -> None:
        # Only for type checkers, which infer no constructor for a dataclass without fields; every subclass has its own.
        self.__post_init__()

    def __post_init__(self) -> None:
        self.args = self.values  # what repr, pickle and copy go by
        named = dict(zip(self.field_names(), self.values, strict=True))
        self.message, self.message_zh = sentences(type(self).__name__, named, self.kinds())

    @property
    def values(self) -> tuple[Any, ...]:
        """The fields' values, in order."""
        return tuple(getattr(self, name) for name in self.field_names())

    def kinds(self) -> dict[str, Kind]:
        """How each field is shown."""
        marks = {name: get_args(annotation) for name, annotation in _annotations(type(self))}
        return {
            name: next((mark for mark in found if isinstance(mark, Kind)), Kind.Plain) for name, found in marks.items()
        }

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """The fields' names, in order."""
        return tuple(name for name, _ in _annotations(cls))

    @classmethod
    def wire_types(cls) -> tuple[str, ...]:
        """The fields' Solidity types, in order; enums are ``uint8``."""
        return tuple(_wire_type(annotation) for _, annotation in _annotations(cls))

    @classmethod
    def signature(cls) -> str:
        """The Solidity error's signature, such as ``TooLate(uint256,uint256)``."""
        return f"{cls.__name__}({','.join(cls.wire_types())})"

    @classmethod
    def selector(cls) -> bytes:
        """The first four bytes of a revert's data."""
        return keccak(text=cls.signature())[:4]

    @classmethod
    def from_wire(cls, values: tuple[Any, ...]) -> Self:
        """From what an ABI decoder makes of a revert's data: enums as integers, hashes as bytes.

        Raises:
            ValueError: an enum has no such value, or these are too few or too many values.
        """
        return cls(
            *(_from_wire(kind, value) for (_, kind), value in zip(_annotations(cls), values, strict=True)),
        )

    def __str__(self) -> str:
        return self.message

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refusal) and type(self) is type(other) and self.values == other.values

    def __hash__(self) -> int:
        return hash((type(self), self.values))


def _annotations(cls: type[Refusal]) -> list[tuple[str, Any]]:
    return [(field.name, field.type) for field in fields(cls)]  # type: ignore[arg-type]  # see __init_subclass__


def _is_enum(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, IntEnum)


def _wire_type(annotation: Any) -> str:
    if _is_enum(annotation):
        return "uint8"
    if get_origin(annotation) is Annotated:
        return str(annotation.__metadata__[0])
    raise TypeError(f"{annotation!r} is no type of the contract's")


def _from_wire(annotation: Any, value: Any) -> Any:
    if _is_enum(annotation):
        return annotation(value)
    match _wire_type(annotation):
        case "address":
            return to_checksum_address(value)
        case "bytes32":
            return value if isinstance(value, str) else "0x" + bytes(value).hex()
        case _:
            return value
