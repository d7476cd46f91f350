"""The rules under which a platform takes orders. Immutable once registered, named by their hash."""

from dataclasses import dataclass

from .inputs import check_address, check_uint
from .refusals import InvalidAddress, PolicyOutOfBounds
from .states import PolicyField

ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"
NO_CANCEL = 8_191  # as cancel_fee_bps: the buyer can't cancel once accepted

MIN_ACTION_WINDOW = 5 * 60  # seconds; accept, deliver
MIN_TALK_WINDOW = 60 * 60  # seconds; inspect, negotiate
MIN_MEDIATE_WINDOW = 24 * 60 * 60  # seconds
MAX_WINDOW = 90 * 24 * 60 * 60  # seconds
MAX_PLATFORM_FEE_BPS = 1_000
MAX_BPS = 5_000  # cancel fee and bonds
MAX_REVIEW_PERIOD = 366 * 24 * 60 * 60  # seconds
MAX_TIME = 2**32 - 1  # Unix seconds; the contract keeps 32 bits of effective_from and review_by


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


SMALL_PRICE = 20_00  # fen (1/100 yuan): below, little is worth fighting for
LARGE_PRICE = 500_00  # fen: above, bonds alone do not carry the honesty


def recommended_policy(
    *,
    platform: str,
    fee_receiver: str,
    mediator: str,
    backup_mediator: str,
    price: int,
    instant: bool = True,
    deposit_addresses: bool = False,
    effective_from: int = 0,
) -> Policy:
    """A policy under which honesty pays, for orders of about `price` fen (1/100 yuan), up to LARGE_PRICE.

    `instant`: the codes are in stock, so nothing is cancelled once accepted. `deposit_addresses`: buyers pay by plain
    transfer and have no coins for a dispute bond, nor can mediators be paid out of one. `policy_check` says why each
    number is what it is.
    """
    return Policy(
        platform=platform,
        accept_window=30 * 60 if instant else 60 * 60,
        deliver_window=30 * 60 if instant else 60 * 60,
        inspect_window=24 * 60 * 60,
        negotiate_window=24 * 60 * 60,
        mediate_window=48 * 60 * 60,
        platform_fee_bps=50,
        cancel_fee_bps=NO_CANCEL if instant else 500,
        seller_bond_bps=2_000 if price < SMALL_PRICE else 2_500,
        dispute_bond_bps=0 if deposit_addresses else 2_000,
        mediation_fee_bps=0 if deposit_addresses else 300,
        silence_share_bps=4_000,
        mediator=mediator,
        backup_mediator=backup_mediator,
        fee_receiver=fee_receiver,
        effective_from=effective_from,
    )


def check_policy_readable(policy: Policy) -> None:
    """Passes a policy that the contract could read, within its bounds or not: what a policy id needs.

    Raises:
        Malformed: of the first field that it could not.
    """
    check_address(policy.platform, "platform")
    for name in ("accept_window", "deliver_window", "inspect_window", "negotiate_window", "mediate_window"):
        check_uint(getattr(policy, name), 32, name)
    for name in ("platform_fee", "cancel_fee", "seller_bond", "dispute_bond", "mediation_fee", "silence_share"):
        check_uint(getattr(policy, f"{name}_bps"), 16, f"{name}_bps")
    for name in ("mediator", "backup_mediator", "fee_receiver"):
        check_address(getattr(policy, name), name)
    check_uint(policy.effective_from, 40, "effective_from")


def validate_policy(policy: Policy, contract: str, now: int, review_by: int) -> None:
    """Passes a policy that `contract` would register for its platform, with its first review due at `review_by`.

    Raises:
        Malformed: a field that the contract could not even read.
        PolicyOutOfBounds: the first number out of bounds, in the contract's order.
        InvalidAddress: the fee receiver is zero or the escrow, a mediator is the escrow, or the backup is the mediator
            or stands in for none.
    """
    check_policy_readable(policy)
    _check_windows(policy)
    _check_shares(policy)
    _check_addresses(policy, contract)
    _check_range(PolicyField.EffectiveFrom, policy.effective_from, 0, MAX_TIME)
    validate_review_by(review_by, now, now)


def validate_review_by(review_by: int, now: int, earliest: int) -> None:
    """Passes the time of a policy's next review: from `earliest` (now, or a second after the current one) on, and at
    most MAX_REVIEW_PERIOD ahead of `now`. Unix seconds.

    Raises:
        PolicyOutOfBounds: it is another.
    """
    _check_range(PolicyField.ReviewBy, review_by, earliest, now + MAX_REVIEW_PERIOD)


def _check_windows(policy: Policy) -> None:
    _check_range(PolicyField.AcceptWindow, policy.accept_window, MIN_ACTION_WINDOW, MAX_WINDOW)
    _check_range(PolicyField.DeliverWindow, policy.deliver_window, MIN_ACTION_WINDOW, MAX_WINDOW)
    _check_range(PolicyField.InspectWindow, policy.inspect_window, MIN_TALK_WINDOW, MAX_WINDOW)
    _check_range(PolicyField.NegotiateWindow, policy.negotiate_window, MIN_TALK_WINDOW, MAX_WINDOW)
    if policy.mediator == ZERO_ADDRESS:
        _check_range(PolicyField.MediateWindow, policy.mediate_window, 0, 0)
    else:
        _check_range(PolicyField.MediateWindow, policy.mediate_window, MIN_MEDIATE_WINDOW, MAX_WINDOW)


def _check_shares(policy: Policy) -> None:
    _check_range(PolicyField.PlatformFee, policy.platform_fee_bps, 0, MAX_PLATFORM_FEE_BPS)
    if policy.cancel_fee_bps != NO_CANCEL:
        _check_range(PolicyField.CancelFee, policy.cancel_fee_bps, 0, MAX_BPS)
    _check_range(PolicyField.SellerBond, policy.seller_bond_bps, 0, MAX_BPS)
    _check_range(PolicyField.DisputeBond, policy.dispute_bond_bps, 0, MAX_BPS)
    smaller_bond = min(policy.seller_bond_bps, policy.dispute_bond_bps)
    max_mediation_fee = 0 if policy.mediator == ZERO_ADDRESS else smaller_bond
    _check_range(PolicyField.MediationFee, policy.mediation_fee_bps, 0, max_mediation_fee)
    _check_range(PolicyField.SilenceShare, policy.silence_share_bps, 0, 10_000)


def _check_addresses(policy: Policy, contract: str) -> None:
    if policy.fee_receiver in (ZERO_ADDRESS, contract):
        raise InvalidAddress(policy.fee_receiver)
    for mediator in (policy.mediator, policy.backup_mediator):
        if mediator == contract:
            raise InvalidAddress(mediator)
    # The backup is another than the mediator, and there is none without a mediator.
    if policy.backup_mediator != ZERO_ADDRESS and policy.mediator in (ZERO_ADDRESS, policy.backup_mediator):
        raise InvalidAddress(policy.backup_mediator)


def _check_range(field: PolicyField, value: int, at_least: int, at_most: int) -> None:
    if not at_least <= value <= at_most:
        raise PolicyOutOfBounds(field, value, at_least, at_most)
