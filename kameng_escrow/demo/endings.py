"""The stories: every ending that an order can have, each with what becomes of the money and why.

A story's text may name {price}, {buyer} (what the buyer's side got), {seller}, {fee}, {bond} (back to the seller's bond
balance) and {mediation}, all with their currency.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kameng_escrow.domain.states import Fault, Outcome

from . import plots
from .play import Play
from .plots import ETHER, USDT
from .stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One story, and how it must end."""

    key: str
    outcome: Outcome
    fault: Fault
    zh: str  # its name
    en: str
    story_zh: str
    story_en: str
    prepare: Callable[[Stage], Play]
    play: Callable[[Play], None]


ENDINGS: tuple[Ending, ...] = (
    Ending(
        key="confirmed",
        outcome=Outcome.Confirmed,
        fault=Fault.Nobody,
        zh="买家确认",
        en="Confirmed",
        story_zh="买家一凭卖家预签的报价付 {price}，下单即接单；卡密可用，买家确认，卖家得 {seller}，平台收 {fee}。",
        story_en="Buyer 1 pays {price} on the seller's signed offer, the cards work, the buyer confirms: "
        "{seller} to the "
        "seller, {fee} to the platform.",
        prepare=plots.coin(0, 0, ETHER // 5),
        play=plots.confirmed,
    ),
    Ending(
        key="released",
        outcome=Outcome.Released,
        fault=Fault.Nobody,
        zh="买家不作声，到期放款",
        en="Buyer silent → paid",
        story_zh="卖家发货后买家不再出现；24 小时验货期一过，路人一触发，卖家照样得 {seller}。",
        story_en="The buyer never comes back. After 24 hours of inspection a passer-by settles: {seller} "
        "to the seller.",
        prepare=plots.token(1, 0, 88 * USDT),
        play=plots.released,
    ),
    Ending(
        key="expired",
        outcome=Outcome.Expired,
        fault=Fault.Nobody,
        zh="卖家不接单，到期退款",
        en="Seller never accepts → refunded",
        story_zh="卖家 30 分钟没有接单；时限一到，{buyer} 全数退回买家，一分不少。",
        story_en="The seller does not take the order within 30 minutes: all of it, {buyer}, goes back to the buyer.",
        prepare=plots.coin(0, 1, ETHER // 10),
        play=plots.expired,
    ),
    Ending(
        key="undelivered",
        outcome=Outcome.Undelivered,
        fault=Fault.Seller,
        zh="接单不发货，退款并赔付",
        en="Seller never delivers → refunded with bond",
        story_zh="卖家接了单却不发货；一小时后买家拿回 {price}，外加卖家押的保证金，共 {buyer}。",
        story_en="Accepted, never delivered: an hour later the buyer has the {price} back and the "
        "seller's bond, {buyer} "
        "in all.",
        prepare=plots.token(0, 1, 120 * USDT),
        play=plots.undelivered,
    ),
    Ending(
        key="cancelled_before_acceptance",
        outcome=Outcome.Cancelled,
        fault=Fault.Nobody,
        zh="接单前买家取消",
        en="Buyer cancels before acceptance",
        story_zh="买家下错了单，卖家还没接；取消不收费，{buyer} 原路退回。",
        story_en="Ordered by mistake and not yet accepted: cancelling is free, {buyer} goes back.",
        prepare=plots.coin(1, 0, ETHER // 4),
        play=plots.cancelled_early,
    ),
    Ending(
        key="cancelled_after_acceptance",
        outcome=Outcome.Cancelled,
        fault=Fault.Buyer,
        zh="接单后买家取消",
        en="Buyer cancels after acceptance",
        story_zh="卖家已备货，买家反悔；买家付 2% 取消费，卖家得 {seller}，买家拿回 {buyer}，保证金 {bond} 全退。",
        story_en="The seller was at work already: the buyer gets {buyer} back and the seller {seller} for the trouble.",
        prepare=plots.token(1, 1, 60 * USDT),
        play=plots.cancelled_late,
    ),
    Ending(
        key="declined_before_acceptance",
        outcome=Outcome.Declined,
        fault=Fault.Nobody,
        zh="卖家拒单",
        en="Seller declines",
        story_zh="卖家缺货，立即拒单；买家不用等时限，{buyer} 马上退回，卖家不记过错。",
        story_en="Out of stock, and says so at once: {buyer} back without waiting, and no stain on the seller.",
        prepare=plots.coin(0, 1, ETHER // 20),
        play=plots.declined_early,
    ),
    Ending(
        key="declined_after_acceptance",
        outcome=Outcome.Declined,
        fault=Fault.Seller,
        zh="接单后卖家反悔",
        en="Seller declines after acceptance",
        story_zh="接了单又反悔：买家拿回 {price} 外加半份保证金，共 {buyer}；另一半 {bond} 退给卖家。",
        story_en="Accepted, then declined: the buyer gets {buyer}, the price and half the bond; {bond} goes back.",
        prepare=plots.token(0, 0, 40 * USDT),
        play=plots.declined_late,
    ),
    Ending(
        key="intervened",
        outcome=Outcome.Intervened,
        fault=Fault.Platform,
        zh="平台介入退款",
        en="Platform intervenes",
        story_zh="平台发现货源有问题，在发货前介入；它只能做一件事：全额退款，{buyer} 回到买家，保证金 {bond} 退回。",
        story_en="The platform steps in before delivery. All it can do is refund the buyer in full: "
        "{buyer}; the bond, "
        "{bond}, goes back.",
        prepare=plots.coin(1, 1, ETHER * 3 // 10),
        play=plots.intervened,
    ),
    Ending(
        key="refunded",
        outcome=Outcome.Refunded,
        fault=Fault.Seller,
        zh="发货后卖家退款",
        en="Seller refunds after delivery",
        story_zh="卖家发现发错了卡，主动退款：买家得 {buyer}（含半份保证金），免得用垃圾卡拖过时限还不吃亏。",
        story_en="Wrong cards, and the seller admits it: {buyer} to the buyer, half the bond in it, so "
        "that garbage is "
        "never free.",
        prepare=plots.token(1, 0, 75 * USDT),
        play=plots.refunded,
    ),
    Ending(
        key="partial_dispute_agreed",
        outcome=Outcome.Agreed,
        fault=Fault.Nobody,
        zh="10 件争议 3 件，协商分配",
        en="3 of 10 units disputed → agreed split",
        story_zh="10 张卡有 3 张打不开，其余 7 张的钱当场付给卖家；3 张协商：卖家签字，买家拿着上链，"
        "买家共得 {buyer}，卖家共得 {seller}。",
        story_en="Three cards of ten fail. The money for seven is paid at once; over the rest they agree: "
        "{buyer} to the "
        "buyer, {seller} to the seller in all.",
        prepare=plots.token(0, 0, 100 * USDT, 10),
        play=plots.partly_agreed,
    ),
    Ending(
        key="recommitted_confirmed",
        outcome=Outcome.Confirmed,
        fault=Fault.Nobody,
        zh="争议后补发，买家确认",
        en="Replacement codes → confirmed",
        story_zh="5 张卡坏了 2 张，卖家在协商期补发；买家满意确认，争议押金 {buyer} 退回，卖家共得 {seller}。",
        story_en="Two cards of five fail, the seller sends replacements, the buyer confirms: the dispute "
        "bond of {buyer} "
        "comes back, {seller} to the seller.",
        prepare=plots.coin(0, 0, ETHER // 2, 5),
        play=plots.recommitted,
    ),
    Ending(
        key="ruled",
        outcome=Outcome.Ruled,
        fault=Fault.Seller,
        zh="争议，仲裁裁决",
        en="Dispute → ruling",
        story_zh="双方谈不拢，仲裁员把四分之三判给买家：押金和保证金按同样比例走，买家得 {buyer}，卖家得 {seller}，"
        "仲裁费 {mediation}。",
        story_en="No agreement; the mediator awards the buyer three quarters, and the bonds follow: "
        "{buyer} to the buyer, "
        "{seller} to the seller, {mediation} to the mediator.",
        prepare=plots.token(1, 1, 200 * USDT, 4),
        play=plots.ruled,
    ),
    Ending(
        key="ruled_by_backup",
        outcome=Outcome.Ruled,
        fault=Fault.Buyer,
        zh="仲裁员缺席，候补裁决",
        en="Mediator asleep → backup rules",
        story_zh="前半段仲裁员没有动静，后半段由候补接手：卡密其实有效，买家败诉，"
        "卖家得 {seller}，保证金连同买家的押金 {bond} 回到卖家。",
        story_en="The mediator sleeps through the first half, the backup takes over: the cards were good, "
        "so {seller} to "
        "the seller, and {bond} to the bond balance, the buyer's dispute bond in it.",
        prepare=plots.coin(1, 0, ETHER // 5),
        play=plots.ruled_by_backup,
    ),
    Ending(
        key="conceded",
        outcome=Outcome.Conceded,
        fault=Fault.Seller,
        zh="仲裁期卖家认输",
        en="Seller concedes",
        story_zh="仲裁开始后卖家自知理亏，认输：{buyer} 归买家，仲裁员仍得 {mediation}。",
        story_en="Once the mediator is in charge the seller gives in: {buyer} to the buyer, {mediation} "
        "to the mediator.",
        prepare=plots.token(0, 1, 50 * USDT),
        play=plots.conceded,
    ),
    Ending(
        key="mediator_silent",
        outcome=Outcome.Defaulted,
        fault=Fault.Mediator,
        zh="仲裁员不作声，按约定分配",
        en="Mediator silent → default split",
        story_zh="仲裁员和候补都不作声；时限一到按事先约定的比例分：买家 {buyer}，卖家 {seller}，谁也拿不走保证金。",
        story_en="Neither mediator nor backup says a word. The split that everybody knew before applies: "
        "{buyer} to the "
        "buyer, {seller} to the seller, all bonds back.",
        prepare=plots.token(1, 0, 150 * USDT),
        play=plots.defaulted,
    ),
    Ending(
        key="no_mediator",
        outcome=Outcome.Defaulted,
        fault=Fault.Nobody,
        zh="规则里没有仲裁员",
        en="No mediator in the policy",
        story_zh="这条规则不设仲裁：协商期过后直接按约定分配，买家 {buyer}，卖家 {seller}，不记任何人的过错。",
        story_en="This policy has no mediator: after the talks the promised split, {buyer} and {seller}, "
        "and nobody's "
        "fault.",
        prepare=plots.token(0, 1, 30 * USDT, mediated=False),
        play=plots.defaulted,
    ),
    Ending(
        key="blocked_payout",
        outcome=Outcome.Confirmed,
        fault=Fault.Nobody,
        zh="收款地址被冻结 → 记账后取出",
        en="Payout blocked → credited, withdrawn",
        story_zh="代币发行方冻结了卖家的地址：付款被拒也不卡住订单，{seller} 记在卖家名下，卖家转到另一地址取出。",
        story_en="The token's issuer blocked the seller's address: the order ends all the same, {seller} "
        "is kept as the "
        "seller's credit and withdrawn to another address.",
        prepare=plots.token(0, 0, 66 * USDT),
        play=plots.blocked,
    ),
    Ending(
        key="gasless_buyer",
        outcome=Outcome.Confirmed,
        fault=Fault.Nobody,
        zh="买家零 gas，由中继代办",
        en="Gasless buyer, through a relayer",
        story_zh="买家三的钱包里一个币也没有：别人代付，买家只在手机上签名，中继代为上链；卖家得 {seller}。",
        story_en="Buyer 3 owns no coins at all: somebody else pays, the buyer signs, a relayer brings it "
        "to the chain; "
        "{seller} to the seller.",
        prepare=plots.token(2, 1, 45 * USDT),
        play=plots.gasless,
    ),
    Ending(
        key="operator",
        outcome=Outcome.Confirmed,
        fault=Fault.Nobody,
        zh="卖家的机器人接单发货",
        en="The seller's bot does the work",
        story_zh="卖家授权机器人接单、发货（只此两项，有限额有期限）；钱只会付到卖家登记的地址：{seller}。",
        story_en="The seller's bot may accept and deliver, nothing else; the money, {seller}, only ever "
        "goes to the seller's "
        "own address.",
        prepare=plots.token(1, 1, 99 * USDT),
        play=plots.by_operator,
    ),
)
