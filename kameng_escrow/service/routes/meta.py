"""The service itself: what it serves, whether it is well."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Annotated

from fastapi import Path, Response

from kameng_escrow.errors import EscrowError

from ..callers import PUBLIC
from ..errors import NotFound
from ..parts import Parts
from ..problems import status_of
from ..routing import Router, TheParts
from ..schemas.meta import AboutView, HealthView, ProblemKindView

routes = Router("service")

LATE_SECONDS = 120  # that the mirror may be behind the clock before the service calls itself not ready


@routes.get("/v1/about", access=PUBLIC)
def about(parts: TheParts) -> AboutView:
    """Which contract this service serves, and how far its mirror has come."""
    marks = parts.marks()
    return AboutView(
        version=version("kameng-escrow"),
        chain_id=parts.deployment.chain_id,
        contract=parts.deployment.address,
        genesis=parts.deployment.genesis,
        explorer_url=parts.config.explorer_url,
        seen_block=marks.seen,
        seen_at=marks.seen_at,
        final_block=marks.final,
        chain_now=parts.chain_now(),
    )


@routes.get("/v1/problems/{code}", access=PUBLIC)
def problem_kind(code: Annotated[str, Path(max_length=64)]) -> ProblemKindView:
    """What a problem's `type` leads to: the kind of error that the SDK raises by that name."""
    for kind in _kinds(EscrowError):
        if kind.code == code:
            description = " ".join((kind.__doc__ or "").split())
            return ProblemKindView(
                code=code, title=kind.__name__, status=status_of(kind.__new__(kind)), description=description
            )
    raise NotFound("There is no problem of that kind: see the manual.", "没有这种问题：请看手册。")


def _kinds(root: type[EscrowError]) -> Iterator[type[EscrowError]]:
    """Nearest the root last, so that a code that branches share is explained by who has it for its own."""
    for kind in root.__subclasses__():
        yield from _kinds(kind)
    yield root


@routes.get("/healthz", access=PUBLIC)
def healthz() -> HealthView:
    """Whether the process should be left running."""
    return HealthView(ok=True)


@routes.get("/readyz", access=PUBLIC)
def readyz(response: Response, parts: TheParts) -> HealthView:
    """Whether what it says may be relied upon: the store can be read, and the mirror is not behind the node."""
    health = _ready(parts)
    if not health.ok:
        response.status_code = 503
    return health


def _ready(parts: Parts) -> HealthView:
    try:
        marks = parts.marks()
        head = parts.node.request("eth_getBlockByNumber", "latest", False)
    except EscrowError as error:
        return HealthView(ok=False, details={"code": error.code})
    behind = int(head["number"], 16) - marks.seen
    late = int(head["timestamp"], 16) - marks.seen_at
    details = {"seen_block": marks.seen, "blocks_behind": max(0, behind), "seconds_behind": max(0, late)}
    return HealthView(ok=behind <= 0 or late <= LATE_SECONDS, details=details)
