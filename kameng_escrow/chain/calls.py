# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""What to send to a contract, as plain values: built once, for whoever sends it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of one contract."""

    to: str
    data: bytes
    value: int = 0  # wei of the native coin
    order_id: str | None = None  # the order it is about
