"""`--service URL`: deliveries that go through a platform's service, sealed all the way."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..delivery.fingerprints import tag_of
from ..delivery.sealing import LARGEST_PAYLOAD, Delivery
from ..domain.inputs import parse_hash
from .command import both
from .offering import check_url
from .problems import BadInput
from .session import Session
from .subject import Subject

if TYPE_CHECKING:
    from ..domain.listing import ListingDocument
    from ..trade.service_session import ServiceSession

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
_SECONDS = 60.0  # for megabytes
_LARGEST = LARGEST_PAYLOAD * 4 // 3 + 64 * 1024  # bytes of an answer with the largest payload
_STATEMENT = "Sign in to deliver and receive codes. This sends no transaction and moves no money."


@contextmanager
def at_service(session: Session, url: str) -> Iterator["ServiceSession"]:
    """The service, as the owner of the key file. Raises `BadInput` for what is no service's URL."""
    from ..trade.service_session import ServiceSession

    check_url(url)
    account = session.signer()
    chain_id = session.deployment().chain_id
    place = ServiceSession(url, account, chain_id=chain_id, statement=_STATEMENT)
    try:
        yield place
    finally:
        place.close()


def listing_at(place: "ServiceSession", subject: Subject) -> "ListingDocument":
    """The listing document that the order was made with, as the service has it; checked against the order.

    Raises:
        ServiceAway, ServiceRefused: it can't be had.
        ListingMismatch: it is of another order.
        BadInput: the service has none.
    """
    from ..domain.listing import ListingMismatch, parse_document

    told = place.call("GET", f"/v1/orders/{subject.order_id}/receipt", timeout=_SECONDS).get("listing")
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
    place: "ServiceSession", delivery: Delivery, codes: Sequence[str], *, allow_duplicates: bool
) -> Mapping[str, Any]:
    """Stores a sealed delivery, with tags of its codes where the service looks for duplicates; none: without tags.

    Raises:
        ServiceAway, ServiceRefused: it was not stored; with `codes_sold_before` a code was delivered in another order.
    """
    body: dict[str, Any] = {
        "root": delivery.root,
        "payload": base64.b64encode(delivery.payload).decode("ascii"),
        "allow_duplicates": allow_duplicates,
        "tags": [
            {"key_id": name, "tags": [tag_of(code, key).hex() for code in codes]}
            for name, key in (_tag_keys(place, delivery.order_id) if codes else ())
        ],
    }
    stored = place.call("POST", f"/v1/orders/{delivery.order_id}/deliveries", json=body, timeout=_SECONDS)
    if stored.get("commitment") != delivery.commitment:
        raise place.nonsense()
    return stored


def fetch_from(place: "ServiceSession", order_id: str) -> Delivery:
    """The order's last delivery, sealed. Raises `ServiceAway`, `ServiceRefused`: such as `not_released` before it is
    final, and `BadInput` where none was stored.
    """
    path = f"/v1/orders/{order_id}/deliveries"
    listed = place.call("GET", path, timeout=_SECONDS).get("deliveries")
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise place.nonsense()
    if not listed:
        raise BadInput(
            f"这个服务没有存订单 {order_id} 的交付内容：请向卖家索取。",
            f"The service keeps no delivery for order {order_id}: ask the seller for it.",
        )
    chosen = next((one for one in listed if one.get("current")), listed[-1])
    told = place.call("GET", f"{path}/{chosen.get('id')}/payload", timeout=_SECONDS, largest=_LARGEST)
    try:
        payload = base64.b64decode(str(told.get("payload", "")), validate=True)
    except (binascii.Error, ValueError):
        raise place.nonsense() from None
    return Delivery(order_id=order_id, root=parse_hash(str(told.get("root", "")), "root"), payload=payload)


def _tag_keys(place: "ServiceSession", order_id: str) -> list[tuple[str, bytes]]:
    from ..trade.service_session import ServiceRefused

    try:
        told = place.call("GET", f"/v1/orders/{order_id}/tag-keys", timeout=_SECONDS).get("keys")
    except ServiceRefused as refusal:
        if refusal.reason == "not_offered":  # it does not look for duplicates
            return []
        raise
    try:
        return [(str(one["id"]), bytes.fromhex(parse_hash(one["key"], "key")[2:])) for one in told or ()]
    except (KeyError, TypeError):
        raise place.nonsense() from None
