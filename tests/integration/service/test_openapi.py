"""The interface does what its description says, for whatever may be sent: schemathesis over every route.

Cases are made from the description: fitting ones and broken ones. Whatever is answered must be described, and nothing
may be an error of ours.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    missing_required_header,
    positive_data_acceptance,
    unsupported_method,
)

from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import Outcome
from kameng_escrow.service.callers import Scope
from kameng_escrow.service.description import description
from kameng_escrow.service.routes import stream
from tests.integration.escrow_world import EscrowWorld

from .conftest import ORIGIN, serving_copy
from .test_stream import serving

schema = schemathesis.openapi.from_dict(description())
EXAMPLES = 5  # for each route and run

# What a description can't say: a fitting order id is none of ours, and a fitting address nobody's.
_LEFT_OUT = (positive_data_acceptance, unsupported_method, missing_required_header, ignored_auth)


@pytest.fixture(scope="module")
def live(
    _busy_world: tuple[EscrowWorld, dict[Outcome, OrderTerms]],
    _mirrored: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, dict[str, str]]]:
    """A service behind a socket, and the headers of a key with every scope."""
    limits = {"rate_limit": 1_000_000, "rate_limit_anonymous": 1_000_000}
    folder = tmp_path_factory.mktemp("openapi")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "LONGEST_SECONDS", 0.0)  # nobody waits for the end of a stream
        yield from _live(folder, _busy_world, _mirrored, limits)


def _live(
    folder: Path, busy_world: tuple[EscrowWorld, dict[Outcome, OrderTerms]], mirrored: Path, limits: dict[str, int]
) -> Iterator[tuple[str, dict[str, str]]]:
    with serving_copy(busy_world, mirrored, folder, **limits) as service, serving(service) as url:
        key = service.with_key(service.world.platform, *Scope).headers["Authorization"]
        yield url, {"Authorization": str(key), "Origin": ORIGIN}


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_whatever_is_sent_is_answered_as_described(case: schemathesis.Case, live: tuple[str, dict[str, str]]) -> None:
    url, headers = live
    if case.query.get("wait") in range(1, 26):  # nor for work that never comes
        case.query["wait"] = 0
    case.call_and_validate(base_url=url, headers=headers, excluded_checks=list(_LEFT_OUT), timeout=60)
