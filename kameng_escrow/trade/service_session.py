"""A seller's program at a platform service: signs in with its key, asks for work, brings what it signed."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import requests
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from urllib3.exceptions import HTTPError

from kameng_escrow.domain.signed import Offer
from kameng_escrow.errors import EscrowError

_FIELD = re.compile(r"[\x21-\x7e]{1,100}")  # of a challenge: one line, nothing that could begin another
_STATEMENT: Final = "Sign in to make offers. This sends no transaction and moves no money."
_LARGEST: Final = 8 * 1024 * 1024  # bytes of an answer
_SECONDS: Final = 15.0  # to answer, besides what it was asked to wait


class ServiceAway(EscrowError):
    """The service does not answer, or not sensibly, or asks to wait: the same request may succeed later.

    `retry_after` in seconds.
    """

    code = "service_away"

    def __init__(self, url: str, reason: str, reason_zh: str, retry_after: int = 0) -> None:
        super().__init__(f"The service at {url} can't be used: {reason}.")
        self.message_zh = f"{url} 上的服务不能用：{reason_zh}。"
        self.url = url
        self.retry_after = retry_after


class ServiceRefused(EscrowError):
    """The service refuses, with the code of its own error in `reason`."""

    code = "service_refused"

    def __init__(self, reason: str, status: int, detail: str, detail_zh: str) -> None:
        super().__init__(f"The service refuses ({reason}): {detail}")
        self.message_zh = f"服务拒绝（{reason}）：{detail_zh}"
        self.reason = reason
        self.status = status


class ServiceSession:
    """Calls a service as an account. Not for several threads.

    Args:
        url: its origin, such as ``https://shop.example``.
        account: whose key signs in.
        chain_id: that the sign-in is bound to.
        statement: what the sign-in is for, in a line.
    """

    def __init__(self, url: str, account: LocalAccount, *, chain_id: int, statement: str = _STATEMENT) -> None:
        self._url = url.rstrip("/")
        self._account = account
        self._chain_id = chain_id
        self._statement = statement
        self._http = requests.Session()
        self._http.headers["Origin"] = self._url
        self._signed_in = False

    def offer_requests(self, *, after: str | None, wait: int) -> list[Mapping[str, Any]]:
        """Quotes that want an offer, after waiting up to `wait` seconds for one.

        Raises:
            ServiceAway, ServiceRefused.
        """
        query = {"wait": str(wait), **({} if after is None else {"after": after})}
        answer = self.call("GET", "/v1/offer-requests", params=query, timeout=wait + _SECONDS)
        found = answer.get("requests")
        if not isinstance(found, list):
            raise self.nonsense()
        return [one for one in found if isinstance(one, Mapping)]

    def bring(self, quote_id: str, offer: Offer) -> None:
        """Brings an offer. Raises `ServiceAway`, `ServiceRefused`."""
        body = {"expiry": offer.expiry, "signature": "0x" + offer.signature.hex(), "operator": offer.operator}
        self.call("POST", f"/v1/quotes/{quote_id}/offers", json=body, timeout=_SECONDS)

    def close(self) -> None:
        """Lets go of the connection."""
        self._http.close()

    def call(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        """Any route, signed in; `options` are those of `requests`, and `largest`, the bytes that the answer may have.

        Raises `ServiceAway`, `ServiceRefused`.
        """
        if not self._signed_in:
            self._sign_in()
        try:
            return self._ask(method, path, **options)
        except ServiceRefused as refusal:
            if refusal.status != 401:
                raise
        self._sign_in()  # the session has ended
        return self._ask(method, path, **options)

    def _sign_in(self) -> None:
        """EIP-4361. The message is made here, for the host that was asked for and no other."""
        self._http.cookies.clear()
        asked = self._ask("POST", "/v1/sign-in/challenge", timeout=_SECONDS)
        fields = [str(asked.get(name, "")) for name in ("nonce", "issued_at", "expiration_time")]
        if not all(_FIELD.fullmatch(field) for field in fields):
            raise self.nonsense()
        nonce, issued, expires = fields
        host = urlsplit(self._url).netloc
        message = (
            f"{host} wants you to sign in with your Ethereum account:\n{self._account.address}\n\n"
            f"{self._statement}\n\nURI: {self._url}\nVersion: 1\nChain ID: {self._chain_id}\nNonce: {nonce}\n"
            f"Issued At: {issued}\nExpiration Time: {expires}"
        )
        signature = bytes(self._account.sign_message(encode_defunct(text=message)).signature).hex()
        sent = {"message": message, "signature": f"0x{signature}"}
        self._ask("POST", "/v1/sign-in", json=sent, timeout=_SECONDS)
        self._signed_in = True

    def _ask(self, method: str, path: str, *, largest: int = _LARGEST, **options: Any) -> Mapping[str, Any]:
        try:
            with self._http.request(method, self._url + path, allow_redirects=False, stream=True, **options) as answer:
                content = answer.raw.read(largest + 1, decode_content=True)
        except (requests.RequestException, HTTPError) as error:
            reason = type(error).__name__
            raise ServiceAway(self._url, f"it does not answer ({reason})", f"没有应答（{reason}）") from None
        try:
            body = orjson.loads(content) if len(content) <= largest else None
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, Mapping):
            raise self.nonsense()
        if (answer.status_code >= 500 and answer.status_code != 501) or answer.status_code == 429:
            wait = answer.headers.get("Retry-After", "")
            raise ServiceAway(
                self._url,
                f"it answers {answer.status_code}",
                f"它的回答是 {answer.status_code}",
                min(int(wait), 600) if wait.isascii() and wait.isdigit() else 0,
            )
        if answer.status_code >= 300:
            told = [str(body.get(name, ""))[:500] for name in ("code", "detail_en", "detail_zh")]
            raise ServiceRefused(told[0], answer.status_code, told[1], told[2])
        return body

    def nonsense(self) -> ServiceAway:
        """For who finds the answer to make no sense."""
        return ServiceAway(self._url, "its answer is none of this service's", "它的回答不像本服务的")
