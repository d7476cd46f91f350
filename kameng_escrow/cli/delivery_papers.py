"""The files of a delivery: the encrypted codes, one disclosed unit, an order's key. As other documents in `documents`.

kameng.delivery    order, root, payload hash, commitment, and the payload (an age file) in base64
kameng.disclosure  order, and one unit with its code, salt and proof
kameng.order_key   order, and the age identity that opens its delivery: whoever has it reads every unit
"""

import base64
import binascii
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..delivery.commitments import Disclosure
from ..delivery.sealing import LARGEST_PAYLOAD, Delivery
from .documents import Place, Reader
from .files import read_json
from .problems import FileUnusable

LARGEST = LARGEST_PAYLOAD * 4 // 3 + 64 * 1024  # bytes of a document with the largest payload
MOST_SIBLINGS = 16  # in a tree over 65,535 units


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKey:
    """The key of one order's delivery, as the buyer discloses it."""

    identity: str


def delivery_document(place: Place, delivery: Delivery) -> dict[str, Any]:
    fields = {
        "root": delivery.root,
        "payload_hash": delivery.payload_hash,
        "commitment": delivery.commitment,
        "payload": base64.b64encode(delivery.payload).decode("ascii"),
    }
    return {"kind": "kameng.delivery", **asdict(place), "delivery": fields}


def disclosure_document(place: Place, disclosure: Disclosure) -> dict[str, Any]:
    fields = {
        "unit": disclosure.unit,
        "code": disclosure.code,
        "salt": "0x" + disclosure.salt.hex(),
        "proof": ["0x" + sibling.hex() for sibling in disclosure.proof],
        "payload_hash": disclosure.payload_hash,
    }
    return {"kind": "kameng.disclosure", **asdict(place), "disclosure": fields}


def order_key_document(place: Place, key: OrderKey) -> dict[str, Any]:
    return {"kind": "kameng.order_key", **asdict(place), "identity": key.identity}


def read_delivery(path: Path) -> tuple[Place, Delivery]:
    """Raises `FileUnusable`, also where the payload is not the one of the hash or commitment beside it; `BadInput` for
    a hash inside.
    """
    document = Reader(path, read_json(path, largest=LARGEST), "delivery")
    place, fields = document.place(), document.part("delivery")
    try:
        payload = base64.b64decode(fields.text("payload"), validate=True)
    except (binascii.Error, ValueError):
        raise FileUnusable(
            f"{path}：payload 不是 base64。", f"{path}: its payload is no base64.", path=str(path)
        ) from None
    delivery = Delivery(order_id=place.order_id, root=fields.hash("root"), payload=payload)
    if (fields.hash("payload_hash"), fields.hash("commitment")) != (delivery.payload_hash, delivery.commitment):
        raise FileUnusable(
            f"{path} 里的密文与旁边的哈希不符：文件被改动或截断过，请向对方索取原件。",
            f"The payload in {path} is not that of the hashes beside it: the file was changed. Ask for the original.",
            path=str(path),
        )
    return place, delivery


def read_disclosed(path: Path) -> tuple[Place, Disclosure | OrderKey]:
    """A disclosed unit, or the key of a whole delivery. Raises as `read_delivery`."""
    content = read_json(path)
    if isinstance(content, dict) and content.get("kind") == "kameng.order_key":
        document = Reader(path, content, "order_key")
        return document.place(), OrderKey(identity=document.text("identity"))
    document = Reader(path, content, "disclosure")
    place, fields = document.place(), document.part("disclosure")
    proof = fields.texts("proof")
    if len(proof) > MOST_SIBLINGS or not all(_is_hash(sibling) for sibling in proof):
        raise FileUnusable(
            f"{path}：proof 应为最多 {MOST_SIBLINGS} 个哈希。",
            f"{path}: proof must be at most {MOST_SIBLINGS} hashes.",
            path=str(path),
        )
    return place, Disclosure(
        order_id=place.order_id,
        unit=fields.number("unit"),
        code=fields.text("code"),
        salt=bytes.fromhex(fields.hash("salt")[2:]),
        proof=tuple(bytes.fromhex(sibling[2:]) for sibling in proof),
        payload_hash=fields.hash("payload_hash"),
    )


def _is_hash(text: str) -> bool:
    return len(text) == 66 and text.startswith("0x") and set(text[2:]) <= set("0123456789abcdef")
