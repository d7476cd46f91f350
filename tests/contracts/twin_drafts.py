"""What hypothesis draws from: terms, policies, signatures, with flaws here and there."""

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from kameng_escrow.domain.lifecycle import Move
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.policy import (
    MAX_BPS,
    MAX_PLATFORM_FEE_BPS,
    MAX_WINDOW,
    MIN_ACTION_WINDOW,
    MIN_MEDIATE_WINDOW,
    MIN_TALK_WINDOW,
    NO_CANCEL,
    ZERO_ADDRESS,
    Policy,
)
from kameng_escrow.domain.states import Role, State, Verb
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.world import DAY, POLICY
from tests.contracts.twins import Twins

WALLET = "wallet"  # a name beside the cast's: the contract wallet, which its owner signs for
NAMES = (*CAST, WALLET)
WITH = st.sampled_from  # the first is what hypothesis shrinks to

names = WITH(NAMES)
payees = WITH(["pay_to", "refund_to", "buyer", "seller", "fee_receiver", "mediator"])
indices = st.integers(0, 50)  # of whatever there is, modulo its number
states = WITH(tuple(State))
roles = WITH(tuple(Role))
verbs = WITH(tuple(Verb))
moves = WITH(tuple(Move)[2:])  # on an order that is there
contents = WITH(["0x" + "c0" * 32, "0x" + "00" * 32])
slips = WITH([0, 0, 0, 0, 0, 0, 0, 1, -1])  # mostly right, sometimes one beside it
lives = WITH([DAY, 60, 1, 0, -1, DAY + 1])  # seconds until something signed expires
permilles = st.one_of(WITH([0, 1_000, 500, 1, 1_001]), st.integers(0, 1_000))  # of what is held
prices = st.one_of(
    st.integers(1, 12), st.integers(1, 10**9), WITH([9_999, 10_000, 10_001]), st.integers(2**126, 2**127 - 1)
)
unit_counts = st.one_of(WITH([10, 1]), st.integers(1, 12), st.integers(1, 65_535))
kinds = WITH(["right"] * 9 + ["of another", "over another", "empty"])


@dataclass(frozen=True)
class Attempt:
    """At something. Where None, it is the right one for the order and the verb, and nobody signs."""

    fitting: bool  # whether it is at an order in a state where the verb is possible
    verb: Verb
    actor: str | None
    role: Role | None
    state: State | None
    number: int | None
    content: str
    kind: str | None  # of signature
    life: int
    relayer: str
    slip: int


attempts = st.builds(
    Attempt,
    fitting=st.booleans(),
    verb=verbs,
    actor=st.none() | st.none() | names,
    role=st.none() | st.none() | roles,
    state=st.none() | st.none() | states,
    number=st.none() | st.integers(0, 12) | st.integers(0, 2**256 - 1),
    content=contents,
    kind=st.none() | kinds,
    life=lives,
    relayer=names,
    slip=slips,
)

FLAWS: dict[str, dict[str, Any]] = {
    "zero buyer": {"buyer": ZERO_ADDRESS},
    "zero seller": {"seller": ZERO_ADDRESS},
    "zero receiver": {"refund_to": ZERO_ADDRESS},
    "no price": {"price": 0},
    "too dear": {"price": 2**127},
    "no units": {"units": 0},
    "unknown policy": {"policy_id": "0x" + "ee" * 32},
    "token without code": {"token": CAST["stranger"], "refund_to": CAST["buyer"], "pay_to": CAST["seller"]},
}


@dataclass(frozen=True)
class Draft:
    """Terms that become an order's once the addresses and the time are known."""

    buyer: str
    refund_to: str | None  # None: the buyer
    seller: str
    pay_to: str | None  # None: the seller
    coin: int
    price: int
    units: int
    policy: int
    open_in: int  # seconds
    flaw: str | None


