"""A call of the service, and what to do about its answer: decided here, sent elsewhere."""

import json
import random
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson

from .errors import PlatformError, ServiceBusy, ServiceNonsense, ServiceProblem

LONGEST_WAIT: Final = 60.0  # seconds: longer than that nobody is made to wait in a call
_AGAIN: Final = frozenset({429, 502, 503, 504})  # statuses after which the same request may succeed
BUSY: Final = _AGAIN | {500}  # statuses of a service that refuses for now; 500: a mistake of its own, which was undone
_SECONDS: Final = re.compile(r"[0-9]{1,6}")  # a Retry-After that is no date
_SAFE: Final = frozenset({"GET", "PUT", "DELETE"})  # what does the same twice (RFC 9110, 9.2.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bool = False  # whether the answer is bytes and not JSON

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again where nobody knows what became of it."""
        return self.method in _SAFE or "Idempotency-Key" in self.headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


def make_call(
    method: str,
    path: str,
    *parts: str,
    query: Mapping[str, Any] | None = None,
    body: Any = None,
    content: bytes | None = None,
    idempotency_key: str | None = None,
    once: bool = False,
    raw: bool = False,
) -> Call:
    """A call.

    Args:
        path: with ``{}`` for each of `parts`.
        query: None values are left out, sequences are repeated.
        body: as JSON. Or `content`, as it is.
        idempotency_key: left out where `once` is set, a fresh one is made.
        once: whether the service takes such a key.
        raw: the answer is bytes.
    """
    headers = {}
    if once:
        headers["Idempotency-Key"] = idempotency_key or secrets.token_hex(16)
    data = content
    if content is not None:
        headers["Content-Type"] = "application/octet-stream"
    elif body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    filled = path.format(*(quote(part, safe="") for part in parts))
    return Call(method=method, path=filled, query=_query(query or {}), body=data, headers=headers, raw=raw)


def _query(given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for name, value in given.items():
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        pairs += [(name, _text(one)) for one in several if one is not None]
    return tuple(pairs)


def _text(value: Any) -> str:
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def wait_before_again(call: Call, answer: Answer | None, attempt: int, most: int) -> float | None:
    """Seconds to wait before the call is sent again; None: it is not.

    Args:
        answer: None: nobody answered.
        attempt: how often it was sent, from 1.
        most: how often it may be sent again.
    """
    if attempt > most:
        return None
    if answer is None:
        return _backoff(attempt) if call.repeatable else None
    stated = answer.headers.get("retry-after", "")
    unfinished = answer.status == 409 and stated and call.repeatable  # the one before is still under way
    if not unfinished and (answer.status not in _AGAIN or not (call.repeatable or answer.status == 429)):
        return None
    if _SECONDS.fullmatch(stated):
        return float(stated) if int(stated) <= LONGEST_WAIT else None
    return _backoff(attempt)


def _backoff(attempt: int) -> float:
    """With full jitter, so that many who were refused together do not come back together."""
    return random.uniform(0.0, min(8.0, 0.25 * 2**attempt))


def read_answer(url: str, call: Call, answer: Answer) -> Any:
    """The answer's JSON, or bytes.

    Raises:
        ServiceProblem: it is a problem.
        ServiceNonsense: it is neither.
    """
    if 200 <= answer.status < 300:
        if call.raw:
            return answer.body
        found = _document(answer.body)
        if found is None:
            raise ServiceNonsense(url, answer.status)
        return found
    raise problem_of(url, answer)


def problem_of(url: str, answer: Answer) -> PlatformError:
    """What an answer that is no success means."""
    problem = None
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        problem = _document(answer.body)
    if problem is None:
        return ServiceNonsense(url, answer.status)
    if answer.status in BUSY:
        stated = answer.headers.get("retry-after", "")
        return ServiceBusy(answer.status, problem, int(stated) if _SECONDS.fullmatch(stated) else 0)
    return ServiceProblem(answer.status, problem)


def _document(body: bytes) -> dict[str, Any] | None:
    """The JSON object that an answer is: the service answers nothing else. None: it is none."""
    try:
        found = orjson.loads(body)  # which no nesting overflows, whatever Python's recursion limit is
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
