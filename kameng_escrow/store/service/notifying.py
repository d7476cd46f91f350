"""The words of what is told to others: how an endpoint hears, where a delivery stands, what a channel is."""

from enum import StrEnum
from typing import Self


class _Word(StrEnum):
    """The same word in Python, SQL and JSON."""

    @property
    def label(self) -> str:
        return self.value

    @classmethod
    def from_label(cls, label: str) -> Self:
        return cls(label)


class Delivery(_Word):
    """When an endpoint hears of an event."""

    Instant = "instant"  # as soon as the mirror has seen it; `order.retracted` follows where a reorganisation undoes it
    Final = "final"  # once its block is not expected to change any more


class Purpose(_Word):
    """What the receiver does because of what it hears."""

    Inform = "inform"  # shows, counts, reminds: whatever can be taken back
    Release = "release"  # lets goods or money go, or anything else that can't be


class DisabledFor(_Word):
    """Why an endpoint hears nothing any more."""

    Owner = "owner"  # who has it switched it off
    Gone = "gone"  # it answered 410
    Failing = "failing"  # a message was given up, and nothing got through all the while


class Stage(_Word):
    """Where something that is to be sent stands."""

    Waiting = "waiting"  # for its time, or its turn
    Sent = "sent"  # and taken
    Failed = "failed"  # given up
    Dropped = "dropped"  # not worth sending any more: it would have come too late, or was not so


class ChannelKind(_Word):
    """By what way a person hears."""

    Push = "push"  # a browser, by Web Push
    Mail = "mail"
    WeCom = "wecom"
    DingTalk = "dingtalk"
    Feishu = "feishu"
    Telegram = "telegram"
    Bark = "bark"
    Ntfy = "ntfy"


class StoppedFor(_Word):
    """Why a channel hears nothing any more."""

    Person = "person"  # who has it, by one tap or the page
    Gone = "gone"  # the browser's subscription has ended
    Failing = "failing"  # nothing got through, again and again
