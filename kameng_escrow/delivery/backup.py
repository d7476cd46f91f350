"""The backup of a buyer who has no wallet: a key that signs for the order, made in a page or program, kept in a file.

The file is an Ethereum keystore, version 3 (Web3 Secret Storage) with scrypt, which wallets import and `kameng` reads
as `--key-file`. It needs no second secret: what opens deliveries is derived from the signing key's own signature
(see `keys`), which is the same each time. So whoever has the file and its passphrase can confirm, dispute, move the
buyer's money where the terms allow, and read; who loses either can do none of it, and nobody can help.
"""

import json
from typing import TYPE_CHECKING, Any

from .errors import DeliveryKeyUnusable
from .keys import DeliverySecret, check_passphrase, secret_of_account

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

LARGEST_FILE = 64 * 1024  # bytes; a keystore has about 500


def new_key() -> "LocalAccount":
    """A fresh signing key from the system's randomness."""
    from eth_account import Account

    account: LocalAccount = Account.create()
    return account


def make_backup(account: "LocalAccount", passphrase: str) -> str:
    """The keystore of a key, as JSON. Takes about a second and 256 MB for it, and an attacker as much for each try.

    Raises:
        DeliveryKeyUnusable: the passphrase has fewer than eight characters.
    """
    from eth_account import Account

    check_passphrase(passphrase)
    return json.dumps(
        {**Account.encrypt(account.key, passphrase, kdf="scrypt"), "address": str(account.address)[2:].lower()}
    )


def open_backup(content: str, passphrase: str) -> tuple["LocalAccount", DeliverySecret]:
    """The signing key in a keystore, and the secret that opens deliveries to it.

    Raises:
        DeliveryKeyUnusable: it is no keystore, or the passphrase is wrong.
    """
    from eth_account import Account

    try:
        keystore: Any = json.loads(content) if len(content) <= LARGEST_FILE else None
        account: LocalAccount = Account.from_key(Account.decrypt(keystore, passphrase))
    except Exception:  # a wrong passphrase is a ValueError, a strange keystore nearly anything
        raise DeliveryKeyUnusable(
            "The backup does not open: the passphrase is wrong, or the file is no keystore.",
            "备份打不开：口令不对，或文件不是 keystore。",
        ) from None
    return account, secret_of_account(account)
