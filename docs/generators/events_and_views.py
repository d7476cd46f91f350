"""What the contract tells: events, views of the core, views of the lens."""

from .interface import declaration, entries, selector, topic, views
from .text import Lang, Text

EVENTS = {
    "OrderOpened": Text(
        "下单（第 1、2 行）。带着完整条款：镜像不用读存储，谁都能据此重建订单。",
        "An order was opened (rows 1 and 2). Carries the terms: a mirror needs no storage read.",
    ),
    "OrderAccepted": Text("接单（第 3 行）。", "The seller took it on (row 3)."),
    "OrderDelivered": Text("发货（第 6 行），附承诺。", "Delivered (row 6), with the commitment."),
    "OrderDisputed": Text(
        "发起争议（第 13 行），附无争议部分当场付出的钱。",
        "Disputed (row 13), with what the undisputed units paid at once.",
    ),
    "OrderRecommitted": Text(
        "补发卡密（第 20 行）；修订号是新的。", "Codes were replaced (row 20); the revision is the new one."
    ),
    "OrderRevised": Text(
        "作废旧签名（第 19 行）；修订号是新的。", "What was signed is void (row 19); the revision is the new one."
    ),
    "OrderRuled": Text(
        "仲裁裁决，紧接着是 `OrderClosed`。`toBuyer` 是争议金额中判给买家的部分。",
        "A ruling; `OrderClosed` follows. `toBuyer` is the part of the sum in dispute awarded to the buyer.",
    ),
    "MediationFeeCredited": Text(
        "裁决或认输时记给仲裁员的仲裁费，紧接着是 `OrderClosed`。",
        "The mediation fee of a ruling or concession; `OrderClosed` follows.",
    ),
    "OrderClosed": Text(
        "订单结束，附每一份钱：付到 refundTo、付到 payTo、平台手续费、退回保证金余额。",
        "The end, with every share: to refundTo, to payTo, to the platform, back to the seller's bond balance.",
    ),
    "BondFunded": Text("保证金充值。", "A bond balance was funded."),
    "BondWithdrawn": Text("保证金取出。", "A bond balance was drawn on."),
    "PayToRegistered": Text("登记收款地址。", "A seller registered where its money goes."),
    "OperatorSet": Text("操作员权限变更。", "An operator's rights changed."),
    "PolicyRegistered": Text("登记规则，附全部字段。", "A policy was registered, with all its fields."),
    "PolicyReviewed": Text("规则已复审。", "A policy was reviewed."),
    "PolicyRetired": Text("规则已停用。", "A policy was retired."),
    "Credited": Text("付款失败，改记入收款人的记账余额。", "A payment failed and the receiver was credited instead."),
    "CreditPaid": Text("记账余额已付出。", "A credit was paid out."),
    "FeesClaimed": Text("平台手续费已领取。", "A platform's fees were paid."),
}

VIEWS = {
    "bondOf": Text("卖家保证金余额（不含锁在订单里的）。", "A seller's bond balance, less what orders have locked."),
    "creditOf": Text(
        "账户的记账余额：付款失败留下的，或仲裁费。", "What an account is owed: a payment failed, or it mediated."
    ),
    "eip712Domain": Text("签名所用的 EIP-712 域（ERC-5267）。", "The EIP-712 domain that is signed under (ERC-5267)."),
    "feesOf": Text("某条规则累积、尚未领取的平台手续费。", "A policy's accrued fees, not claimed yet."),
    "operatorOf": Text("操作员的授权。", "An operator's grant."),
    "payToOf": Text(
        "卖家登记的收款地址；没登记时是卖家自己。",
        "Where operators may let a seller's money go; the seller itself by default.",
    ),
    "policyRecordOf": Text(
        "规则的原始存储，未登记为零；用 `KamengLens.policyOf` 解码。",
        "A policy as stored, zeros if unknown; `KamengLens.policyOf` decodes it.",
    ),
    "slotOf": Text(
        "订单的那一个存储槽；用 `KamengLens.stateOf` 解码。", "An order's one slot; `KamengLens.stateOf` decodes it."
    ),
    "toId": Text("条款的订单编号；不代表条款有效。", "The order id of terms; does not tell whether they are valid."),
}

LENS = {
    "stateOf": Text(
        "一次查询许多订单：状态、结果、责任、截止时间、争议数量、修订号。",
        "Many orders at once: state, outcome, fault, deadline, disputed units, revision.",
    ),
    "dueAt": Text(
        "从哪一秒起任何人都可以结算；未打开或已结束为零。", "From which second anyone may settle; zero where not open."
    ),
    "nextAction": Text(
        "没人操作时，时限到了会怎样、付给谁多少。", "What the clock will do if nobody acts, when, and what that pays."
    ),
    "policyOf": Text(
        "解码后的规则、复审期限和是否停用。", "A policy decoded, its reviewBy, and whether it is retired."
    ),
    "escrow": Text("它所读取的托管合约。", "The escrow that it reads."),
}


def event_list(lang: Lang) -> str:
    """Every event, with its declaration and topic."""
    parts = []
    for name in entries("event"):
        parts += [f"## {name}", EVENTS[name][lang], _code(declaration("event", name)), f"`topic0 = {topic(name)}`"]
    return "\n\n".join(parts)


def view_list(lang: Lang) -> str:
    """Every view of the core."""
    parts = []
    for name in views():
        parts += [f"### {name}", VIEWS[name][lang], _code(declaration("function", name)), f"`{selector(name)}`"]
    return "\n\n".join(parts)


def lens_list(lang: Lang) -> str:
    """Every view of the lens."""
    parts = []
    for name in views("KamengLens"):
        parts += [f"### {name}", LENS[name][lang]]
        if name != "escrow":  # a public immutable, declared as such
            parts.append(_code(declaration("function", name, lens=True)))
    return "\n\n".join(parts)


def _code(text: str) -> str:
    return f"```solidity\n{text}\n```"
