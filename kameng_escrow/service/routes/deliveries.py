"""Deliveries: stored by sellers, read by buyers, disclosed to mediators."""

import base64
import binascii
from typing import Annotated

from fastapi import Path

from kameng_escrow.chain.sender import wallet_json
from kameng_escrow.delivery.commitments import Disclosure
from kameng_escrow.delivery.keys import recipient_of
from kameng_escrow.delivery.release import Release
from kameng_escrow.domain.states import State
from kameng_escrow.store.service.deliveries import (
    DeliveryRow,
    DisclosureRow,
    Sighting,
    has_payload,
    sightings,
)

from .. import deliveries as desk
from ..callers import EVERYONE, MEDIATORS, PARTIES, SELLING, OrderAccess, OrderRole, Scope, access_to, account, order
from ..errors import BadRequest, Conflict, Forbidden
from ..parts import Parts
from ..routing import Router, TheCaller, TheOrder, TheParts, also
from ..schemas.common import moment
from ..schemas.deliveries import (
    CodeCheck,
    DeliveriesView,
    DeliverManyView,
    DeliveryView,
    DisclosuresView,
    DisclosureView,
    DuplicatesView,
    DuplicateView,
    ErasedView,
    ManyDeliveries,
    NewDelivery,
    NewDisclosure,
    PayloadView,
    StoredView,
    TagKeysView,
    TagKeyView,
    TagSet,
)

routes = Router("deliveries")

DeliveryId = Annotated[str, Path(pattern="^[0-9A-Za-z_]{1,40}$", description="As the list of deliveries names it.")]

LARGEST_BODY = 32 * 1024 * 1024  # bytes: a payload, and tags by each key
UPLOADS_PER_MINUTE = 120  # of one network address, likewise below
CHECKS_PER_MINUTE = 30  # each may try as many guesses as an order has units


@routes.post(
    "/v1/orders/{order_id}/deliveries",
    access=order(SELLING, Scope.Delivery),
    status_code=201,
    max_body=LARGEST_BODY,
    per_minute=UPLOADS_PER_MINUTE,
    responses=also(501),
)
def store_delivery(body: NewDelivery, held: TheOrder, caller: TheCaller, parts: TheParts) -> StoredView:
    """Keeps codes that are encrypted to their buyer, before their commitment goes on the chain.

    Refuses codes that were delivered in another order (409, `codes_sold_before`), unless that is allowed.
    """
    row, release, found = desk.store(
        parts,
        held,
        caller.known,
        root=body.root.lower(),
        payload=_payload(body.payload),
        tags=_tags(body.tags),
        allow_duplicates=body.allow_duplicates,
    )
    seller = desk.terms_of(held).seller
    view = _view(row, release, current=False)
    current = held.mirrored.order.commitment == row.commitment
    fields = {**view.model_dump(), "current": current}
    return StoredView(**fields, duplicates=[_duplicate(one, seller) for one in found])


@routes.get("/v1/orders/{order_id}/deliveries", access=order(EVERYONE, Scope.Delivery))
def list_deliveries(held: TheOrder, parts: TheParts) -> DeliveriesView:
    """What was stored for the order, and how far each delivery has come. Nothing of what is in them."""
    found = desk.listed(parts, held.id)
    return DeliveriesView(deliveries=[_view(row, release, current=current) for row, release, current in found])


@routes.get(
    "/v1/orders/{order_id}/deliveries/{delivery_id}/payload",
    access=order({OrderRole.Buyer}, Scope.Delivery),
    responses=also(409),
)
def read_payload(delivery_id: DeliveryId, held: TheOrder, parts: TheParts) -> PayloadView:
    """The encrypted codes, for the buyer alone, once it is final on the chain that they were delivered.

    Before, it answers 409 `not_released` with the blocks that are left: who could read earlier could read and cancel.
    """
    row = desk.take(parts, held.id, delivery_id)
    return PayloadView(
        chain_id=parts.deployment.chain_id,
        contract=parts.deployment.address,
        order_id=row.order_id,
        root=row.root,
        payload_hash=row.payload_hash,
        commitment=row.commitment,
        payload=base64.b64encode(row.payload or b"").decode("ascii"),
    )


@routes.post("/v1/orders/{order_id}/deliveries/erase", access=order({OrderRole.Buyer}, Scope.Delivery))
def erase_deliveries(held: TheOrder, parts: TheParts) -> ErasedView:
    """Erases the codes of a closed order, and what was disclosed of them. Hashes and commitments stay."""
    return ErasedView(erased=desk.erase(parts, held.id))


# -------------------------------------------------------------------------------------------------------- fingerprints


@routes.get("/v1/orders/{order_id}/tag-keys", access=order(SELLING, Scope.Delivery), responses=also(501))
def read_tag_keys(held: TheOrder, parts: TheParts) -> TagKeysView:
    """The keys with which the order's seller makes tags of codes, so that the same code sold twice is found."""
    policy = held.mirrored.order.policy
    assert policy is not None
    keys = desk.require_keys(parts)
    return TagKeysView(keys=[TagKeyView(id=key.id, key="0x" + key.tag_key(policy.platform).hex()) for key in keys])


@routes.post(
    "/v1/orders/{order_id}/deliveries/check-codes",
    access=order(SELLING, Scope.Delivery),
    max_body=LARGEST_BODY,
    per_minute=CHECKS_PER_MINUTE,
    responses=also(501),
)
def check_codes(body: CodeCheck, held: TheOrder, parts: TheParts) -> DuplicatesView:
    """Which of the order's codes were delivered in another order, before they are stored."""
    desk.require_delivering(held)
    prints = desk.fingerprints(parts, held, _tags(body.tags))
    with parts.store.reading() as session:
        found = sightings(session, parts.contract_id, held.id, prints)
    seller = desk.terms_of(held).seller
    return DuplicatesView(duplicates=[_duplicate(one, seller) for one in found])


