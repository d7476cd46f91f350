"""Signing in and out; platforms' API keys."""

from fastapi import Request, Response
from sqlalchemy.orm import Session

from kameng_escrow.store.service import accounts
from kameng_escrow.store.service.audit import audit

from ..callers import PUBLIC, SESSION, Caller, Scope, account
from ..errors import NotFound
from ..identity import Identity
from ..routing import Router, TheCaller, TheParts
from ..schemas.accounts import (
    ChallengeView,
    KeySecretView,
    KeysView,
    KeyView,
    MeView,
    NewKey,
    RotateKey,
    SignedOutView,
    SignIn,
    SignOut,
)
from ..schemas.common import moment
from ..sign_in import challenge
from ..sign_in import sign_in as sign_in_with

routes = Router("accounts")

SIGN_INS_PER_MINUTE = 30  # of one network address


@routes.post("/v1/sign-in/challenge", access=PUBLIC, per_minute=SIGN_INS_PER_MINUTE)
def sign_in_challenge(parts: TheParts) -> ChallengeView:
    """What a wallet has to sign. The nonce lives for ten minutes and is good for one sign-in."""
    return ChallengeView(**challenge(parts))


@routes.post("/v1/sign-in", access=PUBLIC, per_minute=SIGN_INS_PER_MINUTE)
def sign_in(body: SignIn, request: Request, response: Response, parts: TheParts) -> MeView:
    """Signs in with a wallet's signature (EIP-4361; contracts by ERC-1271 and ERC-6492) and sets the session's cookie,
    which no script can read.
    """
    who, token = sign_in_with(parts, body.message, body.signature)
    identity: Identity = request.app.state.identity
    identity.set_cookie(response, token)
    request.state.fresh_token = None  # of the session that the browser came with, which this one replaces
    caller: Caller = request.state.caller
    if caller.session_id is not None:
        with parts.store.writing() as session:
            accounts.end_sessions(session, session_id=caller.session_id)
    return MeView(account=who, by="session")


@routes.get("/v1/me", access=account(Scope.OrdersRead))
def who_am_i(caller: TheCaller) -> MeView:
    """The account that calls."""
    by = "key" if caller.key_id else "session"
    return MeView(account=caller.known, by=by, key_id=caller.key_id, scopes=sorted(caller.scopes))


@routes.post("/v1/sign-out", access=SESSION)
def sign_out(body: SignOut, request: Request, response: Response, caller: TheCaller, parts: TheParts) -> SignedOutView:
    """Ends this session, or all of the account's."""
    with parts.store.writing() as session:
        if body.everywhere:
            ended = accounts.end_sessions(session, account=caller.known)
        else:
            ended = accounts.end_sessions(session, session_id=caller.session_id)
    identity: Identity = request.app.state.identity
    identity.clear_cookie(response)
    request.state.fresh_token = None
    return SignedOutView(ended=ended)


@routes.post("/v1/api-keys", access=SESSION, secret=True, status_code=201)
def create_api_key(body: NewKey, caller: TheCaller, parts: TheParts) -> KeySecretView:
    """Makes a key that acts for the signed-in account within its scopes. The secret is shown this once."""
    now = parts.clock()
    expires_at = None if body.days is None else now + body.days * 86_400
    with parts.store.writing() as session:
        row, secret = accounts.create_key(
            session, caller.known, name=body.name, scopes=set(body.scopes), now=now, expires_at=expires_at
        )
        session.flush()
        _tell(session, caller, "key.create", row)
        return KeySecretView(key=_view(row, now), secret=secret)


@routes.get("/v1/api-keys", access=SESSION)
def list_api_keys(caller: TheCaller, parts: TheParts) -> KeysView:
    """The account's keys, the newest first."""
    now = parts.clock()
    with parts.store.reading() as session:
        return KeysView(keys=[_view(row, now) for row in accounts.keys_of(session, caller.known)])


@routes.post("/v1/api-keys/{key_id}/rotate", access=SESSION, secret=True, status_code=201)
def rotate_api_key(key_id: str, body: RotateKey, caller: TheCaller, parts: TheParts) -> KeySecretView:
    """Makes a key in another's place; the old one is taken a while longer, so that nothing stands still."""
    now = parts.clock()
    with parts.store.writing() as session:
        row = _own(session.get(accounts.ApiKeyRow, key_id, with_for_update=True), caller.known, now)
        fresh, secret = accounts.replace_key(session, row, now=now, overlap=body.overlap_seconds)
        session.flush()
        _tell(session, caller, "key.rotate", row, replaced_by=fresh.id)
        return KeySecretView(key=_view(fresh, now), secret=secret)


@routes.delete("/v1/api-keys/{key_id}", access=SESSION)
def revoke_api_key(key_id: str, caller: TheCaller, parts: TheParts) -> KeyView:
    """Ends a key at once."""
    now = parts.clock()
    with parts.store.writing() as session:
        row = _own(session.get(accounts.ApiKeyRow, key_id, with_for_update=True), caller.known, now)
        accounts.revoke_key(row, now)
        _tell(session, caller, "key.revoke", row)
        return _view(row, now)


def _tell(session: Session, caller: Caller, action: str, row: accounts.ApiKeyRow, **details: str) -> None:
    """Writes into the audit log what was done with a key."""
    audit(session, caller.name, action, row.id, {"scopes": sorted(row.scopes), **details}, platform=caller.known)


def _own(row: accounts.ApiKeyRow | None, who: str, now: int) -> accounts.ApiKeyRow:
    """The account's own key that is in force. Raises `NotFound`, also for others' keys."""
    if row is None or row.platform != who or (row.expires_at is not None and now >= row.expires_at):
        raise NotFound("There is no such key in force: look at the list.", "没有这个有效的密钥：请查看列表。")
    return row


def _view(row: accounts.ApiKeyRow, now: int) -> KeyView:
    return KeyView(
        id=row.id,
        name=row.name,
        scopes=row.scopes,
        created_at=str(moment(row.created_at)),
        last_used_at=moment(row.used_at),
        expires_at=moment(row.expires_at),
        active=row.expires_at is None or now < row.expires_at,
        replaced_by=row.replaced_by,
    )
