"""The node's receipts, asked before a line is called false or missing: they must bear out what the logs said."""

from typing import Any

from kameng_escrow.chain.codec import decode_log
from kameng_escrow.chain.errors import NodeError, UndecodableLog
from kameng_escrow.chain.nodes import Node
from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.mirror import NodeInconsistent

from .errors import NodePruned
from .lines import Line


class Witness:
    """What a node says of single transactions."""

    def __init__(self, node: Node, contract: str) -> None:
        self._node = node
        self._contract = contract.lower()

    def confirm(self, true: Line) -> None:
        """Passes a line that follows from the logs, if the receipt of its transaction has its event in its block.

        Raises:
            NodePruned: the node does not keep the receipt.
            NodeInconsistent: the receipt says something else than the logs.
            NodeError: the node does not answer.
        """
        transaction, block = true["closed_transaction"], int(true["closed_block"])
        receipt = self._receipt(transaction)
        if receipt is None:
            raise NodePruned(transaction, block)
        event = self._closing(receipt, true["order_id"])
        of_block = str(receipt.get("blockHash", "")).lower() == true["closed_block_hash"]
        if (
            event is None
            or not of_block
            or (event.outcome.label, event.fault.label)
            != (
                true["outcome"],
                true["fault"],
            )
        ):
            raise NodeInconsistent(
                f"The node's logs have order {true['order_id']} closed by {transaction}, and its receipt of that says "
                "something else: it can't be believed. Ask another node."
            )

    def deny(self, said: Line) -> None:
        """Passes a line of an order that no log closed, if the node has no receipt that closed it either.

        Raises:
            NodePruned: the transaction is in its block, and the node does not keep its receipt.
            NodeInconsistent: the receipt has the event that the logs left out.
            NodeError: the node does not answer.
        """
        transaction, number = said["closed_transaction"], said["closed_block"]
        if not (number.isascii() and number.isdigit() and len(number) < 16):
            return
        receipt = self._receipt(transaction)
        if receipt is not None:
            if self._closing(receipt, said["order_id"]) is not None:
                raise NodeInconsistent(
                    f"The node has a receipt that closed order {said['order_id']}, and left its log out: it can't be "
                    "believed. Ask another node."
                )
            return
        block = self._node.request("eth_getBlockByNumber", hex(int(number)), False)
        if block is not None and transaction.lower() in [str(one).lower() for one in block.get("transactions", ())]:
            raise NodePruned(transaction, int(number))

    def _receipt(self, transaction: str) -> dict[str, Any] | None:
        try:
            found = self._node.request("eth_getTransactionReceipt", transaction)
        except NodeError as error:
            if transaction.lower().startswith("0x") and len(transaction) == 66:
                raise
            del error  # what is no hash has no receipt
            return None
        return found if isinstance(found, dict) else None

    def _closing(self, receipt: dict[str, Any], order_id: str) -> OrderClosed | None:
        for log in receipt.get("logs", ()):
            if str(log.get("address", "")).lower() != self._contract:
                continue
            try:
                logged = decode_log(log, 0)
            except UndecodableLog:
                continue
            event = logged.event if logged is not None else None
            if isinstance(event, OrderClosed) and event.order_id == order_id.lower():
                return event
        return None
