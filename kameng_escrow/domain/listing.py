"""The listing document: what an order is about, and what its parties agreed to, bound into the order's `listing`.

``listing = keccak256(canonical bytes of the document)``, where the canonical bytes are those of RFC 8785 (JSON
Canonicalization Scheme) in UTF-8. The document holds the seller's listing as it was sold, the platform's order number,
the buyer's delivery key, the terms (but for the listing itself and the salt), the plain-language summary in both
languages, and 32 random bytes, so that nobody can guess a document from its hash. Buyer, seller and mediator each keep
it; whoever has it can prove what was sold, and that nobody was told other rules than those of the chain.

Amounts are decimal strings. Nothing in it is a fraction or a number beyond 2^53, so that every language reads the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from kameng_escrow.errors import EscrowError

from .canonical import canonical, document_hash
from .categories import check_category
from .currency import Currency
from .inputs import Malformed, NumberOutOfRange, WrongType, check_address, check_hash, check_uint
from .order import NATIVE, OrderTerms
from .plain_text import clean_text
from .policy import Policy
from .summary import summarize
from .summary_text import TEXT_VERSION, lines
from .terms import check_terms_readable
from .typed_data import Domain, policy_id

KIND: Final = "kameng.listing"
VERSION: Final = 1

MAX_TITLE = 120  # characters, likewise below
MAX_DESCRIPTION = 4_000
MAX_ID = 64
MAX_PLATFORM_ORDER = 64
MAX_SYMBOL = 16
MAX_DECIMALS = 36
NATIVE_DECIMALS = 18
EXACT = 53  # bits of the whole numbers that every JSON reader has exactly

_DELIVERY_KEY = re.compile(r"age1[02-9ac-hj-np-z]{58}")  # Bech32: its checksum is for whoever encrypts to check
_UNSTATED = ("listing", "salt")  # terms that a document can't or need not state: they come after it
_ZERO = "0x" + "00" * 32


class MalformedDeliveryKey(Malformed):
    """Not the form of an age recipient (X25519)."""

    field: str
    given: str  # shortened


class WrongMembers(Malformed):
    """A document has too few or too many members for its version."""

    field: str
    missing: str
    unknown: str


class UnknownVersion(Malformed):
    """A document of a kind or version that this package does not read."""

    field: str
    given: str
    known: str


class ListingMismatch(EscrowError):
    """A listing document is not the one of these terms, or tells other rules than theirs.

    `field` names what differs, `stated` is what the document says, `actual` what it should.
    """

    code = "listing_mismatch"

    def __init__(self, field: str, stated: object, actual: object) -> None:
        super().__init__(
            f"The listing document and the order differ in {field}: {stated} against {actual}. Don't pay, accept or "
            "sign on it; ask for the document that the order was made with."
        )
        self.message_zh = (
            f"商品文件与订单的 {field} 不一致：文件为 {stated}，订单为 {actual}。请勿据此付款、接单或签名，"
            "请索取该订单原来的文件。"
        )
        self.field = field
        self.stated = stated
        self.actual = actual


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """A seller's listing as it was sold."""

    id: str  # of the listing, as its service calls it
    revision: int  # of the listing's texts and prices
    title: str
    category: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingDocument:
    """All that an order's `listing` stands for. `make_document` makes one, `parse_document` reads one."""

    domain: Domain
    goods: Goods
    platform_order: str  # the platform's number of the order; empty: it has none
    delivery_key: str  # the buyer's age recipient
    terms: OrderTerms  # the listing is zero, and the salt too
    currency: Currency
    text_version: int  # of the summary's words
    summary_en: tuple[str, ...]  # line by line; titles begin with "# "
    summary_zh: tuple[str, ...]
    nonce: str  # 32 random bytes

    def to_json(self) -> dict[str, Any]:
        """The document as JSON, its members named as here."""
        stated = {field.name: getattr(self.terms, field.name) for field in fields(OrderTerms)}
        return {
            "kind": KIND,
            "version": VERSION,
            "chain_id": self.domain.chain_id,
            "contract": self.domain.contract,
            "goods": {field.name: getattr(self.goods, field.name) for field in fields(Goods)},
            "platform_order": self.platform_order,
            "delivery_key": self.delivery_key,
            "terms": {
                name: str(value) if name == "price" else value
                for name, value in stated.items()
                if name not in _UNSTATED
            },
            "currency": {field.name: getattr(self.currency, field.name) for field in fields(Currency)},
            "summary": {"version": self.text_version, "en": list(self.summary_en), "zh": list(self.summary_zh)},
            "nonce": self.nonce,
        }

    def canonical(self) -> bytes:
        """The bytes that are hashed."""
        return canonical(self.to_json())

    def hash(self) -> str:
        """The order's `listing`."""
        return document_hash(self.to_json())

    def complete(self, salt: str) -> OrderTerms:
        """The terms of the order, with the document's hash as their listing. `salt`: 32 bytes."""
        check_hash(salt, "salt")
        return replace(self.terms, listing=self.hash(), salt=salt)


