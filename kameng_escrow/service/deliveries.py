"""What the service does with deliveries: keeps them before they are on the chain, gives them out once that is final.

It has no key to any of them, except where a party discloses one to the mediator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kameng_escrow.delivery.codes import is_printable
from kameng_escrow.delivery.commitments import Disclosure, check_disclosure
from kameng_escrow.delivery.errors import CodesSoldBefore, DeliveryError, DeliveryFalse, DisclosureFalse, NotReleased
from kameng_escrow.delivery.fingerprints import FingerprintKey
from kameng_escrow.delivery.keys import recipient_of
from kameng_escrow.delivery.release import Release, Stage, commitments_in, release_of
from kameng_escrow.delivery.sealing import Delivery, check_payload, open_delivery
from kameng_escrow.domain.events import Logged
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import Right, State
from kameng_escrow.store.loading import load_order_events
from kameng_escrow.store.models import CheckpointRow, OrderRow
from kameng_escrow.store.service import deliveries as kept
from kameng_escrow.store.service.deliveries import DeliveryRow, DisclosureRow, Sighting

from .callers import OrderAccess, OrderRole
from .errors import BadRequest, Conflict, Forbidden, NotFound, NotOffered
from .parts import Parts

Tags = Sequence[tuple[str, Sequence[bytes]]]  # by the id of the key that made them; unit 1 first


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the mirror knows of an order, all at one moment."""

    history: list[Logged]
    state: State
    final: int

    @property
    def commitments(self) -> tuple[str, ...]:
        return commitments_in(self.history)

    @property
    def is_final(self) -> bool:
        """Whether nothing of it is expected to change back."""
        return all(logged.block_number <= self.final for logged in self.history)

    def release(self, row: DeliveryRow) -> Release:
        """Where a stored delivery stands."""
        return release_of(
            row.commitment,
            self.history,
            final=self.final,
            was_read=row.read_at is not None,
            is_erased=row.erased_at is not None,
        )


def ground(session: Session, contract_id: int, order_id: str) -> Ground:
    """Events, state and final mark of one snapshot: read apart, a reorg between them could release what is undone."""
    row = session.get_one(OrderRow, (contract_id, order_id))
    final = session.scalar(select(CheckpointRow.final_number).filter_by(contract_id=contract_id))
    history = load_order_events(session, contract_id, [order_id])
    return Ground(history=history, state=row.state, final=-1 if final is None else final)


def require_delivering(held: OrderAccess) -> None:
    """Raises `Forbidden` for an operator who may not deliver."""
    if OrderRole.Seller not in held.roles and not held.rights & Right.Deliver:
        raise Forbidden(
            "The seller has not given this operator the right to deliver: it must grant it first.",
            "卖家没有给这个操作员发货的权限：请卖家先授权。",
        )


# ------------------------------------------------------------------------------------------------------------- storing


def store(
    parts: Parts, held: OrderAccess, account: str, *, root: str, payload: bytes, tags: Tags, allow_duplicates: bool
) -> tuple[DeliveryRow, Release, list[Sighting]]:
    """Keeps a delivery, before its commitment goes on the chain.

    Raises:
        Forbidden: see `require_delivering`.
        PayloadTooLarge, PayloadUnreadable: it is no delivery.
        Conflict: the order takes none in its state, unless it is the one that the chain knows.
        CodesSoldBefore: some codes were delivered elsewhere, and that was not allowed.
        BadRequest, NotOffered: see `fingerprints`.
    """
    require_delivering(held)
    check_payload(payload)
    delivery = Delivery(order_id=held.id, root=root, payload=payload)
    prints = fingerprints(parts, held, tags) if tags else {}
    with parts.store.writing() as session:
        at = ground(session, parts.contract_id, held.id)
        if at.state not in (State.Accepted, State.Disputed) and delivery.commitment not in at.commitments:
            raise Conflict(
                f"Order {held.id} is {at.state.label}: codes are stored once it is Accepted, and their replacements "
                "while it is Disputed.",
                f"订单 {held.id} 现在是 {at.state.label}：接单后才能存卡密，争议中才能存补发的卡密。",
                state=at.state.label,
            )
        found = kept.sightings(session, parts.contract_id, held.id, prints)
        if found and not allow_duplicates:
            raise CodesSoldBefore([one.unit for one in found])
        row, fresh = kept.store_delivery(
            session,
            contract_id=parts.contract_id,
            order_id=held.id,
            commitment=delivery.commitment,
            root=root,
            payload_hash=delivery.payload_hash,
            payload=payload,
            account=account,
            now=parts.clock(),
            committed=at.commitments,
            is_open=at.state.is_open,
        )
        if fresh and prints:
            newest = parts.fingerprint_keys[0].id
            kept.keep_fingerprints(session, row.id, newest, prints[newest])
        session.flush()
        session.expunge(row)
        return row, at.release(row), found


