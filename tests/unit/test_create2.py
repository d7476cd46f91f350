"""The deployment proxy's constants hang together, and addresses follow from the code alone."""

import rlp
from eth_account import Account
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kameng_escrow.chain.artifacts import artifact_names, load_artifact
from kameng_escrow.chain.create2 import (
    PRESIGNED,
    PRESIGNED_COST,
    PRESIGNED_HASH,
    PROXY,
    PROXY_CODE,
    SALT,
    SIGNER,
    create2_address,
    create2_call,
    created_by,
)
from kameng_escrow.chain.parts import CORE, LENS, companion_names, companions, core_address, init_code


def test_the_presigned_transaction_creates_the_proxy() -> None:
    nonce, gas_price, gas, to, value, data, v, r, s = rlp.decode(bytes.fromhex(PRESIGNED[2:]))
    assert (nonce, to, value) == (b"", b"", b"")
    assert int.from_bytes(gas_price, "big") * int.from_bytes(gas, "big") == PRESIGNED_COST == 10**16
    assert data.endswith(PROXY_CODE)
    assert (v, r, s) == (b"\x1b", b"\x22" * 32, b"\x22" * 32), "a signature that nobody made"
    assert Account.recover_transaction(PRESIGNED) == SIGNER
    assert to_checksum_address(keccak(rlp.encode([bytes.fromhex(SIGNER[2:]), b""]))[12:]) == PROXY
    assert PRESIGNED_HASH == "0xeddf9e61fb9d8f5111840daef55e5fde0041f5702856532cdbb5a02998033d26"


def test_addresses_are_those_of_eip_1014() -> None:
    """Example 3 of the standard has another deployer; the formula is the same with ours."""
    code = bytes.fromhex("deadbeef")
    expected = keccak(b"\xff" + bytes.fromhex(PROXY[2:]) + bytes(32) + keccak(code))[-20:]
    assert create2_address(code) == to_checksum_address(expected)
    assert create2_address(code) != create2_address(code + b"\0")
    assert create2_address(code) != create2_address(code, b"\1" * 32)


def test_what_the_proxy_is_sent_tells_what_it_creates() -> None:
    call = create2_call(b"code")
    assert (call.to, call.data, call.value) == (PROXY, SALT + b"code", 0)
    assert created_by(call.data) == create2_address(b"code")
    assert created_by(b"\1" * 32 + b"code") == create2_address(b"code", b"\1" * 32)


def test_companions_are_what_is_made_for_an_escrow() -> None:
    assert companion_names()[0] == LENS
    assert CORE not in companion_names()
    for name in artifact_names():
        takes = [
            item["internalType"]
            for entry in load_artifact(name).abi
            if entry["type"] == "constructor"
            for item in entry["inputs"]
        ]
        assert (name in companion_names()) == (takes == ["contract IKamengEscrow"])


def test_each_escrow_has_companions_of_its_own() -> None:
    ours, other = companions(core_address()), companions(SIGNER)
    assert list(ours) == list(companion_names())
    assert not {core_address(), *ours.values()} & set(other.values())
    assert len({core_address(), *ours.values()}) == 1 + len(ours)
    assert ours[LENS] == create2_address(init_code(LENS, core_address()))
