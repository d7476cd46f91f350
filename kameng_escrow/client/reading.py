"""What the chain knows of orders: where they stand, what happened."""

from collections.abc import Sequence
from typing import Any

from kameng_escrow.chain import rpc
from kameng_escrow.chain.codec import event_topics
from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.errors import NoDeployment, NodeRefused
from kameng_escrow.chain.slots import decode_slot
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.actions import NextAction
from kameng_escrow.domain.events import Logged, OrderOpened, PolicyRegistered
from kameng_escrow.domain.fold import fold
from kameng_escrow.domain.inputs import parse_hash
from kameng_escrow.domain.order import Order, OrderTerms, Shares
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.shares import Closing
from kameng_escrow.domain.states import State

from .errors import UnknownOrder
from .operations import Page, read, stream
from .results import OrderStatus
from .session import Session

Range = tuple[int, int]  # the next block to ask for, and the last of all


class ReadOperations(Session):
    """Reads raise `NodeError` and `DeploymentError`, and `Malformed` for what is no id. Times are Unix seconds."""

    @read
    def now(self) -> Steps[int]:
        """The chain's clock: the latest block's time."""
        return (yield from rpc.block("latest")).timestamp

    @read
    def deployment(self) -> Steps[Deployment]:
        """The record of the contract in use. Raises `NoDeployment` where only its address is known."""
        place = yield from self._place()
        if place.deployment is None:
            raise NoDeployment(
                f"Of the contract at {place.address} only the address is known, not its deployment record.",
                f"只知道合约地址 {place.address}，没有它的部署记录。",
            )
        return place.deployment

    # ---------------------------------------------------------------------------------------------------------- orders

    @read
    def status(self, order_id: str) -> Steps[OrderStatus]:
        """Where an order stands now; State.Nothing for an id that nobody has opened."""
        [status] = yield from self._statuses([order_id])
        return status

    @read
    def statuses(self, order_ids: Sequence[str]) -> Steps[tuple[OrderStatus, ...]]:
        """Where orders stand, all at one block where the lens is known."""
        return (yield from self._statuses(order_ids))

    def _statuses(self, order_ids: Sequence[str]) -> Steps[tuple[OrderStatus, ...]]:
        wanted = [parse_hash(order_id, "order_id") for order_id in order_ids]
        place = yield from self._place()
        if place.lens is not None:
            found = yield from self._lens_view("stateOf", wanted)
            return tuple(_status(order_id, **fields) for order_id, fields in zip(wanted, found, strict=True))
        statuses = []
        for order_id in wanted:
            slot = decode_slot((yield from self._view("slotOf", order_id)))
            statuses.append(
                _status(
                    order_id,
                    state=slot.state,
                    outcome=slot.outcome,
                    fault=slot.fault,
                    deadline=slot.deadline,
                    disputed_units=slot.disputed_units,
                    revision=slot.revision,
                )
            )
        return tuple(statuses)

    @read
    def next_action(self, terms: OrderTerms) -> Steps[NextAction]:
        """What the clock will do with the order, when, and what that pays: as the lens says."""
        [found] = yield from self._lens_view("nextAction", [terms])
        closing = found["closing"]
        return NextAction(
            state=found["state"],
            due_at=found["due_at"] or None,
            due=found["due"],
            closing=None
            if found["due_at"] == 0
            else Closing(
                outcome=closing["outcome"],
                fault=closing["fault"],
                shares=Shares(
                    to_buyer=closing["to_buyer"],
                    to_seller=closing["to_seller"],
                    platform_fee=closing["platform_fee"],
                    bond_returned=closing["bond_returned"],
                ),
            ),
        )

    @read
    def order(self, order_id: str) -> Steps[Order]:
        """The order as its events tell it.

        Raises:
            UnknownOrder: it has no events.
            BrokenHistory, WrongShares: the node's events can't be those of the contract.
        """
        identity = parse_hash(order_id, "order_id")
        order: Order | None = None
        policies: dict[str, Policy] = {}
        for logged in (yield from self._all_logs([None, identity])):
            if isinstance(logged.event, OrderOpened):
                policies = yield from self._policy_of(logged.event.terms.policy_id)
            order = fold(order, logged, policies)
        if order is None:
            raise UnknownOrder(identity)
        return order

    def _policy_of(self, policy_id: str) -> Steps[dict[str, Policy]]:
        [topic] = [topic for topic, event in event_topics().items() if event is PolicyRegistered]
        found = yield from self._all_logs([topic, policy_id])
        return {
            logged.event.policy_id: logged.event.policy
            for logged in found
            if isinstance(logged.event, PolicyRegistered)
        }

    # ---------------------------------------------------------------------------------------------------------- events

    @stream
    def events(
        self,
        cursor: Range | None,
        *,
        from_block: int | None = None,
        to_block: int | None = None,
        order_id: str | None = None,
    ) -> Steps[Page[Logged, Range]]:
        """Every event of the contract in these blocks, in the chain's order, asked for in bounded ranges.

        Args:
            from_block: the first block; left out, the contract's own.
            to_block: the last block, included; left out, the latest when the first range is asked for.
            order_id: only the events of this order.

        A reorganisation meanwhile goes unnoticed: the mirror is made for following a chain.
        """
        topics = [] if order_id is None else [None, parse_hash(order_id, "order_id")]
        if cursor is None:
            place = yield from self._place()
            last = (yield from rpc.block("latest")).number if to_block is None else to_block
            cursor = (place.first_block if from_block is None else from_block, last)
        first, last = cursor
        if first > last:
            return (), None
        end = min(last, first + self._settings.blocks_per_request - 1)
        end, logs = yield from self._logs(first, end, topics)
        return logs, None if end >= last else (end + 1, last)

    def _all_logs(self, topics: Sequence[Any]) -> Steps[tuple[Logged, ...]]:
        """Every event with these topics. They are few, so that a node may well find them in all blocks at once."""
        place = yield from self._place()
        first, last = place.first_block, (yield from rpc.block("latest")).number
        found: list[Logged] = []
        while first <= last:
            end, logs = yield from self._logs(first, last, topics)
            found += logs
            first = end + 1
        return tuple(found)

    def _logs(self, first: int, last: int, topics: Sequence[Any]) -> Steps[tuple[int, Sequence[Logged]]]:
        """The events of as many of the blocks as the node is willing to search at once, and the last of those."""
        place = yield from self._place()
        while True:
            try:
                raw = yield from rpc.raw_logs(place.address, first, last, topics)
            except NodeRefused:
                if last == first:
                    raise
                last = first + (last - first) // 2
            else:
                return last, (yield from self._logged(raw))


def _status(order_id: str, *, state: State, deadline: int, **fields: Any) -> OrderStatus:
    return OrderStatus(order_id=order_id, state=state, deadline=None if state is State.Nothing else deadline, **fields)
