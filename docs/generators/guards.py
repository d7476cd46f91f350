"""What operations refuse, in the order in which the contract checks it."""

from dataclasses import dataclass

from .text import Text


@dataclass(frozen=True, slots=True)
class Guard:
    """Refused with `error` when `when`."""

    error: str
    when: Text


def guard(error: str, zh: str, en: str) -> Guard:
    return Guard(error, Text(zh, en))


Guards = tuple[Guard, ...]

TERMS: Guards = (
    guard("WrongState", "这个编号下已经有过订单", "an order was already opened under this id"),
    guard(
        "InvalidAddress",
        "buyer 为零地址或等于 seller；seller 为零地址；refundTo 或 payTo 为零地址、托管合约或代币合约",
        "buyer is zero or the seller; seller is zero; refundTo or payTo is zero, the escrow or the token",
    ),
    guard("PriceOutOfRange", "price 为零，或不小于 2¹²⁷", "price is zero, or 2¹²⁷ or more"),
    guard("UnitsOutOfRange", "units 为零", "units is zero"),
    guard("TooLate", "t > openBy（参数是 openBy + 1）", "t > openBy (the argument is openBy + 1)"),
    guard("PolicyUnknown", "规则没有登记过", "the policy is not registered"),
    guard("PolicyIsRetired", "规则已停用", "the policy is retired"),
    guard("PolicyNotEffective", "t < effectiveFrom", "t < effectiveFrom"),
    guard("PolicyReviewOverdue", "t > reviewBy", "t > reviewBy"),
)

OFFER: Guards = (
    guard("Expired", "报价已到期：t ≥ offer.expiry", "the offer has expired: t ≥ offer.expiry"),
    guard(
        "NoRight",
        "报价由操作员签署，而他没有 ACCEPT 权限",
        "an operator signed the offer and lacks ACCEPT",
    ),
    guard("Expired", "该操作员的授权已到期", "that operator's grant has expired"),
    guard("PriceAboveGrant", "price 超过授权的 maxPrice", "price is above the grant's maxPrice"),
    guard(
        "PayToNotRegistered",
        "payTo 不是卖家登记的收款地址",
        "payTo is not the seller's registered address",
    ),
    guard(
        "InvalidSignature",
        "签名者不对，或签的不是这个编号、当前修订号和到期时间",
        "not signed by that account over this id, the current revision and the expiry",
    ),
    guard("BondShort", "卖家保证金余额不够锁定", "the seller's bond balance does not cover the bond"),
)
OPENING: Guards = (*TERMS, *OFFER)

PULL: Guards = (
    guard(
        "WrongValue",
        "随调用转入的原生币不等于应付数额（付代币时应为零）",
        "the native coin sent is not exactly what is due (zero where a token is paid)",
    ),
    guard(
        "ReentrancyGuardReentrantCall",
        "代币在转账途中回调托管合约",
        "the token calls back into the escrow while it moves money",
    ),
    guard("TokenHasNoCode", "代币地址上没有合约", "there is no contract at the token's address"),
    guard(
        "PullFailed",
        "代币拒绝转入：授权额度不够、余额不足或被列入黑名单",
        "the token refuses: allowance, balance or a block list",
    ),
    guard(
        "WrongAmountReceived",
        "实际到账与应付不符（转账收费的代币）",
        "another amount arrives (a token with a fee on transfers)",
    ),
)

SIGNED_PULL: Guards = (
    PULL[1],
    guard(
        "TokenHasNoCode",
        "代币地址上没有合约（包括零地址，即原生币），或本链没有 Permit2",
        "there is no contract at the token's address (zero, the native coin, included), or no Permit2 on this chain",
    ),
    guard(
        "PullFailed",
        "代币或 Permit2 拒绝转入：付款签名不符、已用过或已过期，授权额度不够、余额不足或被列入黑名单",
        "the token or Permit2 refuses: the payer's signature is wrong, used or past its time; allowance, balance or a "
        "block list",
    ),
    PULL[4],
)

STARVED = guard(
    "InsufficientGas",
    "付款失败，而剩余 gas 太少，分不清是对方拒收还是 gas 不足",
    "a payment fails with too little gas left to tell a refusing receiver from a starved one",
)
REENTERED = guard(
    "ReentrancyGuardReentrantCall",
    "从另一笔转账的回调里调用",
    "called from inside another transfer's callback",
)
PAY: Guards = (REENTERED, STARVED)


def operator(right: str) -> Guards:
    """An operator's grant; the seller passes all of it."""
    return (
        guard(
            "NoRight",
            f"调用者既不是卖家，也没有 {right} 权限",
            f"the caller is neither the seller nor an operator with {right}",
        ),
        guard("Expired", "操作员的授权已到期：t ≥ expiry", "the operator's grant has expired: t ≥ expiry"),
        guard("PriceAboveGrant", "price 超过授权的 maxPrice", "price is above the grant's maxPrice"),
        guard("PayToNotRegistered", "payTo 不是卖家登记的收款地址", "payTo is not the seller's registered address"),
    )


def state(name: str) -> Guard:
    return guard("WrongState", f"订单状态不是 {name}", f"the order is not {name}")


EXPECTED = guard("WrongState", "订单状态不是 expected", "the order's state is not the one expected")


def impossible(names: str) -> Guard:
    return guard("NotPossible", f"expected 不是 {names}", f"expected is not {names.replace('、', ', ')}")


BUYER = guard("Unauthorized", "调用者不是买家", "the caller is not the buyer")
LATE = guard("TooLate", "t ≥ d", "t ≥ d")
REVISION = guard("WrongRevision", "revision 不是订单当前的修订号", "revision is not the order's current one")
COMMITMENT = guard("EmptyCommitment", "commitment 为零", "commitment is zero")
POLICY_UNKNOWN = guard("PolicyUnknown", "规则没有登记过", "the policy is not registered")
PLATFORM = guard("Unauthorized", "调用者不是规则的平台", "the caller is not the policy's platform")
RETIRED = guard("PolicyIsRetired", "规则已停用", "the policy is retired")
RECEIVER = guard("InvalidAddress", "to 为零地址、托管合约或代币合约", "to is zero, the escrow or the token")
NOTHING = guard("NothingToPay", "金额为零", "the amount is zero")
REFUSED = guard("PushFailed", "收款方或代币拒绝这笔付款", "the receiver or the token refuses the payment")
