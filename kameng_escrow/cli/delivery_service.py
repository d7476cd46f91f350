"""`--service URL`: deliveries that go through a platform's service, sealed all the way."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..delivery.fingerprints import tag_of
from ..delivery.sealing import LARGEST_PAYLOAD, Delivery
from ..domain.inputs import parse_hash
from .command import both
from .platform_service import at_service
from .problems import BadInput
from .session import Session
from .subject import Subject

if TYPE_CHECKING:
    from ..domain.listing import ListingDocument
    from ..platform import PlatformClient, ServiceNonsense
    from ..platform.types import NewDelivery

SERVICE = Annotated[
    str,
    typer.Option(
        "--service",
        metavar="URL",
        help=both("平台服务的地址（https）：加密后存到那里", "The platform's service (https): keeps what is sealed"),
    ),
]
ALLOW_DUPLICATES = Annotated[
    bool,
    typer.Option(
        "--allow-duplicates",
        help=both("即使有卡密在别的订单里交付过，也照样存", "Store it although a code was delivered in another order"),
    ),
]
_LARGEST = LARGEST_PAYLOAD * 4 // 3 + 64 * 1024  # bytes of an answer with the largest payload
_STATEMENT = "Sign in to deliver and receive codes. This sends no transaction and moves no money."


def at_delivery_service(session: Session, url: str) -> AbstractContextManager["PlatformClient"]:
    """The service, to deliver or receive codes. Raises `BadInput` for what is no service's URL."""
    return at_service(session, url, _STATEMENT, largest=_LARGEST)


def listing_at(place: "PlatformClient", subject: Subject) -> "ListingDocument":
    """The listing document that the order was made with, as the service has it; checked against the order.

    Raises:
        PlatformError: it can't be had.
        ListingMismatch: it is of another order.
        BadInput: the service has none.
    """
    from ..domain.listing import ListingMismatch, parse_document

    told = place.read_receipt(subject.order_id).get("listing")
    if told is None:
        raise BadInput(
            "这个服务没有本单的商品文件：请用 --listing-file 或 --to 给出买家的交付公钥。",
            "The service has no listing document of this order: name the buyer's key with --listing-file or --to.",
        )
    document = parse_document(told)
    if document.hash() != subject.terms.listing:
        raise ListingMismatch("listing", document.hash(), subject.terms.listing)
    return document


def store_at(
    place: "PlatformClient", delivery: Delivery, codes: Sequence[str], *, allow_duplicates: bool
) -> Mapping[str, Any]:
    """Stores a sealed delivery, with tags of its codes where the service looks for duplicates; none: without tags.

    Raises:
        PlatformError: it was not stored; with `codes_sold_before` a code was delivered in another order.
    """
    body: NewDelivery = {
        "root": delivery.root,
        "payload": base64.b64encode(delivery.payload).decode("ascii"),
        "allow_duplicates": allow_duplicates,
        "tags": [
            {"key_id": name, "tags": [tag_of(code, key).hex() for code in codes]}
            for name, key in (_tag_keys(place, delivery.order_id) if codes else ())
        ],
    }
    stored = place.store_delivery(delivery.order_id, body)
    if stored.get("commitment") != delivery.commitment:
        raise nonsense(place)
    return stored


def fetch_from(place: "PlatformClient", order_id: str) -> Delivery:
    """The order's last delivery, sealed. Raises `ServiceAway`, `ServiceRefused`: such as `not_released` before it is
    final, and `BadInput` where none was stored.
    """
    listed: Any = place.list_deliveries(order_id).get("deliveries")
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise nonsense(place)
    if not listed:
        raise BadInput(
            f"这个服务没有存订单 {order_id} 的交付内容：请向卖家索取。",
            f"The service keeps no delivery for order {order_id}: ask the seller for it.",
        )
    chosen = next((one for one in listed if one.get("current")), listed[-1])
    told = place.read_payload(order_id, str(chosen.get("id")))
    try:
        payload = base64.b64decode(str(told.get("payload", "")), validate=True)
    except (binascii.Error, ValueError):
        raise nonsense(place) from None
    return Delivery(order_id=order_id, root=parse_hash(str(told.get("root", "")), "root"), payload=payload)


def _tag_keys(place: "PlatformClient", order_id: str) -> list[tuple[str, bytes]]:
    from ..platform import ServiceProblem

    try:
        told: Any = place.read_tag_keys(order_id).get("keys")
    except ServiceProblem as refusal:
        if refusal.code == "not_offered":  # it does not look for duplicates
            return []
        raise
    try:
        return [(str(one["id"]), bytes.fromhex(parse_hash(one["key"], "key")[2:])) for one in told or ()]
    except (KeyError, TypeError):
        raise nonsense(place) from None


def nonsense(place: "PlatformClient") -> "ServiceNonsense":
    """For an answer that makes no sense."""
    from ..platform import ServiceNonsense

    return ServiceNonsense(place.url, 200)
