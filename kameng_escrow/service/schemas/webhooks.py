"""Webhook endpoints and what was sent there."""

from datetime import UTC, datetime

from pydantic import Field

from kameng_escrow.notify import DeliveryEntry, Endpoint
from kameng_escrow.notify.endpoints import RECOVER_DAYS
from kameng_escrow.store.service.notifying import Delivery, DisabledFor, Purpose, Stage
from kameng_escrow.webhooks import EVENT_TYPES, SUBSCRIBABLE

from .common import Model, View, Words, labelled


class NewEndpoint(Model):
    """A webhook endpoint to be made."""

    url: str = Field(max_length=2_048, description="https, of the open internet; no redirects are followed.")
    events: list[str] = Field(default=[], max_length=len(SUBSCRIBABLE), description="Event types; none: all of them.")
    delivery: Delivery = Field(
        default=Delivery.Final, description="instant: may be retracted; final: not expected to change any more."
    )
    purpose: Purpose | None = Field(
        default=None,
        description="release: goods or money leave because of it, which needs delivery final; inform: nothing does. "
        "Left out, the events decide.",
    )
    description: str = Field(default="", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="For people.")


class ChangedEndpoint(Model):
    """What changes; what is left out stays."""

    url: str | None = Field(default=None, max_length=2_048)
    events: list[str] | None = Field(default=None, max_length=len(SUBSCRIBABLE))
    delivery: Delivery | None = Field(
        default=None, description="As it is: it can't change, or messages would be lost. Make a new endpoint instead."
    )
    purpose: Purpose | None = None
    description: str | None = Field(default=None, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")


class RotateSecret(Model):
    """A fresh secret in place of an endpoint's."""

    overlap_hours: int = Field(default=24, ge=0, le=720, description="For which the old one signs too; 0: it leaked.")


class Recover(Model):
    """Since when what was missed is sent."""

    since: int = Field(ge=0, lt=2**40, description=f"Unix seconds; at most {RECOVER_DAYS} days ago.")


class EndpointView(View):
    """A webhook endpoint, without its secret."""

    id: str
    url: str
    description: str
    events: list[str] = Field(description="Event types; none: all of them.")
    delivery: Delivery
    purpose: Purpose
    created_at: str
    disabled_at: str | None
    disabled_for: DisabledFor | None
    failing_since: str | None = Field(description="The first failure since something got through.")
    quiet_until: str | None = Field(description="It asked for a pause.")
    heard_at: str | None = Field(description="When something last got through.")
    old_secret_until: str | None = Field(description="Until then the secret before signs too.")

    @classmethod
    def of(cls, endpoint: Endpoint) -> "EndpointView":
        return cls(
            id=endpoint.id,
            url=endpoint.url,
            description=endpoint.description,
            events=list(endpoint.events),
            delivery=endpoint.delivery,
            purpose=endpoint.purpose,
            created_at=str(at(endpoint.created_ms)),
            disabled_at=at(endpoint.disabled_ms),
            disabled_for=endpoint.disabled_for,
            failing_since=at(endpoint.failing_since_ms),
            quiet_until=at(endpoint.quiet_until_ms),
            heard_at=at(endpoint.heard_ms),
            old_secret_until=at(endpoint.old_secret_until_ms),
        )


class EndpointSecretView(View):
    """An endpoint with its secret."""

    endpoint: EndpointView
    secret: str = Field(description="whsec_…, shown this once.")


class EndpointsView(View):
    """All endpoints of the account, the oldest first."""

    endpoints: list[EndpointView]


class AttemptView(View):
    """A request."""

    at: str
    took_ms: int
    status: int | None = Field(description="Of HTTP; null: no answer.")
    error: str | None = labelled(
        ("timeout", "connection", "tls", "dns", "forbidden", "answer", "internal"),
        "Why there was none; internal: a failure of this service's own, before anything was sent.",
    )


class WebhookDeliveryView(View):
    """A message for an endpoint, and what became of it."""

    id: int
    message_id: str = Field(description="The webhook-id header: the same however often it is sent.")
    type: str = labelled(EVENT_TYPES)
    order_id: str | None
    stage: Stage
    final: bool
    created_at: str
    next_try_at: str | None
    ended_at: str | None
    attempts: list[AttemptView]

    @classmethod
    def of(cls, entry: DeliveryEntry) -> "WebhookDeliveryView":
        return cls(
            id=entry.id,
            message_id=entry.message_id,
            type=entry.type,
            order_id=entry.order_id,
            stage=entry.stage,
            final=entry.final,
            created_at=str(at(entry.created_ms)),
            next_try_at=at(entry.next_try_ms),
            ended_at=at(entry.ended_ms),
            attempts=[
                AttemptView(at=str(at(one.at_ms)), took_ms=one.took_ms, status=one.status, error=one.error)
                for one in entry.attempts
            ],
        )


class WebhookDeliveriesView(View):
    """An endpoint's log, the newest first."""

    deliveries: list[WebhookDeliveryView]
    before: int | None = Field(description="For the next page; null: this was the last.")


class RecoveredView(View):
    """How much is sent, at most: some of it may have been sent before."""

    deliveries: int


class EventTypeView(View):
    """A type of event."""

    type: str
    releasing: Words | None = Field(description="What may leave somebody's hands because of it; null: nothing.")


class EventTypesView(View):
    """Everything that can be subscribed to."""

    types: list[EventTypeView]


def at(milliseconds: int | None) -> str | None:
    """A millisecond of our clock as RFC 3339, in UTC."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
