"""What there is to say about an operation, and what several say alike."""

from dataclasses import dataclass

from ..guards import Guards
from ..text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One function of the contract, as its page tells it."""

    name: str  # of the function
    group: str  # key of GROUPS
    purpose: Text
    guards: Guards
    events: tuple[str, ...]
    sdk: str  # the method of the clients
    who: Text | None = None  # where the lifecycle's table does not say
    money: Text | None = None  # likewise
    notes: tuple[Text, ...] = ()


GROUPS = {
    "opening": Text("下单", "Opening"),
    "fulfilling": Text("履约", "Fulfilling"),
    "disputing": Text("争议", "Disputing"),
    "clock": Text("时限与批量", "Clocks and batches"),
    "relaying": Text("代为上链", "Relaying"),
    "sellers": Text("卖家", "Sellers"),
    "policies": Text("规则", "Policies"),
    "payouts": Text("记账余额与手续费", "Credits and fees"),
}

ANYONE = Text("任何人", "anyone")
PUSHED = Text(
    "款项直接付给收款地址，gas 有上限；对方拒收时，只把这笔钱记入这一方的记账余额（事件 `Credited`），不影响其他人。",
    "Money is pushed to the receiver under a gas cap; where that fails, this receiver alone is credited (event "
    "`Credited`) and nobody else is held up.",
)
EXPECTS = Text(
    "`expected` 是调用者以为的状态：状态已变时交易整笔失败，不会误伤。",
    "`expected` is the state that the caller believes in: if it has changed, the whole transaction fails instead of "
    "doing something else.",
)
