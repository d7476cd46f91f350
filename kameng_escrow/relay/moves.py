"""What a signed-in party may do, and with what: for each move the SDK's operation, and the action to sign for relaying.

Nothing is signed here: wallets sign, and nobody else has their keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.chain.sender import UnsignedTransaction
from kameng_escrow.client import EscrowClient
from kameng_escrow.client.operations import Write
from kameng_escrow.domain.lifecycle import Move
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.payments import Payment, PaymentMethod
from kameng_escrow.domain.signed import Action, Offer, Split
from kameng_escrow.domain.states import Role, State, Verb
from kameng_escrow.domain.typed_data import Domain, action_typed_data, split_typed_data

ZERO_HASH = "0x" + "00" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a move needs beside the order: each takes its own, and is refused without them."""

    units: int | None = None  # of a dispute
    evidence: str = ZERO_HASH  # of a dispute: a hash
    commitment: str | None = None  # of a delivery, and of one that takes its place
    to_buyer: int | None = None  # of a ruling or a split: base units
    grounds: str = ZERO_HASH  # of a ruling: a hash
    split: Split | None = None  # of an agreement that the other party has signed
    buyer_signature: bytes = b""
    seller_signature: bytes = b""
    offer: Offer | None = None  # of an opening
    payment: Payment | None = None  # of an opening: signed
    expected: State | None = None  # the state that the caller takes the order to be in; None: the one it is in
    expiry: int | None = None  # of what is signed: Unix seconds; None: an hour, of a split 23

    def needed(self, name: str) -> Any:
        """A field that the move can't do without. Raises `InvalidInput`."""
        value = getattr(self, name)
        if value is None:
            raise InvalidInput(f"This move needs {name}.", f"这一步需要 {name}。")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What a wallet is given for one move."""

    transactions: tuple[UnsignedTransaction, ...]  # in their order, an allowance first; none: it takes more signatures
    action: Action | None  # to be signed so that others may bring it; None: only the account itself may
    split: Split | None  # of an agreement: to be signed by both
    typed_data: Mapping[str, Any] | None  # of the action or the split, for ``eth_signTypedData_v4``


@dataclass(frozen=True, slots=True)
class Step:
    """The operation of the SDK that makes a move, and which fields of a wish it takes."""

    operation: Write[...]
    needs: tuple[str, ...] = ()  # without which it can't be made
    takes: tuple[str, ...] = ()


# Every move of the lifecycle: a test holds this against it.
STEPS: Final[Mapping[Move, Step]] = MappingProxyType(
    {
        Move.Open: Step(EscrowClient.open, takes=("offer", "payment")),
        Move.OpenWithOffer: Step(EscrowClient.open, needs=("offer",), takes=("payment",)),
        Move.Accept: Step(EscrowClient.accept),
        Move.Deliver: Step(EscrowClient.deliver, needs=("commitment",)),
        Move.Confirm: Step(EscrowClient.confirm, takes=("expected",)),
        Move.Cancel: Step(EscrowClient.cancel, takes=("expected",)),
        Move.Decline: Step(EscrowClient.decline, takes=("expected",)),
        Move.Refund: Step(EscrowClient.refund, takes=("expected",)),
        Move.Dispute: Step(EscrowClient.dispute, needs=("units",), takes=("evidence",)),
        Move.Recommit: Step(EscrowClient.recommit, needs=("commitment",)),
        Move.Rule: Step(EscrowClient.rule, needs=("to_buyer",), takes=("grounds",)),
        Move.Concede: Step(EscrowClient.concede),
        Move.Agree: Step(EscrowClient.agree, needs=("split",), takes=("buyer_signature", "seller_signature")),
        Move.Revise: Step(EscrowClient.revise),
        Move.Intervene: Step(EscrowClient.intervene, takes=("expected",)),
        Move.Settle: Step(EscrowClient.settle),
    }
)


def prepare(client: EscrowClient, terms: OrderTerms, move: Move, wish: Wish) -> Papers:
    """What the client's account needs for a move: the transactions for its own wallet, tried first, and where others
    may bring it, what to sign for that.

    Args:
        client: as the account; its key is not here.
        terms: the order's.
        move: what is to be done.
        wish: what the move needs beside the order.

    Raises:
        Refusal: the contract would refuse it now.
        InvalidInput: the move needs something that was not given.
        InsufficientFunds: the account lacks the coins that the move takes.
        NodeError, UnknownOrder: as the client.
    """
    if move is Move.Agree and wish.split is None:
        split = client.split(terms, to_buyer=wish.needed("to_buyer"), expiry=wish.expiry)
        document = split_typed_data(client.order_id(terms), split, domain_of(client))
        return Papers(transactions=(), action=None, split=split, typed_data=document)
    step = STEPS[move]
    given = {name: wish.needed(name) for name in step.needs} | {name: getattr(wish, name) for name in step.takes}
    transactions = client.prepare(step.operation, terms, **given)
    action = None if move.verb is None else _action(client, terms, move.verb, wish)
    if action is None:
        return Papers(transactions=transactions, action=None, split=wish.split, typed_data=None)
    document = action_typed_data(client.order_id(terms), action, domain_of(client))
    return Papers(transactions=transactions, action=action, split=None, typed_data=document)


def bond_payment(
    client: EscrowClient, terms: OrderTerms, units: int, method: PaymentMethod
) -> tuple[Payment, dict[str, Any]]:
    """The payment of a dispute bond in a token, for the buyer to sign beside the action, and its typed data. Raises as
    the client's `dispute_payment`.
    """
    payment = client.dispute_payment(terms, units=units, method=method)
    return payment, client.payment_typed_data(terms, payment)


def price_payment(client: EscrowClient, terms: OrderTerms, method: PaymentMethod) -> tuple[Payment, dict[str, Any]]:
    """The payment of an order's price, for the client's account to sign, and its typed data. Raises as the client's
    `payment`.
    """
    payment = client.payment(terms, method=method)
    return payment, client.payment_typed_data(terms, payment)


def domain_of(client: EscrowClient) -> Domain:
    """What signatures for the client's contract are bound to. Raises `NoDeployment` where only its address is known."""
    record = client.deployment()
    return Domain(record.chain_id, record.address)


def _action(client: EscrowClient, terms: OrderTerms, verb: Verb, wish: Wish) -> Action:
    content = ZERO_HASH
    if verb in (Verb.Deliver, Verb.Recommit):
        content = wish.needed("commitment")
    elif verb is Verb.Dispute:
        content = wish.evidence
    role = None
    if verb in (Verb.Revise, Verb.Concede, Verb.Confirm, Verb.Cancel, Verb.Dispute) and client.address == terms.buyer:
        role = Role.Buyer
    return client.action(
        terms,
        verb=verb,
        role=role,
        expected=wish.expected,
        number=wish.units if verb is Verb.Dispute else None,
        content=content,
        expiry=wish.expiry,
    )
