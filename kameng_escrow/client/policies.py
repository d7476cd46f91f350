"""The register of policies, and what sellers let operators do."""

from collections.abc import Sequence

from kameng_escrow.chain import rpc
from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.inputs import check_uint, parse_address, parse_hash
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.policy import MAX_REVIEW_PERIOD, Policy, check_policy_readable
from kameng_escrow.domain.signed import OperatorGrant

from .operations import prepared, read, write
from .results import RegisteredPolicy
from .session import Session


class PolicyOperations(Session):
    """What a write raises, `OrderOperations` tells. Times are Unix seconds of the chain's clock."""

    @write
    def register_policy(self, policy: Policy, *, review_by: int | None = None) -> Steps[Sequence[Call]]:
        """Registers a policy of the account for ever; the receipt has its id. New orders may be opened up to and
        including `review_by`; left out: as late as the contract allows, a year from now.
        """
        check_policy_readable(policy)
        until = yield from self._review_by(review_by)
        return ((yield from self._call("registerPolicy", policy, until)),)

    prepare_register_policy = prepared(register_policy)

    @write
    def review_policy(self, policy_id: str, *, review_by: int | None = None) -> Steps[Sequence[Call]]:
        """The platform has reviewed its policy and moves `review_by` forward; left out: as `register_policy`."""
        until = yield from self._review_by(review_by)
        return ((yield from self._call("reviewPolicy", parse_hash(policy_id, "policy_id"), until)),)

    prepare_review_policy = prepared(review_policy)

    @write
    def retire_policy(self, policy_id: str) -> Steps[Sequence[Call]]:
        """The platform takes no new orders under the policy, for ever. Open orders go on as they were."""
        return ((yield from self._call("retirePolicy", parse_hash(policy_id, "policy_id"))),)

    prepare_retire_policy = prepared(retire_policy)

    @read
    def policy(self, policy_id: str) -> Steps[RegisteredPolicy]:
        """A registered policy, through the lens. Raises `PolicyUnknown`."""
        fields, review_by, retired = yield from self._lens_view("policyOf", parse_hash(policy_id, "policy_id"))
        return RegisteredPolicy(policy=Policy(**fields), review_by=review_by, retired=retired)

    def _review_by(self, review_by: int | None) -> Steps[int]:
        if review_by is None:
            return (yield from rpc.block("latest")).timestamp + MAX_REVIEW_PERIOD
        check_uint(review_by, 40, "review_by")
        return review_by


class OperatorOperations(Session):
    """What a seller lets others do. What a write raises, `OrderOperations` tells."""

    @write
    def set_operator(
        self, operator: str, *, policy_id: str, grant: OperatorGrant, token: str = NATIVE
    ) -> Steps[Sequence[Call]]:
        """Grants, changes or (rights zero) takes away what an operator may do with the account's orders of one token
        under one policy.
        """
        check_uint(grant.rights, 8, "rights")
        check_uint(grant.expiry, 40, "expiry")
        check_uint(grant.max_price, 128, "max_price")
        who, which = parse_address(operator, "operator"), parse_hash(policy_id, "policy_id")
        return ((yield from self._call("setOperator", who, parse_address(token, "token"), which, grant)),)

    prepare_set_operator = prepared(set_operator)

    @read
    def operator(
        self, operator: str, *, policy_id: str, token: str = NATIVE, seller: str | None = None
    ) -> Steps[OperatorGrant]:
        """What an operator may do for a seller; left out, for the client's account."""
        fields = yield from self._view(
            "operatorOf",
            self.address if seller is None else parse_address(seller, "seller"),
            parse_address(operator, "operator"),
            parse_address(token, "token"),
            parse_hash(policy_id, "policy_id"),
        )
        return OperatorGrant(**fields)

    @write
    def register_pay_to(self, pay_to: str) -> Steps[Sequence[Call]]:
        """Registers where operators may let the account's money go; until then it is the account itself."""
        return ((yield from self._call("registerPayTo", parse_address(pay_to, "pay_to"))),)

    prepare_register_pay_to = prepared(register_pay_to)

    @read
    def pay_to(self, *, seller: str | None = None) -> Steps[str]:
        """Where operators may let a seller's money go; left out, the client's account's."""
        whose = self.address if seller is None else parse_address(seller, "seller")
        address: str = yield from self._view("payToOf", whose)
        return address
