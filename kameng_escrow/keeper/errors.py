"""What can keep a keeper from settling, and a relayer from bringing. All but `OrderGivenUp` may pass by themselves, or
once somebody helps.

KeeperError
├── GasTooDear          the chain asks more for gas than may be offered: it waits, or raise the highest fee
├── BudgetSpent         the day's money is used up: it waits, or raise the budget
├── AccountDry          the account can't pay for gas: send it coins
├── AccountLow          it soon can't: send it coins
├── NonceTaken          somebody else sends from the account: give the worker one of its own
├── AccountShared       a keeper and a relayer send from one account: give each its own
├── NotTaken            the node does not take a transaction: it asks again
├── BatchReverted       a transaction was mined and refused: its orders are tried again in smaller batches
├── OrderStuck          an order can't be settled now: it is tried again later
├── OrderGivenUp        an order could not be settled again and again: somebody has to look at it
├── MirrorBehind        the store does not know what is due: run the mirror
└── NotLeading          another worker of the same account is at work: this one takes over when that one ends

`worker` is whose settings are meant, "keeper" or "relayer".
"""

from kameng_escrow.errors import EscrowError

KEEPER = "keeper"
_ZH = {KEEPER: "守护程序", "relayer": "中继程序"}


class KeeperError(EscrowError):
    """The root of what keeps a keeper from settling, or a relayer from bringing."""

    code = "keeper_error"

    def __init__(self, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.message_zh = message_zh


class GasTooDear(KeeperError):
    """The chain asks `price` for a unit of gas, and `cap` may be offered at most (wei)."""

    code = "gas_too_dear"

    def __init__(self, price: int, cap: int, worker: str = KEEPER) -> None:
        setting = f"KAMENG_{worker.upper()}_MAX_FEE"
        super().__init__(
            f"Gas costs {gwei(price)} gwei, and no more than {gwei(cap)} may be offered: waiting until it is cheaper. "
            f"Raise {setting} to pay more.",
            f"gas 单价 {gwei(price)} gwei，高于上限 {gwei(cap)}：等它降下来。愿意多付就调高 {setting}。",
        )
        self.price = price
        self.cap = cap


class BudgetSpent(KeeperError):
    """Of `budget` wei for 24 hours, `spent` are spent or set aside, and `needed` more are needed."""

    code = "budget_spent"

    def __init__(self, budget: int, spent: int, needed: int, worker: str = KEEPER) -> None:
        setting = f"KAMENG_{worker.upper()}_BUDGET"
        super().__init__(
            f"The next transaction may cost up to {coins(needed)}, and {coins(spent)} of the {coins(budget)} for 24 "
            f"hours are spent or set aside: waiting. Raise {setting} to pay more.",
            f"下一笔交易最多要 {coins(needed)}，而 24 小时预算 {coins(budget)} 已用或已预留 {coins(spent)}：先等着。"
            f"愿意多付就调高 {setting}。",
        )
        self.budget = budget
        self.spent = spent
        self.needed = needed


class AccountDry(KeeperError):
    """`account` has `balance` wei beside what is set aside, and `needed` are needed."""

    code = "account_dry"

    def __init__(self, account: str, balance: int, needed: int) -> None:
        super().__init__(
            f"{account} has {coins(max(0, balance))} coins to spend, and the next transaction may cost up to "
            f"{coins(needed)}: send it coins. Nothing is sent until then.",
            f"{account} 只有 {coins(max(0, balance))} 个原生币可用，下一笔交易最多要 {coins(needed)}：请充值。"
            "在此之前什么都不会发送。",
        )
        self.account = account
        self.balance = balance
        self.needed = needed


class AccountLow(KeeperError):
    """`account` has `balance` wei, less than the `threshold` to warn at."""

    code = "account_low"

    def __init__(self, account: str, balance: int, threshold: int) -> None:
        super().__init__(
            f"{account} has {coins(balance)} coins left, less than {coins(threshold)}: send it some in time.",
            f"{account} 只剩 {coins(balance)} 个原生币，低于 {coins(threshold)}：请在用完之前充值。",
        )
        self.account = account
        self.balance = balance
        self.threshold = threshold


class NonceTaken(KeeperError):
    """Somebody else's transaction took the `nonce` of `account` that one of ours had."""

    code = "nonce_taken"

    def __init__(self, account: str, nonce: int) -> None:
        super().__init__(
            f"Another transaction of {account} took nonce {nonce}: somebody else sends from it. What ours was for is "
            "planned anew once that is final; use an account that nobody else sends from.",
            f"{account} 的另一笔交易占用了序号 {nonce}：有别人在用这个账户。等它最终确定后会重新安排；请使用专用账户。",
        )
        self.account = account
        self.nonce = nonce


class AccountShared(KeeperError):
    """A keeper and a relayer send from `account`, and neither can look after what the other sent."""

    code = "account_shared"

    def __init__(self, account: str) -> None:
        super().__init__(
            f"A keeper and a relayer both send from {account}, and neither can look after what the other sent: give "
            "each a key of its own (KAMENG_KEY_FILE, KAMENG_RELAYER_KEY_FILE).",
            f"守护程序和中继程序都在用 {account} 发交易，彼此无法照看对方发出的：请各用一把密钥"
            "（KAMENG_KEY_FILE、KAMENG_RELAYER_KEY_FILE）。",
        )
        self.account = account


class NotTaken(KeeperError):
    """A node did not take the transaction. `reason`: its own words."""

    code = "not_taken"

    def __init__(self, transaction_hash: str, reason: str) -> None:
        super().__init__(
            f"The node does not take transaction {transaction_hash} ({reason}): asking again.",
            f"节点不接受交易 {transaction_hash}（{reason}）：稍后再试。",
        )
        self.transaction_hash = transaction_hash
        self.reason = reason


class BatchReverted(KeeperError):
    """A transaction with so many `orders` was mined and refused, though it had gone through when it was simulated."""

    code = "batch_reverted"

    def __init__(self, transaction_hash: str, orders: int) -> None:
        super().__init__(
            f"Transaction {transaction_hash} with {orders} orders was mined and refused, though it was rehearsed: "
            "its orders are tried again in smaller batches, with more gas.",
            f"交易 {transaction_hash}（{orders} 单）事先模拟通过，上链却被拒绝：这些订单会拆成小批、给更多 gas 重试。",
        )
        self.transaction_hash = transaction_hash
        self.orders = orders


class OrderStuck(KeeperError):
    """An order that is due can't be settled now. `reason`: the chain's or the node's words."""

    code = "order_stuck"

    def __init__(self, order_id: str, failures: int, reason: str) -> None:
        super().__init__(
            f"Order {order_id} can't be settled ({reason}), for the {failures}. time: trying again later.",
            f"订单 {order_id} 第 {failures} 次无法结算（{reason}）：稍后再试。",
        )
        self.order_id = order_id
        self.failures = failures
        self.reason = reason


class OrderGivenUp(KeeperError):
    """An order that is due could not be settled in `failures` attempts. `reason`: why the last one failed."""

    code = "order_given_up"

    def __init__(self, order_id: str, failures: int, reason: str) -> None:
        super().__init__(
            f"Order {order_id} could not be settled in {failures} attempts ({reason}): giving up. Look at it with "
            f"`kameng order show`, then run `kameng keeper --again`.",
            f"订单 {order_id} 试了 {failures} 次都无法结算（{reason}）：不再尝试。请用 `kameng order show` 查看，"
            "然后运行 `kameng keeper --again`。",
        )
        self.order_id = order_id
        self.failures = failures
        self.reason = reason


class MirrorBehind(KeeperError):
    """The mirror is at block `seen`, `seconds` before the chain's `head`: what was opened since is not known here."""

    code = "mirror_behind"

    def __init__(self, seen: int, head: int, seconds: int) -> None:
        super().__init__(
            f"The mirror is at block {seen}, {seconds} s behind the chain's {head}: what was opened since is not "
            "known here. Keep `kameng mirror --follow` running beside this.",
            f"镜像停在区块 {seen}，比链上的 {head} 落后 {seconds} 秒：之后的订单这里看不到。"
            "请让 `kameng mirror --follow` 一起运行。",
        )
        self.seen = seen
        self.head = head
        self.seconds = seconds


class NotLeading(KeeperError):
    """Another keeper, or relayer, of the same account is at work: `holder`, as "host:pid"."""

    code = "not_leading"

    def __init__(self, holder: str, worker: str = KEEPER) -> None:
        super().__init__(
            f"Another {worker} of this account is at work ({holder}): this one takes over when that one ends.",
            f"这个账户已有{_ZH[worker]}在运行（{holder}）：它结束后由本程序接手。",
        )
        self.holder = holder


def coins(wei: int) -> str:
    """Wei in whole coins, exactly."""
    whole, rest = divmod(wei, 10**18)
    return f"{whole}.{rest:018}".rstrip("0").rstrip(".")


def gwei(wei: int) -> str:
    """Wei in gwei, exactly."""
    whole, rest = divmod(wei, 10**9)
    return f"{whole}.{rest:09}".rstrip("0").rstrip(".")
