"""From codes to a commitment and back. What a stranger changes on the way, buyer and mediator see."""

import base64
import json
from dataclasses import replace

import pyrage
import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.delivery import (
    CodesUnusable,
    Delivery,
    DeliveryFalse,
    DeliveryKeyUnusable,
    DeliverySecret,
    Disclosure,
    DisclosureFalse,
    Parcel,
    PayloadTooLarge,
    PayloadUnreadable,
    SignatureUnsuitable,
    check_disclosure,
    commitment_of,
    decrypt,
    delivery_message,
    make_backup,
    new_key,
    new_nonce,
    open_backup,
    open_delivery,
    pack,
    payload_hash,
    prepare,
    recipient_of,
    seal,
    secret_of_account,
)
from kameng_escrow.delivery.commitments import leaf_of, salt_of
from kameng_escrow.delivery.sealing import LARGEST_PAYLOAD
from kameng_escrow.domain.inputs import MalformedHash
from kameng_escrow.domain.merkle import root_of

ORDER = "0x" + "33" * 32
NONCE = "0x" + "22" * 32
ACCOUNT = Account.from_key("0x" + "11" * 32)
SECRET = secret_of_account(ACCOUNT)
IDENTITY = SECRET.identity(NONCE)
RECIPIENT = SECRET.recipient(NONCE)
OTHER = DeliverySecret(bytes(range(32))).identity(NONCE)

codes = st.lists(
    st.text(st.characters(codec="utf-8", categories=("Lu", "Ll", "Nd", "Lo", "Po")), min_size=1, max_size=40),
    min_size=1,
    max_size=20,
    unique_by=str.casefold,
).filter(lambda found: _fit(found))


def _fit(found: list[str]) -> bool:
    try:
        pack(ORDER, found)
    except CodesUnusable:
        return False
    return True


def parcel() -> Parcel:
    """The one of the manual's example."""
    return Parcel(order_id=ORDER, seed=b"\x44" * 32, codes=("卡号1----密码1", "CODE-2"), note="兑换：example")


# ------------------------------------------------------------------------------------------------ the bytes, for others


def test_the_example_of_the_manual() -> None:
    """Any other implementation must come to these."""
    assert ACCOUNT.address == "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
    assert IDENTITY == "AGE-SECRET-KEY-1HNJWE98TUHTRCPUCUH9JJVFZ3RRA3KRE7QRC0PH75Q6UQV3ZLVHSK7MXSD"
    assert RECIPIENT == "age1q86aazmna0v6pzuzhf6387pqw6dzt2aqvq437wp7lrer226hfpyqmg7h24"
    assert parcel().root() == "0xf366850978e67aa6e27bf0eb108c79913ea443b08c6786210772c3bb1a0c8aaf"
    assert parcel().to_bytes().decode("utf-8") == (
        '{"kind":"kameng.parcel","version":1,"order_id":"' + ORDER + '","seed":"0x' + "44" * 32 + '",'
        '"codes":["卡号1----密码1","CODE-2"],"note":"兑换：example"}'
    )


SEALED_IN_A_BROWSER = base64.b64decode(
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBVYXcxT201aFNMemRtejlhNmJydnk3K0xPeGhQbHpiNVV5V3lLdWs1OFJFClI2V1kvWDI4"
    "Nlh3aCsxV0E0WHJHbkNlRGR2Y29xSkdBRzJ1bjdCQU43UzQKLS0tIHMrSHJoeE9VMTA0OVJnNnRUeGtZZ2FQQUpRYXRDYnFVUTN0bnJhZjcyVmMK"
    "AR3akj7YfDCBX0NnaSxOqR1piqL6RluFmQL6+8eV92ZsHq63+hEgT/LueWX/1nOhC/eStzVVbE7JlwpW6kKAHEAu0eTJxaNkDL3OZQGVoXTmme6/"
    "wyCjwZMRZQuZeMv5phxiB36x/hiM48u6+2W5CbtxSBFpag9t78MRemlLrMhj2ppA7nuBjfqeVA2PRrrykc30iTpSPejOL7lLxkTGLz7gW30jgqSW"
    "FXUtR4YDPLK6ZrGWqHt+HTXbntAvPkK8Hm8fnfpsaBNVSQL47bONUFUO2Wwzg9K9m/Aq6XhtuOM4xwRPNHHDW+wZd1dSdvpeNM93QnYhsNwzL+y8"
    "y2f95GvOl3XxDMNdVWon9hahISG8wiJklvmiIN6D9HAlDB6bFWo="
)


def test_what_the_javascript_library_sealed_opens_here() -> None:
    """By age-encryption from npm, to the recipient above."""
    assert decrypt(SEALED_IN_A_BROWSER, IDENTITY) == parcel()


