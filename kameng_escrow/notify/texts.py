"""What people are told, in Chinese and English: the contract's own words for what happened, what that does to the
money, and until when somebody may do something about it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kameng_escrow.domain.actions import next_action
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.labels import Label, label_of
from kameng_escrow.domain.lifecycle import Who
from kameng_escrow.domain.order import Order, Shares
from kameng_escrow.domain.states import Fault, Outcome, PolicyField, Role, State, Verb
from kameng_escrow.domain.turns import Turn, turn_at
from kameng_escrow.store.service.notifying import DisabledFor
from kameng_escrow.webhooks.events import RETRACTED

from .topics import DISABLED, REMINDED, STOCK_ASKED

Currencies = Callable[[str], Currency]  # by the token's address; answers at once

_RULE = Label("Rule", "裁决")
_WHO = {Who.Buyer: label_of(Role.Buyer), Who.Seller: label_of(Role.Seller), Who.Mediator: Label("Mediator", "仲裁员")}
_SHARES = {  # by the name in `Shares`
    "to_buyer": Label("to the buyer", "买家得"),
    "to_seller": Label("to the seller", "卖家得"),
    "platform_fee": Label("platform fee", "平台手续费"),
    "bond_returned": Label("bond returned to the seller", "退还卖家保证金"),
    "mediation_fee": label_of(PolicyField.MediationFee),
}
_BY_ITSELF = {  # who gets something when the clock runs out: the buyer, the seller
    (True, False): Label("the money goes back to the buyer by itself", "自动退款给买家"),
    (False, True): Label("the money goes to the seller by itself", "自动放款给卖家"),
    (True, True): Label("the money is divided as the policy says, by itself", "自动按约定比例分配"),
    (False, False): Label("the order ends by itself", "自动结束"),
}
_DISABLED = {
    DisabledFor.Owner: Label("it was switched off", "已被关闭"),
    DisabledFor.Gone: Label("it answered 410 Gone", "它回答了 410 Gone"),
    DisabledFor.Failing: Label("nothing got through for over three days", "三天多来没有一次送达"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A message."""

    title: str
    body: str
    link: str | None  # where to look


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom, and how."""

    account: str
    language: str  # "zh" or "en"
    zone: ZoneInfo
    now: int  # the chain's time, Unix seconds


class Texts:
    """Writes messages.

    Args:
        currencies: how amounts are written.
        public_url: the origin that links begin with.
    """

    def __init__(self, currencies: Currencies, public_url: str) -> None:
        self._currencies = currencies
        self._public_url = public_url

    def of(self, topic: str, details: Mapping[str, Any], order: Order | None, reader: Reader) -> Words:
        """The words for a message on `topic`.

        Args:
            details: what `people_fanout` wrote down.
            order: as it stands now; None: it is about none, or a reorganisation took it away.
        """
        say = _Say(reader.language)
        if topic == DISABLED:
            return self._disabled(details, say)
        title, lines = self._happened(topic, details, order, reader, say)
        if order is not None:
            lines += self._stands(order, reader, say)
            title = f"{title} · {_short(order.id)}"
            return Words(title=title, body="\n".join(lines), link=f"{self._public_url}/orders/{order.id}")
        return Words(title=title, body="\n".join(lines), link=None)

    def code(self, code: str, language: str) -> Words:
        """The message that a channel is verified by."""
        say = _Say(language)
        return Words(
            title=say("Your verification code", "你的验证码"),
            body=say(
                f"{code} is the code for your order notifications. It counts for 15 minutes. If you did not ask for "
                "it, do nothing: nothing else will come here.",
                f"{code} 是订单通知的验证码，15 分钟内有效。若不是你本人操作，请忽略：这里不会再收到别的消息。",
            ),
            link=None,
        )

    def _happened(
        self, topic: str, details: Mapping[str, Any], order: Order | None, reader: Reader, say: "_Say"
    ) -> tuple[str, list[str]]:
        if topic == REMINDED:
            turn = None if order is None else turn_at(order, reader.now)
            moves = "" if turn is None else _moves(turn, say)
            title = (
                say("Time is running out", "时间快到了")
                if details["mark"] == "last"
                else say("It is your turn", "轮到你了")
            )
            return (f"{title}{say(': ', '：')}{moves}" if moves else title), []
        if topic == STOCK_ASKED:
            return say("Are the goods there?", "请确认有货"), [
                say(
                    "Orders like this one fail more often than others. If you have the goods, deliver or say so; if "
                    "not, decline now: that costs less than to let the clock run out.",
                    "类似的订单更容易失败。有货请尽快发货或答复有货；没有货请现在拒单：比让时限到期损失小。",
                )
            ]
        event = details["event"]
        if topic == RETRACTED:
            return say("Taken back", "撤回"), [
                say(
                    f"The chain changed: {_title(event, say)}, which you were told of, is not so any more.",
                    f"链上发生了重组：之前通知的“{_title(event, say)}”不再成立。",
                )
            ]
        lines = []
        fields = event["fields"]
        if event["event"] == "MediationFeeCredited":
            lines.append(self._currencies(fields["token"]).show(int(fields["fee"])))
        if event["event"] == "OrderDisputed":
            lines.append(say(f"Units in dispute: {fields['units']}", f"争议件数：{fields['units']}"))
        return _title(event, say), lines

    def _stands(self, order: Order, reader: Reader, say: "_Say") -> list[str]:
        """What was paid, or will be by when."""
        if order.terms is None:
            return []
        currency = self._currencies(order.terms.token)
        lines = [say(f"Price: {currency.show(order.terms.price)}", f"金额：{currency.show(order.terms.price)}")]
        if order.state is State.Closed and order.shares is not None:
            lines.append(_divided(order.shares, currency, say))
            if order.fault is not Fault.Nobody:
                fault = label_of(order.fault)
                lines.append(say(f"Fault: {fault.en}", f"责任：{fault.zh}"))
            return lines
        turn = turn_at(order, reader.now)
        if turn is not None and turn.account == reader.account:
            when, moves = _when(turn.until, reader, say), _moves(turn, say)
            lines.append(say(f"By {when} you may: {moves}.", f"你最迟可在 {when} 前：{moves}。"))
        elif turn is not None:
            who = _WHO[turn.who]
            when = _when(turn.until, reader, say)
            lines.append(say(f"It is the {who.en.lower()}'s turn until {when}.", f"{when} 前轮到{who.zh}。"))
        action = next_action(order, reader.now)
        if action.due_at is not None and action.closing is not None:
            when = _when(action.due_at, reader, say)
            shares = action.closing.shares
            then = _BY_ITSELF[shares.to_buyer > 0, shares.to_seller > 0]
            divided = _divided(shares, currency, say)
            lines.append(
                say(
                    f"If nobody acts, from {when} on {then.en} ({divided}).",
                    f"最迟 {when} {then.zh}（{divided}）。",
                )
            )
        return lines

    def _disabled(self, details: Mapping[str, Any], say: "_Say") -> Words:
        reason = _DISABLED[DisabledFor.from_label(details["reason"])]
        name = details["endpoint_id"]
        return Words(
            title=say("A webhook endpoint was disabled", "webhook 端点已停用"),
            body=say(
                f"Nothing is sent to {name} any more: {reason.en}. Put it right, enable it, and have what was missed "
                "sent by its recover button.",
                f"不再向 {name} 发送：{reason.zh}。请修好后重新启用，并用“补发”找回错过的消息。",
            ),
            link=None,
        )


class _Say:
    """Chooses between English and Chinese."""

    def __init__(self, language: str) -> None:
        self.chinese = language == "zh"

    def __call__(self, en: str, zh: str) -> str:
        return zh if self.chinese else en

    def label(self, label: Label) -> str:
        return label.zh if self.chinese else label.en


def _title(event: Mapping[str, Any], say: _Say) -> str:
    """What an event is called: by where it left the order, or how."""
    name, order = event["event"], event["order"] or {}
    if name == "OrderClosed":
        outcome = label_of(Outcome.from_label(event["fields"]["outcome"]))
        return say(f"Closed: {outcome.en}", outcome.zh)
    if name == "OrderRecommitted":
        return say("Replacement codes", label_of(Verb.Recommit).zh)
    if name == "MediationFeeCredited":
        return say("Mediation fee credited", f"{label_of(PolicyField.MediationFee).zh}已入账")
    state = order.get("state")
    return say.label(label_of(State.from_label(state))) if state else name


def _moves(turn: Turn, say: _Say) -> str:
    labels = [_RULE if move.verb is None else label_of(move.verb) for move in turn.moves]
    return say(", ", "、").join(say.label(label) for label in labels)


def _divided(shares: Shares, currency: Currency, say: _Say) -> str:
    parts = [
        f"{say.label(label)} {currency.show(getattr(shares, name))}"
        for name, label in _SHARES.items()
        if getattr(shares, name)
    ]
    return say(", ", "，").join(parts) or say("nothing is left", "没有余额")


def _when(seconds: int, reader: Reader, say: _Say) -> str:
    """In the reader's time: today's without the date."""
    local, now = (datetime.fromtimestamp(one, UTC).astimezone(reader.zone) for one in (seconds, reader.now))
    clock = f"{local:%H:%M}"
    if local.date() == now.date():
        return clock
    day = f"{local:%Y-%m-%d}" if local.year != now.year else say(f"{local:%d %b}", f"{local.month}月{local.day}日")
    return f"{day} {clock}"


def _short(order_id: str) -> str:
    return f"{order_id[:8]}…{order_id[-4:]}"
