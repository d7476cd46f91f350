"""Statements as PDF: pages of text that are laid out here, drawn by ReportLab, and read back to be checked.

The font comes with the package, so that a page looks the same everywhere. It has the characters that these pages use.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Literal

from kameng_escrow.domain.labels import label_of
from kameng_escrow.domain.states import Fault, Outcome

from .errors import LibraryMissing, NotReadable
from .lines import Line

Lang = Literal["zh", "en"]

FONT = "NotoSansSC"
FONT_FILE = "fonts/NotoSansSC-subset.ttf"
LINES_A_PAGE = 16
PAGES_A_FILE = 250  # a file is held in memory until it is closed; further pages go into a further file
WIDTH, HEIGHT = 842.0, 595.0  # A4, landscape, in points
_PIECE = 1024 * 1024  # bytes that are compared at once
_LEFT, _TOP, _SIZE, _ROW, _LINE = 28.0, 520.0, 6.5, 9.0, 29.0

WORDS: dict[str, tuple[str, str]] = {
    "title": ("订单对账单", "Statement of orders"),
    "party": ("当事人", "Party"),
    "platform": ("平台", "Platform"),
    "everybody": ("全部订单", "All orders"),
    "contract": ("托管合约", "Escrow"),
    "chain": ("链", "chain"),
    "period": ("期间（含起点，不含终点）", "Period (start included, end not)"),
    "block": ("截至区块", "as of block"),
    "page": ("第 {page} 页", "Page {page}"),
    "note": (
        "每一行都可用 kameng verify 对照链上核对，见 {name}",
        "kameng verify checks every line against the chain, by {name}",
    ),
    "line": ("序号", "No."),
    "closed_at": ("结束时间", "Closed"),
    "currency": ("币种", "Currency"),
    "price": ("货款", "Price"),
    "to_buyer": ("付给买家", "To buyer"),
    "to_seller": ("付给卖家", "To seller"),
    "platform_fee": ("平台手续费", "Platform fee"),
    "mediation_fee": ("仲裁费", "Mediation fee"),
    "order": ("订单", "Order"),
    "transaction": ("结束交易", "Closing transaction"),
    "buyer": ("买家", "Buyer"),
    "seller": ("卖家", "Seller"),
}
_PLACES: tuple[tuple[str, float, bool], ...] = (  # column, where, whether that is its right end
    ("line", 50, True),
    ("closed_at", 58, False),
    ("currency", 145, False),
    ("price", 360, True),
    ("to_buyer", 480, True),
    ("to_seller", 600, True),
    ("platform_fee", 710, True),
    ("mediation_fee", 814, True),
)
TEXTS_ABOVE = 4 + len(_PLACES)  # pieces of text before the lines of a page; after them comes one more
TEXTS_A_LINE = len(_PLACES) + 5


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text on a page."""

    x: float
    y: float
    text: str
    right: bool = False  # whether x is its right end
    size: float = _SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands above every page."""

    lang: Lang
    whose: str
    contract: str
    chain_id: int
    period: str
    block: int
    block_hash: str
    manifest: str  # the name of its file

    def word(self, name: str) -> str:
        return WORDS[name][0 if self.lang == "zh" else 1]


def volumes(lines: int) -> int:
    """How many files a printed statement of so many lines has."""
    return max(1, -(-lines // (LINES_A_PAGE * PAGES_A_FILE)))


def pages(heading: Heading, lines: Iterator[Line]) -> Iterator[list[Text]]:
    """The pages of lines; at least one."""
    number = 1
    while (part := list(islice(lines, LINES_A_PAGE))) or number == 1:
        yield page_of(heading, part, number)
        number += 1


def page_of(heading: Heading, lines: Sequence[Line], number: int) -> list[Text]:
    """A page with at most `LINES_A_PAGE` lines."""
    return list(_page(heading, lines, number))


def _page(heading: Heading, lines: Sequence[Line], page: int) -> Iterator[Text]:
    word = heading.word
    yield Text(_LEFT, 562, word("title"), size=13)
    yield Text(WIDTH - _LEFT, 562, word("page").format(page=page), right=True)
    yield Text(_LEFT, 549, f"{heading.whose} · {word('period')} {heading.period}")
    place = f"{word('contract')} {heading.contract} · {word('chain')} {heading.chain_id}"
    yield Text(_LEFT, 540, f"{place} · {word('block')} {heading.block} {heading.block_hash}")
    for name, x, right in _PLACES:
        yield Text(x, _TOP + 4, word(name), right)
    for number, line in enumerate(lines):
        yield from _line(heading, line, _TOP - 10 - number * _LINE)
    yield Text(_LEFT, 20, word("note").format(name=heading.manifest))


def _line(heading: Heading, line: Line, y: float) -> Iterator[Text]:
    word = heading.word
    for name, x, right in _PLACES:
        yield Text(x, y, in_font(line[name]), right)
    yield Text(58, y - _ROW, f"{word('order')} {line['order_id']}")
    yield Text(440, y - _ROW, f"{word('transaction')} {line['closed_transaction']}")
    outcome, fault = label_of(Outcome.from_label(line["outcome"])), label_of(Fault.from_label(line["fault"]))
    ended = f"{outcome.zh}，{fault.zh}" if heading.lang == "zh" else f"{outcome.en}, fault: {fault.en}"
    yield Text(58, y - 2 * _ROW, ended)
    yield Text(250, y - 2 * _ROW, f"{word('buyer')} {line['buyer']}")
    yield Text(520, y - 2 * _ROW, f"{word('seller')} {line['seller']}")


class PdfWriter:
    """Takes lines one by one, and draws them into one PDF file after the other.

    The same lines are the same bytes, whatever was drawn before: nothing in a file is of the time or the machine, and
    nothing is compressed, which every zlib does in its own way. Another release of ReportLab may draw otherwise.

    Args:
        open_file: opens the file of that number, from 1 on.
        volume: the number of the file that the first line belongs into.
    """

    def __init__(self, open_file: Callable[[int], IO[bytes]], heading: Heading, volume: int = 1) -> None:
        try:
            from reportlab.pdfbase import pdfmetrics
            from reportlab.pdfbase.ttfonts import TTFont
        except ImportError as error:
            raise LibraryMissing("PDF", "reportlab") from error
        with resources.as_file(resources.files("kameng_escrow.books") / FONT_FILE) as path:
            pdfmetrics.registerFont(TTFont(FONT, str(path)))
        self._open_file = open_file
        self._heading = heading
        self._waiting: list[Line] = []
        self._canvas: Any = None
        self._before = (volume - 1) * PAGES_A_FILE
        self._pages = self._before

    def write(self, line: Line) -> None:
        self._waiting.append(line)
        if len(self._waiting) == LINES_A_PAGE:
            self._draw()

    def close(self) -> None:
        if self._waiting or self._pages == self._before:
            self._draw()
        if self._canvas is not None:
            self._canvas.save()

    def _draw(self) -> None:
        from reportlab.pdfgen.canvas import Canvas

        if self._canvas is None:
            file = self._open_file(self._pages // PAGES_A_FILE + 1)
            self._canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), pageCompression=0, invariant=1)
            self._canvas.setTitle(self._heading.word("title"))
        self._pages += 1
        for text in page_of(self._heading, self._waiting, self._pages):
            self._canvas.setFont(FONT, text.size)
            draw = self._canvas.drawRightString if text.right else self._canvas.drawString
            draw(text.x, text.y, text.text)
        self._canvas.showPage()
        self._waiting = []
        if self._pages % PAGES_A_FILE == 0:
            self._canvas.save()
            self._canvas = None


def drawn_with() -> str:
    """What draws here, with its release. Raises `LibraryMissing`."""
    try:
        return f"reportlab {version('reportlab')}"
    except PackageNotFoundError as error:
        raise LibraryMissing("PDF", "reportlab") from error


def is_drawn(path: Path, heading: Heading, lines: Iterator[Line], volume: int) -> bool:
    """Whether a file is, byte for byte, what these lines of a volume are drawn as: then whoever looks at it sees them,
    and nothing besides. Raises `LibraryMissing`, `NotReadable`.
    """
    with TemporaryFile() as expected:
        writer = PdfWriter(lambda _: expected, heading, volume)
        for line in islice(lines, LINES_A_PAGE * PAGES_A_FILE):
            writer.write(line)
        writer.close()
        expected.seek(0)
        try:
            with path.open("rb") as said:
                while piece := expected.read(_PIECE):
                    if said.read(_PIECE) != piece:
                        return False
                return not said.read(1)
        except OSError as error:
            raise NotReadable(path, error.strerror or str(error)) from error


def squeezed(texts: Sequence[str]) -> str:
    """Text without its white space, which readers of PDF place as they like."""
    return "".join("".join(texts).split())


def read_pages(path: Path) -> Iterator[str]:
    """What each page of a PDF says, squeezed. Raises `NotReadable`."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError as error:
        raise LibraryMissing("PDF", "pypdf") from error
    try:
        with path.open("rb") as file:
            for page in PdfReader(file, strict=False).pages:
                yield squeezed([page.extract_text()])
    except (OSError, PyPdfError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotReadable(path, str(error).splitlines()[0] if str(error) else type(error).__name__) from error


def characters() -> frozenset[str]:
    """The characters that the font has."""
    words = [text for pair in WORDS.values() for text in pair]
    words += [text for word in (*Outcome, *Fault) for text in label_of(word)]
    return frozenset("".join(words)) | {chr(code) for code in range(0x20, 0x7F)} | set(_SIGNS)


def in_font(text: str) -> str:
    """Text in which what the font does not have is a question mark: a token's symbol may be anything."""
    return "".join(character if character in _HAS else "?" for character in text)


_SIGNS = "€¥£¢·–—…“”‘’（），。：、；"
_HAS = characters()
