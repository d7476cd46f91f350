"""What sellers let others do for them, as in ``contracts/core/Sellers.sol``."""

from ..events import OperatorSet, PayToRegistered
from ..grants import NO_GRANT, require_right
from ..order import OrderTerms
from ..policy import ZERO_ADDRESS
from ..refusals import InvalidAddress, UnknownRights
from ..signed import OperatorGrant
from ..states import Right
from .books import Bookkeeper, transaction

_ALL_RIGHTS = sum(Right)


class Sellers(Bookkeeper):
    """Operators act within a grant, and never decide where money goes."""

    @transaction
    def register_pay_to(self, pay_to: str) -> None:
        """Registers where operators may let the caller's money go."""
        if pay_to in (ZERO_ADDRESS, self.address):
            raise InvalidAddress(pay_to)
        self.books.pay_to[self._sender] = pay_to
        self._emit(PayToRegistered(seller=self._sender, pay_to=pay_to))

    @transaction
    def set_operator(self, operator: str, token: str, policy_id: str, grant: OperatorGrant) -> None:
        """Replaces what an operator may do with the caller's orders of one token under one policy."""
        if operator == ZERO_ADDRESS:
            raise InvalidAddress(operator)
        if grant.rights > _ALL_RIGHTS:
            raise UnknownRights(grant.rights, _ALL_RIGHTS)
        self.books.grants[self._sender, operator, token, policy_id] = grant
        self._emit(
            OperatorSet(
                seller=self._sender,
                operator=operator,
                token=token,
                policy_id=policy_id,
                rights=grant.rights,
                expiry=grant.expiry,
                max_price=grant.max_price,
            )
        )

    def operator_of(self, seller: str, operator: str, token: str, policy_id: str) -> OperatorGrant:
        """The grant; one without rights if there is none."""
        return self.books.grants.get((seller, operator, token, policy_id), NO_GRANT)

    def pay_to_of(self, seller: str) -> str:
        """The address to which operators may let the seller's money go."""
        return self.books.pay_to.get(seller, seller)

    def _require_right(self, terms: OrderTerms, operator: str, right: Right) -> None:
        grant = self.operator_of(terms.seller, operator, terms.token, terms.policy_id)
        registered = self.pay_to_of(terms.seller)
        require_right(terms, operator, right, grant=grant, registered=registered, now=self._now)
