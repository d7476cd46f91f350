"""People who are told by channels, and what they hear."""

import re
from typing import Any

from eth_account.signers.local import LocalAccount

from kameng_escrow.notify import Preferences
from kameng_escrow.notify.senders import _instantiate
from kameng_escrow.store.service.notifying import ChannelKind

from .notify_world import Ear, NotifyWorld


def at(ear: Ear) -> Any:
    """Has Apprise's own services talk to an ear on this machine, instead of to their hosts."""

    def make(service: dict[str, Any]) -> Any:
        host, _, port = ear.url.removeprefix("http://").partition(":")
        if service["schema"] in ("barks", "ntfys"):
            service = {**service, "schema": service["schema"][:-1], "host": host, "port": int(port), "secure": False}
        made = _instantiate(service)
        for name in ("notify_url", "api_url"):
            if hasattr(made, name):
                path = getattr(made, name).partition("://")[2].partition("/")[2]
                setattr(made, name, f"{ear.url}/{path}")
        return made

    return make


def text_of(ear: Ear) -> str:
    return str(ear.heard[-1].json["message"])


def code_sent(told: NotifyWorld, ear: Ear) -> str:
    """The code that the notifier sends now."""
    told.send()
    code = re.search(r"\d{6}", text_of(ear))
    assert code
    return code[0]


def join(told: NotifyWorld, ear: Ear, who: LocalAccount, **preferences: Any) -> str:
    """Somebody who has shown that a channel is theirs; its id. What was heard is forgotten."""
    people = told.people()
    channel = people.add(who.address, ChannelKind.Ntfy, {"topic": f"orders_{who.address[2:8]}"})
    people.verify(who.address, channel.id, code_sent(told, ear))
    people.prefer(who.address, Preferences(**preferences))
    ear.heard.clear()
    return channel.id


def heard_by(ear: Ear, who: LocalAccount) -> list[Any]:
    return [one.json for one in ear.heard if one.json["topic"] == f"orders_{who.address[2:8]}"]
