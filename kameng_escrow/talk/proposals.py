"""Settlement proposals: a division of what is held that becomes `agree` once both parties have signed it.

A proposal is a `Split`, bound to the order as it stood: its state, its units in dispute and its revision. Whether it
can still be paid is not kept but asked of the order each time, so that it can't be wrong. Nobody is given a signature
before both are there, and what was signed stays payable on the chain until it expires: whoever wants to be rid of it
for certain raises the order's revision (`revise`), which this says wherever it matters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.orm import Session

from kameng_escrow.chain.signing import recovered
from kameng_escrow.domain import shares
from kameng_escrow.domain.endings import ending
from kameng_escrow.domain.inputs import NumberOutOfRange
from kameng_escrow.domain.labels import Label, label_of
from kameng_escrow.domain.order import Order, OrderTerms
from kameng_escrow.domain.refusals import AmountOutOfRange, InvalidSignature
from kameng_escrow.domain.seats import SEAT_LABELS, Seat
from kameng_escrow.domain.shares import Closing
from kameng_escrow.domain.signed import Split
from kameng_escrow.domain.states import Outcome, State
from kameng_escrow.domain.transcript import EntryKind
from kameng_escrow.domain.typed_data import split_digest
from kameng_escrow.store.service import talk
from kameng_escrow.store.service.ids import is_id, new_id
from kameng_escrow.store.service.talk_rows import ProposalRow, RoomRow

from .desk import Desk, Present, add, entered, present
from .errors import NothingToSplit, NotSigned, ProposalVoid, UnknownItem, WrongSeat

SHORTEST: Final = 10 * 60  # seconds that a proposal lives
LONGEST: Final = 23 * 60 * 60  # the contract takes 24 hours, measured when it is paid: an hour is left for that
MOST_SIGNATURE: Final = 8_192  # bytes; those of contracts may be long

# Whether a contract at an address takes the signature of a digest as its own (ERC-1271): signer, digest, signature.
AsksContract = Callable[[str, str, bytes], bool]


class ProposalStatus(StrEnum):
    """Where a proposal stands."""

    Open = "open"  # a signature is missing
    Ready = "ready"  # both are there: either party may send it, or have it relayed
    Paid = "paid"  # the order ended so
    Void = "void"  # it can't be paid any more


class VoidReason(StrEnum):
    """Why a proposal can't be paid any more."""

    Expired = "expired"
    StateChanged = "state_changed"
    UnitsChanged = "units_changed"
    RevisionChanged = "revision_changed"
    Withdrawn = "withdrawn"


