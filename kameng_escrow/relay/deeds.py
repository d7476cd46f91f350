"""What an account may do beside orders, and with what: bonds, credits, fees, operators, policies, deposit addresses."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from kameng_escrow.chain.sender import UnsignedTransaction
from kameng_escrow.client import EscrowClient
from kameng_escrow.client.operations import Write
from kameng_escrow.domain.labels import Label


class Deed(StrEnum):
    """Something that an account does beside orders. The value is the SDK's method."""

    FundBond = "fund_bond"
    WithdrawBond = "withdraw_bond"
    RegisterPayTo = "register_pay_to"
    SetOperator = "set_operator"
    PayCredit = "pay_credit"
    WithdrawCredit = "withdraw_credit"
    ClaimFees = "claim_fees"
    RegisterPolicy = "register_policy"
    ReviewPolicy = "review_policy"
    RetirePolicy = "retire_policy"
    ApprovePermit2 = "approve_permit2"
    Revise = "revise"  # before the opening: of an open order it is a move
    OpenFromDeposit = "open_from_deposit"
    RefundDeposit = "refund_deposit"
    SweepDeposit = "sweep_deposit"


OPERATIONS: Final[Mapping[Deed, Write[...]]] = MappingProxyType(
    {
        Deed.FundBond: EscrowClient.fund_bond,
        Deed.WithdrawBond: EscrowClient.withdraw_bond,
        Deed.RegisterPayTo: EscrowClient.register_pay_to,
        Deed.SetOperator: EscrowClient.set_operator,
        Deed.PayCredit: EscrowClient.pay_credit,
        Deed.WithdrawCredit: EscrowClient.withdraw_credit,
        Deed.ClaimFees: EscrowClient.claim_fees,
        Deed.RegisterPolicy: EscrowClient.register_policy,
        Deed.ReviewPolicy: EscrowClient.review_policy,
        Deed.RetirePolicy: EscrowClient.retire_policy,
        Deed.ApprovePermit2: EscrowClient.approve_permit2,
        Deed.Revise: EscrowClient.revise,
        Deed.OpenFromDeposit: EscrowClient.open_from_deposit,
        Deed.RefundDeposit: EscrowClient.refund_deposit,
        Deed.SweepDeposit: EscrowClient.sweep_deposit,
    }
)

CONSEQUENCES: Final[Mapping[Deed, Label]] = MappingProxyType(
    {
        Deed.FundBond: Label(
            "The amount leaves the account for the seller's bond balance, of which accepting an order locks a part.",
            "这笔钱从账户转入卖家的保证金余额，接单时从中锁定。",
        ),
        Deed.WithdrawBond: Label(
            "The amount leaves the account's bond balance; what is locked in orders stays.",
            "这笔钱从账户的保证金余额取出；订单锁定的部分不动。",
        ),
        Deed.RegisterPayTo: Label(
            "No money moves. Operators may from now on act only on orders that pay this address.",
            "不动款项。此后操作员只能处理收款到这个地址的订单。",
        ),
        Deed.SetOperator: Label(
            "No money moves. The operator may do what is granted with the account's orders of this token and policy, "
            "and refund them where that is among it.",
            "不动款项。操作员可以对账户在此代币和规则下的订单做所授权的事；含退款权就可以退款。",
        ),
        Deed.PayCredit: Label(
            "What the account is owed is paid to it once more; anyone may try.",
            "把欠这个账户的钱再付一次；任何人都可以试。",
        ),
        Deed.WithdrawCredit: Label(
            "What the account is owed is paid to the address that it names.",
            "把欠这个账户的钱付到它指定的地址。",
        ),
        Deed.ClaimFees: Label(
            "The policy's fees are paid to its fee receiver; anyone may do it.",
            "把这份规则的手续费付给它的收款地址；任何人都可以。",
        ),
        Deed.RegisterPolicy: Label(
            "No money moves. The rules can never be changed; the account is their platform.",
            "不动款项。规则登记后永远不能改；账户就是它的平台。",
        ),
        Deed.ReviewPolicy: Label(
            "No money moves. New orders may be opened under the policy up to the new date.",
            "不动款项。新的复审期限之前可以按这份规则下单。",
        ),
        Deed.RetirePolicy: Label(
            "No money moves. No new order is opened under the policy, for ever; open ones go on.",
            "不动款项。这份规则永远不再接受新订单；进行中的照常。",
        ),
        Deed.ApprovePermit2: Label(
            "No money moves. Permit2 may take the token from the account wherever the account signs for it.",
            "不动款项。凡账户签名授权，Permit2 就可以从中转走这种代币。",
        ),
        Deed.Revise: Label(
            "No money moves. Every offer that the seller signed for these terms is void.",
            "不动款项。卖家为这份条款签过的报价全部作废。",
        ),
        Deed.OpenFromDeposit: Label("The price goes from the deposit address into escrow.", "货款从收款地址进入托管。"),
        Deed.RefundDeposit: Label(
            "All of the order's token at the deposit address goes to the refund address.",
            "收款地址上这笔订单的币全部退到退款地址。",
        ),
        Deed.SweepDeposit: Label(
            "What lies at the deposit address and does not wait for the order goes to the refund address.",
            "收款地址上不等这笔订单的钱退到退款地址。",
        ),
    }
)


def prepare_deed(client: EscrowClient, deed: Deed, *values: Any, **given: Any) -> tuple[UnsignedTransaction, ...]:
    """The transactions of a deed for the client's account, an allowance first where it takes one; the last is tried.

    The arguments are those of the SDK's method, and so is what is raised.
    """
    return client.prepare(OPERATIONS[deed], *values, **given)
