# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""What belongs to accounts rather than orders: bonds, credits, fees, operators, tokens, policies."""

from collections.abc import Sequence

from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.signed import OperatorGrant

from .operations import prepared, read, write
from .results import RegisteredPolicy
from .session import Session


class MoneyOperations(Session):
    """Bonds, credits, fees, tokens. Amounts in base units; the token NATIVE is the chain's coin."""

    @write
    def fund_bond(
        self, *, amount: int, token: str = NATIVE, seller: str | None = None, approve: bool = True
    ) -> Steps[Sequence[Call]]:
        raise NotImplementedError
        yield

    prepare_fund_bond = prepared(fund_bond)

    @write
    def withdraw_bond(self, *, amount: int, token: str = NATIVE, to: str | None = None) -> Steps[Sequence[Call]]:
        raise NotImplementedError
        yield

    prepare_withdraw_bond = prepared(withdraw_bond)

    @read
    def bond(self, *, seller: str | None = None, token: str = NATIVE) -> Steps[int]:
        raise NotImplementedError
        yield

    @read
    def credit(self, *, account: str | None = None, token: str = NATIVE) -> Steps[int]:
        raise NotImplementedError
        yield

    @write
    def pay_credit(self, *, account: str, token: str = NATIVE) -> Steps[Sequence[Call]]:
        raise NotImplementedError
        yield

    prepare_pay_credit = prepared(pay_credit)

    @write
    def withdraw_credit(self, *, token: str = NATIVE, to: str | None = None) -> Steps[Sequence[Call]]:
        raise NotImplementedError
        yield

    prepare_withdraw_credit = prepared(withdraw_credit)

    @read
    def fees(self, policy_id: str, *, token: str = NATIVE) -> Steps[int]:
        raise NotImplementedError
        yield

    @write
    def claim_fees(self, policy_id: str, *, token: str = NATIVE) -> Steps[Sequence[Call]]:
        raise NotImplementedError
        yield

    prepare_claim_fees = prepared(claim_fees)

    @read
    def balance(self, *, account: str | None = None, token: str = NATIVE) -> Steps[int]:
        raise NotImplementedError
        yield

    @read
    def decimals(self, token: str) -> Steps[int]:
        raise NotImplementedError
        yield

    @read
    def symbol(self, token: str) -> Steps[str]:
        raise NotImplementedError
        yield

    @read
    def allowance(self, token: str, *, account: str | None = None) -> Steps[int]:
        raise NotImplementedError
        yield

    @write
    def approve(self, token: str, *, amount: int) -> Steps[Sequence[Call]]:
        raise NotImplementedError
        yield

    prepare_approve = prepared(approve)


class SellerOperations(Session):
    """What a seller lets others do."""

    @write
    def set_operator(
        self, operator: str, *, policy_id: str, grant: OperatorGrant, token: str = NATIVE
    ) -> Steps[Sequence[Call]]:
        raise NotImplementedError
        yield

    prepare_set_operator = prepared(set_operator)

    @read
    def operator(
        self, operator: str, *, policy_id: str, token: str = NATIVE, seller: str | None = None
    ) -> Steps[OperatorGrant]:
        raise NotImplementedError
        yield

    @write
    def register_pay_to(self, pay_to: str) -> Steps[Sequence[Call]]:
        raise NotImplementedError
        yield

    prepare_register_pay_to = prepared(register_pay_to)

    @read
    def pay_to(self, *, seller: str | None = None) -> Steps[str]:
        raise NotImplementedError
        yield


class PolicyOperations(Session):
    """The register of policies."""

    @write
    def register_policy(self, policy: Policy, *, review_by: int | None = None) -> Steps[Sequence[Call]]:
        raise NotImplementedError
        yield

    prepare_register_policy = prepared(register_policy)

    @write
    def review_policy(self, policy_id: str, *, review_by: int | None = None) -> Steps[Sequence[Call]]:
        raise NotImplementedError
        yield

    prepare_review_policy = prepared(review_policy)

    @write
    def retire_policy(self, policy_id: str) -> Steps[Sequence[Call]]:
        raise NotImplementedError
        yield

    prepare_retire_policy = prepared(retire_policy)

    @read
    def policy(self, policy_id: str) -> Steps[RegisteredPolicy]:
        raise NotImplementedError
        yield
