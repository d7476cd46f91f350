"""What refusals say, in English and Chinese: what happened, and what to do. One sentence a language, every value shown.

Times are shown in UTC with the raw seconds, amounts in base units of the token.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, IntEnum
from typing import Any, cast

from .labels import Label, Word, label_of, rights_label
from .periphery_sentences import PERIPHERY_SENTENCES
from .trade_sentences import TRADE_SENTENCES

_ZERO_ADDRESS = "0x" + "00" * 20
_LONGEST_QUOTE = 200  # characters of somebody else's text


class Kind(Enum):
    """How a value is shown."""

    Plain = "plain"  # enums by their label
    Time = "time"  # Unix seconds
    Seconds = "seconds"
    Bps = "bps"
    Token = "token"
    Rights = "rights"
    Hex = "hex"
    Quoted = "quoted"  # somebody else's text


def sentences(name: str, values: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Label:
    """What the refusal called `name` says with these values."""
    shown = {field: _show(value, kinds[field]) for field, value in values.items()}
    template = SENTENCES[name]
    return Label(
        template.en.format(**{field: label.en for field, label in shown.items()}),
        template.zh.format(**{field: label.zh for field, label in shown.items()}),
    )


def _show(value: Any, kind: Kind) -> Label:
    match kind:
        case Kind.Time:
            return _same(_utc(value))
        case Kind.Seconds:
            return Label(f"{value} s", f"{value} 秒")
        case Kind.Bps:
            return _same(f"{value} bps ({value // 100}.{value % 100:02d} %)")
        case Kind.Token:
            return Label("the native coin", "原生币") if value == _ZERO_ADDRESS else _same(value)
        case Kind.Rights:
            return rights_label(value)
        case Kind.Hex:
            return _same(f"0x{value:02x}")
        case Kind.Quoted:
            text = "".join(letter if letter.isprintable() else "�" for letter in value[:_LONGEST_QUOTE])
            return _same(text + "…" * (len(value) > _LONGEST_QUOTE))
        case Kind.Plain if isinstance(value, IntEnum):
            return label_of(cast(Word, value))
        case _:
            return _same(str(value))


def _same(text: str) -> Label:
    return Label(text, text)


def _utc(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S} UTC ({seconds})"
    except (ValueError, OverflowError, OSError):  # beyond the year 9999
        return f"second {seconds}"


SENTENCES: dict[str, Label] = {
    "WrongState": Label(
        "Order {order_id} is {actual}, not {expected}: read it again and decide anew.",
        "订单 {order_id} 当前状态为“{actual}”，而不是“{expected}”：请刷新订单后再操作。",
    ),
    "NotPossible": Label(
        "This can't be done while order {order_id} is {state}: see which actions it allows now.",
        "订单 {order_id} 在“{state}”状态下不能这样操作：请查看当前允许的操作。",
    ),
    "TooEarly": Label(
        "It is {timestamp}, and this is allowed from {allowed_from} on: wait until then.",
        "现在是 {timestamp}，{allowed_from} 起才能操作：请届时再试。",
    ),
    "TooLate": Label(
        "It is {timestamp}, and this was allowed before {allowed_before} only: see what the order allows now.",
        "现在是 {timestamp}，此操作只能在 {allowed_before} 之前进行：请查看订单当前允许的操作。",
    ),
    "Unauthorized": Label(
        "{account} may not do this, only {required} may: use that account.",
        "{account} 无权进行此操作，只有 {required} 可以：请换用该账户。",
    ),
    "WrongRole": Label(
        "{verb} can't be done in the role of {role}: act in the role that may.",
        "“{role}”不能执行“{verb}”：请以有权的身份操作。",
    ),
    "ConflictOfInterest": Label(
        "{account} is a party to this order and can't decide about it: somebody else must.",
        "{account} 是该订单的当事人，不能裁决或介入：请由其他人处理。",
    ),
    "InvalidAddress": Label(
        "{attempted} can't stand here: it is zero, the escrow, the token, or an address this one must differ from; "
        "use another.",
        "此处不能使用地址 {attempted}：它是零地址、托管合约、代币合约，或与必须不同的地址相同；请更换地址。",
    ),
    "PriceOutOfRange": Label(
        "The price is {price} base units: give one from 1 to {max}.",
        "价格为 {price} 个最小单位：请填写 1 到 {max} 之间的价格。",
    ),
    "UnitsOutOfRange": Label(
        "The number of units is {units}: give one from 1 to {max}.",
        "数量为 {units}：请填写 1 到 {max} 之间的数量。",
    ),
    "AmountOutOfRange": Label(
        "{amount} base units were awarded, but only {max} are held: award at most that.",
        "分配了 {amount} 个最小单位，而托管中只有 {max}：分配额不能超过此数。",
    ),
    "CancelNotAllowed": Label(
        "The policy of order {order_id} forbids cancelling once accepted: wait for the delivery or its deadline.",
        "订单 {order_id} 的规则不允许接单后取消：请等待发货或发货超时。",
    ),
    "EmptyCommitment": Label(
        "The commitment of a delivery can't be zero: deliver with the hash of what is delivered.",
        "发货承诺不能为零：请提交所发内容的哈希。",
    ),
    "WrongRevision": Label(
        "This names revision {attempted}, but the order is at {current}: what was signed is void, sign anew.",
        "所用修订号为 {attempted}，而订单当前修订号为 {current}：原签名已作废，请重新签名。",
    ),
    "WrongDisputedUnits": Label(
        "The split was signed for {attempted} units in dispute, but {current} are: sign a new one.",
        "该分配方案针对 {attempted} 件争议商品签署，而实际争议为 {current} 件：请重新签署。",
    ),
    "LengthMismatch": Label(
        "The lists have {left} and {right} entries: give one of each for every order.",
        "两个列表分别有 {left} 项和 {right} 项：请保证一一对应。",
    ),
    "InvalidSignature": Label(
        "The signature is not {signer}'s over {digest}: sign again with that account, for this contract and chain.",
        "该签名不是 {signer} 对 {digest} 的签名：请用该账户针对本合约和本链重新签名。",
    ),
    "Expired": Label(
        "It is {timestamp}, and this was live before {expiry} only: get a new one.",
        "现在是 {timestamp}，该签名或授权已于 {expiry} 到期：请重新获取。",
    ),
    "ExpiryTooFar": Label(
        "The split expires at {expiry}, later than {max}, which is 24 hours ahead: sign one that expires by then.",
        "该分配方案到期时间为 {expiry}，晚于 24 小时上限 {max}：请缩短有效期后重新签署。",
    ),
    "NoRight": Label(
        "Operator {operator} lacks the right to {right} for this seller, token and policy: the seller must grant it.",
        "操作员 {operator} 没有该卖家、代币和规则下的“{right}”权限：请卖家授权。",
    ),
    "PriceAboveGrant": Label(
        "The price of {price} base units is above the {max} that the operator may act on: the seller must act.",
        "价格 {price} 个最小单位超过操作员的上限 {max}：请由卖家本人操作或提高上限。",
    ),
    "UnknownRights": Label(
        "The rights {rights} include some that don't exist: give a sum of at most {known}.",
        "权限值 {rights} 含有不存在的权限：取值不能超过 {known}。",
    ),
    "PayToNotRegistered": Label(
        "The terms pay {pay_to}, but the seller registered {registered}: the seller must act or register it.",
        "订单收款地址为 {pay_to}，而卖家登记的是 {registered}：请由卖家本人操作或重新登记。",
    ),
    "PolicyExists": Label(
        "Policy {policy_id} is registered already: use it, or change a field to make another.",
        "规则 {policy_id} 已登记：请直接使用，或修改字段后另行登记。",
    ),
    "PolicyUnknown": Label(
        "No policy {policy_id} is registered here: check the id, the contract and the chain.",
        "本合约未登记规则 {policy_id}：请核对编号、合约地址和链。",
    ),
    "PolicyIsRetired": Label(
        "Policy {policy_id} is retired and takes no new orders: use the platform's current one.",
        "规则 {policy_id} 已停用，不再接受新订单：请使用平台当前的规则。",
    ),
    "PolicyNotEffective": Label(
        "It is {timestamp}, and the policy takes orders from {effective_from} on: wait until then.",
        "现在是 {timestamp}，该规则自 {effective_from} 起生效：请届时再下单。",
    ),
    "PolicyReviewOverdue": Label(
        "It is {timestamp}, and the policy had to be reviewed by {review_by}: its platform must do that first.",
        "现在是 {timestamp}，该规则应在 {review_by} 前复审：请平台先完成复审。",
    ),
    "PolicyOutOfBounds": Label(
        "The {field} is {value}: give one from {min} to {max}.",
        "“{field}”为 {value}：取值应在 {min} 到 {max} 之间。",
    ),
    "WrongValue": Label(
        "{sent} base units of the native coin were sent, but {required} are due: send exactly that.",
        "转入了 {sent} 个原生币最小单位，应为 {required}：请按应付数额转入。",
    ),
    "TokenHasNoCode": Label(
        "There is no contract at the token's address {token}: check the address and the chain.",
        "代币地址 {token} 上没有合约：请核对地址和链。",
    ),
    "PullFailed": Label(
        "{token} refused to move {amount} base units from {sender}: check its allowance, or what it signed, and its "
        "balance, then try again.",
        "代币 {token} 拒绝从 {sender} 转出 {amount} 个最小单位：请检查授权额度（或付款签名）和余额后重试。",
    ),
    "WrongAmountReceived": Label(
        "{token} moved {received} base units instead of {required}: it takes a fee or misbehaves; use another token.",
        "代币 {token} 实际转入 {received} 个最小单位，应为 {required}：该代币收取转账费或行为异常，请更换代币。",
    ),
    "PushFailed": Label(
        "Paying {amount} base units of {token} to {to} was refused: try again later, or direct it elsewhere.",
        "向 {to} 支付 {amount} 个最小单位的 {token} 被拒绝：请稍后重试，或改付其他地址。",
    ),
    "BondShort": Label(
        "The bond balance of {seller} in {token} is {available} base units, and {required} are needed: fund it first.",
        "卖家 {seller} 的 {token} 保证金余额为 {available} 个最小单位，需要 {required}：请先充值保证金。",
    ),
    "NoPaymentDue": Label(
        "{verb} takes no payment: relay it without one.",
        "“{verb}”不需要付款：请去掉付款签名后再提交。",
    ),
    "NothingToPay": Label(
        "There is nothing to pay out or take in: the amount is zero.",
        "没有可支付的款项：金额为零。",
    ),
    "InsufficientGas": Label(
        "{available} gas was left where {required} is needed: send the transaction again with a higher gas limit.",
        "剩余 gas 为 {available}，需要 {required}：请提高 gas 上限后重发交易。",
    ),
    "ReentrancyGuardReentrantCall": Label(
        "A token or receiver called back into the escrow while it was moving money: have that contract looked at.",
        "托管合约转账时被代币或收款方回调：请检查该合约。",
    ),
    "Panicked": Label(
        "The contract stopped with Solidity panic {panic}: report it with the transaction.",
        "合约因 Solidity panic {panic} 中止：请附上交易信息反馈。",
    ),
    "RevertedWithText": Label(
        "The call was refused with the words “{text}”, which are not the escrow's: ask whoever runs that contract.",
        "调用被拒绝，原因为“{text}”（并非托管合约给出）：请联系相应合约的维护者。",
    ),
    "RevertedSilently": Label(
        "The call was refused without a reason: check that the escrow is at this address on this chain.",
        "调用被拒绝且未给出原因：请核对本链上该地址是否为托管合约。",
    ),
    "RevertedUnknown": Label(
        "The call was refused with an unknown error {data}: check the contract's address and version.",
        "调用被拒绝，错误未知（{data}）：请核对合约地址和版本。",
    ),
    "MalformedAddress": Label(
        "{field} is {given}, which is no address: give 0x and 40 hex digits.",
        "{field} 为 {given}，不是地址：请填写 0x 加 40 位十六进制数字。",
    ),
    "WrongChecksum": Label(
        "{field} is {given}, whose upper and lower case are not its checksum's: compare it digit by digit.",
        "{field} 为 {given}，大小写校验不符：请逐位核对地址。",
    ),
    "MalformedHash": Label(
        "{field} is {given}, which is no hash: give 0x and 64 lowercase hex digits.",
        "{field} 为 {given}，不是哈希：请填写 0x 加 64 位小写十六进制数字。",
    ),
    "NumberOutOfRange": Label(
        "{field} is {given}: give a whole number from {min} to {max}.",
        "{field} 为 {given}：请填写 {min} 到 {max} 之间的整数。",
    ),
    "WrongType": Label(
        "{field} is of type {given}: give one of type {expected}.",
        "{field} 的类型是 {given}：应为 {expected}。",
    ),
} | (PERIPHERY_SENTENCES | TRADE_SENTENCES)
