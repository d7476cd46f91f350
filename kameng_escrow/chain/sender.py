"""Sends calls as transactions: priced, simulated, numbered, signed, awaited.

Nothing is sent that would revert: the estimate simulates the call first, and raises the contract's refusal. Nonces are
explicit. Picking one, signing and sending happen in the connection's turn, so that threads or tasks which share a
connection never pick the same; whoever else sends from the account is noticed and made way for.
"""

import time
from collections.abc import Mapping
from typing import Any

from eth_account.signers.local import LocalAccount

from kameng_escrow.errors import EscrowError

from . import rpc
from .calls import Call
from .errors import (
    InsufficientFunds,
    NodeError,
    NodeRefused,
    NonceConflict,
    ReplacedTransaction,
    TransactionReverted,
    TransactionTimeout,
)
from .steps import Steps

UnsignedTransaction = dict[str, Any]
"""What a wallet signs: to, data, value, chainId, from, nonce, gas and fees, with integers as eth_account takes them.
See `wallet_json` for the form in which a browser's wallet does."""

ATTEMPTS = 4  # at a nonce that nobody else takes
FIRST_POLL, SLOWEST_POLL = 0.05, 2.0  # seconds
PATIENCE = 3  # looks in vain before a transaction counts as replaced: behind one URL there may be several nodes
DEFAULT_TIP = 10**9  # wei a unit of gas, where a node suggests none

# What nodes say; each has its own words, and few have codes.
_FUNDS = (
    "insufficient funds",
    "insufficientfunds",
    "insufficient balance",
    "cost exceeds account balance",
    "outoffund",
)
_KNOWN = ("already known", "already imported", "known transaction", "alreadyknown", "already exists in")
_NONCE = (
    "nonce too low",
    "nonce too high",
    "nonce is too",
    "invalid nonce",
    "oldnonce",
    "replacement transaction underpriced",
    "replacement fee too low",
    "replacementnotallowed",
)


