"""A deployed escrow and everybody who uses it through the SDK."""

from dataclasses import dataclass
from typing import Any

from kameng_escrow.chain.artifacts import Artifact, load_artifact
from kameng_escrow.chain.deploy import deploy, deploy_artifact
from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.nodes import LocalNode
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import State

MINUTE, HOUR, DAY = 60, 3_600, 86_400
PRICE = 100_000_007  # base units; a prime, so that every division has a rest
UNITS = 10
COMMITMENT = "0x" + "c0" * 32
EVIDENCE = "0x" + "e1" * 32
GROUNDS = "0x" + "91" * 32


@dataclass(frozen=True, kw_only=True)
class Cast:
    """One client for each role, all over one connection, and a policy with every share in it."""

    node: LocalNode
    deployment: Deployment
    reader: EscrowClient
    platform: EscrowClient
    mediator: EscrowClient
    backup: EscrowClient
    seller: EscrowClient
    buyer: EscrowClient
    operator: EscrowClient
    stranger: EscrowClient
    token: str  # 6 decimals; its issuer, the platform's account, can block accounts
    policy_id: str

    def terms(self, **overrides: Any) -> OrderTerms:
        """Terms that can be opened."""
        wanted = {
            "seller": self.seller.address,
            "price": PRICE,
            "units": UNITS,
            "policy_id": self.policy_id,
            **overrides,
        }
        return self.buyer.terms(**wanted)

    def order(self, state: State = State.Opened, **overrides: Any) -> OrderTerms:
        """The terms of an order that has come to an open state."""
        terms = self.terms(**overrides)
        self.buyer.open(terms)
        if state >= State.Accepted:
            self.seller.accept(terms)
        if state >= State.Delivered:
            self.seller.deliver(terms, commitment=COMMITMENT)
        if state >= State.Disputed:
            self.buyer.dispute(terms, units=3, evidence=EVIDENCE)
        return terms

    def state(self, terms: OrderTerms) -> State:
        """Where the order stands."""
        return self.reader.status(self.reader.order_id(terms)).state

    def lapse(self, terms: OrderTerms) -> None:
        """Lets time pass until the order is due."""
        deadline = self.reader.status(self.reader.order_id(terms)).deadline
        assert deadline is not None
        self.node.warp(deadline)

    def to_mediation(self, terms: OrderTerms) -> None:
        """Lets time pass until the mediator's half begins."""
        deadline = self.reader.status(self.reader.order_id(terms)).deadline
        assert deadline is not None
        self.node.warp(deadline - self.policy.mediate_window)

    @property
    def policy(self) -> Policy:
        """As registered."""
        return self.reader.policy(self.policy_id).policy

    def call_token(self, function: str, *arguments: Any, token: str | None = None, sender: int = 0) -> None:
        """A call of a local token that no client makes: mint, block."""
        call_contract(
            self.node, token or self.token, load_artifact("BlockingToken"), function, *arguments, sender=sender
        )


def make_policy(platform: str, mediator: str, backup: str) -> Policy:
    """A policy with every share in it. All windows differ."""
    return Policy(
        platform=platform,
        accept_window=10 * MINUTE,
        deliver_window=20 * MINUTE,
        inspect_window=24 * HOUR,
        negotiate_window=12 * HOUR,
        mediate_window=48 * HOUR,
        platform_fee_bps=125,
        cancel_fee_bps=500,
        seller_bond_bps=3_000,
        dispute_bond_bps=1_500,
        mediation_fee_bps=300,
        silence_share_bps=4_000,
        mediator=mediator,
        backup_mediator=backup,
        fee_receiver=platform,
        effective_from=0,
    )


def make_cast(node: LocalNode) -> Cast:
    """Deploys everything and hands out money."""
    accounts = node.accounts
    deployment = deploy(node.w3, accounts[0])
    token = deploy_artifact(node.w3, accounts[0], "BlockingToken", "Test Dollar", "TUSD", 6)
    reader = EscrowClient(node=node, contract=deployment)
    platform, mediator, backup, seller, buyer, operator, stranger = (
        reader.acting_as(account) for account in accounts[:7]
    )
    receipt = platform.register_policy(make_policy(platform.address, mediator.address, backup.address))
    cast = Cast(
        node=node,
        deployment=deployment,
        reader=reader,
        platform=platform,
        mediator=mediator,
        backup=backup,
        seller=seller,
        buyer=buyer,
        operator=operator,
        stranger=stranger,
        token=token,
        policy_id=receipt.policy_id,
    )
    for client in (seller, buyer, stranger):
        cast.call_token("mint", client.address, 10**15)
    for coin in (NATIVE, token):
        seller.fund_bond(amount=10**12, token=coin)
    return cast


def deploy_code(node: LocalNode, artifact: Artifact, *arguments: Any, sender: int = 0) -> str:
    """Deploys any compiled contract, test doubles too."""
    contract = node.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    sent = contract.constructor(*arguments).transact({"from": node.accounts[sender].address})
    address = node.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)["contractAddress"]
    assert address is not None
    return str(address)


def call_contract(
    node: LocalNode, address: str, artifact: Artifact, function: str, *arguments: Any, sender: int = 0, value: int = 0
) -> None:
    """A transaction to any contract."""
    contract = node.w3.eth.contract(address=node.w3.to_checksum_address(address), abi=artifact.abi)
    call = contract.functions[function](*arguments)
    sent = call.transact({"from": node.accounts[sender].address, "value": node.w3.to_wei(value, "wei")})
    assert node.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)["status"] == 1
