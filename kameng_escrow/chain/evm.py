"""A development chain in this process, on py-evm: one block a transaction, and a clock that we hold.

Only what an EVM does; `evm_rpc.py` says it in JSON-RPC.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from eth.abc import AtomicDatabaseAPI, BlockHeaderAPI, ComputationAPI, LogAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import MiningChain
from eth.consensus.applier import ConsensusApplier
from eth.consensus.noproof import NoProofConsensus
from eth.constants import POST_MERGE_DIFFICULTY, POST_MERGE_NONCE
from eth.db import get_db_backend
from eth.exceptions import Revert
from eth.vm.forks.cancun import CancunVM
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address, BlockNumber
from eth_utils.exceptions import ValidationError

GAS_LIMIT = 30_000_000  # of a block, and of a call that names none
BALANCE = 10_000 * 10**18  # wei, of each account at the start
CREATE = Address(b"")  # the receiver of a transaction that creates a contract


class Clock(Enum):
    """What time the next block gets."""

    Manual = "manual"  # one second after the latest; time moves by blocks and `warp` only: repeatable
    Real = "real"  # the machine's time, plus whatever was warped ahead


class EvmReverted(Exception):
    """A call was refused; `data` is what it returned."""

    def __init__(self, data: bytes) -> None:
        super().__init__("execution reverted")
        self.data = data


class EvmRejected(Exception):
    """A transaction or call that can't even begin, in the words that nodes use; nothing happened."""


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction in its block."""

    transaction: SignedTransactionAPI
    sender: Address
    succeeded: bool
    gas_used: int
    gas_price: int  # wei a unit of gas, as paid
    contract: Address | None  # that it created
    logs: tuple[LogAPI, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A mined block."""

    header: Any  # py-evm's type for headers lacks the fields of the later forks
    included: Included | None = None

    @property
    def number(self) -> int:
        """Zero for the genesis."""
        return int(self.header.block_number)

    @property
    def timestamp(self) -> int:
        """Unix seconds."""
        return int(self.header.timestamp)


