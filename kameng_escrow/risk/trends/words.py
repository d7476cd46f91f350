"""What an outlook says, in sentences of each language."""

from typing import NamedTuple

from .outlook import Outlook
from .series import Measure, date_of


class Said(NamedTuple):
    """A sentence in both languages."""

    en: str
    zh: str


WEEKDAYS = (
    Said("Monday", "周一"),
    Said("Tuesday", "周二"),
    Said("Wednesday", "周三"),
    Said("Thursday", "周四"),
    Said("Friday", "周五"),
    Said("Saturday", "周六"),
    Said("Sunday", "周日"),
)
MEASURES = {Measure.Cancelled: Said("cancellations", "取消"), Measure.Disputed: Said("disputes", "争议")}


def remarks(outlook: Outlook) -> list[Said]:
    """What changed and since when, what the week is like, what is to be expected, and how far to trust it."""
    said = [*_changes(outlook), *_week(outlook)]
    what = MEASURES[outlook.series.measure]
    if outlook.too_few:
        orders = sum(outlook.series.orders)
        said.append(
            Said(
                f"{orders} orders ended so far: too few for a forecast.",
                f"到目前为止共结束 {orders} 笔订单，数量太少，不作预测。",
            )
        )
        return said
    week = sum(one.expected for one in outlook.ahead)
    first, last = outlook.ahead[0], outlook.ahead[-1]
    said.append(
        Said(
            f"About {week:.0f} {what.en} are to be expected from {date_of(first.day)} to {date_of(last.day)}; on the "
            f"first day {first.low_80} to {first.high_80} (80 %), or {first.low_95} to {first.high_95} (95 %).",
            f"预计 {date_of(first.day)} 至 {date_of(last.day)} 约有 {week:.0f} 笔{what.zh}；"
            f"首日 80% 区间为 {first.low_80} 至 {first.high_80} 笔，95% 区间为 {first.low_95} 至 {first.high_95} 笔。",
        )
    )
    if outlook.few:
        hits = sum(outlook.series.hits)
        said.append(
            Said(
                f"There were only {hits} {what.en} so far: the intervals are wide, and rightly so.",
                f"到目前为止只有 {hits} 笔{what.zh}，区间较宽，这是应有的。",
            )
        )
    for one in outlook.coverage:
        if one.within is not None:
            said.append(
                Said(
                    f"Of {one.forecasts} forecasts that came to their day, {one.within:.0%} lay within the "
                    f"{one.level:.0%} interval.",
                    f"已到期的 {one.forecasts} 次预测中，{one.within:.0%} 落在 {one.level:.0%} 区间内。",
                )
            )
    return said


def _changes(outlook: Outlook) -> list[Said]:
    what = MEASURES[outlook.series.measure]
    return [
        Said(
            f"Since {date_of(one.day)} (between {date_of(one.earliest)} and {date_of(one.latest)}), {what.en} are "
            f"{one.after:.1%} of orders; before, {one.before:.1%}.",
            f"自 {date_of(one.day)} 起（介于 {date_of(one.earliest)} 与 {date_of(one.latest)} 之间），"
            f"{what.zh}占订单的 {one.after:.1%}，此前为 {one.before:.1%}。",
        )
        for one in outlook.changes
    ]


def _week(outlook: Outlook) -> list[Said]:
    high = [WEEKDAYS[one.weekday] for one in outlook.weekdays if one.low > 1]
    low = [WEEKDAYS[one.weekday] for one in outlook.weekdays if one.high < 1]
    said = []
    if high:
        said.append(
            Said(
                f"There are more than usual on {', '.join(one.en for one in high)}.",
                f"{'、'.join(one.zh for one in high)}高于平日。",
            )
        )
    if low:
        said.append(
            Said(
                f"There are fewer than usual on {', '.join(one.en for one in low)}.",
                f"{'、'.join(one.zh for one in low)}低于平日。",
            )
        )
    return said
