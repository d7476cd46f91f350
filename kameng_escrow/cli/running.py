"""What the commands that run on and on have in common: how they are watched, ended, and say what troubles them."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..chinese import chinese
from ..errors import EscrowError
from .network import stop_on_signals
from .problems import CHECK_FAILED, INTERRUPTED, REFUSED
from .session import Session
from .upkeep import serve_health

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prometheus_client import CollectorRegistry
    from rich.console import RenderableType

    from ..keeper import Round
    from ..telemetry import Health

_Held = TypeVar("_Held")

# What a person can do something about: the codes of conditions in which an account can't go on paying.
_NO_MONEY = {"budget_spent", "relay_budget_spent", "gas_too_dear", "account_dry"}


class Counted(Protocol):
    """A worker's metrics and probes."""

    @property
    def registry(self) -> "CollectorRegistry": ...

    def alive(self) -> "Health": ...

    def ready(self) -> "Health": ...


class Sent(Protocol):
    """What a worker that sends transactions did."""

    @property
    def leading(self) -> bool: ...

    @property
    def complete(self) -> bool: ...

    @property
    def conditions(self) -> "Sequence[EscrowError]": ...


@dataclass(frozen=True, slots=True)
class Running:
    """A worker's surroundings while it runs."""

    session: Session
    stack: ExitStack
    stop: threading.Event  # set by Ctrl-C and a polite kill
    log_json: bool

    def holding(self, what: AbstractContextManager[_Held]) -> _Held:
        """Enters something that is left when the command ends."""
        return self.stack.enter_context(what)

    def trouble(self, error: EscrowError) -> None:
        """Says what a worker waits for to pass, unless the log has said it."""
        if not self.log_json:
            self.session.screen.note(f"! {chinese(error)}", f"! {error.message}")

    def drawing(self, panel: "Callable[[Round | None], RenderableType]") -> "Callable[[Round | None], None]":
        """What a follower calls after each look: draws the panel anew, where there is a terminal."""
        draw = self.holding(self.session.screen.panel())

        def looked(part: "Round | None") -> None:
            if draw is not None:
                draw(panel(part))

        return looked


@contextmanager
def running(session: Session, counted: Counted, *, port: int | None, log_json: bool) -> Iterator[Running]:
    """Until the block ends: logs where asked, serves metrics and probes where asked, and ends politely on a signal.

    Args:
        session: the command's.
        counted: what the worker counts.
        port: of this machine, for metrics and probes; None: they are not served.
        log_json: whether the log goes to standard error, as lines of JSON.

    Raises:
        BadInput: the port can't be used.
    """
    from ..telemetry import log_to

    stop = threading.Event()
    with ExitStack() as stack:
        stop_on_signals(stack, stop)
        if log_json:
            stack.enter_context(log_to(sys.stderr))
        if port is not None:
            serve_health(stack, counted.registry, alive=counted.alive, ready=counted.ready, port=port)
        yield Running(session, stack, stop, log_json)


def exit_code_of(done: Sent, *, interrupted: bool) -> int:
    """Of a run that was to end by itself. 0: all that was due is sent, or another worker of the kind is at it; see the
    manual's pages on keeper and relayer for the rest.
    """
    if not done.leading or done.complete:
        return 0
    if interrupted:
        return INTERRUPTED
    return REFUSED if _NO_MONEY & {error.code for error in done.conditions} else CHECK_FAILED