def make_document(
    *,
    domain: Domain,
    goods: Goods,
    platform_order: str,
    delivery_key: str,
    terms: OrderTerms,
    policy: Policy,
    currency: Currency,
    nonce: str,
) -> ListingDocument:
    """The document of an order that is to be, with the summary of its terms.

    Args:
        terms: the order's; their listing and salt don't matter.
        policy: the one that they name.
        nonce: 32 random bytes.

    Raises:
        Malformed: a value that no document can have.
        ListingMismatch: the policy or the currency is not that of the terms.
    """
    if policy_id(policy) != terms.policy_id:
        raise ListingMismatch("policy_id", policy_id(policy), terms.policy_id)
    if currency.token != terms.token:
        raise ListingMismatch("token", currency.token, terms.token)
    english, chinese = lines(summarize(terms, policy), currency)
    document = ListingDocument(
        domain=domain,
        goods=goods,
        platform_order=platform_order,
        delivery_key=delivery_key,
        terms=replace(terms, listing=_ZERO, salt=_ZERO),
        currency=currency,
        text_version=TEXT_VERSION,
        summary_en=english,
        summary_zh=chinese,
        nonce=nonce,
    )
    _check(document)
    return document


def parse_document(value: object) -> ListingDocument:
    """The document that `to_json` took apart, of any text version.

    Raises:
        Malformed: it is none, or not exactly as it would be written.
    """
    whole = _members(value, "document", _TOP)
    if (kind := whole["kind"]) != KIND:
        raise UnknownVersion("document.kind", str(kind)[:MAX_ID], KIND)
    if (version := whole["version"]) != VERSION or isinstance(version, bool):
        raise UnknownVersion("document.version", str(version)[:MAX_ID], str(VERSION))
    terms = _members(whole["terms"], "terms", _TERMS)
    currency = _members(whole["currency"], "currency", _names(Currency))
    goods = _members(whole["goods"], "goods", _names(Goods))
    summary = _members(whole["summary"], "summary", {"version", "en", "zh"})
    document = ListingDocument(
        domain=Domain(chain_id=whole["chain_id"], contract=whole["contract"]),
        goods=Goods(**goods),
        platform_order=whole["platform_order"],
        delivery_key=whole["delivery_key"],
        terms=OrderTerms(**{**terms, "price": _amount(terms["price"], "price"), "listing": _ZERO, "salt": _ZERO}),
        currency=Currency(**currency),
        text_version=summary["version"],
        summary_en=_lines(summary["en"], "summary.en"),
        summary_zh=_lines(summary["zh"], "summary.zh"),
        nonce=whole["nonce"],
    )
    _check(document)
    return document


def verify_document(
    document: ListingDocument, terms: OrderTerms, policy: Policy, domain: Domain, *, decimals: int | None = None
) -> None:
    """Passes the document that an order was made with: its hash is the order's `listing`, its terms are the order's,
    and what it tells of them in words is what the rules say.

    A summary of another text version than this package's is bound by its hash as well, but its words are not compared.
    Amounts in the words are as right as the document's `currency`: give `decimals` as the token itself says, or compare
    base units. What the native coin has, everybody knows.

    Raises:
        ListingMismatch: of the first difference.
    """
    stated = document.hash()
    if stated != terms.listing:
        raise ListingMismatch("listing", stated, terms.listing)
    for name in ("chain_id", "contract"):
        _same(name, getattr(document.domain, name), getattr(domain, name))
    for name in sorted(_TERMS):
        _same(name, getattr(document.terms, name), getattr(terms, name))
    _same("policy_id", policy_id(policy), terms.policy_id)
    _same("currency.token", document.currency.token, terms.token)
    expected_decimals = NATIVE_DECIMALS if terms.token == NATIVE else decimals
    if expected_decimals is not None:
        _same("currency.decimals", document.currency.decimals, expected_decimals)
    if document.text_version != TEXT_VERSION:
        return
    english, chinese = lines(summarize(terms, policy), document.currency)
    for name, told, right in (("en", document.summary_en, english), ("zh", document.summary_zh, chinese)):
        for number, (line, expected) in enumerate(zip(told, right, strict=False)):
            _same(f"summary.{name}[{number}]", line, expected)
        _same(f"summary.{name}", len(told), len(right))


