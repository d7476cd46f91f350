"""What goes wrong between us and a chain, in branches by what the caller should do.

EscrowError
├── InvalidInput          fix how you call it: the configuration, or values that don't go together
├── NodeError             the node, not the order
│   ├── NodeUnreachable   nothing answers at the URL: start it, or fix the URL
│   ├── NodeTimeout       it did not answer in time: try again
│   ├── NodeRefused       it answered with an error that has no better name here
│   └── WrongChain        it serves another chain than the contract is on
├── DeploymentError       which contract?
│   ├── NoDeployment      no record, or no contract at the address
│   ├── CodeMismatch      the code there is not ours
│   └── DamagedRecord     the record's file can't be read
├── UndecodableLog        a log claims one of our topics but is not one of our events
└── TransactionError          what became of a transaction
    ├── TransactionReverted   mined, and refused: the refusal is the cause
    ├── TransactionTimeout    not mined in time: look it up by its hash before sending again
    ├── ReplacedTransaction   another transaction of the account took its nonce
    ├── NonceConflict         the account's nonce is used by somebody else at the same time
    └── InsufficientFunds     the account can't pay value and gas

What the contract itself refuses is a `Refusal` of `kameng_escrow.domain.refusals`, with the contract's name and fields;
so is what can't even be read as an address, hash or number (`kameng_escrow.domain.inputs`).
"""

from decimal import Decimal

from kameng_escrow.errors import EscrowError


class InvalidInput(EscrowError):
    """What was passed does not make sense, or not together. Nothing was sent."""

    code = "invalid_input"


class NodeError(EscrowError):
    """The node could not be asked, or would not answer."""

    code = "node_error"


class NodeUnreachable(NodeError):
    """Nothing answers at the URL (`url`, shown without credentials)."""

    code = "node_unreachable"

    def __init__(self, url: str) -> None:
        super().__init__(f"No node answers at {url}: start it, or check the URL.")
        self.url = url


class NodeTimeout(NodeError):
    """The node did not answer in time (`url`, shown without credentials)."""

    code = "node_timeout"

    def __init__(self, url: str) -> None:
        super().__init__(f"The node at {url} did not answer in time: try again, or raise the timeout.")
        self.url = url


class NodeRefused(NodeError):
    """The node answered with a JSON-RPC error: `rpc_code`, `rpc_message`, `data` where a call reverted."""

    code = "node_refused"

    def __init__(self, rpc_message: str, rpc_code: int | None = None, data: bytes | None = None) -> None:
        super().__init__(f"The node refused: {rpc_message}")
        self.rpc_message = rpc_message
        self.rpc_code = rpc_code
        self.data = data


class WrongChain(NodeError):
    """The node serves chain `got`, and `expected` was wanted."""

    code = "wrong_chain"

    def __init__(self, expected: int | str, got: int | str) -> None:
        super().__init__(
            f"The node serves chain {got}, but the contract is on chain {expected}: use a node of that chain."
        )
        self.expected = expected
        self.got = got


class DeploymentError(EscrowError):
    """It is not clear, or not right, which contract is meant."""

    code = "deployment_error"


class NoDeployment(DeploymentError):
    """No deployment is recorded for the chain, or no contract is at the address."""

    code = "no_deployment"


class CodeMismatch(DeploymentError):
    """The code at the address is not the packaged contract's."""

    code = "code_mismatch"


class DamagedRecord(DeploymentError):
    """The file of a deployment record is not one."""

    code = "damaged_record"


class UndecodableLog(EscrowError):
    """A log carries the topic of one of our events but does not decode as it."""

    code = "undecodable_log"


class TransactionError(EscrowError):
    """What became of a transaction."""

    code = "transaction_error"


class TransactionReverted(TransactionError):
    """It was mined in `block_number` and refused: the state changed after it was simulated. `__cause__`: why."""

    code = "transaction_reverted"

    def __init__(self, transaction_hash: str, block_number: int) -> None:
        super().__init__(f"The transaction {transaction_hash} was mined in block {block_number} and refused.")
        self.transaction_hash = transaction_hash
        self.block_number = block_number

    def explain(self, cause: EscrowError) -> None:
        """Adds why, as replaying it showed."""
        self.__cause__ = cause
        self.message = f"{self.message[:-1]}: {cause.message}"
        self.args = (self.message,)


class TransactionTimeout(TransactionError):
    """Whether it will be mined is not known. It may still be: look it up before sending anything again."""

    code = "transaction_timeout"

    def __init__(self, transaction_hash: str, reason: str) -> None:
        super().__init__(
            f"What became of the transaction {transaction_hash} is not known, since {reason}. Look its hash up "
            "(eth_getTransactionReceipt, or an explorer) before sending anything again: it may still be mined."
        )
        self.transaction_hash = transaction_hash


class ReplacedTransaction(TransactionError):
    """Another transaction of the account was mined with its nonce."""

    code = "replaced_transaction"

    def __init__(self, transaction_hash: str, nonce: int) -> None:
        super().__init__(
            f"The transaction {transaction_hash} will never be mined: another one of the same account took its "
            f"nonce {nonce}. Check what that one did before sending anything again."
        )
        self.transaction_hash = transaction_hash
        self.nonce = nonce


class NonceConflict(TransactionError):
    """Somebody else sends from the account at the same time. Nothing was sent."""

    code = "nonce_conflict"

    def __init__(self, account: str, attempts: int) -> None:
        super().__init__(
            f"The node refused {attempts} nonces of {account}: somebody else sends from it at the same time. "
            "Nothing was sent; try again, or give each sender an account of its own."
        )
        self.account = account


class InsufficientFunds(TransactionError):
    """The account can't pay value and gas. Nothing was sent. Amounts in wei."""

    code = "insufficient_funds"

    def __init__(self, account: str, available: int, required: int) -> None:
        super().__init__(
            f"{account} has {_coins(available)} of the chain's coin and needs up to {_coins(required)} for value and "
            "gas: nothing was sent."
        )
        self.account = account
        self.available = available
        self.required = required


def _coins(wei: int) -> str:
    return f"{Decimal(wei) / 10**18:f}"
