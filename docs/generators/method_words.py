"""What the clients' methods do, in both languages, by group."""

from .text import Text

GROUPS = (
    (
        Text("订单", "Orders"),
        (
            "terms",
            "order_id",
            "open",
            "accept",
            "deliver",
            "confirm",
            "cancel",
            "decline",
            "refund",
            "intervene",
            "dispute",
            "recommit",
            "rule",
            "concede",
            "agree",
            "revise",
            "settle",
            "settle_many",
            "deliver_many",
        ),
    ),
    (
        Text("签名与代为上链", "Signing and relaying"),
        (
            "sign_offer",
            "split",
            "sign_split",
            "action",
            "sign_action",
            "act",
            "payment",
            "dispute_payment",
            "payment_typed_data",
            "sign_payment",
            "approve_permit2",
            "receipt",
            "verify_receipt",
            "sign_dispute",
        ),
    ),
    (
        Text("收款地址与购物车", "Deposit addresses and the cart"),
        (
            "deposit_address",
            "deposit",
            "sign_terms",
            "open_from_deposit",
            "sign_deposit_refund",
            "refund_deposit",
            "sweep_deposit",
            "rescue_deposit",
            "open_cart",
            "sign_cart_permit",
        ),
    ),
    (
        Text("读取", "Reading"),
        (
            "status",
            "statuses",
            "order",
            "events",
            "next_action",
            "commitments",
            "open_delivery",
            "check_disclosure",
            "now",
            "deployment",
        ),
    ),
    (
        Text("保证金、记账余额、手续费、代币", "Bonds, credits, fees, tokens"),
        (
            "fund_bond",
            "withdraw_bond",
            "bond",
            "credit",
            "pay_credit",
            "withdraw_credit",
            "fees",
            "claim_fees",
            "balance",
            "decimals",
            "symbol",
            "allowance",
            "approve",
        ),
    ),
    (
        Text("卖家与操作员", "Sellers and operators"),
        ("set_operator", "operator", "register_pay_to", "pay_to"),
    ),
    (
        Text("规则", "Policies"),
        ("register_policy", "review_policy", "retire_policy", "policy"),
    ),
)

