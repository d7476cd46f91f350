"""How a topic states its routes: with who may call them, always."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Depends, Path, Request, Response, params
from pydantic import BaseModel, Field

from .callers import Access, Caller, Kind, OrderAccess
from .gate import DEFAULT_BODY, ORDER_ID, Gate, Takes, behind
from .parts import Parts

F = TypeVar("F", bound=Callable[..., Any])


class ProblemView(BaseModel):
    """What went wrong (RFC 9457), and what to do."""

    type: str = Field(description="Where this kind of problem is explained, relative to the service.")
    title: str
    status: int
    detail: str = Field(description="A sentence in the language asked for with Accept-Language.")
    code: str = Field(description="Stable, and the same as the SDK's error's.")
    detail_zh: str
    detail_en: str
    instance: str = Field(description="The request, as in X-Request-Id and the log.")
    values: dict[str, Any] | None = Field(default=None, description="What was attempted and what was allowed.")
    errors: list[dict[str, Any]] | None = Field(default=None, description="Where the request is not as described.")


_PROBLEMS: Final = {
    401: "Nobody has signed in, or the key is none.",
    403: "Who calls may not do this.",
    404: "There is nothing of that name.",
    409: "How things stand does not allow it; on the chain, or here.",
    413: "Too much was sent.",
    422: "The request is not as described.",
    429: "Too many requests.",
    501: "This service is not set up for that.",
    502: "The node does not answer, or not sensibly.",
    503: "The store can't be used at the moment.",
}


def _problems(access: Access, method: str, path: str) -> dict[int | str, dict[str, Any]]:
    told = {401, 422, 429, 503}  # a key that is none is told so even where none is needed
    if access.kind is not Kind.Public:
        told.add(403)
    if "{" in path or method != "GET":  # whose body may name something
        told.add(404)
    if method != "GET":
        told |= {404, 409, 413, 502}  # what is sent may name something too
    return also(*sorted(told))


def also(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=`: problems that a route has besides those that its kind always has."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemView"}}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in statuses}


class Router:
    """A topic's routes. Each states its access; `include` them with `router`."""

    def __init__(self, topic: str) -> None:
        self.router = APIRouter(tags=[topic])

    def get(self, path: str, *, access: Access, **options: Any) -> Callable[[F], F]:
        """A GET that answers JSON: it has an ETag."""
        return self._add("GET", path, access, options)

    def post(self, path: str, *, access: Access, **options: Any) -> Callable[[F], F]:
        """A POST; but for public ones it may be sent again with the same Idempotency-Key.

        Options are FastAPI's, and `max_body` (bytes), `per_minute` (of one network address), `secret` (the answer holds
        one); likewise below.
        """
        return self._add("POST", path, access, options)

    def put(self, path: str, *, access: Access, **options: Any) -> Callable[[F], F]:
        return self._add("PUT", path, access, options)

    def patch(self, path: str, *, access: Access, **options: Any) -> Callable[[F], F]:
        return self._add("PATCH", path, access, options)

    def delete(self, path: str, *, access: Access, **options: Any) -> Callable[[F], F]:
        return self._add("DELETE", path, access, options)

    def _add(self, method: str, path: str, access: Access, options: dict[str, Any]) -> Callable[[F], F]:
        asked = {
            "access": access,
            "max_body": options.pop("max_body", DEFAULT_BODY),
            "per_minute": options.pop("per_minute", None),
            "secret": options.pop("secret", False),
        }
        extra: dict[str, Any] = {"x-access": access.described(), **options.pop("openapi_extra", {})}
        if access.kind is not Kind.Public:
            extra["security"] = [{"session": []}, *([{"apiKey": []}] if access.scope else [])]
        if method == "POST" and access.kind is not Kind.Public:
            extra["parameters"] = [*extra.get("parameters", []), _IDEMPOTENCY]
        responses = {**_problems(access, method, path), **options.pop("responses", {})}

        def register(function: F) -> F:
            takes = _taken(function) if method == "GET" else None
            gate = Gate(**asked, takes=takes, query=None if takes is None else _query_of(function))
            self.router.add_api_route(
                path,
                function,
                route_class_override=behind(gate),
                methods=[method],
                openapi_extra=extra,
                responses=responses,
                operation_id=function.__name__,
                response_model_exclude_none=options.pop("response_model_exclude_none", False),
                **options,
            )
            return function

        return register


_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key and request again: the same answer again, and nothing is done twice, even where nobody"
    " knows what became of the first (`outcome_unknown`). Kept for a day.",
}


OrderId = Annotated[str, Path(pattern=ORDER_ID.pattern, description="The order's id on the chain.")]


async def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


async def _order(request: Request, order_id: OrderId) -> OrderAccess:  # noqa: ARG001 - for the description
    order: OrderAccess = request.state.order
    return order


async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


TheCaller = Annotated[Caller, Depends(_caller)]  # who calls
TheOrder = Annotated[OrderAccess, Depends(_order)]  # of routes whose access is `order(…)`
TheParts = Annotated[Parts, Depends(_parts)]


def _taken(function: Callable[..., Any]) -> dict[str, Takes] | None:
    """What the gate can call a function with; None where it takes more than that, or does not answer by itself."""
    found = {TheCaller: Takes.Caller, TheOrder: Takes.Order, TheParts: Takes.Parts, Request: Takes.Request}
    hints = get_type_hints(function, include_extras=True)
    answer = hints.pop("return", None)
    takes = {name: Takes.Query if _query_in(hint) else found.get(hint) for name, hint in hints.items()}
    if inspect.iscoroutinefunction(function) or answer is not Response:
        return None
    known = {name: what for name, what in takes.items() if what is not None}
    return known if len(known) == len(takes) else None


def _query_of(function: Callable[..., Any]) -> type[BaseModel] | None:
    """The model of the URL's query that a function takes."""
    hints = get_type_hints(function, include_extras=True)
    return next((model for hint in hints.values() if (model := _query_in(hint)) is not None), None)


def _query_in(hint: Any) -> type[BaseModel] | None:
    """The model that is the whole query, as in ``Annotated[Model, Query()]``."""
    if get_origin(hint) is not Annotated:
        return None
    model, *about = get_args(hint)
    is_model = inspect.isclass(model) and issubclass(model, BaseModel)
    return model if is_model and any(isinstance(one, params.Query) for one in about) else None