def fingerprints(parts: Parts, held: OrderAccess, tags: Tags) -> dict[str, list[bytes]]:
    """The fingerprints of an order's codes by each key, of tags by each key.

    Raises:
        NotOffered: the service has no keys.
        BadRequest: not a tag for each unit, by each key.
    """
    keys = {key.id: key for key in require_keys(parts)}
    units = terms_of(held).units
    if {key_id for key_id, _ in tags} != keys.keys() or len(tags) != len(keys) or any(len(t) != units for _, t in tags):
        listed = ", ".join(keys)
        raise BadRequest(
            f"Tags are wanted for each of the {units} units, once by each of these keys: {listed}.",
            f"请为 {units} 张卡各给一个标签，以下每把密钥一份：{listed}。",
        )
    return {key_id: [keys[key_id].fingerprint(tag) for tag in made] for key_id, made in tags}


def require_keys(parts: Parts) -> tuple[FingerprintKey, ...]:
    """The fingerprint keys. Raises `NotOffered` where there are none."""
    if not parts.fingerprint_keys:
        raise NotOffered(
            "This service does not look for codes that are sold twice: it has no fingerprint keys.",
            "这个服务不查重：没有配置指纹密钥。",
        )
    return parts.fingerprint_keys


# ------------------------------------------------------------------------------------------------------------- reading


def listed(parts: Parts, order_id: str) -> list[tuple[DeliveryRow, Release, bool]]:
    """An order's deliveries, where each stands, and whether it is the last that was committed to."""
    with parts.store.reading() as session:
        at = ground(session, parts.contract_id, order_id)
        rows = kept.deliveries_of(session, parts.contract_id, order_id)
        last = at.commitments[-1:]
        return [(row, at.release(row), (row.commitment,) == last) for row in rows]


def take(parts: Parts, order_id: str, delivery_id: str) -> DeliveryRow:
    """A delivery with its payload, for its buyer, once it is final that it was delivered.

    Raises:
        NotFound: the order has no such delivery.
        NotReleased: it is not final yet, was refunded unread, or is erased.
    """
    with parts.store.reading() as session:
        row, first = _released(session, parts, order_id, delivery_id)
    if first:  # written down before anybody reads it, so that a refund meanwhile comes too late
        with parts.store.writing() as session:
            row, _ = _released(session, parts, order_id, delivery_id)
            kept.mark_read(session, row.id, parts.clock())
            session.expunge(row)
    return row


def _released(session: Session, parts: Parts, order_id: str, delivery_id: str) -> tuple[DeliveryRow, bool]:
    row = kept.find_delivery(session, parts.contract_id, order_id, delivery_id, whole=True)
    if row is None:
        raise NotFound("The order has no such delivery: look at the list.", "订单没有这份交付：请查看列表。")
    release = ground(session, parts.contract_id, order_id).release(row)
    if release.stage is not Stage.Released:
        raise NotReleased(release.stage, release.blocks_left)
    return row, row.read_at is None


def erase(parts: Parts, order_id: str) -> int:
    """Erases the codes of a closed order, and returns how many payloads those were.

    Raises `Conflict` for one that is open, or may be again.
    """
    with parts.store.writing() as session:
        at = ground(session, parts.contract_id, order_id)
        if at.state is not State.Closed:
            raise Conflict(
                "The order is open, and its codes may be needed in a dispute: erase them once it is closed.",
                "订单还没有结束，争议中可能要用到卡密：结束后再抹去。",
            )
        if not at.is_final:  # or a reorganisation opens it again, and nobody has the codes
            raise Conflict(
                "The order is closed, and that is not final yet: erase its codes in some minutes.",
                "订单已结束，但还不是最终的，仍可能被撤销：过几分钟再抹去。",
            )
        return kept.erase_deliveries(session, parts.contract_id, order_id, parts.clock())


