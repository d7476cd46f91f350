"""Problem details (RFC 9457): one body for every error, with the stable code that the SDK raises."""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from kameng_escrow.books.errors import BlockNotFinal, LibraryMissing, NothingFinal, PeriodNotFinal
from kameng_escrow.chain.errors import InsufficientFunds, InvalidInput, NodeError, TransactionError, UndecodableLog
from kameng_escrow.chinese import chinese
from kameng_escrow.client.receipt import ReceiptFalse, ReceiptUnreadable
from kameng_escrow.delivery.errors import (
    CodesSoldBefore,
    DeliveryError,
    DisclosureFalse,
    NotReleased,
    PayloadTooLarge,
)
from kameng_escrow.domain.disputes import PaperRefused
from kameng_escrow.domain.inputs import Malformed
from kameng_escrow.domain.listing import ListingMismatch
from kameng_escrow.domain.refusals import MayRetry, MustFix, MustWait, NeedsHuman
from kameng_escrow.errors import EscrowError
from kameng_escrow.notify import errors as notify
from kameng_escrow.relay import (
    DepositNotOpenable,
    RelayBudgetSpent,
    RelayError,
    RelayLimitReached,
    UnknownDeposit,
    UnknownRelay,
)
from kameng_escrow.store.errors import (
    InvalidCursor,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    UnknownContract,
    UnknownOrder,
)
from kameng_escrow.store.service.trade_errors import (
    NotYours,
    TradeError,
    UnitsOutOfBounds,
    UnknownListing,
    UnknownQuote,
)
from kameng_escrow.talk.errors import (
    BadArchive,
    Conflicted,
    FileRefused,
    FileTooLarge,
    NotInRoom,
    TalkError,
    UnknownItem,
    WrongSeat,
)

from .errors import BadRequest, NotFound, ServiceError, Unauthenticated

MEDIA_TYPE: Final = "application/problem+json"
# Where the store lies and what its driver says is for the log, not for a stranger.
_STORE_AWAY: Final = ("数据库暂时用不了：请稍后再试。", "The store can't be used at the moment: try again in a while.")
_log = logging.getLogger(__name__)

# By the nearest class above. A refusal of the contract is a conflict with how things stand on the chain.
_STATUS: Final[Mapping[type[EscrowError], int]] = {
    Malformed: 422,
    ReceiptFalse: 409,
    ReceiptUnreadable: 422,
    DeliveryError: 422,
    PayloadTooLarge: 413,
    CodesSoldBefore: 409,
    NotReleased: 409,
    DisclosureFalse: 409,
    InvalidInput: 422,
    MustFix: 409,
    MustWait: 409,
    MayRetry: 409,
    NeedsHuman: 409,
    UnknownOrder: 404,
    InvalidCursor: 422,
    TradeError: 409,
    UnknownListing: 404,
    UnknownQuote: 404,
    UnitsOutOfBounds: 422,
    NotYours: 403,
    ListingMismatch: 422,
    NotInRoom: 403,
    WrongSeat: 403,
    Conflicted: 403,
    UnknownItem: 404,
    FileTooLarge: 413,
    FileRefused: 422,
    PaperRefused: 422,
    BadArchive: 422,
    TalkError: 409,
    BlockNotFinal: 409,
    NothingFinal: 409,
    PeriodNotFinal: 409,
    LibraryMissing: 501,
    notify.NotifyError: 409,
    notify.EndpointUnfit: 422,
    notify.ChannelUnfit: 422,
    notify.PreferencesUnfit: 422,
    notify.CodeWrong: 422,
    notify.ChannelUnavailable: 501,
    notify.UnknownEndpoint: 404,
    notify.UnknownDelivery: 404,
    notify.UnknownChannel: 404,
    notify.LinkWrong: 404,
    notify.TooManyCodes: 429,
    notify.SealBroken: 503,
    StoreBusy: 503,
    UnknownContract: 503,
    StoreError: 503,
    NodeError: 502,
    UndecodableLog: 502,
    InsufficientFunds: 409,
    TransactionError: 502,
    UnknownRelay: 404,
    UnknownDeposit: 404,
    RelayLimitReached: 429,
    RelayBudgetSpent: 429,
    DepositNotOpenable: 422,
    RelayError: 409,
}


def status_of(error: EscrowError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, ServiceError):
        return error.status
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


