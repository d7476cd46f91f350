"""Notifications: channels that an account proves to be its own, hours, topics, and a way out without signing in."""

from html import escape
from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import HTMLResponse

from kameng_escrow.notify import People, Preferences
from kameng_escrow.notify.optout import PATH

from ..callers import PUBLIC, SESSION
from ..parts import Parts
from ..routing import Router, TheCaller, TheParts
from ..schemas.notifications import (
    ChannelsView,
    ChannelView,
    Code,
    MessagesView,
    NewChannel,
    OptedOutView,
    PreferencesModel,
    PushKeyView,
    ToldView,
)

routes = Router("notifications")

ChannelId = Annotated[str, Path(pattern="^[a-z0-9_]{1,64}$", description="chn_…")]
Topic = Annotated[str, Path(pattern="^[a-z_.]{1,64}$")]
Mac = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$")]


@routes.get("/v1/notifications/preferences", access=SESSION)
def get_notification_preferences(caller: TheCaller, parts: TheParts) -> PreferencesModel:
    """How the account wants to be told."""
    return PreferencesModel.of(_people(parts).preferences(caller.known))


@routes.put("/v1/notifications/preferences", access=SESSION)
def set_notification_preferences(body: PreferencesModel, caller: TheCaller, parts: TheParts) -> PreferencesModel:
    """Takes how the account wants to be told."""
    wanted = Preferences(
        language=body.language,
        time_zone=body.time_zone,
        quiet_from=body.quiet_from,
        quiet_to=body.quiet_to,
        muted=tuple(body.muted),
    )
    return PreferencesModel.of(_people(parts).prefer(caller.known, wanted))


@routes.get("/v1/notifications/push-key", access=PUBLIC)
def get_push_key(parts: TheParts) -> PushKeyView:
    """What a browser subscribes with."""
    return PushKeyView(key=parts.telling.senders.push_key)


@routes.get("/v1/notifications/channels", access=SESSION)
def list_channels(caller: TheCaller, parts: TheParts) -> ChannelsView:
    """The account's channels."""
    return ChannelsView(channels=[ChannelView.of(one) for one in _people(parts).channels(caller.known)])


@routes.post("/v1/notifications/channels", access=SESSION, status_code=201)
def add_channel(body: NewChannel, caller: TheCaller, parts: TheParts) -> ChannelView:
    """Makes a channel and sends a code there; nothing else is sent before that was shown."""
    return ChannelView.of(_people(parts).add(caller.known, body.kind, body.fields))


@routes.post("/v1/notifications/channels/{channel_id}/code", access=SESSION, status_code=202)
def send_channel_code(channel_id: ChannelId, caller: TheCaller, parts: TheParts) -> ChannelsView:
    """Sends another code, in place of the one before."""
    _people(parts).send_code(caller.known, channel_id)
    return list_channels(caller, parts)


@routes.post("/v1/notifications/channels/{channel_id}/verify", access=SESSION)
def verify_channel(channel_id: ChannelId, body: Code, caller: TheCaller, parts: TheParts) -> ChannelView:
    """Shows the code that was sent there."""
    return ChannelView.of(_people(parts).verify(caller.known, channel_id, body.code))


@routes.post("/v1/notifications/channels/{channel_id}/stop", access=SESSION)
def stop_channel(channel_id: ChannelId, caller: TheCaller, parts: TheParts) -> ChannelView:
    """Sends nothing there any more."""
    return ChannelView.of(_people(parts).stop(caller.known, channel_id))


@routes.post("/v1/notifications/channels/{channel_id}/resume", access=SESSION)
def resume_channel(channel_id: ChannelId, caller: TheCaller, parts: TheParts) -> ChannelView:
    """Sends there again."""
    return ChannelView.of(_people(parts).resume(caller.known, channel_id))


@routes.delete("/v1/notifications/channels/{channel_id}", access=SESSION)
def remove_channel(channel_id: ChannelId, caller: TheCaller, parts: TheParts) -> ChannelsView:
    """Forgets a channel and what was sent there; answers with those that are left."""
    _people(parts).remove(caller.known, channel_id)
    return list_channels(caller, parts)


@routes.get("/v1/notifications/messages", access=SESSION)
def list_notification_messages(
    caller: TheCaller,
    parts: TheParts,
    before: Annotated[int | None, Query(ge=0, lt=2**63, description="As a page gave it.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> MessagesView:
    """What the account was told, and will be. Kept for thirty days."""
    found = _people(parts).told(caller.known, before=before, limit=limit + 1)
    more = len(found) > limit
    return MessagesView(
        messages=[ToldView.of(one) for one in found[:limit]], before=found[limit - 1].id if more else None
    )


@routes.get(
    PATH + "/{channel_id}/{topic}/{mac}", access=PUBLIC, response_class=HTMLResponse, response_model=None, per_minute=60
)
def show_opt_out(channel_id: ChannelId, topic: Topic, mac: Mac, parts: TheParts) -> HTMLResponse:
    """A page with one button. Only that stops anything: programs that look through mail and chats follow links too."""
    chinese = _people(parts).check_link(channel_id, topic, mac) == "zh"
    words = ("不再接收这些通知？", "停止接收") if chinese else ("Stop these messages?", "Stop")
    question, button = map(escape, words)
    return HTMLResponse(
        f'<!doctype html><html lang="{"zh" if chinese else "en"}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{question}</title><form method="post"><p>{question}</p><button>{button}</button></form></html>'
    )


@routes.post(PATH + "/{channel_id}/{topic}/{mac}", access=PUBLIC, per_minute=60)
def opt_out(channel_id: ChannelId, topic: Topic, mac: Mac, parts: TheParts) -> OptedOutView:
    """Stops a channel, or mutes a topic: by the page's button, or by a mail program's (RFC 8058). No signing in."""
    _people(parts).opt_out(channel_id, topic, mac)
    return OptedOutView()


def _people(parts: Parts) -> People:
    return parts.telling.people(parts.store, parts.contract_id)