# ---------------------------------------------------------------------------------------------------------- disclosing


@routes.post("/v1/orders/{order_id}/disclosures", access=order(PARTIES, Scope.Delivery), status_code=201)
def disclose(body: NewDisclosure, held: TheOrder, caller: TheCaller, parts: TheParts) -> DisclosureView:
    """Shows the mediator one unit without the others, or with the order's key all of them, while the order is in
    dispute. A unit that was not committed to is refused.
    """
    unit = None
    if body.unit is not None:
        unit = Disclosure(
            order_id=held.id,
            unit=body.unit.unit,
            code=body.unit.code,
            salt=bytes.fromhex(body.unit.salt[2:]),
            proof=tuple(bytes.fromhex(sibling[2:]) for sibling in body.unit.proof),
            payload_hash=body.payload_hash.lower(),
        )
    row, verdict = desk.disclose(
        parts, held, caller.known, payload_hash=body.payload_hash.lower(), unit=unit, identity=body.identity
    )
    return _disclosure(row, verdict)


@routes.get(
    "/v1/orders/{order_id}/disclosures",
    access=order(PARTIES | MEDIATORS, Scope.Delivery),
    per_minute=UPLOADS_PER_MINUTE,
)
def list_disclosures(held: TheOrder, parts: TheParts) -> DisclosuresView:
    """What the parties disclosed, each held against the chain. For them and the mediators; not for the platform."""
    return DisclosuresView(disclosures=[_disclosure(row, verdict) for row, verdict in desk.disclosed(parts, held)])


# ---------------------------------------------------------------------------------------------------------- many orders


@routes.post("/v1/deliveries/prepare", access=account(Scope.Delivery), responses=also(404))
def prepare_deliver_many(body: ManyDeliveries, caller: TheCaller, parts: TheParts) -> DeliverManyView:
    """An unsigned transaction that delivers many orders at once. The contract skips those that are late by then."""
    wanted = {one.order_id.lower(): one.commitment.lower() for one in body.deliveries}
    if len(wanted) != len(body.deliveries):
        raise BadRequest("An order is named twice: name each once.", "有订单写了两次：每单只写一次。")
    chosen = [
        (_deliverable(order_id, commitment, caller.known, parts), commitment) for order_id, commitment in wanted.items()
    ]
    deliveries = [(desk.terms_of(held), commitment) for held, commitment in chosen]
    prepared = parts.client.acting_as(caller.known).prepare_deliver_many(deliveries)
    return DeliverManyView(
        transaction={name: str(value) for name, value in wallet_json(prepared).items()}, order_ids=list(wanted)
    )


def _deliverable(order_id: str, commitment: str, who: str, parts: Parts) -> OrderAccess:
    """An order that the account may deliver now, and whose codes are kept. Raises `Forbidden`, `Conflict`."""
    seen = parts.book.seen(order_id, who)
    held, mirrored = access_to(seen, who, parts.clock()), seen.mirrored
    with parts.store.reading() as session:
        is_kept = has_payload(session, parts.contract_id, order_id, commitment)
    if not held.roles & SELLING:
        raise Forbidden(
            f"{who} neither sells order {order_id} nor is its seller's operator.",
            f"{who} 不是订单 {order_id} 的卖家，也不是卖家的操作员。",
        )
    desk.require_delivering(held)
    if mirrored.order.state is not State.Accepted:
        raise Conflict(
            f"Order {order_id} is {mirrored.order.state.label}, not Accepted: leave it out.",
            f"订单 {order_id} 现在是 {mirrored.order.state.label}，不是已接单：请去掉它。",
            order_id=order_id,
        )
    if not is_kept:
        raise Conflict(
            f"No delivery with this commitment is stored for order {order_id}: store it first, or the buyer gets "
            "nothing.",
            f"订单 {order_id} 还没有存这个承诺的交付内容：请先存好，否则买家拿不到卡密。",
            order_id=order_id,
        )
    return held


# ---------------------------------------------------------------------------------------------------------------- views


def _payload(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("The payload is no base64.", "payload 不是 base64。") from None


def _tags(sets: list[TagSet]) -> list[tuple[str, list[bytes]]]:
    return [(one.key_id, [bytes.fromhex(tag) for tag in one.tags]) for one in sets]


def _duplicate(found: Sighting, seller: str) -> DuplicateView:
    same = found.seller == seller  # of others' orders nobody need know which
    return DuplicateView(
        unit=found.unit, order_id=found.order_id if same else None, stored_at=str(moment(found.stored_at))
    )


def _view(row: DeliveryRow, release: Release, *, current: bool) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        order_id=row.order_id,
        commitment=row.commitment,
        root=row.root,
        payload_hash=row.payload_hash,
        size=row.size,
        stored_by=row.stored_by,
        stored_at=str(moment(row.stored_at)),
        read_at=moment(row.read_at),
        erased_at=moment(row.erased_at),
        stage=release.stage,
        block_number=release.block_number,
        blocks_left=release.blocks_left,
        current=current,
    )


def _disclosure(row: DisclosureRow, verdict: desk.Verdict) -> DisclosureView:
    return DisclosureView(
        id=row.id,
        account=row.account,
        disclosed_at=str(moment(row.disclosed_at)),
        erased_at=moment(row.erased_at),
        payload_hash=row.payload_hash,
        unit=row.unit,
        code=row.code,
        salt=row.salt,
        proof=row.proof,
        identity=row.identity,
        delivery_key=None if row.identity is None else recipient_of(row.identity),
        matches=verdict.matches,
        current=verdict.current,
        reason=verdict.reason,
    )
