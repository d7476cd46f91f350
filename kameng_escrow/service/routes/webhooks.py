"""Webhook endpoints: of platforms with a key, and of anybody who has signed in, for the orders that concern them."""

from typing import Annotated

from fastapi import Path, Query

from kameng_escrow.notify import Endpoints
from kameng_escrow.notify.rules import RELEASING
from kameng_escrow.store.service.notifying import Stage
from kameng_escrow.webhooks import SUBSCRIBABLE

from ..callers import PUBLIC, Scope, account
from ..parts import Parts
from ..routing import Router, TheCaller, TheParts
from ..schemas.common import Words
from ..schemas.webhooks import (
    ChangedEndpoint,
    EndpointSecretView,
    EndpointsView,
    EndpointView,
    EventTypesView,
    EventTypeView,
    NewEndpoint,
    Recover,
    RecoveredView,
    RotateSecret,
    WebhookDeliveriesView,
    WebhookDeliveryView,
)

routes = Router("webhooks")

RECOVERIES_PER_MINUTE = 6  # of one network address, likewise below
TESTS_PER_MINUTE = 30

MINE = account(Scope.Webhooks)
EndpointId = Annotated[str, Path(pattern="^[a-z0-9_]{1,64}$", description="whk_…")]
DeliveryId = Annotated[int, Path(ge=0, lt=2**63)]


@routes.get("/v1/webhooks/event-types", access=PUBLIC)
def webhook_event_types() -> EventTypesView:
    """What can be subscribed to, and what somebody may let go because of it: such types are for final endpoints."""
    found = []
    for name in SUBSCRIBABLE:
        reason = RELEASING.get(name)
        found.append(EventTypeView(type=name, releasing=reason and Words(zh=reason.zh, en=reason.en)))
    return EventTypesView(types=found)


@routes.get("/v1/webhooks", access=MINE)
def list_webhooks(caller: TheCaller, parts: TheParts) -> EndpointsView:
    """The account's endpoints."""
    with parts.store.reading() as session:
        found = _endpoints(parts).of(session, caller.known)
    return EndpointsView(endpoints=[EndpointView.of(one) for one in found])


@routes.post("/v1/webhooks", access=MINE, secret=True, status_code=201)
def create_webhook(body: NewEndpoint, caller: TheCaller, parts: TheParts) -> EndpointSecretView:
    """Makes an endpoint for the orders in which the account is buyer, seller or mediator, or whose platform it is. The
    secret is shown this once.
    """
    with parts.store.writing() as session:
        endpoint, secret = _endpoints(parts).create(
            session,
            caller.known,
            url=body.url,
            events=body.events,
            delivery=body.delivery,
            purpose=body.purpose,
            description=body.description,
        )
    return EndpointSecretView(endpoint=EndpointView.of(endpoint), secret=secret)


@routes.get("/v1/webhooks/{endpoint_id}", access=MINE)
def get_webhook(endpoint_id: EndpointId, caller: TheCaller, parts: TheParts) -> EndpointView:
    """One of the account's endpoints."""
    with parts.store.reading() as session:
        return EndpointView.of(_endpoints(parts).get(session, caller.known, endpoint_id))


@routes.patch("/v1/webhooks/{endpoint_id}", access=MINE)
def change_webhook(endpoint_id: EndpointId, body: ChangedEndpoint, caller: TheCaller, parts: TheParts) -> EndpointView:
    """Changes an endpoint; what waits goes to the new address."""
    changes = {name: value for name, value in body if value is not None}
    with parts.store.writing() as session:
        return EndpointView.of(_endpoints(parts).update(session, caller.known, endpoint_id, **changes))


@routes.delete("/v1/webhooks/{endpoint_id}", access=MINE)
def delete_webhook(endpoint_id: EndpointId, caller: TheCaller, parts: TheParts) -> EndpointsView:
    """Deletes an endpoint with its log; answers with those that are left."""
    with parts.store.writing() as session:
        _endpoints(parts).delete(session, caller.known, endpoint_id)
        left = _endpoints(parts).of(session, caller.known)
    return EndpointsView(endpoints=[EndpointView.of(one) for one in left])