# ---------------------------------------------------------------------------------------------------------- disclosing


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the chain bears out what was disclosed."""

    matches: bool
    current: bool = False
    reason: str | None = None  # the code of the error that says what is wrong


def disclose(
    parts: Parts,
    held: OrderAccess,
    account: str,
    *,
    payload_hash: str,
    unit: Disclosure | None = None,
    identity: str | None = None,
) -> tuple[DisclosureRow, Verdict]:
    """Keeps what a party shows the mediator while the order is in dispute.

    Raises:
        Conflict: it is in none.
        DisclosureFalse: the unit is not what was committed to: it would prove nothing.
        NotFound: the whole delivery that is meant is not kept here.
        DeliveryKeyUnusable: the identity is none.
    """
    shown: dict[str, Any] = {"payload_hash": payload_hash}
    if unit is not None:
        if not is_printable(unit.code):
            raise BadRequest(
                "The code has characters that nobody can see: disclose the whole delivery instead.",
                "卡密里有看不见的字符：请改为披露整份交付。",
            )
        proof = ["0x" + sibling.hex() for sibling in unit.proof]
        shown |= {"unit": unit.unit, "code": unit.code, "salt": "0x" + unit.salt.hex(), "proof": proof}
    else:
        recipient_of(identity or "")
        shown |= {"identity": identity}
    # Looked at before anything is written: decrypting and hashing takes seconds that nobody else should wait for.
    with parts.store.reading() as session:
        _require_dispute(ground(session, parts.contract_id, held.id))
        stored = None if unit is not None else _kept_payload(session, parts, held.id, payload_hash)
    if unit is None and stored is None:
        raise NotFound(
            "No delivery with this payload is kept here: store it first, or hand the key to the mediator yourself.",
            "这里没有存这份交付内容：请先存好，或自己把密钥交给仲裁员。",
        )
    units = terms_of(held).units
    found = _looked_at(held.id, units, unit=unit, stored=stored, identity=identity)
    with parts.store.writing() as session:
        at = ground(session, parts.contract_id, held.id)
        _require_dispute(at)
        if unit is not None and (found.flaw is not None or found.commitment not in at.commitments):
            matched = found.commitment if found.commitment in at.commitments else None
            check_disclosure(unit, order_id=held.id, commitment=matched, units=units)
        row = kept.add_disclosure(
            session,
            contract_id=parts.contract_id,
            order_id=held.id,
            account=account,
            now=parts.clock(),
            commitment=found.commitment,
            flaw=found.flaw,
            **shown,
        )
        session.flush()
        session.expunge(row)
    return row, _verdict(row, found, at)


def disclosed(parts: Parts, held: OrderAccess) -> list[tuple[DisclosureRow, Verdict]]:
    """What was disclosed, each held against the chain as it is now."""
    with parts.store.reading() as session:
        at = ground(session, parts.contract_id, held.id)
        rows = kept.disclosures_of(session, parts.contract_id, held.id)
        return [(row, _verdict(row, _found(session, parts, held, row), at)) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a disclosure is, whatever the chain says."""

    commitment: str | None  # that it leads to; None: there is nothing left to find it by
    flaw: str | None  # the code of what is wrong with it


def _looked_at(
    order_id: str, units: int, *, unit: Disclosure | None, stored: DeliveryRow | None, identity: str | None
) -> _Found:
    """Hashes a unit, or decrypts and hashes a whole delivery."""
    commitment = None
    try:
        if unit is not None:
            commitment = unit.commitment
            check_disclosure(unit, order_id=order_id, commitment=commitment, units=units)
        elif stored is None or stored.payload is None:
            return _Found(commitment=None, flaw="erased")
        else:
            delivery = Delivery(order_id=order_id, root=stored.root, payload=stored.payload)
            commitment = delivery.commitment
            open_delivery(delivery, identity or "", units=units, commitment=commitment)
    except DeliveryError as error:
        return _Found(commitment=commitment, flaw=error.code)
    return _Found(commitment=commitment, flaw=None)


def _found(session: Session, parts: Parts, held: OrderAccess, row: DisclosureRow) -> _Found:
    """As it was written down; looked at again where an earlier version of this package did not."""
    if row.commitment is not None or row.erased_at is not None:
        return _Found(commitment=row.commitment, flaw=row.flaw)
    unit = None if row.unit is None else unit_of(row)
    stored = None if unit is not None else _kept_payload(session, parts, row.order_id, row.payload_hash)
    return _looked_at(row.order_id, terms_of(held).units, unit=unit, stored=stored, identity=row.identity)


def _verdict(row: DisclosureRow, found: _Found, at: Ground) -> Verdict:
    if row.erased_at is not None:
        return Verdict(matches=False)
    if found.flaw is not None:
        return Verdict(matches=False, reason=found.flaw)
    if found.commitment not in at.commitments:
        false = DeliveryFalse if row.unit is None else DisclosureFalse
        return Verdict(matches=False, reason=false.code)
    return Verdict(matches=True, current=found.commitment == at.commitments[-1])


def _require_dispute(at: Ground) -> None:
    if at.state is not State.Disputed:
        raise Conflict(
            "The order is not in dispute: there is no mediator to show anything.",
            "订单不在争议中：没有仲裁员可以看。",
            state=at.state.label,
        )


def unit_of(row: DisclosureRow) -> Disclosure:
    """The unit that a row discloses."""
    assert row.unit is not None
    return Disclosure(
        order_id=row.order_id,
        unit=row.unit,
        code=row.code or "",
        salt=bytes.fromhex((row.salt or "0x")[2:]),
        proof=tuple(bytes.fromhex(sibling[2:]) for sibling in row.proof or ()),
        payload_hash=row.payload_hash,
    )


def _kept_payload(session: Session, parts: Parts, order_id: str, payload_hash: str) -> DeliveryRow | None:
    rows = kept.deliveries_of(session, parts.contract_id, order_id)
    found = next((row for row in rows if row.payload_hash == payload_hash and row.erased_at is None), None)
    return None if found is None else kept.find_delivery(session, parts.contract_id, order_id, found.id, whole=True)


def terms_of(held: OrderAccess) -> OrderTerms:
    """The order's terms: who has a role in it has that from them."""
    terms = held.mirrored.order.terms
    assert terms is not None
    return terms
