"""What nodes say is understood, whoever says it."""

import pytest

from kameng_escrow.chain.errors import NodeRefused, NodeTimeout
from kameng_escrow.keeper.answers import lacks_funds, rejection_of, wants_later, wants_less
from kameng_escrow.store.keeping import Rejection


@pytest.mark.parametrize(
    ("words", "rejection"),
    [
        ("already known", None),
        ("AlreadyKnown", None),
        ("Known transaction", None),
        ("transaction already imported", None),
        ("INTERNAL_ERROR: existing tx with same hash", None),
        ("replacement transaction underpriced", Rejection.Occupied),
        ("transaction underpriced: gas tip cap 1, minimum needed 25000000000", Rejection.Underpriced),
        ("ReplacementNotAllowed", Rejection.Occupied),
        ("FeeTooLow, EffectivePriorityFeePerGas too low 1 < 2", Rejection.Underpriced),
        ("[0xabc]: insufficient gas price to replace existing transaction.", Rejection.Occupied),
        ("max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 2", Rejection.Underpriced),
        ("Gas price below configured minimum gas price", Rejection.Underpriced),
        ("insufficient funds for gas * price + value: balance 0, tx cost 5", Rejection.Funds),
        ("InsufficientFunds, Account balance: 0, cumulative cost: 5", Rejection.Funds),
        ("Upfront cost exceeds account balance", Rejection.Funds),
        ("nonce too low: next nonce 5, tx nonce 4", Rejection.NonceUsed),
        ("OldNonce", Rejection.NonceUsed),
        ("nonce too high", Rejection.NonceGap),
        ("NonceGap, Future nonce. Expected nonce: 5", Rejection.NonceGap),
        ("Transaction nonce is too distant from current sender nonce", Rejection.NonceGap),
        ("exceeds block gas limit", Rejection.Unfit),
        ("oversized data: transaction size 140000, limit 131072", Rejection.Unfit),
        ("tx fee (1.20 ether) exceeds the configured cap (1.00 ether)", Rejection.Unfit),
        ("intrinsic gas too low: gas 5, minimum needed 21000", Rejection.Unfit),
        ("transaction gas limit too high (cap: 16777216, tx: 20000000)", Rejection.Unfit),
        ("GasLimitExceeded, Gas limit: 30000000", Rejection.Unfit),
        ("transaction type not supported", Rejection.Unfit),
        ("txpool is full", Rejection.Unclear),
        ("daily request count exceeded, request rate limited", Rejection.Unclear),
        ("", Rejection.Unclear),
    ],
)
def test_refusals_are_told_apart(words: str, rejection: Rejection | None) -> None:
    assert rejection_of(NodeRefused(words, -32000)) is rejection


def test_no_answer_is_no_refusal() -> None:
    assert rejection_of(NodeTimeout("https://node.example")) is Rejection.Unclear


def test_rehearsals_that_fail_for_gas_or_money_are_told_apart() -> None:
    assert wants_less(NodeRefused("gas required exceeds allowance (30000000)"))
    assert wants_less(NodeRefused("Out of gas: gas required exceeds allowance: 794"))
    assert not wants_less(NodeRefused("execution aborted (timeout = 5s)"))
    assert wants_later(NodeRefused("daily request count exceeded, request rate limited"))
    assert wants_later(NodeRefused("project ID request rate exceeded", -32005))
    assert not wants_later(NodeRefused("execution aborted (timeout = 5s)"))
    assert lacks_funds(NodeRefused("insufficient funds for gas * price + value: have 1 want 2"))
    assert not lacks_funds(NodeRefused("gas required exceeds allowance (30000000)"))
