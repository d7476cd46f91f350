"""What the environment tells us: one table, from which the flags, `kameng doctor` and the manual's page are made.

A flag on the command line wins over the environment, the environment over the default. No setting holds a secret:
keys and passphrases are named by the file that they are in.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from .errors import EscrowError


class SettingError(EscrowError):
    """A setting is missing or can't be what it says. `setting` names its environment variable."""

    code = "bad_setting"

    def __init__(self, setting: str, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.message_zh = message_zh
        self.setting = setting


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table."""

    name: str  # the attribute of `Settings`
    env: str  # the environment variable
    flag: str  # the option on the command line
    metavar: str
    default: str  # as text; empty: none; {data} is the user's data folder
    zh: str
    en: str


TABLE: tuple[Setting, ...] = (
    Setting(
        name="rpc_url",
        env="KAMENG_RPC_URL",
        flag="--rpc-url",
        metavar="URL",
        default="http://127.0.0.1:8545",
        zh="节点的 JSON-RPC 地址（http 或 https）",
        en="JSON-RPC address of the node (http or https)",
    ),
    Setting(
        name="rpc_fallbacks",
        env="KAMENG_RPC_FALLBACKS",
        flag="--rpc-fallbacks",
        metavar="URL,URL…",
        default="",
        zh="镜像的备用节点（http 或 https，逗号分隔）：前一个出错时改用下一个，撤销区块前先听各节点怎么说",
        en="Further nodes for the mirror (http or https, with commas between): the next is asked where one fails, and "
        "all are heard before blocks are undone",
    ),
    Setting(
        name="ws_url",
        env="KAMENG_WS_URL",
        flag="--ws-url",
        metavar="URL",
        default="",
        zh="节点的 WebSocket 地址（ws 或 wss）：新区块一出来镜像就知道；没有就定时查看",
        en="WebSocket address of the node (ws or wss), by which the mirror hears of new blocks at once; without it, it "
        "looks every so often",
    ),
    Setting(
        name="chain_id",
        env="KAMENG_CHAIN_ID",
        flag="--chain-id",
        metavar="N",
        default="",
        zh="期望的链号；节点不在这条链上就拒绝执行",
        en="The chain id to insist on: a node on another chain is refused",
    ),
    Setting(
        name="contract",
        env="KAMENG_CONTRACT",
        flag="--contract",
        metavar="ADDRESS",
        default="",
        zh="托管合约地址，或 地址@部署区块；缺省取部署记录中这条链上最近的一个，没有记录则看通用地址",
        en="Address of the escrow, or ADDRESS@BLOCK of its deployment; without it, the latest recorded one on the "
        "node's chain, else the one at the address that it has on every chain",
    ),
    Setting(
        name="deployments",
        env="KAMENG_DEPLOYMENTS",
        flag="--deployments",
        metavar="FOLDER",
        default="{data}/deployments",
        zh="存放部署记录的文件夹",
        en="The folder of deployment records",
    ),
    Setting(
        name="store",
        env="KAMENG_STORE",
        flag="--store",
        metavar="FILE|URL",
        default="{data}/store.sqlite",
        zh="镜像数据库：SQLite 文件，或 SQLAlchemy 数据库地址",
        en="The mirror's store: an SQLite file, or an SQLAlchemy database URL",
    ),
    Setting(
        name="key_file",
        env="KAMENG_KEY_FILE",
        flag="--key-file",
        metavar="FILE",
        default="",
        zh="签名用的密钥文件：加密的 keystore（JSON），或权限为 0600 的十六进制私钥文件",
        en="The key to sign with: an encrypted keystore (JSON), or a raw hex key in a file of mode 0600",
    ),
    Setting(
        name="passphrase_file",
        env="KAMENG_KEY_PASSPHRASE_FILE",
        flag="--passphrase-file",
        metavar="FILE",
        default="",
        zh="keystore 口令所在的文件；没有就在终端里询问",
        en="The file with the keystore's passphrase; without it, the terminal is asked",
    ),
    Setting(
        name="timeout",
        env="KAMENG_TIMEOUT",
        flag="--timeout",
        metavar="SECONDS",
        default="30",
        zh="等节点回答一次的秒数",
        en="Seconds to wait for one answer of the node",
    ),
    Setting(
        name="keeper_max_fee",
        env="KAMENG_KEEPER_MAX_FEE",
        flag="--keeper-max-fee",
        metavar="WEI",
        default="200000000000",
        zh="守护程序每单位 gas 最多出价多少 wei",
        en="The most that the keeper offers for a unit of gas, in wei",
    ),
    Setting(
        name="keeper_budget",
        env="KAMENG_KEEPER_BUDGET",
        flag="--keeper-budget",
        metavar="WEI|none",
        default="100000000000000000",
        zh="守护程序在任意 24 小时内最多花多少 wei；none 表示不限",
        en="The most that the keeper spends in any 24 hours, in wei; none: no limit",
    ),
    Setting(
        name="keeper_low_balance",
        env="KAMENG_KEEPER_LOW_BALANCE",
        flag="--keeper-low-balance",
        metavar="WEI",
        default="20000000000000000",
        zh="守护程序账户余额低于多少 wei 就报警",
        en="The balance of the keeper's account below which it warns, in wei",
    ),
    Setting(
        name="lang",
        env="KAMENG_LANG",
        flag="--lang",
        metavar="zh|en",
        default="",
        zh="输出语言；缺省看 LC_ALL、LC_MESSAGES、LANG",
        en="Language of the output; without it, as LC_ALL, LC_MESSAGES or LANG say",
    ),
)

_BY_NAME = {setting.name: setting for setting in TABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The table's values, checked for form only: nothing is opened or asked."""

    rpc_url: str
    rpc_fallbacks: tuple[str, ...]
    ws_url: str | None
    chain_id: int | None
    contract: str | None  # as given; whoever uses it checks the address
    deployments: Path
    store: str  # the path of an SQLite file, or an SQLAlchemy URL
    key_file: Path | None
    passphrase_file: Path | None
    timeout: float  # seconds
    keeper_max_fee: int  # wei a unit of gas
    keeper_budget: int | None  # wei in 24 hours; None: no limit
    keeper_low_balance: int  # wei
    lang: str  # "zh" or "en"

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **flags: str | None) -> "Settings":
        """Reads the settings; `flags` are the command line's, by attribute name, None where absent.

        Raises:
            SettingError: a value has not the form that its row of the table says.
        """
        source = os.environ if environ is None else environ
        if unknown := flags.keys() - _BY_NAME.keys():
            raise TypeError(f"there are no settings named {', '.join(sorted(unknown))}")
        data = str(data_folder(source))
        text = {
            row.name: flags.get(row.name) or source.get(row.env) or row.default.replace("{data}", data) for row in TABLE
        }
        return cls(
            rpc_url=_url(text["rpc_url"]),
            rpc_fallbacks=tuple(
                _url(part.strip(), "KAMENG_RPC_FALLBACKS") for part in text["rpc_fallbacks"].split(",") if part.strip()
            ),
            ws_url=_ws_url(text["ws_url"]) if text["ws_url"] else None,
            chain_id=_chain_id(text["chain_id"]) if text["chain_id"] else None,
            contract=text["contract"] or None,
            deployments=Path(text["deployments"]).expanduser(),
            store=text["store"],
            key_file=Path(text["key_file"]).expanduser() if text["key_file"] else None,
            passphrase_file=Path(text["passphrase_file"]).expanduser() if text["passphrase_file"] else None,
            timeout=_timeout(text["timeout"]),
            keeper_max_fee=_wei("KAMENG_KEEPER_MAX_FEE", text["keeper_max_fee"]),
            keeper_budget=(
                None if text["keeper_budget"] == "none" else _wei("KAMENG_KEEPER_BUDGET", text["keeper_budget"])
            ),
            keeper_low_balance=_wei("KAMENG_KEEPER_LOW_BALANCE", text["keeper_low_balance"]),
            lang=language(text["lang"], source),
        )

    def environment(self) -> dict[str, str]:
        """The variables that would give these settings to another process; none that has no value."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["rpc_fallbacks"] = ",".join(self.rpc_fallbacks) or None
        values["keeper_budget"] = "none" if self.keeper_budget is None else self.keeper_budget
        return {row.env: str(values[row.name]) for row in TABLE if values[row.name] is not None}


def language(wanted: str, environ: Mapping[str, str]) -> str:
    """ "zh" or "en": as wanted, else as the locale says; English where it says nothing.

    Raises:
        SettingError: `wanted` is another language.
    """
    if wanted:
        if wanted not in ("zh", "en"):
            raise SettingError(
                "KAMENG_LANG",
                f"There is no output in {wanted!r}: choose zh or en.",
                f"没有 {wanted!r} 这种输出语言：请选 zh 或 en。",
            )
        return wanted
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def data_folder(environ: Mapping[str, str]) -> Path:
    """The user's folder for what we keep, by the system's custom."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "kameng_escrow"


def _url(text: str, setting: str = "KAMENG_RPC_URL") -> str:
    if not _is_url(text, ("http", "https")):
        raise SettingError(
            setting,
            "The node's address must be a URL such as http://127.0.0.1:8545.",
            "节点地址必须是像 http://127.0.0.1:8545 这样的 URL。",
        )
    return text


def _ws_url(text: str) -> str:
    if not _is_url(text, ("ws", "wss")):
        raise SettingError(
            "KAMENG_WS_URL",
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


def _chain_id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise SettingError(
            "KAMENG_CHAIN_ID",
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


def _timeout(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise SettingError(
            "KAMENG_TIMEOUT",
            f"The timeout must be a number of seconds from above 0 to 3600, not {text!r}.",
            f"超时必须是大于 0、不超过 3600 的秒数，不能是 {text!r}。",
        )
    return seconds
