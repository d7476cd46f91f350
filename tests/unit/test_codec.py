"""The codec is the ABI's mirror: every struct, event and error of it, and nothing that is not there."""

import dataclasses
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from eth_abi.abi import encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from hypothesis import given
from hypothesis import strategies as st
from web3.datastructures import AttributeDict

from kameng_escrow.chain.artifacts import load_artifact
from kameng_escrow.chain.checksums import Checksums
from kameng_escrow.chain.codec import decode_log, event_topics, functions, python_name, read_event
from kameng_escrow.chain.errors import InvalidInput, UndecodableLog
from kameng_escrow.chain.event_decoder import make_decoder, make_reader
from kameng_escrow.domain import states
from kameng_escrow.domain.event_values import values_of
from kameng_escrow.domain.events import Credited, Event, Logged, OrderClosed, OrderOpened, PolicyRegistered
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.refusals import REFUSALS
from kameng_escrow.domain.reverts import RevertedUnknown, decode_refusal
from kameng_escrow.domain.signed import Action, Offer, OperatorGrant, Split

ABI = load_artifact("KamengEscrow").abi
EVENTS = {entry["name"]: entry for entry in ABI if entry["type"] == "event"}
ERRORS = {entry["name"]: entry for entry in ABI if entry["type"] == "error"}
CLASSES = {cls.__name__: cls for union in get_args(Event) for cls in (get_args(union) or (union,))}

ALICE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
BOB = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
HASH = "0x" + "ab" * 32


def type_of(entry: dict[str, Any]) -> str:
    if entry["type"].startswith("tuple"):
        return f"({','.join(type_of(item) for item in entry['components'])}){entry['type'].removeprefix('tuple')}"
    return str(entry["type"])


def enum_of(entry: dict[str, Any]) -> Any:
    internal = entry.get("internalType", "")
    return getattr(states, internal.removeprefix("enum ")) if internal.startswith("enum ") else None


