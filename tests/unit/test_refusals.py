"""Every error in the contract's ABI is a refusal of ours, with the same fields; it says what to do in two languages."""

import copy
import pickle
from dataclasses import fields
from enum import IntEnum
from string import Formatter
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.chain.artifacts import artifact_names, load_artifact
from kameng_escrow.domain import inputs, periphery_refusals, refusals, reverts
from kameng_escrow.domain.periphery_refusals import PERIPHERY_REFUSALS
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.domain.refusal_sentences import SENTENCES
from kameng_escrow.domain.refusals import REFUSALS
from kameng_escrow.domain.reverts import decode_refusal
from kameng_escrow.domain.states import PolicyField, Role, State, Verb
from kameng_escrow.errors import EscrowError


def errors(*contracts: str) -> dict[str, Any]:
    return {entry["name"]: entry for name in contracts for entry in load_artifact(name).abi if entry["type"] == "error"}


CORE_ERRORS = errors("KamengEscrow", "KamengLens")
ERRORS = errors(*(name for name in artifact_names() if name.startswith("Kameng")))
MAPPED = REFUSALS | PERIPHERY_REFUSALS
BRANCHES = (refusals.MustFix, refusals.MustWait, refusals.MayRetry, refusals.NeedsHuman)
ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"
HASH = "0x" + "ab" * 32
# Python reserves ``from``.
RENAMED = {"from": "sender"}


def leaves(cls: type[Refusal]) -> list[type[Refusal]]:
    below = [leaf for child in cls.__subclasses__() for leaf in leaves(child)]
    return below or [cls]


ALL = leaves(Refusal)


def snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def python_type(parameter: dict[str, str]) -> Any:
    """What a value of the ABI's parameter is here."""
    solidity = parameter["internalType"]
    if solidity.startswith("enum "):
        return {"State": State, "Verb": Verb, "Role": Role, "PolicyField": PolicyField}[solidity.removeprefix("enum ")]
    return int if solidity.startswith("uint") else str


def example(cls: type[Refusal]) -> Refusal:
    """A refusal with a different value in each field."""
    values: list[Any] = []
    for position, field in enumerate(fields(cls)):  # type: ignore[arg-type]
        kind = getattr(field.type, "__origin__", field.type)
        if issubclass(kind, IntEnum):
            values.append(list(kind)[position + 1])
        elif kind is int:
            values.append(9 + position)
        else:
            values.append(HASH if field.name in ("order_id", "policy_id", "digest") else ADDRESS)
    return cls(*values)


# ------------------------------------------------------------------------------------------------ the ABI, and the tree


def test_every_error_of_the_abi_is_mapped_and_no_other() -> None:
    assert set(REFUSALS) == set(CORE_ERRORS)
    assert set(PERIPHERY_REFUSALS) == set(ERRORS) - set(CORE_ERRORS)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_fields_are_those_of_the_solidity_error(name: str) -> None:
    cls, parameters = MAPPED[name], ERRORS[name]["inputs"]
    assert cls.__name__ == name
    assert cls.field_names() == tuple(RENAMED.get(p["name"], snake_case(p["name"])) for p in parameters)
    assert cls.wire_types() == tuple(p["type"] for p in parameters)
    found = [getattr(field.type, "__origin__", field.type) for field in fields(cls)]  # type: ignore[arg-type]
    assert found == [python_type(p) for p in parameters]
    assert cls.selector() == keccak(text=f"{name}({','.join(p['type'] for p in parameters)})")[:4]


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_every_refusal_is_in_one_branch_and_drawn_in_the_tree(cls: type[Refusal]) -> None:
    assert sum(issubclass(cls, branch) for branch in BRANCHES) == 1
    assert issubclass(cls, EscrowError)
    drawn = "Malformed" if issubclass(cls, inputs.Malformed) else cls.__name__
    assert drawn in str(refusals.__doc__) + str(periphery_refusals.__doc__)


def test_codes_are_stable() -> None:
    assert {cls.code for cls in ALL} == set(CODES.split())


def test_waiting_refusals_tell_until_when() -> None:
    assert refusals.TooEarly(5, 9).ready_at == 9
    assert refusals.PolicyNotEffective(5, 8).ready_at == 8


# -------------------------------------------------------------------------------------------------------- as exceptions


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_a_refusal_is_equal_by_its_fields_and_survives_pickling(cls: type[Refusal]) -> None:
    refusal = example(cls)
    assert refusal == example(cls)
    assert hash(refusal) == hash(example(cls))
    assert pickle.loads(pickle.dumps(refusal)) == refusal
    assert copy.copy(refusal) == refusal
    assert repr(refusal).startswith(f"{cls.__name__}(")
    with pytest.raises(cls) as caught:
        raise refusal
    assert caught.value is refusal


def test_refusals_differ_by_class_and_by_value() -> None:
    assert refusals.TooLate(1, 2) != refusals.TooLate(1, 3)
    assert refusals.TooLate(1, 2) != refusals.Expired(1, 2)
    assert refusals.TooLate(1, 2) != (1, 2)


# ------------------------------------------------------------------------------------------------------- the sentences