METHODS = {
    "terms": Text(
        "拼出条款：没填的按默认（本账户是买家，退款回买家，货款给卖家，一天内下单，listing 和 salt 随机）",
        "terms, with what is left out filled in: the account buys, refunds go to the buyer, payments to the seller, "
        "open within a day, random listing and salt",
    ),
    "order_id": Text("条款在这份合约上的订单编号", "the id of the terms on this contract"),
    "open": Text(
        "付款下单；给了 `offer` 就直接进入已接单，给了 `payment` 就用付款人的签名付款",
        "pays for the order; with an `offer` it starts as Accepted, with a `payment` the one who signed it pays",
    ),
    "accept": Text("接单", "takes the order on"),
    "deliver": Text("发货，附承诺", "delivers what the commitment binds"),
    "confirm": Text("确认收货", "pays the seller"),
    "cancel": Text("买家取消", "the buyer withdraws"),
    "decline": Text("卖家拒单", "the seller withdraws"),
    "refund": Text("发货后退款", "the seller gives the money back"),
    "intervene": Text("平台在发货前全额退款", "the platform refunds in full before the delivery"),
    "dispute": Text("对其中几件发起争议", "disputes some of the units"),
    "recommit": Text("补发卡密，换承诺", "replaces the codes"),
    "rule": Text("仲裁裁决", "the mediator's ruling"),
    "concede": Text("一方认输", "gives in"),
    "agree": Text("执行双方签名的分配方案", "pays a split that both signed"),
    "revise": Text("升修订号，作废之前的签名", "raises the revision, voiding what was signed"),
    "settle": Text("结算一个到期的订单", "ends an order that is due"),
    "settle_many": Text("批量结算，没到期的跳过", "ends those that are due, skips the rest"),
    "deliver_many": Text("批量发货：条款和承诺的列表", "delivers many: pairs of terms and commitment"),
    "sign_offer": Text("卖家或操作员签报价", "the account's promise to accept, as seller or operator"),
    "split": Text(
        "按当前状态拟一份分配方案，默认 23 小时后到期", "a split of what is held now; expires in 23 hours unless told"
    ),
    "sign_split": Text("签分配方案", "signs a split"),
    "action": Text(
        "拟一份供别人送上链的操作，默认 1 小时后到期", "an action to be relayed; expires in one hour unless told"
    ),
    "sign_action": Text("签交给别人上链的操作", "signs an action"),
    "act": Text("把别人签好的操作送上链", "relays a signed action"),
    "payment": Text(
        "拟一份货款的付款签名（permit、authorization 或 permit2），默认 1 小时后到期",
        "a payment of the price to be signed, by permit, authorization or permit2; expires in one hour unless told",
    ),
    "dispute_payment": Text("拟一份争议押金的付款签名", "a payment of the dispute bond to be signed"),
    "payment_typed_data": Text("付款签名的 EIP-712 数据，交给钱包签", "a payment as a wallet signs it"),
    "sign_payment": Text("签付款", "signs a payment"),
    "approve_permit2": Text("允许 Permit2 动用一种代币，一次即可", "lets Permit2 take a token, once"),
    "deposit_address": Text(
        "订单的[收款地址](deposits.md)：普通转账即可付款；条款开不了单、或买家要交争议押金的，会被拒绝",
        "the order's [deposit address](deposits.md), paid by a plain transfer; refused where no order could come of "
        "it, or the buyer would owe a dispute bond",
    ),
    "deposit": Text("收款地址上现在有多少、还差多少、有多少可退", "what is there, missing, and free to go back"),
    "sign_terms": Text(
        "买家对条款签名，任何人可凭它从收款地址开单",
        "the buyer's signature of the terms, with which anyone may open from the deposit address",
    ),
    "open_from_deposit": Text(
        "用收款地址上的钱下单：凭卖家的 `offer`，或买家本人，或买家的 `signature`",
        "opens with the money there: with the seller's `offer`, as the buyer, or with the buyer's `signature`",
    ),
    "sign_deposit_refund": Text("买家签名，要求全部退回", "the buyer's signed will to have everything back"),
    "refund_deposit": Text("把订单的币全部退到退款地址", "sends all of the order's coin back to refundTo"),
    "sweep_deposit": Text(
        "把多付的、过期的或别的币退到退款地址", "sends back what is too much, too late, or of another coin"
    ),
    "rescue_deposit": Text(
        "在转错的那条链上运行：把转到别的链的订单收款地址的钱退到退款地址",
        "on the wrong chain: sends back what was sent there to the deposit address of another chain's order",
    ),
    "open_cart": Text("一笔交易付几笔订单，要么全成要么全不成", "opens several orders in one transaction: all or none"),
    "sign_cart_permit": Text("本账户给购物车的 permit", "the account's permit for the cart"),
    "status": Text("订单现在的状态（读一次链）", "where an order stands now, read from the chain"),
    "statuses": Text("许多订单的状态，取自同一个区块", "where orders stand, all at one block"),
    "order": Text("由事件还原的完整订单", "the whole order, as its events tell it"),
    "events": Text(
        "逐个取事件；每一项带着区块、时间和交易哈希", "events one by one, each with its block, time and transaction"
    ),
    "receipt": Text(
        "条款凭据：不靠任何服务就能操作订单所需的一切", "the terms receipt: all that acting without a service needs"
    ),
    "verify_receipt": Text(
        "条款凭据是否处处属实：链、规则、每个签名", "whether a receipt is true: chain, policy, every signature"
    ),
    "sign_dispute": Text(
        "买家预签一份争议，失联时由瞭望塔代为提出", "the buyer signs a dispute beforehand, for a watchtower to post"
    ),
    "commitments": Text(
        "卖家承诺过的哈希：交付，以及之后的补发；最后一个有效",
        "what the seller committed to: the delivery, then its replacements; the last one counts",
    ),
    "open_delivery": Text(
        "用本单的密钥解开卡密，并核对它就是链上承诺的那份",
        "opens the codes with the order's key, and checks them against the chain",
    ),
    "check_disclosure": Text(
        "披露的某一张是否属于最后一次交付；两者皆不属于就报错",
        "whether a disclosed unit is of the last delivery; raises where it is of none",
    ),
    "next_action": Text("没人操作的话，时钟会做什么、何时、付多少", "what the clock will do, when, and what that pays"),
    "now": Text("链上时间：最新区块的 Unix 秒", "the chain's clock: the latest block's time"),
    "deployment": Text("所用合约的部署记录", "the record of the contract in use"),
    "fund_bond": Text("充值保证金（默认给自己）", "adds to a bond balance, the account's own by default"),
    "withdraw_bond": Text("取出保证金余额", "takes from the bond balance"),
    "bond": Text("保证金余额", "a bond balance"),
    "credit": Text("记账余额", "what an account is owed"),
    "pay_credit": Text("重试付给该账户", "tries again to pay an account"),
    "withdraw_credit": Text("领取自己的记账余额，可付到别处", "pays out the account's own credit, elsewhere if told"),
    "fees": Text("规则累积的手续费", "a policy's accrued fees"),
    "claim_fees": Text("领取手续费", "pays them to the fee receiver"),
    "balance": Text("账户余额", "an account's balance"),
    "decimals": Text("代币小数位", "a token's decimals"),
    "symbol": Text("代币符号", "a token's symbol"),
    "allowance": Text("账户给托管合约的授权额度", "what the escrow may take from an account"),
    "approve": Text("设置给托管合约的授权额度", "sets that allowance"),
    "set_operator": Text("授予或收回操作员权限", "grants or takes away an operator's rights"),
    "operator": Text("操作员的授权", "an operator's grant"),
    "register_pay_to": Text("登记收款地址", "registers where operators may let money go"),
    "pay_to": Text("登记的收款地址", "the registered address"),
    "register_policy": Text("登记规则", "registers a policy"),
    "review_policy": Text("复审规则，推后期限", "moves reviewBy forward"),
    "retire_policy": Text("停用规则", "retires a policy"),
    "policy": Text("读取规则", "reads a policy"),
}
