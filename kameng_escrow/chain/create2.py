"""Addresses that are the same on every chain, by the deterministic deployment proxy that nearly every chain has.

The proxy at `PROXY` creates whatever it is sent (32 bytes of salt, then init code) with CREATE2, so that the address
follows from the code alone: not from who deploys it, nor from what they did before. Nobody owns the proxy. Where a
chain lacks it, anyone may put it there with one presigned transaction, whose signature is made up: nobody has a key to
its sender, and it can only ever do this.
"""

import time

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from . import rpc
from .calls import Call
from .errors import CodeMismatch, NodeError, NodeRefused, ProxyUnavailable
from .sender import Sender
from .steps import Steps

PROXY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
PROXY_CODE = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b"
    "8082525050506014600cf3"
)
SIGNER = "0x3fAB184622Dc19b6109349B94811493BF2a45362"  # of the presigned transaction
PRESIGNED = (
    "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba022222222222222222222222"
    "22222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222"
)
PRESIGNED_HASH = "0x" + keccak(hexstr=PRESIGNED).hex()
PRESIGNED_COST = 100_000 * 100 * 10**9  # wei: its gas limit at its gas price; its sender must have as much
SALT = bytes(32)  # one of each contract is enough

POLL_SECONDS = 0.1


def create2_address(init_code: bytes, salt: bytes = SALT) -> str:
    """Where the proxy creates `init_code`, on every chain."""
    digest = keccak(b"\xff" + bytes.fromhex(PROXY[2:]) + salt + keccak(init_code))
    return to_checksum_address(digest[12:])


def created_by(data: bytes) -> str:
    """What the proxy creates when it is sent `data`, whoever chose the salt."""
    return create2_address(data[len(SALT) :], data[: len(SALT)])


def create2_call(init_code: bytes) -> Call:
    """The call of the proxy that creates `init_code`. It reverts where that is there already."""
    return Call(to=PROXY, data=SALT + init_code)


def has_proxy() -> Steps[bool]:
    """Whether the chain has the proxy. Raises `CodeMismatch` where there is something else at its address."""
    found = yield from rpc.code(PROXY)
    if found and found != PROXY_CODE:
        raise CodeMismatch(
            f"The code at {PROXY} is not the deterministic deployment proxy: nothing can be deployed at the usual "
            "addresses on this chain.",
            f"{PROXY} 上的代码不是确定性部署代理：这条链上无法部署到通用地址。",
        )
    return bool(found)


def put_proxy(sender: Sender, *, timeout_seconds: float = 120) -> Steps[None]:
    """Puts the proxy where the chain lacks it: pays the presigned transaction's sender what it lacks, then sends it.

    Raises:
        ProxyUnavailable: the node does not take the presigned transaction, or it failed.
        CodeMismatch: there is something else at its address.
        What `Sender.send` raises, for the payment.
    """
    if (yield from has_proxy()):
        return
    if (yield from rpc.nonce(SIGNER, "latest")):
        raise ProxyUnavailable("it was sent before and failed", "它曾被发送过，但失败了")
    has = yield from rpc.balance(SIGNER)
    if has < PRESIGNED_COST:
        yield from sender.send(Call(to=SIGNER, data=b"", value=PRESIGNED_COST - has))
    try:
        yield from rpc.request("eth_sendRawTransaction", PRESIGNED)
    except NodeRefused as refused:
        if not (yield from has_proxy()):  # somebody else may have been faster
            raise ProxyUnavailable(refused.rpc_message, refused.rpc_message) from refused
    deadline = time.monotonic() + timeout_seconds
    while not (yield from _is_there()):
        receipt = yield from rpc.raw_receipt(PRESIGNED_HASH)
        if receipt is not None and not (yield from has_proxy()):
            raise ProxyUnavailable("it was mined and failed", "它已上链，但失败了")
        if time.monotonic() > deadline:
            raise ProxyUnavailable(
                f"it was not mined within {timeout_seconds:g} s", f"它在 {timeout_seconds:g} 秒内没有上链"
            )
        yield from rpc.sleep(POLL_SECONDS)


def _is_there() -> Steps[bool]:
    try:
        return (yield from has_proxy())
    except CodeMismatch:
        raise
    except NodeError:
        return False  # the transaction is on its way: a node that does not answer is no reason to give up
