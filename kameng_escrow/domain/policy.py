"""The rules under which a platform takes orders. Immutable once registered, named by their hash."""

from dataclasses import dataclass

ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"
NO_CANCEL = 8_191  # as cancel_fee_bps: the buyer can't cancel once accepted

MIN_ACTION_WINDOW = 5 * 60  # seconds; accept, deliver
MIN_TALK_WINDOW = 60 * 60  # seconds; inspect, negotiate
MIN_MEDIATE_WINDOW = 24 * 60 * 60  # seconds
MAX_WINDOW = 90 * 24 * 60 * 60  # seconds
MAX_PLATFORM_FEE_BPS = 1_000
MAX_BPS = 5_000  # cancel fee and bonds
MAX_REVIEW_PERIOD = 366 * 24 * 60 * 60  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The contract's ``Policy``. Windows in seconds, shares in bps."""

    platform: str  # registers, reviews, retires, intervenes
    accept_window: int  # 5 minutes … 90 days
    deliver_window: int  # 5 minutes … 90 days
    inspect_window: int  # 1 hour … 90 days
    negotiate_window: int  # 1 hour … 90 days
    mediate_window: int  # 1 day … 90 days; zero exactly when there is no mediator
    platform_fee_bps: int  # of what the seller earns; ≤ 1,000
    cancel_fee_bps: int  # of the price, when the buyer cancels an accepted order; ≤ 5,000, or NO_CANCEL
    seller_bond_bps: int  # of the price, locked at acceptance; ≤ 5,000
    dispute_bond_bps: int  # of the sum in dispute, from the buyer; ≤ 5,000
    mediation_fee_bps: int  # of the sum in dispute; ≤ the smaller of the two bonds
    silence_share_bps: int  # of the sum in dispute, to the buyer when nobody rules; ≤ 10,000
    mediator: str  # the zero address: none
    backup_mediator: str  # the zero address: the mediator has the whole window
    fee_receiver: str
    effective_from: int  # Unix seconds; the first second at which orders may be opened
