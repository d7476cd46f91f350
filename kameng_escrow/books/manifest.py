"""A statement's manifest: what it covers, what its files are, and who says so.

JSON. The signature is of its other fields in canonical form (RFC 8785), as a personal message (EIP-191), so that any
wallet can check it, and make it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import rfc8785
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from kameng_escrow.domain.inputs import parse_address, parse_hash
from kameng_escrow.errors import EscrowError
from kameng_escrow.store.service.closed_orders import Scope

from .errors import ManifestBroken, NotReadable
from .lines import LATEST, Currency, iso

KIND = "kameng_escrow statement"
VERSION = 1
SUFFIX = ".manifest.json"
LARGEST = 4 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest that has been read: its document, and what checking it needs of that."""

    document: Mapping[str, Any]
    chain_id: int
    genesis_hash: str
    contract: str
    scope: Scope
    since: int  # Unix seconds
    until: int  # likewise; not included
    last_block: int
    last_hash: str
    last_time: str  # ISO 8601, as it says
    currencies: Mapping[str, Currency]  # by token
    files: Mapping[str, Mapping[str, Any]]  # by name
    signer: str | None

    def signed_by(self) -> str | None:
        """Whose signature it bears; None: it bears none, or a damaged one."""
        signature = self.document.get("signature")
        if signature is None:
            return None
        try:
            message = encode_defunct(unsigned(self.document))
            return str(Account.recover_message(message, signature=signature))
        except Exception:  # whatever is no signature fails in ways of its own
            return None


def unsigned(document: Mapping[str, Any]) -> bytes:
    """What is signed."""
    return rfc8785.dumps({name: value for name, value in document.items() if name != "signature"})


def sign(document: Mapping[str, Any], account: LocalAccount) -> dict[str, Any]:
    """The document with the account's name and signature."""
    named = {**document, "signer": account.address}
    signature = account.sign_message(encode_defunct(unsigned(named))).signature
    return {**named, "signature": "0x" + bytes(signature).hex()}


def to_text(document: Mapping[str, Any]) -> str:
    """The manifest as it is written."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read_manifest(path: Path) -> Manifest:
    """A manifest from a file.

    Raises:
        NotReadable: there is no such file, or no JSON in it.
        ManifestBroken: it is no manifest of a statement, or of a newer version.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise NotReadable(path, f"it is larger than {LARGEST} bytes")
        document = orjson.loads(content)  # which refuses what is nested too deep: Python's own parser can crash on that
    except OSError as error:
        raise NotReadable(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise NotReadable(path, "it is no complete JSON") from error
    try:
        return _manifest(document)
    except (EscrowError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ManifestBroken(path, f"{type(error).__name__}: {error}") from error


def _manifest(document: Mapping[str, Any]) -> Manifest:
    if document["kind"] != KIND or document["version"] != VERSION:
        raise ValueError(f"it is a {document['kind']!r} of version {document['version']!r}")
    blocks, period, scope = document["blocks"], document["period"], document["scope"]
    files = {str(one["name"]): one for one in document["files"]}
    if any("/" in name or "\\" in name or name.startswith(".") for name in files):
        raise ValueError("a file's name is a path")
    if not files:
        raise ValueError("it names no files")
    since, until = _second(period, "since"), _second(period, "until")
    if since >= until:
        raise ValueError("its period ends before it begins")
    if _whole(blocks["first"]) > _whole(blocks["last"]):
        raise ValueError("its last block comes before the first")
    return Manifest(
        document=document,
        chain_id=_whole(document["chain_id"]),
        genesis_hash=parse_hash(document["genesis_hash"], "genesis_hash"),
        contract=parse_address(document["contract"], "contract"),
        scope=Scope(party=_address(scope.get("party")), platform=_address(scope.get("platform"))),
        since=since,
        until=until,
        last_block=_whole(blocks["last"]),
        last_hash=parse_hash(blocks["last_hash"], "last_hash"),
        last_time=str(blocks["last_time"]),
        currencies={
            parse_address(token, "token"): Currency(symbol=str(one["symbol"]), decimals=_whole(one["decimals"]))
            for token, one in document["currencies"].items()
        },
        files=files,
        signer=_address(document["signer"]),
    )


def _second(period: Mapping[str, Any], end: str) -> int:
    """An end of the period: people are shown its text and orders are found by its number, so the two must be one."""
    second = _whole(period[f"{end}_timestamp"])
    if second > LATEST or period[end] != iso(second):
        raise ValueError(f"{end} is {period[end]!r}, and not the time {second}")
    return second


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(f"{value!r} is no whole number")
    return value


def _address(value: object) -> str | None:
    return None if value is None else parse_address(value, "address")
