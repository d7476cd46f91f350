"""What belongs to accounts rather than orders: sellers, policies, payouts."""

from ..guards import NOTHING, PLATFORM, POLICY_UNKNOWN, PULL, RECEIVER, REENTERED, REFUSED, RETIRED, STARVED, guard
from ..text import Text
from .base import ANYONE, PUSHED, Operation

ACCOUNTS = (
    Operation(
        name="fundBond",
        group="sellers",
        sdk="fund_bond",
        purpose=Text(
            "给某个卖家的保证金余额充值，谁都可以充。",
            "Adds to a seller's bond balance. Anyone may.",
        ),
        who=ANYONE,
        money=Text("+ amount → 卖家的保证金余额", "+ amount → the seller's bond balance"),
        guards=(
            guard("InvalidAddress", "seller 为零地址", "seller is zero"),
            NOTHING,
            *PULL,
        ),
        events=("BondFunded",),
    ),
    Operation(
        name="withdrawBond",
        group="sellers",
        sdk="withdraw_bond",
        purpose=Text(
            "取出自己保证金余额里没有锁在订单中的部分。",
            "Takes from the caller's bond balance what is not locked in orders.",
        ),
        who=Text("余额的主人", "the owner of the balance"),
        money=Text("amount → to", "amount → to"),
        guards=(
            RECEIVER,
            NOTHING,
            guard("BondShort", "余额不足", "the balance is smaller"),
            REENTERED,
            STARVED,
            REFUSED,
        ),
        events=("BondWithdrawn",),
    ),
    Operation(
        name="registerPayTo",
        group="sellers",
        sdk="register_pay_to",
        purpose=Text(
            "登记收款地址：操作员只能处理付到这个地址的订单。没登记时就是卖家自己的地址。",
            "Registers where operators may let the caller's money go. Until then it is the caller itself.",
        ),
        who=Text("任何账户，为自己登记", "any account, for itself"),
        money=Text("不动钱", "none"),
        guards=(guard("InvalidAddress", "payTo 为零地址或托管合约", "payTo is zero or the escrow"),),
        events=("PayToRegistered",),
        notes=(
            Text(
                "已打开的订单不受影响：钱付给条款里的 `payTo`。",
                "Open orders are not touched: they pay the `payTo` of their terms.",
            ),
        ),
    ),
    Operation(
        name="setOperator",
        group="sellers",
        sdk="set_operator",
        purpose=Text(
            "授予、修改或收回（rights 为零）操作员的权限，范围是某个代币和某条规则下的订单。",
            "Grants, changes or (rights zero) takes away an operator's rights on orders of one token under one policy.",
        ),
        who=Text("任何账户，为自己的订单授权", "any account, on its own orders"),
        money=Text("不动钱", "none"),
        guards=(
            guard("InvalidAddress", "operator 为零地址", "operator is zero"),
            guard("UnknownRights", "rights 大于 15", "rights is above 15"),
        ),
        events=("OperatorSet",),
        notes=(
            Text(
                "权限是这几个数之和：ACCEPT 1、DELIVER 2（含补发）、DECLINE 4、REFUND 8（含认输）。"
                "操作员永远不能签分配方案、升修订号或提款。",
                "Rights are the sum of ACCEPT 1, DELIVER 2 (recommit too), DECLINE 4 and REFUND 8 (concede too). An "
                "operator never may agree, revise or withdraw.",
            ),
        ),
    ),
    Operation(
        name="registerPolicy",
        group="policies",
        sdk="register_policy",
        purpose=Text(
            "登记一条规则，此后永不可改；`effectiveFrom` 放在将来就是提前公告。",
            "Registers a policy for ever. A later `effectiveFrom` announces it.",
        ),
        who=Text("平台（policy.platform 必须是调用者）", "the platform: policy.platform must be the caller"),
        money=Text("不动钱", "none"),
        guards=(
            guard("Unauthorized", "policy.platform 不是调用者", "policy.platform is not the caller"),
            guard("PolicyExists", "同样的规则已登记", "the same policy is registered already"),
            guard("PolicyOutOfBounds", "某个时限或比例越界", "a window or share is out of bounds"),
            guard(
                "InvalidAddress",
                "feeReceiver 为零地址或托管合约；仲裁员或候补是托管合约；候补等于仲裁员，或没有仲裁员却有候补",
                "feeReceiver is zero or the escrow; mediator or backup is the escrow; the backup is the mediator, or "
                "stands without one",
            ),
            guard(
                "PolicyOutOfBounds",
                "effectiveFrom 超过 2³²−1；reviewBy 早于现在，或晚于 366 天后",
                "effectiveFrom is above 2³²−1; reviewBy is in the past, or more than 366 days ahead",
            ),
        ),
        events=("PolicyRegistered",),
        notes=(Text("各字段的界限和建议见[规则](../policies.md)。", "Bounds and advice: [policies](../policies.md)."),),
    ),
    Operation(
        name="reviewPolicy",
        group="policies",
        sdk="review_policy",
        purpose=Text(
            "平台复审后把 `reviewBy` 往后推。不复审，规则到期就接不了新单。",
            "The platform has reviewed its policy and moves `reviewBy` forward. Without a review the policy takes no "
            "new orders after it.",
        ),
        who=Text("规则的平台", "the policy's platform"),
        money=Text("不动钱", "none"),
        guards=(
            POLICY_UNKNOWN,
            PLATFORM,
            RETIRED,
            guard(
                "PolicyOutOfBounds",
                "reviewBy 不晚于现有的，或晚于 366 天后",
                "reviewBy is not later than the present one, or more than 366 days ahead",
            ),
        ),
        events=("PolicyReviewed",),
    ),
    Operation(
        name="retirePolicy",
        group="policies",
        sdk="retire_policy",
        purpose=Text(
            "永久停用规则：不再接新单，已有订单照旧。",
            "Takes no new orders under the policy, for ever. Open orders go on as they were.",
        ),
        who=Text("规则的平台", "the policy's platform"),
        money=Text("不动钱", "none"),
        guards=(POLICY_UNKNOWN, PLATFORM, RETIRED),
        events=("PolicyRetired",),
    ),
    Operation(
        name="payCredit",
        group="payouts",
        sdk="pay_credit",
        purpose=Text(
            "把 `account` 的记账余额再付一次，任何人都可以代劳。",
            "Tries again to pay `account` its credit. Anyone may.",
        ),
        who=ANYONE,
        money=Text("记账余额 → account", "the credit → account"),
        guards=(NOTHING, REENTERED, STARVED, REFUSED),
        events=("CreditPaid",),
    ),
    Operation(
        name="withdrawCredit",
        group="payouts",
        sdk="withdraw_credit",
        purpose=Text(
            "领取自己的记账余额，可以付到别的地址（例如原地址被代币拉黑时）。",
            "Pays the caller's credit to `to`: the way out where the token blocks the caller.",
        ),
        who=Text("有记账余额的账户", "the account that is owed"),
        money=Text("记账余额 → to", "the credit → to"),
        guards=(RECEIVER, NOTHING, REENTERED, STARVED, REFUSED),
        events=("CreditPaid",),
    ),
    Operation(
        name="claimFees",
        group="payouts",
        sdk="claim_fees",
        purpose=Text(
            "把某条规则累积的平台手续费付给它的 `feeReceiver`，任何人都可以触发。",
            "Pays a policy's accrued fees to its `feeReceiver`. Anyone may trigger it.",
        ),
        who=ANYONE,
        money=Text("累积的手续费 → feeReceiver", "the accrued fees → feeReceiver"),
        guards=(POLICY_UNKNOWN, NOTHING, REENTERED, STARVED),
        events=("FeesClaimed", "Credited"),
        notes=(PUSHED,),
    ),
)
