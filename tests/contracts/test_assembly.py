"""Every block of assembly in the core does what the plain Solidity beside it does, whatever comes."""

from typing import Any

import pytest
from eth_abi import decode, encode
from eth_utils import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.domain.states import Fault, Outcome, State, Verb
from tests.contracts.harness.abi import Contract, deploy, selector, type_of
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.evm import Evm, Reverted

ENUMS = {f"enum {enum.__name__}": len(enum) for enum in (State, Outcome, Fault, Verb)}
FIELDS = 11  # words of an order's terms


@pytest.fixture(scope="module")
def pair(compiled: Any) -> Contract:
    return deploy(Evm(), compiled("Equalities"), sender=CAST["stranger"])


@pytest.fixture(scope="module")
def echo(pair: Contract, compiled: Any) -> str:
    return deploy(pair.evm, compiled("Echo"), sender=CAST["stranger"]).address


def functions(contract: Contract) -> dict[str, Any]:
    return {entry["name"]: entry for entry in contract.abi if entry["type"] == "function"}


def values(parameter: dict[str, Any], addresses: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Any value of a parameter of an ABI."""
    kind = parameter["type"]
    if kind == "tuple":
        return st.tuples(*(values(part, addresses) for part in parameter["components"]))
    if kind == "address":
        return st.sampled_from(addresses) | st.binary(min_size=20, max_size=20).map(to_checksum_address)
    if kind == "bytes32":
        return st.binary(min_size=32, max_size=32)
    if kind == "bytes":
        return st.binary(max_size=200)
    limit = ENUMS.get(parameter["internalType"], 1 << int(kind.removeprefix("uint")))
    return st.integers(0, limit - 1)


def data_of(entry: dict[str, Any], arguments: list[Any]) -> bytes:
    return selector(entry) + encode([type_of(part) for part in entry["inputs"]], arguments)


def draw(data: st.DataObject, entry: dict[str, Any], addresses: tuple[str, ...]) -> list[Any]:
    return [data.draw(values(part, addresses)) for part in entry["inputs"]]


TWICE = ["fields", "hashTerms", "toId", "hashOffer", "canReceive", "isIn", "opened", "moved", "closed", "bit"]


@pytest.mark.parametrize("name", TWICE)
@settings(max_examples=200)
@given(data=st.data())
def test_both_compute_the_same(pair, name, data):
    entry = functions(pair)[name]
    arguments = draw(data, entry, ("0x" + "00" * 20, pair.address, CAST["buyer"]))
    returned = pair.evm.read(to=pair.address, data=data_of(entry, arguments)).returned
    half = len(returned) // 2
    assert half in range(32, 32 * 12, 32)
    assert returned[:half] == returned[half:]


@settings(max_examples=200)
@given(
    wanted=st.lists(
        st.tuples(
            st.sampled_from(["0x" + "00" * 20, CAST["relayer"]]),
            st.sampled_from([CAST["buyer"], CAST["seller"], CAST["relayer"]]),
            st.integers(1, 2**128),
        ),
        max_size=12,
    )
)
def test_both_gather_the_same_payouts(pair, wanted):
    """Neighbours with the same token and receiver are one."""
    gathered = pair.evm.read(to=pair.address, data=data_of(functions(pair)["gather"], [wanted])).returned
    ours, plain = decode(["(address,address,uint256)[]"] * 2, gathered)
    assert ours == plain
    assert sum(amount for _, _, amount in ours) == sum(amount for _, _, amount in wanted)


@settings(max_examples=200)
@given(data=st.data())
def test_both_announce_the_same_opening(pair, data):
    entry = functions(pair)["emitOpened"]
    receipt = pair.evm.call(
        sender=CAST["stranger"], to=pair.address, data=data_of(entry, draw(data, entry, (CAST["buyer"],)))
    )
    ours, plain = receipt.logs
    assert ours == plain


@settings(max_examples=300)
@given(words=st.lists(st.integers(0, 15), min_size=FIELDS, max_size=FIELDS), dirt=st.data())
def test_both_refuse_the_same_padding(pair, words, dirt):
    """Words of eleven fields with up to two bits anywhere: within the field, or in its padding."""
    for _ in range(dirt.draw(st.integers(0, 2))):
        words[dirt.draw(st.integers(0, FIELDS - 1))] |= 1 << dirt.draw(st.integers(0, 255))
    tail = b"".join(word.to_bytes(32, "big") for word in words)

    def accepts(name: str) -> bool:
        try:
            pair.evm.read(to=pair.address, data=selector(functions(pair)[name]) + tail)
        except Reverted:
            return False
        return True

    assert accepts("requireClean") == accepts("readEveryField")


@pytest.mark.parametrize("name", ["balanceOf", "transfer", "transferFrom", "cappedCall", "cappedStaticCall"])
@settings(max_examples=200)
@given(data=st.data())
def test_both_make_the_same_call_and_hear_the_same_answer(pair, echo, name, data):
    """The other end answers with a hash of what it was sent: any length of it, or reverts with it."""
    entry = functions(pair)[name]
    target = data.draw(st.sampled_from([echo, CAST["buyer"]]))  # the latter has no code
    arguments = [target, *draw(data, {"inputs": entry["inputs"][1:]}, (CAST["buyer"],))]
    returned = pair.evm.call(sender=CAST["stranger"], to=pair.address, data=data_of(entry, arguments)).returned
    half = len(returned) // 2
    assert half == 96
    assert returned[:half] == returned[half:]
