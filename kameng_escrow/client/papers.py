"""What is written and signed off the chain: terms, offers, splits, actions."""

import secrets

from kameng_escrow.chain import rpc
from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.chain.signing import sign_action, sign_offer, sign_split
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.inputs import check_uint, parse_address, parse_hash
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.refusals import Expired
from kameng_escrow.domain.signed import Action, Offer, Split
from kameng_escrow.domain.states import Role, State, Verb
from kameng_escrow.domain.terms import check_terms

from .operations import read
from .orders import ZERO_HASH, OrderOperations

OPEN_SECONDS = 24 * 60 * 60  # that terms may be opened, unless told otherwise
SPLIT_SECONDS = 23 * 60 * 60  # that a split lives: an hour less than the most, since it is measured when it is paid
ACTION_SECONDS = 60 * 60  # that an action may be relayed


class PaperOperations(OrderOperations):
    """Nothing here sends a transaction. Amounts are base units, times Unix seconds of the chain's clock."""

    @read
    def terms(
        self,
        *,
        seller: str,
        price: int,
        policy_id: str,
        token: str = NATIVE,
        units: int = 1,
        buyer: str | None = None,
        refund_to: str | None = None,
        pay_to: str | None = None,
        listing: str | None = None,
        open_by: int | None = None,
        salt: str | None = None,
    ) -> Steps[OrderTerms]:
        """Terms, with what is left out filled in.

        Args:
            seller: who is to deliver.
            price: base units of the token; 0 < price < 2^127.
            policy_id: the rules.
            token: an ERC-20; left out, the chain's native coin.
            units: identical card lines, 1 … 65,535.
            buyer: left out, the client's account.
            refund_to: where the buyer's money goes back; left out, the buyer.
            pay_to: where the seller's money goes; left out, the seller.
            listing: 32 bytes that say what is sold; left out, random.
            open_by: the last second at which the order may be opened; left out, a day after the chain's clock.
            salt: 32 bytes that make equal orders different; left out, zeros but for 8 random bytes, since zeros are
                cheaper to send and the listing is random already.

        Raises:
            Malformed: a value that is no address, hash or number.
            InvalidAddress, PriceOutOfRange, UnitsOutOfRange: the contract would refuse the terms.
        """
        place = yield from self._place()
        buyer = self.address if buyer is None else parse_address(buyer, "buyer")
        seller = parse_address(seller, "seller")
        if open_by is None:
            open_by = (yield from rpc.block("latest")).timestamp + OPEN_SECONDS
        terms = OrderTerms(
            buyer=buyer,
            refund_to=buyer if refund_to is None else parse_address(refund_to, "refund_to"),
            seller=seller,
            pay_to=seller if pay_to is None else parse_address(pay_to, "pay_to"),
            token=parse_address(token, "token"),
            price=price,
            units=units,
            policy_id=parse_hash(policy_id, "policy_id"),
            listing=_random_hash() if listing is None else parse_hash(listing, "listing"),
            open_by=open_by,
            salt=_random_salt() if salt is None else parse_hash(salt, "salt"),
        )
        check_terms(terms, place.address)
        return terms

    @read
    def order_id(self, terms: OrderTerms) -> Steps[str]:
        """The id of the terms on this contract and chain. Does not tell whether the order was opened. Raises
        `Malformed`.
        """
        return (yield from self._order_id(terms))

    @read
    def sign_offer(self, terms: OrderTerms, *, expiry: int, revision: int | None = None) -> Steps[Offer]:
        """The account's promise to accept the order, as its seller or as an operator with the right to accept.

        Args:
            terms: the order's.
            expiry: the promise lives while t < expiry.
            revision: that it is bound to; left out, the current one.

        Raises:
            Expired: the expiry has passed already.
            InvalidInput: the account's key is not here.
        """
        signer = self._signer
        place = yield from self._place()
        yield from self._check_expiry(expiry)
        identity, slot = yield from self._any_slot(terms)
        return sign_offer(
            signer,
            identity,
            seller=terms.seller,
            revision=slot.revision if revision is None else revision,
            expiry=expiry,
            domain=place.domain,
        )

    @read
    def split(self, terms: OrderTerms, *, to_buyer: int, expiry: int | None = None) -> Steps[Split]:
        """A division of what is held now, for both parties to sign: `to_buyer` out of the price, or out of the sum in
        dispute. It is void once the state, the disputed units or the revision change, and expires in 23 hours unless
        told otherwise. Raises `UnknownOrder`.
        """
        check_uint(to_buyer, 256, "to_buyer")
        _, slot = yield from self._slot(terms)
        if expiry is None:
            expiry = (yield from rpc.block("latest")).timestamp + SPLIT_SECONDS
        return Split(
            state=slot.state,
            disputed_units=slot.disputed_units,
            revision=slot.revision,
            to_buyer=to_buyer,
            expiry=expiry,
        )

    @read
    def sign_split(self, terms: OrderTerms, split: Split) -> Steps[bytes]:
        """The account's signature of the division: 65 bytes. Raises `Expired`, `InvalidInput`."""
        signer = self._signer
        place = yield from self._place()
        yield from self._check_expiry(split.expiry)
        return sign_split(signer, (yield from self._order_id(terms)), split, place.domain)

    @read
    def action(
        self,
        terms: OrderTerms,
        *,
        verb: Verb,
        role: Role | None = None,
        expected: State | None = None,
        number: int | None = None,
        content: str = ZERO_HASH,
        expiry: int | None = None,
        signer: str | None = None,
    ) -> Steps[Action]:
        """An action for a party or operator to sign and anyone to relay.

        Args:
            terms: the order's.
            verb: what is to be done.
            role: in what capacity; left out, what the signer is.
            expected: the state that the signer takes the order to be in; left out, it is read.
            number: for Dispute the units in dispute; for Revise and Recommit the revision, read where left out.
            content: for Deliver and Recommit the commitment, for Dispute the evidence.
            expiry: the action may be relayed while t < expiry; left out, for an hour.
            signer: who will sign; left out, the client's account.

        Raises:
            InvalidInput: a dispute without a number of units.
            UnknownOrder: nobody opened the order (a seller's Revise is possible all the same).
        """
        signer = self.address if signer is None else parse_address(signer, "signer")
        if verb is Verb.Dispute and number is None:
            raise InvalidInput(
                "A dispute needs the number of units in dispute (number=…).", "争议要写明有争议的张数（number=…）。"
            )
        slot_of = self._any_slot if verb is Verb.Revise else self._slot
        _, slot = yield from slot_of(terms)
        if number is None:
            number = slot.revision if verb in (Verb.Revise, Verb.Recommit) else 0
        if expiry is None:
            expiry = (yield from rpc.block("latest")).timestamp + ACTION_SECONDS
        return Action(
            verb=verb,
            state=slot.state if expected is None else expected,
            role=self._role(terms, signer) if role is None else role,
            signer=signer,
            expiry=expiry,
            number=number,
            content=parse_hash(content, "content"),
        )

    @read
    def sign_action(self, terms: OrderTerms, action: Action) -> Steps[bytes]:
        """The account's signature of the action: 65 bytes.

        Raises:
            Expired: the expiry has passed already.
            InvalidInput: the account is not the action's signer, or its key is not here.
        """
        signer = self._signer
        if action.signer != self.address:
            raise InvalidInput(
                f"The action is to be signed by {action.signer}, and this client acts as {self.address}.",
                f"这个动作应由 {action.signer} 签名，而这个客户端代表 {self.address}。",
            )
        place = yield from self._place()
        yield from self._check_expiry(action.expiry)
        return sign_action(signer, (yield from self._order_id(terms)), action, place.domain)

    def _check_expiry(self, expiry: int) -> Steps[None]:
        check_uint(expiry, 40, "expiry")
        now = (yield from rpc.block("latest")).timestamp
        if expiry <= now:
            raise Expired(now, expiry)


def _random_hash() -> str:
    return "0x" + secrets.token_hex(32)


def _random_salt() -> str:
    return "0x" + bytes(24).hex() + secrets.token_hex(8)
