"""Who signs in with a wallet is who it says it is; nobody else is."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.create2 import PROXY, create2_address
from kameng_escrow.service.sign_in import CLOCK_SKEW_SECONDS
from kameng_escrow.store.service.accounts import NONCE_SECONDS
from tests.compiled import compiled
from tests.integration.sdk_cast import deploy_code

from .conftest import Service, message_of, sign

MAGIC_6492 = "6492" * 16


def attempt(service: Service, who: LocalAccount, **changes: Any) -> Any:
    """Signs in with a message that differs from what was asked for; the answer."""
    browser = service.visitor()
    asked = browser.post("/v1/sign-in/challenge").json()
    message = message_of(asked, who.address, **changes)
    return browser.post("/v1/sign-in", json={"message": message, "signature": sign(who, message)})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"domain": "escrow.example.evil"}, "escrow.example.evil"),
        ({"domain": "escrow.example:444"}, "444"),
        ({"uri": "https://evil.example"}, "for escrow.example"),
        ({"chain_id": 1}, "chain 1"),
        ({"nonce": "0123456789abcdef"}, "nonce"),
        ({"expiration_time": "2020-01-01T00:00:00Z"}, "expired"),
        ({"not_before": "2999-01-01T00:00:00Z"}, "expired"),
        ({"issued_at": "2999-01-01T00:00:00Z", "expiration_time": None}, "future"),
    ],
)
def test_a_message_that_was_not_asked_for_is_refused(service: Service, changes: dict[str, Any], said: str) -> None:
    answer = attempt(service, service.world.buyer, **changes)
    assert answer.status_code == 401
    assert answer.json()["code"] == "sign_in_refused"
    assert said in answer.json()["detail_en"]
    assert "set-cookie" not in answer.headers


def test_another_accounts_signature_is_refused(service: Service) -> None:
    browser = service.visitor()
    message = message_of(browser.post("/v1/sign-in/challenge").json(), service.world.buyer.address)
    answer = browser.post("/v1/sign-in", json={"message": message, "signature": sign(service.world.seller, message)})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_refused")


@pytest.mark.parametrize("signature", ["0x", "0x00", "0x" + "ff" * 65, "0x" + "00" * 32 + MAGIC_6492])
def test_a_signature_that_is_none_is_refused(service: Service, signature: str) -> None:
    browser = service.visitor()
    message = message_of(browser.post("/v1/sign-in/challenge").json(), service.world.buyer.address)
    answer = browser.post("/v1/sign-in", json={"message": message, "signature": signature})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_refused")


@pytest.mark.parametrize("message", ["", "hello", "escrow.example wants you", "é" * 1000])
def test_what_is_no_message_is_refused(service: Service, message: str) -> None:
    answer = service.visitor().post("/v1/sign-in", json={"message": message, "signature": "0x"})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_refused")


def test_a_nonce_is_good_once(service: Service) -> None:
    browser = service.visitor()
    message = message_of(browser.post("/v1/sign-in/challenge").json(), service.world.buyer.address)
    body = {"message": message, "signature": sign(service.world.buyer, message)}
    assert browser.post("/v1/sign-in", json=body).status_code == 200
    again = service.visitor().post("/v1/sign-in", json=body)
    assert again.status_code == 401
    assert "used before" in again.json()["detail_en"]


@pytest.mark.parametrize(("later", "status"), [(NONCE_SECONDS - 1, 200), (NONCE_SECONDS, 401)])
def test_a_nonce_lives_for_ten_minutes(service: Service, later: int, status: int) -> None:
    browser = service.visitor()
    message = message_of(
        browser.post("/v1/sign-in/challenge").json(), service.world.buyer.address, expiration_time=None
    )
    service.clock.now += later
    answer = browser.post("/v1/sign-in", json={"message": message, "signature": sign(service.world.buyer, message)})
    assert answer.status_code == status


def test_a_wallets_clock_may_be_ahead_a_little(service: Service) -> None:
    browser = service.visitor()
    service.clock.now += CLOCK_SKEW_SECONDS
    asked = browser.post("/v1/sign-in/challenge").json()
    service.clock.now -= CLOCK_SKEW_SECONDS
    message = message_of(asked, service.world.buyer.address)
    answer = browser.post("/v1/sign-in", json={"message": message, "signature": sign(service.world.buyer, message)})
    assert answer.status_code == 200


def test_a_contract_signs_in_by_erc_1271(service: Service) -> None:
    owner, stranger = service.world.buyer, service.world.stranger
    wallet = deploy_code(service.world.node, compiled("Wallet"), owner.address)
    for who, status in ((owner, 200), (stranger, 401)):
        browser = service.visitor()
        message = message_of(browser.post("/v1/sign-in/challenge").json(), wallet)
        answer = browser.post("/v1/sign-in", json={"message": message, "signature": sign(who, message)})
        assert answer.status_code == status, answer.text
    assert service.visitor().get("/v1/me").status_code == 401


def test_a_contract_that_is_not_deployed_yet_signs_in_by_erc_6492(service: Service) -> None:
    owner = service.world.buyer
    artifact: Artifact = compiled("Wallet")
    code = bytes.fromhex(artifact.bytecode.removeprefix("0x")) + encode(["address"], [owner.address])
    salt = b"\x07" * 32
    wallet = create2_address(code, salt)
    browser = service.visitor()
    message = message_of(browser.post("/v1/sign-in/challenge").json(), wallet)
    inner = bytes.fromhex(sign(owner, message)[2:])
    wrapped = encode(["address", "bytes", "bytes"], [PROXY, salt + code, inner]).hex() + MAGIC_6492
    answer = browser.post("/v1/sign-in", json={"message": message, "signature": "0x" + wrapped})
    assert answer.status_code == 200, answer.text
    assert answer.json()["account"] == wallet
    assert len(service.world.node.request("eth_getCode", wallet, "latest")) == 2  # nothing was deployed by that
