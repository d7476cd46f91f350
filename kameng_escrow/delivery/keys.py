"""The buyer's keys: one secret for all deliveries, and of it a key for each order.

The secret, 32 bytes, is either derived from a wallet's signature of a fixed text, or random and wrapped with a
passphrase. Both ways say something that must be said aloud:

* Whoever gets the signature has the secret, and reads every delivery to the account, past and to come. It can't be
  changed without changing the account. Any page may ask a wallet to sign that text: it says so itself.
* Only a wallet whose signatures are the same each time (RFC 6979, as nearly all with a key of their own) can derive it.
  A contract's wallet (ERC-1271) or one that shares its key among devices can't: they keep a random secret, and who
  loses its file or passphrase reads nothing any more.

An order's key is made of the secret and 32 random bytes that the order's listing names (its nonce). So a buyer who must
show a mediator that a payload holds garbage discloses that order's key, and no other delivery.

    secret   = HKDF-SHA256(ikm = r ‖ s, salt = "kameng_escrow/delivery/v1", info = the account's 20 bytes)
    identity = HKDF-SHA256(ikm = secret, salt = the nonce, info = "kameng_escrow/delivery/order")

both of 32 bytes; s is the smaller of the two that are possible. The identity is an X25519 key, written as age does: in
Bech32 with the prefix AGE-SECRET-KEY-.
"""

import json
import re
import secrets
from typing import TYPE_CHECKING, Any, cast

from kameng_escrow.domain.inputs import check_address, check_hash

from .errors import DeliveryKeyUnusable, SignatureUnsuitable
from .sealing import parse_identity

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

KIND = "kameng.delivery_secret"
VERSION = 1
LARGEST_FILE = 64 * 1024  # bytes; a wrapped secret has about 500
_SALT = b"kameng_escrow/delivery/v1"
_ORDER = b"kameng_escrow/delivery/order"
_ORDER_OF_CURVE = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # secp256k1's


class DeliverySecret:
    """What opens all of a buyer's deliveries. Does not show itself."""

    def __init__(self, secret: bytes) -> None:
        """Raises `ValueError` where it has not 32 bytes."""
        if len(secret) != 32:
            raise ValueError("a delivery secret has 32 bytes")
        self._secret = secret

    @classmethod
    def random(cls) -> "DeliverySecret":
        """A new one, to be wrapped and kept."""
        return cls(secrets.token_bytes(32))

    @classmethod
    def from_signature(cls, account: str, signature: bytes) -> "DeliverySecret":
        """The secret of a wallet that signed `delivery_message` with ``personal_sign`` (EIP-191).

        Ask the wallet twice and compare, as `secret_of_account` does, or a wallet that signs differently each time
        makes a key that nobody ever makes again.

        Args:
            account: checksummed.
            signature: 65 bytes r ‖ s ‖ v.

        Raises:
            SignatureUnsuitable: the signature is not the account's own key's.
            Malformed: the account is no address.
        """
        check_address(account, "account")
        if _signer(account, signature) != account:
            raise SignatureUnsuitable(
                f"The signature is not that of {account}'s own key: a contract's wallet can't derive a delivery key. "
                "Make one of your own instead (`kameng delivery key`).",
                f"这不是 {account} 自己的密钥签的：合约钱包不能派生交付密钥。请另建一把（kameng delivery key）。",
            )
        s = int.from_bytes(signature[32:64], "big")
        low = min(s, _ORDER_OF_CURVE - s)  # both are signatures of the same text; wallets give the smaller
        material = signature[:32] + low.to_bytes(32, "big")
        return cls(_hkdf(material, salt=_SALT, info=bytes.fromhex(account[2:])))

    def identity(self, nonce: str) -> str:
        """The order's key, ``AGE-SECRET-KEY-1…``; `nonce` is the listing's 32 random bytes, 0x-hex. Raises `Malformed`.

        Whoever has it reads this order's delivery, and no other.
        """
        from bech32 import bech32_encode, convertbits

        check_hash(nonce, "nonce")
        key = _hkdf(self._secret, salt=bytes.fromhex(nonce[2:]), info=_ORDER)
        words = convertbits(key, 8, 5)
        assert words is not None, "bytes have eight bits"
        return bech32_encode("age-secret-key-", words).upper()

    def recipient(self, nonce: str) -> str:
        """What sellers encrypt this order's delivery to, ``age1…``. Raises `Malformed`."""
        return recipient_of(self.identity(nonce))

    def wrap(self, passphrase: str) -> str:
        """The secret in an age file (scrypt, armored), for a place that others may see. Takes about a second.

        Raises `DeliveryKeyUnusable` where the passphrase has fewer than eight characters.
        """
        import pyrage

        check_passphrase(passphrase)
        document = {"kind": KIND, "version": VERSION, "secret": "0x" + self._secret.hex()}
        text = json.dumps(document, separators=(",", ":"))
        wrapped: bytes = pyrage.passphrase.encrypt(text.encode(), passphrase, armored=True)
        return wrapped.decode("ascii")

    @classmethod
    def unwrap(cls, wrapped: str, passphrase: str) -> "DeliverySecret":
        """What `wrap` made. Raises `DeliveryKeyUnusable`: the passphrase is wrong, or it is no such file."""
        import pyrage

        try:
            if len(wrapped) > LARGEST_FILE:
                raise ValueError
            document: Any = json.loads(pyrage.passphrase.decrypt(wrapped.encode(), passphrase))
            if (document["kind"], document["version"]) != (KIND, VERSION):
                raise ValueError
            secret = document["secret"]
            if not isinstance(secret, str) or not re.fullmatch("0x[0-9a-f]{64}", secret):
                raise ValueError
            return cls(bytes.fromhex(secret[2:]))
        except (pyrage.DecryptError, KeyError, TypeError, ValueError):
            raise DeliveryKeyUnusable(
                "The delivery key's file does not open: the passphrase is wrong, or the file is damaged.",
                "交付密钥文件打不开：口令不对，或文件已损坏。",
            ) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeliverySecret) and secrets.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash((DeliverySecret, self._secret))

    def __repr__(self) -> str:
        return "DeliverySecret(…)"


