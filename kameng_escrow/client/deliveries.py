"""What was delivered, held against the chain: by the buyer who opens it, and by the mediator who is shown a part."""

from kameng_escrow.chain.steps import Steps
from kameng_escrow.delivery.commitments import Disclosure, check_disclosure
from kameng_escrow.delivery.parcels import Parcel
from kameng_escrow.delivery.sealing import Delivery, open_delivery
from kameng_escrow.domain.events import OrderDelivered, OrderRecommitted
from kameng_escrow.domain.inputs import parse_hash
from kameng_escrow.domain.order import OrderTerms

from .operations import read
from .reading import ReadOperations


class DeliveryOperations(ReadOperations):
    """Nothing here sends a transaction. How deliveries are made is in `kameng_escrow.delivery`."""

    @read
    def commitments(self, order_id: str) -> Steps[tuple[str, ...]]:
        """What the seller committed to: the delivery, then its replacements. The last one counts; none: not delivered.

        Raises `Malformed`.
        """
        return (yield from self._commitments(order_id))

    @read
    def open_delivery(self, terms: OrderTerms, delivery: Delivery, identity: str) -> Steps[Parcel]:
        """Decrypts a delivery with the order's key, and checks that it is what the chain says was delivered last.

        Args:
            terms: the order's.
            delivery: as the seller or a service handed it over.
            identity: ``AGE-SECRET-KEY-1…`` (see `DeliverySecret.identity`).

        Raises:
            DeliveryFalse: it is another delivery than the chain's, or not what was ordered: a reason to dispute.
            PayloadUnreadable, PayloadTooLarge, DeliveryKeyUnusable: it does not open.
        """
        known = yield from self._commitments((yield from self._order_id(terms)))
        return open_delivery(delivery, identity, units=terms.units, commitment=known[-1] if known else None)

    @read
    def check_disclosure(self, terms: OrderTerms, disclosure: Disclosure) -> Steps[bool]:
        """Whether a disclosed unit belongs to what was delivered last (True), or to a delivery that was replaced
        (False).

        Raises:
            DisclosureFalse: it belongs to neither.
        """
        identity = yield from self._order_id(terms)
        known = yield from self._commitments(identity)
        matched = next((one for one in known if one == disclosure.commitment), None)
        check_disclosure(disclosure, order_id=identity, commitment=matched, units=terms.units)
        return matched == known[-1]

    def _commitments(self, order_id: str) -> Steps[tuple[str, ...]]:
        events = yield from self._all_logs([None, parse_hash(order_id, "order_id")])
        return tuple(
            logged.event.commitment for logged in events if isinstance(logged.event, OrderDelivered | OrderRecommitted)
        )
