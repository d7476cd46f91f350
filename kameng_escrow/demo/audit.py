"""The two checks at the end: the mirror says what the chain says, and not one base unit was made or lost."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kameng_escrow import bootstrap
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.events import (
    BondFunded,
    BondWithdrawn,
    Credited,
    CreditPaid,
    Event,
    FeesClaimed,
    MediationFeeCredited,
    OrderClosed,
    OrderDisputed,
    OrderOpened,
    PolicyRegistered,
)
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.shares import held
from kameng_escrow.mirror import reconcile
from kameng_escrow.store import Book, Store

from .play import Play
from .stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that the mirror has otherwise than the chain."""

    what: str
    field: str
    mirrored: str
    on_chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One token's money, in base units."""

    token: str
    came_in: int  # prices, dispute bonds, bonds funded: as the escrow's events say
    went_out: int  # shares paid, credits paid, bonds withdrawn, fees claimed: likewise
    held: int  # the escrow's real balance
    owed: int  # open orders, bonds, credits and unclaimed fees, as the escrow's books say

    @property
    def conserved(self) -> bool:
        """Whether nothing was made or lost, and all that is held has an owner."""
        return self.came_in == self.went_out + self.held and self.held == self.owed


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What the checks found."""

    orders: int  # compared
    differences: tuple[Difference, ...]
    flows: tuple[Flow, ...]

    @property
    def mirror_equals_chain(self) -> bool:
        return not self.differences

    @property
    def conserved(self) -> bool:
        return all(flow.conserved for flow in self.flows)


def audit(stage: Stage, plays: Iterable[Play], store_path: Path) -> Audit:
    """Mirrors the whole chain into a new store and compares. Raises `EscrowError` where it can't."""
    played = list(plays)
    with Store.open(str(store_path)) as store:
        store.migrate()
        bootstrap.make_mirror(store, stage.node, stage.deployment).run_once()
        book = bootstrap.open_book(store, stage.deployment)
        differences = [
            Difference(what=d.what, field=d.field, mirrored=str(d.mirrored), on_chain=str(d.on_chain))
            for d in reconcile(book, stage.node.w3, stage.deployment.lens)
        ]
        for play in played:
            differences += _compare(book, stage.client, play)
        flows = _flows(stage, book)
    return Audit(orders=len(played), differences=tuple(differences), flows=flows)


def mirror_again(stage: Stage, store_path: Path) -> None:
    """Brings the store up to what happened since the audit."""
    with Store.open(str(store_path)) as store:
        bootstrap.make_mirror(store, stage.node, stage.deployment).run_once()


def _compare(book: Book, client: EscrowClient, play: Play) -> list[Difference]:
    """An order's row against the chain's slot, and against what the transactions themselves had said."""
    order = book.order(play.order_id).order
    status = client.status(play.order_id)
    closing = play.closing
    pairs: list[tuple[str, object, object]] = [
        ("terms", order.terms, play.terms),
        ("state", order.state, status.state),
        ("outcome", order.outcome, status.outcome),
        ("fault", order.fault, status.fault),
        ("revision", order.revision, status.revision),
        ("disputed_units", order.disputed_units, status.disputed_units),
    ]
    if closing is not None and order.shares is not None:
        pairs += [
            (name, getattr(order.shares, name), getattr(closing, name))
            for name in ("to_buyer", "to_seller", "platform_fee", "bond_returned")
        ]
    return [
        Difference(what=play.order_id, field=name, mirrored=str(mirrored), on_chain=str(on_chain))
        for name, mirrored, on_chain in pairs
        if mirrored != on_chain
    ]


def _flows(stage: Stage, book: Book) -> tuple[Flow, ...]:
    came_in: dict[str, int] = defaultdict(int)
    went_out: dict[str, int] = defaultdict(int)
    terms: dict[str, OrderTerms] = {}
    owners: set[tuple[str, str, str]] = set()  # kind, holder, token
    policies: list[str] = []
    for logged in stage.client.events():
        event: Event = logged.event
        match event:
            case OrderOpened():
                terms[event.order_id] = event.terms
                came_in[event.terms.token] += event.terms.price
                owners.add(("bond", event.terms.seller, event.terms.token))
            case OrderDisputed():
                token = terms[event.order_id].token
                came_in[token] += event.dispute_bond
                went_out[token] += event.to_seller
            case OrderClosed():
                went_out[terms[event.order_id].token] += event.to_buyer + event.to_seller
            case Credited():  # what was to go out stayed
                went_out[event.token] -= event.amount
                owners.add(("credit", event.account, event.token))
            case CreditPaid():
                went_out[event.token] += event.amount
            case BondFunded():
                came_in[event.token] += event.amount
                owners.add(("bond", event.seller, event.token))
            case BondWithdrawn() | FeesClaimed():
                went_out[event.token] += event.amount
            case PolicyRegistered():
                policies.append(event.policy_id)
            case MediationFeeCredited():
                owners.add(("credit", event.mediator, event.token))
            case _:
                pass
    return tuple(
        Flow(
            token=token,
            came_in=came_in[token],
            went_out=went_out[token],
            held=stage.client.balance(account=stage.deployment.address, token=token),
            owed=_owed(stage.client, book, token, terms, owners, policies),
        )
        for token in sorted(came_in)
    )


def _owed(
    client: EscrowClient,
    book: Book,
    token: str,
    terms: dict[str, OrderTerms],
    owners: set[tuple[str, str, str]],
    policies: list[str],
) -> int:
    owed: int = sum(client.fees(policy_id, token=token) for policy_id in policies)
    for kind, holder, coin in owners:
        if coin == token:
            read = (
                client.bond(seller=holder, token=token)
                if kind == "bond"
                else client.credit(account=holder, token=token)
            )
            owed += read
    return owed + sum(held(book.order(order_id).order).total for order_id, t in terms.items() if t.token == token)
