"""What stands at a deposit address does what its plain reference does, and no more."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.harness.abi import deploy
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.evm import Evm

SALT = "0x" + "5a" * 32
# What an input is echoed, refused or burnt with: runtime codes by name.
TARGETS = {
    "echoes": "365f5f37365ff3",
    "refuses with its input": "365f5f37365ffd",
    "burns": "fe",
    "tells its value": "345f5260205ff3",
    "tells its caller": "335f5260205ff3",
    "has no code": "",
}


@pytest.fixture
def maker(world, compiled):
    return deploy(world.evm, compiled("VaultMaker"), SALT, sender=CAST["stranger"])


@pytest.fixture
def both(maker):
    """The vault and its reference."""
    return maker.vault(), maker.plain()


def targets(evm: Evm) -> dict[str, str]:
    places = {name: f"0x{number:040x}" for number, name in enumerate(TARGETS, 0xABCD00)}
    for name, place in places.items():
        evm.set_code(place, bytes.fromhex(TARGETS[name]))
    return places


def test_the_vault_is_61_bytes(evm, maker):
    code = evm.code(maker.vault())
    assert len(code) == 61
    assert bytes.fromhex(maker.address[2:]) in code


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(64), bytes(100), b"\xff" * 500])
def test_from_anybody_else_it_takes_the_native_coin_and_does_nothing(evm, both, stranger, data):
    for vault in both:
        before = evm.balance(vault)
        receipt = evm.transact(sender=stranger, to=vault, value=5, data=data)
        assert evm.balance(vault) == before + 5
        assert (receipt.returned, receipt.logs) == (b"", ())


def test_taking_the_native_coin_costs_22_gas_beyond_a_plain_transfer(evm, maker, stranger):
    assert evm.transact(sender=stranger, to=maker.vault(), value=1).gas_used == 21_022


def test_a_sender_that_grants_2300_gas_can_pay(evm, maker, stranger):
    """As Solidity's `transfer` does."""
    caller = "0x" + "0c" * 20  # passes on its value, with no gas but the stipend
    evm.set_code(caller, bytes.fromhex(f"5f5f5f5f3473{maker.vault()[2:]}5ff15f5260205ff3"))
    receipt = evm.transact(sender=stranger, to=caller, value=7)
    assert int.from_bytes(receipt.returned, "big") == 1
    assert evm.balance(maker.vault()) == 7


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    target=st.sampled_from(list(TARGETS)),
    value=st.integers(0, 12) | st.integers(0, 2**256 - 1),
    data=st.binary(max_size=300),
)
def test_told_by_its_maker_it_does_what_the_reference_does(evm, maker, both, stranger, target, value, data):
    snapshot = evm.snapshot()
    try:
        place = targets(evm)[target]
        for vault in both:
            evm.set_balance(vault, 10)
        answers = []
        for vault in both:
            before = evm.balance(place)
            receipt = maker.execute(vault, place, value, data, sender=stranger)
            success, answer = maker.returned("execute", receipt)
            if target == "tells its caller" and success:
                assert answer[-20:] == bytes.fromhex(vault[2:])
                answer = b""
            answers.append((success, answer, evm.balance(vault), evm.balance(place) - before))
        assert answers[0] == answers[1]
        assert answers[0][0] == (value <= 10 and target not in ("burns", "refuses with its input"))
    finally:
        evm.restore(snapshot)
