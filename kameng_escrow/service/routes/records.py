"""Reputation for everybody; statements, the audit log and erasure for who they are about."""

import shutil
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import AwareDatetime
from starlette.background import BackgroundTask

from kameng_escrow.books.lines import LATEST
from kameng_escrow.books.statement import FORMATS, Period
from kameng_escrow.domain.inputs import parse_address
from kameng_escrow.domain.reputation import Kind, Tally
from kameng_escrow.store.service import audit, retention
from kameng_escrow.store.service.closed_orders import Scope as Whose

from ..callers import PUBLIC, SESSION, Scope, account
from ..errors import BadRequest
from ..identity import Identity
from ..problems import prefers_chinese
from ..records import Records
from ..routing import Router, TheCaller, TheParts
from ..schemas.common import moment
from ..schemas.records import (
    AsOfView,
    AuditEntryView,
    AuditView,
    ErasureView,
    ReputationView,
    TallyView,
    YardstickView,
)

routes = Router("records")

REPUTATIONS_PER_MINUTE = 240  # of one network address
STATEMENTS_PER_MINUTE = 12  # likewise
_FORMATS = f"^({'|'.join(FORMATS)})(,({'|'.join(FORMATS)}))*$"


@routes.get(
    "/v1/reputations/{address}",
    access=PUBLIC,
    per_minute=REPUTATIONS_PER_MINUTE,
    responses={409: {"description": "The block is not final yet, or nothing is."}},
)
def read_reputation(
    address: Annotated[str, Path(max_length=64, description="The account.")],
    request: Request,
    at_block: Annotated[int | None, Query(ge=1, lt=2**53, description="As of this final block.")] = None,
) -> ReputationView:
    """What an account's closed orders say of it, as a buyer and as a seller. From final events only; `kameng reputation
    --from-chain` gets the same from any node.
    """
    records: Records = request.app.state.records
    found = records.reputation(parse_address(address, "address"), at_block)
    platforms = found.yardstick.platforms
    return ReputationView(
        account=found.reputation.account,
        as_of=AsOfView(
            block=found.as_of.number,
            block_hash=found.as_of.hash,
            timestamp=found.as_of.timestamp,
            time=str(moment(found.as_of.timestamp)),
        ),
        yardstick=YardstickView(
            units={token: str(unit) for token, unit in sorted(found.yardstick.units.items())},
            platforms=None if platforms is None else sorted(platforms),
        ),
        as_buyer=_tally(found.reputation.as_buyer),
        as_seller=_tally(found.reputation.as_seller),
    )


@routes.get(
    "/v1/statements",
    access=account(Scope.Records),
    per_minute=STATEMENTS_PER_MINUTE,
    response_class=FileResponse,
    responses={
        200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
        409: {"description": "The period is not over for good."},
        501: {"description": "The library of a format is not installed here."},
    },
)
def make_statement(
    caller: TheCaller,
    request: Request,
    since: Annotated[AwareDatetime, Query(description="Start, included; RFC 3339 with its zone.")],
    until: Annotated[AwareDatetime, Query(description="End, not included; not after the last final block's time.")],
    scope: Annotated[
        Literal["party", "platform"],
        Query(description="The caller's own orders, or those under the policies that it registered."),
    ] = "party",
    formats: Annotated[str, Query(pattern=_FORMATS, description="csv, parquet, pdf; with commas.")] = "csv",
    lang: Annotated[Literal["zh", "en"] | None, Query(description="Of what is printed.")] = None,
) -> Response:
    """The orders that closed in a period, as an archive with a manifest. `kameng verify` checks every line against any
    node.
    """
    records: Records = request.app.state.records
    who = caller.known
    archive, name = records.statement(
        Whose(party=who) if scope == "party" else Whose(platform=who),
        _period(since, until),
        list(dict.fromkeys(formats.split(","))),
        lang or ("zh" if prefers_chinese(request) else "en"),
    )
    cleaning = BackgroundTask(shutil.rmtree, archive.parent, ignore_errors=True)
    return FileResponse(archive, media_type="application/zip", filename=name, background=cleaning)


@routes.get("/v1/audit", access=account(Scope.Records))
def read_audit(
    caller: TheCaller,
    parts: TheParts,
    before: Annotated[int | None, Query(ge=1, lt=2**53, description="Only entries before this position.")] = None,
    subject: Annotated[str | None, Query(max_length=200, description="Only entries about this.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AuditView:
    """What the caller's own staff, people and API keys, did here. Others' entries are not shown, nor counted."""
    if subject is not None and "\0" in subject:
        raise BadRequest("The subject has a NUL in it.", "subject 里有空字符。")
    with parts.store.reading() as session:
        found = audit.entries(session, platform=caller.known, subject=subject, before=before, limit=limit + 1)
        head = audit.head(session)
    page = found[:limit]
    return AuditView(
        entries=[_entry(one) for one in page],
        before=page[-1].position if len(found) > limit else None,
        head=str(head),
    )


@routes.get("/v1/erasure", access=SESSION)
def see_erasure(caller: TheCaller, parts: TheParts) -> ErasureView:
    """What would go if the account asked to have its own erased. Nothing goes by looking."""
    counts = retention.personal(parts.store, parts.contract_id, caller.known, now=parts.clock())
    return ErasureView(erased=False, counts=counts)


@routes.post("/v1/erasure", access=SESSION)
def erase(caller: TheCaller, parts: TheParts, request: Request, response: Response) -> ErasureView:
    """Erases what is the account's own and no record of a transaction: channels, sessions (this one too), kept answers,
    codes of closed orders that it bought. Hashes, and what is on the chain, stay.
    """
    counts = retention.erase_account(
        parts.store,
        parts.contract_id,
        caller.known,
        now=parts.clock(),
        actor=caller.known,
        reason="asked by the account itself",
    )
    identity: Identity = request.app.state.identity
    identity.clear_cookie(response)
    request.state.fresh_token = None
    return ErasureView(erased=True, counts=counts)


def _period(since: datetime, until: datetime) -> Period:
    start, end = int(since.timestamp()), int(until.timestamp())
    if not 0 <= start < end <= LATEST:
        raise BadRequest("The period's end must come after its start, which is after 1970.", "期间的终点必须晚于起点。")
    return Period(since=start, until=end)


def _tally(tally: Tally) -> TallyView:
    return TallyView(
        orders=tally.orders,
        counts={kind.value: tally.counts[kind] for kind in Kind},
        counterparties=tally.counterparties,
        good=tally.good,
        bad=tally.bad,
        rate=tally.rate,
        lower=tally.lower,
        upper=tally.upper,
        fees={token: str(fee) for token, fee in tally.fees.items()},
    )


def _entry(entry: audit.Entry) -> AuditEntryView:
    return AuditEntryView(
        position=entry.position,
        at=str(moment(entry.at_ms // 1000)),
        at_ms=entry.at_ms,
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        platform=entry.platform,
        details=None if entry.details is None else dict(entry.details),
        details_hash=entry.details_hash,
        previous=entry.previous,
        hash=entry.hash,
    )
