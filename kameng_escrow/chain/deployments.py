# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""Records of what was deployed where: small JSON files that people may keep, send and check."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from web3 import Web3


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One escrow with its lens on one chain."""

    chain_id: int
    genesis: str  # hash of block 0: tells local chains of the same chain id apart
    address: str  # the escrow
    lens: str
    transaction: str  # hash of the escrow's deployment
    block: int  # number of its block: where the mirror begins
    deployer: str
    source_hash: str  # of everything the compiler was given, 0x-hex
    compiler: str  # its version
    deployed_at: int  # Unix seconds of the block

    def to_json(self) -> str:
        """The record's file; `deployed_at` as ISO-8601 with Z."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The reverse of `to_json`. Raises `DamagedRecord`."""
        raise NotImplementedError


def default_folder() -> Path:
    """Where records are kept: KAMENG_DEPLOYMENTS if set, else the user's data folder."""
    raise NotImplementedError


def save_deployment(deployment: Deployment, folder: Path | None = None) -> Path:
    """Writes the record, whole or not at all, and returns its path."""
    raise NotImplementedError


def load_deployments(folder: Path | None = None) -> tuple[Deployment, ...]:
    """Every record of the folder, newest first. Raises `DamagedRecord`."""
    raise NotImplementedError


def load_deployment(
    chain_id: int, *, address: str | None = None, genesis: str | None = None, folder: Path | None = None
) -> Deployment:
    """The newest record of the chain (with that address, with that genesis hash).

    Raises:
        NoDeployment: there is none.
        DamagedRecord: a file in the folder is not a record.
    """
    raise NotImplementedError


def verify_deployment(deployment: Deployment, w3: Web3) -> None:
    """Checks that the node serves the record's chain and that escrow and lens there are the packaged contracts.

    Raises:
        WrongChain: another chain id, or another genesis block.
        NoDeployment: there is no code at an address.
        CodeMismatch: there is other code.
    """
    raise NotImplementedError
