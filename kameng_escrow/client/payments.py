"""Paying by signature: what is signed, by whom, and whether it can work, before anything is sent."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kameng_escrow.chain import rpc
from kameng_escrow.chain.calls import Call, token_call
from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.chain.signing import is_signed_by, sign_typed_data, typed_data_digest
from kameng_escrow.chain.slots import OrderSlot
from kameng_escrow.chain.steps import Steps
from kameng_escrow.chain.token_domain import token_domain, token_number
from kameng_escrow.domain.inputs import check_uint, parse_address
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.payments import (
    PERMIT2,
    Payment,
    PaymentMethod,
    TokenDomain,
    dispute_nonce,
    opening_nonce,
    payment_typed_data,
    permit2_domain,
)
from kameng_escrow.domain.refusals import Expired, InvalidSignature
from kameng_escrow.domain.shares import bps, sum_in_dispute

from .operations import prepared, read, write
from .session import Session

PAYMENT_SECONDS = 60 * 60  # that a payment may be brought, unless told otherwise
MAX_ALLOWANCE = 2**256 - 1


class PaymentOperations(Session):
    """Nothing here but `approve_permit2` sends a transaction. Amounts are base units, times Unix seconds of the chain's
    clock. A signed payment goes to `open`, or with a signed dispute to `act`, from any account.
    """

    @read
    def payment(
        self,
        terms: OrderTerms,
        *,
        method: PaymentMethod,
        payer: str | None = None,
        deadline: int | None = None,
        nonce: int | None = None,
    ) -> Steps[Payment]:
        """The payment of an order's price, for `payer` to sign.

        Args:
            terms: the order's.
            method: see `PaymentMethod`. With a permit only the payer itself can open the order; the others anyone can.
            payer: left out, the client's account.
            deadline: until when it may be brought; left out, for an hour.
            nonce: for Permit2, one that the payer has not used; left out, one is looked up. Payments that are out at
                once need different ones.

        Raises:
            InvalidInput: the token can't be paid like that, or not yet: the message says what to do.
            Malformed: an address or a number that is none.
        """
        payer = self.address if payer is None else parse_address(payer, "payer")
        identity = yield from self._order_id(terms)
        return (yield from self._payment(terms, method, payer, terms.price, opening_nonce(identity), deadline, nonce))

    @read
    def dispute_payment(
        self, terms: OrderTerms, *, units: int, method: PaymentMethod, deadline: int | None = None
    ) -> Steps[Payment]:
        """The payment of the dispute bond on `units` of an order, for its buyer to sign beside the action (see
        `action`). By permit or authorization; else as `payment`. Raises `UnknownOrder` too.
        """
        if method is PaymentMethod.Permit2:
            raise InvalidInput(
                "A dispute bond is paid by permit or authorization: Permit2 pays prices only.",
                "争议押金只能用 permit 或 authorization 支付，Permit2 只能付货款。",
            )
        identity, slot = yield from self._slot(terms)
        amount = dispute_bond(terms, slot, units)
        return (yield from self._payment(terms, method, terms.buyer, amount, dispute_nonce(identity), deadline, None))

    @read
    def payment_typed_data(self, terms: OrderTerms, payment: Payment) -> Steps[dict[str, Any]]:
        """The payment as a wallet signs it with ``eth_signTypedData_v4``; put what it gives into the payment's
        `signature`. Raises as `payment`.
        """
        place = yield from self._place()
        domain = yield from self._domain_of(payment)
        return payment_typed_data(payment, escrow=place.address, domain=domain, terms=terms)

    @read
    def sign_payment(self, terms: OrderTerms, payment: Payment) -> Steps[Payment]:
        """The payment, signed with the account's key.

        Raises:
            Expired: the deadline has passed already.
            InvalidInput: the account is not the payer, or its key is not here.
        """
        signer = self._signer
        if payment.payer != self.address:
            raise InvalidInput(
                f"The payment is to be signed by {payment.payer}, and this client acts as {self.address}.",
                f"这笔付款应由 {payment.payer} 签名，而这个客户端代表 {self.address}。",
            )
        yield from self._check_deadline(payment)
        place = yield from self._place()
        domain = yield from self._domain_of(payment)
        document = payment_typed_data(payment, escrow=place.address, domain=domain, terms=terms)
        return replace(payment, signature=sign_typed_data(signer, document))

    @write
    def approve_permit2(self, token: str, *, amount: int = MAX_ALLOWANCE) -> Steps[Sequence[Call]]:
        """Lets Permit2 take up to `amount` of a token from the account wherever the account signs: once, before the
        first payment by Permit2.
        """
        check_uint(amount, 256, "amount")
        if not (yield from rpc.code(PERMIT2)):
            raise _no_permit2()
        return (token_call(parse_address(token, "token"), "approve", PERMIT2, amount),)

    prepare_approve_permit2 = prepared(approve_permit2)

    # ---------------------------------------------------------------------------------------------------------- helpers

    def _payment(
        self,
        terms: OrderTerms,
        method: PaymentMethod,
        payer: str,
        amount: int,
        authorization_nonce: int,
        deadline: int | None,
        nonce: int | None,
    ) -> Steps[Payment]:
        if terms.token == NATIVE:
            raise InvalidInput(
                "The native coin comes with the call: open or dispute without a payment.",
                "原生币随交易转入：下单或发起争议时不要带付款签名。",
            )
        if deadline is None:
            deadline = (yield from rpc.block("latest")).timestamp + PAYMENT_SECONDS
        if method is PaymentMethod.Permit:
            found = yield from token_number(terms.token, "nonces(address)", _word(payer))
            if found is None:
                raise _unknown_to(terms.token, "EIP-2612")
        elif method is PaymentMethod.Authorization:
            found = authorization_nonce
            words = _word(payer), found.to_bytes(32, "big")
            used = yield from token_number(terms.token, "authorizationState(address,bytes32)", *words)
            if used is None:
                raise _unknown_to(terms.token, "EIP-3009")
            if used:
                raise InvalidInput(
                    f"{payer} has used or cancelled its authorization for this order: change the salt of the terms.",
                    f"{payer} 对这笔订单的转账授权已用过或已取消：请换一个 salt 重新拟条款。",
                )
        else:
            found = (yield from self._permit2_nonce(terms, payer, amount)) if nonce is None else nonce
        return Payment(method=method, payer=payer, token=terms.token, amount=amount, nonce=found, deadline=deadline)

    def _permit2_nonce(self, terms: OrderTerms, payer: str, amount: int) -> Steps[int]:
        """An unused one, beginning with the payer's first 256, so that one word of its bitmap serves many orders."""
        allowed = yield from token_number(terms.token, "allowance(address,address)", _word(payer), _word(PERMIT2))
        if not (yield from rpc.code(PERMIT2)):
            raise _no_permit2()
        if (allowed or 0) < amount:
            raise InvalidInput(
                f"{payer} has not let Permit2 take this token: call approve_permit2 first.",
                f"{payer} 还没有允许 Permit2 动用这种代币：请先调用 approve_permit2。",
            )
        # Orders that are signed at the same time should not all begin at the same bit.
        start = opening_nonce((yield from self._order_id(terms))) % 256
        bits, word = (*range(start, 256), *range(start)), 0
        while True:
            words = _word(payer), word.to_bytes(32, "big")
            used = (yield from token_number(PERMIT2, "nonceBitmap(address,uint256)", *words)) or 0
            free: int | None = next((bit for bit in bits if not used >> bit & 1), None)
            if free is not None:
                return (word << 8) + free
            word += 1

    def _domain_of(self, payment: Payment) -> Steps[TokenDomain]:
        place = yield from self._place()
        if payment.method is PaymentMethod.Permit2:
            return permit2_domain(place.chain_id)
        return (yield from token_domain(payment.token, place.chain_id))

    def _check_payment(self, terms: OrderTerms, payment: Payment, amount: int, nonce: int) -> Steps[None]:
        """Tells what the contract could not: it only sees that the token refused. `nonce`: an authorization's.

        Raises:
            InvalidInput: the payment is of another token or amount, or nobody signed it.
            Expired: its deadline has passed.
            InvalidSignature: another than the payer signed it.
        """
        if (payment.token, payment.amount) != (terms.token, amount):
            raise InvalidInput(
                f"The payment is of {payment.amount} base units of {payment.token}, and {amount} of {terms.token} are "
                "due.",
                f"付款签名是 {payment.amount} 个最小单位的 {payment.token}，应付 {amount} 个最小单位的 {terms.token}。",
            )
        if payment.method is PaymentMethod.Authorization and payment.nonce != nonce:
            raise InvalidInput(
                "The authorization was signed for another order, or for another payment of this one.",
                "这份转账授权是为另一笔订单、或为本单的另一笔款项签的。",
            )
        if not payment.signature:
            raise InvalidInput(
                f"Nobody has signed the payment: {payment.payer} does, with sign_payment or a wallet.",
                f"这笔付款还没有签名：请 {payment.payer} 用 sign_payment 或钱包签名。",
            )
        yield from self._check_deadline(payment)
        place = yield from self._place()
        domain = yield from self._domain_of(payment)
        document = payment_typed_data(payment, escrow=place.address, domain=domain, terms=terms)
        digest = typed_data_digest(document)
        if not (yield from is_signed_by(payment.payer, digest, payment.signature)):
            raise InvalidSignature(payment.payer, digest)

    def _check_deadline(self, payment: Payment) -> Steps[None]:
        now = (yield from rpc.block("latest")).timestamp
        end = payment.deadline if payment.method is PaymentMethod.Authorization else payment.deadline + 1
        if now >= end:
            raise Expired(now, end)


def dispute_bond(terms: OrderTerms, slot: OrderSlot, units: int) -> int:
    """What a buyer brings to dispute `units` of an order, in base units; zero where the contract will refuse the units
    anyway.
    """
    if not 0 < units <= terms.units:
        return 0
    return bps(sum_in_dispute(terms.price, terms.units, units), slot.dispute_bond_bps)


def _word(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])


def _no_permit2() -> InvalidInput:
    return InvalidInput(
        "There is no Permit2 on this chain: pay in another way.", "这条链上没有 Permit2：请换一种付款方式。"
    )


def _unknown_to(token: str, standard: str) -> InvalidInput:
    return InvalidInput(
        f"The token {token} does not know {standard}: pay in another way, by allowance for one.",
        f"代币 {token} 不支持 {standard}：请换一种付款方式，例如授权额度。",
    )
