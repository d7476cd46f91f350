"""The same chain on revm, a thousand times as fast: for histories by the ten thousand.

revm is the EVM of reth and Foundry. As in `evm`, the clock stands still until it is moved, and gas costs nothing. Two
things differ. What one transaction has touched stays warm for the next, so gas is not to be measured here. And the
chain id is fixed. Accounts with code may send transactions, as there: revm refuses that (EIP-3607), so such a sender is
called by a conductor, and calls on, through code that does for everybody else what its own does.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from eth_utils import keccak, to_checksum_address
from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env, JournalCheckpoint

from tests.contracts.harness.evm import CHAIN_ID, GAS, GENESIS_TIME, Log, Receipt, Reverted

BLOCK_GAS = 30_000_000
CODE_SIZE = 24_576  # bytes; EIP-170
NOBODY = "0x" + "00" * 20
CONDUCTOR = "0x" + "cc" * 20
_REVERT = re.compile(r"Revert \{ gas_used: \d+, output: 0x([0-9a-f]*) \}")


def _baton(stash: str) -> bytes:
    """Code that calls on for the conductor (input: address, value, input), and else does what the code at `stash` does.

    0x00  jump to 0x3c if the caller is the conductor
    0x1a  delegate the call to the stash; jump to 0x53
    0x3c  make the call
    0x53  answer what was answered
    """
    return bytes.fromhex(
        f"3373{CONDUCTOR[2:]}14603c57"
        f"365f5f375f5f365f73{stash[2:]}5af4605356"
        "5b5f5f603436038060345f375f6014355f3560601c5af1"
        "5b3d5f5f3e605e573d5ffd5b3d5ff3"
    )


@dataclass(eq=False)
class Snapshot:
    """What `restore` brings back, as often as wanted, until an earlier one is brought back."""

    checkpoint: JournalCheckpoint
    now: int
    codes: dict[str, bytes] = field(default_factory=dict)  # put somewhere by hand since: what was there before
    gifts: Counter[str] = field(default_factory=Counter)  # base units of the native coin given by hand since
    created: set[str] = field(default_factory=set)  # contracts that were not there


class Revm:
    """One chain's state, and transactions on it: what `Evm` offers, less what tells gas.

    Args:
        code_size: the largest contract that may be deployed, in bytes; where more than usual, gas for that is there.
    """

    @property
    def chain_id(self) -> int:
        return CHAIN_ID

    def __init__(self, *, code_size: int = CODE_SIZE) -> None:
        self._creation_gas = GAS * code_size // CODE_SIZE
        self._evm = EVM(
            env=Env(cfg=CfgEnv(chain_id=CHAIN_ID, limit_contract_code_size=code_size)),
            spec_id="CANCUN",
            gas_limit=max(BLOCK_GAS, self._creation_gas),
        )
        self._codes: dict[str, bytes] = {}  # of accounts with a baton: what is theirs
        self._randao = bytes(32)
        self._set_time(GENESIS_TIME)
        self._snapshots = [Snapshot(self._evm.snapshot(), self.now)]

    def _set_time(self, now: int) -> None:
        self.now = now  # of the next transaction, Unix seconds
        self._evm.set_block_env(BlockEnv(number=1, timestamp=now, prevrandao=self._randao))

    # ------------------------------------------------------------------------------------------------ clock and state

    def warp(self, to: int) -> None:
        """Moves the clock to the Unix second `to`, never back."""
        assert to >= self.now, f"time runs forward: {to} is before {self.now}"
        self._set_time(to)

    def set_randao(self, value: int) -> None:
        """What PREVRANDAO answers from now on; zero at first."""
        self._randao = value.to_bytes(32, "big")
        self._set_time(self.now)

    def snapshot(self) -> Snapshot:
        """What `restore` brings back. Not within a transaction."""
        snapshot = Snapshot(self._evm.snapshot(), self.now)
        self._snapshots.append(snapshot)
        return snapshot

    def restore(self, snapshot: Snapshot) -> None:
        assert snapshot in self._snapshots, "an earlier snapshot has been restored since"
        while self._snapshots[-1] is not snapshot:
            self._undo(self._snapshots.pop())
        self._undo(snapshot)
        snapshot.checkpoint = self._evm.snapshot()
        self._set_time(snapshot.now)

    def _undo(self, snapshot: Snapshot) -> None:
        self._evm.revert(snapshot.checkpoint)
        for address, code in snapshot.codes.items():
            self._put(address, code=b"" if address in snapshot.created else code)
        for address, amount in snapshot.gifts.items():
            self._put(address, balance=self.balance(address) - amount)
        snapshot.codes.clear()
        snapshot.gifts.clear()
        snapshot.created.clear()

    def _put(self, address: str, *, balance: int | None = None, code: bytes | None = None) -> None:
        account = self._evm.basic(address)
        if code is not None:
            self._codes.pop(address, None)
        self._evm.insert_account_info(
            address,
            AccountInfo(
                balance=account.balance if balance is None else balance,
                nonce=account.nonce,
                code=self._evm.get_code(address) if code is None else code,
            ),
        )

    def balance(self, address: str) -> int:
        return self._evm.get_balance(address)

    def set_balance(self, address: str, amount: int) -> None:
        self._snapshots[-1].gifts[address] += amount - self.balance(address)
        self._put(address, balance=amount)

    def code(self, address: str) -> bytes:
        return self._codes[address] if address in self._codes else self._evm.get_code(address) or b""

    def set_code(self, address: str, code: bytes) -> None:
        """Puts code where a test needs it: on an account that has a key, for one."""
        self._snapshots[-1].codes.setdefault(address, self.code(address))
        self._put(address, code=code)

    # --------------------------------------------------------------------------------------------------- transactions

    def transact(
        self, *, sender: str, to: str | None = None, data: bytes = b"", value: int = 0, gas: int = GAS
    ) -> Receipt:
        """Runs a transaction, or creates a contract where `to` is None.

        Raises:
            Reverted: it was undone, whatever the reason.
        """
        try:
            returned, created = self._run(sender, to, data, value, gas)
        except RuntimeError as error:
            revert = _REVERT.fullmatch(str(error))
            raise Reverted(bytes.fromhex(revert[1]) if revert else b"", str(error)) from None
        finally:
            self._evm.reset_transient_storage()
        result = self._evm.result
        assert result is not None
        return Receipt(
            returned=returned,
            logs=tuple(Log(log.address, tuple(log.data[0]), log.data[1]) for log in result.logs),
            gas_used=result.gas_used,
            created=created,
        )

    def call(self, *, sender: str, to: str, data: bytes, value: int = 0, gas: int = GAS) -> Receipt:
        """As `transact`, and leaves no trace."""
        if self.code(sender):
            self._hand_baton(sender)  # now: what is put somewhere by hand is lost with the checkpoint
        checkpoint = self._evm.snapshot()
        try:
            return self.transact(sender=sender, to=to, data=data, value=value, gas=gas)
        finally:
            self._evm.revert(checkpoint)

    def read(self, *, to: str, data: bytes) -> Receipt:
        """What a view answers."""
        try:
            return Receipt(self._evm.message_call(NOBODY, to, data, gas=GAS, is_static=True), (), 0, NOBODY)
        except RuntimeError as error:
            raise Reverted(b"", str(error)) from None

    def _run(self, sender: str, to: str | None, data: bytes, value: int, gas: int) -> tuple[bytes, str]:
        if to is None:
            created = to_checksum_address(self._evm.deploy(sender, data, value, max(gas, self._creation_gas)))
            self._snapshots[-1].created.add(created)
            return b"", created
        if self.code(sender):
            self._hand_baton(sender)
            data = bytes.fromhex(to[2:]) + value.to_bytes(32, "big") + data
            sender, to, value = CONDUCTOR, sender, 0
        return self._evm.message_call(sender, to, data, value, gas), NOBODY

    def _hand_baton(self, address: str) -> None:
        if address not in self._codes:
            code = self.code(address)
            stash = "0x" + keccak(code)[-20:].hex()
            self.set_code(stash, code)
            self.set_code(address, _baton(stash))
            self._codes[address] = code
