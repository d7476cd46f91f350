# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""What every operation of a client shares: the contract, the account, the connection."""

from pathlib import Path

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.deployments import Deployment


class Session:
    """The configuration of a client; see `EscrowClient`."""

    def __init__(
        self,
        *,
        contract: Deployment | str | None = None,
        lens: str | None = None,
        account: LocalAccount | str | None = None,
        deployments: Path | None = None,
        timeout_seconds: float = 30,
        receipt_timeout_seconds: float = 120,
        gas_margin_percent: int = 20,
        blocks_per_request: int = 2_000,
    ) -> None:
        raise NotImplementedError

    @property
    def address(self) -> str:
        """The address of the client's account. Raises `InvalidInput` where it has none."""
        raise NotImplementedError
