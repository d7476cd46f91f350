"""Advice in plain words, in both languages."""

from kameng_escrow.domain.labels import POLICY_LABELS, Label
from kameng_escrow.domain.policy import NO_CANCEL

from .advice import Advice, Effect
from .candidates import Change
from .replays import Interval

# What a change means to people, by the number and whether it grows.
_MEANING: dict[tuple[str, bool], Label] = {
    ("accept_window", True): Label(
        "sellers have more time to accept; buyers wait longer for a no", "卖家有更多时间接单；买家等到“不接”更久"
    ),
    ("accept_window", False): Label(
        "buyers know sooner; slow sellers miss orders", "买家更早知道结果；慢的卖家会错过订单"
    ),
    ("deliver_window", True): Label(
        "fewer honest sellers are late and lose their bond; who never delivers is found out later",
        "诚实卖家更少因超时丢保证金；不发货的更晚暴露",
    ),
    ("deliver_window", False): Label(
        "buyers have their money back sooner; more honest sellers are late", "买家更早退款；更多诚实卖家会超时"
    ),
    ("inspect_window", True): Label(
        "buyers have more time to look; sellers are paid later", "买家有更多时间验货；卖家更晚收款"
    ),
    ("inspect_window", False): Label(
        "sellers are paid sooner; buyers who look late lose their say", "卖家更早收款；晚看的买家失去争议机会"
    ),
    ("negotiate_window", True): Label("more time to settle without a mediator", "有更多时间自行协商"),
    ("negotiate_window", False): Label("disputes reach the mediator sooner", "争议更早到仲裁员"),
    ("mediate_window", True): Label(
        "mediators are silent less often; money in dispute waits longer", "仲裁员更少超时；争议款等得更久"
    ),
    ("mediate_window", False): Label(
        "money in dispute waits less; a slow mediator misses its half", "争议款等得更短；慢的仲裁员会错过期限"
    ),
    ("seller_bond_bps", True): Label(
        "cheating costs sellers more; more of their money is locked", "卖家作弊代价更高；锁定的钱也更多"
    ),
    ("seller_bond_bps", False): Label(
        "less of sellers' money is locked, and honest mistakes cost less; so does cheating",
        "卖家锁定的钱更少，无心之失代价更小；作弊代价也更小",
    ),
    ("dispute_bond_bps", True): Label(
        "false disputes cost more; so do honest ones", "虚假争议代价更高；诚实的争议也是"
    ),
    ("dispute_bond_bps", False): Label("disputing is cheaper, honest or not", "发起争议更便宜，无论真假"),
    ("cancel_fee_bps", True): Label("leaving after acceptance costs buyers more", "接单后取消，买家付得更多"),
    ("cancel_fee_bps", False): Label("buyers may leave after acceptance for less", "接单后买家可以更便宜地取消"),
    ("silence_share_bps", True): Label("buyers get more where no mediator rules", "仲裁员沉默时买家得到更多"),
    ("silence_share_bps", False): Label("sellers get more where no mediator rules", "仲裁员沉默时卖家得到更多"),
}

# Measure, its name, its scale, its unit: what grows is worse in each.
MEASURES: tuple[tuple[str, Label, float, Label], ...] = (
    ("failed", Label("orders that come to nothing", "落空的订单"), 100.0, Label("% points", "个百分点")),
    ("harm_fen", Label("honest people's losses, per order", "诚实者的损失（每单）"), 0.01, Label("yuan", "元")),
    ("refund_hours", Label("buyers: hours to a refund", "买家：退款用时"), 1.0, Label("h", "小时")),
    ("paid_hours", Label("sellers: hours to be paid", "卖家：收款用时"), 1.0, Label("h", "小时")),
    (
        "frozen_fen_days",
        Label("sellers: money frozen, per order", "卖家：冻结的钱（每单）"),
        0.01,
        Label("yuan·days", "元·天"),
    ),
    ("mediated", Label("disputes for the mediator, of 1,000 orders", "仲裁量（每千单）"), 1_000.0, Label("", "件")),
    ("cost_fen", Label("all of it weighed, per order", "综合代价（每单）"), 0.01, Label("yuan", "元")),
)


def change_text(change: Change) -> Label:
    """One change: from, to, and what it means."""
    numbers = numbers_text(change)
    # No cancelling at all is the highest of fees.
    meaning = _MEANING[change.field, change.after > change.before]
    return Label(f"{numbers.en} ({meaning.en})", f"{numbers.zh}（{meaning.zh}）")


def numbers_text(change: Change) -> Label:
    """One change: from and to."""
    label = POLICY_LABELS[change.field]
    before, after = number_text(change.field, change.before), number_text(change.field, change.after)
    return Label(f"{label.en}: {before.en} → {after.en}", f"{label.zh}：{before.zh} → {after.zh}")


def number_text(field: str, value: int) -> Label:
    """A policy's number as people say it."""
    if field == "cancel_fee_bps" and value == NO_CANCEL:
        return Label("no cancel once accepted", "接单后不可取消")
    if field.endswith("_bps"):
        text = f"{value / 100:g}%"
        return Label(text, text)
    minutes = value // 60
    if minutes < 120 or minutes % 60:
        return Label(f"{minutes} min", f"{minutes} 分钟")
    if minutes < 2_880 or minutes % 1_440:
        return Label(f"{minutes // 60} h", f"{minutes // 60} 小时")
    return Label(f"{minutes // 1_440} days", f"{minutes // 1_440} 天")


def interval_text(interval: Interval, scale: float, unit: Label) -> Label:
    """`-7.4 % points (-8.3 … -6.4)`."""
    mean, low, high = (f"{value * scale:+.2f}" for value in (interval.mean, interval.low, interval.high))
    return Label(f"{mean} {unit.en} ({low} … {high})".replace("  ", " "), f"{mean} {unit.zh}（{low} … {high}）")


def basis_text(advice: Advice) -> Label:
    """What the advice rests on."""
    if advice.enough:
        return Label(f"from {advice.orders} orders that have ended", f"依据 {advice.orders} 笔已结束的订单")
    return Label(
        f"only {advice.orders} orders have ended: too little history, so that this rests mostly on the parameters' own "
        "numbers",
        f"只有 {advice.orders} 笔已结束的订单：历史太少，主要依据内置参数",
    )


def verdict_text(advice: Advice) -> Label:
    """What to do."""
    if advice.effect is None:
        return Label("nothing that was tried is surely better: keep the policy", "试过的改动都没有把握更好：保持原规则")
    count = len(advice.effect.changes)
    changes = "change" if count == 1 else "changes"
    if not advice.enough:
        return Label(
            f"if your people are like the parameters', {count} {changes} would serve better; ask again later",
            f"如果你的用户与内置参数相似，{count} 处改动会更好；历史多了请再问一次",
        )
    return Label(
        f"{count} {changes} would have served better, with 95 % confidence", f"{count} 处改动本来会更好（95% 置信）"
    )


def effect_lines(effect: Effect) -> list[tuple[Label, Label]]:
    """Each measure's name, and by how much it differs."""
    return [(name, interval_text(effect.differences[key], scale, unit)) for key, name, scale, unit in MEASURES]
