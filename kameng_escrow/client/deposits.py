"""Deposit addresses: an address for every order, which anybody pays by a plain transfer."""

from collections.abc import Sequence

from kameng_escrow.chain import rpc
from kameng_escrow.chain.calls import Call, contract_call
from kameng_escrow.chain.parts import companions
from kameng_escrow.chain.signing import sign_refund, sign_terms
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.deposits import DepositRefund, deposit_address
from kameng_escrow.domain.inputs import check_uint, parse_address
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.periphery_refusals import DisputeBondNotAllowed
from kameng_escrow.domain.refusals import InvalidAddress
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.terms import check_terms
from kameng_escrow.domain.typed_data import deposits_domain

from .operations import prepared, read, write
from .papers import PaperOperations
from .results import Deposit

DEPOSITS = "KamengDeposits"
REFUND_SECONDS = 60 * 60  # that a refund may be brought, unless told otherwise


class DepositOperations(PaperOperations):
    """What a write raises, `OrderOperations` tells. Amounts are base units, times Unix seconds of the chain's clock."""

    @read
    def deposit_address(self, terms: OrderTerms) -> Steps[str]:
        """The address at which a plain transfer of the price, an exchange's too, pays for the order. Nothing is sent.

        Raises:
            InvalidAddress, PriceOutOfRange, UnitsOutOfRange: the contract would refuse the terms.
            PolicyUnknown: nor is an order opened under an unknown policy.
            DisputeBondNotAllowed: nor, from here, where the buyer would owe a bond to dispute.
            NoDeployment: the escrow has no contract for deposits.
        """
        place = yield from self._place()
        deposits = yield from self._companion(DEPOSITS)
        check_terms(terms, place.address)
        recorded = {} if place.deployment is None else place.deployment.periphery
        for address in (companions(place.address) | dict(recorded)).values():  # what comes to them is nobody's
            if address in (terms.refund_to, terms.pay_to, terms.buyer):
                raise InvalidAddress(address)
        fields, _, _ = yield from self._lens_view("policyOf", terms.policy_id)
        if fields["dispute_bond_bps"]:
            raise DisputeBondNotAllowed(terms.policy_id, fields["dispute_bond_bps"])
        return deposit_address((yield from self._order_id(terms)), deposits)

    @read
    def deposit(self, terms: OrderTerms) -> Steps[Deposit]:
        """What lies at the order's deposit address now, in the order's token."""
        identity, slot = yield from self._any_slot(terms)
        address = deposit_address(identity, (yield from self._companion(DEPOSITS)))
        if terms.token == NATIVE:
            balance = yield from rpc.balance(address)
        else:
            balance = yield from rpc.view("TestToken", terms.token, "balanceOf", address)
        now = (yield from rpc.block("latest")).timestamp
        return Deposit(
            order_id=identity,
            address=address,
            token=terms.token,
            price=terms.price,
            balance=balance,
            state=slot.state,
            waiting=now <= terms.open_by,
        )

    @read
    def sign_terms(self, terms: OrderTerms) -> Steps[bytes]:
        """The account's signature of the order's id, 65 bytes: with it anyone may open the order from its deposit
        address. Raises `InvalidInput` where the account's key is not here.
        """
        signer = self._signer
        place = yield from self._place()
        check_terms(terms, place.address)
        return sign_terms(signer, terms, place.domain)

    @write
    def open_from_deposit(
        self, terms: OrderTerms, *, offer: Offer | None = None, signature: bytes = b""
    ) -> Steps[Sequence[Call]]:
        """Rows 1 and 2, paid by what lies at the deposit address. With the seller's offer anyone may; without one the
        buyer, or anyone with its `signature` of the terms (see `sign_terms`). The client's account pays the gas.

        Raises:
            DepositShort: the price is not there yet.
            DisputeBondNotAllowed: under the policy the buyer would owe a bond to dispute.
        """
        if offer is None:
            return (yield from self._at_deposits(terms, "open", signature))
        return (yield from self._at_deposits(terms, "openWithOffer", offer))

    prepare_open_from_deposit = prepared(open_from_deposit)

    @read
    def sign_deposit_refund(self, terms: OrderTerms, *, expiry: int | None = None) -> Steps[DepositRefund]:
        """The account's will, as the buyer, to have everything back from the deposit address; anyone may bring it, for
        an hour unless told otherwise. Raises `Expired`, `InvalidInput`.
        """
        signer = self._signer
        place = yield from self._place()
        deposits = yield from self._companion(DEPOSITS)
        if expiry is None:
            expiry = (yield from rpc.block("latest")).timestamp + REFUND_SECONDS
        yield from self._check_expiry(expiry)
        domain = deposits_domain(place.chain_id, deposits)
        return sign_refund(signer, (yield from self._order_id(terms)), expiry=expiry, domain=domain)

    @write
    def refund_deposit(self, terms: OrderTerms, *, refund: DepositRefund | None = None) -> Steps[Sequence[Call]]:
        """Sends all of the order's token at the deposit address to refundTo: the buyer, or anyone with the buyer's
        signed `refund`. Raises `NothingToPay` where nothing is there.
        """
        will = refund or DepositRefund(expiry=0, signature=b"")
        return (yield from self._at_deposits(terms, "refund", will.expiry, will.signature))

    prepare_refund_deposit = prepared(refund_deposit)

    @write
    def sweep_deposit(self, terms: OrderTerms, *, token: str | None = None) -> Steps[Sequence[Call]]:
        """Sends to refundTo what does not wait for the order; anyone may. Of the order's token that is what is beyond
        the price, and all of it once the order was opened or openBy has passed; of another `token` everything. Raises
        `TooEarly` where all there is waits.
        """
        coin = terms.token if token is None else parse_address(token, "token")
        return (yield from self._at_deposits(terms, "sweep", coin))

    prepare_sweep_deposit = prepared(sweep_deposit)

    @write
    def rescue_deposit(self, terms: OrderTerms, *, chain_id: int, token: str = NATIVE) -> Steps[Sequence[Call]]:
        """Sends to refundTo what was sent on this chain, the wrong one, to the deposit address of an order on the chain
        `chain_id`; anyone may. Escrow and deposits must have the same addresses here as there. `token`: one of this
        chain; left out, its native coin. Raises `NotForeign` where the order is on this chain, `NothingToPay`.
        """
        check_uint(chain_id, 256, "chain_id")
        deposits = yield from self._companion(DEPOSITS)
        coin = parse_address(token, "token")
        return (contract_call(DEPOSITS, deposits, "rescue", terms, chain_id, coin),)

    prepare_rescue_deposit = prepared(rescue_deposit)

    def _at_deposits(self, terms: OrderTerms, function: str, *arguments: object) -> Steps[Sequence[Call]]:
        identity = yield from self._order_id(terms)
        deposits = yield from self._companion(DEPOSITS)
        return (contract_call(DEPOSITS, deposits, function, terms, *arguments, order_id=identity),)
