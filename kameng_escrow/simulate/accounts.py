"""Keys of simulated people, and what they send: signed and numbered here, priced so that a block keeps its order."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from kameng_escrow.chain.calls import Call

GAS = 700_000  # of a transaction, at most: more than any verb takes with the warmest of tokens
_FEE = 10**11  # wei a unit of gas, at most; what a local chain asks is far below


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A call and who makes it."""

    sender: LocalAccount
    call: Call
    gas: int = GAS


class Accounts:
    """Everybody's keys on one chain. They follow from the names: never use them where money is real."""

    def __init__(self, chain_id: int) -> None:
        self._chain_id = chain_id
        self._by_name: dict[str, LocalAccount] = {}
        self._nonces: Counter[str] = Counter()
        self.by_address: dict[str, LocalAccount] = {}

    def named(self, name: str) -> LocalAccount:
        """The account of somebody, by name."""
        if name not in self._by_name:
            self.add(name, Account.from_key(keccak(text=f"kameng simulated {name}")))
        return self._by_name[name]

    def add(self, name: str, account: LocalAccount, nonce: int = 0) -> None:
        """An account that was there before, and has sent so many transactions."""
        self._by_name[name] = account
        self.by_address[account.address] = account
        self._nonces[account.address] = nonce

    def signed(self, outgoing: list[Outgoing]) -> list[str]:
        """Raw transactions, 0x-hex, priced in falling order: nodes put the dearer first."""
        raws = []
        for place, one in enumerate(outgoing):
            tip = len(outgoing) - place
            address = one.sender.address
            fields: dict[str, Any] = {
                "type": 2,
                "chainId": self._chain_id,
                "nonce": self._nonces[address],
                "to": one.call.to,
                "value": one.call.value,
                "data": one.call.data,
                "gas": one.gas,
                "maxFeePerGas": _FEE + tip,
                "maxPriorityFeePerGas": tip,
            }
            self._nonces[address] += 1
            raws.append("0x" + bytes(one.sender.sign_transaction(fields).raw_transaction).hex())
        return raws
