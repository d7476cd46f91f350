"""What every request passes before its route's function runs: who sends it, whether it may, how often, how much.

In this order: the size of the body, who calls, how often, whether another site's page sends it, whether the route
admits the caller, whether it was answered before. Afterwards: ETags for what is read.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Final, get_args, get_origin

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import Message

from kameng_escrow.domain.inputs import parse_hash
from kameng_escrow.errors import EscrowError
from kameng_escrow.store.errors import StoreError
from kameng_escrow.store.service import idempotency
from kameng_escrow.store.service.idempotency import Became

from .callers import PUBLIC, Access, Caller, Kind, OrderAccess, access_to
from .errors import (
    BadRequest,
    CrossSite,
    Forbidden,
    IdempotencyConflict,
    OutcomeUnknown,
    StillUnderWay,
    TooLarge,
    Unauthenticated,
)
from .identity import Identity
from .parts import Parts
from .plain import check_address, check_body
from .problems import InternalError, ProblemResponse, problem_response

DEFAULT_BODY: Final = 256 * 1024  # bytes
_WRITING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

ORDER_ID: Final = re.compile(r"^0x[0-9a-fA-F]{64}$")  # as paths have it
_ANY: Final = "0x" + "0" * 64

_log = logging.getLogger(__name__)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a route asks of its requests."""

    access: Access
    max_body: int = DEFAULT_BODY  # bytes
    per_minute: int | None = None  # requests of one network address to this route; None: no limit of its own
    secret: bool = False  # whether the answer holds a secret: then it is not kept to be given again
    # What the function takes by which name, where all of that is found here: then it is called right after, without a
    # second wait for a thread. None: FastAPI reads its parameters.
    takes: Mapping[str, "Takes"] | None = None
    query: type[BaseModel] | None = None  # what it takes of the URL's query


class Takes(StrEnum):
    """What a route's function may take that the gate has found."""

    Request = "request"
    Caller = "caller"
    Order = "order"
    Parts = "parts"
    Query = "query"


class GatedRoute(APIRoute):
    """A route with a gate: a class of its own for each (see `behind`)."""

    gate: ClassVar[Gate]

    def get_route_handler(self) -> Handler:
        inner, gate = super().get_route_handler(), self.gate

        async def handle(request: Request) -> Response:
            request = _limited(request, gate.max_body)
            parts, identity = request.app.state.parts, request.app.state.identity
            try:
                if gate.takes is not None and _is_described(request, gate):
                    response = await request.app.state.readers.run(_read, request, gate, parts, identity, self)
                else:
                    await run_in_threadpool(_admit, request, gate, parts, identity, self.path)
                    response = await _answer_once(request, gate, parts, inner)
            except EscrowError as error:
                response = problem_response(request, error)
            return _with_etag(request, response)

        return handle


def behind(gate: Gate) -> type[GatedRoute]:
    """The class of a route with this gate."""
    return type("GatedRoute", (GatedRoute,), {"gate": gate})


def _limited(request: Request, limit: int) -> Request:
    """The same request, whose body ends in `TooLarge` past the limit, however it is sent."""
    received = 0
    receive = request.receive

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise TooLarge(limit)
        return message

    return _Request(request.scope, counted)


class _Request(Request):
    """A request whose JSON is read by a parser that no nesting overflows, whatever Python's recursion limit is."""

    async def json(self) -> Any:
        raw = await self.body()
        document = orjson.loads(raw)
        check_body(raw, document)
        return document


