"""By which rules a seller's program makes offers: the seller's own, in a file of its own.

The program holds a key, and believes nobody. What a service asks it to sign is held against this file: which contract
on which chain, which listings at which prices under which policies, how many units in an order and in a day. So a
service that was broken into gets no offer that its seller would not have made, and no more than the seller said.

    chain_id = 1
    contract = "0x…"
    seller = "0x…"

    [[goods]]
    listing = "lst_…"
    token = "0x0000000000000000000000000000000000000000"
    unit_price = "1500000"      # base units; no offer below it
    policies = ["0x…"]
    max_units = 10              # of one order
    units_per_day = 200         # in any 24 hours
    pay_to = "0x…"              # left out: the seller
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kameng_escrow.delivery.sealing import parse_recipient
from kameng_escrow.domain.inputs import Malformed, NumberOutOfRange, WrongType, check_uint, parse_address, parse_hash
from kameng_escrow.domain.listing import ListingDocument, parse_document, verify_document
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.terms import MAX_UNITS, check_terms
from kameng_escrow.domain.typed_data import Domain, order_id
from kameng_escrow.errors import EscrowError

LONGEST_OPEN: Final = 24 * 60 * 60  # seconds that terms may be opened from now on
CLOCK_SKEW: Final = 300  # seconds that the service's clock may be ahead of ours
_TOP = {"chain_id", "contract", "seller", "goods"}
_GOODS = {"listing", "token", "unit_price", "policies", "max_units", "units_per_day", "pay_to"}


class RulesUnusable(EscrowError):
    """The rules by which offers are made, or the list of those that were, can't be read or written."""

    code = "rules_unusable"

    def __init__(self, path: object, reason: str, reason_zh: str) -> None:
        super().__init__(f"{path} can't be used: {reason}.")
        self.message_zh = f"{path} 不能用：{reason_zh}。"
        self.path = str(path)


class AgainstRules(EscrowError):
    """What a service asks to be signed is not what the seller's rules allow. Nothing was signed."""

    code = "against_rules"

    def __init__(self, order_id: str, reason: str, reason_zh: str) -> None:
        super().__init__(f"No offer for order {order_id}: {reason}.")
        self.message_zh = f"不对订单 {order_id} 签署报价：{reason_zh}。"
        self.order_id = order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsRule:
    """What may be offered of one listing."""

    listing: str
    token: str
    unit_price: int  # base units
    policies: frozenset[str]
    max_units: int
    units_per_day: int
    pay_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRules:
    """A seller's rules."""

    domain: Domain
    seller: str
    goods: Mapping[str, GoodsRule]  # by listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a service asks an offer for, after it was held against the rules."""

    quote_id: str
    order_id: str
    revision: int
    terms: OrderTerms
    document: ListingDocument
    rule: GoodsRule


