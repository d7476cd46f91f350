"""Reputations, remembered for as long as they are true, and statements as archives."""

import shutil
import tempfile
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kameng_escrow.books.lines import Currency, clean_symbol
from kameng_escrow.books.printed import Lang
from kameng_escrow.books.reputation import from_store
from kameng_escrow.books.statement import Period, make_statement
from kameng_escrow.store.service.closed_orders import Scope, count_closed
from kameng_escrow.store.service.reputation import Reckoning, last_final

from .currencies import Currencies
from .errors import BadRequest, TooMany
from .parts import Parts

MOST_LINES: Final = 100_000  # of a statement over HTTP; longer ones are for `kameng statement`
_REMEMBERED: Final = 1_000  # reputations
_AT_ONCE: Final = 2  # statements being made, and likewise reputations being counted
_WAIT_SECONDS: Final = 10


class Records:
    """One service's. May be used from several threads."""

    def __init__(self, parts: Parts, currencies: Currencies) -> None:
        self._parts = parts
        self._currencies = currencies
        self._known: OrderedDict[tuple[str, int], Reckoning] = OrderedDict()
        self._lock = threading.Lock()
        self._counting = threading.BoundedSemaphore(_AT_ONCE)
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    def reputation(self, account: str, at_block: int | None) -> Reckoning:
        """An account's reputation as of the last final block, or an earlier one. Nothing final ever changes, so that it
        is counted once for each of these.

        Raises:
            NothingFinal, BlockNotFinal: there is no such block.
        """
        parts = self._parts
        with parts.store.reading() as session:
            as_of = last_final(session, parts.contract_id, up_to=at_block)
        key = (account, -1 if as_of is None else as_of.number)
        is_known = at_block is None or at_block <= parts.marks().final  # else `from_store` says what is wrong
        if is_known and (known := self._remembered(key)) is not None:
            return known
        with self._counting:  # many who ask for the same at once wait for one answer
            if is_known and (known := self._remembered(key)) is not None:
                return known
            found = from_store(parts.store, parts.book.info(), account, parts.yardstick, at_block=at_block)
        with self._lock:
            self._known[(account, found.as_of.number)] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _remembered(self, key: tuple[str, int]) -> Reckoning | None:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def statement(self, scope: Scope, period: Period, formats: Sequence[str], lang: Lang) -> tuple[Path, str]:
        """A statement with its manifest in one archive, and its name. Whoever gets it deletes the archive's folder.

        Raises:
            BadRequest: it would be too long.
            TooMany: others are being made.
            BooksError: as `make_statement`.
        """
        parts = self._parts
        if not self._turns.acquire(blocking=False):
            raise TooMany(_WAIT_SECONDS)
        folder = Path(tempfile.mkdtemp(prefix="kameng-statement-"))
        try:
            self._check_length(scope, period)
            made = make_statement(
                parts.store,
                parts.book.info(),
                scope,
                period,
                folder / "made",
                currency_of=self._currency,
                formats=formats,
                account=parts.signer,
                lang=lang,
            )
            archive = folder / "statement.zip"
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
                for path in (*made.files, made.manifest):
                    file.write(path, path.name)
            shutil.rmtree(folder / "made")
            return archive, made.manifest.name.removesuffix(".manifest.json") + ".zip"
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            self._turns.release()

    def _check_length(self, scope: Scope, period: Period) -> None:
        parts = self._parts
        with parts.store.reading() as session:
            lines = count_closed(session, parts.contract_id, scope, since=period.since, until=period.until)
        if lines > MOST_LINES:
            raise BadRequest(
                f"That would be {lines:,} orders, and {MOST_LINES:,} is the most at once: ask for shorter periods, or "
                "use `kameng statement`.",
                f"那会有 {lines:,} 单，一次最多 {MOST_LINES:,} 单：请缩短期间，或用 kameng statement。",
                lines=lines,
                most=MOST_LINES,
            )

    def _currency(self, token: str) -> Currency:
        known = self._currencies.of(token)
        return Currency(symbol=clean_symbol(known.symbol or ""), decimals=known.decimals or 0)
