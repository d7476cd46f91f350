"""Deposit addresses and refunds without a chain."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from kameng_escrow.chain.signing import recovered, sign_refund
from kameng_escrow.client import Deposit
from kameng_escrow.domain.deposits import deposit_address
from kameng_escrow.domain.inputs import Malformed
from kameng_escrow.domain.states import State
from kameng_escrow.domain.typed_data import deposits_domain, refund_digest, refund_typed_data

DEPOSITS = "0x52908400098527886E0F7030069857D2E4169EE7"
ORDER = "0x" + "ab" * 32
EXPIRY = 1_800_000_000


def test_an_address_is_checksummed_and_one_orders_alone() -> None:
    address = deposit_address(ORDER, DEPOSITS)
    assert address == deposit_address(ORDER, DEPOSITS)
    others = {deposit_address("0x" + "ac" * 32, DEPOSITS), deposit_address(ORDER, "0x" + "11" * 20)}
    assert address not in others
    assert len(others) == 2
    assert address.lower() != address


@pytest.mark.parametrize(
    ("order", "deposits"),
    [("0x12", DEPOSITS), (ORDER.upper(), DEPOSITS), (ORDER, "0x12"), (ORDER, DEPOSITS.lower()), (None, DEPOSITS)],
)
def test_what_is_no_id_or_address_is_refused(order: str, deposits: str) -> None:
    with pytest.raises(Malformed):
        deposit_address(order, deposits)


def test_a_wallet_signs_the_refund_that_is_checked() -> None:
    account = Account.from_key(keccak(text="buyer"))
    domain = deposits_domain(31_337, DEPOSITS)
    typed = refund_typed_data(ORDER, expiry=EXPIRY, domain=domain)
    assert typed["domain"]["name"] == "KamengDeposits"
    assert typed["message"] == {"orderId": ORDER, "expiry": EXPIRY}
    will = sign_refund(account, ORDER, expiry=EXPIRY, domain=domain)
    assert will.expiry == EXPIRY
    digest = refund_digest(ORDER, expiry=EXPIRY, domain=domain)
    assert recovered(digest, will.signature) == account.address
    message = encode_typed_data(full_message=typed)
    assert digest == "0x" + keccak(b"\x19\x01" + message.header + message.body).hex()


@pytest.mark.parametrize("expiry", [-1, 2**40, 1.5])
def test_an_expiry_that_no_contract_could_read_is_refused(expiry: int) -> None:
    with pytest.raises(Malformed):
        refund_digest(ORDER, expiry=expiry, domain=deposits_domain(1, DEPOSITS))


@pytest.mark.parametrize(
    ("balance", "state", "waiting", "missing", "returnable"),
    [
        (0, State.Nothing, True, 100, 0),
        (99, State.Nothing, True, 1, 0),
        (100, State.Nothing, True, 0, 0),
        (130, State.Nothing, True, 0, 30),
        (130, State.Nothing, False, 0, 130),
        (99, State.Nothing, False, 0, 99),
        (5, State.Opened, True, 0, 5),
        (0, State.Closed, True, 0, 0),
    ],
)
def test_what_is_missing_and_what_may_go_back(
    balance: int, state: State, waiting: bool, missing: int, returnable: int
) -> None:
    found = Deposit(
        order_id=ORDER,
        address=DEPOSITS,
        token="0x" + "00" * 20,
        price=100,
        balance=balance,
        state=state,
        waiting=waiting,
    )
    assert (found.missing, found.returnable) == (missing, returnable)
