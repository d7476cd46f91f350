"""What ``periphery_refusals.py`` says, in English and Chinese."""

from .labels import Label

PERIPHERY_SENTENCES: dict[str, Label] = {
    "DepositShort": Label(
        "{available} base units of {token} lie at the deposit address {vault}, and {required} are needed: send the "
        "rest there first.",
        "收款地址 {vault} 上有 {available} 个最小单位的 {token}，需要 {required}：请先补足差额。",
    ),
    "DisputeBondNotAllowed": Label(
        "Policy {policy_id} asks the buyer for a dispute bond of {dispute_bond_bps}: an order under it can't be paid "
        "at a deposit address, pay it from a wallet.",
        "规则 {policy_id} 要求买家交 {dispute_bond_bps} 的争议押金：这样的订单不能用收款地址付款，请用钱包付款。",
    ),
    "NotForeign": Label(
        "Orders of chain {chain_id} are opened here, so nothing was sent to the wrong chain: sweep the deposit.",
        "链 {chain_id} 的订单就在本链上，没有转错链：请改用普通的退回操作。",
    ),
    "VaultNotCreated": Label(
        "There was too little gas to create the contract at the deposit address {vault}: send the transaction again "
        "with a higher gas limit.",
        "gas 不足，无法在收款地址 {vault} 建立合约：请提高 gas 上限后重发交易。",
    ),
}
