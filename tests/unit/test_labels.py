"""Everything that the contract names has a label in both languages."""

import re
from dataclasses import fields
from enum import IntEnum
from pathlib import Path

import pytest

from kameng_escrow.domain.labels import POLICY_LABELS, Label, label_of, rights_label
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import Fault, Outcome, PolicyField, Right, Role, State, Verb

ENUMS = (State, Outcome, Fault, Role, Verb, Right, PolicyField)


def has_chinese(text: str) -> bool:
    return any("一" <= letter <= "鿿" for letter in text)


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_every_member_has_a_label_of_its_own(enum: type[IntEnum]) -> None:
    labels = [label_of(member) for member in enum]  # type: ignore[arg-type]
    assert len({label.en for label in labels}) == len({label.zh for label in labels}) == len(labels)
    assert all(has_chinese(label.zh) for label in labels)


@pytest.mark.parametrize("enum", [State, Outcome, Fault, Role, Verb], ids=lambda enum: enum.__name__)
def test_english_labels_are_the_contracts_names(enum: type[State]) -> None:
    for member in enum:
        assert label_of(member).en == member.label


def test_members_of_equal_value_keep_apart() -> None:
    assert label_of(State.Opened) != label_of(Outcome.Expired) != label_of(Fault.Buyer)


def test_policy_fields_are_labelled_in_order() -> None:
    assert list(POLICY_LABELS) == [*(field.name for field in fields(Policy)), "review_by"]
    assert POLICY_LABELS["seller_bond_bps"] == label_of(PolicyField.SellerBond) == Label("seller's bond", "卖家保证金")
    assert all(has_chinese(label.zh) for label in POLICY_LABELS.values())


def test_rights_are_labelled_as_a_sum() -> None:
    assert rights_label(0) == Label("none", "无")
    assert rights_label(15) == Label("Accept + Deliver + Decline + Refund", "接单、发货、拒单、退款")
    assert rights_label(0xF0 | Right.Refund) == Label("Refund", "退款")


@pytest.mark.parametrize("enum", [State, Outcome, Fault, Role, Verb, PolicyField], ids=lambda enum: enum.__name__)
def test_members_are_the_contracts(enum: type[State]) -> None:
    source = (Path(__file__).resolve().parents[2] / "contracts" / "IKamengEscrow.sol").read_text("utf-8")
    [body] = re.findall(rf"^enum {enum.__name__} \{{(.*?)^\}}", source, re.MULTILINE | re.DOTALL)
    names = re.sub(r"//.*", "", body).replace(",", " ").split()
    assert [(member.label, member.value) for member in enum] == [(name, value) for value, name in enumerate(names)]
