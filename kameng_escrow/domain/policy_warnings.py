"""What the policy checker says, in English and Chinese. Sums are what of every 100 yuan changes hands."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from .labels import Label


class Severity(IntEnum):
    """How bad it is."""

    Notice = 1  # worth knowing
    Caution = 2  # outside of what is known to work: have a reason
    Danger = 3  # dishonesty pays, or honesty does not, even if everybody behaves as well as can be assumed


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWarning:
    """Something about a policy that its platform should know before registering it for ever."""

    code: str  # stable, made for machines
    severity: Severity
    field: str  # the attribute of ``Policy`` that it is about, or "price", the typical one (fen)
    recommended: int | None  # a better value for the field, in its own unit; None: another address
    message: str
    message_zh: str


def warning(
    code: str, severity: Severity, field: str, recommended: int | None, shown: Mapping[str, str]
) -> PolicyWarning:
    """The warning called `code`, with `shown` in its sentences."""
    template = WARNINGS[code]
    return PolicyWarning(
        code=code,
        severity=severity,
        field=field,
        recommended=recommended,
        message=template.en.format(**shown),
        message_zh=template.zh.format(**shown),
    )


WARNINGS: dict[str, Label] = {
    "no_mediator": Label(
        "Without a mediator lying pays: of every 100 yuan a buyer with good codes gains {dispute} by disputing, and a "
        "seller gains {garbage} by delivering garbage. Name a mediator and a backup.",
        "没有仲裁员，撒谎就有利可图：每 100 元，收到好卡的买家恶意争议可多得 {dispute} 元，"
        "卖家发假卡可多得 {garbage} 元。请指定仲裁员和候补仲裁员。",
    ),
    "no_backup": Label(
        "Without a backup one silent mediator is enough, and the sum in dispute is split: of every 100 yuan a lying "
        "buyer then gets {buyer}, a lying seller {seller}. Name a backup mediator.",
        "没有候补仲裁员，只要仲裁员沉默，争议金额就按比例分配：每 100 元，说谎的买家得 {buyer} 元，"
        "说谎的卖家得 {seller} 元。请指定候补仲裁员。",
    ),
    "mediator_earns_by_ruling": Label(
        "This mediator is also the platform or its fee receiver, and earns {fee} of every 100 yuan only by ruling for "
        "the seller. Name somebody else.",
        "该仲裁员同时是平台或手续费收款方，只有判卖家胜诉，每 100 元才能收到 {fee} 元手续费。请另行指定。",
    ),
    "seller_unbonded": Label(
        "Without a seller's bond, delivering garbage gains {gain} of every 100 yuan and vanishing costs nothing. Set "
        "the bond to {recommended} %, or take vetted sellers and small orders only.",
        "卖家没有保证金：每 100 元，发假卡可多得 {gain} 元，跑路毫无代价。"
        "请将保证金设为 {recommended}%，否则只接受审核过的卖家和小额订单。",
    ),
    "seller_bond_low": Label(
        "Delivering garbage gains a seller {gain} of every 100 yuan over honesty, although the mediators are right. "
        "All else equal it stops paying at a bond of {least} %; {recommended} % is recommended.",
        "即使仲裁正常，卖家发假卡每 100 元仍可比诚信多得 {gain} 元。其余不变时保证金达到 {least}% 才无利可图，"
        "建议设为 {recommended}%。",
    ),
    "seller_bond_thin": Label(
        "Should the mediators fail twice as often as assumed, delivering garbage gains a seller {gain} of every 100 "
        "yuan over honesty. All else equal that takes a bond of {least} % to deter; {recommended} % is recommended.",
        "若仲裁失误率翻倍，卖家发假卡每 100 元可比诚信多得 {gain} 元。其余不变时保证金达到 {least}% 才无利可图，"
        "建议设为 {recommended}%。",
    ),
    "seller_bond_high": Label(
        "A bond this high falls on the honest: a seller who is late once in 20 orders loses {late} of every 100 yuan "
        "to it, and earns {low} to {high}. Set it to {recommended} %.",
        "保证金过高会伤及诚信卖家：每 20 单迟发一单，平均每 100 元损失 {late} 元，而利润只有 {low} 至 {high} 元。"
        "请设为 {recommended}%。",
    ),
    "stubbornness_pays": Label(
        "A seller of garbage does {gain} of every 100 yuan better by fighting than by refunding, so that mediators get "
        "every case. All else equal that ends at a bond of {least} %; {recommended} % is recommended.",
        "发假卡的卖家硬扛仲裁比主动退款每 100 元多得 {gain} 元，纠纷都会涌向仲裁员。"
        "其余不变时保证金达到 {least}% 才会主动退款，建议设为 {recommended}%。",
    ),
    "dispute_bond_low": Label(
        "A buyer with good codes gains {gain} of every 100 yuan by disputing, although the mediators are right. "
        "All else equal it stops paying at a dispute bond of {least} %; {recommended} % is recommended.",
        "即使仲裁正常，收到好卡的买家恶意争议每 100 元仍可多得 {gain} 元。其余不变时争议押金达到 {least}% 才无利可图，"
        "建议设为 {recommended}%。",
    ),
    "dispute_bond_thin": Label(
        "Should the mediators fail twice as often as assumed, a buyer with good codes gains {gain} of every 100 yuan "
        "by disputing. All else equal that takes a dispute bond of {least} % to deter; {recommended} % is recommended.",
        "若仲裁失误率翻倍，收到好卡的买家恶意争议每 100 元可多得 {gain} 元。"
        "其余不变时争议押金达到 {least}% 才无利可图，建议设为 {recommended}%。",
    ),
    "dispute_bond_high": Label(
        "A dispute bond this high silences honest buyers: one must be {doubt} % sure of a bad code, and lay out {bond} "
        "more for every 100 yuan, before disputing is worth it. Set it to {recommended} %.",
        "争议押金过高会让诚实买家不敢维权：须有 {doubt}% 的把握确认是坏卡，且每 100 元再垫付 {bond} 元，"
        "争议才划算。请设为 {recommended}%。",
    ),
    "deposit_dispute_bond": Label(
        "Who pays by plain transfer to a deposit address has no coins for a dispute bond and could never dispute: set "
        "it to 0, and the mediation fee with it.",
        "通过充值地址转账付款的买家没有钱包余额缴纳争议押金，将永远无法发起争议：请将其与仲裁费一并设为 0。",
    ),
    "deposit_false_disputes": Label(
        "Without a dispute bond, as deposit addresses need it, a buyer with good codes gains {gain} of every 100 yuan "
        "by disputing: keep such orders small.",
        "充值地址订单不收争议押金，收到好卡的买家恶意争议每 100 元可多得 {gain} 元：此类订单宜小额。",
    ),
    "unequal_bonds": Label(
        "The buyer risks more than the seller: of every 100 yuan a buyer who is right wins {buyer}, a seller who is "
        "right {seller}. Set the dispute bond to {recommended} %, no more than the seller's.",
        "买家承担的风险高于卖家：每 100 元，有理的买家赢得 {buyer} 元，有理的卖家赢得 {seller} 元。"
        "请将争议押金设为 {recommended}%，不高于卖家保证金。",
    ),
    "not_worth_disputing": Label(
        "At this price a dispute costs an honest buyer more than it brings, so nobody disputes and garbage is paid "
        "for. Sell for {recommended} yuan or more an order.",
        "在此价位，诚实买家维权得不偿失，没有人会争议，发假卡也能收款。每单金额应不低于 {recommended} 元。",
    ),
    "price_high": Label(
        "A mediator who colludes with a party can share {pot} yuan of such an order, and earns {fee} by honest work. "
        "Split orders above {recommended} yuan, or take vetted sellers only.",
        "如此大额的订单，仲裁员与一方串通可瓜分 {pot} 元，而诚实仲裁只得 {fee} 元。"
        "请拆分超过 {recommended} 元的订单，或只接受审核过的卖家。",
    ),
    "silence_share_low": Label(
        "When nobody rules, a lying seller keeps {seller} of every 100 yuan and a lying buyer gets {buyer}: sellers "
        "gain by wearing mediators out. Give the buyer {recommended} %.",
        "无人裁决时，每 100 元，说谎的卖家留得 {seller} 元，说谎的买家得 {buyer} 元：拖垮仲裁对卖家有利。"
        "请将买家份额设为 {recommended}%。",
    ),
    "silence_share_high": Label(
        "When nobody rules, a lying buyer gets {buyer} of every 100 yuan and a lying seller keeps {seller}: buyers "
        "gain by wearing mediators out. Give the buyer {recommended} %.",
        "无人裁决时，每 100 元，说谎的买家得 {buyer} 元，说谎的卖家留得 {seller} 元：拖垮仲裁对买家有利。"
        "请将买家份额设为 {recommended}%。",
    ),
    "mediation_fee_low": Label(
        "A mediator earns {fee} of every 100 yuan in dispute: too little to count on a ruling. Set it to "
        "{recommended} %.",
        "仲裁员每 100 元争议金额只得 {fee} 元，很难指望其认真裁决。请设为 {recommended}%。",
    ),
    "mediation_fee_high": Label(
        "Mediation takes {fee} of every 100 yuan in dispute, more than the {high} that a seller earns at best, and "
        "whoever is right wins that much less. Set it to {recommended} %.",
        "仲裁费占争议金额每 100 元的 {fee} 元，高于卖家最高利润 {high} 元，胜诉方因此少得。请设为 {recommended}%。",
    ),
    "platform_fee_high": Label(
        "The platform takes {fee} of the {low} to {high} that a seller earns on 100 yuan. Set the fee to "
        "{recommended} %.",
        "卖家每 100 元只赚 {low} 至 {high} 元，平台就收取 {fee} 元。请将手续费设为 {recommended}%。",
    ),
    "margins_eaten": Label(
        "Fee and bond leave an honest seller nothing: {fee} of every 100 yuan to the platform and {late} for being "
        "late once in 20 orders are more than the leanest margin of {low}. Set the platform fee to {recommended} %.",
        "手续费加上迟发罚没吃光了诚信卖家的利润：每 100 元，平台收 {fee} 元，每 20 单迟发一单损失 {late} 元，"
        "超过最低利润 {low} 元。请将平台手续费设为 {recommended}%。",
    ),
    "cancellable_instant_codes": Label(
        "Instant codes that can be cancelled once accepted let a buyer order, watch the price, and take back all but "
        "{fee} of every 100 yuan while a code is set aside. Allow no cancelling.",
        "即时发货的卡密若允许接单后取消，买家可先下单观望，让卖家白白备卡，"
        "每 100 元只付出 {fee} 元代价。请禁止接单后取消。",
    ),
    "cancel_fee_low": Label(
        "A buyer who cancels an accepted order pays {fee} of every 100 yuan, less than the {high} that the seller may "
        "lose by it. Set the cancel fee to {recommended} %.",
        "买家取消已接订单每 100 元只付 {fee} 元，低于卖家可能损失的 {high} 元。请将取消费设为 {recommended}%。",
    ),
    "cancel_fee_high": Label(
        "A buyer who backs out pays {fee} of every 100 yuan, a seller who does {seller}. Set the cancel fee to "
        "{recommended} %.",
        "买家反悔每 100 元付出 {fee} 元，卖家反悔只付出 {seller} 元，并不对等。请将取消费设为 {recommended}%。",
    ),
    "inspect_window_short": Label(
        "{hours} h to inspect are too short for a night's sleep or a halted chain, and garbage pays as soon as fewer "
        "than {attention} % of buyers look in time. Give {wanted} h.",
        "验货时限 {hours} 小时过短，买家睡一觉或链上停摆就会错过；及时验货的买家不足 {attention}% 时，"
        "发假卡就有利可图。请设为 {wanted} 小时。",
    ),
    "negotiate_window_short": Label(
        "{hours} h to negotiate are too short for the other side to wake up and refund, replace or confirm: disputes "
        "go to the mediators that need not. Give {wanted} h.",
        "协商时限 {hours} 小时过短，对方来不及退款、补卡或确认，本可和解的争议都会进入仲裁。请设为 {wanted} 小时。",
    ),
    "mediate_window_short": Label(
        "{hours} h to mediate leave the mediator {half} h, and the backup as much: too short to count on a ruling. "
        "Give {wanted} h.",
        "仲裁时限 {hours} 小时，仲裁员只有 {half} 小时，候补仲裁员亦然，难以保证及时裁决。请设为 {wanted} 小时。",
    ),
    "accept_window_short": Label(
        "{minutes} minutes to accept are too short for a seller, or a chain, that is busy: buyers pay and are refunded "
        "for nothing. Give {wanted} minutes.",
        "接单时限 {minutes} 分钟过短，卖家或链上繁忙时会错过，买家白白付款又退款。请设为 {wanted} 分钟。",
    ),
    "deliver_window_short": Label(
        "{minutes} minutes to deliver are too short: one hiccup costs an honest seller the bond, {bond} of every 100 "
        "yuan. Give {wanted} minutes.",
        "发货时限 {minutes} 分钟过短，稍有故障，诚信卖家每 100 元就损失 {bond} 元保证金。请设为 {wanted} 分钟。",
    ),
    "accept_window_long": Label(
        "{minutes} minutes until an instant code is accepted tie up the buyer's money. {wanted} minutes are enough.",
        "即时卡密的接单时限长达 {minutes} 分钟，白白占用买家资金。{wanted} 分钟足够。",
    ),
    "deliver_window_long": Label(
        "{minutes} minutes until an instant code is delivered tie up both sides' money, and a seller whose price moved "
        "by more than {half} of 100 yuan would rather decline. {wanted} minutes are enough.",
        "即时卡密的发货时限长达 {minutes} 分钟，占用双方资金；每 100 元价格波动超过 {half} 元，卖家就宁可拒单。"
        "{wanted} 分钟足够。",
    ),
    "money_locked_long": Label(
        "In the worst case an order's money is locked for {days} days, mostly by this window. Shorten it.",
        "最坏情况下订单资金会被锁定 {days} 天，主要因为该时限。请缩短。",
    ),
}