class Sender:
    """Sends from one account over one connection.

    Args:
        account: signs locally; or an address that the node signs for.
        chain_id: of the chain that the transactions are for.
        receipt_timeout_seconds: how long to wait for a transaction to be mined.
        gas_margin_percent: added to the node's estimate, since the block it lands in is another.
    """

    def __init__(
        self,
        account: LocalAccount | str,
        *,
        chain_id: int,
        receipt_timeout_seconds: float = 120,
        gas_margin_percent: int = 20,
    ) -> None:
        self._local = None if isinstance(account, str) else account
        self.address = account if isinstance(account, str) else str(account.address)
        self._chain_id = chain_id
        self._receipt_timeout = receipt_timeout_seconds
        self._gas_margin = gas_margin_percent

    # ------------------------------------------------------------------------------------------------------ preparing

    def prepare(self, call: Call) -> Steps[UnsignedTransaction]:
        """The transaction that `send` would send, unsigned. The nonce is the next that the node knows of.

        Raises:
            Refusal: the contract would refuse; nothing was sent.
            InsufficientFunds: the account can't pay value and gas.
            NodeError: the node can't be asked.
        """
        transaction = yield from self._priced(call)
        return transaction | {"nonce": (yield from self._next_nonce())}

    def gas(self, call: Call) -> Steps[int]:
        """What to allow a call, which is tried for that. Raises as `prepare`, though not where only the gas can't be
        paid.
        """
        try:
            gas = yield from rpc.estimate(call, sender=self.address)
        except NodeRefused as refused:
            if _says(refused, _FUNDS):
                has = yield from rpc.balance(self.address, "pending")
                raise InsufficientFunds(self.address, has, call.value) from None
            raise
        return gas + gas * self._gas_margin // 100

    def unpriced(self, call: Call) -> UnsignedTransaction:
        """The transaction without gas, fees and nonce."""
        fields = {
            "from": self.address,
            "data": "0x" + call.data.hex(),
            "value": call.value,
            "chainId": self._chain_id,
        }
        return fields if call.to is None else {"to": call.to, **fields}

    def _priced(self, call: Call) -> Steps[UnsignedTransaction]:
        gas = yield from self.gas(call)
        fees = yield from suggested_fees()
        cost = call.value + gas * max(fees.values())
        has = yield from rpc.balance(self.address, "pending")
        if has < cost:
            raise InsufficientFunds(self.address, has, cost)
        return self.unpriced(call) | {"gas": gas, **fees}

    def _next_nonce(self) -> Steps[int]:
        """After the node's and after our own: some nodes count late what they have just been sent."""
        waiting = yield from self._waiting()
        pending = yield from rpc.nonce(self.address, "pending")
        return max(pending, 1 + max(tuple(waiting), default=-1))

    def _waiting(self) -> Steps[set[int]]:
        """The account's nonces that this connection has sent and that are not known to be mined."""
        waiting: set[int] = yield lambda connection: connection.waiting[self.address]
        return waiting

    # -------------------------------------------------------------------------------------------------------- sending

    def send(self, call: Call) -> Steps[Mapping[str, Any]]:
        """Sends the call and waits until it is mined; returns the receipt as JSON.

        Raises:
            Refusal: the contract would refuse; nothing was sent.
            InsufficientFunds: the account can't pay value and gas; nothing was sent.
            NonceConflict: somebody else keeps sending from the account; nothing was sent.
            TransactionReverted: it was mined, and refused after all.
            TransactionTimeout: whether it will be mined is not known: look it up by its hash.
            ReplacedTransaction: another transaction of the account was mined with its nonce.
            NodeError: the node can't be asked; nothing was sent.
        """
        transaction = yield from self._priced(call)
        waiting = yield from self._waiting()
        turn = yield lambda connection: connection.turn
        yield lambda _: turn.acquire()
        try:
            number, transaction_hash = yield from self._submit(transaction)
            waiting.add(number)
        finally:
            turn.release()
        try:
            receipt = yield from self._await_receipt(transaction_hash, number)
        finally:
            waiting.discard(number)
        if rpc.to_int(receipt["status"]) == 0:
            raise (yield from self._why_reverted(call, receipt))
        return receipt

    def _submit(self, transaction: UnsignedTransaction) -> Steps[tuple[int, str]]:
        """The nonce and hash under which the node took it."""
        refused: NodeRefused | None = None
        for _ in range(ATTEMPTS):
            number = yield from self._next_nonce()
            try:
                return number, (yield from self._submit_as(transaction | {"nonce": number}))
            except NodeRefused as error:
                if _says(error, _FUNDS):
                    has = yield from rpc.balance(self.address, "pending")
                    raise InsufficientFunds(self.address, has, _cost(transaction)) from None
                if not _says(error, _NONCE):
                    raise
                refused = error
                # Our count may be of transactions that the node has dropped, or undone in a reorganisation.
                (yield from self._waiting()).clear()
        raise NonceConflict(self.address, ATTEMPTS) from refused

    def _submit_as(self, transaction: UnsignedTransaction) -> Steps[str]:
        method, parameter, own_hash = self._signed(transaction)
        try:
            answer = yield from rpc.request(method, parameter)
        except NodeRefused as refused:
            if own_hash is None or not _says(refused, _KNOWN):
                raise
            return own_hash
        except NodeError as lost:
            if not lost.uncertain:
                raise
            # It may have arrived: to send it again, under another nonce, could do it twice.
            raise TransactionTimeout(own_hash, None) from lost
        return rpc.to_hex(answer) if own_hash is None else own_hash

    def _signed(self, transaction: UnsignedTransaction) -> tuple[str, Any, str | None]:
        """What to ask for, of what, and the transaction's hash where it is signed here."""
        if self._local is None:
            return "eth_sendTransaction", wallet_json(transaction), None
        signed = self._local.sign_transaction(transaction)
        return "eth_sendRawTransaction", rpc.to_hex(signed.raw_transaction), rpc.to_hex(signed.hash)

    # -------------------------------------------------------------------------------------------------------- waiting

    def _await_receipt(self, transaction_hash: str, number: int) -> Steps[Mapping[str, Any]]:
        deadline = time.monotonic() + self._receipt_timeout
        pause, missed = FIRST_POLL, 0
        while True:
            try:
                receipt = yield from rpc.raw_receipt(transaction_hash)
                if receipt is not None:
                    return receipt
                missed = missed + 1 if (yield from self._is_gone(transaction_hash, number)) else 0
            except NodeError:
                missed = 0  # the transaction is on its way: a node that does not answer is no reason to give up
            if missed == PATIENCE:
                raise ReplacedTransaction(transaction_hash, number)
            left = deadline - time.monotonic()
            if left <= 0:
                raise TransactionTimeout(transaction_hash, self._receipt_timeout)
            yield from rpc.sleep(min(pause, left))
            pause = min(pause * 1.5, SLOWEST_POLL)

    def _is_gone(self, transaction_hash: str, number: int) -> Steps[bool]:
        """Whether the nonce is used up and the node knows nothing of the transaction."""
        if (yield from rpc.nonce(self.address, "latest")) <= number:
            return False
        return (yield from rpc.request("eth_getTransactionByHash", transaction_hash)) is None

    def _why_reverted(self, call: Call, receipt: Mapping[str, Any]) -> Steps[EscrowError]:
        """Replays the call where it was mined, and in the block before: somewhere there it was refused too."""
        number = rpc.to_int(receipt["blockNumber"])
        transaction_hash = rpc.to_hex(receipt["transactionHash"])
        for tag in (number, max(number - 1, 0)):
            try:
                yield from rpc.eth_call(call, sender=self.address, tag=tag)
            except NodeError:
                continue  # unexplained, but reverted all the same
            except EscrowError as cause:
                return TransactionReverted(transaction_hash, number, cause)
        return TransactionReverted(transaction_hash, number)


def suggested_fees() -> Steps[dict[str, int]]:
    """What to bid, wei a unit of gas: EIP-1559 where the chain has it, with room for the base fee to double."""
    latest = yield from rpc.block("latest")
    if latest.base_fee is None:
        return {"gasPrice": rpc.to_int((yield from rpc.request("eth_gasPrice")))}
    try:
        tip = rpc.to_int((yield from rpc.request("eth_maxPriorityFeePerGas")))
    except NodeRefused:
        tip = DEFAULT_TIP
    return {"maxFeePerGas": 2 * latest.base_fee + tip, "maxPriorityFeePerGas": tip}


def wallet_json(transaction: UnsignedTransaction) -> dict[str, Any]:
    """The transaction as a wallet takes it for ``eth_sendTransaction``: quantities as 0x-hex."""
    return {name: hex(value) if isinstance(value, int) else value for name, value in transaction.items()}


def _cost(transaction: UnsignedTransaction) -> int:
    price = transaction.get("maxFeePerGas", transaction.get("gasPrice", 0))
    return int(transaction["value"] + transaction["gas"] * price)


def _says(refused: NodeRefused, phrases: tuple[str, ...]) -> bool:
    said = refused.rpc_message.lower()
    return any(phrase in said for phrase in phrases)
