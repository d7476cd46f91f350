# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""EIP-712 signatures: made with a local key, checked against a key or an ERC-1271 contract."""

from eth_account.signers.local import LocalAccount

from kameng_escrow.domain.signed import Action, Offer, Split


def sign_offer(
    account: LocalAccount, order_id: str, *, revision: int, expiry: int, chain_id: int, contract: str, seller: str
) -> Offer:
    """The account's promise to accept the order; as its operator where the account is not the seller."""
    raise NotImplementedError


def sign_split(account: LocalAccount, order_id: str, split: Split, *, chain_id: int, contract: str) -> bytes:
    """65 bytes r ‖ s ‖ v."""
    raise NotImplementedError


def sign_action(account: LocalAccount, order_id: str, action: Action, *, chain_id: int, contract: str) -> bytes:
    """65 bytes r ‖ s ‖ v."""
    raise NotImplementedError
