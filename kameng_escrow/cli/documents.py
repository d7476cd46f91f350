"""The files that travel between the parties: terms, offers, splits, signed actions, payments.

JSON, amounts as strings. Each names the chain and contract it is for and the order's id, so that a file meant for
elsewhere is recognised before anything is sent. Times inside are the Unix seconds that are hashed and signed.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from ..domain.order import OrderTerms
from ..domain.payments import Payment, PaymentMethod
from ..domain.signed import Action, Offer, Split
from ..domain.states import Role, State, Verb
from .files import read_json
from .forms import parse_address, parse_hash
from .problems import FileUnusable

W = TypeVar("W", State, Role, Verb)
C = TypeVar("C", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a document belongs."""

    chain_id: int
    contract: str
    order_id: str


class Reader:
    """Takes a document apart, and says which field of which file is wrong."""

    def __init__(self, path: Path, content: Any, kind: str) -> None:
        self._path = path
        if not isinstance(content, dict):
            self._fail("顶层不是 JSON 对象", "its top level is no JSON object")
        self._fields: Mapping[str, Any] = content
        found = content.get("kind")
        if found != f"kameng.{kind}":
            self._fail(
                f"这不是 {kind} 文件（kind 是 {found!r}，应为 'kameng.{kind}'）",
                f"this is no {kind} file (its kind is {found!r}, not 'kameng.{kind}')",
            )

    def place(self) -> Place:
        return Place(
            chain_id=self.number("chain_id"), contract=self.address("contract"), order_id=self.hash("order_id")
        )

    def part(self, name: str) -> "Reader":
        """The object inside under `name`."""
        content = self._get(name)
        if not isinstance(content, dict):
            self._fail(f"{name} 不是 JSON 对象", f"{name} is no JSON object")
        part = object.__new__(Reader)
        part._path, part._fields = self._path, content
        return part

    def only(self, names: frozenset[str]) -> None:
        """Refuses fields that nobody knows: a misspelt name must not silently become a default."""
        if unknown := sorted(self._fields.keys() - names):
            listed = ", ".join(unknown)
            self._fail(f"有不认识的字段：{listed}", f"it has fields that nobody knows: {listed}")

    def number(self, name: str) -> int:
        """A whole number ≥ 0, as JSON string or number."""
        value = self._get(name)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 78:
            self._fail(f"{name} 应为非负整数，不能是 {value!r}", f"{name} must be a whole number, not {value!r}")
        return int(text)

    def address(self, name: str) -> str:
        return self._checked(name, parse_address)

    def hash(self, name: str) -> str:
        return self._checked(name, parse_hash)

    def data(self, name: str) -> bytes:
        """Bytes of any length, 0x-hex; empty where the field is absent or null."""
        value = self._fields.get(name) or "0x"
        try:
            if not isinstance(value, str) or not value.startswith("0x"):
                raise ValueError
            return bytes.fromhex(value[2:])
        except ValueError:
            self._fail(f"{name} 应为 0x 开头的十六进制", f"{name} must be 0x-hex")

    def text(self, name: str) -> str:
        value = self._get(name)
        if not isinstance(value, str):
            self._fail(f"{name} 应为字符串", f"{name} must be a string")
        return value

    def texts(self, name: str) -> list[str]:
        value = self._get(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self._fail(f"{name} 应为字符串数组", f"{name} must be a list of strings")
        return value

    def word(self, name: str, kind: type[W]) -> W:
        value = self._get(name)
        try:
            return kind.from_label(value)
        except ValueError:
            labels = ", ".join(member.label for member in kind)
            self._fail(f"{name} 应为 {labels} 之一，不能是 {value!r}", f"{name} must be one of {labels}, not {value!r}")

    def choice(self, name: str, kind: type[C]) -> C:
        value = self._get(name)
        try:
            return kind(value)
        except ValueError:
            values = ", ".join(member.value for member in kind)
            self._fail(f"{name} 应为 {values} 之一，不能是 {value!r}", f"{name} must be one of {values}, not {value!r}")

    def _get(self, name: str) -> Any:
        if name not in self._fields:
            self._fail(f"缺少字段 {name}", f"the field {name} is missing")
        return self._fields[name]

    def _checked(self, name: str, parse: Any) -> str:
        return str(parse(self.text(name), f"{self._path.name}: {name}"))

    def _fail(self, zh: str, en: str) -> NoReturn:
        raise FileUnusable(f"{self._path}：{zh}。", f"{self._path}: {en}.", path=str(self._path))


TERMS_FIELDS = frozenset(OrderTerms.__dataclass_fields__)


def terms_data(terms: OrderTerms) -> dict[str, str | int]:
    """Terms as JSON fields: the price as a string of base units, open_by as the Unix second that is hashed."""
    return {**asdict(terms), "price": str(terms.price)}


def terms_document(place: Place, terms: OrderTerms) -> dict[str, Any]:
    return {"kind": "kameng.terms", **asdict(place), "terms": terms_data(terms)}


def read_terms(path: Path) -> tuple[Place, OrderTerms]:
    """Raises `FileUnusable`, or `BadInput` for an address or hash inside."""
    document = Reader(path, read_json(path), "terms")
    return document.place(), _inner_terms(document)


def offer_document(place: Place, offer: Offer) -> dict[str, Any]:
    fields = {"operator": offer.operator, "expiry": offer.expiry, "signature": "0x" + offer.signature.hex()}
    return {"kind": "kameng.offer", **asdict(place), "offer": fields}


def read_offer(path: Path) -> tuple[Place, Offer]:
    """Raises as `read_terms`."""
    document = Reader(path, read_json(path), "offer")
    fields = document.part("offer")
    offer = Offer(
        operator=fields.address("operator"), expiry=fields.number("expiry"), signature=fields.data("signature")
    )
    return document.place(), offer


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedSplit:
    """A split and the signatures gathered so far; empty: not signed."""

    split: Split
    buyer_signature: bytes = b""
    seller_signature: bytes = b""


def split_document(place: Place, terms: OrderTerms, signed: SignedSplit) -> dict[str, Any]:
    fields = {
        **asdict(signed.split),
        "state": signed.split.state.label,
        "to_buyer": str(signed.split.to_buyer),
        "buyer_signature": "0x" + signed.buyer_signature.hex(),
        "seller_signature": "0x" + signed.seller_signature.hex(),
    }
    return {"kind": "kameng.split", **asdict(place), "split": fields, "terms": terms_data(terms)}


def read_split(path: Path) -> tuple[Place, OrderTerms, SignedSplit]:
    """Raises as `read_terms`."""
    document = Reader(path, read_json(path), "split")
    fields = document.part("split")
    split = Split(
        state=fields.word("state", State),
        disputed_units=fields.number("disputed_units"),
        revision=fields.number("revision"),
        to_buyer=fields.number("to_buyer"),
        expiry=fields.number("expiry"),
    )
    signed = SignedSplit(
        split=split,
        buyer_signature=fields.data("buyer_signature"),
        seller_signature=fields.data("seller_signature"),
    )
    return document.place(), _inner_terms(document), signed


def action_document(place: Place, terms: OrderTerms, action: Action, signature: bytes) -> dict[str, Any]:
    fields = {
        **asdict(action),
        "verb": action.verb.label,
        "state": action.state.label,
        "role": action.role.label,
        "number": str(action.number),
    }
    return {
        "kind": "kameng.action",
        **asdict(place),
        "action": fields,
        "signature": "0x" + signature.hex(),
        "terms": terms_data(terms),
    }


def read_action(path: Path) -> tuple[Place, OrderTerms, Action, bytes]:
    """Raises as `read_terms`."""
    document = Reader(path, read_json(path), "action")
    fields = document.part("action")
    action = Action(
        verb=fields.word("verb", Verb),
        state=fields.word("state", State),
        role=fields.word("role", Role),
        signer=fields.address("signer"),
        expiry=fields.number("expiry"),
        number=fields.number("number"),
        content=fields.hash("content"),
    )
    return document.place(), _inner_terms(document), action, document.data("signature")


def payment_document(place: Place, terms: OrderTerms, payment: Payment) -> dict[str, Any]:
    fields = {
        **asdict(payment),
        "method": payment.method.value,
        "amount": str(payment.amount),
        "nonce": str(payment.nonce),
        "signature": "0x" + payment.signature.hex(),
    }
    return {"kind": "kameng.payment", **asdict(place), "payment": fields, "terms": terms_data(terms)}


def read_payment(path: Path) -> tuple[Place, OrderTerms, Payment]:
    """Raises as `read_terms`."""
    document = Reader(path, read_json(path), "payment")
    fields = document.part("payment")
    payment = Payment(
        method=fields.choice("method", PaymentMethod),
        payer=fields.address("payer"),
        token=fields.address("token"),
        amount=fields.number("amount"),
        nonce=fields.number("nonce"),
        deadline=fields.number("deadline"),
        signature=fields.data("signature"),
    )
    return document.place(), _inner_terms(document), payment


def _inner_terms(document: Reader) -> OrderTerms:
    fields = document.part("terms")
    fields.only(TERMS_FIELDS)
    return OrderTerms(
        buyer=fields.address("buyer"),
        refund_to=fields.address("refund_to"),
        seller=fields.address("seller"),
        pay_to=fields.address("pay_to"),
        token=fields.address("token"),
        price=fields.number("price"),
        units=fields.number("units"),
        policy_id=fields.hash("policy_id"),
        listing=fields.hash("listing"),
        open_by=fields.number("open_by"),
        salt=fields.hash("salt"),
    )