def wire_values(entry: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Whatever the ABI lets a parameter be."""
    if entry["type"] == "tuple":
        return st.tuples(*(wire_values(item) for item in entry["components"]))
    if (enum := enum_of(entry)) is not None:
        return st.sampled_from([int(member) for member in enum])
    if entry["type"] == "address":
        return st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
    if entry["type"] == "bytes32":
        return st.binary(min_size=32, max_size=32)
    return st.integers(0, 2 ** int(entry["type"].removeprefix("uint")) - 1)


def expected(entry: dict[str, Any], value: Any) -> Any:
    """A wire value as the domain has it, worked out without the codec."""
    if entry["type"] == "tuple":
        struct = {"OrderTerms": OrderTerms, "Policy": Policy}[entry["internalType"].removeprefix("struct ")]
        items = zip(entry["components"], value, strict=True)
        return struct(**{python_name(item["name"]): expected(item, part) for item, part in items})
    if (enum := enum_of(entry)) is not None:
        return enum(value)
    if entry["type"] == "address":
        return to_checksum_address(value)
    return "0x" + value.hex() if entry["type"] == "bytes32" else value


def raw_log(name: str, values: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    """A log as `eth_getLogs` has it, encoded by eth_abi and not by us."""
    inputs = EVENTS[name]["inputs"]
    signature = f"{name}({','.join(type_of(item) for item in inputs)})"
    plain = [item for item in inputs if not item["indexed"]]
    topics = [keccak(text=signature)]
    topics += [encode([type_of(item)], [values[item["name"]]]) for item in inputs if item["indexed"]]
    return {
        "address": ALICE,
        "topics": ["0x" + topic.hex() for topic in topics],
        "data": "0x" + encode([type_of(item) for item in plain], [values[item["name"]] for item in plain]).hex(),
        "blockNumber": "0x10",
        "blockHash": "0x" + "22" * 32,
        "transactionHash": "0x" + "33" * 32,
        "transactionIndex": "0x0",
        "logIndex": "0x5",
        **overrides,
    }


# ------------------------------------------------------------------------------------------------------------ coverage


def test_every_event_of_the_abi_has_a_class_with_its_fields() -> None:
    assert EVENTS.keys() == CLASSES.keys()
    for name, entry in EVENTS.items():
        fields = [field.name for field in dataclasses.fields(CLASSES[name])]
        assert fields == [python_name(item["name"]) for item in entry["inputs"]], name


def test_every_event_is_decoded_by_its_topic() -> None:
    assert set(event_topics().values()) == set(CLASSES.values())
    for topic, cls in event_topics().items():
        inputs = EVENTS[cls.__name__]["inputs"]
        assert topic == "0x" + keccak(text=f"{cls.__name__}({','.join(map(type_of, inputs))})").hex()


def test_every_error_of_the_abi_is_a_refusal_with_its_fields() -> None:
    assert ERRORS.keys() <= REFUSALS.keys(), "an error of the contract has no refusal yet"
    for name, entry in ERRORS.items():
        types = [type_of(item) for item in entry["inputs"]]
        data = keccak(text=f"{name}({','.join(types)})")[:4] + encode(types, [_zero(kind) for kind in types])
        refusal = decode_refusal(data)
        assert type(refusal) is REFUSALS[name], name
        assert len(refusal.values) == len(types), name


def _zero(kind: str) -> Any:
    if kind == "address":
        return "0x" + "00" * 20
    return bytes(32) if kind == "bytes32" else 0


@pytest.mark.parametrize(
    ("struct", "cls"),
    [
        ("OrderTerms", OrderTerms),
        ("Policy", Policy),
        ("Offer", Offer),
        ("Split", Split),
        ("Action", Action),
        ("OperatorGrant", OperatorGrant),
    ],
)
def test_every_struct_of_a_call_is_the_domain_class_of_its_name(struct: str, cls: type) -> None:
    found = {
        item["internalType"]: item["components"]
        for entry in ABI
        if entry["type"] == "function"
        for item in entry["inputs"]
        if item["type"].startswith("tuple")
    }
    names = [python_name(item["name"]) for item in found[f"struct {struct}"]]
    assert sorted(names) == sorted(field.name for field in dataclasses.fields(cls))


# ---------------------------------------------------------------------------------------------------------------- logs


@pytest.mark.parametrize("name", sorted(EVENTS))
@given(data=st.data())
def test_any_event_decodes_to_what_was_encoded(name: str, data: st.DataObject) -> None:
    inputs = EVENTS[name]["inputs"]
    values = {item["name"]: data.draw(wire_values(item)) for item in inputs}
    logged = decode_log(raw_log(name, values), 1_700_000_000)
    event = CLASSES[name](**{python_name(item["name"]): expected(item, values[item["name"]]) for item in inputs})
    assert logged == Logged(
        event=event,
        block_number=16,
        block_hash="0x" + "22" * 32,
        timestamp=1_700_000_000,
        transaction_hash="0x" + "33" * 32,
        log_index=5,
    )
    raw = raw_log(name, values)
    assert read_event(raw["topics"], raw["data"]) == (name, values_of(event))


CREDITED = {"account": ALICE, "token": BOB, "amount": 7}


def test_a_log_in_the_form_of_web3_decodes_alike() -> None:
    raw = raw_log("Credited", CREDITED)
    formatted = AttributeDict(
        {
            **raw,
            "topics": [HexBytes(topic) for topic in raw["topics"]],
            "data": HexBytes(raw["data"]),
            "blockNumber": 16,
            "blockHash": HexBytes(raw["blockHash"]),
            "transactionHash": HexBytes(raw["transactionHash"]),
            "logIndex": 5,
        }
    )
    assert decode_log(formatted, 9) == decode_log(raw, 9)
    assert decode_log(raw, 9).event == Credited(account=ALICE, token=BOB, amount=7)  # type: ignore[union-attr]


def test_upper_case_hex_decodes_to_lower_case() -> None:
    raw = raw_log("OrderAccepted", {"orderId": bytes.fromhex("AB" * 32)})
    shouted = {**raw, "topics": [topic.upper().replace("0X", "0x") for topic in raw["topics"]]}
    assert decode_log(shouted, 0) == decode_log(raw, 0)


@pytest.mark.parametrize(
    "topics", [[], ["0x" + "00" * 32], ["0x" + keccak(text="Transfer(address,address,uint256)").hex()]]
)
def test_a_log_of_others_is_none(topics: list[str]) -> None:
    assert decode_log(raw_log("Credited", CREDITED, topics=topics), 0) is None


def spoil_word(raw: dict[str, Any], word: int, value: str) -> dict[str, Any]:
    data = raw["data"][2:]
    return {**raw, "data": "0x" + data[: word * 64] + value.rjust(64, "0") + data[(word + 1) * 64 :]}


OPENED = raw_log(
    "OrderOpened",
    {
        "orderId": bytes(32),
        "terms": (ALICE, ALICE, BOB, BOB, "0x" + "00" * 20, 5, 1, bytes(32), bytes(32), 9, bytes(32)),
        "payer": ALICE,
        "state": 1,
    },
)


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        ({**OPENED, "topics": OPENED["topics"][:1]}, "1 topics"),
        ({**OPENED, "data": OPENED["data"][:-2]}, "bytes of data"),
        ({**OPENED, "data": OPENED["data"] + "00" * 32}, "bytes of data"),
        ({**OPENED, "data": "0x"}, "0 bytes of data"),
        ({**OPENED, "data": OPENED["data"][:-1] + "g"}, "hex"),
        (spoil_word(OPENED, 0, "01" + ALICE[2:]), "no address"),
        (spoil_word(OPENED, 5, "1" + "0" * 32), "too large"),
        (spoil_word(OPENED, 6, "10000"), "too large"),
        (spoil_word(OPENED, 12, "6"), "State"),
        ({key: value for key, value in OPENED.items() if key != "logIndex"}, "logIndex"),
        ({**OPENED, "blockNumber": None}, "NoneType"),
        ({**OPENED, "data": None}, "NoneType"),
    ],
)
def test_a_log_that_claims_to_be_ours_and_is_not_is_refused(spoiled: dict[str, Any], why: str) -> None:
    with pytest.raises(UndecodableLog, match=why):
        decode_log(spoiled, 0)


def test_decoding_is_fast_enough_to_follow_a_chain() -> None:
    """Words are sliced, not decoded by a library: a thousand a second even on a busy machine."""
    start = time.perf_counter()
    for _ in range(2_000):
        decode_log(OPENED, 0)
    assert time.perf_counter() - start < 2


def test_what_varies_in_length_is_decoded_too() -> None:
    """No event of the escrow does; one that did would be read by eth_abi."""
    components = [{"name": "buyer", "type": "address"}, {"name": "note", "type": "string"}]
    entry = {
        "name": "Noted",
        "inputs": [
            {"name": "orderId", "type": "bytes32", "indexed": True},
            {"name": "text", "type": "string", "indexed": False},
            {"name": "state", "type": "uint8", "indexed": False, "internalType": "enum State"},
            {
                "name": "deep",
                "type": "tuple",
                "indexed": False,
                "internalType": "struct Deep",
                "components": components,
            },
            {"name": "proof", "type": "bytes", "indexed": False},
        ],
    }
    decode = make_decoder(entry, SimpleNamespace, {"Deep": SimpleNamespace})
    data = encode(
        ["string", "uint8", "(address,string)", "bytes"], ["玩家", 4, (ALICE.lower(), "again"), b"\x01\x02\x03"]
    )
    assert decode([HASH, HASH], "0x" + data.hex()) == SimpleNamespace(
        order_id=HASH,
        text="玩家",
        state=states.State.Disputed,
        deep=SimpleNamespace(buyer=ALICE, note="again"),
        proof="0x010203",
    )
    read = make_reader(entry)
    assert read([HASH, HASH], "0x" + data.hex()) == (HASH, "玩家", 4, (ALICE, "again"), "0x010203")
    for make in (decode, read):
        with pytest.raises(DecodingError):
            make([HASH, HASH], "0x" + data[:-32].hex())


def test_a_parameter_without_a_rule_is_refused() -> None:
    entry = {"name": "Odd", "inputs": [{"name": "below", "type": "int8", "indexed": False}]}
    with pytest.raises(TypeError, match="no rule"):
        make_decoder(entry, SimpleNamespace, {})


@given(raw=st.binary(min_size=20, max_size=20))
def test_checksums_are_those_of_eip_55(raw: bytes) -> None:
    assert Checksums()["0" * 24 + raw.hex()] == to_checksum_address(raw)


def test_checksums_keep_no_more_than_they_may() -> None:
    found = Checksums()
    for number in range(Checksums.LIMIT + 2):
        found[f"{number:064x}"]
    assert len(found) <= Checksums.LIMIT
    for word in ("0" * 63, "1" + "0" * 63, "0" * 62 + "zz"):
        with pytest.raises(ValueError, match="no address"):
            found[word]


# --------------------------------------------------------------------------------------------------------------- calls

TERMS = OrderTerms(
    buyer=ALICE,
    refund_to=ALICE,
    seller=BOB,
    pay_to=BOB,
    token="0x" + "00" * 20,
    price=5,
    units=1,
    policy_id=HASH,
    listing=HASH,
    open_by=9,
    salt=HASH,
)
WORDS = (
    ALICE,
    ALICE,
    BOB,
    BOB,
    "0x" + "00" * 20,
    5,
    1,
    bytes.fromhex("ab" * 32),
    bytes.fromhex("ab" * 32),
    9,
    bytes.fromhex("ab" * 32),
)
TERMS_TYPE = "(address,address,address,address,address,uint128,uint16,bytes32,bytes32,uint40,bytes32)"


@pytest.mark.parametrize(
    ("function", "arguments", "types", "words"),
    [
        ("open", (TERMS,), [TERMS_TYPE], [WORDS]),
        ("confirm", (TERMS, states.State.Delivered), [TERMS_TYPE, "uint8"], [WORDS, 3]),
        (
            "openWithOffer",
            (TERMS, Offer(operator=BOB, expiry=8, signature=b"\x01" * 65)),
            [TERMS_TYPE, "(address,uint40,bytes)"],
            [WORDS, (BOB, 8, b"\x01" * 65)],
        ),
        (
            "deliverMany",
            ([TERMS, TERMS], [HASH, HASH]),
            [TERMS_TYPE + "[]", "bytes32[]"],
            [[WORDS, WORDS], [bytes.fromhex("ab" * 32)] * 2],
        ),
        (
            "setOperator",
            (ALICE, BOB, HASH, OperatorGrant(rights=3, expiry=4, max_price=5)),
            ["address", "address", "bytes32", "(uint8,uint40,uint128)"],
            [ALICE, BOB, bytes.fromhex("ab" * 32), (3, 4, 5)],
        ),
    ],
)
def test_calls_are_encoded_as_the_abi_says(
    function: str, arguments: tuple[Any, ...], types: list[str], words: list[Any]
) -> None:
    selector = keccak(text=f"{function}({','.join(types)})")[:4]
    assert functions("KamengEscrow")[function].encode(*arguments) == selector + encode(types, words)


@pytest.mark.parametrize(
    "call",
    [
        lambda encode: encode(),
        lambda encode: encode(TERMS, TERMS),
        lambda encode: encode("terms"),
        lambda encode: encode(dataclasses.replace(TERMS, price=-1)),
        lambda encode: encode(dataclasses.replace(TERMS, units=2**16)),
        lambda encode: encode(dataclasses.replace(TERMS, buyer="0x12")),
        lambda encode: encode(dataclasses.replace(TERMS, salt="0xzz")),
    ],
)
def test_arguments_that_the_function_does_not_take_are_refused(call: Callable[[Any], bytes]) -> None:
    with pytest.raises(InvalidInput, match="open can't be called"):
        call(functions("KamengEscrow")["open"].encode)


def test_results_are_decoded_as_the_abi_says() -> None:
    grant = functions("KamengEscrow")["operatorOf"].decode(encode(["(uint8,uint40,uint128)"], [(3, 4, 5)]))
    assert OperatorGrant(**grant) == OperatorGrant(rights=3, expiry=4, max_price=5)
    [status] = functions("KamengLens")["stateOf"].decode(
        encode(["(uint8,uint8,uint8,uint40,uint16,uint24)[]"], [[(5, 12, 0, 99, 2, 1)]])
    )
    assert status == {
        "state": states.State.Closed,
        "outcome": states.Outcome.Agreed,
        "fault": states.Fault.Nobody,
        "deadline": 99,
        "disputed_units": 2,
        "revision": 1,
    }
    assert functions("KamengEscrow")["payToOf"].decode(encode(["address"], [ALICE.lower()])) == ALICE


@pytest.mark.parametrize("data", [b"", b"\x01", bytes(31)])
def test_an_answer_of_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="no contract with a function bondOf"):
        functions("KamengEscrow")["bondOf"].decode(data)


def test_an_unknown_revert_keeps_its_data() -> None:
    assert decode_refusal(b"\xde\xad\xbe\xef") == RevertedUnknown("0xdeadbeef")


def test_the_events_that_carry_structs_are_known() -> None:
    carrying = {name for name, entry in EVENTS.items() if any(item["type"] == "tuple" for item in entry["inputs"])}
    assert carrying == {OrderOpened.__name__, PolicyRegistered.__name__}
    assert OrderClosed.__name__ in EVENTS
