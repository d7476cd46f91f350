"""Chinese for the errors that only speak English: what happened and what to do, by their code.

Refusals, settings and the command line's own errors carry their Chinese with them.
"""

from .errors import EscrowError

# {e} is the error: its attributes may be named. Codes of branches are for members that have no sentence of their own.
SENTENCES: dict[str, str] = {
    "node_error": "节点出错，请检查节点：{e.message}",
    "no_deployment": "找不到托管合约：请先部署（kameng deploy），或检查合约地址、链和部署记录。",
    "code_mismatch": "那个地址上的代码不是本安装包的合约：请勿往那里付款，并核对地址和版本。",
    "damaged_record": "部署记录损坏：请修好或移走它。{e.message}",
    "deployment_error": "说不清用的是哪个合约：{e.message}",
    "undecodable_log": "节点给出的日志无法解读：请换一个节点，并核对合约地址。",
    "invalid_input": "输入有误：{e.message}",
    "transaction_error": "交易没有成功：{e.message}",
    "store_unavailable": "数据库打不开：请检查路径、地址和权限。{e.message}",
    "store_busy": "数据库正被别的程序占用：请稍后再试。",
    "store_full": "磁盘或配额满了：请腾出空间；刚才那一步没有写入任何内容。",
    "store_damaged": "数据库文件损坏，或不是数据库：请移走它，重新运行 kameng mirror。",
    "schema_missing": "数据库里还没有镜像：请先运行 kameng mirror --once。",
    "schema_too_old": "数据库是旧版本建的：请运行 kameng mirror --once，它会升级数据库。",
    "schema_too_new": "数据库是更新的版本建的：请升级 kameng-escrow。",
    "wrong_store": "这个数据库存的是同一链号的另一条链（例如重启过的本地链）：请用 --store 换一个数据库。",
    "deposed": "{e.scope} 的 {e.role} 已由另一个进程接管（第 {e.current} 任，我们是第 {e.number} 任）：什么都没有写入。"
    "本进程改为候补；若它从未停过，请查一查是否多开了一个。",
    "unknown_contract": "数据库里没有这个合约：请先运行 kameng mirror --once。",
    "unknown_order": "没有订单 {e.order_id}，或镜像还没有同步到它：请运行 kameng mirror --once。",
    "unknown_audit_entry": "审计日志里没有这一条：请用 kameng audit list 查看有哪些。",
    "invalid_cursor": "这个 --cursor 不是任何一页给出的：请从头开始列。",
    "blob_missing": "文件夹里没有文件 {e.sha256}：是已被清除，还是备份没有恢复？",
    "blob_damaged": "文件 {e.sha256} 已损坏，不予提供：请从备份恢复，并检查磁盘。",
    "store_error": "数据库出错：{e.message}",
    "reorg_too_deep": "节点的链在我们记得的所有区块上都与镜像不同：请换一个节点；"
    "若节点没错，请换一个新的数据库重新镜像。",
    "node_inconsistent": "节点的回答前后矛盾：请检查节点，或换一个。",
    "node_behind": "节点才到区块 {e.head}，而镜像已到 {e.seen}：请等它同步，或换一个节点。",
    "logs_missing": "节点漏给了区块 {e.number} 里本合约的 {e.count} 条日志（区块收据里有）：这一段没有写入，"
    "镜像会改问别的节点，或再问一次。",
    "logs_foreign": "节点给出的区块 {e.number} 的日志并不在那个区块里（区块头或收据可证）：这一段没有写入，"
    "镜像会改问别的节点，或再问一次。",
    "standing_by": "另一个进程（{e.holder}）正在把这个合约镜像到同一个数据库：本进程候补，它结束后接手。",
    "node_forked": "已同步的区块 {e.seen} 别的节点有，{e.nodes} 却没有：不撤销，改用别的节点。",
    "nodes_disagree": "各节点对区块 {e.fork} 之后的链说法不一：在它们一致、或其中一条链超出之前，什么都不撤销。",
    "broken_events": "区块 {e.block_number} 的事件对不上：缺了日志，或不是这个合约的。"
    "请换一个节点，用新的数据库重新镜像。",
    "mirror_error": "镜像停下了：{e.message}",
    "nothing_final": "还没有任何含本合约的最终区块：请稍候，并运行镜像。",
    "block_not_final": "区块 {e.block} 还不是最终的，目前最终到 {e.final}：请改用它，或稍候。",
    "period_not_final": "到 {e.until} 为止的期间还没有最终确定：已知的最后一个最终区块是 {e.final} 的。请选更早的终点，"
    "或稍后再运行镜像。",
    "not_readable": "文件 {e.path} 读不了（{e.reason}）：请向出具者重新索取。",
    "manifest_missing": "{e.path} 旁边没有列出它的清单：请把 .manifest.json 文件放在一起，或用 --manifest 指定。",
    "manifest_broken": "{e.path} 不是本版本认得的清单（{e.reason}）：请重新索取，或升级 kameng-escrow。",
    "other_chain": "对账单截至区块 {e.number}（{e.said}），节点在那里却是别的区块，或还没有：请换一个同链的节点；"
    "若所有节点都这样说，那条链并不存在。",
    "node_pruned": "节点没有保留区块 {e.block} 中交易 {e.transaction_hash} 的收据：请换一个保留全部历史的节点。",
    "books_error": "账目出错：{e.message}",
    "broken_history": "订单 {e.order_id} 的事件前后接不上：请换一个节点，用新的数据库重新镜像。",
    "wrong_shares": "订单 {e.order_id} 的金额与规则不符：请换一个节点，并核对合约版本。",
    "compiler_unavailable": "没有可用的 Solidity 编译器：{e.message}",
    "compilation_failed": "编译失败：{e.message}",
    "unknown_artifact": "安装包里没有这个合约：{e.message}",
    "tool_unavailable": "缺少工具：{e.message}",
    "platform_error": "调用平台服务出错：{e.message}",
    "risk_error": "风险评分出错：{e.message}",
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
            return sentence.format(e=error)
    return error.message
