"""A platform's own history out of the store, by category and policy."""

from collections.abc import Iterator
from dataclasses import dataclass

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import Policy
from kameng_escrow.store import Book, Store
from kameng_escrow.store.service.listings import categories_of

_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Orders of one category under one policy, oldest first."""

    category: str | None  # None: not sold through a listing of the service
    policy_id: str
    policy: Policy
    review_by: int  # Unix seconds
    orders: tuple[Order, ...]

    @property
    def name(self) -> str:
        """The category, or the beginning of the policy's id."""
        return self.category or self.policy_id[:10]


def groups_of(
    store: Store, book: Book, *, platform: str | None = None, category: str | None = None, policy_id: str | None = None
) -> list[Group]:
    """The groups under policies that still take orders, those with the most orders first.

    Args:
        platform: only under its policies.
        category: only of this one.
        policy_id: only under this policy.

    Raises what reading the store raises.
    """
    live = {one.policy_id: one for one in book.policies(platform=platform) if not one.retired}
    if policy_id is not None:
        live = {name: one for name, one in live.items() if name == policy_id}
    contract_id = book.info().id
    found: dict[tuple[str | None, str], list[Order]] = {}
    for page in _pages(book):
        own = [one for one in page if one.terms is not None and one.terms.policy_id in live]
        with store.reading() as session:
            categories = categories_of(session, contract_id, [one.id for one in own])
        for one in own:
            assert one.terms is not None  # filtered above
            sort = categories.get(one.id)
            if category is None or category == sort:
                found.setdefault((sort, one.terms.policy_id), []).append(one)
    groups = [
        Group(
            category=sort,
            policy_id=name,
            policy=live[name].policy,
            review_by=live[name].review_by,
            orders=tuple(sorted(orders, key=lambda one: one.opened_at or 0)),
        )
        for (sort, name), orders in found.items()
    ]
    return sorted(groups, key=lambda one: (-len(one.orders), one.name))


def _pages(book: Book) -> Iterator[list[Order]]:
    cursor = None
    while True:
        page = book.orders(limit=_PAGE, cursor=cursor)
        yield [one.order for one in page.orders]
        if (cursor := page.cursor) is None:
            return
