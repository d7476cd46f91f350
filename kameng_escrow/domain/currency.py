"""How a token's amounts are written for people."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Currency:
    """How a token's amounts are written."""

    token: str  # its address; the zero address: the chain's native coin
    symbol: str
    decimals: int

    def show(self, amount: int) -> str:
        """Base units as people write them: `12.50 USDT`. Exact, at least two places."""
        return f"{self.number(amount)} {self.symbol}"

    def number(self, amount: int) -> str:
        """As `show`, without the symbol."""
        digits = str(abs(amount)).rjust(self.decimals + 1, "0")
        whole, places = digits[: len(digits) - self.decimals], digits[len(digits) - self.decimals :]
        places = places.rstrip("0").ljust(min(2, self.decimals), "0")
        sign = "-" if amount < 0 else ""
        return f"{sign}{int(whole):,}" + (f".{places}" if places else "")
