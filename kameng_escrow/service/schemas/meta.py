"""The service itself."""

from typing import Any

from pydantic import Field

from .common import Address, ChainSeconds, Hash, View


class AboutView(View):
    """Which contract this service serves, and how far its mirror has come."""

    version: str
    chain_id: int
    contract: Address
    genesis: Hash
    explorer_url: str | None
    seen_block: int
    seen_at: ChainSeconds
    final_block: int
    chain_now: ChainSeconds


class ProblemKindView(View):
    """A kind of problem."""

    code: str
    title: str
    status: int
    description: str


class HealthView(View):
    """How the service is."""

    ok: bool
    details: dict[str, Any] = Field(default={})
