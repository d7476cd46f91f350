# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""What the chain knows of orders: where they stand, what happened."""

from collections.abc import Sequence
from typing import Any

from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.events import Logged
from kameng_escrow.domain.order import Order, OrderTerms

from .operations import Stream, read
from .results import NextAction, OrderStatus
from .session import Session


class ReadOperations(Session):
    @read
    def now(self) -> Steps[int]:
        """The chain's clock: the latest block's time, Unix seconds."""
        raise NotImplementedError
        yield

    @read
    def deployment(self) -> Steps[Deployment]:
        """The record of the contract in use. Raises `NoDeployment` where only its address is known."""
        raise NotImplementedError
        yield

    @read
    def status(self, order_id: str) -> Steps[OrderStatus]:
        """Where an order stands now."""
        raise NotImplementedError
        yield

    @read
    def statuses(self, order_ids: Sequence[str]) -> Steps[tuple[OrderStatus, ...]]:
        """Where orders stand, all at one block."""
        raise NotImplementedError
        yield

    @read
    def order(self, order_id: str) -> Steps[Order]:
        """The order as its events tell it. Raises `UnknownOrder`."""
        raise NotImplementedError
        yield

    @read
    def next_action(self, terms: OrderTerms) -> Steps[NextAction]:
        """What the clock will do with the order, when, and what that pays."""
        raise NotImplementedError
        yield

    def _events(
        self, *, from_block: int | None = None, to_block: int | None = None, order_id: str | None = None
    ) -> Any:
        """Every event of the contract in the blocks, both included, in order; of one order if given."""
        raise NotImplementedError

    events: Stream[..., Logged] = Stream(_events)