def _admit(request: Request, gate: Gate, parts: Parts, identity: Identity, path: str) -> None:
    """Finds out who calls and whether it may. What the route's function needs of it is in the request's state."""
    state = request.state
    _check_length(request, gate.max_body)
    check_address(request)
    if gate.per_minute is not None:
        identity.limits.count(f"{request.method} {path}", identity.address_of(request), gate.per_minute)
    try:
        caller = state.caller = identity.caller_of(request)
    except EscrowError:  # a key that is none: guesses are counted as those of whoever has not signed in
        identity.limits.count_caller(Caller(account=None, address=identity.address_of(request)))
        raise
    identity.limits.count_caller(caller)
    if request.method in _WRITING and caller.session_id is not None:
        _check_origin(request, parts)
    if caller.account is None and gate.access != PUBLIC and getattr(state, "ended_session", False):
        raise Unauthenticated("The session has ended: sign in again.", "会话已结束：请重新登录。")
    check_access(gate.access, caller)
    if gate.access.kind is Kind.Order:
        state.order = _order_of(request.path_params["order_id"], gate.access, caller, parts)


def _is_described(request: Request, gate: Gate) -> bool:
    """Whether path and query are as the description says, so that FastAPI has nothing to refuse."""
    if ORDER_ID.fullmatch(request.path_params.get("order_id", _ANY)) is None:
        return False
    if gate.query is not None:
        try:
            request.state.query = gate.query.model_validate(_query_of(request, gate.query))
        except ValidationError:
            return False
    return True


def _query_of(request: Request, model: type[BaseModel]) -> dict[str, str | list[str]]:
    """What the URL's query has of the model's fields: of lists every value, of others the last, as FastAPI takes it."""
    asked = request.query_params
    several = _lists_of(model)
    return {
        name: asked.getlist(name) if name in several else asked[name] for name in model.model_fields if name in asked
    }


@cache
def _lists_of(model: type[BaseModel]) -> frozenset[str]:
    """The model's fields that are lists, or may be."""
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if _is_list(field.annotation))


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list or any(get_origin(one) is list for one in get_args(kind))


def _read(request: Request, gate: Gate, parts: Parts, identity: Identity, route: APIRoute) -> Response:
    """What a function answers that only reads, and takes what is found here."""
    _admit(request, gate, parts, identity, route.path)
    state = request.state
    found = {Takes.Request: request, Takes.Parts: parts, Takes.Caller: state.caller}
    if gate.access.kind is Kind.Order:
        found[Takes.Order] = state.order
    if gate.query is not None:
        found[Takes.Query] = state.query
    response: Response = route.endpoint(**{name: found[what] for name, what in (gate.takes or {}).items()})
    return response


def _check_length(request: Request, limit: int) -> None:
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limit:
        raise TooLarge(limit)


def _check_origin(request: Request, parts: Parts) -> None:
    """Refuses what a browser sends from elsewhere: it would send the session's cookie along (OWASP, CSRF)."""
    if request.headers.get("origin") != parts.config.public_url:
        raise CrossSite()


def check_access(access: Access, caller: Caller) -> None:
    """Raises `Unauthenticated` or `Forbidden` where the caller can't be one of those the route is for, whatever the
    order says.
    """
    if access == PUBLIC:
        return
    if caller.account is None:
        raise Unauthenticated()
    if caller.key_id is None:
        return
    if access.scope is None:
        raise Forbidden(
            "API keys may not do this: sign in with the account's wallet.",
            "API 密钥不能做这件事：请用账户的钱包登录。",
        )
    if access.scope not in caller.scopes:
        raise Forbidden(
            f"The API key lacks the scope {access.scope}: make one that has it.",
            f"这个 API 密钥没有 {access.scope} 权限：请创建有此权限的密钥。",
            scope=str(access.scope),
        )


def _order_of(text: str, access: Access, caller: Caller, parts: Parts) -> OrderAccess:
    order_id = parse_hash(text, "order_id")
    found = access_to(parts.book.seen(order_id, caller.known), caller.known, parts.clock())
    if not found.roles & access.roles:
        allowed = ", ".join(sorted(access.roles))
        raise Forbidden(
            f"Only the order's {allowed} may do this; {caller.known} is none of them.",
            f"只有订单的 {allowed} 可以做这件事，而 {caller.known} 不是。",
            allowed=allowed,
        )
    return found


