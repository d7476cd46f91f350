"""An order and its deposit address."""

from dataclasses import dataclass
from typing import Any

from eth_account.messages import encode_typed_data
from eth_utils import keccak, to_checksum_address

from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.states import State
from tests.contracts.harness.abi import Contract
from tests.contracts.harness.cast import CAST, KEYS
from tests.contracts.harness.evm import Receipt
from tests.contracts.harness.signing import digest, sign
from tests.contracts.harness.world import Order, World

# As contracts/periphery/Vault.sol spells it; the maker's address stands between the two.
BEFORE_MAKER = bytes.fromhex("603d8060095f395ff3" + "3373")
AFTER_MAKER = bytes.fromhex("18603b57604036038060405f375f5f915f6020355f355af13d5f5f3e5f3d91603957fd5bf35b00")


def deposit_address(deposits: str, order_id: str) -> str:
    """As EIP-1014 has it, apart from the package's own arithmetic."""
    code = BEFORE_MAKER + bytes.fromhex(deposits[2:]) + AFTER_MAKER
    seed = b"\xff" + bytes.fromhex(deposits[2:]) + bytes.fromhex(order_id[2:]) + keccak(code)
    return to_checksum_address(keccak(seed)[12:])


@dataclass(repr=False)
class DepositOrder:
    world: World
    deposits: Contract
    order: Order

    @property
    def terms(self) -> OrderTerms:
        return self.order.terms

    @property
    def id(self) -> str:
        return self.order.id

    @property
    def address(self) -> str:
        return deposit_address(self.deposits.address, self.id)

    @property
    def state(self) -> State:
        return State(self.order.status.state)

    def receive(self, amount: int, coin: str | None = None, sender: str = CAST["payer"]) -> Receipt:
        """A plain transfer to the deposit address, of the order's coin unless told otherwise."""
        coin = self.terms.token if coin is None else coin
        if coin == NATIVE:
            return self.world.evm.transact(sender=sender, to=self.address, value=amount)
        token = Contract(self.world.evm, coin, self.world.token.abi)
        receipt: Receipt = token.transfer(self.address, amount, sender=sender)
        return receipt

    def balance(self, coin: str | None = None) -> int:
        return self.world.balance(self.terms.token if coin is None else coin, self.address)

    def offer(self, **overrides: Any) -> Offer:
        """The seller's, its bond funded."""
        self.world.fund_bond(self.order)
        return self.world.offer(self.order, **overrides)

    def sign_terms(self, signer: str = CAST["buyer"]) -> bytes:
        return sign(self.world.typed_data.terms(self.terms), KEYS[signer])

    def _refund(self, expiry: int, **domain: Any) -> Any:
        return encode_typed_data(
            {
                "name": "KamengDeposits",
                "version": "1",
                "chainId": self.world.evm.chain_id,
                "verifyingContract": self.deposits.address,
                **domain,
            },
            {"Refund": [{"name": "orderId", "type": "bytes32"}, {"name": "expiry", "type": "uint40"}]},
            {"orderId": self.id, "expiry": expiry},
        )

    def sign_refund(self, expiry: int, signer: str = CAST["buyer"], **domain: Any) -> bytes:
        return sign(self._refund(expiry, **domain), KEYS[signer])

    def refund_digest(self, expiry: int) -> str:
        return digest(self._refund(expiry))
