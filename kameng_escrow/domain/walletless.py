"""Buyers without a wallet: what is weaker for them than with one, said aloud; and where their refunds must not go.

A key that was made in a page or program signs for the buyer; others bring what it signs; the money comes by a plain
transfer to the order's deposit address, and goes back to `refund_to`. Everything else is as for anybody: the same
contract, the same clocks, the same shares.
"""

from collections.abc import Collection
from typing import Final

from .labels import Label
from .order import OrderTerms
from .policy import ZERO_ADDRESS
from .refusals import InvalidAddress

WEAKER: Final[tuple[Label, ...]] = (
    Label(
        "The key is a file and its passphrase. Who loses either can no longer confirm, dispute or agree, and nobody "
        "can help; the clocks go on, and after the inspection window the seller is paid.",
        "密钥就是一个文件加口令。丢了任何一样，就再也不能确认、争议或协商，谁也帮不了；时限照走，验货期满款项付给卖家。",
    ),
    Label(
        "Whoever has the file and the passphrase is the buyer: they can confirm, and read the codes.",
        "谁拿到文件和口令，谁就是买家：可以确认收货，也能看到卡密。",
    ),
    Label(
        "The page or program that makes the key could keep it: use one that you trust, or make it with `kameng buyer "
        "new`.",
        "生成密钥的页面或程序有可能留一份：请用信得过的，或用 kameng buyer new 自己生成。",
    ),
    Label(
        "A signature reaches the chain only if somebody brings it. The relayer does, within its budget; where it does "
        "not, anybody with a wallet can bring the same signature before it expires.",
        "签名要有人送上链才算数。中继会送，但有预算；它不送时，任何有钱包的人都可以在过期前代送同一份签名。",
    ),
    Label(
        "The price must arrive in one coin and in full: what an exchange deducts is missing, and the order waits for "
        "it.",
        "货款必须是同一种币、足额到账：交易所扣掉的手续费会造成短款，订单会一直等到补足。",
    ),
    Label(
        "The order opens once the transfer lies under enough blocks. If the seller's offer has expired by then, it "
        "waits, and after openBy the money goes back.",
        "转账要等够区块确认才下单。那时卖家的报价若已过期，订单会等待，过了 openBy 就退款。",
    ),
    Label(
        "Refunds go to the refund address and nowhere else, for ever: whoever types a wrong one has lost them.",
        "退款只会到退款地址，永远不会到别处：填错了就找不回来。",
    ),
    Label(
        "Exchanges may not credit what a contract sends, or only with a memo that a contract can't give: name an "
        "address that you control yourself.",
        "交易所可能不给合约转来的钱入账，或要求合约给不了的备注：请填自己掌握的地址。",
    ),
)

REFUND_TO_WARNING: Final = Label(
    "Refunds will go to {address}. If that is an exchange's deposit address they may never be credited to you: use an "
    "address that you control.",
    "退款会到 {address}。如果这是交易所的充值地址，可能永远不会入账：请用自己掌握的地址。",
)


def refund_to_warning(terms: OrderTerms) -> Label:
    """What a page says beside the refund address."""
    return Label(*(text.format(address=terms.refund_to) for text in REFUND_TO_WARNING))


def check_refund_to(terms: OrderTerms, forbidden: Collection[str]) -> None:
    """Passes terms whose refunds can arrive.

    Args:
        terms: of an order to be paid at its deposit address.
        forbidden: the escrow and the contracts around it: what comes to them is nobody's.

    Raises:
        InvalidAddress: refunds would go nowhere, to the token, to one of those contracts, or to the seller.
    """
    if terms.refund_to in (ZERO_ADDRESS, terms.token, terms.seller, terms.pay_to, *forbidden):
        raise InvalidAddress(terms.refund_to)
