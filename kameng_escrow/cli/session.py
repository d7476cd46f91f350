"""What a command works with: its settings, its screen, and the parts it asks for, opened when asked and closed once."""

from contextlib import ExitStack
from typing import Self

from ..settings import Settings
from .screen import Screen


class Session:
    """One run of one command."""

    def __init__(self, settings: Settings, screen: Screen) -> None:
        self.settings = settings
        self.screen = screen
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
