"""Letting the escrow take tokens from the client's account."""

from collections.abc import Sequence

from kameng_escrow.chain import rpc
from kameng_escrow.chain.calls import Call, token_call
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusal_base import Refusal

from .session import Session


class Allowance(Session):
    """What opening, disputing and funding need first where the money is a token."""

    def _allowing(self, token: str, amount: int, *, spender: str | None = None) -> Steps[Sequence[Call]]:
        """The calls after which the escrow, or another `spender`, may take `amount` base units; none where it may
        already.
        """
        if token == NATIVE or amount == 0:
            return ()
        taker = (yield from self._place()).address if spender is None else spender
        if not (yield from rpc.code(token)):
            return ()  # the contract says that better
        allowed = yield from rpc.view("TestToken", token, "allowance", self.address, taker)
        if allowed >= amount:
            return ()
        approve = token_call(token, "approve", taker, amount)
        if allowed == 0:
            return (approve,)
        try:
            yield from rpc.eth_call(approve, sender=self.address, tag="pending")
        except Refusal:
            # Some tokens change an allowance only from zero, USDT among them.
            return (token_call(token, "approve", taker, 0), approve)
        return (approve,)
