"""Balances of many addresses in one question, of the native coin and of tokens alike, at any block.

No contract is needed for it: the question is a creation that is only simulated, whose code is the program below with
the pairs of token and account behind it, and whose result is one word of zeros and a balance for each pair. The word
comes first since nodes refuse results that begin with 0xEF (EIP-3541).
"""

from collections.abc import Sequence

from eth_abi.abi import encode

from kameng_escrow.chain import rpc
from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.errors import NodeRefused
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.order import NATIVE

PAGE = 200  # pairs in one question: initcode may have 49,152 bytes (EIP-3860), the result 24,576

# In words: copy the pairs to memory; for each of them take BALANCE where the token is zero, else call balanceOf with
# 200,000 gas, and 2^256 − 1 where it fails or answers less than a word; put the answers one after the other.
#
#   CODESIZE − 113 → n · CODECOPY(0x80, 113, n) · MSTORE(0, 0x70a08231 << 224) · i = 0
#   loop: i < n, else end · p = 0x80 + i · account = MLOAD(p + 0x20) · token = MLOAD(p) · token = 0: native
#         MSTORE(4, account) · good = STATICCALL(200000, token, 0, 0x24, 0x40, 0x20) ∧ 0x1f < RETURNDATASIZE
#         value = MLOAD(0x40) ∨ (good − 1) · store
#   native: value = BALANCE(account)
#   store: MSTORE(0x80 + i/2, value) · i += 0x40 · loop
#   end: RETURN(0x60, n/2 + 0x20)
_PROGRAM = bytes.fromhex(
    "607138038060716080396370a0823160e01b60005260005b81811015606657806080018060200151815180156053579060045260206040"
    "602460008462030d40fa3d601f1016600190036040511790506056565b50315b8260011c60800152506040016017565b5060011c602001"
    "6060f3"
)
_UNANSWERED = 2**256 - 1


def balances(pairs: Sequence[tuple[str, str]], tag: rpc.BlockTag) -> Steps[list[int | None]]:
    """What each account has of each token, in base units; None where the token does not say.

    Args:
        pairs: up to `PAGE` pairs of token and account; the token NATIVE is the chain's coin.
        tag: of the block.

    Raises `NodeError`.
    """
    if not 0 < len(pairs) <= PAGE:
        raise ValueError(f"a question has 1 to {PAGE} pairs, not {len(pairs)}")
    words = [word for pair in pairs for word in pair]
    data = _PROGRAM + encode(["address"] * len(words), words)
    answer = yield from rpc.eth_call(Call(to=None, data=data), sender=NATIVE, tag=tag)
    if len(answer) != 32 * (len(pairs) + 1):
        raise NodeRefused(f"it gave {len(answer)} bytes for {len(pairs)} balances")
    found = (int.from_bytes(answer[start : start + 32]) for start in range(32, len(answer), 32))
    return [None if balance == _UNANSWERED else balance for balance in found]
