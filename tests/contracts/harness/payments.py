"""What payers sign to pay: EIP-2612 permits, EIP-3009 authorizations, Permit2 transfers with the order as witness.
Made with eth_account's own EIP-712, from the standards' type strings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_abi import encode
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.states import Verb
from tests.contracts.harness.abi import Contract, deploy
from tests.contracts.harness.cast import CAST, KEYS
from tests.contracts.harness.signing import ORDER_TERMS, sign
from tests.contracts.harness.world import DAY, MAX_UINT256, WEALTH, Order, World

PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
NO_OFFER = Offer(expiry=0, signature=b"")
TOKEN_NAME = "Authorized dollar"

PERMIT = "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline"
RECEIVE = "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce"
TOKEN_PERMISSIONS = "address token,uint256 amount"
WITNESS_TRANSFER = "TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,OrderTerms witness"


@dataclass(repr=False)
class Payments:
    """Signs with the cast's keys. What is left out is right for the order and lives a day."""

    world: World
    token: Contract
    permit2: Contract

    @classmethod
    def create(cls, world: World, compiled: Callable[[str], Artifact]) -> "Payments":
        """The cast has plenty of the token; the escrow has nobody's allowance, Permit2 everybody's."""
        token = deploy(world.evm, compiled("AuthorizedToken"), TOKEN_NAME, "AUSD", 6, sender=CAST["stranger"])
        double = deploy(world.evm, compiled("Permit2Double"), sender=CAST["stranger"])
        world.evm.set_code(PERMIT2, world.evm.code(double.address))
        for address in CAST.values():
            token.mint(address, WEALTH, sender=address)
            token.approve(PERMIT2, MAX_UINT256, sender=address)
        return cls(world, token, Contract(world.evm, PERMIT2, double.abi))

    def order(self, **overrides: Any) -> Order:
        """An order in the token that is not open, its bond funded."""
        order = self.world.order(token=self.token.address, **overrides)
        bond, seller = order.sums.B, CAST["seller"]
        self.token.approve(self.world.escrow.address, bond, sender=seller)
        self.world.escrow.fundBond(order.terms.seller, self.token.address, bond, sender=seller)
        return order

    @property
    def deadline(self) -> int:
        return self.world.evm.now + DAY

    def permit(self, owner: str, value: int, *, signer: str | None = None, **overrides: Any) -> bytes:
        message = {
            "owner": owner,
            "spender": self.world.escrow.address,
            "value": value,
            "nonce": self.token.nonces(owner),
            "deadline": self.deadline,
            **overrides,
        }
        return self._sign(self._token_domain, {"Permit": PERMIT}, message, signer or owner)

    def authorization(
        self, payer: str, value: int, nonce: str, *, signer: str | None = None, **overrides: Any
    ) -> bytes:
        message = {
            "from": payer,
            "to": self.world.escrow.address,
            "value": value,
            "validAfter": 0,
            "validBefore": self.deadline,
            "nonce": nonce,
            **overrides,
        }
        return self._sign(self._token_domain, {"ReceiveWithAuthorization": RECEIVE}, message, signer or payer)

    def transfer(self, payer: str, terms: OrderTerms, *, signer: str | None = None, **overrides: Any) -> bytes:
        """By Permit2."""
        witness = [getattr(terms, name) for name in terms.__slots__]
        names = [field.split(" ")[1] for field in ORDER_TERMS.split(",")]
        message = {
            "permitted": {"token": terms.token, "amount": terms.price},
            "spender": self.world.escrow.address,
            "nonce": 0,
            "deadline": self.deadline,
            "witness": dict(zip(names, witness, strict=True)),
            **overrides,
        }
        domain = {"name": "Permit2", "chainId": self.world.evm.chain_id, "verifyingContract": PERMIT2}
        types = {
            "PermitWitnessTransferFrom": WITNESS_TRANSFER,
            "TokenPermissions": TOKEN_PERMISSIONS,
            "OrderTerms": ORDER_TERMS,
        }
        return self._sign(domain, types, message, signer or payer)

    def receive(self, payer: str, value: int, nonce: str, v: int, r: bytes, s: bytes, *, sender: str) -> None:
        """Brings an authorization straight to the token."""
        name = "receiveWithAuthorization"
        [entry] = [one for one in self.token.abi if one.get("name") == name and len(one["inputs"]) == 9]
        token = Contract(self.world.evm, self.token.address, [entry])
        escrow = self.world.escrow.address
        token.receiveWithAuthorization(payer, escrow, value, 0, self.deadline, nonce, v, r, s, sender=sender)

    @property
    def _token_domain(self) -> dict[str, Any]:
        return {
            "name": TOKEN_NAME,
            "version": "1",
            "chainId": self.world.evm.chain_id,
            "verifyingContract": self.token.address,
        }

    def _sign(self, domain: dict[str, Any], types: dict[str, str], message: dict[str, Any], signer: str) -> bytes:
        described = {
            name: [dict(zip(("type", "name"), field.split(" "), strict=True)) for field in fields.split(",")]
            for name, fields in types.items()
        }
        return sign(encode_typed_data(domain, described, message), KEYS[signer])


def dispute_nonce(order: Order) -> str:
    """Under which a buyer authorizes the dispute bond."""
    words = encode(["bytes32", "uint8"], [bytes.fromhex(order.id[2:]), int(Verb.Dispute)])
    return "0x" + keccak(words).hex()


def unsigned(offer: Offer) -> Offer:
    """The same, as nobody signed it."""
    return Offer(operator=ZERO_ADDRESS, expiry=offer.expiry, signature=b"")