VOID_LABELS: dict[VoidReason, Label] = {
    VoidReason.Expired: Label("its time is over", "已过期"),
    VoidReason.StateChanged: Label("the order is in another state by now", "订单状态已变"),
    VoidReason.UnitsChanged: Label("other units are in dispute by now", "争议张数已变"),
    VoidReason.RevisionChanged: Label("the order's revision was raised", "订单的版本号已提升，旧签名作废"),
    VoidReason.Withdrawn: Label("a party no longer wants it", "一方已撤回"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposal as it stands now."""

    id: str
    order_id: str
    seq: int  # of the entry that tells of it
    proposer: str
    split: Split
    status: ProposalStatus
    void: VoidReason | None
    signed_by: tuple[Seat, ...]
    closing: Closing | None  # what it pays to whom; None once void


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """All that `agree` takes."""

    terms: OrderTerms
    split: Split
    buyer_signature: bytes
    seller_signature: bytes


class Proposals:
    """The proposals in the rooms of one contract's orders. Raises as `Rooms` does."""

    def __init__(self, desk: Desk, asks_contract: AsksContract) -> None:
        self._desk = desk
        self._asks_contract = asks_contract

    def list(self, order_id: str, account: str) -> list[Proposal]:
        """The room's proposals, newest first."""
        with self._desk.store.reading() as session:
            who = present(self._desk, session, order_id, account)
            room = talk.room_of(session, self._desk.contract_id, order_id)
            rows = [] if room is None else talk.proposals_of(session, room)
            return [_proposal(row, who) for row in rows]

    def get(self, order_id: str, account: str, proposal_id: str) -> Proposal:
        """One of them. Raises `UnknownItem`."""
        with self._desk.store.reading() as session:
            who = present(self._desk, session, order_id, account)
            return _proposal(self._row(session, who, proposal_id), who)

    def propose(self, order_id: str, account: str, *, to_buyer: int, seconds: int = LONGEST) -> Proposal:
        """Proposes that `to_buyer` of what is held (the price, or the sum in dispute) goes to the buyer.

        Args:
            order_id: the order's.
            account: a party's, or a mediator's, who may propose but not sign.
            to_buyer: base units.
            seconds: how long it lives, by the chain's clock.

        Raises:
            WrongSeat: the platform does not propose.
            NothingToSplit: the order is not open.
            AmountOutOfRange: more than is held.
            NumberOutOfRange: it would live too short or too long.
        """
        if not SHORTEST <= seconds <= LONGEST:
            raise NumberOutOfRange("seconds", seconds, SHORTEST, LONGEST)
        with self._desk.store.writing() as session:
            who = present(self._desk, session, order_id, account)
            if not (who.seat.is_party or who.seat.mediates):
                raise WrongSeat("To propose a split", "提出分配方案", "the parties and mediators", "买卖双方和仲裁员")
            split = _split(who, to_buyer, seconds)
            room = entered(self._desk, session, who)
            proposal_id = new_id("prp")
            body = {
                "disputed_units": split.disputed_units,
                "expiry": split.expiry,
                "proposal": proposal_id,
                "revision": split.revision,
                "state": split.state.label,
                "to_buyer": str(split.to_buyer),
            }
            self._add(session, room, EntryKind.Proposal, body, who)
            row = ProposalRow(
                id=proposal_id,
                room_id=room.id,
                seq=room.size - 1,
                proposer=account,
                state=split.state,
                disputed_units=split.disputed_units,
                revision=split.revision,
                to_buyer=split.to_buyer,
                expiry=split.expiry,
            )
            session.add(row)
            session.flush()
            return _proposal(row, who)

    def sign(self, order_id: str, account: str, proposal_id: str, signature: bytes) -> Proposal:
        """Adds a party's signature (EIP-712, of the split) to a proposal. Signing again changes nothing.

        Raises:
            WrongSeat: the account is no party.
            UnknownItem: there is no such proposal.
            ProposalVoid: it can't be paid any more.
            InvalidSignature: neither the account's key nor its contract (ERC-1271) signed this split.
            NodeError: a contract had to be asked, and the node did not answer.
        """
        with self._desk.store.reading() as session:
            who = present(self._desk, session, order_id, account)
            _require_party(who, "To sign a split", "签署分配方案")
            row = self._row(session, who, proposal_id)
            _require_live(row, who)
            split = split_of(row)
        digest = split_digest(order_id, split, self._desk.domain)
        self._check(account, digest, signature)  # may ask a node, so that no transaction is open
        with self._desk.store.writing() as session:
            who = present(self._desk, session, order_id, account)
            room = entered(self._desk, session, who)
            row = self._row(session, who, proposal_id)
            _require_live(row, who)
            attribute = f"{who.seat.value}_signature"
            if getattr(row, attribute) is None:
                setattr(row, attribute, signature)
                body = {"digest": digest, "proposal": proposal_id}
                self._add(session, room, EntryKind.Signature, body, who, always=True)  # at most two a proposal
            return _proposal(row, who)

    def withdraw(self, order_id: str, account: str, proposal_id: str) -> Proposal:
        """Takes a proposal back, or turns it down: the signatures are forgotten here. Once both were there, either may
        have kept them, and only raising the revision on the chain (`revise`) makes sure.

        Raises:
            WrongSeat: the account is neither a party nor the proposer.
            UnknownItem: there is no such proposal.
        """
        with self._desk.store.writing() as session:
            who = present(self._desk, session, order_id, account)
            room = entered(self._desk, session, who)
            row = self._row(session, who, proposal_id)
            if account != row.proposer:
                _require_party(who, "To turn down a proposal of another", "拒绝他人的方案")
            if row.withdrawn_by is None and _status(row, who)[0] is not ProposalStatus.Paid:
                row.withdrawn_by, row.buyer_signature, row.seller_signature = account, None, None
                self._add(session, room, EntryKind.Withdrawal, {"proposal": proposal_id}, who, always=True)
            return _proposal(row, who)

    def agreement(self, order_id: str, account: str, proposal_id: str) -> Agreement:
        """What a proposal that both have signed takes to the chain, where either may send it, or anybody for them.

        Raises:
            WrongSeat: the account is no party.
            UnknownItem: there is no such proposal.
            ProposalVoid: it can't be paid any more.
            NotSigned: a signature is still missing.
        """
        with self._desk.store.reading() as session:
            who = present(self._desk, session, order_id, account)
            _require_party(who, "To send an agreement", "提交协议")
            row = self._row(session, who, proposal_id)
            _require_live(row, who)
            if row.buyer_signature is None or row.seller_signature is None:
                missing = Seat.Buyer if row.buyer_signature is None else Seat.Seller
                raise NotSigned(row.id, missing)
            return Agreement(
                terms=who.terms,
                split=split_of(row),
                buyer_signature=row.buyer_signature,
                seller_signature=row.seller_signature,
            )

    def _row(self, session: Session, who: Present, proposal_id: str) -> ProposalRow:
        room = talk.room_of(session, self._desk.contract_id, who.order.id)
        row = None
        if room is not None and is_id(proposal_id, "prp"):
            row = talk.proposal_in(session, room, proposal_id)
        if row is None:
            raise UnknownItem("proposal", "方案", proposal_id)
        return row

    def _check(self, account: str, digest: str, signature: bytes) -> None:
        if recovered(digest, signature) == account:
            return
        if len(signature) > MOST_SIGNATURE or not self._asks_contract(account, digest, signature):
            raise InvalidSignature(account, digest)

    def _add(
        self,
        session: Session,
        room: RoomRow,
        kind: EntryKind,
        body: dict[str, Any],
        who: Present,
        *,
        always: bool = False,
    ) -> None:
        add(self._desk, session, room, kind, body, author=who.account, seat=who.seat.value, always=always)


def split_of(row: ProposalRow) -> Split:
    """What is signed."""
    return Split(
        state=row.state,
        disputed_units=row.disputed_units,
        revision=row.revision,
        to_buyer=row.to_buyer,
        expiry=row.expiry,
    )


def _split(who: Present, to_buyer: int, seconds: int) -> Split:
    order = who.order
    if not order.state.is_open:
        raise NothingToSplit(order.id, label_of(order.state).en)
    held = shares.held(order).amount
    if not 0 <= to_buyer <= held:
        raise AmountOutOfRange(to_buyer, held)
    return Split(
        state=order.state,
        disputed_units=order.disputed_units,
        revision=order.revision,
        to_buyer=to_buyer,
        expiry=who.now + seconds,
    )


def _proposal(row: ProposalRow, who: Present) -> Proposal:
    status, void = _status(row, who)
    signatures = {Seat.Buyer: row.buyer_signature, Seat.Seller: row.seller_signature}
    live = status in (ProposalStatus.Open, ProposalStatus.Ready)
    return Proposal(
        id=row.id,
        order_id=who.order.id,
        seq=row.seq,
        proposer=row.proposer,
        split=split_of(row),
        status=status,
        void=void,
        signed_by=tuple(seat for seat, signature in signatures.items() if signature is not None),
        closing=ending(who.order, Outcome.Agreed, row.to_buyer) if live else None,
    )


def _status(row: ProposalRow, who: Present) -> tuple[ProposalStatus, VoidReason | None]:
    order = who.order
    if _was_paid(row, order):
        return ProposalStatus.Paid, None
    void = _void(row, order, who.now)
    if void is not None:
        return ProposalStatus.Void, void
    both = row.buyer_signature is not None and row.seller_signature is not None
    return (ProposalStatus.Ready if both else ProposalStatus.Open), None


def _void(row: ProposalRow, order: Order, now: int) -> VoidReason | None:
    """Why it can't be paid, in the order in which the contract asks."""
    if row.withdrawn_by is not None:
        return VoidReason.Withdrawn
    if order.state is not row.state:
        return VoidReason.StateChanged
    if order.disputed_units != row.disputed_units:
        return VoidReason.UnitsChanged
    if order.revision != row.revision:
        return VoidReason.RevisionChanged
    return VoidReason.Expired if row.expiry <= now else None


def _was_paid(row: ProposalRow, order: Order) -> bool:
    """Whether the order ended by agreement, with just what this proposal pays, out of the state that it was made in."""
    if order.outcome is not Outcome.Agreed or order.terms is None or order.policy is None:
        return False
    if order.revision != row.revision or order.disputed_units != row.disputed_units or row.withdrawn_by is not None:
        return False
    if row.buyer_signature is None or row.seller_signature is None or _last_open(order) is not row.state:
        return False
    price, units = order.terms.price, order.terms.units
    held = shares.held_in(row.state, order.policy, price=price, units=units, disputed_units=row.disputed_units)
    closing = shares.split(order.policy, held, row.to_buyer, Outcome.Agreed, order.fault)
    return closing.shares == order.shares


def _last_open(order: Order) -> State:
    """The state that a closed order was in before."""
    if order.disputed_at is not None:
        return State.Disputed
    if order.delivered_at is not None:
        return State.Delivered
    return State.Opened if order.accepted_at is None else State.Accepted


def _require_party(who: Present, what: str, what_zh: str) -> None:
    if not who.seat.is_party:
        raise WrongSeat(what, what_zh, f"{SEAT_LABELS[Seat.Buyer].en} and {SEAT_LABELS[Seat.Seller].en}", "买卖双方")


def _require_live(row: ProposalRow, who: Present) -> None:
    void = _void(row, who.order, who.now)
    if void is not None:
        label = VOID_LABELS[void]
        raise ProposalVoid(row.id, void.value, label.en, label.zh)
