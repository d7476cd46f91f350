"""Finds out who sends a request: by a session's cookie or by an API key, which is a bearer token (RFC 6750)."""

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response

from kameng_escrow.store import Store
from kameng_escrow.store.service import accounts

from .callers import Caller
from .errors import Unauthenticated
from .limits import Limits
from .parts import Parts


class Identity:
    """Who is who, for one application."""

    def __init__(self, parts: Parts) -> None:
        self._config = parts.config
        self._store: Store = parts.store
        self._clock = parts.clock
        self.limits = Limits(parts.config)

    @property
    def cookie(self) -> str:
        """The session cookie's name. The prefix has browsers hold it to this host and to TLS (RFC 6265bis)."""
        return "__Host-kameng" if self._config.secure else "kameng"

    def caller_of(self, request: Request) -> Caller:
        """Who sends the request; nobody known where it has neither a key nor the cookie of a session that goes on.

        Raises:
            Unauthenticated: it has a key that is none, or not any more.
        """
        address = self.address_of(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._by_key(token.strip(), address)
        if scheme:
            raise Unauthenticated(
                "Only Bearer is understood in the Authorization header: send the API key so.",
                "Authorization 头只认 Bearer：请这样发送 API 密钥。",
            )
        cookie = request.cookies.get(self.cookie)
        return Caller(account=None, address=address) if cookie is None else self._by_session(request, cookie, address)

    def _by_key(self, token: str, address: str) -> Caller:
        now = self._clock()
        found = self._store.glance(lambda reader: accounts.glance_key(reader, token, now))
        if found is not None:
            key_id, platform, scopes = found
            return Caller(account=platform, key_id=key_id, scopes=frozenset(scopes), address=address)
        with self._store.reading() as session:
            row = accounts.find_key(session, token, now)
            if row is None:
                raise Unauthenticated(
                    "The API key is none, or has ended: take one that is in force.",
                    "API 密钥不对，或已失效：请换一个有效的。",
                )
            caller = Caller(account=row.platform, key_id=row.id, scopes=frozenset(row.scopes), address=address)
            touch = accounts.key_needs_touch(row, now)
        if touch:
            with self._store.writing() as session:
                accounts.touch_key(session, str(caller.key_id), now)
        return caller

    def _by_session(self, request: Request, token: str, address: str) -> Caller:
        now = self._clock()
        found = self._store.glance(lambda reader: accounts.glance_session(reader, token, now))
        if found is not None:
            return Caller(account=found[1], session_id=found[0], address=address)
        with self._store.reading() as session:
            row = accounts.find_session(session, token, now)
            stolen = accounts.is_stolen(session, token, now) if row is None else None
            caller = None if row is None else Caller(account=row.account, session_id=row.id, address=address)
            touch = row is not None and accounts.needs_touch(row, now)
        if caller is None:
            if stolen is not None:
                with self._store.writing() as session:
                    accounts.end_sessions(session, session_id=stolen)
            request.state.ended_session = True  # which keeps nobody from what is public, signing in again included
            return Caller(account=None, address=address)
        if touch:
            with self._store.writing() as session:
                fresh = accounts.touch_session(
                    session, str(caller.session_id), token, now, lifetime=self._config.session_seconds
                )
            request.state.fresh_token = fresh
        return caller

    def set_cookie(self, response: Response, token: str) -> None:
        """Hands a session's token to the browser: no script reads it, and other sites' pages don't send it."""
        response.set_cookie(
            self.cookie,
            token,
            max_age=self._config.session_seconds,
            path="/",
            secure=self._config.secure,
            httponly=True,
            samesite="lax",
        )

    def has_news(self, state: Mapping[str, Any]) -> bool:
        """Whether `refresh` has something to say."""
        return state.get("fresh_token") is not None or bool(state.get("ended_session"))

    def refresh(self, state: Mapping[str, Any], response: Response) -> None:
        """Gives the browser the token that its session has by now, or takes a dead one back, with whatever is answered:
        a token that was replaced and never arrived would end the session.
        """
        fresh = state.get("fresh_token")
        if fresh is not None:
            self.set_cookie(response, fresh)
        elif state.get("ended_session") and "set-cookie" not in response.headers:
            self.clear_cookie(response)

    def clear_cookie(self, response: Response) -> None:
        """Takes it back."""
        response.delete_cookie(self.cookie, path="/", secure=self._config.secure, httponly=True, samesite="lax")

    def address_of(self, request: Request) -> str:
        """The visitor's network address: of the connection, or as the reverse proxies in front say.

        Who is not behind as many proxies as the settings say could claim any: their number is the operator's to get
        right. An IPv6 address counts as its /64, which one household has.
        """
        found = request.client.host if request.client else ""
        if self._config.proxies:
            hops = [hop.strip() for hop in ",".join(request.headers.getlist("x-forwarded-for")).split(",")]
            if len(hops) >= self._config.proxies:
                found = hops[-self._config.proxies]
        try:
            address = ipaddress.ip_address(found)
        except ValueError:
            return _UNKNOWN
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address)


_UNKNOWN: Final = "unknown"