@routes.post("/v1/webhooks/{endpoint_id}/rotate", access=MINE, secret=True, status_code=201)
def rotate_webhook(
    endpoint_id: EndpointId, body: RotateSecret, caller: TheCaller, parts: TheParts
) -> EndpointSecretView:
    """Makes a new secret, shown this once; messages are signed with both for a while."""
    with parts.store.writing() as session:
        endpoint, secret = _endpoints(parts).rotate(
            session, caller.known, endpoint_id, overlap_hours=body.overlap_hours
        )
    return EndpointSecretView(endpoint=EndpointView.of(endpoint), secret=secret)


@routes.post("/v1/webhooks/{endpoint_id}/disable", access=MINE)
def disable_webhook(endpoint_id: EndpointId, caller: TheCaller, parts: TheParts) -> EndpointView:
    """Sends nothing there any more."""
    with parts.store.writing() as session:
        return EndpointView.of(_endpoints(parts).disable(session, caller.known, endpoint_id))


@routes.post("/v1/webhooks/{endpoint_id}/enable", access=MINE)
def enable_webhook(endpoint_id: EndpointId, caller: TheCaller, parts: TheParts) -> EndpointView:
    """Sends there again; what happened meanwhile comes by recovering."""
    with parts.store.writing() as session:
        return EndpointView.of(_endpoints(parts).enable(session, caller.known, endpoint_id))


@routes.post("/v1/webhooks/{endpoint_id}/test", access=MINE, status_code=202, per_minute=TESTS_PER_MINUTE)
def test_webhook(endpoint_id: EndpointId, caller: TheCaller, parts: TheParts) -> WebhookDeliveryView:
    """Has a `webhook.tested` sent; one that waits already is sent now. What became of it is in the log."""
    with parts.store.writing() as session:
        return WebhookDeliveryView.of(_endpoints(parts).test(session, caller.known, endpoint_id))


@routes.post("/v1/webhooks/{endpoint_id}/recover", access=MINE, status_code=202, per_minute=RECOVERIES_PER_MINUTE)
def recover_webhook(endpoint_id: EndpointId, body: Recover, caller: TheCaller, parts: TheParts) -> RecoveredView:
    """Has all sent that was given up or missed since then, 29 days ago at most."""
    count = _endpoints(parts).recover(parts.store, caller.known, endpoint_id, 1_000 * body.since)
    return RecoveredView(deliveries=count)


@routes.get("/v1/webhooks/{endpoint_id}/deliveries", access=MINE)
def list_webhook_deliveries(
    endpoint_id: EndpointId,
    caller: TheCaller,
    parts: TheParts,
    stage: Annotated[list[Stage] | None, Query(description="Only those that stand there.")] = None,
    order_id: Annotated[str | None, Query(pattern="^0x[0-9a-fA-F]{64}$")] = None,
    before: Annotated[int | None, Query(ge=0, lt=2**63, description="As a page gave it.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> WebhookDeliveriesView:
    """What was sent to an endpoint and what became of it. Kept for thirty days."""
    with parts.store.reading() as session:
        found = _endpoints(parts).log(
            session,
            caller.known,
            endpoint_id,
            stages=stage,
            order_id=None if order_id is None else order_id.lower(),
            before=before,
            limit=limit + 1,
        )
    more = len(found) > limit
    return WebhookDeliveriesView(
        deliveries=[WebhookDeliveryView.of(one) for one in found[:limit]], before=found[limit - 1].id if more else None
    )


@routes.post("/v1/webhooks/{endpoint_id}/deliveries/{delivery_id}/replay", access=MINE, status_code=202)
def replay_webhook(
    endpoint_id: EndpointId, delivery_id: DeliveryId, caller: TheCaller, parts: TheParts
) -> WebhookDeliveryView:
    """Has a message sent again, with the id that it had."""
    with parts.store.writing() as session:
        return WebhookDeliveryView.of(_endpoints(parts).replay(session, caller.known, endpoint_id, delivery_id))


def _endpoints(parts: Parts) -> Endpoints:
    return parts.telling.endpoints(parts.contract_id)