drafts = st.builds(
    Draft,
    buyer=WITH(["buyer", "buyer", "buyer", "payer", WALLET, "platform", "mediator", "seller"]),
    refund_to=WITH([None, "refund_to", "refund_to", "pay_to", "escrow", "coin"]),
    seller=WITH(["seller", "seller", "seller", WALLET, "platform", "mediator"]),
    pay_to=WITH(["pay_to", "pay_to", "pay_to", None, "refund_to", "escrow", "coin"]),
    coin=st.integers(0, 2),
    price=prices,
    units=unit_counts,
    policy=indices,
    open_in=WITH([DAY, 600, 1, 0, -1]),
    flaw=st.one_of(st.none(), st.none(), st.none(), WITH([None, *FLAWS])),
)
sound_drafts = st.builds(
    Draft,
    buyer=WITH(["buyer", "payer", WALLET, "platform", "mediator"]),
    refund_to=WITH([None, "refund_to", "pay_to"]),
    seller=WITH(["seller", "seller", WALLET, "stranger", "mediator"]),
    pay_to=WITH(["pay_to", "pay_to", None]),
    coin=st.integers(0, 2),
    price=prices,
    units=unit_counts,
    policy=indices,
    open_in=st.just(DAY),
    flaw=st.none(),
)


def terms_of(draft: Draft, twins: Twins, salt: int) -> OrderTerms:
    """The terms on this contract. No two salts give the same."""
    coin = twins.coins[draft.coin]
    buyer, seller = address_of(draft.buyer, twins), address_of(draft.seller, twins)
    special = {"escrow": twins.escrow.address, "coin": coin}

    def receiver(name: str | None, default: str) -> str:
        return default if name is None else special.get(name) or address_of(name, twins)

    policy = twins.policies[draft.policy % len(twins.policies)]
    terms = OrderTerms(
        buyer=buyer,
        refund_to=receiver(draft.refund_to, buyer),
        seller=seller,
        pay_to=receiver(draft.pay_to, seller),
        token=coin,
        price=draft.price,
        units=draft.units,
        policy_id=twins.id_of(policy),
        listing="0x" + "11" * 32,
        open_by=twins.now + draft.open_in,
        salt=f"0x{salt:064x}",
    )
    return replace(terms, **FLAWS[draft.flaw]) if draft.flaw else terms


def address_of(name: str, twins: Twins) -> str:
    return twins.wallet if name == WALLET else CAST[name]


# Each field at its bounds and beside them.
EDGES: dict[str, tuple[Any, ...]] = {
    "platform": (CAST["platform"], CAST["mediator"]),
    "accept_window": (MIN_ACTION_WINDOW, MIN_ACTION_WINDOW - 1, MAX_WINDOW, MAX_WINDOW + 1, 0, 2**32 - 1),
    "deliver_window": (MIN_ACTION_WINDOW, MIN_ACTION_WINDOW - 1, MAX_WINDOW, MAX_WINDOW + 1),
    "inspect_window": (MIN_TALK_WINDOW, MIN_TALK_WINDOW - 1, MAX_WINDOW, MAX_WINDOW + 1),
    "negotiate_window": (MIN_TALK_WINDOW, MIN_TALK_WINDOW - 1, MAX_WINDOW, MAX_WINDOW + 1),
    "mediate_window": (MIN_MEDIATE_WINDOW, MIN_MEDIATE_WINDOW - 1, MAX_WINDOW, MAX_WINDOW + 1, 0),
    "platform_fee_bps": (0, MAX_PLATFORM_FEE_BPS, MAX_PLATFORM_FEE_BPS + 1),
    "cancel_fee_bps": (0, MAX_BPS, MAX_BPS + 1, NO_CANCEL, NO_CANCEL + 1),
    "seller_bond_bps": (0, MAX_BPS, MAX_BPS + 1, 299, 300),
    "dispute_bond_bps": (0, MAX_BPS, MAX_BPS + 1, 299, 300),
    "mediation_fee_bps": (0, 1_500, 1_501),
    "silence_share_bps": (0, 10_000, 10_001),
    "mediator": (NATIVE, CAST["backup"], "escrow"),
    "backup_mediator": (NATIVE, CAST["mediator"], "escrow"),
    "fee_receiver": (NATIVE, CAST["platform"], "escrow"),
    "effective_from": (2**32 - 1, 2**32, 2**40 - 1, 1),
}
changes = st.dictionaries(WITH(list(EDGES)), indices, max_size=3)


def policy_of(change: dict[str, int], twins: Twins) -> Policy:
    """A policy that differs in a few fields from the usual one."""
    values = {name: EDGES[name][index % len(EDGES[name])] for name, index in change.items()}
    return replace(
        POLICY, **{name: twins.escrow.address if item == "escrow" else item for name, item in values.items()}
    )