def delivery_message(account: str) -> str:
    """The text that a wallet signs so that a secret can be made of the signature. Never changes. Raises `Malformed`."""
    check_address(account, "account")
    return (
        "kameng_escrow: the key to my card deliveries\n"
        "\n"
        "Whoever has this signature can read every code that is delivered to me. "
        "I sign this only in a program that I trust with them.\n"
        "\n"
        "这个签名是打开我所有卡密的钥匙，谁拿到它谁就能看到。只在信任的程序里签名。\n"
        "\n"
        f"Account: {account}\n"
        "Version: 1"
    )


def new_nonce() -> str:
    """32 random bytes for a listing, 0x-hex."""
    return "0x" + secrets.token_hex(32)


def recipient_of(identity: str) -> str:
    """The public half, ``age1…``, of ``AGE-SECRET-KEY-1…``. Raises `DeliveryKeyUnusable`."""
    return str(parse_identity(identity).to_public())


def secret_of_account(account: "LocalAccount") -> DeliverySecret:
    """The secret of a key that is here, such as a buyer's who has no wallet.

    Raises:
        SignatureUnsuitable: it signs differently each time.
    """
    from eth_account.messages import encode_defunct

    message = encode_defunct(text=delivery_message(str(account.address)))
    first, second = (bytes(account.sign_message(message).signature) for _ in range(2))
    if first != second:
        raise SignatureUnsuitable(
            "This wallet signs the same text differently each time: no delivery key can be made of it. Make one of "
            "your own instead (`kameng delivery key`).",
            "这个钱包对同一段文字每次签名都不同，不能派生交付密钥：请另建一把（kameng delivery key）。",
        )
    return DeliverySecret.from_signature(str(account.address), first)


def check_passphrase(passphrase: str) -> None:
    """Passes a passphrase of at least eight characters. Raises `DeliveryKeyUnusable`.

    What it protects may be tried in peace by whoever has the file: a few words say more than eight characters.
    """
    if len(passphrase) < 8:
        raise DeliveryKeyUnusable(
            "The passphrase needs at least 8 characters; several words are better.",
            "口令至少 8 个字符；几个词连起来更好。",
        )


def _signer(account: str, signature: bytes) -> str | None:
    from eth_account import Account
    from eth_account.messages import encode_defunct

    if len(signature) != 65:
        return None
    try:
        message = encode_defunct(text=delivery_message(account))
        return str(Account.recover_message(message, signature=signature))
    except Exception:  # of what is no signature, libraries say so in many ways
        return None


def _hkdf(material: bytes, *, salt: bytes, info: bytes) -> bytes:
    from Crypto.Hash import SHA256
    from Crypto.Protocol.KDF import HKDF

    return cast(bytes, HKDF(material, 32, salt, SHA256, 1, info))
