"""What people see of a relayer."""

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table

from ..chinese import chinese
from .forms import short
from .keeper_views import COIN, conditions_of, money_line
from .screen import Screen

if TYPE_CHECKING:
    from ..keeper import News
    from ..relay import RelayOverview, RelayReport
    from ..store.relaying import Relay

_KINDS = {
    "Action": ("动作", "action"),
    "Agreement": ("协商分配", "agreement"),
    "Opening": ("下单", "opening"),
    "DepositOpening": ("收款地址下单", "deposit opening"),
    "DepositRefund": ("收款地址退款", "deposit refund"),
    "DepositSweep": ("收款地址清退", "deposit sweep"),
}
_STAGES = {
    "Accepted": ("等待发送", "accepted"),
    "Sent": ("等待上链", "sent"),
    "Mined": ("已上链", "mined"),
    "Done": ("完成", "done"),
    "Failed": ("上链被拒", "failed"),
    "Refused": ("未发送", "refused"),
}


def overview_panel(screen: Screen, seen: "RelayOverview") -> RenderableType:
    """What a relayer that follows shows on a terminal, drawn anew after each look."""
    parts: list[RenderableType] = [
        "",
        money_line(screen, account=seen.account, balance=seen.balance, spent=seen.spent, budget=seen.budget),
        screen.say(
            f"等待发送 {seen.accepted}，已发送 {seen.sent}，监视 {seen.watched} 个收款地址",
            f"{seen.accepted} to be sent, {seen.sent} sent, {seen.watched} deposit addresses watched",
        ),
    ]
    parts += conditions_of(screen, seen.conditions, indent="")
    if seen.latest:
        parts += ["", _latest(screen, seen)]
    return Group(*parts)


def _latest(screen: Screen, seen: "RelayOverview") -> Table:
    table = screen.table(("中继", "Relay"), ("订单", "Order"), ("内容", "What"), ("状态", "Stage"), ("原因", "Why"))
    for relay in seen.latest:
        what = screen.say(*_KINDS[relay.kind.label]) if relay.verb is None else relay.verb
        why = screen.say(relay.reason_zh or "", relay.reason or "")
        table.add_row(relay.id, short(relay.order_id), what, screen.say(*_STAGES[relay.stage.label]), why)
    return table


def news_text(screen: Screen, news: "News") -> str | None:
    """One line about something that happened; None: not worth one."""
    if news.error is not None:
        return f"! {screen.say(chinese(news.error), news.error.message)}"
    intent = news.intent
    assert intent is not None, "news without an error is about an intent"
    name, nonce = short(intent.last.hash), intent.nonce
    included = intent.inclusion
    match news.kind.label:
        case "Sent":
            return screen.say(f"→ {name} 已发送", f"→ {name} sent")
        case "Filled":
            return screen.say(f"→ {name} 补上空缺的序号 {nonce}", f"→ {name} fills the gap at nonce {nonce}")
        case "Raised":
            return screen.say(f"↑ {name} 加价重发（序号 {nonce}）", f"↑ {name} offers more for nonce {nonce}")
        case "Withdrawn":
            return screen.say(f"↓ 撤回序号 {nonce}：合约已不接受", f"↓ nonce {nonce} withdrawn: the contract moved on")
        case "Mined" if included is not None:
            cost = COIN.show(included.cost)
            return screen.say(f"✓ {short(included.hash)} 已上链，花费 {cost}", f"✓ {short(included.hash)} for {cost}")
        case "Undone":
            return screen.say(f"↺ {name} 所在的区块被撤销", f"↺ the block of {name} is gone")
    return None


def lines_of(screen: Screen, done: "RelayReport") -> list[str]:
    """What a run did, in a few lines."""
    if not done.leading:
        return [screen.say("这个账户已有中继程序在运行。", "Another relayer of this account is at work.")]
    cost = COIN.show(done.cost)
    lines = [
        screen.say(
            f"发送 {done.transactions} 笔交易，花费 {cost}",
            f"{done.transactions} transactions, which cost {cost}",
        )
    ]
    if done.left or done.waiting:
        lines.append(
            screen.say(
                f"  还有 {done.left} 件待发送，{done.waiting} 笔未上链",
                f"  {done.left} still to be sent, {done.waiting} not mined yet",
            )
        )
    return lines + conditions_of(screen, done.conditions)


def data_of(done: "RelayReport") -> dict[str, Any]:
    """What a run did, for machines; amounts in wei as strings."""
    return {
        "leading": done.leading,
        "complete": done.complete,
        "transactions": done.transactions,
        "raised": done.raised,
        "reverted": done.reverted,
        "displaced": done.displaced,
        "cost": str(done.cost),
        "waiting": done.waiting,
        "left": done.left,
        "watched": done.watched,
        "conditions": [
            {"code": error.code, "message": error.message, "message_zh": chinese(error)} for error in done.conditions
        ],
    }


def relay_data(relay: "Relay") -> dict[str, Any]:
    """A relay, for machines."""
    return {
        "id": relay.id,
        "kind": relay.kind.label,
        "verb": relay.verb,
        "order_id": relay.order_id,
        "stage": relay.stage.label,
        "code": relay.code,
        "reason": relay.reason,
        "reason_zh": relay.reason_zh,
    }
