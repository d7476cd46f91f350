"""From the outbox to endpoints and people: webhooks by the Standard Webhooks spec, notifications, reminders."""

from .deliveries import Deliveries
from .endpoints import Attempt, DeliveryEntry, Endpoint, Endpoints
from .messages import Messages
from .metrics import NotifierMetrics
from .notifier import Notifier, NotifierReport
from .people import Channel, People, Preferences, Told
from .sealing import Sealer, read_seal_keys, read_secret
from .senders import PushKey, Senders, read_push_key
from .telling import Telling
from .texts import Texts

__all__ = [
    "Attempt",
    "Channel",
    "Deliveries",
    "DeliveryEntry",
    "Endpoint",
    "Endpoints",
    "Messages",
    "Notifier",
    "NotifierMetrics",
    "NotifierReport",
    "People",
    "Preferences",
    "PushKey",
    "Sealer",
    "Senders",
    "Telling",
    "Texts",
    "Told",
    "read_push_key",
    "read_seal_keys",
    "read_secret",
]