def test_a_commitment_binds_order_root_and_payload() -> None:
    root, hashed = parcel().root(), payload_hash(SEALED_IN_A_BROWSER)
    assert hashed == "0x137698c1d8d48be640bdd9e60f24976856316ea3b14ecbb799fa33765e5a9071"
    made = commitment_of(ORDER, root, hashed)
    assert made == "0x7279c3156a5c34d579602c74bdc95159adc50765808381e137d0e0c68a03275b"
    for changed in ((ORDER[:-1] + "4", root, hashed), (ORDER, hashed, root), (ORDER, root, root)):
        assert commitment_of(*changed) != made
    with pytest.raises(MalformedHash):
        commitment_of(ORDER, root, hashed[:-1] + "z")


# ------------------------------------------------------------------------------------------------------ there and back


@settings(max_examples=40, deadline=None)
@given(codes, st.text(st.characters(codec="utf-8", categories=("L", "N", "Zs")), max_size=50))
def test_the_buyer_finds_what_the_seller_packed(found: list[str], note: str) -> None:
    packed = pack(ORDER, found, note=note)
    delivery = prepare(packed, RECIPIENT, units=len(found))
    assert open_delivery(delivery, IDENTITY, units=len(found), commitment=delivery.commitment) == packed
    assert all(code.encode() not in delivery.payload for code in found if len(code) > 3)


@settings(max_examples=40, deadline=None)
@given(codes, st.data())
def test_every_unit_is_shown_without_the_others(found: list[str], data: st.DataObject) -> None:
    packed = pack(ORDER, found)
    delivery = seal(packed, RECIPIENT)
    unit = data.draw(st.integers(1, len(found)))
    shown = packed.disclose(unit, delivery.payload_hash)
    assert shown.code == found[unit - 1]
    check_disclosure(shown, order_id=ORDER, commitment=delivery.commitment, units=len(found))


@settings(max_examples=40, deadline=None)
@given(codes, st.data())
def test_no_field_of_a_disclosure_may_change(found: list[str], data: st.DataObject) -> None:
    packed = pack(ORDER, found)
    delivery = seal(packed, RECIPIENT)
    shown = packed.disclose(data.draw(st.integers(1, len(found))), delivery.payload_hash)
    other = data.draw(st.integers(1, len(found) + 1).filter(lambda unit: unit != shown.unit))
    forged = [
        replace(shown, order_id="0x" + "34" * 32),
        replace(shown, unit=other),
        replace(shown, unit=0),
        replace(shown, code=shown.code + "0"),
        replace(shown, code=""),
        replace(shown, salt=bytes(32)),
        replace(shown, payload_hash="0x" + "00" * 32),
        replace(shown, proof=(*shown.proof, bytes(32))),
        *(replace(shown, proof=shown.proof[:place] + shown.proof[place + 1 :]) for place in range(len(shown.proof))),
    ]
    for one in forged:
        with pytest.raises(DisclosureFalse):
            check_disclosure(one, order_id=ORDER, commitment=delivery.commitment, units=len(found))


def test_a_disclosure_proves_nothing_before_the_delivery_nor_after_a_replacement() -> None:
    first, second = pack(ORDER, ["A1"]), pack(ORDER, ["A1"])
    sealed, again = seal(first, RECIPIENT), seal(second, RECIPIENT)
    shown = first.disclose(1, sealed.payload_hash)
    for commitment in (None, again.commitment):
        with pytest.raises(DisclosureFalse):
            check_disclosure(shown, order_id=ORDER, commitment=commitment, units=1)
    with pytest.raises(CodesUnusable, match="no unit 2"):
        first.disclose(2, sealed.payload_hash)


def test_a_salt_says_nothing_of_the_others() -> None:
    """Each salt is a hash of the seed, and the seed is in no disclosure."""
    shown = parcel().disclose(1, payload_hash(b""))
    assert shown.salt != salt_of(shown.salt, 1)
    assert parcel().seed.hex() not in repr(shown)
    assert root_of(leaf_of(1, salt_of(parcel().seed, 1), parcel().codes[0]), shown.proof).hex() == parcel().root()[2:]


# ------------------------------------------------------------------------------------------------- what a buyer refuses


def test_a_payload_that_the_chain_does_not_know_is_refused() -> None:
    delivery = seal(parcel(), RECIPIENT)
    other = seal(parcel(), RECIPIENT)
    for commitment in (None, other.commitment):
        with pytest.raises(DeliveryFalse, match="not the delivery that the chain knows"):
            open_delivery(delivery, IDENTITY, units=2, commitment=commitment)
    changed = Delivery(order_id=ORDER, root=delivery.root, payload=delivery.payload[:-1] + b"\x00")
    with pytest.raises(DeliveryFalse):
        open_delivery(changed, IDENTITY, units=2, commitment=delivery.commitment)


