"""What goes to the terminal: answers for people or for machines on stdout, progress and problems on stderr."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

WIDE = 160  # columns, where no terminal says how many there are


@dataclass(frozen=True)
class Answer:
    """What a command has to say: the same, twice."""

    data: Mapping[str, Any]  # for machines: stable snake_case keys, amounts as strings of base units
    lines: Sequence[RenderableType] = field(default=())  # for people, in their language
    exit_code: int = 0
    printed: bool = False  # the command has already said it


class Ticker(Protocol):
    """Told how far a long piece of work has come."""

    def __call__(self, done: int, total: int | None = None, note: str | None = None) -> None: ...


class Screen:
    """The two streams, the language, and whether a person or a machine reads."""

    def __init__(self, *, lang: str, as_json: bool) -> None:
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:  # a terminal that can't show Chinese shows question marks, not a traceback
                reconfigure(errors="replace")
        self.lang = lang
        self.as_json = as_json
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)
        self._live: Console | None = None  # that of a bar on the terminal: what else is printed must go above it

    def say(self, zh: str, en: str) -> str:
        """The one of two texts that the reader reads."""
        return zh if self.lang == "zh" else en

    def show(self, *lines: RenderableType) -> None:
        """Prints for people; a machine waits for the answer."""
        if not self.as_json:
            for line in lines:  # a terminal wraps text by itself, and nobody should cut a hash in two
                console = self._live or self.out
                console.print(line, markup=False, highlight=False, soft_wrap=isinstance(line, str))

    def document(self, text: str) -> None:
        """Prints to stdout what somebody may want to keep as a file: exactly this text."""
        if self._live is not None and self.out.is_terminal:
            self._live.print(text.rstrip("\n"), markup=False, highlight=False, soft_wrap=True)
        else:
            self.out.file.write(text)
            self.out.file.flush()

    def paragraph(self, text: str, indent: int) -> RenderableType:
        """Text that a terminal wraps between words, indented; one long line where there is no terminal."""
        if self.out.is_terminal:
            return Padding(Text(text), (0, 0, 0, indent))
        return " " * indent + text

    def note(self, zh: str, en: str) -> None:
        """A remark beside the answer; none for machines."""
        if not self.as_json:
            self.beside(self.say(zh, en), style="dim")

    def beside(self, text: str, style: str | None = None) -> None:
        """Prints on stderr, where it gets into nobody's pipe."""
        console = self._live if self._live is not None and self.err.is_terminal else self.err
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def answer(self, answer: Answer) -> None:
        """Prints a command's answer in the form that was asked for."""
        if answer.printed:
            return
        if self.as_json:
            self.document(to_json(answer.data) + "\n")
        else:
            self.show(*answer.lines)

    def problem(self, code: str, zh: str, en: str, fields: Mapping[str, Any]) -> None:
        """One refusal: on stderr a sentence for people (Chinese above English, or English alone); JSON on stdout."""
        if self.as_json:
            message = {"code": code, "message": en, "message_zh": zh, **fields}
            self.document(to_json({"error": message}) + "\n")
            return
        if self.lang == "zh" and zh != en:
            self.err.print(f"✗ {zh}", style="red", markup=False, highlight=False, soft_wrap=True)
            self.err.print(f"  {en}", style="dim", markup=False, highlight=False, soft_wrap=True)
        else:
            self.err.print(f"✗ {en}", style="red", markup=False, highlight=False, soft_wrap=True)

    def table(self, *columns: tuple[str, str], right: Sequence[int] = ()) -> Table:
        """An empty table; `columns` are (zh, en) headings, `right` the numbers of those aligned to the right."""
        table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
        for number, (zh, en) in enumerate(columns):
            table.add_column(self.say(zh, en), justify="right" if number in right else "left", overflow="fold")
        return table

    @contextmanager
    def progress(self, zh: str, en: str, *, unit: str = "") -> Iterator[Ticker]:
        """A bar with rate and time left, on the terminal; silent where nobody watches."""
        console = self.out if self.out.is_terminal else self.err
        if self.as_json or not console.is_terminal:
            yield lambda _done, _total=None, _note=None: None
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            _Rate(unit),
            _TimeLeft(self),
            TextColumn("{task.fields[note]}", style="dim"),
        )
        with self._beside(console), Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(self.say(zh, en), total=None, note="")

            def tick(done: int, total: int | None = None, note: str | None = None) -> None:
                more: dict[str, Any] = {} if note is None else {"note": note}
                bar.update(task, completed=done, total=total, **more)

            yield tick

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Something that moves on the terminal while the chain takes its time."""
        console = self.out if self.out.is_terminal else self.err
        if self.as_json or not console.is_terminal:
            yield
            return
        with self._beside(console), console.status(self.say("等待链上确认……", "Waiting for the chain …")):
            yield

    @contextmanager
    def panel(self) -> Iterator[Callable[[RenderableType], None] | None]:
        """A part of the terminal that whoever gets it draws anew; None where nobody watches."""
        console = self.out if self.out.is_terminal else self.err
        if self.as_json or not console.is_terminal:
            yield None
            return
        with self._beside(console), Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda shown: live.update(shown, refresh=True)

    @contextmanager
    def _beside(self, console: Console) -> Iterator[None]:
        """While a bar is on `console`, what goes to the same terminal goes through it."""
        self._live = console if self.out.is_terminal else None
        try:
            yield
        finally:
            self._live = None


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} {self._unit}/s" if task.speed else "", style="dim")


class _TimeLeft(ProgressColumn):
    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def render(self, task: Task) -> Text:
        left = task.time_remaining
        if left is None:
            return Text("")
        minutes, seconds = divmod(int(left), 60)
        clock = f"{minutes}:{seconds:02}"
        return Text(self._screen.say(f"还需 {clock}", f"{clock} left"), style="dim")


def to_json(data: Any) -> str:
    """Readable JSON, Chinese as it is."""
    return json.dumps(data, indent=2, ensure_ascii=False)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDE
    return console
