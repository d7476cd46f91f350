"""What people see of a keeper."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table

from ..chinese import chinese
from ..domain.labels import label_of
from ..errors import EscrowError
from .forms import Currency, clock, short, span
from .screen import Screen

if TYPE_CHECKING:
    from ..keeper import KeeperReport, News, Overview
    from ..store.keeping import Intent

COIN = Currency("0x" + "00" * 20, "ETH", 18)

_STAGES = {
    "Live": ("等待上链", "waiting"),
    "Mined": ("已上链", "mined"),
    "Settled": ("已最终确定", "final"),
    "Reverted": ("被拒绝", "refused"),
    "Withdrawn": ("已撤回", "withdrawn"),
    "Displaced": ("序号被占用", "displaced"),
}


def overview_panel(screen: Screen, seen: "Overview") -> RenderableType:
    """What a keeper that follows shows on a terminal, drawn anew after each look."""
    money = money_line(screen, account=seen.account, balance=seen.balance, spent=seen.spent, budget=seen.budget)
    parts: list[RenderableType] = ["", money, _due_line(screen, seen)]
    parts += conditions_of(screen, seen.conditions, indent="")
    if seen.coming:
        parts += ["", _coming(screen, seen)]
    if seen.latest:
        parts += ["", _latest(screen, seen)]
    return Group(*parts)


def money_line(screen: Screen, *, account: str, balance: int | None, spent: int, budget: int | None) -> str:
    """What an account has, and has spent. Wei."""
    has, used = "–" if balance is None else COIN.show(balance), COIN.show(spent)
    if budget is None:
        return screen.say(
            f"{short(account)} 余额 {has}，24 小时内花费 {used}（不限）",
            f"{short(account)} has {has}; {used} in 24 hours, without limit",
        )
    most = COIN.show(budget)
    return screen.say(
        f"{short(account)} 余额 {has}，24 小时预算 {most} 已用 {used}",
        f"{short(account)} has {has}; {used} of {most} in 24 hours",
    )


def _due_line(screen: Screen, seen: "Overview") -> str:
    oldest = 0 if seen.due.oldest is None else max(0, seen.time - seen.due.oldest)
    text = screen.say(f"到期未结算 {seen.due.orders} 单", f"{seen.due.orders} due")
    if seen.due.orders:
        text += screen.say(f"，最早的已过期 {span(oldest, 'zh')}", f", the oldest for {span(oldest, 'en')}")
    if seen.given_up:
        text += screen.say(f"；{seen.given_up} 单需要人工处理", f"; {seen.given_up} given up, somebody has to look")
    return text


def _coming(screen: Screen, seen: "Overview") -> Table:
    table = screen.table(("即将到期", "Coming due"), ("状态", "State"), ("时间", "At"), ("还有", "In"))
    for due in seen.coming:
        state = getattr(label_of(due.state), screen.lang)
        left = span(max(0, due.due_at - seen.time), screen.lang)
        table.add_row(short(due.order_id), str(state), clock(due.due_at, seen.time), left)
    return table


def _latest(screen: Screen, seen: "Overview") -> Table:
    table = screen.table(
        ("交易", "Transaction"),
        ("序号", "Nonce"),
        ("订单", "Orders"),
        ("状态", "State"),
        ("手续费", "Cost"),
        right=(1, 2, 4),
    )
    for intent in seen.latest:
        included = intent.inclusion
        table.add_row(
            short(included.hash if included else intent.last.hash),
            str(intent.nonce),
            str(len(intent.order_ids)),
            screen.say(*_STAGES[intent.stage.label]),
            COIN.show(included.cost) if included else "–",
        )
    return table


def news_text(screen: Screen, news: "News") -> str | None:
    """One line about something that happened; None: not worth one."""
    if news.error is not None:
        return f"! {screen.say(chinese(news.error), news.error.message)}"
    intent = news.intent
    assert intent is not None, "news without an error is about an intent"
    name, orders, nonce = short(intent.last.hash), len(intent.order_ids), intent.nonce
    included = intent.inclusion
    match news.kind.label:
        case "Sent":
            return screen.say(f"→ {name} 结算 {orders} 单", f"→ {name} settles {orders} orders")
        case "Filled":
            return screen.say(f"→ {name} 补上空缺的序号 {nonce}", f"→ {name} fills the gap at nonce {nonce}")
        case "Raised":
            return screen.say(f"↑ {name} 加价重发（序号 {nonce}）", f"↑ {name} offers more for nonce {nonce}")
        case "Withdrawn":
            return screen.say(f"↑ {name} 空交易顶替（序号 {nonce}）", f"↑ {name}, empty, is to take nonce {nonce}")
        case "Undone":
            return screen.say(f"! {name} 所在的区块被链撤销，重新等待", f"! the block of {name} is gone: waiting again")
        case "Mined" if included is not None:
            closed = len(included.closed)
            cost = COIN.show(included.cost)
            return screen.say(
                f"✓ {short(included.hash)} 已上链：结算 {closed} 单，手续费 {cost}",
                f"✓ {short(included.hash)} is mined: {closed} settled, {cost}",
            )
        case _:
            return None


def lines_of(screen: Screen, done: "KeeperReport") -> list[str]:
    """What a run did, for people."""
    if not done.leading:
        return [
            screen.say(
                "这个账户已有守护程序在运行，这里没有动手",
                "Another keeper of this account is at work: nothing was done here",
            )
        ]
    if not (done.settled or done.transactions or done.left or done.waiting):
        return [screen.say("没有到期的订单", "Nothing is due"), *conditions_of(screen, done.conditions)]
    lines = [
        screen.say(
            f"✓ 结算 {done.settled} 单，{done.transactions} 笔交易，手续费 {COIN.show(done.cost)}",
            f"✓ {done.settled} settled in {done.transactions} transactions, {COIN.show(done.cost)}",
        )
    ]
    if done.left:
        lines.append(screen.say(f"  还有 {done.left} 单到期未结算", f"  {done.left} are due and not settled"))
    if done.given_up:
        lines.append(
            screen.say(
                f"  {done.given_up} 单多次失败已放弃（--again 重试）",
                f"  {done.given_up} were given up (--again tries them)",
            )
        )
    if done.waiting:
        lines.append(screen.say(f"  {done.waiting} 笔交易还没上链", f"  {done.waiting} transactions are not mined yet"))
    return lines + conditions_of(screen, done.conditions)


def conditions_of(screen: Screen, conditions: Iterable[EscrowError], *, indent: str = "  ") -> list[str]:
    """A line for each thing that keeps a worker from its work."""
    return [f"{indent}! {screen.say(chinese(error), error.message)}" for error in conditions]


def data_of(done: "KeeperReport") -> dict[str, Any]:
    """What a run did, for machines; amounts in wei as strings."""
    return {
        "leading": done.leading,
        "complete": done.complete,
        "settled": done.settled,
        "transactions": done.transactions,
        "raised": done.raised,
        "reverted": done.reverted,
        "wasted": done.wasted,
        "displaced": done.displaced,
        "cost": str(done.cost),
        "waiting": done.waiting,
        "left": done.left,
        "given_up": done.given_up,
        "conditions": [
            {"code": error.code, "message": error.message, "message_zh": chinese(error)} for error in done.conditions
        ],
    }


def intent_data(intent: "Intent") -> dict[str, Any]:
    """An intent of the journal, for machines."""
    included = intent.inclusion
    return {
        "nonce": intent.nonce,
        "orders": len(intent.order_ids),
        "stage": intent.stage.label,
        "transaction_hashes": [attempt.hash for attempt in intent.attempts],
        "mined_hash": included.hash if included else None,
        "block_number": included.block_number if included else None,
        "cost": str(included.cost) if included else None,
    }
