"""Several orders in one transaction."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from kameng_escrow.chain import rpc
from kameng_escrow.chain.calls import Call, contract_call
from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.chain.signing import sign_typed_data
from kameng_escrow.chain.steps import Steps
from kameng_escrow.chain.token_domain import token_domain, token_number
from kameng_escrow.domain.inputs import check_uint, parse_address
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.payments import Payment, PaymentMethod, payment_typed_data
from kameng_escrow.domain.refusals import InvalidAddress, PullFailed
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.terms import check_terms

from .allowance import Allowance
from .operations import prepared, read, write
from .payments import PAYMENT_SECONDS

CART = "KamengCart"
NO_OFFER = Offer(expiry=0, signature=b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    terms: OrderTerms
    offer: Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Permit:
    token: str
    value: int
    deadline: int
    signature: bytes


class CartOperations(Allowance):
    """What a write raises, `OrderOperations` tells. Amounts are base units, times Unix seconds."""

    @write
    def open_cart(
        self,
        orders: Sequence[tuple[OrderTerms, Offer | None]],
        *,
        permits: Sequence[Payment] = (),
        approve: bool = True,
    ) -> Steps[Sequence[Call]]:
        """Rows 1 and 2, for several orders in one transaction: all are opened, or none. The account pays; the receipt
        has one `OrderOpened` for each order, whose payer is the cart.

        Args:
            orders: the terms of each, and the seller's offer where there is one.
            permits: instead of an allowance, for tokens that take them (see `sign_cart_permit`).
            approve: allows the cart to take exactly the sum of a token's prices first, where it may not yet and there
                is no permit: a transaction of its own for each token.

        Raises:
            InvalidInput: there is no order, or a permit is of another's money.
        """
        if not orders:
            raise InvalidInput("The cart is empty: give it at least one order.", "购物车是空的：请至少放入一笔订单。")
        place = yield from self._place()
        cart = yield from self._companion(CART)
        sums: dict[str, int] = {}
        for terms, _ in orders:
            check_terms(terms, place.address)
            if cart in (terms.buyer, terms.refund_to, terms.pay_to):
                raise InvalidAddress(cart)
            sums[terms.token] = sums.get(terms.token, 0) + terms.price
        items = [_Item(terms=terms, offer=offer or NO_OFFER) for terms, offer in orders]
        call = contract_call(
            CART, cart, "open", items, [self._cart_permit(one) for one in permits], value=sums.pop(NATIVE, 0)
        )
        permitted = {one.token for one in permits}
        before: list[Call] = []
        for token, total in sums.items():
            if approve and token not in permitted:
                before += yield from self._allowing(token, total, spender=cart)
        if before:
            # What would be refused anyway must not leave an allowance behind, and the cart asks for money first.
            for terms, offer in orders:
                yield from self._try_alone(terms, offer)
        return (*before, call)

    prepare_open_cart = prepared(open_cart)

    @read
    def sign_cart_permit(self, token: str, *, amount: int, deadline: int | None = None) -> Steps[Payment]:
        """The account's EIP-2612 permit for the cart to take `amount` of a token: the sum of its prices. Good until
        `deadline`; left out, for an hour. Raises `InvalidInput` where the token takes none, or the key is not here.
        """
        signer = self._signer
        check_uint(amount, 256, "amount")
        token = parse_address(token, "token")
        place = yield from self._place()
        cart = yield from self._companion(CART)
        owner = bytes(12) + bytes.fromhex(self.address[2:])
        nonce = yield from token_number(token, "nonces(address)", owner)
        if nonce is None:
            raise InvalidInput(
                f"The token {token} does not know EIP-2612: let the cart be paid by an allowance.",
                f"代币 {token} 不支持 EIP-2612：请改用授权额度。",
            )
        if deadline is None:
            deadline = (yield from rpc.block("latest")).timestamp + PAYMENT_SECONDS
        unsigned = Payment(
            method=PaymentMethod.Permit,
            payer=self.address,
            token=token,
            amount=amount,
            nonce=nonce,
            deadline=deadline,
        )
        domain = yield from token_domain(token, place.chain_id)
        return replace(
            unsigned,
            signature=sign_typed_data(signer, payment_typed_data(unsigned, escrow=cart, domain=domain)),
        )

    def _try_alone(self, terms: OrderTerms, offer: Offer | None) -> Steps[None]:
        """Whether the order could be opened by itself, but for the money. Raises the refusal."""
        arguments = (terms,) if offer is None else (terms, offer)
        function = "open" if offer is None else "openWithOffer"
        value = terms.price if terms.token == NATIVE else 0
        with suppress(PullFailed):
            call = yield from self._call(function, *arguments, value=value)
            yield from rpc.eth_call(call, sender=self.address, tag="pending")

    def _cart_permit(self, permit: Payment) -> _Permit:
        if permit.method is not PaymentMethod.Permit or permit.payer != self.address:
            raise InvalidInput(
                f"The cart takes permits of {self.address}, which pays, and this is {permit.method} of {permit.payer}.",
                f"购物车只接受付款账户 {self.address} 的 permit，而这是 {permit.payer} 的 {permit.method}。",
            )
        return _Permit(token=permit.token, value=permit.amount, deadline=permit.deadline, signature=permit.signature)
