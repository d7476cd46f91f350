"""Words in two languages, and how pages are named and put together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")
DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent


@dataclass(frozen=True, slots=True)
class Text:
    """The same in Chinese and English."""

    zh: str
    en: str

    def __getitem__(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


def same(text: str) -> Text:
    """What needs no translation."""
    return Text(text, text)


def page(stem: str, lang: Lang) -> Path:
    """The file of a page: `sdk.md` in English, `sdk.zh.md` in Chinese."""
    return DOCS / (f"{stem}.zh.md" if lang == "zh" else f"{stem}.md")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; `a|b` inside a cell is written `a/b`, since no way to escape it works everywhere."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def codes(names: Iterable[str], separator: str = ", ") -> str:
    """Names as code."""
    return separator.join(f"`{name}`" for name in names)


def kebab(name: str) -> str:
    """`openWithOffer` as `open-with-offer`."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
