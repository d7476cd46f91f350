"""Finding the same code sold twice, without keeping codes.

Two keyed hashes. The seller's program, which alone sees the codes, makes of each a tag with a key that the platform
gives its sellers; whoever stores them makes of each tag a fingerprint with a key that never leaves the server:

    tag         = BLAKE2b-128(key = the platform's tag key, person = "kameng tag", the code's normal form in UTF-8)
    fingerprint = BLAKE2b-128(key = the server's key, person = "kameng print", the tag)

A stolen store tells nothing without the server's key, and a seller can only try guesses against the server, which
counts them. What must be said: the server gets the tags and knows the tag key, so it could find out a code that can be
guessed (twelve digits: yes; twenty letters: no); and a seller who wants to cheat can leave the tags out. They protect
from mistakes, and give a platform that asks for them a trail.

Keys rotate. The newest makes new fingerprints; the older ones are asked as well until they are taken out of the file,
and then what they made is as good as erased, since nothing can be compared with it any more.
"""

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from .errors import DeliveryKeyUnusable
from .normal import normal_form

TAG_BYTES = 16
MOST_KEYS = 8
LARGEST_FILE = 4_096  # bytes
_TAG, _PRINT, _DERIVE = b"kameng tag", b"kameng print", b"kameng derive"
_LINE = re.compile(r"([A-Za-z0-9._-]{1,16})\s+(?:0x)?([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class FingerprintKey:
    """A key of the server's, and what it is called in the rows that it made."""

    id: str
    secret: bytes = field(repr=False)  # 32

    def tag_key(self, platform: str) -> bytes:
        """The key that a platform's sellers make tags with: 32 bytes. `platform` is its checksummed address."""
        return blake2b(platform.encode(), key=self.secret, person=_DERIVE, digest_size=32).digest()

    def fingerprint(self, tag: bytes) -> bytes:
        """What is stored of a tag: 16 bytes."""
        return blake2b(tag, key=self.secret, person=_PRINT, digest_size=TAG_BYTES).digest()


def tag_of(code: str, tag_key: bytes) -> bytes:
    """What the seller's program sends in a code's place: 16 bytes, the same for every way of writing the code."""
    return blake2b(normal_form(code).encode("utf-8"), key=tag_key, person=_TAG, digest_size=TAG_BYTES).digest()


def read_fingerprint_keys(path: Path) -> tuple[FingerprintKey, ...]:
    """The keys in a file of mode 0600, newest first: a name and 64 hex digits a line, `#` begins a remark.

    Raises:
        DeliveryKeyUnusable: it is missing, readable by others, or not of this form.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DeliveryKeyUnusable(
            f"The file of fingerprint keys {path} can't be read: {reason}.",
            f"指纹密钥文件 {path} 读不了：请检查路径和权限。",
        ) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise DeliveryKeyUnusable(
            f"Others on this machine may open the fingerprint keys in {path}: run `chmod 600 {path}`.",
            f"本机其他用户也能打开 {path} 里的指纹密钥：请先执行 chmod 600 {path}。",
        )
    keys = parse_fingerprint_keys(content.decode("utf-8", "replace").splitlines())
    if keys is None or len(content) > LARGEST_FILE:
        raise DeliveryKeyUnusable(
            f"{path} holds no fingerprint keys: write a name and 64 hex digits on each line, the newest first, every "
            f"name once, at most {MOST_KEYS}.",
            f"{path} 里不是指纹密钥：每行一个名称和 64 位十六进制数字，新的在前，名称不重复，最多 {MOST_KEYS} 把。",
        )
    return keys


def parse_fingerprint_keys(lines: Iterable[str]) -> tuple[FingerprintKey, ...] | None:
    """The keys in such lines; None where one is not of the form."""
    keys = []
    for line in lines:
        text = line.partition("#")[0].strip()
        if not text:
            continue
        found = _LINE.fullmatch(text)
        if found is None:
            return None
        keys.append(FingerprintKey(id=found[1], secret=bytes.fromhex(found[2])))
    names = {key.id for key in keys}
    return tuple(keys) if 0 < len(keys) <= MOST_KEYS and len(names) == len(keys) else None
