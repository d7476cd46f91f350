"""What the environment tells us: one table, from which the flags, `kameng doctor` and the manual's page are made.

A flag on the command line wins over the environment, the environment over the settings file, the file over the default.
No setting holds a secret: keys and passphrases are named by the file that they are in.
"""

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from . import books, chain, notify, relayer, risk, service
from .forms import SettingError
from .row import Setting

__all__ = ["TABLE", "Setting", "SettingError", "Settings", "data_folder", "language"]

TABLE: tuple[Setting, ...] = chain.ROWS + books.ROWS + service.ROWS + risk.ROWS + relayer.ROWS + notify.ROWS

_BY_NAME = {setting.name: setting for setting in TABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The table's values, checked for form only: nothing but the settings file is opened or asked."""

    config: Path | None
    rpc_url: str
    rpc_fallbacks: tuple[str, ...]
    ws_url: str | None
    chain_id: int | None
    contract: str | None  # as given; whoever uses it checks the address
    deployments: Path
    store: str  # the path of an SQLite file, or an SQLAlchemy URL
    key_file: Path | None
    passphrase_file: Path | None
    delivery_key_file: Path | None
    timeout: float  # seconds
    keeper_max_fee: int  # wei a unit of gas
    keeper_budget: int | None  # wei in 24 hours; None: no limit
    keeper_low_balance: int  # wei
    lang: str  # "zh" or "en"
    # of the books
    reputation_tokens: tuple[tuple[str, int], ...]  # token, and the fee in base units that makes a whole order
    reputation_platforms: tuple[str, ...]
    # of the service
    fingerprint_keys_file: Path | None
    public_url: str  # an origin
    listen: str  # host:port; whoever listens checks it
    proxies: int
    session_hours: int
    explorer_url: str | None  # an origin
    files: Path
    files_max_bytes: int
    file_max_bytes: int
    room_max_bytes: int
    rate_limit: int  # requests a minute
    rate_limit_anonymous: int  # likewise
    # of the risk worker
    risk_threads: int
    advice_days: int  # 0: no reports are made
    yuan_tokens: tuple[tuple[str, int], ...]  # token, and the base units that one yuan comes to
    # of the relayer
    relayer_key_file: Path | None
    relayer_passphrase_file: Path | None
    relayer_max_fee: int  # wei a unit of gas
    relayer_budget: int | None  # wei in 24 hours; None: no limit
    relayer_low_balance: int  # wei
    relayer_platform_budget: int | None  # wei in 24 hours; None: no limit
    relayer_new_budget: int | None  # wei in 24 hours, for all platforms without a past; None: they are as any
    relayer_account_limit: int  # in 24 hours
    deposit_confirmations: int  # blocks
    deposit_least: tuple[tuple[str, int], ...]  # by token, base units that are swept by themselves
    # of webhooks and notifications
    seal_key_file: Path | None
    webhook_loopback: str  # "yes" or "no"
    mail_file: Path | None
    telegram_token_file: Path | None
    push_key_file: Path | None
    push_contact: str | None
    notify_hosts: tuple[str, ...]

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **flags: str | None) -> "Settings":
        """Reads the settings; `flags` are the command line's, by attribute name, None where absent.

        Raises:
            SettingError: a value has not the form that its row of the table says, or the settings file can't be read.
        """
        source = os.environ if environ is None else environ
        if unknown := flags.keys() - _BY_NAME.keys():
            raise TypeError(f"there are no settings named {', '.join(sorted(unknown))}")
        data = str(data_folder(source))
        given = flags.get("config") or source.get("KAMENG_CONFIG")
        filed = _read_file(Path(given).expanduser()) if given else {}
        text = {
            row.name: flags.get(row.name)
            or source.get(row.env)
            or filed.get(row.name)
            or row.default.replace("{data}", data)
            for row in TABLE
        }
        text["lang"] = language(text["lang"], source)
        values = {
            row.name: row.form.read(row.env, text[row.name]) if text[row.name] else row.form.empty for row in TABLE
        }
        return cls(**values)

    def environment(self) -> dict[str, str]:
        """The variables that would give these settings to another process; none that has no value."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        written = {row.env: row.form.write(values[row.name]) for row in TABLE if values[row.name] != row.form.empty}
        # What None says, where a form has a word for it.
        words = {row.env: row.form.write(None) for row in TABLE if row.form.none_is_a_word and values[row.name] is None}
        return written | words


def _read_file(path: Path) -> dict[str, str]:
    """The file's values as text. Raises `SettingError`."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingError(
            "KAMENG_CONFIG",
            f"The settings file {path} can't be read: {reason}.",
            f"设置文件 {path} 读不了：{reason}。",
        ) from error
    known = _BY_NAME.keys() - {"config"}
    if wrong := sorted(name for name in document if name not in known):
        raise SettingError(
            "KAMENG_CONFIG",
            f"The settings file {path} names {', '.join(wrong)}, which are no settings: see the manual's list.",
            f"设置文件 {path} 里的 {'、'.join(wrong)} 不是设置项：请看手册的列表。",
        )
    return {name: _text(path, name, value) for name, value in document.items()}


def _text(path: Path, name: str, value: object) -> str:
    match value:
        case bool():
            pass
        case str() | int() | float():
            return str(value)
        case list() if all(isinstance(one, str) for one in value):
            return ",".join(value)
    raise SettingError(
        "KAMENG_CONFIG",
        f"In the settings file {path}, {name} must be a text or a number.",
        f"设置文件 {path} 里的 {name} 必须是文字或数字。",
    )


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
