"""A real EVM in this process, without the blocks around it.

py-evm is what eth-tester runs on. Sealing a block for every transaction is nine tenths of the time that it takes, so
here transactions run on the state directly: the same opcodes, gas and reverts, some 250 a second. Two things are
arranged for tests. The clock stands still until it is moved, as it does within one block, so that a test names the
exact second of every transaction. And gas costs nothing, so that native balances move by what contracts move.
"""

from dataclasses import dataclass
from typing import Any

from eth.abc import ComputationAPI, StateAPI
from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.exceptions import Revert
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun import CancunVM
from eth.vm.message import Message
from eth.vm.spoof import SpoofTransaction
from eth.vm.transaction_context import BaseTransactionContext
from eth_utils import keccak, to_canonical_address, to_checksum_address

GENESIS_TIME = 1_800_000_000  # Unix seconds
CHAIN_ID = 31_337
GAS = 15_000_000  # what a transaction brings unless told otherwise


class Reverted(Exception):
    """A transaction was undone. `data` is what the contract answered; empty where it gave no reason."""

    def __init__(self, data: bytes, reason: str) -> None:
        super().__init__(reason)
        self.data = data


@dataclass(frozen=True)
class Log:
    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Receipt:
    """A transaction that went through."""

    returned: bytes
    logs: tuple[Log, ...]
    gas_used: int  # less refunds
    created: str  # the new contract's address; of no meaning for a call


@dataclass(frozen=True)
class Snapshot:
    root: bytes
    now: int
    chain_id: int


class Evm:
    """One chain's state, and transactions on it."""

    def __init__(self, vm: Any = CancunVM, *, chain_id: int = CHAIN_ID) -> None:
        self._vm = vm
        self._db = AtomicDB()
        self.now = GENESIS_TIME  # of the next transaction, Unix seconds
        self.chain_id = chain_id  # a test may change it, as a fork of the chain would
        self._state = self._state_at(BLANK_ROOT_HASH)

    def _state_at(self, root: bytes) -> StateAPI:
        context = ExecutionContext(
            coinbase=b"\xc0" * 20,
            timestamp=self.now,
            block_number=1,
            difficulty=0,
            mix_hash=bytes(32),
            gas_limit=30_000_000,
            prev_hashes=(),
            chain_id=self.chain_id,
            base_fee_per_gas=0,
            excess_blob_gas=0,
        )
        state: StateAPI = self._vm.get_state_class()(self._db, context, root)
        return state

    # ------------------------------------------------------------------------------------------------ clock and state

    def warp(self, to: int) -> None:
        """Moves the clock to the Unix second `to`, never back."""
        assert to >= self.now, f"time runs forward: {to} is before {self.now}"
        self.now = to

    def snapshot(self) -> Snapshot:
        """What `restore` brings back. Not within a transaction."""
        self._state.lock_changes()
        root = self._state.make_state_root()
        self._state.persist()
        return Snapshot(root, self.now, self.chain_id)

    def restore(self, snapshot: Snapshot) -> None:
        self.now, self.chain_id = snapshot.now, snapshot.chain_id
        self._state = self._state_at(snapshot.root)

    def balance(self, address: str) -> int:
        return int(self._state.get_balance(to_canonical_address(address)))

    def set_balance(self, address: str, amount: int) -> None:
        self._state.set_balance(to_canonical_address(address), amount)

    def code(self, address: str) -> bytes:
        return bytes(self._state.get_code(to_canonical_address(address)))

    def set_code(self, address: str, code: bytes) -> None:
        """Puts code where a test needs it: on an account that has a key, for one."""
        self._state.set_code(to_canonical_address(address), code)

    def patch_mapping(self, address: str, key: str, old: int, new: int) -> None:
        """Overwrites what a contract's mapping holds under `key`, now `old`: for states that take too long to reach."""
        account = to_canonical_address(address)
        places = [keccak(bytes.fromhex(key[2:]) + bytes(31) + bytes([i])) for i in range(32)]  # of 32 variables
        slots = [int.from_bytes(place, "big") for place in places]
        [slot] = [slot for slot in slots if self._state.get_storage(account, slot) == old]
        self._state.set_storage(account, slot, new)

    # --------------------------------------------------------------------------------------------------- transactions

    def transact(
        self, *, sender: str, to: str | None = None, data: bytes = b"", value: int = 0, gas: int = GAS
    ) -> Receipt:
        """Runs a transaction, or creates a contract where `to` is None.

        Raises:
            Reverted: it was undone, whatever the reason.
        """
        computation = self._run(sender, to, data, value, gas)
        self._state.lock_changes()
        return self._receipt(computation, gas)

    def call(self, *, sender: str, to: str, data: bytes, value: int = 0, gas: int = GAS) -> Receipt:
        """As `transact`, and leaves no trace."""
        snapshot = self._state.snapshot()
        try:
            return self._receipt(self._run(sender, to, data, value, gas), gas)
        finally:
            self._state.revert(snapshot)

    def read(self, *, to: str, data: bytes) -> Receipt:
        """What a view answers: the message alone, without a transaction around it. Thrice as fast as `call`."""
        context: Any = self._state.execution_context
        context._timestamp, context._chain_id = self.now, self.chain_id
        address, nobody = to_canonical_address(to), bytes(20)
        message = Message(gas=GAS, to=address, sender=nobody, value=0, data=data, code=self._state.get_code(address))
        origin = BaseTransactionContext(gas_price=0, origin=nobody)
        snapshot = self._state.snapshot()
        try:
            computation = self._state.computation_class.apply_message(self._state, message, origin)
            return self._receipt(computation, GAS)
        finally:
            self._state.revert(snapshot)

    def _run(self, sender: str, to: str | None, data: bytes, value: int, gas: int) -> ComputationAPI:
        # The context is kept in private fields, and read at every opcode that asks.
        context: Any = self._state.execution_context
        context._timestamp, context._chain_id = self.now, self.chain_id
        origin = to_canonical_address(sender)
        unsigned = self._vm.get_transaction_builder().new_unsigned_dynamic_fee_transaction(
            chain_id=self.chain_id,
            nonce=self._state.get_nonce(origin),
            max_priority_fee_per_gas=0,
            max_fee_per_gas=0,
            gas=gas,
            to=b"" if to is None else to_canonical_address(to),
            value=value,
            data=data,
            access_list=(),
        )
        # Nobody checks a transaction's signature here, so that none need be made.
        return self._state.apply_transaction(SpoofTransaction(unsigned, from_=origin))

    def _receipt(self, computation: ComputationAPI, gas: int) -> Receipt:
        if computation.is_error:
            error = computation.error
            raise Reverted(computation.output if isinstance(error, Revert) else b"", repr(error))
        used = gas - computation.get_gas_remaining()
        refund = min(computation.get_gas_refund(), used // 5)
        return Receipt(
            returned=computation.output,
            logs=tuple(
                Log(to_checksum_address(address), tuple(topic.to_bytes(32, "big") for topic in topics), data)
                for address, topics, data in computation.get_log_entries()
            ),
            gas_used=used - refund,
            created=to_checksum_address(computation.msg.storage_address),
        )
