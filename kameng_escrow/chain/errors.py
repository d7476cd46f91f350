"""What goes wrong between us and a chain, in branches by what the caller should do.

EscrowError
└── ChainError
    ├── InvalidInput              fix how you call it: the configuration, or values that don't go together
    ├── NodeError                 the node, not the order
    │   ├── NodeUnreachable       nothing answers at the URL: start it, or fix the URL
    │   ├── NodeTimeout           it did not answer in time: try again
    │   ├── NodeRefused           it answered with an error that has no better name here
    │   └── WrongChain            it serves another chain than the contract is on
    ├── DeploymentError           which contract?
    │   ├── NoDeployment          no record, or no contract at the address
    │   ├── CodeMismatch          the code there is not ours
    │   ├── DamagedRecord         the record's file can't be read
    │   ├── RecordDisagrees       the record says something else than the chain
    │   ├── BlockUnknown          the node can't say since when the contract is there
    │   └── ProxyUnavailable      the chain lacks the deployment proxy, and does not take it
    ├── ExplorerRefused           an explorer did not verify a contract's sources
    ├── UndecodableLog            a log claims one of our topics but is not one of our events
    └── TransactionError          what became of a transaction
        ├── TransactionReverted   mined, and refused: the refusal is the cause
        ├── TransactionTimeout    not known: look it up by its hash before sending again
        ├── ReplacedTransaction   another transaction of the account took its nonce
        ├── NonceConflict         somebody else sends from the account: nothing was sent
        └── InsufficientFunds     the account can't pay value and gas: nothing was sent

What the contract itself refuses is a `Refusal` of `kameng_escrow.domain.refusals`, with the contract's name and fields;
so is what can't even be read as an address, hash or number (`kameng_escrow.domain.inputs`).
"""

from kameng_escrow.errors import EscrowError


class ChainError(EscrowError):
    """What all below have in common: the sentence in Chinese too."""

    def __init__(self, message: str, message_zh: str | None = None) -> None:
        super().__init__(message)
        self.message_zh = message if message_zh is None else message_zh


class InvalidInput(ChainError):
    """What was passed does not make sense, or not together. Nothing was sent."""

    code = "invalid_input"


class NodeError(ChainError):
    """The node could not be asked, or would not answer.

    `uncertain`: whether what was asked may have been done all the same, since only the answer may be missing.
    """

    code = "node_error"
    uncertain = False


class NodeUnreachable(NodeError):
    """Nothing answers at the URL (`url`, shown without credentials)."""

    code = "node_unreachable"
    uncertain = True

    def __init__(self, url: str) -> None:
        super().__init__(
            f"No node answers at {url}: start it, or check the URL.",
            f"{url} 没有节点应答：请启动节点，或核对网址。",
        )
        self.url = url


class NodeTimeout(NodeError):
    """The node did not answer in time (`url`, shown without credentials)."""

    code = "node_timeout"
    uncertain = True

    def __init__(self, url: str) -> None:
        super().__init__(
            f"The node at {url} did not answer in time: try again, or raise the timeout.",
            f"节点 {url} 没有及时应答：请重试，或调大超时时间。",
        )
        self.url = url


class NodeRefused(NodeError):
    """The node answered with a JSON-RPC error: `rpc_code`, `rpc_message`, `data` where a call reverted."""

    code = "node_refused"

    def __init__(self, rpc_message: str, rpc_code: int | None = None, data: bytes | None = None) -> None:
        super().__init__(f"The node refused: {rpc_message}", f"节点拒绝了请求：{rpc_message}")
        self.rpc_message = rpc_message
        self.rpc_code = rpc_code
        self.data = data


class WrongChain(NodeError):
    """The node serves chain `got`, and `expected` was wanted."""

    code = "wrong_chain"

    def __init__(self, expected: int | str, got: int | str) -> None:
        super().__init__(
            f"The node serves chain {got}, and not chain {expected} as it should: use a node of that chain.",
            f"节点连的是链 {got}，而不是应有的链 {expected}：请换一个那条链的节点。",
        )
        self.expected = expected
        self.got = got


class DeploymentError(ChainError):
    """It is not clear, or not right, which contract is meant."""

    code = "deployment_error"


class NoDeployment(DeploymentError):
    """No deployment is recorded for the chain, or no contract is at the address."""

    code = "no_deployment"


class RecordsClosed(NoDeployment):
    """The folder of deployment records can't be looked into, so that nobody knows what is recorded."""

    code = "records_closed"


class CodeMismatch(DeploymentError):
    """The code at the address is not the packaged contract's."""

    code = "code_mismatch"


class DamagedRecord(DeploymentError):
    """The file of a deployment record is not one."""

    code = "damaged_record"


class RecordDisagrees(DeploymentError):
    """A deployment record says something else than the chain. Nothing was sent, and the record is as it was."""

    code = "record_disagrees"


class BlockUnknown(DeploymentError):
    """The node has forgotten the state of old blocks, and so can't say when the contract at `address` was deployed."""

    code = "block_unknown"

    def __init__(self, address: str) -> None:
        super().__init__(
            f"The contract at {address} is ours, but this node does not keep enough history to say in which block "
            f"it was deployed: use an archive node once, a record, or name it (KAMENG_CONTRACT={address}@BLOCK).",
            f"{address} 上是我们的合约，但这个节点保存的历史不够，说不出它是在哪个区块部署的：请用一次归档节点，"
            f"或指定部署记录，或写明区块（KAMENG_CONTRACT={address}@区块号）。",
        )
        self.address = address


