"""The terms receipt: all that a party needs to act on an order without any service, in one file that proves itself.

It holds the deployment (chain, contract, lens, and the hash of the source that its interface is made of), the terms,
the policy, how amounts are written, what both parties agreed to in plain words, and where there are any the listing
document, the seller's offer, and a dispute that the buyer has signed for a watchtower to post.

Nothing in it has to be believed. The order's id is the hash of the terms, the policy's id that of the policy, the
listing that of its document; the words are made of terms and policy, and made again to compare; offer and dispute carry
their signatures; the deployment is what the chain has at that address. `digest` is keccak256 over the canonical JSON
(RFC 8785) of the other members: it finds a damaged file, and proves nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from eth_utils.crypto import keccak

from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.inputs import check_address, check_hash, check_uint
from kameng_escrow.domain.listing import ListingDocument, parse_document, verify_document
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.payments import Payment, PaymentMethod
from kameng_escrow.domain.policy import Policy, check_policy_readable
from kameng_escrow.domain.signed import Action, Offer
from kameng_escrow.domain.states import Role, State, Verb
from kameng_escrow.domain.summary import summarize
from kameng_escrow.domain.summary_text import TEXT_VERSION, lines
from kameng_escrow.domain.terms import check_terms_readable
from kameng_escrow.domain.typed_data import Domain, order_id, policy_id
from kameng_escrow.errors import EscrowError

KIND = "kameng.receipt"
VERSION = 1


class ReceiptUnreadable(EscrowError):
    """What should be a terms receipt is none, is damaged, or is of a newer version."""

    code = "receipt_unreadable"

    def __init__(self, reason: str, reason_zh: str) -> None:
        super().__init__(f"This is no terms receipt that can be read: {reason}. Get it again.")
        self.message_zh = f"这不是能读的条款凭据：{reason_zh}。请重新获取。"


class ReceiptFalse(EscrowError):
    """A terms receipt contradicts itself or the chain. `field` names where."""

    code = "receipt_false"

    def __init__(self, field: str, reason: str, reason_zh: str) -> None:
        super().__init__(f"The terms receipt is false in {field}: {reason}. Don't rely on it; ask for the true one.")
        self.message_zh = f"条款凭据的 {field} 不实：{reason_zh}。请勿依赖它，并索取真实的凭据。"
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOffer:
    """The seller's offer, and the revision that it was signed for."""

    offer: Offer
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDispute:
    """A dispute that the buyer has signed beforehand, for anyone to post while the buyer inspects."""

    action: Action  # Dispute in Delivered, as the buyer
    signature: bytes
    payment: Payment | None = (
        None  # of the dispute bond; None: by allowance, in the native coin by who posts it, or none
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsReceipt:
    """See the module. `make_receipt` makes one, `parse_receipt` reads one."""

    deployment: Deployment
    terms: OrderTerms
    policy: Policy
    currency: Currency
    text_version: int  # of the words
    summary_en: tuple[str, ...]  # line by line; titles begin with "# "
    summary_zh: tuple[str, ...]
    listing: ListingDocument | None = None
    offer: SignedOffer | None = None
    dispute: SignedDispute | None = None

    @property
    def domain(self) -> Domain:
        """What the order's id and signatures are bound to."""
        return Domain(self.deployment.chain_id, self.deployment.address)

    @property
    def order_id(self) -> str:
        """The id of the terms under the domain."""
        return order_id(self.terms, self.domain)

    def to_json(self) -> dict[str, Any]:
        """The receipt as JSON: amounts as decimal strings, bytes as 0x-hex, the contract's words as labels."""
        document = {
            "kind": KIND,
            "version": VERSION,
            "order_id": self.order_id,
            "deployment": json.loads(self.deployment.to_json()),
            "terms": {**asdict(self.terms), "price": str(self.terms.price)},
            "policy": asdict(self.policy),
            "policy_id": policy_id(self.policy),
            "currency": asdict(self.currency),
            "summary": {"version": self.text_version, "en": list(self.summary_en), "zh": list(self.summary_zh)},
            "listing": None if self.listing is None else self.listing.to_json(),
            "offer": None if self.offer is None else _offer_json(self.offer),
            "dispute": None if self.dispute is None else _dispute_json(self.dispute),
        }
        return {**document, "digest": _digest(document)}


def make_receipt(
    deployment: Deployment,
    terms: OrderTerms,
    policy: Policy,
    currency: Currency,
    *,
    listing: ListingDocument | None = None,
    offer: SignedOffer | None = None,
    dispute: SignedDispute | None = None,
) -> TermsReceipt:
    """A receipt, with the words that belong to terms and policy.

    Raises:
        ReceiptFalse, ListingMismatch: the parts don't belong together.
        Malformed: one could not be read.
    """
    english, chinese = lines(summarize(terms, policy), currency)
    receipt = TermsReceipt(
        deployment=deployment,
        terms=terms,
        policy=policy,
        currency=currency,
        text_version=TEXT_VERSION,
        summary_en=english,
        summary_zh=chinese,
        listing=listing,
        offer=offer,
        dispute=dispute,
    )
    check_receipt(receipt)
    return receipt


def check_receipt(receipt: TermsReceipt) -> None:
    """Passes a receipt whose parts belong together. Signatures and the chain are for `verify_receipt`.

    Raises:
        ReceiptFalse, ListingMismatch: of the first contradiction.
        Malformed: a value that the contract could not read.
    """
    terms, policy = receipt.terms, receipt.policy
    check_terms_readable(terms)
    check_policy_readable(policy)
    if policy_id(policy) != terms.policy_id:
        raise ReceiptFalse("policy", "it is not the one that the terms name", "不是条款所指的规则")
    if receipt.currency.token != terms.token:
        raise ReceiptFalse("currency", "it is not of the terms' token", "不是条款的代币")
    _check_words(receipt)
    if receipt.listing is not None:
        verify_document(receipt.listing, terms, policy, receipt.domain)
    if receipt.dispute is not None:
        _check_dispute(receipt.dispute, terms)


def parse_receipt(value: object) -> TermsReceipt:
    """The receipt that `to_json` took apart, once its parts are known to belong together.

    Raises:
        ReceiptUnreadable: it is none, or damaged.
        ReceiptFalse, ListingMismatch: it contradicts itself.
    """
    if not isinstance(value, Mapping) or value.get("kind") != KIND:
        raise ReceiptUnreadable(f"its kind is not {KIND}", f"kind 不是 {KIND}")
    version = value.get("version")
    if isinstance(version, int) and version > VERSION:
        raise ReceiptUnreadable("a newer version of kameng-escrow made it: upgrade", "由更新的版本所做：请升级")
    try:
        stated = dict(value)
        digest = stated.pop("digest")
        receipt = _read(stated)
        intact = digest == _digest(stated) and receipt.to_json() == value
        named = receipt.order_id
    except (ReceiptFalse, ReceiptUnreadable):
        raise
    except Exception as error:  # a stranger chose what is in it
        reason = error.message if isinstance(error, EscrowError) else "a member is missing or of another form"
        zh = getattr(error, "message_zh", None) or "缺少成员，或形式不对"
        raise ReceiptUnreadable(reason.rstrip("."), zh.rstrip("。")) from error
    if stated["order_id"] != named:
        raise ReceiptFalse("order_id", "it is not that of the terms", "不是条款的订单号")
    if not intact:
        raise ReceiptUnreadable("it was changed or damaged", "被改动或损坏过")
    check_receipt(receipt)
    return receipt


# -------------------------------------------------------------------------------------------------------------- reading


def _read(whole: Mapping[str, Any]) -> TermsReceipt:
    summary, offer, dispute = whole["summary"], whole["offer"], whole["dispute"]
    terms = OrderTerms(**{**whole["terms"], "price": _amount(whole["terms"]["price"])})
    check_terms_readable(terms)
    policy = Policy(**whole["policy"])
    check_policy_readable(policy)
    currency = Currency(**whole["currency"])
    check_address(currency.token, "currency.token")
    check_uint(currency.decimals, 8, "currency.decimals")
    if not isinstance(currency.symbol, str):
        raise TypeError("symbol")
    return TermsReceipt(
        deployment=Deployment.from_json(json.dumps(whole["deployment"])),
        terms=terms,
        policy=policy,
        currency=currency,
        text_version=summary["version"],
        summary_en=tuple(summary["en"]),
        summary_zh=tuple(summary["zh"]),
        listing=None if whole["listing"] is None else parse_document(whole["listing"]),
        offer=None if offer is None else _read_offer(offer),
        dispute=None if dispute is None else _read_dispute(dispute),
    )


def _read_offer(told: Mapping[str, Any]) -> SignedOffer:
    check_address(told["operator"], "offer.operator")
    check_uint(told["expiry"], 40, "offer.expiry")
    check_uint(told["revision"], 24, "offer.revision")
    offer = Offer(expiry=told["expiry"], signature=_bytes(told["signature"]), operator=told["operator"])
    return SignedOffer(offer=offer, revision=told["revision"])


def _read_dispute(told: Mapping[str, Any]) -> SignedDispute:
    action, payment = told["action"], told["payment"]
    check_address(action["signer"], "dispute.signer")
    check_hash(action["content"], "dispute.content")
    check_uint(action["expiry"], 40, "dispute.expiry")
    return SignedDispute(
        action=Action(
            verb=Verb.from_label(action["verb"]),
            state=State.from_label(action["state"]),
            role=Role.from_label(action["role"]),
            signer=action["signer"],
            expiry=action["expiry"],
            number=_amount(action["number"]),
            content=action["content"],
        ),
        signature=_bytes(told["signature"]),
        payment=None if payment is None else _read_payment(payment),
    )


def _read_payment(told: Mapping[str, Any]) -> Payment:
    check_address(told["payer"], "payment.payer")
    check_address(told["token"], "payment.token")
    check_uint(told["deadline"], 256, "payment.deadline")
    return Payment(
        method=PaymentMethod(told["method"]),
        payer=told["payer"],
        token=told["token"],
        amount=_amount(told["amount"]),
        nonce=_amount(told["nonce"]),
        deadline=told["deadline"],
        signature=_bytes(told["signature"]),
    )


def _amount(text: object) -> int:
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 78:
        raise ValueError("no amount")
    return int(text)


def _bytes(text: object) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError("no bytes")
    return bytes.fromhex(text[2:])


# -------------------------------------------------------------------------------------------------------------- writing


def _offer_json(signed: SignedOffer) -> dict[str, Any]:
    offer = signed.offer
    return {
        "operator": offer.operator,
        "expiry": offer.expiry,
        "revision": signed.revision,
        "signature": "0x" + offer.signature.hex(),
    }


def _dispute_json(dispute: SignedDispute) -> dict[str, Any]:
    action, payment = dispute.action, dispute.payment
    return {
        "action": {
            **{field.name: getattr(action, field.name) for field in fields(action)},
            "verb": action.verb.label,
            "state": action.state.label,
            "role": action.role.label,
            "number": str(action.number),
        },
        "signature": "0x" + dispute.signature.hex(),
        "payment": None
        if payment is None
        else {
            **asdict(payment),
            "method": payment.method.value,
            "amount": str(payment.amount),
            "nonce": str(payment.nonce),
            "signature": "0x" + payment.signature.hex(),
        },
    }


def _digest(document: Mapping[str, Any]) -> str:
    import rfc8785

    return "0x" + keccak(rfc8785.dumps(dict(document))).hex()


def _check_words(receipt: TermsReceipt) -> None:
    told = (receipt.summary_en, receipt.summary_zh)
    if receipt.text_version == TEXT_VERSION:
        if told != lines(summarize(receipt.terms, receipt.policy), receipt.currency):
            raise ReceiptFalse("summary", "it tells other rules than terms and policy", "写的规则与条款和规则不符")
        return
    listing = receipt.listing  # whose words are bound by the order itself, whatever their version
    if listing is None or (receipt.text_version, *told) != (
        listing.text_version,
        listing.summary_en,
        listing.summary_zh,
    ):
        raise ReceiptFalse(
            "summary",
            f"its words are of version {receipt.text_version}, which nobody here can check",
            f"用的是第 {receipt.text_version} 版措辞，这里无法核对",
        )


def _check_dispute(dispute: SignedDispute, terms: OrderTerms) -> None:
    action, payment = dispute.action, dispute.payment
    what = (action.verb, action.state, action.role, action.signer)
    if what != (Verb.Dispute, State.Delivered, Role.Buyer, terms.buyer):
        raise ReceiptFalse(
            "dispute", "it is not a dispute of the buyer's over what was delivered", "不是买家对已发货提的争议"
        )
    if not 1 <= action.number <= terms.units:
        raise ReceiptFalse(
            "dispute",
            f"it is over {action.number} of {terms.units} units",
            f"{terms.units} 张里争议 {action.number} 张",
        )
    if payment is not None and (payment.payer, payment.token) != (terms.buyer, terms.token):
        raise ReceiptFalse("dispute", "its bond is another's, or in another token", "押金不是买家的，或不是条款的代币")
