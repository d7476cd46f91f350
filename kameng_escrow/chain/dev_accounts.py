"""The accounts that every development chain comes with. Their keys are public: never use them where money is real."""

from functools import cache

from eth_account import Account
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
from eth_account.signers.local import LocalAccount

MNEMONIC = "test test test test test test test test test test test junk"  # Anvil's and Hardhat's
MAX_ACCOUNTS = 100


@cache
def dev_account(index: int) -> LocalAccount:
    """The development account of that number, the first being 0."""
    account: LocalAccount = Account.from_key(key_from_seed(_seed(), f"m/44'/60'/0'/0/{index}"))
    return account


@cache
def _seed() -> bytes:
    return seed_from_mnemonic(MNEMONIC, "")
