"""The contract on an EVM in this process, asked as plainly as can be: to hold the pure code against it."""

from dataclasses import astuple, dataclass, fields
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from kameng_escrow.chain.artifacts import load_artifact
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.refusals import Refusal
from kameng_escrow.domain.reverts import decode_refusal
from kameng_escrow.domain.signed import Action
from kameng_escrow.domain.typed_data import Domain
from tests.contracts.harness.evm import Evm, Reverted
from tests.unit.made import ADDRESSES

TERMS = "(address,address,address,address,address,uint128,uint16,bytes32,bytes32,uint40,bytes32)"
POLICY = f"(address{5 * ',uint32'}{6 * ',uint16'}{3 * ',address'},uint40)"
OFFER = "(address,uint40,bytes)"
SPLIT = "(uint8,uint16,uint24,uint256,uint40)"
ACTION = "(uint8,uint8,uint8,address,uint256,bytes32,uint40)"


@dataclass
class Escrow:
    """The contract itself, on an EVM in this process."""

    evm: Evm
    address: str

    @property
    def domain(self) -> Domain:
        return Domain(self.evm.chain_id, self.address)

    def ask(self, name: str, kinds: list[str], values: list[Any], *, sender: str = ADDRESSES[8]) -> Refusal | bytes:
        """What a call answers, without leaving a trace; a refusal if that is what it is."""
        data = keccak(text=f"{name}({','.join(kinds)})")[:4] + encode(kinds, values)
        try:
            return self.evm.call(sender=sender, to=self.address, data=data).returned
        except Reverted as reverted:
            return decode_refusal(reverted.data)

    def do(self, name: str, kinds: list[str], values: list[Any], *, sender: str, value: int = 0) -> None:
        data = keccak(text=f"{name}({','.join(kinds)})")[:4] + encode(kinds, values)
        self.evm.transact(sender=sender, to=self.address, data=data, value=value)

    def register(self, policy: Policy, review_by: int) -> Refusal | str:
        """The id, or why not."""
        answer = self.ask("registerPolicy", [POLICY, "uint40"], [astuple(policy), review_by], sender=policy.platform)
        return answer if isinstance(answer, Refusal) else "0x" + answer.hex()


def deploy() -> Escrow:
    evm = Evm()
    created = evm.transact(sender=ADDRESSES[8], data=bytes.fromhex(load_artifact("KamengEscrow").bytecode[2:])).created
    return Escrow(evm, created)


def terms_words(terms: OrderTerms) -> tuple[Any, ...]:
    """Terms as the ABI takes them."""
    hashes = {"policy_id", "listing", "salt"}
    return tuple(
        bytes.fromhex(getattr(terms, field.name)[2:]) if field.name in hashes else getattr(terms, field.name)
        for field in fields(terms)
    )


def action_words(action: Action) -> tuple[Any, ...]:
    """An action as the ABI takes it: its expiry last."""
    content = bytes.fromhex(action.content[2:])
    return (action.verb, action.state, action.role, action.signer, action.number, content, action.expiry)
