"""What a setting's text may be, and what it means. A form reads its text and writes it for another process.

`read` is given the variable's name, for the error, and the text, which is never empty. Addresses of nodes are not
quoted in errors: providers' keys hide in them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import EscrowError

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class SettingError(EscrowError):
    """A setting is missing or can't be what it says. `setting` names its environment variable."""

    code = "bad_setting"

    def __init__(self, setting: str, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.message_zh = message_zh
        self.setting = setting


@dataclass(frozen=True, slots=True)
class Form:
    """How the text of a setting is read, and written for another process."""

    read: Callable[[str, str], Any]  # variable, text
    write: Callable[[Any], str] = str
    empty: Any = None  # what no text means
    none_is_a_word: bool = False  # whether there is a text that means None


def plain(_: str, text: str) -> str:
    return text


def _path(_: str, text: str) -> Path:
    return Path(text).expanduser()


def _url(setting: str, text: str) -> str:
    if not _is_url(text, ("http", "https")):
        raise SettingError(
            setting,
            "The node's address must be a URL such as http://127.0.0.1:8545.",
            "节点地址必须是像 http://127.0.0.1:8545 这样的 URL。",
        )
    return text


def _urls(setting: str, text: str) -> tuple[str, ...]:
    return tuple(_url(setting, part.strip()) for part in text.split(",") if part.strip())


def _ws_url(setting: str, text: str) -> str:
    if not _is_url(text, ("ws", "wss")):
        raise SettingError(
            setting,
            "The node's WebSocket address must be a URL such as ws://127.0.0.1:8545.",
            "节点的 WebSocket 地址必须是像 ws://127.0.0.1:8545 这样的 URL。",
        )
    return text


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _origin(setting: str, text: str) -> str:
    """An origin as browsers send it (RFC 6454): scheme, host, port where it is not the scheme's own."""
    parts = urlsplit(text) if _is_url(text, ("http", "https")) else None
    if parts is None or parts.path.strip("/") or parts.query or parts.fragment or parts.username or "@" in parts.netloc:
        raise SettingError(
            setting,
            f"{setting} must be an origin such as https://escrow.example, without a path: not {text!r}.",
            f"{setting} 必须是像 https://escrow.example 这样的来源，不带路径：不能是 {text!r}。",
        )
    usual = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    host = str(parts.hostname)
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def _chain_id(setting: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise SettingError(
            setting,
            f"The chain id must be a positive whole number, not {text!r}.",
            f"链号必须是正整数，不能是 {text!r}。",
        )
    return int(text)


def _wei(setting: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 30:
        raise SettingError(
            setting,
            f"{setting} must be a whole number of wei, not {text!r}.",
            f"{setting} 必须是整数（单位 wei），不能是 {text!r}。",
        )
    return int(text)


def _wei_or_none(setting: str, text: str) -> int | None:
    return None if text == "none" else _wei(setting, text)


def _seconds(setting: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise SettingError(
            setting,
            f"The timeout must be a number of seconds from above 0 to 3600, not {text!r}.",
            f"超时必须是大于 0、不超过 3600 的秒数，不能是 {text!r}。",
        )
    return seconds


def _units(setting: str, text: str) -> tuple[tuple[str, int], ...]:
    """Pairs of a token's address and a number of its base units; whoever uses them checks the addresses further."""
    pairs = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        token, _, unit = part.partition("=")
        if not (_ADDRESS.fullmatch(token) and unit.isascii() and unit.isdigit() and 0 < int(unit) < 10**38):
            raise SettingError(
                setting,
                f"{setting} must be pairs such as 0x…=10000 (token address, base units) with commas between, "
                f"not {part!r}.",
                f"{setting} 必须是用逗号隔开的“代币地址=最小单位数”，如 0x…=10000，不能是 {part!r}。",
            )
        pairs.append((token, int(unit)))
    return tuple(pairs)


def _addresses(setting: str, text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    for one in found:
        if not _ADDRESS.fullmatch(one):
            raise SettingError(
                setting,
                f"{setting} must be addresses with commas between, not {one!r}.",
                f"{setting} 必须是用逗号隔开的地址，不能是 {one!r}。",
            )
    return found


_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?")


def _hosts(setting: str, text: str) -> tuple[str, ...]:
    hosts = tuple(part.strip() for part in text.split(",") if part.strip())
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise SettingError(
                setting,
                f"{setting} is a list of hosts such as ntfy.example.com:8443, not {host!r}.",
                f"{setting} 是像 ntfy.example.com:8443 这样的主机名列表，不能是 {host!r}。",
            )
    return hosts


def _contact(setting: str, text: str) -> str:
    if not (text.startswith("mailto:") and "@" in text) and not _is_url(text, ("https",)):
        raise SettingError(
            setting,
            f"{setting} must be mailto:name@example.com or an https URL, not {text!r}.",
            f"{setting} 必须是 mailto:name@example.com 或 https 地址，不能是 {text!r}。",
        )
    return text


def whole(least: int, most: int) -> Form:
    """A whole number of that range."""

    def read(setting: str, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 18 and least <= int(text) <= most):
            raise SettingError(
                setting,
                f"{setting} must be a whole number from {least} to {most}, not {text!r}.",
                f"{setting} 必须是 {least} 到 {most} 的整数，不能是 {text!r}。",
            )
        return int(text)

    return Form(read)


def one_of(*words: str) -> Form:
    """One of these words."""

    def read(setting: str, text: str) -> str:
        if text not in words:
            raise SettingError(
                setting,
                f"{setting} must be one of {', '.join(words)}, not {text!r}.",
                f"{setting} 只能是 {'、'.join(words)} 之一，不能是 {text!r}。",
            )
        return text

    return Form(read)


TEXT = Form(plain)
PATH = Form(_path)
URL = Form(_url)
URLS = Form(_urls, ",".join, ())
WS_URL = Form(_ws_url)
ORIGIN = Form(_origin)
CHAIN_ID = Form(_chain_id)
WEI = Form(_wei)
UNITS = Form(_units, lambda pairs: ",".join(f"{token}={unit}" for token, unit in pairs), ())
ADDRESSES = Form(_addresses, ",".join, ())
WEI_OR_NONE = Form(_wei_or_none, lambda wei: "none" if wei is None else str(wei), none_is_a_word=True)
SECONDS = Form(_seconds)
HOSTS = Form(_hosts, ",".join, ())
CONTACT = Form(_contact)
