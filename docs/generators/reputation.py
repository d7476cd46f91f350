"""Attacks on reputation, played through with the formula itself: what they cost, and what they gain."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.reputation import ONE, Tally, Trade, Yardstick, reckon
from kameng_escrow.domain.states import Fault, Outcome

from .text import Lang, Text, table

UNIT = 1_000_000
NOW = 1_800_000_000
SELLER, PLATFORM = "seller", "platform"
HONEST = Yardstick(units={NATIVE: UNIT}, platforms=frozenset({PLATFORM}))


@dataclass(frozen=True)
class Attack:
    """A story, and the seller's orders in it."""

    story: Text
    trades: list[Trade]


def sale(buyer: str, **changes: Any) -> Trade:
    usual = Trade(
        buyer=buyer,
        refund_to=buyer,
        seller=SELLER,
        pay_to=SELLER,
        payer=buyer,
        token=NATIVE,
        platform=PLATFORM,
        fee_receiver=PLATFORM,
        outcome=Outcome.Confirmed,
        fault=Fault.Nobody,
        to_seller=1,
        fee=UNIT,
        full_fee=UNIT,
        closed_at=NOW,
    )
    return replace(usual, **changes)


def fault(buyer: str, full_fee: int = UNIT) -> Trade:
    return sale(buyer, outcome=Outcome.Undelivered, fault=Fault.Seller, fee=0, full_fee=full_fee, to_seller=0)


def purchase(shop: str, refund_to: str) -> Trade:
    """The seller buys, at a fee that just counts."""
    return sale(SELLER, seller=shop, pay_to=shop, refund_to=refund_to, fee=UNIT // 10)


def many(number: int, make: Callable[[int], Trade]) -> list[Trade]:
    return [make(one) for one in range(number)]


def attacks() -> list[Attack]:
    """From honest trade to the most that money can buy."""
    ring = sale(SELLER, seller="friend", pay_to="friend")
    return [
        Attack(
            Text("诚实：100 个买家各买一单，两单没发货", "honest: 100 buyers with an order each, two not delivered"),
            many(98, lambda one: sale(f"buyer {one}")) + many(2, lambda one: fault(f"other {one}")),
        ),
        Attack(Text("自己的另一个账户买 100 单", "an account of its own buys 100 times"), [sale("puppet")] * 100),
        Attack(
            Text("同一账户，收款与退款是同一地址", "the same, with payTo and refundTo the same address"),
            [sale("puppet", refund_to=SELLER)] * 100,
        ),
        Attack(
            Text("100 个账户，退款都到一个地址", "100 accounts whose refunds go to one address"),
            many(100, lambda one: sale(f"puppet {one}", refund_to="purse")),
        ),
        Attack(
            Text("与同伙互相买卖各 100 单", "100 orders each way with a friend"), [sale("friend")] * 100 + [ring] * 100
        ),
        Attack(
            Text("100 个账户各买一单，手续费只有二十分之一单位", "100 accounts, each fee a twentieth of the unit"),
            many(100, lambda one: sale(f"puppet {one}", fee=UNIT // 20)),
        ),
        Attack(
            Text("100 个账户，用自己发的代币", "100 accounts, in a token of its own"),
            many(100, lambda one: sale(f"puppet {one}", token="token", fee=10**30)),
        ),
        Attack(
            Text("100 个账户，在自建平台上", "100 accounts, on a platform of its own"),
            many(100, lambda one: sale(f"puppet {one}", platform="own", fee_receiver="own")),
        ),
        Attack(
            Text("100 个账户下单后协商全退", "100 accounts, all returned by agreement"),
            many(100, lambda one: sale(f"puppet {one}", outcome=Outcome.Agreed, fee=0, to_seller=0)),
        ),
        Attack(
            Text("100 个账户各付一个单位的手续费", "100 accounts that each pay the unit"),
            many(100, lambda one: sale(f"puppet {one}")),
        ),
        Attack(
            Text(
                "同上，然后对 5 个买家卷走大单（手续费应为 16 单位）",
                "the same, then five large orders (16 units) not delivered",
            ),
            many(100, lambda one: sale(f"puppet {one}")) + many(5, lambda one: fault(f"victim {one}", 16 * UNIT)),
        ),
        Attack(
            Text(
                "同上，再各买一单，把退款地址写成受害者的地址",
                "the same, then five purchases whose refunds go to those buyers' addresses",
            ),
            many(100, lambda one: sale(f"puppet {one}"))
            + many(5, lambda one: fault(f"victim {one}", 16 * UNIT))
            + many(5, lambda one: purchase(f"shop {one}", refund_to=f"victim {one}")),
        ),
        Attack(
            Text("对手用 50 个账户下单，不等接单就让它过期", "a rival's 50 accounts open orders that nobody accepts"),
            many(98, lambda one: sale(f"buyer {one}"))
            + many(50, lambda one: sale(f"foe {one}", outcome=Outcome.Expired, fee=0, to_seller=0)),
        ),
    ]


def attack_table(lang: Lang) -> str:
    """What each costs in fees, and what it makes of the seller."""
    heads = Text(
        "做法 | 手续费（单位） | 算数的对手 | 好 : 坏（单） | 95% 下限",
        "What is done | Fees (units) | Counterparties that count | Good : bad (orders) | Lower end at 95 %",
    )[lang].split(" | ")
    return table(heads, [_row(attack, lang) for attack in attacks()])


def _row(attack: Attack, lang: Lang) -> list[str]:
    tally = reckon(SELLER, attack.trades, HONEST, NOW).as_seller
    paid = sum(one.fee for one in attack.trades if one.token == NATIVE and one.platform == PLATFORM)
    return [
        attack.story[lang],
        f"{paid / UNIT:g}",
        str(tally.counterparties),
        _weights(tally),
        f"{tally.lower / 10_000:.1f} %",
    ]


def _weights(tally: Tally) -> str:
    return f"{tally.good / ONE:g} : {tally.bad / ONE:g}"
