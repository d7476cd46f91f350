"""The buyer's delivery key in a file: a wrapped secret (`DeliverySecret.wrap`), or one order's age identity."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from .errors import DeliveryKeyUnusable
from .keys import LARGEST_FILE, DeliverySecret
from .sealing import parse_identity

_WRAPPED = "-----BEGIN AGE ENCRYPTED FILE-----"


def read_delivery_key(path: Path, passphrase: Callable[[], str]) -> DeliverySecret | str:
    """A secret for all orders, or the identity of one. `passphrase` is asked for one only if the secret is wrapped.

    Lines that begin with `#` are remarks, as in the files of `age-keygen`.

    Raises:
        DeliveryKeyUnusable: the file is missing, readable by others though not wrapped, no key, or the passphrase is
            wrong.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DeliveryKeyUnusable(
            f"The delivery key's file {path} can't be read: {reason}.",
            f"交付密钥文件 {path} 读不了：请检查路径和权限。",
        ) from error
    text = content.decode("ascii", "replace")
    if text.lstrip().startswith(_WRAPPED):
        return DeliverySecret.unwrap(text, passphrase())
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise DeliveryKeyUnusable(
            f"Others on this machine may open the delivery key in {path}: run `chmod 600 {path}`.",
            f"本机其他用户也能打开 {path} 里的交付密钥：请先执行 chmod 600 {path}。",
        )
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    identity = lines[0] if len(lines) == 1 else ""
    parse_identity(identity)
    return identity
