"""What goes wrong between us and a chain, in branches by what the caller should do.

EscrowError
├── InvalidInput          fix what you passed: an address, an amount, a hash, a configuration
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
├── Reverted              the contract, or a token, refused in words that are not the contract's
│   ├── RevertedWithText  a message, as tokens use
│   ├── RevertedWithPanic an arithmetic or array panic of Solidity
│   └── UnknownRevert     an error that no ABI of ours knows
└── TransactionError      what became of a transaction; carries its hash
    ├── TransactionReverted   mined, and refused: the refusal is the cause
    ├── TransactionTimeout    not mined in time: look it up by its hash before sending again
    ├── ReplacedTransaction   another transaction of the account took its nonce
    ├── NonceConflict         the account's nonce is used by somebody else at the same time
    └── InsufficientFunds     the account can't pay value and gas

A refusal of the contract itself is a `Refusal` of `kameng_escrow.domain.refusals`, with the contract's name and fields.
"""

from kameng_escrow.errors import EscrowError


class InvalidInput(EscrowError):
    """What was passed can't be right on any chain; nothing was sent."""

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


class Reverted(EscrowError):
    """A call was refused, but not with one of the escrow's own errors (`data`: what was returned)."""

    code = "reverted"

    def __init__(self, message: str, data: bytes) -> None:
        super().__init__(message)
        self.data = data


class RevertedWithText(Reverted):
    """Refused with a message (`text`), as tokens do."""

    code = "reverted_with_text"

    def __init__(self, text: str, data: bytes = b"") -> None:
        super().__init__(f"The chain refused: {text}", data)
        self.text = text


class RevertedWithPanic(Reverted):
    """A Solidity panic (`number`), such as an arithmetic overflow."""

    code = "reverted_with_panic"

    def __init__(self, number: int, data: bytes = b"") -> None:
        super().__init__(f"The chain refused with Solidity panic 0x{number:02x}.", data)
        self.number = number


class UnknownRevert(Reverted):
    """Refused with an error that is not ours, or with none at all (`selector`: its first four bytes, 0x-hex)."""

    code = "unknown_revert"

    def __init__(self, data: bytes = b"") -> None:
        self.selector = "0x" + data[:4].hex()
        reason = f"with the unknown error {self.selector}" if data else "without a reason"
        super().__init__(f"The chain refused {reason}: is this the escrow's address?", data)


class TransactionError(EscrowError):
    """What became of a transaction (`transaction_hash`; None: it was never sent)."""

    code = "transaction_error"

    def __init__(self, message: str, transaction_hash: str | None = None) -> None:
        super().__init__(message)
        self.transaction_hash = transaction_hash


class TransactionReverted(TransactionError):
    """It was mined in `block_number` and refused; `__cause__` is the refusal, if replaying it shows one."""

    code = "transaction_reverted"

    def __init__(self, message: str, transaction_hash: str, block_number: int) -> None:
        super().__init__(message, transaction_hash)
        self.block_number = block_number


class TransactionTimeout(TransactionError):
    """It was sent and not mined in time. It may still be: look it up before sending anything again."""

    code = "transaction_timeout"


class ReplacedTransaction(TransactionError):
    """Another transaction of the same account and nonce was mined instead."""

    code = "replaced_transaction"


class NonceConflict(TransactionError):
    """Somebody else sends from the account at the same time."""

    code = "nonce_conflict"


class InsufficientFunds(TransactionError):
    """The account can't pay value and gas. Nothing was sent."""

    code = "insufficient_funds"
