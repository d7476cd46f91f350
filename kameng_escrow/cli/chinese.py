"""Chinese for the errors that only speak English: what happened and what to do, by their code.

Refusals, settings and the command line's own errors carry their Chinese with them.
"""

from decimal import Decimal
from typing import Any

from ..errors import EscrowError

# {e} is the error: its attributes may be named. Codes of branches are for members that have no sentence of their own.
SENTENCES: dict[str, str] = {
    "node_unreachable": "连不上节点 {e.url}：请启动节点，或检查地址。",
    "node_timeout": "节点 {e.url} 没有按时回答：请再试一次，或调大超时（--timeout）。",
    "node_refused": "节点拒绝了请求：{e.rpc_message}",
    "range_too_large": "节点嫌一次要的区块太多：{e.rpc_message}",
    "wrong_chain": "节点在链 {e.got} 上，而需要的是链 {e.expected}：请换一个在那条链上的节点。",
    "node_error": "节点出错，请检查节点：{e.message}",
    "no_deployment": "找不到托管合约：请先部署（kameng deploy），或检查合约地址、链和部署记录。",
    "code_mismatch": "那个地址上的代码不是本安装包的合约：请勿往那里付款，并核对地址和版本。",
    "damaged_record": "部署记录损坏：请修好或移走它。{e.message}",
    "deployment_error": "说不清用的是哪个合约：{e.message}",
    "undecodable_log": "节点给出的日志无法解读：请换一个节点，并核对合约地址。",
    "invalid_input": "输入有误：{e.message}",
    "transaction_reverted": "交易 {e.transaction_hash} 已上链但被拒绝：发出后链上的情况变了。请先看订单的最新状态。",
    "transaction_timeout": "交易 {e.transaction_hash} 去向不明，仍可能上链：再发送之前请先用它的哈希查一查。",
    "replaced_transaction": "交易 {e.transaction_hash} 不会上链了："
    "同一账户的另一笔交易占用了序号 {e.nonce}。请先查清那一笔做了什么。",
    "nonce_conflict": "有别的程序同时在用 {e.account} 发交易：什么也没有发出。请再试一次，或给每个程序单独的账户。",
    "insufficient_funds": "{e.account} 的余额 {available} 不够，本金加 gas 最多需要 {required}："
    "什么也没有发出。请先充值。",
    "transaction_error": "交易没有成功：{e.message}",
    "store_unavailable": "数据库打不开：请检查路径、地址和权限。{e.message}",
    "store_busy": "数据库正被别的程序占用：请稍后再试。",
    "store_full": "磁盘或配额满了：请腾出空间；刚才那一步没有写入任何内容。",
    "store_damaged": "数据库文件损坏，或不是数据库：请移走它，重新运行 kameng mirror。",
    "schema_missing": "数据库里还没有镜像：请先运行 kameng mirror --once。",
    "schema_too_old": "数据库是旧版本建的：请运行 kameng mirror --once，它会升级数据库。",
    "schema_too_new": "数据库是更新的版本建的：请升级 kameng-escrow。",
    "wrong_store": "这个数据库存的是同一链号的另一条链（例如重启过的本地链）：请用 --store 换一个数据库。",
    "unknown_contract": "数据库里没有这个合约：请先运行 kameng mirror --once。",
    "unknown_order": "没有订单 {e.order_id}，或镜像还没有同步到它：请运行 kameng mirror --once。",
    "invalid_cursor": "这个 --cursor 不是任何一页给出的：请从头开始列。",
    "store_error": "数据库出错：{e.message}",
    "reorg_too_deep": "节点的链在我们记得的所有区块上都与镜像不同：请换一个节点；"
    "若节点没错，请换一个新的数据库重新镜像。",
    "node_inconsistent": "节点的回答前后矛盾：请检查节点，或换一个。",
    "node_behind": "节点才到区块 {e.head}，而镜像已到 {e.seen}：请等它同步，或换一个节点。",
    "broken_events": "区块 {e.block_number} 的事件对不上：缺了日志，或不是这个合约的。"
    "请换一个节点，用新的数据库重新镜像。",
    "mirror_error": "镜像停下了：{e.message}",
    "broken_history": "订单 {e.order_id} 的事件前后接不上：请换一个节点，用新的数据库重新镜像。",
    "wrong_shares": "订单 {e.order_id} 的金额与规则不符：请换一个节点，并核对合约版本。",
    "compiler_unavailable": "没有可用的 Solidity 编译器：{e.message}",
    "compilation_failed": "编译失败：{e.message}",
    "unknown_artifact": "安装包里没有这个合约：{e.message}",
    "tool_unavailable": "缺少工具：{e.message}",
    "wrong_ending": "演示中有订单的结局与预期不符：{e.message}",
}


def chinese(error: EscrowError) -> str:
    """One sentence in Chinese: the error's own, or that of its code or of the nearest branch above."""
    own = getattr(error, "message_zh", None)
    if own and own != error.message:
        return str(own)
    for kind in type(error).__mro__:
        sentence = SENTENCES.get(getattr(kind, "code", ""))
        if sentence is not None:
            return sentence.format(e=error, **_amounts(error))
    return error.message


def _amounts(error: Any) -> dict[str, str]:
    """Wei as coins, where the error has them."""
    return {
        name: f"{Decimal(value).scaleb(-18):f}"
        for name in ("available", "required")
        if isinstance(value := getattr(error, name, None), int)
    }
