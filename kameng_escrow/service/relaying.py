"""From what was sent to what is relayed, and back to what is shown."""

from typing import Any

from fastapi import Request

from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.parts import companions
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.deposits import deposit_address
from kameng_escrow.domain.inputs import parse_hash
from kameng_escrow.domain.labels import Label
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.refusals import PolicyUnknown
from kameng_escrow.domain.typed_data import deposits_domain, refund_typed_data
from kameng_escrow.domain.walletless import WEAKER, refund_to_warning
from kameng_escrow.keeper.working import now_ms
from kameng_escrow.relay import Intake, UnknownDeposit
from kameng_escrow.store.relaying import Relay
from kameng_escrow.store.service import deposits, relays
from kameng_escrow.store.service.deposits import WatchedDeposit

from .callers import Caller, access_to
from .currencies import Currencies
from .errors import Forbidden
from .parts import Parts
from .schemas.common import Words, moment
from .schemas.relaying import DepositView, RelayView

DEPOSITS = "KamengDeposits"
REFUND_SECONDS = 3_600  # that a refund which is signed now may be brought


def intake(parts: Parts) -> Intake:
    """Takes relays on for this deployment."""
    return Intake(
        parts.store,
        parts.book,
        parts.client,
        Connection(parts.node.w3),
        parts.config.limits,
        clock_ms=now_ms,
    )


def policy_of(parts: Parts, terms: OrderTerms) -> Policy:
    """The rules of terms that are not an order yet. Raises `PolicyUnknown`."""
    found = parts.book.policy(terms.policy_id)
    if found is None:
        raise PolicyUnknown(terms.policy_id)
    return found.policy


def check_concerned(caller: Caller, terms: OrderTerms, policy: Policy, *others: str) -> None:
    """Passes the parties of terms, their platform, and the others that are named. Raises `Forbidden`."""
    if caller.account not in (terms.buyer, terms.seller, policy.platform, *others):
        raise Forbidden(
            "Only the buyer, the seller and the platform of these terms may do this.",
            "只有这份条款的买家、卖家和平台可以做这件事。",
        )


def check_on_order(parts: Parts, caller: Caller, order_id: str, *others: str) -> OrderTerms:
    """The terms of an order on which the caller has a role, or is one of the others that are named.

    Raises:
        UnknownOrder: the mirror has no such order.
        Forbidden: the caller is nobody to it.
    """
    seen = parts.book.seen(parse_hash(order_id, "order_id"), caller.known)
    found, terms = access_to(seen, caller.known, parts.clock()), seen.mirrored.order.terms
    if terms is None or not (found.roles or caller.account in others):
        raise Forbidden("Only those who have to do with the order may do this.", "只有与订单有关的人可以做这件事。")
    return terms


def registered(parts: Parts, order_id: str) -> WatchedDeposit:
    """A watched deposit address. Raises `UnknownDeposit`."""
    wanted = parse_hash(order_id, "order_id")
    with parts.store.reading() as session:
        found = deposits.deposit(session, parts.contract_id, wanted)
    if found is None:
        raise UnknownDeposit(wanted)
    return found


def deposits_contract(parts: Parts) -> str:
    """The contract around the escrow that has the deposit addresses."""
    return parts.deployment.periphery.get(DEPOSITS) or companions(parts.deployment.address)[DEPOSITS]


def contracts_around(parts: Parts) -> set[str]:
    """The escrow and what is around it: what is paid to them is nobody's."""
    around = companions(parts.deployment.address) | dict(parts.deployment.periphery)
    return {parts.deployment.address, parts.deployment.lens, *around.values()}


def currency_of(request: Request, token: str) -> Currency:
    """How amounts of a token are written in sentences; in base units where nobody says."""
    currencies: Currencies = request.app.state.currencies
    known = currencies.of(token)
    return Currency(token, known.symbol or f"({token[:8]}…)", known.decimals or 0)


def relay_view(parts: Parts, relay: Relay) -> RelayView:
    """As the interface shows it."""
    with parts.store.reading() as session:
        cost, hashes = relays.cost_of(session, relay.id)
        mined = relays.mined_hash(session, relay.id)
    shown = mined or (hashes[-1] if hashes else None)
    return RelayView(
        id=relay.id,
        kind=relay.kind.label,
        verb=relay.verb,
        order_id=relay.order_id,
        stage=relay.stage.label,
        ended=relay.stage.has_ended,
        created_at=str(moment(relay.created_ms // 1000)),
        transaction_hash=shown,
        transaction_url=None if shown is None else parts.config.transaction_url(shown),
        cost=str(cost),
        code=relay.code,
        reason=_words(relay.reason, relay.reason_zh),
    )


def deposit_view(parts: Parts, found: WatchedDeposit) -> DepositView:
    """As the interface shows it."""
    terms = found.terms
    opens = [name for name, there in (("offer", found.offer is not None), ("signature", found.signature)) if there]
    return DepositView(
        order_id=found.order_id,
        address=found.address,
        chain_id=parts.deployment.chain_id,
        token=terms.token,
        price=str(terms.price),
        balance=str(found.balance),
        confirmed=str(found.confirmed),
        confirmations=parts.config.deposit_confirmations,
        missing=str(max(0, terms.price - found.balance)),
        open_by=terms.open_by,
        refund_to=terms.refund_to,
        opens_with=opens,
        watched=found.watched,
        code=found.code,
        reason=_words(found.reason, found.reason_zh),
        refund_typed_data=_refund_typed_data(parts, found.order_id),
        warnings=[spoken(label) for label in (refund_to_warning(terms), *WEAKER)],
    )


def address_of(parts: Parts, order_id: str) -> str:
    """The order's deposit address."""
    return deposit_address(order_id, deposits_contract(parts))


def _refund_typed_data(parts: Parts, order_id: str) -> dict[str, Any]:
    domain = deposits_domain(parts.deployment.chain_id, deposits_contract(parts))
    return refund_typed_data(order_id, expiry=parts.chain_now() + REFUND_SECONDS, domain=domain)


def spoken(label: Label) -> Words:
    """A sentence in both languages."""
    return Words(zh=label.zh, en=label.en)


def _words(en: str | None, zh: str | None) -> Words | None:
    return None if en is None else Words(en=en, zh=zh or en)
