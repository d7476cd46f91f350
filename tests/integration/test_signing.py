"""Signatures: whatever we take for signed the contract takes too, and nothing else."""

from collections.abc import Callable

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.signing import HALF_ORDER, is_signed_by, recovered, sign_split, sign_terms
from kameng_escrow.domain.signed import Split
from kameng_escrow.domain.states import State
from kameng_escrow.domain.typed_data import Domain, order_id, split_digest

from .sdk_cast import Cast, deploy_code

SIGNER = Account.from_key("0x" + "42" * 32)
DOMAIN = Domain(31_337, "0x5FbDB2315678afecb367f032d93F642f64180aa3")
ORDER = "0x" + "ab" * 32
ORDER_OF_CURVE = 2 * HALF_ORDER + 1


@given(
    to_buyer=st.integers(0, 2**256 - 1),
    expiry=st.integers(0, 2**40 - 1),
    revision=st.integers(0, 2**24 - 1),
    units=st.integers(0, 2**16 - 1),
    state=st.sampled_from(State),
)
def test_a_signature_recovers_its_signer(to_buyer: int, expiry: int, revision: int, units: int, state: State) -> None:
    split = Split(state=state, disputed_units=units, revision=revision, to_buyer=to_buyer, expiry=expiry)
    signature = sign_split(SIGNER, ORDER, split, DOMAIN)
    assert len(signature) == 65
    assert recovered(split_digest(ORDER, split, DOMAIN), signature) == SIGNER.address


SPLIT = Split(state=State.Opened, disputed_units=0, revision=0, to_buyer=1, expiry=9)
DIGEST = split_digest(ORDER, SPLIT, DOMAIN)
SIGNATURE = sign_split(SIGNER, ORDER, SPLIT, DOMAIN)


def twin(signature: bytes) -> bytes:
    """The other signature of the same key over the same digest, which contracts refuse: s in the upper half."""
    s = ORDER_OF_CURVE - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest.mark.parametrize(
    "spoiled",
    [
        b"",
        SIGNATURE[:64],
        SIGNATURE + b"\0",
        SIGNATURE[:64] + bytes([SIGNATURE[64] - 27]),
        twin(SIGNATURE),
        bytes(64) + b"\x1b",
        b"\xff" * 64 + b"\x1b",
    ],
)
def test_what_the_contract_would_not_recover_is_nobodys(spoiled: bytes) -> None:
    assert recovered(DIGEST, spoiled) is None


def test_the_twin_would_recover_if_it_were_taken() -> None:
    assert recovered(DIGEST, twin(twin(SIGNATURE))) == SIGNER.address


def test_terms_are_signed_as_the_orders_id(cast: Cast) -> None:
    terms = cast.terms()
    domain = Domain(31_337, cast.deployment.address)
    assert recovered(order_id(terms, domain), sign_terms(SIGNER, terms, domain)) == SIGNER.address


def test_a_keys_a_wallets_and_nobodys_signature(cast: Cast, compiled: Callable[[str], Artifact]) -> None:
    def signed_by(account: str, signature: bytes) -> bool:
        return cast.reader._run(is_signed_by(account, DIGEST, signature))

    wallet = deploy_code(cast.node, compiled("Wallet"), SIGNER.address)
    assert signed_by(SIGNER.address, SIGNATURE)
    assert signed_by(wallet, SIGNATURE)
    assert not signed_by(wallet, twin(SIGNATURE))
    assert not signed_by(cast.buyer.address, SIGNATURE)
    assert not signed_by(cast.deployment.address, SIGNATURE), "a contract that knows no ERC-1271"
    assert not signed_by(cast.token, SIGNATURE)
