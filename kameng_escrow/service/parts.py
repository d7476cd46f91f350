"""What the service's routes work with. `bootstrap` makes it; nothing here reads the environment."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.nodes import Node
from kameng_escrow.client import EscrowClient
from kameng_escrow.delivery.fingerprints import FingerprintKey
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.reputation import Yardstick
from kameng_escrow.notify import Telling
from kameng_escrow.relay import Limits
from kameng_escrow.relay.watching import CONFIRMATIONS
from kameng_escrow.store import BlobStore, Book, Marks, Store
from kameng_escrow.talk.desk import RoomLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfig:
    """How the service is set up."""

    public_url: str  # the origin that browsers know it by
    proxies: int = 0  # reverse proxies in front
    session_seconds: int = 7 * 86_400
    explorer_url: str | None = None  # where people look at the chain; None: nowhere
    native_symbol: str = "ETH"  # of the chain's coin
    rate_limit: int = 1_200  # requests a minute of an account or key
    rate_limit_anonymous: int = 240  # likewise of a network address that nobody has signed in at
    limits: Limits = field(default_factory=Limits)  # of what is taken on to be relayed
    deposit_confirmations: int = CONFIRMATIONS  # blocks that a deposit lies under before its order opens

    @property
    def secure(self) -> bool:
        """Whether browsers come over TLS."""
        return self.public_url.startswith("https://")

    def transaction_url(self, transaction_hash: str) -> str | None:
        """Where people look at a transaction."""
        return None if self.explorer_url is None else f"{self.explorer_url}/tx/{transaction_hash}"

    @property
    def domain(self) -> str:
        """Host and port, as a signed-in message names them (EIP-4361)."""
        return self.public_url.partition("://")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One deployment's service."""

    config: ServiceConfig
    store: Store
    book: Book
    contract_id: int  # the contract's rows in the store
    node: Node
    deployment: Deployment
    client: EscrowClient  # reads; `client.acting_as(account)` prepares for one
    blobs: BlobStore  # the files that people send into rooms
    talk_limits: RoomLimits = field(default_factory=RoomLimits)
    yardstick: Yardstick = field(default_factory=lambda: Yardstick(units={NATIVE: 10**13}))  # of reputations
    signer: LocalAccount | None = None  # signs statements; None: they bear no signature
    fingerprint_keys: tuple[FingerprintKey, ...] = ()  # newest first; none: the same code sold twice goes unnoticed
    telling: Telling  # webhooks and notifications
    clock: Callable[[], int] = field(default=lambda: int(time.time()))  # Unix seconds of this machine

    def marks(self) -> Marks:
        """How far the mirror has come."""
        return self.book.marks()

    def chain_now(self, marks: Marks | None = None) -> int:
        """The second that the chain's next block is likely to have: its last block's, or this machine's where that is
        later, since a chain without transactions may stand still.

        Args:
            marks: of the moment that is spoken of; left out, as they are now.
        """
        return max((marks or self.marks()).seen_at, self.clock())
