"""What the tests of README and manual read out of Markdown."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_TERMINAL = re.compile(r"# (?:terminal|终端) (\d+)\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code."""

    language: str
    code: str

    @property
    def terminal(self) -> int | None:
        """In which of the reader's terminals it is typed, as its first line says: `# terminal 1`, `# 终端 1`."""
        found = _TERMINAL.match(self.code)
        return int(found[1]) if found else None


def blocks(text: str) -> list[Block]:
    """Every fenced block."""
    return [Block(language, code) for language, code in _FENCE.findall(text)]


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return _FENCE.sub("", text)


def headings(text: str) -> list[tuple[int, str]]:
    """Level and title of every heading."""
    return [(len(marks), title.strip()) for marks, title in _HEADING.findall(prose(text))]


def links(text: str) -> list[str]:
    """The targets of every link."""
    return _LINK.findall(prose(text))


def anchor(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    kept = re.sub(r"[^\w\- ]", "", title.split("{")[0].strip().lower())
    return kept.replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Every anchor of a page: of its headings, and those given by hand."""
    given = re.findall(r'<a id="([^"]+)">', text) + re.findall(r"\{ #([\w-]+) \}", text)
    return {anchor(title) for _, title in headings(text)} | set(given)


def dead_links(path: Path) -> list[str]:
    """The links of a file to files or anchors that are not there. Addresses elsewhere are not looked at."""
    dead = []
    for link in links(path.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, fragment = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (fragment and fragment not in anchors(target.read_text("utf-8"))):
            dead.append(link)
    return dead
