# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""Puts the packaged contracts on a chain."""

from eth_account.signers.local import LocalAccount
from web3 import Web3

from .deployments import Deployment


def deploy(w3: Web3, account: LocalAccount, *, timeout_seconds: float = 120) -> Deployment:
    """Deploys escrow and lens from the packaged artifacts and returns the record, which is not saved yet.

    Raises what sending raises: NodeError, TransactionError.
    """
    raise NotImplementedError


def deploy_artifact(
    w3: Web3, account: LocalAccount, name: str, *arguments: object, timeout_seconds: float = 120
) -> str:
    """Deploys one packaged contract, such as the tokens for local chains, and returns its address."""
    raise NotImplementedError
