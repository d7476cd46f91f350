"""What to pay for gas, as arithmetic. Wei a unit of gas throughout."""

from kameng_escrow.store.keeping import Fee

STEP_NUMERATOR, STEP_DENOMINATOR = 9, 8  # nodes want a replacement to pay 10 % more, some 12.5 %


def market_fee(base_fee: int | None, suggested: int, cap: int) -> Fee:
    """What to offer now: room for the base fee to double while we wait, and never above the cap.

    Args:
        base_fee: of the latest block; None on a chain without EIP-1559.
        suggested: the tip that the node suggests; without EIP-1559 the gas price.
        cap: the most that may be offered.
    """
    if base_fee is None:
        return Fee(highest=min(suggested, cap), tip=None)
    highest = min(2 * base_fee + suggested, cap)
    return Fee(highest=highest, tip=min(suggested, highest))


def is_too_dear(base_fee: int | None, suggested: int, cap: int) -> bool:
    """Whether a transaction that offers the cap would have to wait for cheaper times."""
    return (suggested if base_fee is None else base_fee) > cap


def raised(previous: Fee, market: Fee, cap: int) -> Fee | None:
    """What a replacement offers: what the market asks, and enough more than before that nodes take it.

    None where that is above the cap.
    """
    highest = max(_step(previous.highest), market.highest)
    if highest > cap:
        # What the market asks is a wish, what nodes ask of a replacement is not.
        if (highest := _step(previous.highest)) > cap:
            return None
        highest = cap
    if previous.tip is None:
        return Fee(highest=highest, tip=None)
    return Fee(highest=highest, tip=min(highest, max(_step(previous.tip), market.tip or 0)))


def _step(amount: int) -> int:
    return max(amount + 1, -(-amount * STEP_NUMERATOR // STEP_DENOMINATOR))
