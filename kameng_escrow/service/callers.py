"""Who calls, and who may: accounts by session, platforms by API key; on an order, by what the chain says.

A session belongs to an account that signed in with its wallet and may do what that account may. An API key acts for one
platform's account, and only within its scopes. What an account is to an order (buyer, seller, operator, mediator,
platform) is read from the mirrored order, its policy and its seller's grants, never from the request.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.store import Marks, MirroredOrder, SeenOrder


class Scope(StrEnum):
    """What a platform lets a key do."""

    OrdersRead = "orders:read"
    OrdersWrite = "orders:write"  # prepare and relay what others have signed
    Trade = "trade"  # listings, quotes, offers
    Delivery = "delivery"
    Talk = "talk"
    Disputes = "disputes"
    Webhooks = "webhooks"
    Records = "records"  # statements, the audit log, erasure


class OrderRole(StrEnum):
    """What an account is to an order."""

    Buyer = "buyer"
    Seller = "seller"
    Operator = "operator"  # of the seller, with a grant that is live and covers the order
    Mediator = "mediator"
    Backup = "backup"  # the backup mediator
    Platform = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request."""

    account: str | None  # checksummed; None: nobody has signed in
    session_id: str | None = None
    key_id: str | None = None
    scopes: frozenset[str] = frozenset()
    address: str = ""  # of the network, for limits; never kept

    @property
    def name(self) -> str:
        """What its requests are counted and remembered under."""
        return self.key_id or self.account or f"at:{self.address}"

    @property
    def known(self) -> str:
        """The account of a caller that is known to have one."""
        assert self.account is not None, "the route admits nobody without an account"
        return self.account


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccess:
    """An order, and what the caller is to it."""

    mirrored: MirroredOrder
    roles: frozenset[OrderRole]
    rights: int = 0  # of an operator: the sum of the domain's `Right`s that its grant has
    marks: Marks  # of the mirror, when the order was read

    @property
    def id(self) -> str:
        return self.mirrored.order.id


class Kind(StrEnum):
    """Whom a route is for."""

    Public = "public"
    Account = "account"  # anybody who has signed in, and keys with the scope
    Session = "session"  # anybody who has signed in with a wallet; no keys
    Order = "order"  # those with one of the roles on the order in the path


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a route. Made by `PUBLIC`, `SESSION`, `account` and `order`."""

    kind: Kind
    scope: Scope | None = None  # that a key must have; None: keys may not
    roles: frozenset[OrderRole] = field(default_factory=frozenset)

    def described(self) -> list[str]:
        """For the interface's description."""
        words: list[str]
        if self.kind is Kind.Order:
            words = sorted(self.roles)
        elif self.kind is Kind.Public:
            return ["anyone"]
        else:
            words = ["account"]
        return [*words, *([f"key:{self.scope}"] if self.scope else [])]


PUBLIC: Final = Access(Kind.Public)
SESSION: Final = Access(Kind.Session)

PARTIES: Final = frozenset({OrderRole.Buyer, OrderRole.Seller})
SELLING: Final = frozenset({OrderRole.Seller, OrderRole.Operator})
MEDIATORS: Final = frozenset({OrderRole.Mediator, OrderRole.Backup})
EVERYONE: Final = frozenset(OrderRole)


def account(scope: Scope) -> Access:
    """Anybody who has signed in, and platforms' keys with the scope."""
    return Access(Kind.Account, scope)


def order(roles: Collection[OrderRole], scope: Scope | None = None) -> Access:
    """Who has one of the roles on the order that the path names as ``{order_id}``. Keys need the scope too."""
    return Access(Kind.Order, scope, frozenset(roles))


def access_to(seen: SeenOrder, account: str, now: int) -> OrderAccess:
    """What an account, which is the one that sees the order, is to it at the Unix second `now`."""
    terms, policy = seen.mirrored.order.terms, seen.mirrored.order.policy
    if terms is None or policy is None:  # a seller voided its offers before anybody opened it
        return OrderAccess(mirrored=seen.mirrored, roles=frozenset(), marks=seen.marks)
    holders = {
        OrderRole.Buyer: terms.buyer,
        OrderRole.Seller: terms.seller,
        OrderRole.Platform: policy.platform,
        OrderRole.Mediator: policy.mediator,
        OrderRole.Backup: policy.backup_mediator,
    }
    roles = {role for role, holder in holders.items() if holder == account and account != ZERO_ADDRESS}
    rights = 0
    if seen.grant is not None and now < seen.grant.expiry and terms.price <= seen.grant.max_price:
        rights = seen.grant.rights
    if rights:
        roles.add(OrderRole.Operator)
    return OrderAccess(mirrored=seen.mirrored, roles=frozenset(roles), rights=rights, marks=seen.marks)
