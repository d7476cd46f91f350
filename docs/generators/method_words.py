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
        ("sign_offer", "split", "sign_split", "action", "sign_action", "act"),
    ),
    (
        Text("读取", "Reading"),
        ("status", "statuses", "order", "events", "next_action", "now", "deployment"),
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
        "付款下单；给了 `offer` 就直接进入已接单", "pays for the order; with an `offer` it starts as Accepted"
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
    "status": Text("订单现在的状态（读一次链）", "where an order stands now, read from the chain"),
    "statuses": Text("许多订单的状态，取自同一个区块", "where orders stand, all at one block"),
    "order": Text("由事件还原的完整订单", "the whole order, as its events tell it"),
    "events": Text(
        "逐个取事件；每一项带着区块、时间和交易哈希", "events one by one, each with its block, time and transaction"
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