class Evm:
    """A chain of mined blocks, `blocks`, the first of which is the genesis. Not thread-safe."""

    def __init__(self, *, chain_id: int, funded: Sequence[bytes], clock: Clock, genesis_timestamp: int | None) -> None:
        self.chain_id = chain_id
        self._clock = clock
        self._ahead = 0  # seconds that a real clock was warped ahead
        self._next: int | None = None  # the next block's time, where somebody set it
        self._chain = _new_chain(chain_id, funded, genesis_timestamp)
        self.blocks = [Block(self._chain.get_canonical_head())]
        self._numbers = {self.blocks[0].header.hash: 0}  # of blocks by their hash and their transaction's

    # ------------------------------------------------------------------------------------------------------- the clock

    @property
    def latest(self) -> Block:
        return self.blocks[-1]

    def next_timestamp(self) -> int:
        """The time that a block mined now would get, Unix seconds."""
        earliest = self.latest.timestamp + 1
        if self._next is not None:
            return self._next
        if self._clock is Clock.Manual:
            return earliest
        return max(earliest, int(time.time()) + self._ahead)

    def set_next_timestamp(self, timestamp: int) -> None:
        """Gives the next block this time. Raises `EvmRejected` where it is not later than the latest block's."""
        if timestamp <= self.latest.timestamp:
            raise EvmRejected(
                f"time only moves forward: {timestamp} is not later than the latest block's {self.latest.timestamp}"
            )
        self._next = timestamp

    def increase_time(self, seconds: int) -> None:
        """Moves the next block's time on, and with a real clock all later ones."""
        if seconds < 0:
            raise EvmRejected(f"time only moves forward, not by {seconds} seconds")
        self.set_next_timestamp(self.next_timestamp() + seconds)

    # ---------------------------------------------------------------------------------------------------------- mining

    def mine(self) -> Block:
        """Mines an empty block."""
        self._chain.set_header_timestamp(self.next_timestamp())
        return self._seal(None)

    def include(self, raw: bytes) -> Block:
        """Mines a block with a signed transaction, whether or not it reverts.

        Raises:
            EvmRejected: no node would take it; the chain is as before.
        """
        try:
            transaction = self._chain.get_vm().get_transaction_builder().decode(raw)
            transaction.validate()
            sender = transaction.sender  # recovered from the signature
        except Exception as error:  # whatever rlp and py-evm make of bytes that are no transaction
            raise EvmRejected(f"not a signed transaction: {error}") from error
        self._check_sendable(transaction, sender)
        self._chain.set_header_timestamp(self.next_timestamp())
        base_fee = self._pending().base_fee_per_gas
        try:
            _, receipt, computation = self._chain.apply_transaction(transaction)
        except ValidationError as error:
            raise EvmRejected(str(error)) from error
        tip = min(transaction.max_priority_fee_per_gas, transaction.max_fee_per_gas - base_fee)
        return self._seal(
            Included(
                transaction=transaction,
                sender=sender,
                succeeded=computation.is_success,
                gas_used=receipt.gas_used,
                gas_price=base_fee + tip,
                contract=computation.msg.storage_address if transaction.to == CREATE else None,
                logs=tuple(receipt.logs),
            )
        )

    def _seal(self, included: Included | None) -> Block:
        sealed = self._chain.mine_block(mix_hash=os.urandom(32))
        if self._next is not None:
            # Later blocks go on from there. Blocks that only came fast, each a second after the last, don't count.
            self._ahead = max(self._ahead, self._next - int(time.time()))
            self._next = None
        block = Block(sealed.header, included)
        self.blocks.append(block)
        self._numbers[block.header.hash] = block.number
        if included is not None:
            self._numbers[included.transaction.hash] = block.number
        return block

    def _check_sendable(self, transaction: SignedTransactionAPI, sender: Address) -> None:
        """What py-evm would refuse too, in the words that clients know from other nodes."""
        chain_id = getattr(transaction, "chain_id", None)
        if chain_id not in (None, self.chain_id):
            raise EvmRejected(f"invalid chain id for signer: have {chain_id} want {self.chain_id}")
        state = self.state_at(self.latest)
        nonce = state.get_nonce(sender)
        if transaction.nonce < nonce:
            raise EvmRejected(f"nonce too low: next nonce {nonce}, tx nonce {transaction.nonce}")
        if transaction.nonce > nonce:
            raise EvmRejected(
                f"nonce too high: next nonce {nonce}, tx nonce {transaction.nonce}, and nothing queues here"
            )
        base_fee = self._pending().base_fee_per_gas
        if transaction.max_fee_per_gas < base_fee:
            raise EvmRejected(
                f"max fee per gas less than block base fee: maxFeePerGas: {transaction.max_fee_per_gas} "
                f"baseFee: {base_fee}"
            )
        cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
        balance = state.get_balance(sender)
        if balance < cost:
            raise EvmRejected(f"insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")
        if transaction.gas > GAS_LIMIT:
            raise EvmRejected(f"exceeds block gas limit: {transaction.gas} > {GAS_LIMIT}")
        if transaction.gas < transaction.intrinsic_gas:
            raise EvmRejected(f"intrinsic gas too low: {transaction.gas}, minimum needed {transaction.intrinsic_gas}")

    def revert(self, blocks: int) -> None:
        """Goes back to when there were `blocks` blocks."""
        del self.blocks[blocks:]
        self._next = None
        self._chain.header = self._chain.create_header_from_parent(self.latest.header)

    # -------------------------------------------------------------------------------------------------------- asking

    def block_of(self, identity: bytes) -> Block | None:
        """The block with this hash, or with the transaction of this hash."""
        number = self._numbers.get(identity)
        if number is None or number >= len(self.blocks):
            return None
        block = self.blocks[number]
        # After a revert another block may stand there.
        is_it = block.header.hash == identity or (
            block.included is not None and block.included.transaction.hash == identity
        )
        return block if is_it else None

    def _pending(self) -> Any:
        header: Any = self._chain.header
        return header.copy(timestamp=self.next_timestamp())

    def next_base_fee(self) -> int:
        """Wei a unit of gas, that the next block asks for."""
        return int(self._pending().base_fee_per_gas)

    def state_at(self, block: Block | None) -> StateAPI:
        """The state after a block, as a call in it would see it; None: in the block that would be mined now.

        Gas costs nothing there. What is done to the state is not kept.
        """
        header = self._pending() if block is None else block.header
        return self._chain.get_vm(header.copy(base_fee_per_gas=0, gas_used=0)).state

    def call(self, state: StateAPI, *, sender: Address, to: Address, value: int, data: bytes, gas: int) -> bytes:
        """What a call returns. Raises `EvmReverted`, `EvmRejected`."""
        computation = self._execute(state, sender, to, value, data, gas)
        _raise_if_failed(computation)
        return bytes(computation.output)

    def estimate(self, state: StateAPI, *, sender: Address, to: Address, value: int, data: bytes, gas: int) -> int:
        """Gas with which the call succeeds, little more than it needs. Raises `EvmReverted`, `EvmRejected`."""

        def attempt(limit: int) -> ComputationAPI:
            snapshot = state.snapshot()
            try:
                return self._execute(state, sender, to, value, data, limit)
            finally:
                state.revert(snapshot)

        computation = attempt(gas)
        _raise_if_failed(computation)
        # What was used, refunds not counted since they come after, mostly suffices. Where a call inside gets 63/64 of
        # what is left and needs it, a little more does. Only what looks at its gas needs a search.
        used = gas - computation.get_gas_remaining()
        for guess in (used, min(used + used // 63 + 3_000, gas)):
            if attempt(guess).is_success:
                return guess
        low, high = used, gas
        while high - low > high // 100:
            middle = (low + high) // 2
            if attempt(middle).is_success:
                high = middle
            else:
                low = middle
        return high

    def _execute(
        self, state: StateAPI, sender: Address, to: Address, value: int, data: bytes, gas: int
    ) -> ComputationAPI:
        unsigned = self._chain.create_unsigned_transaction(
            nonce=state.get_nonce(sender), gas_price=0, gas=gas, to=to, value=value, data=data
        )
        try:
            if gas < unsigned.intrinsic_gas:
                raise EvmRejected(f"intrinsic gas too low: gas {gas}, minimum needed {unsigned.intrinsic_gas}")
            if state.get_balance(sender) < value:
                raise EvmRejected(
                    f"insufficient funds for gas * price + value: balance {state.get_balance(sender)}, tx cost {value}"
                )
            return state.apply_transaction(SpoofTransaction(unsigned, from_=sender))  # type: ignore[arg-type]
        except ValidationError as error:
            raise EvmRejected(str(error)) from error


def _raise_if_failed(computation: ComputationAPI) -> None:
    if computation.is_success:
        return
    if isinstance(computation.error, Revert):
        raise EvmReverted(bytes(computation.output))
    raise EvmRejected(f"{type(computation.error).__name__}: {computation.error}")


def _new_chain(chain_id: int, funded: Sequence[bytes], timestamp: int | None) -> MiningChain:
    """A chain of the Cancun fork after the merge, with its genesis."""
    name = chain_id

    class DevelopmentChain(MiningChain):
        chain_id = name
        vm_configuration = ConsensusApplier(NoProofConsensus).amend_vm_configuration(((BlockNumber(0), CancunVM),))

        def create_header_from_parent(self, parent_header: BlockHeaderAPI, **fields: Any) -> BlockHeaderAPI:
            return super().create_header_from_parent(parent_header, **fields, gas_limit=parent_header.gas_limit)

    database: AtomicDatabaseAPI = get_db_backend()
    genesis = {
        "difficulty": POST_MERGE_DIFFICULTY,
        "nonce": POST_MERGE_NONCE,
        "mix_hash": os.urandom(32),
        "extra_data": os.urandom(32),  # so that no two chains have the same genesis, even within one second
        "gas_limit": GAS_LIMIT,
        "timestamp": int(time.time()) if timestamp is None else timestamp,
    }
    account: Any = {"balance": BALANCE, "nonce": 0, "code": b"", "storage": {}}
    state = {Address(address): account for address in funded}
    return DevelopmentChain.from_genesis(database, genesis, state)  # type: ignore[arg-type, return-value]
