# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""What a refused call returned, as an exception that says why."""

from kameng_escrow.errors import EscrowError


def decode_revert(data: bytes) -> EscrowError:
    """The refusal in a call's return data: a `Refusal` for the escrow's errors, else a `Reverted`."""
    raise NotImplementedError
