"""What a platform's program hears from the service.

PlatformError
├── InvalidUrl           the service's URL is none
├── ServiceProblem       the service refused (RFC 9457): `code` is what the SDK calls the same
│   └── ServiceBusy      for now: too many requests, or something that it needs is away; the same may succeed later
├── ServiceUnreachable   nobody answers, or not in time: whether a POST was carried out is told by sending it again
├── ServiceNonsense      what answers is not the service, or one of another version
└── AnswerTooLarge       what answers sends more than the client takes
"""

from collections.abc import Mapping
from typing import Any

from kameng_escrow.errors import EscrowError


class PlatformError(EscrowError):
    """The root."""

    code = "platform_error"


class InvalidUrl(PlatformError):
    """The service's URL is none."""

    code = "invalid_url"

    def __init__(self) -> None:
        super().__init__("The service's URL looks like https://escrow.example, without a name or key in it.")
        self.message_zh = "服务的网址应像 https://escrow.example，里面不带用户名和密钥。"


class ServiceProblem(PlatformError):
    """The service refused. `code` is that of the error it names; `values` are what was attempted and allowed."""

    code = "service_problem"

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail_en") or problem.get("detail") or f"HTTP {status}"))
        self.message_zh = str(problem.get("detail_zh") or self.message)
        self.code = str(problem.get("code") or self.code)
        self.status = status
        values, errors = problem.get("values"), problem.get("errors")
        self.values = dict(values) if isinstance(values, Mapping) else {}
        self.errors = list(errors) if isinstance(errors, list) else []
        self.request = str(problem.get("instance") or "")


class ServiceBusy(ServiceProblem):
    """The service refuses for now: the same may succeed later. `retry_after` in seconds; 0: it does not say."""

    code = "service_busy"

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: int = 0) -> None:
        super().__init__(status, problem)
        self.retry_after = retry_after


class ServiceUnreachable(PlatformError):
    """Nobody answers at the URL, or not in time."""

    code = "service_unreachable"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"The service at {url} does not answer ({reason}): check the URL, or try again.")
        self.message_zh = f"{url} 的服务没有应答（{reason}）：请核对地址，或稍后再试。"
        self.url = url


class ServiceNonsense(PlatformError):
    """What answers is not the service."""

    code = "service_nonsense"

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"What answers at {url} is not the escrow service (HTTP {status}, no problem and no answer).")
        self.message_zh = f"{url} 应答的不是托管服务（HTTP {status}）。"
        self.url = url
        self.status = status


class AnswerTooLarge(PlatformError):
    """What answers sends more than the client takes. `limit` in bytes."""

    code = "answer_too_large"

    def __init__(self, url: str, limit: int) -> None:
        super().__init__(f"What answers at {url} sends more than {limit:,} bytes: it was not read to its end.")
        self.message_zh = f"{url} 的应答超过 {limit:,} 字节：没有读完。"
        self.url = url
        self.limit = limit
