"""What goes to the terminal: answers for people or for machines on stdout, progress and problems on stderr."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console, RenderableType
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

    def say(self, zh: str, en: str) -> str:
        """The one of two texts that the reader reads."""
        return zh if self.lang == "zh" else en

    def show(self, *lines: RenderableType) -> None:
        """Prints for people; a machine waits for the answer."""
        if not self.as_json:
            for line in lines:  # a terminal wraps text by itself, and nobody should cut a hash in two
                self.out.print(line, markup=False, highlight=False, soft_wrap=isinstance(line, str))

    def note(self, zh: str, en: str) -> None:
        """A remark beside the answer, on stderr; none for machines."""
        if not self.as_json:
            self.err.print(self.say(zh, en), style="dim", markup=False, highlight=False, soft_wrap=True)

    def answer(self, answer: Answer) -> None:
        """Prints a command's answer in the form that was asked for."""
        if answer.printed:
            return
        if self.as_json:
            self.out.file.write(to_json(answer.data) + "\n")
            self.out.file.flush()
        else:
            self.show(*answer.lines)

    def problem(self, code: str, zh: str, en: str, fields: Mapping[str, Any]) -> None:
        """One refusal: on stderr a sentence for people (Chinese above English, or English alone); JSON on stdout."""
        if self.as_json:
            message = {"code": code, "message": en, "message_zh": zh, **fields}
            self.out.file.write(to_json({"error": message}) + "\n")
            self.out.file.flush()
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
        """A bar on stderr with rate and time left; silent where nobody watches."""
        if self.as_json or not self.err.is_terminal:
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
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task(self.say(zh, en), total=None, note="")

            def tick(done: int, total: int | None = None, note: str | None = None) -> None:
                more: dict[str, Any] = {} if note is None else {"note": note}
                bar.update(task, completed=done, total=total, **more)

            yield tick


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
