"""The register of policies, as in ``contracts/core/Policies.sol``."""

from dataclasses import replace

from ..events import PolicyRegistered, PolicyRetired, PolicyReviewed
from ..policy import Policy, validate_policy, validate_review_by
from ..refusals import (
    PolicyExists,
    PolicyIsRetired,
    PolicyNotEffective,
    PolicyReviewOverdue,
    PolicyUnknown,
    Unauthorized,
)
from ..typed_data import policy_id as hash_of
from .books import Bookkeeper, Registered, transaction


class Policies(Bookkeeper):
    """Registers, reviews and retires policies. Nothing here holds money."""

    @transaction
    def register_policy(self, policy: Policy, review_by: int) -> None:
        """Registers a policy of the caller for ever."""
        if policy.platform != self._sender:
            raise Unauthorized(self._sender, policy.platform)
        policy_id = hash_of(policy)
        if policy_id in self.books.policies:
            raise PolicyExists(policy_id)
        validate_policy(policy, self.address, self._now, review_by)
        self.books.policies[policy_id] = Registered(policy=policy, review_by=review_by)
        self._emit(PolicyRegistered(policy_id=policy_id, platform=self._sender, policy=policy, review_by=review_by))

    @transaction
    def review_policy(self, policy_id: str, review_by: int) -> None:
        """Moves the review of a policy of the caller forward."""
        registered = self._own(policy_id)
        validate_review_by(review_by, self._now, registered.review_by + 1)
        self.books.policies[policy_id] = replace(registered, review_by=review_by)
        self._emit(PolicyReviewed(policy_id=policy_id, review_by=review_by))

    @transaction
    def retire_policy(self, policy_id: str) -> None:
        """Takes no new orders under a policy of the caller, for ever."""
        registered = self._own(policy_id)
        self.books.policies[policy_id] = replace(registered, retired=True)
        self._emit(PolicyRetired(policy_id=policy_id))

    def _live_policy(self, policy_id: str) -> Policy:
        """The policy, if it takes new orders now."""
        registered = self.books.policies.get(policy_id)
        if registered is None:
            raise PolicyUnknown(policy_id)
        if registered.retired:
            raise PolicyIsRetired(policy_id)
        if self._now < registered.policy.effective_from:
            raise PolicyNotEffective(self._now, registered.policy.effective_from)
        if self._now > registered.review_by:
            raise PolicyReviewOverdue(self._now, registered.review_by)
        return registered.policy

    def _own(self, policy_id: str) -> Registered:
        registered = self.books.policies.get(policy_id)
        if registered is None:
            raise PolicyUnknown(policy_id)
        if registered.policy.platform != self._sender:
            raise Unauthorized(self._sender, registered.policy.platform)
        if registered.retired:
            raise PolicyIsRetired(policy_id)
        return registered