def check_delivery_key(value: object, field: str) -> None:
    """Passes what has the form of an age recipient for X25519.

    Raises:
        WrongType, MalformedDeliveryKey: it is none.
    """
    if not isinstance(value, str):
        raise WrongType(field, type(value).__name__, "str")
    if not _DELIVERY_KEY.fullmatch(value):
        raise MalformedDeliveryKey(field, value if len(value) <= 10 else f"{value[:10]}… ({len(value)} characters)")


# ---------------------------------------------------------------------------------------------------------- the form


def _names(kind: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))


_TERMS = _names(OrderTerms) - set(_UNSTATED)
_TOP = frozenset(
    {
        *("kind", "version", "chain_id", "contract", "goods", "platform_order", "delivery_key"),
        *("terms", "currency", "summary", "nonce"),
    }
)


def _same(field: str, stated: object, actual: object) -> None:
    if stated != actual:
        raise ListingMismatch(field, stated, actual)


def _check(document: ListingDocument) -> None:
    """Raises `Malformed` for the first value that is not as it has to be."""
    check_uint(document.domain.chain_id, EXACT, "chain_id")
    check_address(document.domain.contract, "contract")
    goods = document.goods
    _check_text(goods.id, "goods.id", 1, MAX_ID)
    check_uint(goods.revision, 31, "goods.revision")
    _check_text(goods.title, "goods.title", 1, MAX_TITLE)
    _check_text(goods.category, "goods.category", 1, MAX_ID)
    check_category(goods.category, "goods.category")
    _check_text(goods.description, "goods.description", 0, MAX_DESCRIPTION, several=True)
    _check_text(document.platform_order, "platform_order", 0, MAX_PLATFORM_ORDER)
    check_delivery_key(document.delivery_key, "delivery_key")
    check_terms_readable(document.terms)
    check_address(document.currency.token, "currency.token")
    _check_text(document.currency.symbol, "currency.symbol", 1, MAX_SYMBOL)
    check_uint(document.currency.decimals, 8, "currency.decimals")
    if document.currency.decimals > MAX_DECIMALS:
        raise NumberOutOfRange("currency.decimals", document.currency.decimals, 0, MAX_DECIMALS)
    check_uint(document.text_version, 31, "summary.version")
    check_hash(document.nonce, "nonce")


def _check_text(value: object, field: str, least: int, most: int, *, several: bool = False) -> None:
    """Passes text that is clean already: what was signed is never corrected."""
    clean = clean_text(value, field, least=least, most=most, lines=several)
    if clean != value:
        raise WrongType(field, "uncomposed or padded text", "text in NFC without spaces at its ends")


def _members(value: object, field: str, names: frozenset[str] | set[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongType(field, type(value).__name__, "object")
    missing, unknown = names - set(value), {str(name) for name in set(value) - names}
    if missing or unknown:
        shown = [name[:MAX_ID] for name in sorted(unknown)[:5]]
        raise WrongMembers(field, ", ".join(sorted(missing)) or "–", ", ".join(shown) or "–")
    return value


def _amount(value: object, field: str) -> int:
    if not isinstance(value, str):
        raise WrongType(field, type(value).__name__, "str")
    if not (value.isascii() and value.isdigit() and len(value) <= 39 and (value == "0" or value[0] != "0")):
        raise WrongType(field, "other text", "decimal digits")
    return int(value)


def _lines(value: object, field: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > 500:
        raise WrongType(field, type(value).__name__, "list of at most 500 lines")
    for number, line in enumerate(value):
        _check_text(line, f"{field}[{number}]", 1, 1_000)
    return tuple(value)