def test_every_refusal_has_sentences_and_no_sentence_is_left_over() -> None:
    assert set(SENTENCES) == {cls.__name__ for cls in ALL}


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_a_sentence_shows_every_value_in_both_languages(cls: type[Refusal]) -> None:
    for template in SENTENCES[cls.__name__]:
        assert {name for _, name, _, _ in Formatter().parse(template) if name} == set(cls.field_names())
    refusal = example(cls)
    assert str(refusal) == refusal.message
    for sentence, end in ((refusal.message, "."), (refusal.message_zh, "。")):
        assert sentence.endswith(end)
        assert "{" not in sentence
    assert any("一" <= letter <= "鿿" for letter in refusal.message_zh)


def test_times_are_shown_in_utc_with_the_raw_seconds() -> None:
    refusal = refusals.TooEarly(1_735_689_600, 2**255)
    for sentence in (refusal.message, refusal.message_zh):
        assert "2025-01-01 00:00:00 UTC (1735689600)" in sentence
        assert f"second {2**255}" in sentence  # beyond any calendar


def test_words_are_shown_in_the_language_of_the_sentence() -> None:
    refusal = refusals.WrongState(HASH, State.Nothing, State.Delivered)
    assert f"Order {HASH} is None, not Delivered" in refusal.message
    assert "未下单" in refusal.message_zh
    right = refusals.NoRight(ADDRESS, 5)
    assert "Accept + Decline" in right.message
    assert "接单、拒单" in right.message_zh


def test_the_native_coin_is_called_that() -> None:
    refusal = refusals.BondShort(ADDRESS, "0x" + "00" * 20, 1, 2)
    assert "the native coin" in refusal.message
    assert "原生币" in refusal.message_zh


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        (PolicyField.AcceptWindow, "60 s"),
        (PolicyField.MediateWindow, "60 s"),
        (PolicyField.PlatformFee, "60 bps (0.60 %)"),
        (PolicyField.SilenceShare, "60 bps (0.60 %)"),
        (PolicyField.EffectiveFrom, "1970-01-01 00:01:00 UTC (60)"),
        (PolicyField.ReviewBy, "1970-01-01 00:01:00 UTC (60)"),
    ],
)
def test_bounds_are_shown_in_the_unit_of_the_field(field: PolicyField, shown: str) -> None:
    assert f"is {shown}: give one from" in refusals.PolicyOutOfBounds(field, 60, 300, 400).message


def test_somebody_elses_text_is_shortened_and_made_printable() -> None:
    message = reverts.RevertedWithText("\x1b[31m" + "x" * 5_000).message
    assert message.isprintable()
    assert len(message) < 400


# ------------------------------------------------------------------------------------------------------- from the chain


@pytest.mark.parametrize("cls", list(MAPPED.values()), ids=lambda cls: cls.__name__)
def test_a_reverts_data_is_decoded(cls: type[Refusal]) -> None:
    refusal = example(cls)
    pairs = zip(cls.wire_types(), refusal.values, strict=True)
    values = [bytes.fromhex(value[2:]) if kind == "bytes32" else value for kind, value in pairs]
    assert decode_refusal(cls.selector() + encode(cls.wire_types(), values)) == refusal


def test_solidity_itself_is_understood() -> None:
    text = encode(["string"], ["ERC20: 余额不足"])
    assert decode_refusal(keccak(text="Error(string)")[:4] + text) == reverts.RevertedWithText("ERC20: 余额不足")
    panic = encode(["uint256"], [0x11])
    assert decode_refusal(keccak(text="Panic(uint256)")[:4] + panic) == reverts.Panicked(0x11)
    assert "0x11" in reverts.Panicked(0x11).message
    assert decode_refusal(b"") == reverts.RevertedSilently()


@pytest.mark.parametrize(
    "data",
    [
        b"\x01",
        keccak(text="SomethingElse()")[:4],
        refusals.TooLate.selector() + b"\x00" * 63,
        refusals.WrongRole.selector() + encode(["uint8", "uint8"], [200, 0]),
        keccak(text="Error(string)")[:4] + b"\xff" * 96,
        keccak(text="Error(string)")[:4] + encode(["bytes"], [b"\xff\xfe"]),
    ],
    ids=["short", "foreign", "truncated", "no such verb", "no string", "no UTF-8"],
)
def test_what_cannot_be_read_is_shown_raw(data: bytes) -> None:
    assert decode_refusal(data) == reverts.RevertedUnknown("0x" + data.hex())


@given(st.sampled_from([cls.selector() for cls in MAPPED.values()]), st.binary(max_size=200))
def test_decoding_never_fails(selector: bytes, body: bytes) -> None:
    assert isinstance(decode_refusal(selector + body), Refusal)


CODES = """
amount_out_of_range bond_short cancel_not_allowed conflict_of_interest deposit_short dispute_bond_not_allowed
empty_commitment expired expiry_too_far insufficient_gas invalid_address invalid_signature length_mismatch
malformed_address malformed_delivery_key malformed_hash no_payment_due no_right not_foreign not_possible
nothing_to_pay number_out_of_range panicked pay_to_not_registered policy_exists policy_is_retired policy_not_effective
policy_out_of_bounds policy_review_overdue policy_unknown price_above_grant price_out_of_range pull_failed push_failed
reentrancy_guard_reentrant_call reverted_silently reverted_unknown reverted_with_text text_length text_unfit
token_has_no_code too_early too_late unauthorized units_out_of_range unknown_category unknown_rights unknown_version
vault_not_created wrong_amount_received wrong_checksum wrong_disputed_units wrong_members wrong_revision wrong_role
wrong_state wrong_type wrong_value
"""
