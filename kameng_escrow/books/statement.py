"""Statements: a period's closed orders of a party, a platform or all, with what anybody needs to check them.

Only what is final is in one. Orders are read, written and hashed one by one, so that a million take no more memory than
ten. Files appear together at the end, the manifest last, or not at all.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from kameng_escrow.store import ContractInfo, Store
from kameng_escrow.store.service import audit
from kameng_escrow.store.service.closed_orders import ClosedOrder, Scope, closed_orders, count_closed
from kameng_escrow.store.service.reputation import AsOf, last_final

from .errors import NothingFinal, PeriodNotFinal
from .lines import LATEST, Currency, Sums, iso, line_of
from .making import Making
from .manifest import KIND, SUFFIX, VERSION, sign, to_text
from .printed import WORDS, Heading, Lang, PdfWriter, drawn_with
from .tables import CsvWriter, ParquetWriter, Writer

FORMATS = ("csv", "parquet", "pdf")
_TELL = 500  # lines between two words about progress

CurrencyOf = Callable[[str], Currency]
Progress = Callable[[int, int], None]  # lines done, lines in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """since ≤ t < until, in Unix seconds of the chain."""

    since: int
    until: int

    def __post_init__(self) -> None:
        if not 0 <= self.since < self.until <= LATEST:
            raise ValueError(f"no period: {self.since} to {self.until}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A statement that was made."""

    manifest: Path
    files: tuple[Path, ...]
    document: dict[str, Any]  # what is in the manifest


