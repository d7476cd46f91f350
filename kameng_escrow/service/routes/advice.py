"""Which rules would have served a platform better, by its own history: for that platform alone.

Rows are read that the risk worker has written: nothing is replayed within a request.
"""

from typing import Annotated

from fastapi import Query

from kameng_escrow.domain.inputs import parse_hash
from kameng_escrow.store.service import policy_advice

from ..callers import Scope, account
from ..risk_views import ThePlatform, own_platform
from ..routing import Router, TheCaller, TheParts
from ..schemas.advice import PolicyAdvicesView, PolicyAdviceView

routes = Router("risk")


@routes.get("/v1/platforms/{platform}/policy-advice", access=account(Scope.Records))
def list_policy_advice(
    platform: ThePlatform,
    caller: TheCaller,
    parts: TheParts,
    policy: Annotated[str | None, Query(max_length=66, description="Only about this policy.")] = None,
    category: Annotated[str | None, Query(max_length=32, description="Only about this category.")] = None,
    before: Annotated[int | None, Query(ge=1, lt=2**53, description="Only those before this id.")] = None,
    limit: Annotated[int, Query(ge=1, le=policy_advice.LARGEST_PAGE)] = 20,
) -> PolicyAdvicesView:
    """Reports on which windows and bonds would have served better, category by category, the latest first; made anew
    every few days and kept, so that a review can compare them. Empty before 60 orders of a category have ended.
    """
    own = own_platform(platform, caller)
    policy_id = None if policy is None else parse_hash(policy, "policy")
    with parts.store.reading() as session:
        page = policy_advice.advice(
            session, parts.contract_id, own, policy_id=policy_id, category=category, before=before, limit=limit
        )
    return PolicyAdvicesView(
        platform=own,
        reports=[_report(row) for row in page],
        before=page[-1].id if len(page) == limit else None,
    )


def _report(row: policy_advice.PolicyAdviceRow) -> PolicyAdviceView:
    return PolicyAdviceView(
        id=row.id, policy_id=row.policy_id, category=row.category or None, made_at=row.made_at, **row.document
    )
