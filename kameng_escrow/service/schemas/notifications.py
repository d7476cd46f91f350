"""Channels, preferences, and what people were told."""

from pydantic import Field

from kameng_escrow.notify import Channel, Preferences, Told
from kameng_escrow.notify.channels import fields_of
from kameng_escrow.notify.topics import CODE, TOPICS
from kameng_escrow.store.service.notifying import ChannelKind, Stage, StoppedFor

from .common import Model, View, labelled
from .webhooks import at

_FIELDS = " · ".join(
    f"{kind}: {', '.join(f'{name} ({en})' for name, (en, _) in fields_of(kind).items())}" for kind in ChannelKind
)


class NewChannel(Model):
    """A channel to be made."""

    kind: ChannelKind
    fields: dict[str, str] = Field(max_length=8, description=_FIELDS)


class Code(Model):
    """The code that was sent there."""

    code: str = Field(max_length=32)


class ChannelView(View):
    """A way to tell the account."""

    id: str
    kind: ChannelKind
    hint: str = Field(description="Enough to know it again.")
    created_at: str
    verified: bool = Field(description="Whether the account has shown that it is its own: nothing is sent before.")
    stopped_for: StoppedFor | None

    @classmethod
    def of(cls, channel: Channel) -> "ChannelView":
        return cls(
            id=channel.id,
            kind=channel.kind,
            hint=channel.hint,
            created_at=str(at(channel.created_ms)),
            verified=channel.verified,
            stopped_for=channel.stopped_for,
        )


class ChannelsView(View):
    """All channels of the account, the oldest first."""

    channels: list[ChannelView]


class PreferencesModel(Model):
    """How the account wants to be told."""

    language: str = Field(default="zh", pattern="^(zh|en)$")
    time_zone: str = Field(default="Asia/Shanghai", max_length=64, description="An IANA name.")
    quiet_from: int | None = Field(default=None, ge=0, lt=1_440, description="Minutes after midnight there.")
    quiet_to: int | None = Field(default=None, ge=0, lt=1_440, description="May be before quiet_from: over midnight.")
    muted: list[str] = Field(
        default=[], max_length=len(TOPICS), description="Topics not to be told of.", examples=[list(TOPICS)]
    )

    @classmethod
    def of(cls, preferences: Preferences) -> "PreferencesModel":
        return cls(
            language=preferences.language,
            time_zone=preferences.time_zone,
            quiet_from=preferences.quiet_from,
            quiet_to=preferences.quiet_to,
            muted=list(preferences.muted),
        )


class ToldView(View):
    """Something that the account was told, or will be."""

    id: int
    channel_id: str
    topic: str = labelled([*TOPICS, CODE])
    order_id: str | None
    stage: Stage
    created_at: str
    next_try_at: str | None
    ended_at: str | None
    error: str | None

    @classmethod
    def of(cls, told: Told) -> "ToldView":
        return cls(
            id=told.id,
            channel_id=told.channel_id,
            topic=told.topic,
            order_id=told.order_id,
            stage=told.stage,
            created_at=str(at(told.created_ms)),
            next_try_at=at(told.next_try_ms),
            ended_at=at(told.ended_ms),
            error=told.error,
        )


class MessagesView(View):
    """What the account was told, the newest first."""

    messages: list[ToldView]
    before: int | None = Field(description="For the next page; null: this was the last.")


class PushKeyView(View):
    """What a browser subscribes with."""

    key: str | None = Field(description="The application server key (VAPID), base64url; null: there is no Web Push.")


class OptedOutView(View):
    """Nothing is sent there any more, or nothing on the topic."""

    stopped: bool = True
