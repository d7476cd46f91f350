"""What well-known chains call their coin, and where people look at them."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Network:
    """A public chain."""

    coin: str  # the native coin's symbol
    explorer: str | None  # an origin with ``/tx/0x…`` and ``/address/0x…``


NETWORKS: Final[dict[int, Network]] = {
    1: Network("ETH", "https://etherscan.io"),
    10: Network("ETH", "https://optimistic.etherscan.io"),
    56: Network("BNB", "https://bscscan.com"),
    137: Network("POL", "https://polygonscan.com"),
    8_453: Network("ETH", "https://basescan.org"),
    42_161: Network("ETH", "https://arbiscan.io"),
    11_155_111: Network("ETH", "https://sepolia.etherscan.io"),
}
UNKNOWN: Final = Network("ETH", None)


def network_of(chain_id: int) -> Network:
    """The network of a chain; an unnamed one with the usual coin where we don't know it."""
    return NETWORKS.get(chain_id, UNKNOWN)
