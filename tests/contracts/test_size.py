"""What the core is made of: small enough, and nothing in it that anybody owns."""

import pytest

from kameng_escrow.chain.artifacts import load_artifact
from kameng_escrow.domain.reverts import RevertedSilently
from tests.contracts.harness.abi import signature
from tests.contracts.harness.world import reverts

LIMIT = 24_576  # bytes of code that a chain takes (EIP-170)
SPARE = 1_024  # that must stay free for good
PAYABLE = {"open", "openWithOffer", "dispute", "act", "fundBond"}

# Opcodes by which a contract runs another's code as its own, makes contracts, or ends itself.
FORBIDDEN = {0xF0: "CREATE", 0xF2: "CALLCODE", 0xF4: "DELEGATECALL", 0xF5: "CREATE2", 0xFF: "SELFDESTRUCT"}


def functions(name):
    return {signature(entry): entry for entry in load_artifact(name).abi if entry["type"] == "function"}


def opcodes(code):
    """The opcodes of a contract, without what they push."""
    position = 0
    while position < len(code):
        opcode = code[position]
        yield opcode
        position += 1 + (opcode - 0x5F if 0x60 <= opcode <= 0x7F else 0)


def test_the_core_leaves_room_to_spare():
    size = len(load_artifact("KamengEscrow").deployed_bytecode) // 2 - 1
    assert size <= LIMIT - SPARE


def test_every_function_is_in_the_interface():
    core, interface = functions("KamengEscrow"), functions("IKamengEscrow")
    assert core.keys() == interface.keys()
    for name, entry in core.items():
        assert entry["stateMutability"] == interface[name]["stateMutability"]


def test_every_event_and_error_is_in_the_interface():
    """But the lock's own, which OpenZeppelin declares."""

    def words(name):
        return {signature(entry) for entry in load_artifact(name).abi if entry["type"] in ("event", "error")}

    assert words("KamengEscrow") - words("IKamengEscrow") <= {"ReentrancyGuardReentrantCall()"}


@pytest.mark.parametrize(
    "word",
    ["owner", "admin", "upgrade", "implementation", "proxy", "pause", "freeze", "block", "rescue", "sweep", "role"],
)
def test_nobody_owns_upgrades_or_pauses_it(word):
    for name in functions("KamengEscrow"):
        assert word not in name.split("(")[0].lower()


def test_it_runs_nobody_elses_code_and_can_not_end_itself():
    code = bytes.fromhex(load_artifact("KamengEscrow").deployed_bytecode[2:])
    assert {FORBIDDEN[opcode] for opcode in opcodes(code) if opcode in FORBIDDEN} == set()


def test_only_payments_take_coins():
    payable = {entry["name"] for entry in functions("KamengEscrow").values() if entry["stateMutability"] == "payable"}
    assert payable == PAYABLE
    kinds = {entry["type"] for entry in load_artifact("KamengEscrow").abi}
    assert kinds == {"function", "event", "error"}  # no constructor's arguments, no receive, no fallback


@pytest.mark.parametrize("data", [b"", b"\0\0\0\0", b"\xde\xad\xbe\xef"])
def test_coins_and_calls_that_mean_nothing_are_refused(evm, escrow, stranger, data):
    for value in (0, 1):
        with reverts(RevertedSilently()):
            evm.transact(sender=stranger, to=escrow.address, data=data, value=value)


def test_the_lens_keeps_nothing():
    code = bytes.fromhex(load_artifact("KamengLens").deployed_bytecode[2:])
    assert 0x55 not in set(opcodes(code))  # SSTORE
