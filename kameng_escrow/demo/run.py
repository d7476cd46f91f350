"""The demo from its first block to its verdict."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kameng_escrow.chain.nodes import LocalNode
from kameng_escrow.domain.order import Shares
from kameng_escrow.domain.states import Fault, Outcome, State
from kameng_escrow.errors import EscrowError

from .audit import Audit, audit, mirror_again
from .endings import ENDINGS, Ending
from .play import Play
from .plots import leave_open
from .stage import Stage, build


class WrongEnding(EscrowError):
    """An order of the demo ended otherwise than its story says: the contract or the demo is broken."""

    code = "wrong_ending"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderResult:
    """What became of one order."""

    ending: Ending
    order_id: str
    token: str
    price: int  # base units
    state: State
    outcome: Outcome
    fault: Fault
    shares: Shares  # in all: what the undisputed units paid before is in it
    gas: int  # of all transactions about the order
    seconds_to_money: int  # of the chain's time, from the opening to the last of the money arriving


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What the demo did."""

    orders: tuple[OrderResult, ...]
    audit: Audit
    seconds: float  # of the machine's time

    @property
    def good(self) -> bool:
        """Whether both checks passed."""
        return self.audit.mirror_equals_chain and self.audit.conserved


class Demo:
    """One run on one local node."""

    def __init__(self, node: LocalNode, store_path: Path) -> None:
        self._node = node
        self._store_path = store_path
        self._started = time.monotonic()
        self._plays: list[Play] = []
        self._results: list[OrderResult] = []
        self.stage: Stage | None = None

    def prepare(self) -> Stage:
        """Deploys and sets everything up. Raises `EscrowError`."""
        self.stage = build(self._node)
        return self.stage

    def run(self, begun: Callable[[int, Ending], None], ended: Callable[[OrderResult], None]) -> DemoResult:
        """Lives every order, then checks. The callbacks are told before and after each order.

        Raises:
            WrongEnding: an order did not end as its story says.
            EscrowError: something else went wrong.
        """
        stage = self.stage or self.prepare()
        for number, ending in enumerate(ENDINGS, start=1):
            begun(number, ending)
            result = self._live(stage, ending)
            self._results.append(result)
            ended(result)
        found = audit(stage, self._plays, self._store_path)
        return DemoResult(orders=tuple(self._results), audit=found, seconds=time.monotonic() - self._started)

    def stay(self) -> list[Play]:
        """Leaves a few orders open, in the mirror too, for whoever wants to look around."""
        assert self.stage is not None  # it ran
        plays = leave_open(self.stage)
        mirror_again(self.stage, self._store_path)
        return plays

    def _live(self, stage: Stage, ending: Ending) -> OrderResult:
        play = ending.prepare(stage)
        ending.play(play)
        self._plays.append(play)
        status = stage.client.status(play.order_id)
        shares, money_at = play.shares(), play.money_at
        if (status.outcome, status.fault) != (ending.outcome, ending.fault) or shares is None or money_at is None:
            raise WrongEnding(
                f"{ending.en}: the order ended {status.outcome.label}, fault {status.fault.label}, "
                f"instead of {ending.outcome.label}, fault {ending.fault.label}."
            )
        return OrderResult(
            ending=ending,
            order_id=play.order_id,
            token=play.terms.token,
            price=play.terms.price,
            state=status.state,
            outcome=status.outcome,
            fault=status.fault,
            shares=shares,
            gas=play.gas,
            seconds_to_money=money_at - play.opened_at,
        )
