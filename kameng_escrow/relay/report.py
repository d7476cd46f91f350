"""What a relayer says while and after it works."""

from dataclasses import dataclass

from kameng_escrow.errors import EscrowError
from kameng_escrow.store.relaying import Allowance, Relay


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayOverview:
    """What a relayer sees, for people to look at."""

    account: str
    leading: bool  # whether this process is the account's relayer
    accepted: int  # relays that wait to be sent
    sent: int  # that wait to be mined, or to be final
    watched: int  # deposit addresses
    latest: tuple[Relay, ...]  # the last ones, the newest first
    balance: int | None  # wei; None: not asked
    spent: int  # wei in 24 hours, with the most that what waits may cost
    budget: int | None  # wei in 24 hours; None: no limit
    platforms: tuple[Allowance, ...]  # those with a sum of their own
    conditions: tuple[EscrowError, ...]  # what keeps it from relaying


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayReport:
    """What a run did, and what is left."""

    leading: bool  # whether this process was the account's relayer
    transactions: int
    raised: int
    reverted: int
    displaced: int
    cost: int  # wei
    waiting: int  # transactions that are not mined yet
    left: int  # relays that wait to be sent
    watched: int  # deposit addresses
    conditions: tuple[EscrowError, ...]  # what keeps it from relaying, as of the last look

    @property
    def complete(self) -> bool:
        """Whether everything that was accepted is mined."""
        return self.left == 0 and self.waiting == 0
