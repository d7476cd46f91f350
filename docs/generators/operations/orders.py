"""Opening and fulfilling: rows 1 to 12."""

from ..guards import (
    BUYER,
    COMMITMENT,
    EXPECTED,
    LATE,
    OFFER,
    PAY,
    PLATFORM,
    PULL,
    TERMS,
    guard,
    impossible,
    operator,
    state,
)
from ..text import Text
from .base import EXPECTS, PUSHED, Operation

ORDERS = (
    Operation(
        name="open",
        group="opening",
        sdk="open",
        purpose=Text(
            "付款下单，等卖家接单。谁都可以替买家付款（代付），退款仍回到 `refundTo`。",
            "Pays for an order and waits for the seller to accept. Anyone may pay for a buyer; refunds still go to "
            "`refundTo`.",
        ),
        guards=(*TERMS, *PULL),
        events=("OrderOpened",),
        notes=(
            Text(
                "原生币随调用转入；ERC-20 从调用者的授权额度里扣，按余额差核对到账。",
                "The native coin comes with the call; an ERC-20 is pulled from the caller by allowance and measured "
                "by balance.",
            ),
            Text(
                "订单编号是条款的 EIP-712 摘要，同一份条款只能下单一次；改一下 `salt` 就是另一单。",
                "The order id is the EIP-712 digest of the terms: the same terms open once; another `salt` is another "
                "order.",
            ),
        ),
    ),
    Operation(
        name="openWithOffer",
        group="opening",
        sdk="open",
        purpose=Text(
            "凭卖家签好的报价付款，直接进入已接单，同时锁定卖家保证金。",
            "Pays for an order that the seller has already promised to accept: it starts as Accepted, with the "
            "seller's bond locked.",
        ),
        guards=(
            *TERMS,
            *OFFER,
            *PULL,
        ),
        events=("OrderOpened",),
        notes=(
            Text(
                "卖家调用 [`revise`](revise.md) 升一次修订号，之前签出的报价全部作废。",
                "Raising the revision with [`revise`](revise.md) withdraws every offer signed before.",
            ),
            Text(
                "签名可来自普通账户，也可来自合约钱包（ERC-1271）。",
                "The signature may be a key's or a contract wallet's (ERC-1271).",
            ),
        ),
    ),
    Operation(
        name="accept",
        group="fulfilling",
        sdk="accept",
        purpose=Text(
            "接单：锁定卖家保证金，发货时限开始计时。",
            "Takes the order on: locks the seller's bond and starts the clock for the delivery.",
        ),
        guards=(
            state("Opened"),
            *operator("ACCEPT"),
            LATE,
            guard("BondShort", "卖家保证金余额不够锁定", "the seller's bond balance does not cover the bond"),
        ),
        events=("OrderAccepted",),
        notes=(
            Text(
                "接单前请核对 `listing` 里买家的收货公钥：卡密将加密到这把公钥。",
                "Check the buyer's delivery key in `listing` before accepting: codes are encrypted to it.",
            ),
        ),
    ),
    Operation(
        name="deliver",
        group="fulfilling",
        sdk="deliver",
        purpose=Text(
            "发货：上链的只有承诺（哈希），卡密不上链。验货时限开始计时。",
            "Records what was delivered, as a hash: codes never touch the chain. Starts the clock for the inspection.",
        ),
        guards=(state("Accepted"), *operator("DELIVER"), LATE, COMMITMENT),
        events=("OrderDelivered",),
        notes=(
            Text(
                "commitment = keccak256(orderId, 对 (i, salt, code) 的 Merkle 根, 密文哈希)："
                "争议时可以只出示其中一张卡。",
                "commitment = keccak256(orderId, Merkle root over (i, salt, code), ciphertext hash): in a dispute one "
                "card is shown without the others.",
            ),
        ),
    ),
    Operation(
        name="confirm",
        group="fulfilling",
        sdk="confirm",
        purpose=Text(
            "买家满意，货款付给卖家。没发货也可以确认：买家可能已在别处收到。",
            "The buyer is content and the seller is paid. Possible before the delivery too: the buyer may have got it "
            "elsewhere.",
        ),
        guards=(
            EXPECTED,
            impossible("Accepted、Delivered、Disputed"),
            BUYER,
            guard("TooLate", "在 Disputed 中 t ≥ n", "in Disputed, t ≥ n"),
            *PAY,
        ),
        events=("OrderClosed", "Credited"),
        notes=(EXPECTS, PUSHED),
    ),
    Operation(
        name="cancel",
        group="fulfilling",
        sdk="cancel",
        purpose=Text(
            "买家取消：接单前全额退回；接单后、发货时限内，按规则扣取消费（规则也可以不许取消）。",
            "The buyer withdraws: in full before acceptance; after it, while the delivery is not due, at the policy's "
            "cancel fee, unless the policy forbids it.",
        ),
        guards=(
            EXPECTED,
            impossible("Opened、Accepted"),
            BUYER,
            guard("TooLate", "在 Accepted 中 t ≥ d", "in Accepted, t ≥ d"),
            guard(
                "CancelNotAllowed",
                "在 Accepted 中，规则不允许接单后取消",
                "in Accepted, under a policy without cancelling",
            ),
            *PAY,
        ),
        events=("OrderClosed", "Credited"),
        notes=(EXPECTS, PUSHED),
    ),
    Operation(
        name="decline",
        group="fulfilling",
        sdk="decline",
        purpose=Text(
            "卖家不做这一单：接单前无代价；接单后赔给买家一半保证金（单数时多的一个单位归买家）。",
            "The seller withdraws: free before acceptance; after it, half of the bond goes to the buyer (the odd unit "
            "too).",
        ),
        guards=(
            EXPECTED,
            impossible("Opened、Accepted"),
            *operator("DECLINE"),
            guard("TooLate", "在 Accepted 中 t ≥ d", "in Accepted, t ≥ d"),
            *PAY,
        ),
        events=("OrderClosed", "Credited"),
        notes=(EXPECTS, PUSHED),
    ),
    Operation(
        name="refund",
        group="fulfilling",
        sdk="refund",
        purpose=Text(
            "发货后退款：卖家退回全部货款，外加一半保证金。若退款没有代价，就会有人先发废码拖时间。",
            "The seller gives the money back after delivering, with half of the bond: were it free, garbage followed "
            "by a refund would cost nothing.",
        ),
        guards=(
            EXPECTED,
            impossible("Delivered、Disputed"),
            *operator("REFUND"),
            guard("TooLate", "在 Disputed 中 t ≥ n", "in Disputed, t ≥ n"),
            *PAY,
        ),
        events=("OrderClosed", "Credited"),
        notes=(EXPECTS, PUSHED),
    ),
    Operation(
        name="intervene",
        group="fulfilling",
        sdk="intervene",
        purpose=Text(
            "平台在发货前介入：只能把货款全额退给买家，保证金退回卖家。除此之外平台动不了订单。",
            "The platform steps in before the delivery: it can only refund the buyer in full and give the seller's "
            "bond back. It can touch nothing else.",
        ),
        guards=(
            EXPECTED,
            impossible("Opened、Accepted"),
            PLATFORM,
            guard("ConflictOfInterest", "平台自己是买家或卖家", "the platform is itself the buyer or the seller"),
            LATE,
            *PAY,
        ),
        events=("OrderClosed", "Credited"),
        notes=(EXPECTS, PUSHED),
    ),
)