# ---------------------------------------------------------------------------------------------------------- only once


async def _answer_once(request: Request, gate: Gate, parts: Parts, inner: Handler) -> Response:
    """The route's answer; to a POST with an Idempotency-Key that was answered already, the same again."""
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    if key is None or gate.access == PUBLIC:
        return await inner(request)
    if not 0 < len(key) <= idempotency.KEY_LENGTH or not key.isprintable():
        raise BadRequest(
            f"An Idempotency-Key has 1 to {idempotency.KEY_LENGTH} printable characters.",
            f"Idempotency-Key 应为 1 到 {idempotency.KEY_LENGTH} 个可见字符。",
        )
    caller: Caller = request.state.caller
    target = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    asked = hashlib.sha256(target + await request.body()).hexdigest()
    named = {"caller": caller.name, "key": key}

    def begin() -> idempotency.Before | None:
        with parts.store.writing() as session:
            return idempotency.begin(session, **named, request_hash=asked, now=parts.clock())

    def finish(response: Response | None) -> None:
        """`response`: None: the request was refused before the route's function ran."""
        with parts.store.writing() as session:
            if isinstance(response, ProblemResponse) and response.leaves_open:
                idempotency.leave_unknown(session, **named)
            elif response is None or (isinstance(response, ProblemResponse) and response.may_pass):
                idempotency.forget(session, **named)
            else:
                body = None if gate.secret and response.status_code < 300 else bytes(response.body)
                idempotency.finish(
                    session, **named, status=response.status_code, media_type=response.media_type, body=body
                )

    def try_to_finish(response: Response | None) -> None:
        try:
            finish(response)
        except StoreError as error:  # what was done is done, and its answer true: the key says that it is unknown
            _log.warning("an answer was not written down", extra={"code": error.code, "reason": error.message})

    before = await run_in_threadpool(begin)
    if before is not None:
        return _again(before)
    try:
        response = await _whole(request, inner)
    except (HTTPException, RequestValidationError):
        await run_in_threadpool(try_to_finish, None)
        raise
    # Whatever else ends it here (the process, the caller's leaving) leaves open what became of it.
    await run_in_threadpool(try_to_finish, response)
    return response


async def _whole(request: Request, inner: Handler) -> Response:
    """The route's answer, its refusals and our mistakes included."""
    try:
        return await inner(request)
    except EscrowError as error:
        return problem_response(request, error)
    except (HTTPException, RequestValidationError):
        raise
    except Exception as error:
        _log.error("an error of ours", exc_info=error)
        return problem_response(request, InternalError())


def _again(before: idempotency.Before) -> Response:
    if not before.same:
        raise IdempotencyConflict(
            "This Idempotency-Key was used for another request: take a fresh key for each.",
            "这个 Idempotency-Key 已用于另一个请求：每个请求都要用新的。",
        )
    if before.became is Became.UnderWay:
        raise StillUnderWay()
    if before.became is Became.Unknown or before.status is None:
        raise OutcomeUnknown()
    if before.body is None:
        raise IdempotencyConflict(
            "This was done already, and what it answered is shown only once: look at the list.",
            "这件事已经办过，它的回答只显示一次：请查看列表。",
        )
    headers = {"Idempotent-Replayed": "true"}
    return Response(before.body, status_code=before.status, media_type=before.media_type, headers=headers)


# ---------------------------------------------------------------------------------------------------------- afterwards


def _with_etag(request: Request, response: Response) -> Response:
    """Names what a GET answers by its content (RFC 9110), and says nothing where the caller has it already."""
    body = getattr(response, "body", None)
    if request.method != "GET" or response.status_code != 200 or not isinstance(body, bytes):
        return response
    response.headers.setdefault("Cache-Control", "private, no-cache")
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response.headers["ETag"] = tag
    if tag not in (one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")):
        return response
    kept = {name: value for name, value in response.headers.items() if name not in ("content-length", "content-type")}
    return Response(status_code=304, headers=kept)
