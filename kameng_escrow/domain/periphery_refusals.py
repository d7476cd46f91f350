"""What the contracts around the escrow refuse beside what the escrow does: one class per error of their own.

In the branches of ``refusals.py``:

MustFix
├── DisputeBondNotAllowed               pay for the order in another way, or use another policy
└── NotForeign                          the order is on this chain: sweep, don't rescue
MayRetry
└── DepositShort, VaultNotCreated       after another transfer; with more gas

What they say is in ``periphery_sentences.py``.
"""

from .refusal_base import Address, Amount, Bytes32, Refusal, Token, Uint256
from .refusal_sentences import Kind
from .refusals import MayRetry, MustFix


class DepositShort(MayRetry):
    """Less lies at the deposit address `vault` than is needed there."""

    vault: Address
    token: Token
    available: Amount
    required: Amount


class DisputeBondNotAllowed(MustFix):
    """The policy asks the buyer for a bond to dispute, which a buyer who pays by transfer may not have."""

    policy_id: Bytes32
    dispute_bond_bps: Amount

    def kinds(self) -> dict[str, Kind]:
        """The bond in bps."""
        return {"policy_id": Kind.Plain, "dispute_bond_bps": Kind.Bps}


class NotForeign(MustFix):
    """Orders of the chain `chain_id` can be opened here: nothing was sent to the wrong one."""

    chain_id: Uint256


class VaultNotCreated(MayRetry):
    """Too little gas to create what stands at the deposit address `vault`."""

    vault: Address


PERIPHERY_REFUSALS: dict[str, type[Refusal]] = {
    cls.__name__: cls for cls in (DepositShort, DisputeBondNotAllowed, NotForeign, VaultNotCreated)
}
"""Every class that stands for an error of a contract around the escrow, by the error's name."""
