"""What orders cost, from the benchmark's committed figures."""

import json

from bench.others import OTHERS

from .text import ROOT, Lang, Text, table

_JOBS = {
    "erc20_open_confirm": Text("ERC-20：带报价下单 + 确认", "ERC-20: open with offer + confirm"),
    "native_open_confirm": Text("原生币：带报价下单 + 确认", "native coin: open with offer + confirm"),
    "eip3009_open_confirm": Text(
        "EIP-3009：代交的付款授权带报价下单 + 确认", "EIP-3009: relayed open with offer + confirm"
    ),
    "open_timeout_refund": Text("ERC-20：下单 + 超时退款", "ERC-20: open + refund by timeout"),
    "open_deliver_dispute_rule": Text(
        "ERC-20：带报价下单 + 发货 + 全部争议 + 平分裁决",
        "ERC-20: open with offer + deliver + dispute all + ruling 50/50",
    ),
    "settle_many_same_seller_each": Text("50 笔一起到期结算，同一卖家，每笔", "one of 50 settled together, one seller"),
    "settle_many_distinct_sellers_each": Text(
        "50 笔一起到期结算，收款方各不相同，每笔", "one of 50 settled together, each to another receiver"
    ),
    "deliver_many_each": Text("50 笔一起发货，每笔", "one of 50 delivered together"),
}
_MORE = {
    "erc20_open_confirm_cold_receiver": Text(
        "ERC-20，收款方从未持有该代币", "ERC-20, to a receiver that never held the token"
    ),
    "native_open_confirm_cold_receiver": Text(
        "原生币，收款方是从未用过的账户", "native coin, to an account that was never used"
    ),
    "eip3009_open_confirm_cold_receiver": Text(
        "EIP-3009，收款方从未持有该代币", "EIP-3009, to a receiver that never held the token"
    ),
    "erc20_open_confirm_after_10_orders": Text("ERC-20，之前有过 10 笔订单", "ERC-20, after 10 orders"),
    "erc20_open_confirm_after_10000_orders": Text("ERC-20，之前有过 10,000 笔订单", "ERC-20, after 10,000 orders"),
}


def gas_table(lang: Lang) -> str:
    figures = json.loads((ROOT / "bench" / "results" / "gas.json").read_text("utf-8"))
    heads = {"zh": ("事情", "gas", "底价", "别家"), "en": ("Job", "Gas", "Floor", "Others")}[lang]
    rows = []
    for job, words in _JOBS.items():
        floor = figures["floor"].get(job)
        others = "<br>".join(f"{other.gas:,} {getattr(other, lang)}" for other in OTHERS[job])
        rows.append((words[lang], f"{figures[job]:,}", f"{floor:,}" if floor else "–", others or "–"))
    rows += [(words[lang], f"{figures[key]:,}", "–", "–") for key, words in _MORE.items()]
    size = {
        "zh": f"合约代码 {figures['core_bytes']:,} 字节；链上限 24,576 字节。",
        "en": f"The contract's code is {figures['core_bytes']:,} bytes, of the 24,576 that chains take.",
    }[lang]
    return f"{table(heads, rows)}\n\n{size}"
