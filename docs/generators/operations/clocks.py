"""What anyone may do: settle, deliver in batches, relay."""

from ..guards import COMMITMENT, PAY, guard, operator
from ..text import Text
from .base import ANYONE, PUSHED, Operation

CLOCKS = (
    Operation(
        name="settle",
        group="clock",
        sdk="settle",
        purpose=Text(
            "时限一到，任何人都可以结算订单；结果由状态决定，谁来触发都一样。",
            "Ends an order whose deadline has passed. What it does is fixed by the state, whoever triggers it.",
        ),
        guards=(
            guard("NotPossible", "订单不存在，或已 Closed", "the order is None or Closed"),
            guard("TooEarly", "t < d", "t < d"),
            *PAY,
        ),
        events=("OrderClosed", "Credited"),
        notes=(PUSHED,),
    ),
    Operation(
        name="settleMany",
        group="clock",
        sdk="settle_many",
        purpose=Text(
            "一次结算列表里所有到期的订单，没到期的跳过；相邻订单的代币和收款人相同时合并成一笔转账。",
            "Ends every order of the list that is due and skips the others; neighbours with the same token and "
            "receiver are paid in one transfer.",
        ),
        who=ANYONE,
        guards=PAY,
        events=("OrderClosed", "Credited"),
        notes=(
            Text(
                "返回结算的数量。把同一收款人的订单排在一起更省 gas。",
                "Returns how many were ended. Sorting orders of one receiver together saves gas.",
            ),
        ),
    ),
    Operation(
        name="deliverMany",
        group="clock",
        sdk="deliver_many",
        purpose=Text(
            "批量发货：处理列表里已接单且未超时的订单，其余跳过。",
            "Delivers every order of the list that is Accepted and in time, and skips the others.",
        ),
        who=Text("卖家，或持 DELIVER 权限的操作员", "the seller, or an operator with DELIVER"),
        guards=(
            guard("LengthMismatch", "两个列表长度不同", "the two lists differ in length"),
            *operator("DELIVER"),
            COMMITMENT,
        ),
        events=("OrderDelivered",),
        notes=(
            Text(
                "权限和承诺只在不跳过的订单上检查；任何一单不合格，整批失败。返回发货的数量。",
                "Rights and commitments are checked on orders that are not skipped; one that fails reverts the whole "
                "batch. Returns how many were delivered.",
            ),
        ),
    ),
    Operation(
        name="act",
        group="relaying",
        sdk="act",
        purpose=Text(
            "把一笔由买家、卖家或操作员签名（EIP-712）的操作送上链，签名人自己不需要 gas。",
            "Performs an action that a party or operator signed (EIP-712): the signer needs no gas.",
        ),
        who=Text("任何人，凭签名", "anyone, with the signature"),
        money=Text("与所签操作相同", "as the action itself"),
        guards=(
            guard("Expired", "t ≥ action.expiry", "t ≥ action.expiry"),
            guard(
                "InvalidSignature",
                "不是 action.signer 对这份操作的签名",
                "not signed by action.signer over this action",
            ),
            guard(
                "WrongValue",
                "带了原生币，而操作不是 Dispute",
                "native coin is sent with another verb than Dispute",
            ),
            guard("WrongState", "订单状态不是 action.state", "the order's state is not action.state"),
            guard("NotPossible", "该状态下没有这个操作", "the verb is not possible in that state"),
            guard("WrongRole", "该身份不能做这个操作", "the verb is not for that role"),
            guard(
                "Unauthorized",
                "签名人不是该身份的那一方",
                "the signer is not the party that the role names",
            ),
            guard(
                "NoRight",
                "以 Operator 身份签名，而没有相应的权限",
                "signed as Operator, who lacks the right for it",
            ),
            *operator("…")[1:],
            guard("TooLate", "时限已过，同所签操作", "the action's time is over"),
        ),
        events=(
            "OrderAccepted",
            "OrderDelivered",
            "OrderDisputed",
            "OrderRecommitted",
            "OrderRevised",
            "MediationFeeCredited",
            "OrderClosed",
            "Credited",
        ),
        notes=(
            Text(
                "此后与直接调用完全相同，参数和付款方面的拒绝见各操作的页面。",
                "From here on it is as the direct call: for refusals about arguments and money see the action's page.",
            ),
            Text(
                "可以这样做的：Accept、Deliver、Confirm、Cancel、Decline、Refund、Dispute、Concede、Revise、Recommit。"
                "裁决、介入和分配方案不在此列。",
                "Accept, Deliver, Confirm, Cancel, Decline, Refund, Dispute, Concede, Revise and Recommit can be "
                "relayed; ruling, intervening and agreeing can't.",
            ),
            Text(
                "送争议上链时，原生币的押金由送的人随交易转入；代币的押金只从买家的授权额度里扣。",
                "Relaying a dispute, the caller brings a native bond as value; a token's comes from the buyer's "
                "allowance only.",
            ),
        ),
    ),
)
