"""What travels between the parties comes back as it went out, or is refused by the name of its field."""

import json
from pathlib import Path
from typing import Any

import pytest

from kameng_escrow.cli.documents import (
    Place,
    SignedSplit,
    action_document,
    offer_document,
    read_action,
    read_offer,
    read_split,
    read_terms,
    split_document,
    terms_document,
)
from kameng_escrow.cli.problems import FileUnusable
from kameng_escrow.domain.inputs import Malformed
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.signed import Action, Offer, Split
from kameng_escrow.domain.states import Role, State, Verb

BUYER = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"
SELLER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
PLACE = Place(chain_id=31_337, contract="0x5FbDB2315678afecb367f032d93F642f64180aa3", order_id="0x" + "0d" * 32)
TERMS = OrderTerms(
    buyer=BUYER,
    refund_to=BUYER,
    seller=SELLER,
    pay_to=SELLER,
    token=NATIVE,
    price=2**127 - 1,  # past what a float holds
    units=65_535,
    policy_id="0x" + "01" * 32,
    listing="0x" + "02" * 32,
    open_by=2**40 - 1,
    salt="0x" + "03" * 32,
)


def through(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "document.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_terms_come_back(tmp_path: Path) -> None:
    assert read_terms(through(tmp_path, terms_document(PLACE, TERMS))) == (PLACE, TERMS)


def test_offers_come_back(tmp_path: Path) -> None:
    offer = Offer(expiry=1_800_000_000, signature=bytes(range(65)), operator=BUYER)
    assert read_offer(through(tmp_path, offer_document(PLACE, offer))) == (PLACE, offer)


def test_splits_come_back_with_their_signatures(tmp_path: Path) -> None:
    split = Split(state=State.Disputed, disputed_units=3, revision=7, to_buyer=2**126, expiry=1_800_000_000)
    signed = SignedSplit(split=split, seller_signature=b"\x01" * 65)
    assert read_split(through(tmp_path, split_document(PLACE, TERMS, signed))) == (PLACE, TERMS, signed)


def test_actions_come_back(tmp_path: Path) -> None:
    action = Action(
        verb=Verb.Dispute,
        state=State.Delivered,
        role=Role.Buyer,
        signer=BUYER,
        expiry=1_800_000_000,
        number=3,
        content="0x" + "0e" * 32,
    )
    path = through(tmp_path, action_document(PLACE, TERMS, action, b"\x02" * 65))
    assert read_action(path) == (PLACE, TERMS, action, b"\x02" * 65)


def test_amounts_are_strings_since_json_readers_round() -> None:
    assert terms_document(PLACE, TERMS)["terms"]["price"] == str(2**127 - 1)


@pytest.mark.parametrize("name", sorted(terms_document(PLACE, TERMS)["terms"]))
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    document = terms_document(PLACE, TERMS)
    del document["terms"][name]
    with pytest.raises(FileUnusable, match=name):
        read_terms(through(tmp_path, document))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price", -1),
        ("price", "1.5"),
        ("price", 1.5),
        ("price", True),
        ("price", None),
        ("price", "9" * 79),
        ("price", "１"),
        ("units", "many"),
        ("buyer", 7),
    ],
)
def test_a_value_that_can_not_be_is_named(tmp_path: Path, name: str, value: object) -> None:
    document = terms_document(PLACE, TERMS)
    document["terms"][name] = value
    with pytest.raises(FileUnusable, match=name):
        read_terms(through(tmp_path, document))


@pytest.mark.parametrize(
    ("name", "value"), [("seller", "0x12"), ("seller", SELLER.replace("F", "f", 1)), ("salt", "0x1")]
)
def test_an_address_or_hash_that_is_none_is_named(tmp_path: Path, name: str, value: str) -> None:
    document = terms_document(PLACE, TERMS)
    document["terms"][name] = value
    with pytest.raises(Malformed, match=name):
        read_terms(through(tmp_path, document))


def test_a_misspelt_field_is_not_taken_for_a_default(tmp_path: Path) -> None:
    document = terms_document(PLACE, TERMS)
    document["terms"]["refundTo"] = SELLER
    with pytest.raises(FileUnusable, match="refundTo"):
        read_terms(through(tmp_path, document))


@pytest.mark.parametrize("document", [[], "terms", {}, {"kind": "kameng.offer"}, {"kind": "kameng.terms"}])
def test_another_kind_of_file_is_refused(tmp_path: Path, document: Any) -> None:
    with pytest.raises(FileUnusable):
        read_terms(through(tmp_path, document))


def test_an_unknown_word_is_named_with_those_there_are(tmp_path: Path) -> None:
    signed = SignedSplit(split=Split(state=State.Opened, disputed_units=0, revision=0, to_buyer=1, expiry=2))
    document = split_document(PLACE, TERMS, signed)
    document["split"]["state"] = "Happy"
    with pytest.raises(FileUnusable, match="Opened, Accepted"):
        read_split(through(tmp_path, document))


def test_a_signature_that_is_no_hex_is_named(tmp_path: Path) -> None:
    document = offer_document(PLACE, Offer(expiry=1, signature=b"\x01" * 65))
    document["offer"]["signature"] = "yes"
    with pytest.raises(FileUnusable, match="signature"):
        read_offer(through(tmp_path, document))
