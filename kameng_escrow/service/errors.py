"""What the service itself refuses; each class has the HTTP status that it is answered with.

ServiceError
├── BadRequest            the request is not understood: mend it
│   └── UnfitCharacters   some text has a character that no text here may have
├── Unauthenticated       nobody is signed in, or the key is none: sign in
├── SignInRefused         the signed message is not the one that was asked for
├── Forbidden             who calls may not: nothing that the same caller can do about it
├── CrossSite             a browser sends this from another site's page
├── NotFound              there is nothing of that name, or nothing for who asks
├── Conflict              it was changed meanwhile, or is not in a state for this
├── IdempotencyConflict   the key was used for another request, or its answer is shown only once
│   ├── StillUnderWay     the first request with the key has not ended yet: ask again in a moment
│   └── OutcomeUnknown    nobody knows what became of the first request with the key: look, then take a fresh key
├── TooLarge              the body, or a part of it, is over the limit
├── TooMany               requests, of this caller: wait
└── NotOffered            this service is not set up for that
"""

from typing import Any

from kameng_escrow.errors import EscrowError


class ServiceError(EscrowError):
    """The root of what the service refuses. `fields` are for machines."""

    code = "service_error"
    status = 400

    def __init__(self, message: str, message_zh: str, **fields: Any) -> None:
        super().__init__(message)
        self.message_zh = message_zh
        self.fields = fields


class BadRequest(ServiceError):
    """The request is not understood, or asks for something that can't be."""

    code = "bad_request"
    status = 422


class UnfitCharacters(BadRequest):
    """Some text has a character that no text here may have: NUL, or half a pair of surrogates. `place` says where."""

    code = "unfit_characters"

    def __init__(self, place: str) -> None:
        super().__init__(
            f"There is a NUL character, or half of a surrogate pair, in {place}: leave it out.",
            f"{place} 里有 NUL 字符或不成对的代理字符：请去掉。",
            place=place,
        )


class Unauthenticated(ServiceError):
    """Nobody is signed in, or the key or session is none, or not any more."""

    code = "unauthenticated"
    status = 401

    def __init__(self, message: str | None = None, message_zh: str | None = None) -> None:
        super().__init__(
            message or "This needs a signed-in account, or an API key: sign in first.",
            message_zh or "这需要登录的账户或 API 密钥：请先登录。",
        )


class SignInRefused(ServiceError):
    """The signed message is not the one that this service asked for, or its signature is not the account's."""

    code = "sign_in_refused"
    status = 401


class Forbidden(ServiceError):
    """Who calls may not do this."""

    code = "forbidden"
    status = 403


class CrossSite(ServiceError):
    """A browser sent a writing request that does not come from this service's own pages."""

    code = "cross_site"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "A signed-in browser may write from this service's own pages only: the Origin header is another's.",
            "已登录的浏览器只能从本服务自己的页面发起写操作：Origin 与本服务不符。",
        )


class NotFound(ServiceError):
    """There is nothing of that name, or nothing that who asks may see."""

    code = "not_found"
    status = 404


class Conflict(ServiceError):
    """It was changed meanwhile, or is not in a state for this."""

    code = "conflict"
    status = 409


class IdempotencyConflict(ServiceError):
    """The idempotency key was used for another request, or what it answered is shown only once."""

    code = "idempotency_conflict"
    status = 409


class StillUnderWay(IdempotencyConflict):
    """The first request with the idempotency key has not ended yet. `retry_after` in seconds."""

    code = "still_under_way"
    retry_after = 1

    def __init__(self) -> None:
        super().__init__(
            "The first request with this Idempotency-Key is still under way: ask again in a moment.",
            "带这个 Idempotency-Key 的第一个请求还在处理：请稍后再问。",
        )


class OutcomeUnknown(IdempotencyConflict):
    """Nobody knows whether the first request with the idempotency key did what it was to do: it is not done again."""

    code = "outcome_unknown"

    def __init__(self) -> None:
        super().__init__(
            "The first request with this Idempotency-Key ended without an answer that could be written down: it may "
            "have done what it was to do. It is not done again: look at what it would have made, and if it is not "
            "there, ask with a fresh key.",
            "带这个 Idempotency-Key 的第一个请求没有留下回答：要做的事可能已办成。不会再做一次：请查看它本应产生的"
            "结果，确认没有之后再用新的 Idempotency-Key 请求。",
        )


class TooLarge(ServiceError):
    """The body, or a part of it, is over the limit; nothing of it was kept. Sizes in bytes."""

    code = "too_large"
    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"What was sent is larger than the {limit:,} bytes that this takes: send less.",
            f"发送的内容超过上限 {limit:,} 字节：请减小。",
            limit=limit,
        )


class TooMany(ServiceError):
    """The caller sent more requests than it may. `retry_after` in seconds."""

    code = "too_many_requests"
    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"Too many requests: wait {retry_after} s, then go on.",
            f"请求太频繁：请等 {retry_after} 秒再继续。",
            retry_after=retry_after,
        )
        self.retry_after = retry_after


class NotOffered(ServiceError):
    """This service is not set up for that."""

    code = "not_offered"
    status = 501
