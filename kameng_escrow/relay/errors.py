"""Why something is not relayed. What the contract itself refuses is its `Refusal`, as everywhere.

RelayError
├── NativeBondNotRelayed    a dispute bond in the native coin is the buyer's to bring: dispute from the wallet
├── RelayTooCostly          it takes more gas than a relay may: send it from a wallet
├── RelayLimitReached       the account has had as many relays as one may in a day: wait, or send from a wallet
├── RelayBudgetSpent        the platform's money for relaying is used up: wait, or send from a wallet
├── DepositNotOpenable      a deposit address that nothing would open: bring an offer, or the buyer's signature
├── RefundToDisagrees       money would go back to where it must not: name another address
├── UnknownRelay            there is no relay of that id here
├── UnknownDeposit          no such deposit address is watched here
└── RelayReverted           it was mined and refused: the chain moved on while it was under way
"""

from kameng_escrow.errors import EscrowError
from kameng_escrow.keeper.errors import coins


class RelayError(EscrowError):
    """The root of what keeps something from being relayed."""

    code = "relay_error"

    def __init__(self, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.message_zh = message_zh


class NativeBondNotRelayed(RelayError):
    """The dispute bond of `order_id`, `bond` wei, would come from the relayer's money."""

    code = "native_bond_not_relayed"

    def __init__(self, order_id: str, bond: int) -> None:
        super().__init__(
            f"Disputing order {order_id} takes a bond of {coins(bond)} coins, which the buyer brings and no relayer: "
            "send the dispute from the buyer's wallet.",
            f"对订单 {order_id} 发起争议要交 {coins(bond)} 个原生币的押金，押金由买家自己出，中继不代付："
            "请从买家的钱包发送。",
        )
        self.order_id = order_id
        self.bond = bond


class RelayTooCostly(RelayError):
    """The call takes `gas`, and a relay may take `most`."""

    code = "relay_too_costly"

    def __init__(self, gas: int, most: int) -> None:
        super().__init__(
            f"This takes {gas:,} gas, and a relay may take {most:,}: send it from a wallet.",
            f"这一笔要 {gas:,} gas，而中继最多 {most:,}：请从钱包发送。",
        )
        self.gas = gas
        self.most = most


class RelayLimitReached(RelayError):
    """`account` has had `limit` relays within 24 hours."""

    code = "relay_limit_reached"

    def __init__(self, account: str, limit: int) -> None:
        super().__init__(
            f"{account} has had {limit} relays within 24 hours, which is as many as one may: wait, or send from a "
            "wallet.",
            f"{account} 在 24 小时内已中继 {limit} 次，到上限了：请稍后再试，或从钱包发送。",
        )
        self.account = account
        self.limit = limit


class RelayBudgetSpent(RelayError):
    """Of the `limit` wei that relays of `platform`'s orders may cost in 24 hours, `used` are spent or set aside, and
    `needed` more are needed. `together`: the sum is that of all platforms without a past here, of which it is one.
    """

    code = "relay_budget_spent"

    def __init__(self, platform: str, limit: int, used: int, needed: int, *, together: bool = False) -> None:
        whose = f"all platforms that are new here, such as {platform}," if together else f"the platform {platform}"
        whose_zh = f"所有新平台（如 {platform}）合计" if together else f"平台 {platform} "
        super().__init__(
            f"Relaying for {whose} may cost {coins(limit)} in 24 hours, of which {coins(used)} are "
            f"spent or set aside, and this may cost up to {coins(needed)}: wait, send it from a wallet, or raise the "
            "platform's budget (`kameng relay-budget`).",
            f"{whose_zh}的中继 24 小时预算是 {coins(limit)}，已用或已预留 {coins(used)}，这一笔最多要 "
            f"{coins(needed)}：请稍后再试、从钱包发送，或调高平台预算（kameng relay-budget）。",
        )
        self.platform = platform
        self.limit = limit
        self.used = used
        self.needed = needed
        self.together = together


class DepositNotOpenable(RelayError):
    """Nothing would open `order_id` from its deposit address, whoever pays there."""

    code = "deposit_not_openable"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"Nothing would open order {order_id} once it is paid: bring the seller's offer, or the buyer's signature "
            "of the terms.",
            f"即使付了款，也没有什么能打开订单 {order_id}：请带上卖家的报价，或买家对条款的签名。",
        )
        self.order_id = order_id


class RefundToDisagrees(RelayError):
    """Refunds of `order_id` would go to `refund_to`, where they can't be meant to."""

    code = "refund_to_disagrees"

    def __init__(self, order_id: str, refund_to: str, why: str, why_zh: str) -> None:
        super().__init__(
            f"Refunds of order {order_id} would go to {refund_to}, {why}: name another address in the terms.",
            f"订单 {order_id} 的退款会到 {refund_to}，{why_zh}：请在条款里另写一个地址。",
        )
        self.order_id = order_id
        self.refund_to = refund_to


class UnknownRelay(RelayError):
    """There is no relay `relay_id` here, or it is not the caller's."""

    code = "unknown_relay"

    def __init__(self, relay_id: str) -> None:
        super().__init__(f"There is no relay {relay_id} here: check the id.", f"这里没有中继 {relay_id}：请核对编号。")
        self.relay_id = relay_id


class UnknownDeposit(RelayError):
    """The deposit address of `order_id` is not watched here."""

    code = "unknown_deposit"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"The deposit address of order {order_id} is not watched here: register it first.",
            f"订单 {order_id} 的收款地址没有登记在这里：请先登记。",
        )
        self.order_id = order_id


class RelayReverted(RelayError):
    """The transaction was mined and refused, though it went through when it was tried."""

    code = "relay_reverted"

    def __init__(self, transaction_hash: str) -> None:
        super().__init__(
            f"Transaction {transaction_hash} was mined and refused, though it was tried before: the chain moved on "
            "while it was under way. Look at the order, then ask again.",
            f"交易 {transaction_hash} 事先试过可行，上链却被拒绝：途中链上情况变了。请看看订单，再重新提交。",
        )
        self.transaction_hash = transaction_hash
