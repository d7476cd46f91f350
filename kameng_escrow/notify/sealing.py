"""Secrets at rest: sealed with a key that is not in the database, so that a leak of that alone does not give them away.

The key comes from a file (`KAMENG_SEAL_KEY_FILE`). Where none is given, secrets lie in the store as they are: then
whoever reads the store can sign webhooks and read people's addresses. `Sealer.seals` says which of the two it is.
"""

import base64
import binascii
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from .errors import SealBroken, SecretFileUnusable

_SEALED, _PLAIN = "fernet:", "plain:"
_LARGEST = 64 * 1024


class Sealer:
    """Seals with the first of its keys, opens with any. Without keys it only marks what it is given.

    What lies in the store unsealed is read with keys too, and sealed when it is next written.
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        """`keys`: 32 bytes each; to change one, put the new one first and leave the old one behind it."""
        self._box = None
        if keys:
            from cryptography.fernet import Fernet, MultiFernet  # an extra: only who seals needs it

            self._box = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])

    @property
    def seals(self) -> bool:
        """Whether what it gives back is of no use without the key."""
        return self._box is not None

    def seal(self, secret: str) -> str:
        """What may be stored."""
        if self._box is None:
            return _PLAIN + secret
        return _SEALED + self._box.encrypt(secret.encode("utf-8")).decode("ascii")

    def open(self, stored: str) -> str:
        """The secret. Raises `SealBroken`."""
        if stored.startswith(_PLAIN):
            return stored.removeprefix(_PLAIN)
        if self._box is None or not stored.startswith(_SEALED):
            raise SealBroken
        from cryptography.fernet import InvalidToken

        try:
            return self._box.decrypt(stored.removeprefix(_SEALED).encode("ascii")).decode("utf-8")
        except (InvalidToken, UnicodeError):
            raise SealBroken from None


def read_seal_keys(path: Path) -> list[bytes]:
    """The keys in a file: 32 bytes in base64 each, a line a key, the one to seal with first.

    Raises:
        SecretFileUnusable: the file is missing, readable by others, or has something else in it.
    """
    lines = read_secret(path).replace("-", "+").replace("_", "/").split()
    try:
        keys = [base64.b64decode(line, validate=True) for line in lines]
    except (binascii.Error, ValueError):
        keys = []
    if not keys or any(len(key) != 32 for key in keys):
        raise SecretFileUnusable(
            f"{path} must have a key of 32 bytes in base64 on each line: make one with "
            f"`head -c 32 /dev/urandom | base64 > {path}`.",
            f"{path} 每行应是 32 字节密钥的 base64：可用 `head -c 32 /dev/urandom | base64 > {path}` 生成。",
        )
    return keys


def read_secret(path: Path) -> str:
    """What is in a file that only its owner may read, without the space around it.

    Raises:
        SecretFileUnusable: it is missing, empty, readable by others, or no text.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LARGEST).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretFileUnusable(
            f"The secret in {path} can't be read: {getattr(error, 'strerror', None) or 'no text'}.",
            f"{path} 里的秘密读不了：请检查路径、权限和内容。",
        ) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretFileUnusable(
            f"Others on this machine may read the secret in {path}: run `chmod 600 {path}`.",
            f"本机其他用户也能读 {path} 里的秘密：请先执行 chmod 600 {path}。",
        )
    if not content:
        raise SecretFileUnusable(f"There is no secret in {path}: it is empty.", f"{path} 是空的，里面没有秘密。")
    return content