class ProxyUnavailable(DeploymentError):
    """The chain lacks the deterministic deployment proxy, and the transaction that puts it there is not taken."""

    code = "proxy_unavailable"

    def __init__(self, why: str, why_zh: str) -> None:
        super().__init__(
            f"This chain lacks the deterministic deployment proxy, and its presigned transaction can't put it there: "
            f"{why}. Ask whoever runs the chain to admit transactions without a chain id (before EIP-155), or to put "
            "the proxy into the genesis block.",
            f"这条链上没有确定性部署代理，而预签名交易也无法把它放上去：{why_zh}。请链的运营方允许不带链号的交易"
            "（EIP-155 之前的格式），或把代理写进创世区块。",
        )


class ExplorerRefused(ChainError):
    """An explorer (`url`, shown without credentials) did not verify a contract's sources."""

    code = "explorer_refused"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"The explorer at {url} did not verify the contract: {why}.",
            f"浏览器 {url} 没有通过合约验证：{why}。",
        )
        self.url = url


class UndecodableLog(ChainError):
    """A log carries the topic of one of our events but does not decode as it."""

    code = "undecodable_log"


class TransactionError(ChainError):
    """What became of a transaction."""

    code = "transaction_error"


class TransactionReverted(TransactionError):
    """It was mined in `block_number` and refused: the state changed after it was simulated. `__cause__`: why."""

    code = "transaction_reverted"

    def __init__(self, transaction_hash: str, block_number: int, cause: EscrowError | None = None) -> None:
        why = "." if cause is None else f": {cause.message}"
        why_zh = "。" if cause is None else f"：{getattr(cause, 'message_zh', cause.message)}"
        super().__init__(
            f"The transaction {transaction_hash} was mined in block {block_number} and refused{why}",
            f"交易 {transaction_hash} 在区块 {block_number} 中被拒绝{why_zh}",
        )
        self.transaction_hash = transaction_hash
        self.block_number = block_number
        self.__cause__ = cause


class TransactionTimeout(TransactionError):
    """Whether it will be mined is not known. It may still be: look it up before sending anything again.

    `transaction_hash` is None only where the node was to sign it, and its answer was lost.
    """

    code = "transaction_timeout"

    def __init__(self, transaction_hash: str | None, seconds: float | None) -> None:
        since = "the node's answer was lost" if seconds is None else f"it was not mined within {seconds:g} s"
        since_zh = "节点的应答丢失了" if seconds is None else f"它在 {seconds:g} 秒内没有上链"
        which = "that the node was to sign" if transaction_hash is None else transaction_hash
        which_zh = "（由节点签名）" if transaction_hash is None else f" {transaction_hash} "
        where = (
            "Look at the account's latest transactions"
            if transaction_hash is None
            else "Look its hash up (eth_getTransactionReceipt, or an explorer)"
        )
        where_zh = (
            "请先查看账户最近的交易"
            if transaction_hash is None
            else "请先用哈希查询它（eth_getTransactionReceipt 或区块浏览器）"
        )
        super().__init__(
            f"What became of the transaction {which} is not known, since {since}. {where} before sending anything "
            "again: it may still be mined.",
            f"交易{which_zh}的结果未知，因为{since_zh}。它仍可能上链：再次发送之前，{where_zh}。",
        )
        self.transaction_hash = transaction_hash


class ReplacedTransaction(TransactionError):
    """Another transaction of the account was mined with its nonce."""

    code = "replaced_transaction"

    def __init__(self, transaction_hash: str, nonce: int) -> None:
        super().__init__(
            f"The transaction {transaction_hash} will never be mined: another one of the same account took its "
            f"nonce {nonce}. Check what that one did before sending anything again.",
            f"交易 {transaction_hash} 不会再上链：同一账户的另一笔交易占用了它的序号 {nonce}。"
            "再次发送之前，请先查看那笔交易做了什么。",
        )
        self.transaction_hash = transaction_hash
        self.nonce = nonce


class NonceConflict(TransactionError):
    """Somebody else sends from the account at the same time. Nothing was sent."""

    code = "nonce_conflict"

    def __init__(self, account: str, attempts: int) -> None:
        super().__init__(
            f"The node refused {attempts} nonces of {account}: somebody else sends from it at the same time. "
            "Nothing was sent; try again, or give each sender an account of its own.",
            f"节点拒绝了 {account} 的 {attempts} 个序号：同时有别人在用这个账户发送。"
            "什么也没有发出；请重试，或让每个发送者用自己的账户。",
        )
        self.account = account


class InsufficientFunds(TransactionError):
    """The account can't pay value and gas. Nothing was sent. Amounts in wei."""

    code = "insufficient_funds"

    def __init__(self, account: str, available: int, required: int) -> None:
        has, needs = _coins(available), _coins(required)
        super().__init__(
            f"{account} has {has} of the chain's coin and needs up to {needs} for value and gas: nothing was sent.",
            f"{account} 有 {has} 个链上原生币，而金额加手续费最多需要 {needs} 个：什么也没有发出。",
        )
        self.account = account
        self.available = available
        self.required = required


def _coins(wei: int) -> str:
    """In whole coins, exactly: 1500000000000000000 → "1.5"."""
    whole, rest = divmod(wei, 10**18)
    return f"{whole}.{rest:018}".rstrip("0").rstrip(".")
