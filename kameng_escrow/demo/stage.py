"""The demo's world: who takes part, in what they pay, under which rules."""

from dataclasses import dataclass, replace
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.artifacts import load_artifact
from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.deploy import deploy, deploy_artifact
from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.dev_accounts import dev_account
from kameng_escrow.chain.errors import NodeRefused
from kameng_escrow.chain.nodes import LocalNode, RpcNode
from kameng_escrow.chain.sender import Sender
from kameng_escrow.chain.steps import run
from kameng_escrow.client import EscrowClient
from kameng_escrow.client.results import Receipt
from kameng_escrow.domain.events import PolicyRegistered
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.policy import ZERO_ADDRESS, Policy
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import Right
from kameng_escrow.errors import EscrowError

MINUTE, HOUR, DAY = 60, 3600, 86_400
COIN_DECIMALS, TOKEN_DECIMALS = 18, 6
PLENTY = 10**12 * 10**TOKEN_DECIMALS  # what everybody lets the escrow pull, so that no order needs an approval
BONDS = {NATIVE: 3 * 10**18, "token": 2_000 * 10**TOKEN_DECIMALS}  # base units, each seller's


class UnsuitableNode(EscrowError):
    """The demo needs a development chain: one whose clock it may move, with the well-known funded accounts."""

    code = "unsuitable_node"

    def __init__(self, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.message_zh = message_zh


class RemoteDevNode(RpcNode, LocalNode):
    """A development node behind a URL (Anvil, Hardhat, `kameng node`): its clock can be moved, its keys are known."""

    def __init__(self, url: str, *, timeout_seconds: float = 30) -> None:
        super().__init__(url, timeout_seconds=timeout_seconds)
        self.accounts = tuple(dev_account(index) for index in range(10))

    def require_suitable(self) -> None:
        """Raises `UnsuitableNode` where the demo could not work, before anything is sent."""
        try:
            self.warp(self.now() + 1)
        except NodeRefused as error:
            raise UnsuitableNode(
                "The demo moves the chain's clock, and this node does not let it: name a development node, or none.",
                "演示需要拨动链上的时钟，而这个节点不允许：请换一个开发节点，或者不指定节点。",
            ) from error
        for account in self.accounts:
            if self.w3.eth.get_balance(account.address) < 100 * 10**18:
                raise UnsuitableNode(
                    f"The well-known development account {account.address} has no coins here: name a development node.",
                    f"众所周知的开发账户 {account.address} 在这条链上没有钱：请换一个开发节点。",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who takes part. All but the last hold the keys of the node's development accounts."""

    platform: LocalAccount
    mediator: LocalAccount
    backup: LocalAccount
    sellers: tuple[LocalAccount, LocalAccount]
    buyers: tuple[LocalAccount, LocalAccount, LocalAccount]  # the third has a key and nothing else
    bot: LocalAccount  # accepts and delivers for the second seller
    relayer: LocalAccount
    passerby: LocalAccount  # settles what is due: anyone may


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The world, ready for orders."""

    node: LocalNode
    deployment: Deployment
    client: EscrowClient  # reads
    cast: Cast
    token: str  # a 6-decimal token whose issuer (the platform's key) can block accounts
    mediated: str  # the policy's id
    unmediated: str  # a policy without a mediator

    def now(self) -> int:
        """The chain's clock, Unix seconds."""
        return self.node.now()

    def warp(self, to: int) -> None:
        """Lets time pass on the chain until the Unix second `to`."""
        if to > self.now():
            self.node.warp(to)

    def as_(self, account: LocalAccount) -> EscrowClient:
        """The client, acting as somebody."""
        return self.client.acting_as(account)

    def set_blocked(self, account: str, blocked: bool) -> None:
        """The token's issuer blocks an account, or lets it go."""
        call_contract(self.node, self.cast.platform, "BlockingToken", self.token, "setBlocked", account, blocked)


def build(node: LocalNode) -> Stage:
    """Deploys, registers policies, hands out tokens, funds bonds. Raises `EscrowError`."""
    accounts = node.accounts
    cast = Cast(
        platform=accounts[0],
        mediator=accounts[1],
        backup=accounts[2],
        sellers=(accounts[3], accounts[4]),
        buyers=(accounts[5], accounts[6], Account.create()),
        bot=accounts[7],
        relayer=accounts[8],
        passerby=accounts[9],
    )
    # An escrow of its own: one that others use too would not let the books be closed, nor the policies be new.
    deployment = deploy(node.w3, cast.platform, escrow=deploy_artifact(node.w3, cast.platform, "KamengEscrow"))
    token = deploy_artifact(node.w3, cast.platform, "BlockingToken", "Test USDT", "USDT", TOKEN_DECIMALS)
    client = EscrowClient(node=node, contract=deployment)
    platform = client.acting_as(cast.platform)
    rules = mediated_policy(cast)
    stage = Stage(
        node=node,
        deployment=deployment,
        client=client,
        cast=cast,
        token=token,
        mediated=_registered(platform.register_policy(rules)),
        unmediated=_registered(platform.register_policy(unmediated_policy(rules))),
    )
    _hand_out(stage)
    return stage


def mediated_policy(cast: Cast) -> Policy:
    """What a platform would use for orders of 10 to 500 yuan."""
    return Policy(
        platform=cast.platform.address,
        accept_window=30 * MINUTE,
        deliver_window=HOUR,
        inspect_window=DAY,
        negotiate_window=DAY,
        mediate_window=2 * DAY,
        platform_fee_bps=100,
        cancel_fee_bps=200,
        seller_bond_bps=2_500,
        dispute_bond_bps=1_500,
        mediation_fee_bps=300,
        silence_share_bps=4_000,
        mediator=cast.mediator.address,
        backup_mediator=cast.backup.address,
        fee_receiver=cast.platform.address,
        effective_from=0,
    )


def unmediated_policy(policy: Policy) -> Policy:
    """The same rules without anybody to rule."""
    return replace(policy, mediator=ZERO_ADDRESS, backup_mediator=ZERO_ADDRESS, mediate_window=0, mediation_fee_bps=0)


def _hand_out(stage: Stage) -> None:
    cast = stage.cast
    for account in (*cast.sellers, *cast.buyers[:2], cast.relayer):
        some = 10_000 * 10**TOKEN_DECIMALS
        call_contract(stage.node, cast.platform, "BlockingToken", stage.token, "mint", account.address, some)
        stage.as_(account).approve(stage.token, amount=PLENTY)
    for seller in cast.sellers:
        acting = stage.as_(seller)
        acting.fund_bond(amount=BONDS[NATIVE])
        acting.fund_bond(amount=BONDS["token"], token=stage.token, approve=False)
    grant = OperatorGrant(
        rights=Right.Accept | Right.Deliver, expiry=stage.now() + 300 * DAY, max_price=500 * 10**TOKEN_DECIMALS
    )
    stage.as_(cast.sellers[1]).set_operator(cast.bot.address, policy_id=stage.mediated, token=stage.token, grant=grant)


def _registered(receipt: Receipt) -> str:
    return next(logged.event.policy_id for logged in receipt.events if isinstance(logged.event, PolicyRegistered))


def call_contract(
    node: LocalNode, account: LocalAccount, artifact: str, address: str, function: str, *arguments: Any
) -> None:
    """Calls a packaged contract other than the escrow, such as a test token, and waits. Raises what sending raises."""
    contract = node.w3.eth.contract(address=node.w3.to_checksum_address(address), abi=load_artifact(artifact).abi)
    data = bytes.fromhex(contract.encode_abi(function, list(arguments))[2:])
    sender = Sender(account, chain_id=node.w3.eth.chain_id)
    run(sender.send(Call(to=address, data=data)), Connection(node.w3))
