"""A statement's file against what it should say by the chain."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from kameng_escrow.store import Store, contracts
from kameng_escrow.store.service.closed_orders import ClosedOrder, closed_by_id, closed_orders

from .errors import NotReadable
from .findings import Finding, FindingKind, Verification
from .lines import COLUMNS, Currency, Line, Sums, line_of
from .manifest import SUFFIX, Manifest
from .printed import (
    LINES_A_PAGE,
    PAGES_A_FILE,
    TEXTS_A_LINE,
    TEXTS_ABOVE,
    Heading,
    Text,
    drawn_with,
    is_drawn,
    pages,
    read_pages,
    squeezed,
)
from .statement import heading_of
from .tables import read_csv, read_parquet
from .witness import Witness

_UNNAMED = Currency(symbol="?", decimals=0)


class Truth:
    """What the statement should say, by the chain."""

    def __init__(self, fresh: Store, manifest: Manifest) -> None:
        self._fresh = fresh
        self._contract = contracts(fresh)[0].id
        self.manifest = manifest

    def sums(self) -> Sums:
        sums = Sums()
        for order in self.orders():
            sums.add(order)
        return sums

    def orders(self) -> Iterator[ClosedOrder]:
        since, until = self.manifest.since, self.manifest.until
        with self._fresh.reading() as session:
            yield from closed_orders(session, self._contract, self.manifest.scope, since=since, until=until)

    def lines(self) -> Iterator[Line]:
        for number, order in enumerate(self.orders(), 1):
            yield self.line(number, order)

    def line(self, number: int, order: ClosedOrder, unnamed: Currency = _UNNAMED) -> Line:
        """As the statement should have it; `unnamed`: how to write a token that it does not name."""
        return line_of(number, order, self.manifest.currencies.get(order.token, unnamed))

    def closed(self, order_id: str) -> ClosedOrder | None:
        with self._fresh.reading() as session:
            return closed_by_id(session, self._contract, order_id)

    def heading(self, manifest: str) -> Heading:
        return heading_of(dict(self.manifest.document), self.manifest.scope, manifest)


class Check:
    """One file against the truth."""

    def __init__(
        self,
        result: Verification,
        truth: Truth,
        witness: Witness,
        name: str,
        checking: Callable[[int, int], None] | None,
    ) -> None:
        self._result = result
        self._truth = truth
        self._witness = witness
        self._name = name
        self._checking = checking

    def run(self, path: Path) -> None:
        match path.suffix:
            case ".csv":
                self._compare(read_csv(path))
            case ".parquet":
                self._compare(read_parquet(path))
            case ".pdf":
                self._compare_pages(path)
            case _:
                raise NotReadable(path, "a statement's file ends in .csv, .parquet or .pdf")

    def _compare(self, read: Iterable[Line]) -> None:
        """Side by side. What does not match waits for its like, so that a line left out costs no more than that."""
        said_waiting: dict[str, tuple[int, Line]] = {}
        true_waiting: dict[str, Line] = {}
        said, true = enumerate(iter(read), 1), self._truth.lines()
        while True:
            one, other = next(said, None), next(true, None)
            if one is None and other is None:
                break
            if one is not None:
                self._tick(one[0])
                self._meet(one, other, said_waiting, true_waiting)
            elif other is not None:
                self._await(other, said_waiting, true_waiting)
        for number, line in said_waiting.values():
            self._unexpected(number, line)
        for line in true_waiting.values():
            self._witness.confirm(line)
            self._add(FindingKind.LineMissing, order_id=line["order_id"])

    def _meet(
        self,
        one: tuple[int, Line],
        other: Line | None,
        said_waiting: dict[str, tuple[int, Line]],
        true_waiting: dict[str, Line],
    ) -> None:
        number, line = one
        if other is not None and line["order_id"] == other["order_id"]:
            first, doubled = said_waiting.pop(line["order_id"], None), number
            self._same(*(first or one), other)
            if first is not None:
                self._add(FindingKind.LineForeign, line=doubled, order_id=line["order_id"])
            return
        if (known := true_waiting.pop(line["order_id"], None)) is not None:
            self._same(number, line, known)
        elif line["order_id"] in said_waiting:
            self._add(FindingKind.LineForeign, line=number, order_id=line["order_id"])
        else:
            said_waiting[line["order_id"]] = one
        if other is not None:
            self._await(other, said_waiting, true_waiting)

    def _await(self, other: Line, said_waiting: dict[str, tuple[int, Line]], true_waiting: dict[str, Line]) -> None:
        if (known := said_waiting.pop(other["order_id"], None)) is not None:
            self._same(*known, other)
        else:
            true_waiting[other["order_id"]] = other

    def _same(self, number: int, said: Line, true: Line) -> None:
        """The two are of one order: whether they say the same."""
        wrong = [name for name in COLUMNS if name != "line" and said[name] != true[name]]
        if wrong:
            self._witness.confirm(true)
        for name in wrong:
            self._add(
                FindingKind.LineFalse,
                line=number,
                order_id=true["order_id"],
                field=name,
                said=said[name],
                true=true[name],
            )

    def _unexpected(self, number: int, said: Line) -> None:
        """A line of an order that is not among those of the statement."""
        order = self._truth.closed(said["order_id"].lower())
        if order is None:
            self._witness.deny(said)
            self._add(FindingKind.LineFalse, line=number, order_id=said["order_id"], field="order_id")
            return
        true = self._truth.line(number, order, _currency_in(said))
        if any(said[name] != true[name] for name in COLUMNS if name != "line"):
            self._same(number, said, true)
        else:
            self._add(FindingKind.LineForeign, line=number, order_id=said["order_id"])

    def _compare_pages(self, path: Path) -> None:
        """A printed statement: each page has the text that it should have, and no other, and shows it."""
        number = self._volume(path)
        before = len(self._result.findings) + self._result.more
        self._compare_text(path, number)
        if len(self._result.findings) + self._result.more > before:
            return
        # What a reader of text finds need not be what people see: it may be covered, or drawn as something else.
        heading = self._truth.heading(self._result.manifest.name)
        lines = islice(self._truth.lines(), LINES_A_PAGE * PAGES_A_FILE * (number - 1), None)
        if not is_drawn(path, heading, lines, number):
            said = str(self._truth.manifest.document.get("drawn_with"))
            self._add(FindingKind.DrawingFalse, field="drawn_with", said=said, true=drawn_with())

    def _compare_text(self, path: Path, number: int) -> None:
        heading = self._truth.heading(self._result.manifest.name)
        true = pages(heading, self._truth.lines())
        for _ in range(PAGES_A_FILE * (number - 1)):
            next(true, None)
        said = read_pages(path)
        for page in range(PAGES_A_FILE * (number - 1) + 1, PAGES_A_FILE * number + 1):
            expected, found = next(true, None), next(said, None)
            if expected is None and found is None:
                return
            if expected is None or found is None or squeezed([one.text for one in expected]) != found:
                self._page(page, expected or [], found or "")
            self._tick(page)
        if next(said, None) is not None:
            self._add(FindingKind.PageFalse, line=PAGES_A_FILE * number + 1)

    def _page(self, page: int, expected: Iterable[Text], found: str) -> None:
        """Which lines of a page are not there as they should be; `line` is the page where none can be named."""
        missing = [line for line in _printed(expected) if squeezed(line.texts) not in found]
        for line in missing:
            self._add(FindingKind.LineFalse, line=line.number, order_id=line.order_id, true=" ".join(line.texts))
        if not missing:
            self._add(FindingKind.PageFalse, line=page)

    def _volume(self, path: Path) -> int:
        stem = self._result.manifest.name.removesuffix(SUFFIX)
        rest = path.stem.removeprefix(stem).removeprefix("-")
        return int(rest) if rest.isdigit() and 0 < int(rest) < 100_000 else 1

    def _tick(self, done: int) -> None:
        self._result.checked += 1
        if self._checking is not None and done % 500 == 0:
            self._checking(done, self._result.lines)

    def _add(self, kind: FindingKind, **more: Any) -> None:
        self._result.add(Finding(kind=kind, file=self._name, **more))


def _currency_in(said: Line) -> Currency:
    """As a line itself writes its amounts."""
    decimals = said["decimals"]
    if not (decimals.isascii() and decimals.isdigit() and int(decimals[:4]) < 256):
        return _UNNAMED
    return Currency(symbol=said["currency"], decimals=int(decimals[:4]))


@dataclass(frozen=True, slots=True)
class _PrintedLine:
    number: int
    order_id: str
    texts: list[str]


def _printed(page: Iterable[Text]) -> Iterator[_PrintedLine]:
    """The lines of a page, each with its pieces of text in the order in which they are drawn."""
    texts = [one.text for one in page][TEXTS_ABOVE:-1]
    for start in range(0, len(texts), TEXTS_A_LINE):
        part = texts[start : start + TEXTS_A_LINE]
        order_id = next(text.rsplit(" ", 1)[-1] for text in part if text.rsplit(" ", 1)[-1].startswith("0x"))
        yield _PrintedLine(int(part[0]), order_id, part)