@pytest.mark.parametrize("units", [1, 3])
def test_too_few_or_too_many_codes_are_seen(units: int) -> None:
    delivery = seal(parcel(), RECIPIENT)
    with pytest.raises(DeliveryFalse, match="2 codes inside"):
        open_delivery(delivery, IDENTITY, units=units, commitment=delivery.commitment)
    with pytest.raises(CodesUnusable, match=f"for {units} units"):
        prepare(parcel(), RECIPIENT, units=units)


def test_a_root_of_other_codes_is_seen() -> None:
    delivery = replace_root(seal(parcel(), RECIPIENT), "0x" + "55" * 32)
    with pytest.raises(DeliveryFalse, match="not those that were committed to"):
        open_delivery(delivery, IDENTITY, units=2, commitment=delivery.commitment)


def test_codes_packed_for_another_order_are_seen() -> None:
    payload = seal(replace(parcel(), order_id="0x" + "34" * 32), RECIPIENT).payload
    delivery = Delivery(order_id=ORDER, root=parcel().root(), payload=payload)
    with pytest.raises(DeliveryFalse, match="packed for order 0x34"):
        open_delivery(delivery, IDENTITY, units=2, commitment=delivery.commitment)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(PayloadUnreadable, match="does not open with this key"):
        decrypt(seal(parcel(), RECIPIENT).payload, OTHER)
    assert decrypt(seal(parcel(), RECIPIENT, also_to=[recipient_of(OTHER)]).payload, OTHER) == parcel()


def test_every_damaged_byte_is_noticed() -> None:
    payload = seal(Parcel(order_id=ORDER, seed=bytes(32), codes=("A",)), RECIPIENT).payload
    for place in range(0, len(payload), 7):
        damaged = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
        with pytest.raises(PayloadUnreadable):
            decrypt(damaged, IDENTITY)
        with pytest.raises(PayloadUnreadable):
            decrypt(payload[:place], IDENTITY)


def plain(**changes: object) -> bytes:
    return json.dumps({**json.loads(parcel().to_bytes()), **changes}).encode()


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        plain(kind="kameng.terms"),
        plain(version=0),
        plain(version=True),
        plain(version="1"),
        plain(order_id="0x12"),
        plain(order_id=None),
        plain(seed="0x" + "zz" * 32),
        plain(codes=[]),
        plain(codes="A1"),
        plain(codes=[["A1"]]),
        plain(codes=["A1", "A1"]),
        plain(codes=["A\u202e1"]),
        plain(codes=[" "]),
        plain(codes=["A" * 1025]),
        plain(note=None),
        plain(note="\x07"),
        plain(more=1),
    ],
)
def test_whatever_a_seller_packs_is_refused_in_words(inside: bytes) -> None:
    with pytest.raises(PayloadUnreadable) as refused:
        decrypt(pyrage.encrypt(inside, [pyrage.x25519.Recipient.from_str(RECIPIENT)]), IDENTITY)
    assert "disclose the order's delivery key" in refused.value.message
    assert refused.value.message_zh


def test_a_newer_format_asks_for_an_upgrade() -> None:
    with pytest.raises(PayloadUnreadable, match="upgrade"):
        decrypt(pyrage.encrypt(plain(version=2), [pyrage.x25519.Recipient.from_str(RECIPIENT)]), IDENTITY)


def test_what_is_too_large_is_not_even_opened() -> None:
    with pytest.raises(PayloadTooLarge):
        decrypt(b"age-encryption.org/v1\n" + bytes(LARGEST_PAYLOAD), IDENTITY)
    with pytest.raises(PayloadTooLarge):
        seal(pack(ORDER, [f"{unit}" + "x" * 1000 for unit in range(9_000)]), RECIPIENT)


@pytest.mark.parametrize("key", ["", "age1q", RECIPIENT[:-1], RECIPIENT[:-1] + "q", IDENTITY, "ssh-ed25519 AAAA"])
def test_what_is_no_recipient_gets_no_codes(key: str) -> None:
    with pytest.raises(DeliveryKeyUnusable) as refused:
        seal(parcel(), RECIPIENT, also_to=[key])
    assert not key or key not in refused.value.message


def test_a_key_that_is_none_is_not_quoted() -> None:
    for wrong in ("", RECIPIENT, IDENTITY[:-1] + "Q"):
        with pytest.raises(DeliveryKeyUnusable) as refused:
            decrypt(b"", wrong)
        assert wrong == "" or wrong not in str(refused.value) + repr(refused.value.__context__)


