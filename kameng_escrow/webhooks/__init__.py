"""Webhooks, by the Standard Webhooks spec: what they tell of, how they are signed, and how a receiver verifies them."""

from .errors import (
    AlreadyHandled,
    BadSecret,
    BodyMalformed,
    HeaderMalformed,
    HeaderMissing,
    NotFinal,
    SignatureWrong,
    TimestampOff,
    WebhookError,
    WebhookRefused,
)
from .events import EVENT_TYPES, ORDER_TYPES, RETRACTED, SUBSCRIBABLE, TESTED, WebhookEvent, type_of
from .memory import InMemory, Memory
from .receiver import WebhookReceiver
from .signing import new_secret, signed_headers

__all__ = [
    "EVENT_TYPES",
    "ORDER_TYPES",
    "RETRACTED",
    "SUBSCRIBABLE",
    "TESTED",
    "AlreadyHandled",
    "BadSecret",
    "BodyMalformed",
    "HeaderMalformed",
    "HeaderMissing",
    "InMemory",
    "Memory",
    "NotFinal",
    "SignatureWrong",
    "TimestampOff",
    "WebhookError",
    "WebhookEvent",
    "WebhookReceiver",
    "WebhookRefused",
    "new_secret",
    "signed_headers",
    "type_of",
]
