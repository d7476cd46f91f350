"""Signing in as the owner of a key: Sign-In with Ethereum (EIP-4361), for the service that was asked and no other."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from .errors import ServiceNonsense
from .types import SignIn

STATEMENT: Final = "Sign in. This sends no transaction and moves no money."
_FIELD: Final = re.compile(r"[\x21-\x7e]{1,100}")  # of a challenge: one line, nothing that could begin another


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletSignIn:
    """Who signs in, and what for. The key signs nothing but the message that is made here.

    Args:
        account: whose key it is.
        chain_id: that the sign-in is bound to: the service's.
        statement: what the sign-in is for, in a line.
    """

    account: LocalAccount
    chain_id: int
    statement: str = STATEMENT

    def answer(self, url: str, challenge: Mapping[str, Any]) -> SignIn:
        """The signed message for a service's challenge. `url`: the origin that was asked.

        Raises:
            ServiceNonsense: it is no challenge.
        """
        nonce, issued, expires = (str(challenge.get(name, "")) for name in ("nonce", "issued_at", "expiration_time"))
        if not all(_FIELD.fullmatch(field) for field in (nonce, issued, expires)):
            raise ServiceNonsense(url, 200)
        message = (
            f"{urlsplit(url).netloc} wants you to sign in with your Ethereum account:\n{self.account.address}\n\n"
            f"{self.statement}\n\nURI: {url}\nVersion: 1\nChain ID: {self.chain_id}\nNonce: {nonce}\n"
            f"Issued At: {issued}\nExpiration Time: {expires}"
        )
        signed = self.account.sign_message(encode_defunct(text=message))
        return {"message": message, "signature": "0x" + bytes(signed.signature).hex()}
