"""Money in, money out, and what is owed meanwhile, as in ``contracts/core/Treasury.sol``.

A token is told by its own books: balances, allowances and whom it refuses. The native coin refuses whom it can't be
sent to, contracts that take none for one. Of what a hostile token or receiver can do beyond refusing (fees on transfer,
false answers, eaten gas, calling back) there is nothing here.
"""

from collections.abc import Collection

from ..events import BondFunded, BondWithdrawn, Credited, CreditPaid, FeesClaimed
from ..order import NATIVE
from ..policy import ZERO_ADDRESS
from ..refusals import (
    BondShort,
    InvalidAddress,
    NothingToPay,
    PolicyUnknown,
    PullFailed,
    PushFailed,
    TokenHasNoCode,
    WrongValue,
)
from .books import transaction
from .policies import Policies

_UNLIMITED = 2**256 - 1  # an allowance that does not shrink


class Treasury(Policies):
    """Takes exactly what is asked for, pays or credits."""

    def __init__(self, address: str, tokens: Collection[str]) -> None:
        super().__init__(address)
        self.tokens = frozenset(tokens)  # the addresses at which there is an ERC-20
        self.refusing: set[tuple[str, str]] = set()  # accounts and tokens that can't be paired: (account, token)

    @transaction
    def fund_bond(self, seller: str, token: str, amount: int, *, value: int = 0) -> None:
        """Adds to a seller's bond balance. `value` is the native coin sent along, likewise below."""
        if seller == ZERO_ADDRESS:
            raise InvalidAddress(seller)
        if amount == 0:
            raise NothingToPay()
        self._return_bond(seller, token, amount)
        self._emit(BondFunded(seller=seller, token=token, sender=self._sender, amount=amount))
        self._collect(token, self._sender, amount, value)

    @transaction
    def withdraw_bond(self, token: str, amount: int, to: str) -> None:
        """Takes from the caller's bond balance what is not locked in orders."""
        self._check_receiver(token, to)
        if amount == 0:
            raise NothingToPay()
        self._lock_bond(self._sender, token, amount)
        self._emit(BondWithdrawn(seller=self._sender, token=token, to=to, amount=amount))
        self._push_or_raise(token, to, amount)

    @transaction
    def pay_credit(self, account: str, token: str) -> None:
        """Tries again to pay an account its credit."""
        self._pay_credit(account, token, account)

    @transaction
    def withdraw_credit(self, token: str, to: str) -> None:
        """Pays the caller's credit elsewhere."""
        self._check_receiver(token, to)
        self._pay_credit(self._sender, token, to)

    @transaction
    def claim_fees(self, policy_id: str, token: str) -> None:
        """Pays a policy's accrued fees to its receiver."""
        if policy_id not in self.books.policies:
            raise PolicyUnknown(policy_id)
        receiver = self.books.policies[policy_id].policy.fee_receiver
        amount = self.books.fees.pop((policy_id, token), 0)
        if amount == 0:
            raise NothingToPay()
        self._emit(FeesClaimed(policy_id=policy_id, token=token, receiver=receiver, amount=amount))
        self._push_or_credit(token, receiver, amount)

    # ------------------------------------------------------------------------------------------------------- moving

    def _collect(self, token: str, account: str, amount: int, value: int) -> None:
        due = amount if token == NATIVE else 0
        if value != due:
            raise WrongValue(value, due)
        if token == NATIVE:
            self._move(NATIVE, self._sender, self.address, amount)
        elif amount:
            self._pull(token, account, amount)

    def _pull(self, token: str, account: str, amount: int) -> None:
        if token not in self.tokens:
            raise TokenHasNoCode(token)
        allowance = self.books.allowances.get((account, token), 0)
        covered = amount <= min(allowance, self.books.balances.get((account, token), 0))
        if not covered or self._refuses(token, account) or self._refuses(token, self.address):
            raise PullFailed(token, account, amount)
        if allowance != _UNLIMITED:
            self.books.allowances[account, token] = allowance - amount
        self._move(token, account, self.address, amount)

    def _collect_permitted(self, token: str, account: str, amount: int, accepted: bool) -> None:
        """By an EIP-2612 permit for exactly the amount, which the token took, or not."""
        if amount == 0:
            return
        if accepted and token in self.tokens:
            self.books.allowances[account, token] = amount
        self._pull(token, account, amount)

    def _collect_signed(self, token: str, account: str, amount: int, accepted: bool) -> None:
        """By what the account signed for this very transfer, which the token, or Permit2, took, or not."""
        if amount == 0:
            return
        if token not in self.tokens:
            raise TokenHasNoCode(token)
        covered = accepted and amount <= self.books.balances.get((account, token), 0)
        if not covered or self._refuses(token, account) or self._refuses(token, self.address):
            raise PullFailed(token, account, amount)
        self._move(token, account, self.address, amount)

    def _push(self, token: str, to: str, amount: int) -> bool:
        if self._refuses(token, to) or self._refuses(token, self.address):
            return False
        self._move(token, self.address, to, amount)
        return True

    def _push_or_raise(self, token: str, to: str, amount: int) -> None:
        if not self._push(token, to, amount):
            raise PushFailed(token, to, amount)

    def _push_or_credit(self, token: str, to: str, amount: int) -> None:
        if amount and not self._push(token, to, amount):
            self._credit(to, token, amount)
            self._emit(Credited(account=to, token=token, amount=amount))

    def _pay_credit(self, account: str, token: str, to: str) -> None:
        amount = self.books.credits.pop((account, token), 0)
        if amount == 0:
            raise NothingToPay()
        self._emit(CreditPaid(account=account, token=token, to=to, amount=amount))
        self._push_or_raise(token, to, amount)

    def _move(self, token: str, source: str, to: str, amount: int) -> None:
        left = self.books.balances.get((source, token), 0) - amount
        if left < 0:
            raise ValueError(f"{source} has {left + amount} of {token}, and {amount} was to be moved")
        self.books.balances[source, token] = left
        _add(self.books.balances, to, token, amount)

    def _refuses(self, token: str, account: str) -> bool:
        return (account, token) in self.refusing

    def _check_receiver(self, token: str, to: str) -> None:
        if to in (ZERO_ADDRESS, self.address, token):
            raise InvalidAddress(to)

    # ------------------------------------------------------------------------------------------------------- keeping

    def _lock_bond(self, seller: str, token: str, amount: int) -> None:
        available = self.books.bonds.get((seller, token), 0)
        if available < amount:
            raise BondShort(seller, token, available, amount)
        _add(self.books.bonds, seller, token, -amount)

    def _return_bond(self, seller: str, token: str, amount: int) -> None:
        _add(self.books.bonds, seller, token, amount)

    def _accrue_fee(self, policy_id: str, token: str, amount: int) -> None:
        _add(self.books.fees, policy_id, token, amount)

    def _credit(self, account: str, token: str, amount: int) -> None:
        _add(self.books.credits, account, token, amount)

    # ------------------------------------------------------------------------------------------------------- asking

    def bond_of(self, seller: str, token: str) -> int:
        """What a seller has in its bond balance and not locked in orders."""
        return self.books.bonds.get((seller, token), 0)

    def credit_of(self, account: str, token: str) -> int:
        """What an account is owed because a push to it failed, or as a mediator."""
        return self.books.credits.get((account, token), 0)

    def fees_of(self, policy_id: str, token: str) -> int:
        """What a policy's platform has earned and not claimed."""
        return self.books.fees.get((policy_id, token), 0)

    def balance_of(self, account: str, token: str) -> int:
        """What an account has of a token or, NATIVE, of the coin."""
        return self.books.balances.get((account, token), 0)


def _add(book: dict[tuple[str, str], int], owner: str, token: str, amount: int) -> None:
    if amount:
        book[owner, token] = book.get((owner, token), 0) + amount