def read_rules(path: Path) -> OfferRules:
    """The rules in a file. Raises `RulesUnusable`, which names what is wrong."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        return parse_rules(document)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RulesUnusable(path, reason, reason) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RulesUnusable(path, f"it is no TOML ({error})", f"不是 TOML（{error}）") from error
    except Malformed as error:
        raise RulesUnusable(path, error.message.rstrip("."), error.message_zh.rstrip("。")) from error


def parse_rules(document: Mapping[str, Any]) -> OfferRules:
    """The rules of a TOML document. Raises `Malformed`."""
    _members(document, "rules", _TOP, set())
    check_uint(document["chain_id"], 53, "chain_id")
    seller = parse_address(document["seller"], "seller")
    goods = document["goods"]
    if not isinstance(goods, list):
        raise WrongType("goods", type(goods).__name__, "array of tables")
    rules = [_rule(one, f"goods[{number}]", seller) for number, one in enumerate(goods)]
    return OfferRules(
        domain=Domain(document["chain_id"], parse_address(document["contract"], "contract")),
        seller=seller,
        goods={rule.listing: rule for rule in rules},
    )


def _rule(value: Any, field: str, seller: str) -> GoodsRule:
    _members(value, field, _GOODS, {"pay_to"})
    price, policies = value["unit_price"], value["policies"]
    if not (isinstance(price, str) and price.isascii() and price.isdigit() and len(price) <= 39):
        raise WrongType(f"{field}.unit_price", type(price).__name__, "text of decimal digits")
    if not isinstance(policies, list):
        raise WrongType(f"{field}.policies", type(policies).__name__, "array")
    if not isinstance(value["listing"], str):
        raise WrongType(f"{field}.listing", type(value["listing"]).__name__, "str")
    for name, most in (("max_units", MAX_UNITS), ("units_per_day", 10**9)):
        check_uint(value[name], 31, f"{field}.{name}")
        if value[name] > most:
            raise NumberOutOfRange(f"{field}.{name}", value[name], 0, most)
    return GoodsRule(
        listing=value["listing"],
        token=parse_address(value["token"], f"{field}.token"),
        unit_price=int(price),
        policies=frozenset(parse_hash(one, f"{field}.policies") for one in policies),
        max_units=value["max_units"],
        units_per_day=value["units_per_day"],
        pay_to=parse_address(value["pay_to"], f"{field}.pay_to") if "pay_to" in value else seller,
    )


def _members(value: Any, field: str, names: set[str], optional: set[str]) -> None:
    if not isinstance(value, Mapping):
        raise WrongType(field, type(value).__name__, "table")
    if wrong := (names - optional - set(value)) | (set(value) - names):
        raise WrongType(
            field, f"table with or without {', '.join(sorted(wrong))}", f"table of {', '.join(sorted(names))}"
        )


def hold_against(asked: Mapping[str, Any], rules: OfferRules, now: int) -> Request:
    """What a service asks for, as far as the rules allow it; how much of it in a day is for the caller to count.

    Args:
        asked: an entry of ``/v1/offer-requests``.
        rules: the seller's.
        now: Unix seconds.

    Raises:
        AgainstRules: the rules don't allow it.
        Malformed, ListingMismatch, Refusal, DeliveryKeyUnusable: it is nothing that could become an order as it says.
    """
    try:
        quote = asked["quote"]
        sent, policy = quote["terms"], Policy(**quote["policy"])
        terms = OrderTerms(**{**sent, "price": int(sent["price"])})
        revision, quote_id = asked["revision"], str(quote["id"])
        claimed, told = str(quote["order_id"]), quote["document"]
    except (KeyError, TypeError, ValueError) as error:
        raise AgainstRules("?", "the service's answer is not as described", "服务的回答与描述不符") from error
    check_uint(revision, 24, "revision")
    check_terms(terms, rules.domain.contract)
    name = order_id(terms, rules.domain)
    if claimed != name:
        raise AgainstRules(name, "the service calls it otherwise", "服务给它的编号不同")
    document = parse_document(told)
    try:
        verify_document(document, terms, policy, rules.domain)
    except ValueError as error:
        raise AgainstRules(name, "its policy is none that a contract registers", "其规则不可能登记") from error
    parse_recipient(document.delivery_key)
    rule = rules.goods.get(document.goods.id)
    if rule is None:
        raise AgainstRules(name, f"listing {document.goods.id} is not in the rules", "规则里没有这件商品")
    _hold_terms(name, terms, rule, rules, now)
    return Request(quote_id=quote_id, order_id=name, revision=revision, terms=terms, document=document, rule=rule)


def _hold_terms(name: str, terms: OrderTerms, rule: GoodsRule, rules: OfferRules, now: int) -> None:
    price = rule.unit_price * terms.units
    checks = (
        (terms.seller == rules.seller, "another is the seller", "卖家是别人"),
        (terms.pay_to == rule.pay_to, f"the money would go to {terms.pay_to}", f"货款会付到 {terms.pay_to}"),
        (terms.token == rule.token, f"it is paid in {terms.token}", f"付款代币是 {terms.token}"),
        (terms.policy_id in rule.policies, f"policy {terms.policy_id} is not in the rules", "规则里没有这份平台规则"),
        (terms.units <= rule.max_units, f"{terms.units} units are too many", f"{terms.units} 件太多"),
        (terms.price >= price, f"{terms.price} is below {price}", f"{terms.price} 低于 {price}"),
        (
            now <= terms.open_by <= now + LONGEST_OPEN + CLOCK_SKEW,
            "it could be opened too late, or no more",
            "可下单时间太长，或已过",
        ),
    )
    for fits, reason, reason_zh in checks:
        if not fits:
            raise AgainstRules(name, reason, reason_zh)
