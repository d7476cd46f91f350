"""Signing in, sessions, API keys."""

from pydantic import Field, StrictBool

from ..callers import Scope
from .common import Address, Hex, Model, View

KEY_DAYS = 3_650


class ChallengeView(View):
    """The values that the wallet's message must have (EIP-4361)."""

    domain: str
    uri: str
    version: str
    chain_id: int
    nonce: str = Field(description="For one sign-in.")
    statement: str
    issued_at: str
    expiration_time: str


class SignIn(Model):
    """A message that the account's wallet signed with ``personal_sign``."""

    message: str = Field(max_length=4_000)
    signature: Hex = Field(description="65 bytes; of a contract: whatever it takes (ERC-1271, ERC-6492).")


class MeView(View):
    """Who calls."""

    account: Address
    by: str = Field(description="session or key")
    key_id: str | None = None
    scopes: list[str] = Field(default=[], description="Of the key.")


class SignOut(Model):
    """Which sessions end."""

    everywhere: StrictBool = Field(default=False, description="All of the account's, and not only this one.")


class SignedOutView(View):
    """How many sessions ended."""

    ended: int


class NewKey(Model):
    """A key to be made. It acts for the account that makes it."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$", description="For people.")
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    days: int | None = Field(default=None, ge=1, le=KEY_DAYS, description="That it lives; null: until it is revoked.")


class RotateKey(Model):
    """A fresh secret in place of a key's."""

    overlap_seconds: int = Field(default=3_600, ge=0, le=7 * 86_400, description="That the old one is still taken.")


class KeyView(View):
    """A key, without its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: str
    last_used_at: str | None = Field(description="To the minute.")
    expires_at: str | None
    active: bool
    replaced_by: str | None


class KeySecretView(View):
    """A key with its secret."""

    key: KeyView
    secret: str = Field(description="Shown this once: only its hash is kept.")


class KeysView(View):
    """All keys of the account, those that have ended too."""

    keys: list[KeyView]
