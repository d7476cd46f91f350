"""What is inside an encrypted delivery: the codes of one order.

The plaintext is JSON in UTF-8, an object with exactly these members:

    {"kind": "kameng.parcel", "version": 1, "order_id": "0x…", "seed": "0x…", "codes": ["…", …], "note": "…"}

`seed` is 32 random bytes from which the salts are made (see `commitments`), `codes` has unit 1 first, and `note` says
how to redeem them; it may be empty.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from kameng_escrow.domain.inputs import check_hash
from kameng_escrow.domain.merkle import MerkleTree

from .codes import check_codes, is_printable
from .commitments import SEED_BYTES, Disclosure, leaf_of, salt_of
from .errors import CodesUnusable, PayloadUnreadable

KIND = "kameng.parcel"
VERSION = 1
LONGEST_NOTE = 4_096  # characters
_MEMBERS = {"kind", "version", "order_id", "seed", "codes", "note"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """The codes of one order, as its seller packs and its buyer finds them."""

    order_id: str
    seed: bytes = field(repr=False)  # 32; whoever has it can show every unit
    codes: tuple[str, ...] = field(repr=False)  # unit 1 first; 1 … 65,535
    note: str = field(default="", repr=False)  # how to redeem them

    def tree(self) -> MerkleTree:
        """The tree over the units; some seconds for the largest parcels."""
        return MerkleTree([leaf_of(unit, salt_of(self.seed, unit), code) for unit, code in enumerate(self.codes, 1)])

    def root(self) -> str:
        """The root of the tree, 0x-hex."""
        return "0x" + self.tree().root.hex()

    def disclose(self, unit: int, payload_hash: str) -> Disclosure:
        """One unit for a mediator to check; `payload_hash` is that of the payload that this was in.

        Raises:
            CodesUnusable: there is no such unit.
        """
        if not 1 <= unit <= len(self.codes):
            raise CodesUnusable(
                f"There is no unit {unit}: this delivery has units 1 to {len(self.codes)}.",
                f"没有第 {unit} 张：这份交付只有第 1 到第 {len(self.codes)} 张。",
            )
        return Disclosure(
            order_id=self.order_id,
            unit=unit,
            code=self.codes[unit - 1],
            salt=salt_of(self.seed, unit),
            proof=self.tree().proof(unit - 1),
            payload_hash=payload_hash,
        )

    def to_bytes(self) -> bytes:
        """The plaintext."""
        document = {
            "kind": KIND,
            "version": VERSION,
            "order_id": self.order_id,
            "seed": "0x" + self.seed.hex(),
            "codes": self.codes,
            "note": self.note,
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    @classmethod
    def from_bytes(cls, plaintext: bytes) -> "Parcel":
        """Raises `PayloadUnreadable` where it is no plaintext of a version that we know."""
        try:
            document: Any = orjson.loads(plaintext)  # json's own crashes on what is nested deep enough
            if not isinstance(document, dict) or document.get("kind") != KIND:
                raise ValueError("no parcel")
            version = document.get("version")
            if isinstance(version, int) and version > VERSION:
                raise _newer(version)
            if document.keys() != _MEMBERS or type(version) is not int or version != VERSION:
                raise ValueError("other members")
            codes, note, order_id = document["codes"], document["note"], document["order_id"]
            if not isinstance(codes, list) or not isinstance(note, str):
                raise ValueError("no list of codes")
            check_hash(order_id, "order_id")
            check_hash(document["seed"], "seed")
            _check_note(note)
            check_codes(codes)
        except PayloadUnreadable:
            raise
        except Exception as error:  # the sender chose what is in it, and may have chosen anything
            raise PayloadUnreadable(
                "The delivery opens, and what is inside is no list of codes: the seller packed something else. "
                "Dispute, and disclose the order's delivery key to the mediator.",
                "交付内容能解开，但里面不是卡密清单：卖家装的是别的东西。请提出争议，并把本单的交付密钥披露给仲裁员。",
            ) from error
        return cls(order_id=order_id, seed=bytes.fromhex(document["seed"][2:]), codes=tuple(codes), note=note)


def pack(order_id: str, codes: Sequence[str], *, note: str = "") -> Parcel:
    """A parcel of an order's codes, with a fresh seed.

    Raises:
        CodesUnusable: there are none, too many or the same twice, or one is empty, too long or has control characters.
        Malformed: the order's id is none.
    """
    check_hash(order_id, "order_id")
    check_codes(codes)
    _check_note(note)
    return Parcel(order_id=order_id, seed=secrets.token_bytes(SEED_BYTES), codes=tuple(codes), note=note)


def check_units(parcel_codes: Sequence[str], units: int) -> None:
    """Passes as many codes as were ordered. Raises `CodesUnusable`."""
    if len(parcel_codes) != units:
        raise CodesUnusable(
            f"The order is for {units} units, and there are {len(parcel_codes)} codes: give one for each.",
            f"订单要 {units} 张，而这里有 {len(parcel_codes)} 个卡密：请一张给一个。",
        )


def _check_note(note: str) -> None:
    if len(note) > LONGEST_NOTE or not is_printable(note.replace("\n", " ")):
        raise CodesUnusable(
            f"The note must have at most {LONGEST_NOTE:,} characters, line breaks but no other control characters.",
            f"说明最多 {LONGEST_NOTE:,} 个字符，可以换行，但不能有其他控制字符。",
        )


def _newer(version: int) -> PayloadUnreadable:
    return PayloadUnreadable(
        f"The delivery is of format {version}, and this program knows up to {VERSION}: upgrade kameng-escrow.",
        f"交付内容是第 {version} 版格式，而这个程序只认识到第 {VERSION} 版：请升级 kameng-escrow。",
    )
