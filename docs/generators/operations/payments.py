"""Paying by what the payer signs, without an allowance given before."""

from ..guards import LATE, OPENING, PAY, SIGNED_PULL, guard
from ..text import Text
from .base import PUSHED, Operation

NO_OFFER = Text(
    "`offer.expiry` 为零表示没有报价：订单从 Opened 开始，等卖家接单；有报价则按 [`openWithOffer`](open-with-offer.md) "
    "从 Accepted 开始，第 10–16 项检查只在有报价时进行。",
    "An offer whose `expiry` is zero is none: the order starts as Opened and waits for the seller. With one it starts "
    "as Accepted, as [`openWithOffer`](open-with-offer.md); guards 10 to 16 are checked only then.",
)
NOT_NATIVE = Text("只用于代币；原生币随 `open` 转入。", "For tokens only; the native coin comes with `open`.")
RELAYED = Text(
    "谁送上链都一样：付款人、代币、金额和订单都写在签名里，转交的人一个也改不了。",
    "It does not matter who brings it: payer, token, amount and order are in what was signed, and a relayer can change "
    "none of them.",
)
PERMIT_IGNORED = Text(
    "代币不接受这份 permit 也不算错：任何人都可能已抢先把它提交过。只看此刻的授权额度够不够。",
    "A permit that the token refuses is no error: anyone may have brought it there before. What counts is "
    "the allowance "
    "that is there then.",
)
SIGNED_DISPUTE = (
    guard("Expired", "t ≥ action.expiry", "t ≥ action.expiry"),
    guard("InvalidSignature", "不是 action.signer 对这份操作的签名", "not signed by action.signer over this action"),
    guard("NoPaymentDue", "所签操作不是 Dispute", "the action signed is not a Dispute"),
    guard("WrongState", "订单状态不是 action.state", "the order's state is not action.state"),
    guard("NotPossible", "该状态下不能争议", "nothing can be disputed in that state"),
    guard("WrongRole", "不是以买家身份签的", "signed in another role than the buyer's"),
    guard("Unauthorized", "签名人不是买家", "the signer is not the buyer"),
    LATE,
    guard("UnitsOutOfRange", "份数为零或多于 units", "the units are none, or more than ordered"),
    *SIGNED_PULL,
    *PAY[1:],
)

PAYMENTS = (
    Operation(
        name="openWithPermit",
        group="opening",
        sdk="open",
        purpose=Text(
            "调用者凭一份 EIP-2612 permit 签名付款下单，不用事先单独授权。",
            "The caller pays for an order with an EIP-2612 permit, without an allowance given before.",
        ),
        who=Text("任何人，用自己的钱", "anyone, with money of their own"),
        guards=(*OPENING, *SIGNED_PULL),
        events=("OrderOpened",),
        notes=(NO_OFFER, NOT_NATIVE, PERMIT_IGNORED),
    ),
    Operation(
        name="openWithAuthorization",
        group="opening",
        sdk="open",
        purpose=Text(
            "付款人签一份 EIP-3009 转账授权，任何人都可以替他送上链下单：付款人不需要 gas。",
            "Opens an order with the payer's EIP-3009 authorization, which anyone may bring: the payer needs no gas.",
        ),
        who=Text("任何人，凭付款人的签名", "anyone, with the payer's signature"),
        guards=(*OPENING, *SIGNED_PULL),
        events=("OrderOpened",),
        notes=(
            NO_OFFER,
            NOT_NATIVE,
            RELAYED,
            Text(
                "授权里的 `nonce` 就是订单编号，`to` 是托管合约，`value` 是 `price`，`validAfter` 为零。"
                "65 字节的签名按 v、r、s 交给代币；其他长度（合约钱包）按 bytes 交给支持的代币。",
                "In the authorization `nonce` is the order's id, `to` the escrow, `value` the price and `validAfter` "
                "zero. A signature of 65 bytes goes to the token as v, r, s; any other (a smart wallet's) as "
                "bytes, where "
                "the token takes them.",
            ),
            Text(
                "要求 nonce 按顺序使用的代币（OpenZeppelin 的 ERC20TransferAuthorization）不能这样付款，请换一种方式。",
                "A token that wants its nonces in sequence (OpenZeppelin's ERC20TransferAuthorization) can't be paid "
                "like this: take another way.",
            ),
        ),
    ),
    Operation(
        name="openWithPermit2",
        group="opening",
        sdk="open",
        purpose=Text(
            "付款人凭一份 Permit2 签名付款，订单条款是签名里的见证（witness）；任何人都可以送上链。",
            "Opens an order with the payer's Permit2 signature, which has the order's terms as witness and "
            "which anyone "
            "may bring.",
        ),
        who=Text("任何人，凭付款人的签名", "anyone, with the payer's signature"),
        guards=(*OPENING, *SIGNED_PULL),
        events=("OrderOpened",),
        notes=(
            NO_OFFER,
            NOT_NATIVE,
            RELAYED,
            Text(
                "付款人要先让 Permit2（0x000000000022D473030F116dDEE9F6B43aC78BA3，"
                "各链相同）可以动用这种代币，一次即可。",
                "The payer lets Permit2 (0x000000000022D473030F116dDEE9F6B43aC78BA3, the same on every chain) move the "
                "token once, before the first order.",
            ),
        ),
    ),
    Operation(
        name="actWithPermit",
        group="relaying",
        sdk="act",
        purpose=Text(
            "把买家签好的争议送上链，争议押金凭买家的 EIP-2612 permit 收取。",
            "Performs a dispute that the buyer signed, with the dispute bond by the buyer's EIP-2612 permit.",
        ),
        who=Text("任何人，凭签名", "anyone, with the signatures"),
        guards=SIGNED_DISPUTE,
        events=("OrderDisputed", "Credited"),
        notes=(NOT_NATIVE, PERMIT_IGNORED, PUSHED),
    ),
    Operation(
        name="actWithAuthorization",
        group="relaying",
        sdk="act",
        purpose=Text(
            "把买家签好的争议送上链，争议押金凭买家的 EIP-3009 授权收取：买家不需要 gas，也不用事先授权。",
            "Performs a dispute that the buyer signed, with the dispute bond by the buyer's EIP-3009 "
            "authorization: the "
            "buyer needs neither gas nor an allowance.",
        ),
        who=Text("任何人，凭签名", "anyone, with the signatures"),
        guards=SIGNED_DISPUTE,
        events=("OrderDisputed", "Credited"),
        notes=(
            NOT_NATIVE,
            Text(
                "授权里的 `nonce` 是 keccak256(abi.encode(orderId, Verb.Dispute))，`value` 是争议押金。",
                "In the authorization `nonce` is keccak256(abi.encode(orderId, Verb.Dispute)) and `value` the dispute "
                "bond.",
            ),
            PUSHED,
        ),
    ),
)
