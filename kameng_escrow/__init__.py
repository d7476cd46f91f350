"""Escrow for game-card orders: the contract's Python side.

Everything that most callers need is here by name; it is loaded when it is first asked for, so that importing the
package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from kameng_escrow.chain.anvil import AnvilNode
    from kameng_escrow.chain.deploy import deploy, deploy_artifact
    from kameng_escrow.chain.deployments import Deployment, load_deployment, save_deployment, verify_deployment
    from kameng_escrow.chain.errors import (
        ChainError,
        DeploymentError,
        InsufficientFunds,
        InvalidInput,
        NodeError,
        NodeTimeout,
        NodeUnreachable,
        TransactionError,
        TransactionReverted,
        TransactionTimeout,
        WrongChain,
    )
    from kameng_escrow.chain.evm import Clock
    from kameng_escrow.chain.in_process import InProcessNode
    from kameng_escrow.chain.nodes import LocalNode, Node, RpcNode
    from kameng_escrow.chain.sender import wallet_json
    from kameng_escrow.client import (
        AsyncEscrowClient,
        Deposit,
        EscrowClient,
        OrderStatus,
        Receipt,
        RegisteredPolicy,
        UnknownOrder,
    )
    from kameng_escrow.domain import (
        NATIVE,
        NO_CANCEL,
        ZERO_ADDRESS,
        Action,
        Fault,
        Logged,
        Malformed,
        NextAction,
        Offer,
        OperatorGrant,
        Order,
        OrderTerms,
        Outcome,
        Payment,
        PaymentMethod,
        Policy,
        Refusal,
        Right,
        Role,
        Shares,
        Split,
        State,
        Verb,
        check_policy,
        order_id,
        policy_id,
        recommended_policy,
    )
    from kameng_escrow.domain.deposits import DepositRefund, deposit_address
    from kameng_escrow.errors import EscrowError
    from kameng_escrow.webhooks import WebhookEvent, WebhookReceiver, WebhookRefused, new_secret, signed_headers

_HOMES = {
    "chain.anvil": "AnvilNode",
    "chain.deploy": "deploy deploy_artifact",
    "chain.deployments": "Deployment load_deployment save_deployment verify_deployment",
    "chain.errors": "ChainError DeploymentError InsufficientFunds InvalidInput NodeError NodeTimeout NodeUnreachable "
    "TransactionError TransactionReverted TransactionTimeout WrongChain",
    "chain.evm": "Clock",
    "chain.in_process": "InProcessNode",
    "chain.nodes": "LocalNode Node RpcNode",
    "chain.sender": "wallet_json",
    "client": "AsyncEscrowClient Deposit EscrowClient OrderStatus Receipt RegisteredPolicy UnknownOrder",
    "domain.deposits": "DepositRefund deposit_address",
    "domain": "NATIVE NO_CANCEL ZERO_ADDRESS Action Fault Logged Malformed NextAction Offer OperatorGrant Order "
    "OrderTerms Outcome Payment PaymentMethod Policy Refusal Right Role Shares Split State Verb check_policy order_id "
    "policy_id recommended_policy",
    "errors": "EscrowError",
    "webhooks": "WebhookEvent WebhookReceiver WebhookRefused new_secret signed_headers",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [  # a literal, for whoever reads or checks without running
    "NATIVE",
    "NO_CANCEL",
    "ZERO_ADDRESS",
    "Action",
    "AnvilNode",
    "AsyncEscrowClient",
    "ChainError",
    "Clock",
    "Deployment",
    "DeploymentError",
    "Deposit",
    "DepositRefund",
    "EscrowClient",
    "EscrowError",
    "Fault",
    "InProcessNode",
    "InsufficientFunds",
    "InvalidInput",
    "LocalNode",
    "Logged",
    "Malformed",
    "NextAction",
    "Node",
    "NodeError",
    "NodeTimeout",
    "NodeUnreachable",
    "Offer",
    "OperatorGrant",
    "Order",
    "OrderStatus",
    "OrderTerms",
    "Outcome",
    "Payment",
    "PaymentMethod",
    "Policy",
    "Receipt",
    "Refusal",
    "RegisteredPolicy",
    "Right",
    "Role",
    "RpcNode",
    "Shares",
    "Split",
    "State",
    "TransactionError",
    "TransactionReverted",
    "TransactionTimeout",
    "UnknownOrder",
    "Verb",
    "WebhookEvent",
    "WebhookReceiver",
    "WebhookRefused",
    "WrongChain",
    "__version__",
    "check_policy",
    "deploy",
    "deploy_artifact",
    "deposit_address",
    "load_deployment",
    "new_secret",
    "order_id",
    "policy_id",
    "recommended_policy",
    "save_deployment",
    "signed_headers",
    "verify_deployment",
    "wallet_json",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
