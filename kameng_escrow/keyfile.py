"""Keys come from files: an encrypted keystore, or raw hex in a file that only its owner can read. Never from a flag,
never from an environment variable: both can be read by every process of the machine, and stay in shell histories.
"""

import json
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from .errors import EscrowError

LARGEST = 64 * 1024  # bytes; a keystore has about 500


class KeyFileUnusable(EscrowError):
    """The key can't be had from the file. The message says why, and never what is in it."""

    code = "bad_key_file"

    def __init__(self, path: Path, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.message_zh = message_zh
        self.path = path


def read_key(path: Path, passphrase: Callable[[], str]) -> LocalAccount:
    """The account whose key is in `path`. `passphrase` is asked for one only if the file is a keystore.

    Raises:
        KeyFileUnusable: the file is missing, readable by others, no key, or the passphrase is wrong.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(LARGEST + 1)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        reason = error.strerror or str(error)
        raise KeyFileUnusable(
            path,
            f"The key file {path} can't be read: {reason}.",
            f"密钥文件 {path} {'不存在' if missing else '读不了'}：请检查路径和权限。",
        ) from error
    if content.lstrip().startswith(b"{"):
        return _from_keystore(path, content, passphrase)
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileUnusable(
            path,
            f"Others on this machine may open the raw key in {path}: run `chmod 600 {path}`.",
            f"本机其他用户也能打开 {path} 里的明文私钥：请先执行 chmod 600 {path}。",
        )
    return _from_hex(path, content)


def write_key(path: Path, key: bytes) -> None:
    """Writes a raw key to a new file of mode 0600. Raises `OSError`, also where the file exists."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"0x{key.hex()}\n")


def new_key() -> bytes:
    """A fresh key from the system's randomness."""
    return secrets.token_bytes(32)


def _from_hex(path: Path, content: bytes) -> LocalAccount:
    text = content.strip().removeprefix(b"0x")
    try:
        if len(text) != 64:
            raise ValueError
        account: LocalAccount = Account.from_key(bytes.fromhex(text.decode("ascii")))
    except Exception:  # zero, or not below the curve's order: libraries name that differently, and quote the key
        raise KeyFileUnusable(
            path,
            f"{path} holds no key: it must be 64 hex digits, or a keystore in JSON.",
            f"{path} 里不是私钥：应为 64 位十六进制数字，或 JSON 格式的 keystore。",
        ) from None
    return account


def _from_keystore(path: Path, content: bytes, passphrase: Callable[[], str]) -> LocalAccount:
    try:
        keystore = json.loads(content)
        if not isinstance(keystore, dict) or not {"crypto", "Crypto"} & keystore.keys():
            raise ValueError
    except ValueError:
        raise KeyFileUnusable(
            path,
            f"{path} is not a keystore: its JSON is damaged, or has no 'crypto' part.",
            f"{path} 不是 keystore：JSON 已损坏，或缺少 crypto 部分。",
        ) from None
    word = passphrase()
    try:
        account: LocalAccount = Account.from_key(Account.decrypt(keystore, word))
    except Exception:  # a wrong passphrase is a ValueError, a strange keystore nearly anything
        raise KeyFileUnusable(
            path,
            f"The keystore {path} does not open: the passphrase is wrong, or the file is damaged.",
            f"keystore {path} 打不开：口令不对，或文件已损坏。",
        ) from None
    return account
