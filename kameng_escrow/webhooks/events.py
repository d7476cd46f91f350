"""What webhooks tell of: event types, made from the domain's events, and a message as its receiver reads it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, get_args

from kameng_escrow.domain import events

from .errors import NotFinal

_WORDS = re.compile(r"[A-Z][a-z0-9]*")


def type_of(event_name: str) -> str:
    """The type of an event of the contract, noun then past: ``OrderOpened`` is ``order.opened``."""
    *noun, past = (word.lower() for word in _WORDS.findall(event_name))
    return f"{'_'.join(noun)}.{past}"


# By the event's name, in the domain's order.
ORDER_TYPES: Mapping[str, str] = MappingProxyType(
    {kind.__name__: type_of(kind.__name__) for kind in get_args(events.OrderEvent)}
)
RETRACTED = "order.retracted"  # a reorganisation took an event away that was told before
TESTED = "webhook.tested"  # somebody pressed the test button
SUBSCRIBABLE = tuple(ORDER_TYPES.values())  # the others come by themselves
EVENT_TYPES = (*SUBSCRIBABLE, RETRACTED, TESTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """A message that was verified."""

    id: str  # the same each time that it is sent
    type: str  # one of EVENT_TYPES, or one that this version does not know yet: ignore it
    timestamp: datetime  # of the block, aware UTC; of a test: when it was asked for
    data: Mapping[str, Any]  # what `store.news.News.payload` says; amounts are decimal strings
    final: bool  # whether the chain is not expected to take it back any more
    retracts: str | None  # the id of the message that no longer holds
    chain_id: int
    contract: str  # address of the escrow
    sent_at: int  # Unix seconds at which this attempt was signed

    def require_final(self) -> "WebhookEvent":
        """Itself. Ask this before goods or money leave your hands because of it.

        Raises:
            NotFinal: a reorganisation of the chain may still take it back.
        """
        if not self.final:
            raise NotFinal(self.type)
        return self