# ---------------------------------------------------------------------------------------------------------------- keys


def test_a_wallet_makes_the_same_key_each_time_and_one_for_each_order() -> None:
    assert secret_of_account(ACCOUNT) == SECRET
    assert SECRET.identity(NONCE) == IDENTITY
    assert SECRET.identity(new_nonce()) != IDENTITY
    assert secret_of_account(new_key()) != SECRET
    assert "…" in repr(SECRET)


def test_both_forms_of_a_signature_make_one_key() -> None:
    signature = signed()
    s = int.from_bytes(signature[32:64], "big")
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    twin = signature[:32] + (order - s).to_bytes(32, "big") + bytes([55 - signature[64]])
    for one in (signature, signature[:64] + bytes([signature[64] - 27])):
        assert DeliverySecret.from_signature(ACCOUNT.address, one) == SECRET
    try:
        assert DeliverySecret.from_signature(ACCOUNT.address, twin) == SECRET
    except SignatureUnsuitable:  # some libraries recover nobody from the twin
        assert len(twin) == 65


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: bytes(65), lambda s: b"", lambda s: s[1:] + s[:1]])
def test_what_the_account_did_not_sign_makes_no_key(change) -> None:
    with pytest.raises(SignatureUnsuitable):
        DeliverySecret.from_signature(ACCOUNT.address, change(signed()))
    with pytest.raises(SignatureUnsuitable):
        DeliverySecret.from_signature(new_key().address, signed())


def test_a_wallet_that_signs_differently_each_time_is_told_so() -> None:
    class Restless:
        address = ACCOUNT.address

        def __init__(self) -> None:
            self.keys = [ACCOUNT, new_key()]

        def sign_message(self, message: object) -> object:
            return self.keys.pop().sign_message(message)

    with pytest.raises(SignatureUnsuitable, match="differently"):
        secret_of_account(Restless())


def test_a_wrapped_secret_opens_with_its_passphrase_only() -> None:
    wrapped = SECRET.wrap("correct horse battery")
    assert wrapped.startswith("-----BEGIN AGE ENCRYPTED FILE-----")
    assert DeliverySecret.unwrap(wrapped, "correct horse battery") == SECRET
    for text, word in ((wrapped, "correct horse"), (wrapped[:-80], "correct horse battery"), ("", "x"), ("{}", "x")):
        with pytest.raises(DeliveryKeyUnusable, match="does not open"):
            DeliverySecret.unwrap(text, word)
    with pytest.raises(DeliveryKeyUnusable, match="8 characters"):
        SECRET.wrap("1234567")


def test_a_wrapped_something_else_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped = pyrage.passphrase.encrypt(b"null", "correct horse", armored=True).decode()
    with pytest.raises(DeliveryKeyUnusable):
        DeliverySecret.unwrap(wrapped, "correct horse")
    # The others without age, which takes seconds for each.
    for inside in (b"", b"{}", b'{"kind":"kameng.delivery_secret","version":2,"secret":"0x"}'):
        monkeypatch.setattr(pyrage.passphrase, "decrypt", lambda *_, inside=inside: inside)
        with pytest.raises(DeliveryKeyUnusable):
            DeliverySecret.unwrap(wrapped, "correct horse")


def test_a_backup_brings_back_signing_and_reading() -> None:
    kept = make_backup(ACCOUNT, "correct horse battery")
    account, secret = open_backup(kept, "correct horse battery")
    assert (account.address, secret) == (ACCOUNT.address, SECRET)
    document = json.loads(kept)
    assert (document["version"], document["crypto"]["kdf"]) == (3, "scrypt")
    for text, word in ((kept, "wrong horse"), ("", "x"), ("[]", "x"), (kept[:-9], "correct horse battery")):
        with pytest.raises(DeliveryKeyUnusable):
            open_backup(text, word)
    with pytest.raises(DeliveryKeyUnusable, match="8 characters"):
        make_backup(ACCOUNT, "short")


def signed() -> bytes:
    from eth_account.messages import encode_defunct

    return bytes(ACCOUNT.sign_message(encode_defunct(text=delivery_message(ACCOUNT.address))).signature)


def replace_root(delivery: Delivery, root: str) -> Delivery:
    return Delivery(order_id=delivery.order_id, root=root, payload=delivery.payload)


def test_disclosures_are_values() -> None:
    shown = parcel().disclose(2, payload_hash(b"x"))
    assert shown == Disclosure(
        order_id=ORDER,
        unit=2,
        code="CODE-2",
        salt=salt_of(parcel().seed, 2),
        proof=shown.proof,
        payload_hash=payload_hash(b"x"),
    )
