"""Bonds, credits, fees and tokens."""

from collections.abc import Sequence

from kameng_escrow.chain import rpc
from kameng_escrow.chain.calls import Call, token_call
from kameng_escrow.chain.codec import functions
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.inputs import check_uint, parse_address, parse_hash
from kameng_escrow.domain.order import NATIVE

from .allowance import Allowance
from .operations import prepared, read, write


class MoneyOperations(Allowance):
    """Amounts are base units; the token NATIVE, which is the default, is the chain's coin. An account that is left out
    is the client's. What a write raises, `OrderOperations` tells.
    """

    # ----------------------------------------------------------------------------------------------------------- bonds

    @write
    def fund_bond(
        self, *, amount: int, token: str = NATIVE, seller: str | None = None, approve: bool = True
    ) -> Steps[Sequence[Call]]:
        """Adds to a seller's bond balance, from which accepting locks. `approve`: allows the escrow to take exactly the
        amount of the token first, where it may not yet.
        """
        check_uint(amount, 256, "amount")
        token, whose = parse_address(token, "token"), self._whose(seller, "seller")
        call = yield from self._call("fundBond", whose, token, amount, value=amount if token == NATIVE else 0)
        before = (yield from self._allowing(token, amount)) if approve else ()
        return (*before, call)

    prepare_fund_bond = prepared(fund_bond)

    @write
    def withdraw_bond(self, *, amount: int, token: str = NATIVE, to: str | None = None) -> Steps[Sequence[Call]]:
        """Takes from the account's bond balance what is not locked in orders; `to` left out: to the account itself."""
        check_uint(amount, 256, "amount")
        call = yield from self._call("withdrawBond", parse_address(token, "token"), amount, self._whose(to, "to"))
        return (call,)

    prepare_withdraw_bond = prepared(withdraw_bond)

    @read
    def bond(self, *, seller: str | None = None, token: str = NATIVE) -> Steps[int]:
        """What a seller has in its bond balance and not locked in orders."""
        amount: int = yield from self._view("bondOf", self._whose(seller, "seller"), parse_address(token, "token"))
        return amount

    # --------------------------------------------------------------------------------------------------------- credits

    @read
    def credit(self, *, account: str | None = None, token: str = NATIVE) -> Steps[int]:
        """What an account is owed, because a payment to it failed or as a mediator."""
        amount: int = yield from self._view("creditOf", self._whose(account, "account"), parse_address(token, "token"))
        return amount

    @write
    def pay_credit(self, *, account: str, token: str = NATIVE) -> Steps[Sequence[Call]]:
        """Tries again to pay an account what it is owed. Anyone may."""
        whose = parse_address(account, "account")
        return ((yield from self._call("payCredit", whose, parse_address(token, "token"))),)

    prepare_pay_credit = prepared(pay_credit)

    @write
    def withdraw_credit(self, *, token: str = NATIVE, to: str | None = None) -> Steps[Sequence[Call]]:
        """Pays what the account is owed to `to`; left out: to the account itself."""
        return ((yield from self._call("withdrawCredit", parse_address(token, "token"), self._whose(to, "to"))),)

    prepare_withdraw_credit = prepared(withdraw_credit)

    # ------------------------------------------------------------------------------------------------------------ fees

    @read
    def fees(self, policy_id: str, *, token: str = NATIVE) -> Steps[int]:
        """What a policy's platform has earned and not claimed."""
        which = parse_hash(policy_id, "policy_id")
        amount: int = yield from self._view("feesOf", which, parse_address(token, "token"))
        return amount

    @write
    def claim_fees(self, policy_id: str, *, token: str = NATIVE) -> Steps[Sequence[Call]]:
        """Pays a policy's fees to its fee receiver. Anyone may."""
        which = parse_hash(policy_id, "policy_id")
        return ((yield from self._call("claimFees", which, parse_address(token, "token"))),)

    prepare_claim_fees = prepared(claim_fees)

    # ---------------------------------------------------------------------------------------------------------- tokens

    @read
    def balance(self, *, account: str | None = None, token: str = NATIVE) -> Steps[int]:
        """What an account has of a token or of the native coin."""
        whose, token = self._whose(account, "account"), parse_address(token, "token")
        if token == NATIVE:
            return (yield from rpc.balance(whose))
        amount: int = yield from rpc.view("TestToken", token, "balanceOf", whose)
        return amount

    @read
    def decimals(self, token: str) -> Steps[int]:
        """How many decimals a token, an ERC-20, is shown with. Raises `InvalidInput` where it does not say."""
        number: int = yield from rpc.view("TestToken", parse_address(token, "token"), "decimals")
        return number

    @read
    def symbol(self, token: str) -> Steps[str]:
        """A token's short name, which is whatever its maker wrote. Raises `InvalidInput` where it does not say."""
        symbol = functions("TestToken")["symbol"]
        data = yield from rpc.eth_call(Call(to=parse_address(token, "token"), data=symbol.encode()))
        if len(data) == 32:  # as some old tokens answer
            return data.rstrip(b"\0").decode("utf-8", "replace")
        text: str = symbol.decode(data)
        return text

    @read
    def allowance(self, token: str, *, account: str | None = None) -> Steps[int]:
        """How much of a token the escrow may take from an account."""
        place = yield from self._place()
        whose = self._whose(account, "account")
        amount: int = yield from rpc.view("TestToken", parse_address(token, "token"), "allowance", whose, place.address)
        return amount

    @write
    def approve(self, token: str, *, amount: int) -> Steps[Sequence[Call]]:
        """Lets the escrow take up to `amount` of a token from the account, in place of what it might take before."""
        check_uint(amount, 256, "amount")
        place = yield from self._place()
        return (token_call(parse_address(token, "token"), "approve", place.address, amount),)

    prepare_approve = prepared(approve)

    def _whose(self, account: str | None, field: str) -> str:
        return self.address if account is None else parse_address(account, field)