def make_statement(
    store: Store,
    contract: ContractInfo,
    scope: Scope,
    period: Period,
    folder: Path,
    *,
    currency_of: CurrencyOf,
    formats: Sequence[str] = ("csv",),
    account: LocalAccount | None = None,
    lang: Lang = "en",
    progress: Progress | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Made:
    """Writes a statement into a folder.

    Args:
        contract: of the store.
        currency_of: how a token's amounts are written; asked once for each token.
        formats: some of `FORMATS`.
        account: signs the manifest; None: it bears no signature.
        lang: of what is printed.

    Raises:
        NothingFinal, PeriodNotFinal: the period is not over for good.
        LibraryMissing: a format's library is not installed.
        StoreError: as `Store.reading`.
        OSError: the folder can't be written, or the disk is full: nothing is left behind.
    """
    if unknown := set(formats) - set(FORMATS):
        raise ValueError(f"no formats of a statement: {', '.join(sorted(unknown))}")
    if not formats:
        raise ValueError("a statement has some format: nobody can verify a manifest without files")
    with store.reading() as session, ExitStack() as stack:
        as_of = _as_of(last_final(session, contract.id), period)
        total = count_closed(session, contract.id, scope, since=period.since, until=period.until)
        stem = _stem(scope, period)
        making = stack.enter_context(Making(folder))
        work = _Work(making, stem, _heading(contract, scope, period, as_of, stem, lang), formats, currency_of)
        stack.callback(work.abandon)
        orders = closed_orders(session, contract.id, scope, since=period.since, until=period.until)
        for done, order in enumerate(orders, 1):
            work.write(order)
            if progress is not None and (done % _TELL == 0 or done == total):
                progress(done, total)
        work.close()
        document = {
            **_document(contract, scope, period, as_of),
            **work.document(),
            "audit_head": str(audit.head(session)),
            "created": now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "software": f"kameng_escrow {version('kameng-escrow')}",
            "drawn_with": drawn_with() if "pdf" in formats else None,
            "lang": lang,
            "signer": None,
        }
        if account is not None:
            document = sign(document, account)
        making.open(stem + SUFFIX).write(to_text(document).encode())
        paths = making.finish()
        return Made(manifest=paths[-1], files=tuple(paths[:-1]), document=document)


def _as_of(final: AsOf | None, period: Period) -> AsOf:
    if final is None:
        raise NothingFinal
    if period.until > final.timestamp:
        raise PeriodNotFinal(iso(period.until), iso(final.timestamp))
    return final


def _stem(scope: Scope, period: Period) -> str:
    whose = scope.party or scope.platform or "all"
    days = "-".join(iso(second).replace(":", "").replace("-", "") for second in (period.since, period.until))
    return f"statement-{days}-{whose[:10].lower()}"


def volume_name(stem: str, number: int) -> str:
    """The name of a printed statement's file of that number, from 1 on."""
    return f"{stem}.pdf" if number == 1 else f"{stem}-{number}.pdf"


def heading_of(document: dict[str, Any], scope: Scope, manifest: str) -> Heading:
    """What stands above the pages of a statement with this manifest."""
    word = 0 if document["lang"] == "zh" else 1
    if scope.party is not None:
        whose = f"{WORDS['party'][word]} {scope.party}"
    elif scope.platform is not None:
        whose = f"{WORDS['platform'][word]} {scope.platform}"
    else:
        whose = WORDS["everybody"][word]
    return Heading(
        lang="zh" if document["lang"] == "zh" else "en",
        whose=whose,
        contract=document["contract"],
        chain_id=document["chain_id"],
        period=f"{document['period']['since']} – {document['period']['until']}",
        block=document["blocks"]["last"],
        block_hash=document["blocks"]["last_hash"],
        manifest=manifest,
    )


def _heading(contract: ContractInfo, scope: Scope, period: Period, as_of: AsOf, stem: str, lang: Lang) -> Heading:
    return heading_of({**_document(contract, scope, period, as_of), "lang": lang}, scope, stem + SUFFIX)


def _document(contract: ContractInfo, scope: Scope, period: Period, as_of: AsOf) -> dict[str, Any]:
    return {
        "kind": KIND,
        "version": VERSION,
        "chain_id": contract.chain_id,
        "genesis_hash": contract.genesis_hash,
        "contract": contract.address,
        "scope": {"party": scope.party, "platform": scope.platform},
        "period": {
            "since": iso(period.since),
            "until": iso(period.until),
            "since_timestamp": period.since,
            "until_timestamp": period.until,
        },
        "blocks": {
            "first": contract.first_block,
            "last": as_of.number,
            "last_hash": as_of.hash,
            "last_time": iso(as_of.timestamp),
        },
    }


class _Work:
    """Takes orders, and makes files of them."""

    def __init__(
        self, making: Making, stem: str, heading: Heading, formats: Sequence[str], currency_of: CurrencyOf
    ) -> None:
        self._sums = Sums()
        self._currencies: dict[str, Currency] = {}
        self._currency_of = currency_of
        self._making = making
        self._writers: list[Writer] = []
        if "csv" in formats:
            self._writers.append(CsvWriter(making.open(f"{stem}.csv")))
        if "parquet" in formats:
            self._writers.append(ParquetWriter(making.open(f"{stem}.parquet")))
        if "pdf" in formats:
            self._writers.append(PdfWriter(lambda number: making.open(volume_name(stem, number)), heading))

    def write(self, order: ClosedOrder) -> None:
        self._sums.add(order)
        line = line_of(self._sums.lines, order, self._currency(order.token))
        for writer in self._writers:
            writer.write(line)

    def close(self) -> None:
        while self._writers:
            self._writers.pop(0).close()

    def abandon(self) -> None:
        """After a failure: lets go of what is still open, which is taken away anyway."""
        for writer in self._writers:
            with suppress(Exception):
                writer.close()

    def document(self) -> dict[str, Any]:
        return {
            **self._sums.document(),
            "currencies": {
                token: {"symbol": currency.symbol, "decimals": currency.decimals}
                for token, currency in sorted(self._currencies.items())
            },
            "files": self._making.described(),
        }

    def _currency(self, token: str) -> Currency:
        if token not in self._currencies:
            self._currencies[token] = self._currency_of(token)
        return self._currencies[token]
