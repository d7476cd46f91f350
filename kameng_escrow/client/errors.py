"""What a client finds wrong before the contract could.

InvalidInput
└── UnknownOrder    nobody opened an order under these terms, on this contract and chain
"""

from kameng_escrow.chain.errors import InvalidInput


class UnknownOrder(InvalidInput):
    """No order was opened under the id (`order_id`): the terms are not its terms, or it is on another contract."""

    code = "unknown_order"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"No order {order_id} was opened on this contract: check every field of the terms, and that contract and "
            "chain are the order's.",
            f"这个合约上没有开过订单 {order_id}：请核对条款的每个字段，以及合约和链是否正确。",
        )
        self.order_id = order_id