class ProblemResponse(Response):
    """An answer that is a problem, with the `error` that it tells of."""

    def __init__(self, error: EscrowError, content: bytes, **options: Any) -> None:
        super().__init__(content, **options)
        self.error = error

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be answered otherwise later, by itself."""
        return self.status_code >= 500 or self.status_code == 429 or isinstance(self.error, MustWait | MayRetry)

    @property
    def leaves_open(self) -> bool:
        """Whether what was asked for may be done all the same: a store that was gone in the middle of a commit may have
        kept it, and a mistake of ours may come after it.
        """
        return isinstance(self.error, StoreUnavailable | InternalError)


def problem_response(
    request: Request, error: EscrowError, *, status: int | None = None, **more: Any
) -> ProblemResponse:
    """The answer to a request that failed with `error`, in the language that was asked for and in both."""
    hidden = isinstance(error, StoreError) and status_of(error) == 503
    zh, en = _STORE_AWAY if hidden else (chinese(error), error.message)
    status = status or status_of(error)
    body = {
        "type": f"/v1/problems/{error.code}",
        "title": type(error).__name__,
        "status": status,
        "detail": zh if prefers_chinese(request) else en,
        "code": error.code,
        "detail_zh": zh,
        "detail_en": en,
        "instance": f"urn:request:{getattr(request.state, 'request_id', '-')}",
        **({"values": facts} if not hidden and (facts := error.facts()) else {}),
        **more,
    }
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language"}
    if (wait := getattr(error, "retry_after", None)) is not None:
        headers["Retry-After"] = str(wait)
    elif isinstance(error, StoreBusy):
        headers["Retry-After"] = "1"
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return ProblemResponse(error, orjson.dumps(body), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def prefers_chinese(request: Request) -> bool:
    """Whether Accept-Language has Chinese before English; where it names neither, English."""
    wanted: list[tuple[float, bool]] = []
    for part in request.headers.get("accept-language", "")[:200].split(","):
        tag, _, weight = part.strip().partition(";q=")
        language = tag.lower()[:2]
        if language in ("zh", "en"):
            try:
                wanted.append((-(float(weight) if weight else 1.0), language == "zh"))
            except ValueError:
                continue
    return bool(wanted) and min(wanted, key=lambda one: one[0])[1]


def install(app: FastAPI) -> None:
    """Answers every error of `app` with a problem."""

    def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, EscrowError)
        if status_of(error) >= 500:
            _log.warning("request failed", extra={"code": error.code, "reason": error.message})
        return problem_response(request, error)

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        errors = [
            {"where": "/".join(str(step) for step in one["loc"]), "message": one["msg"], "kind": one["type"]}
            for one in error.errors()[:20]
        ]
        first = errors[0] if errors else {"where": "body", "message": "?"}
        refusal = BadRequest(
            f"The request is not as the interface describes it: {first['where']}: {first['message']}.",
            f"请求与接口的描述不符：{first['where']}：{first['message']}。",
        )
        return problem_response(request, refusal, errors=errors)

    def plain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if isinstance(error.__cause__, EscrowError):  # raised while the body was being read
            return problem_response(request, error.__cause__)
        response = problem_response(request, _of_status(error), status=error.status_code)
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        if error.status_code == 405:
            response.headers["Allow"] = ", ".join(sorted(_methods(request)))
        return response

    def unforeseen(request: Request, error: Exception) -> Response:
        _log.error("an error of ours", exc_info=error)
        return problem_response(request, InternalError())

    app.add_exception_handler(EscrowError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(Exception, unforeseen)


def _methods(request: Request) -> set[str]:
    """What the address takes, by all its routes together; a single one knows its own only."""
    path, document = request.url.path, request.app.openapi()
    templates = (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(known))) for known in document["paths"])
    if path in document["paths"]:
        return {method.upper() for method in document["paths"][path]}
    fitting = [known for known, one in zip(document["paths"], templates, strict=True) if one.fullmatch(path)]
    return {method.upper() for known in fitting for method in document["paths"][known]}


class InternalError(ServiceError):
    """A mistake of ours: nothing that the caller did."""

    code = "internal_error"
    status = 500

    def __init__(self) -> None:
        super().__init__(
            "The service failed by a mistake of its own: look whether it did what you asked for before you ask again, "
            "and report the request's number if it stays so.",
            "服务内部出错：请先看看要做的事是否已办成，再决定是否重试；若一直如此，请报告请求编号。",
        )


def _of_status(error: HTTPException) -> ServiceError:
    if error.status_code == 404:
        return NotFound("There is nothing at this address: see /docs.", "这个地址上什么都没有：请看 /docs。")
    if error.status_code == 401:
        return Unauthenticated()
    if error.status_code == 405:
        return BadRequest("This address does not take that method: see /docs.", "这个地址不接受这种方法：请看 /docs。")
    detail = str(error.detail)
    return BadRequest(f"The request is not understood: {detail}.", f"请求无法理解：{detail}。")
