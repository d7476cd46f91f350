"""The table of the lifecycle, from `kameng_escrow.domain.lifecycle`, in both languages."""

import re

from kameng_escrow.domain.labels import label_of
from kameng_escrow.domain.lifecycle import LIFECYCLE, Clock, Row, Who
from kameng_escrow.domain.states import State

from .text import Lang, Text, kebab, table

WHO = {
    Who.Payer: Text("付款人", "payer"),
    Who.Buyer: Text("买家", "buyer"),
    Who.Seller: Text("卖家", "seller"),
    Who.Operator: Text("操作员", "operator"),
    Who.Parties: Text("买卖双方", "both parties"),
    Who.Mediator: Text("当值仲裁员", "the mediator in charge"),
    Who.Platform: Text("平台", "platform"),
    Who.Anyone: Text("任何人", "anyone"),
}
WHEN = {
    Clock.Opening: Text("t ≤ openBy", "t ≤ openBy"),
    Clock.AnyTime: Text("任何时候", "any time"),
    Clock.BeforeDeadline: Text("t < d", "t < d"),
    Clock.FromDeadline: Text("t ≥ d", "t ≥ d"),
    Clock.BeforeMediation: Text("t < n", "t < n"),
    Clock.Mediation: Text("n ≤ t < d", "n ≤ t < d"),
}
MONEY_WORDS = {
    "buyer": "买家",
    "seller": "卖家",
    "platform": "平台",
    "mediator": "仲裁员",
    "back": "退回",
    "lock": "锁定",
    "held": "所持",
    "or": "或",
}
# Functions that perform the rows of others: paid for in another way, or many at once.
PERFORMS = {
    "openWithPermit": ("open", "openWithOffer"),
    "openWithAuthorization": ("open", "openWithOffer"),
    "openWithPermit2": ("open", "openWithOffer"),
    "actWithPermit": ("dispute",),
    "actWithAuthorization": ("dispute",),
    "deliverMany": ("deliver",),
    "settleMany": ("settle",),
}
HEADS = Text(
    "# | 状态 | 函数 | 谁 | 何时 | 钱怎么走 | 结果 | 责任",
    "# | From → to | Function | Who | When | Money | Outcome | Fault",
)


def lifecycle_table(lang: Lang) -> str:
    """Every row, in order."""
    return table(HEADS[lang].split(" | "), (_cells(row, lang) for row in LIFECYCLE))


def rows_of(function: str) -> tuple[Row, ...]:
    """The rows that a function of the contract performs."""
    moves = PERFORMS.get(function, (function,))
    return tuple(row for row in LIFECYCLE if row.move in moves)


def rows_table(rows: tuple[Row, ...], lang: Lang) -> str:
    """The rows of one function, without its name."""
    heads = HEADS[lang].split(" | ")
    return table(heads[:2] + heads[3:], (cells[:2] + cells[3:] for cells in (_cells(row, lang) for row in rows)))


def who_of(rows: tuple[Row, ...], lang: Lang) -> str:
    """Everybody who may perform one of the rows."""
    found = dict.fromkeys(text for row in rows for text in _whos(row, lang))
    return "、".join(found) if lang == "zh" else ", ".join(found)


def _cells(row: Row, lang: Lang) -> list[str]:
    comma = "、" if lang == "zh" else ", "
    outcome, faults = row.outcome, row.faults
    separator = " 或 " if lang == "zh" else " or "
    return [
        str(row.number),
        _path(row, lang),
        f"[`{row.move}`](contract/{kebab(row.move)}.md)",
        comma.join(_whos(row, lang)),
        WHEN[row.clock][lang],
        _money(row.money, lang),
        f"{outcome.label}" + _gloss(outcome, lang) if row.ends else "",
        separator.join(fault.label + _gloss(fault, lang) for fault in faults),
    ]


def _gloss(word, lang: Lang) -> str:  # type: ignore[no-untyped-def]  # any word of the contract
    return f"（{label_of(word).zh}）" if lang == "zh" else ""


def _path(row: Row, lang: Lang) -> str:
    is_any = row.states == tuple(state for state in State if state.is_open)
    start = Text("任一未结束状态", "any open")[lang] if is_any else ", ".join(state.label for state in row.states)
    return start if row.to is None else f"{start} → {row.to.label}"


def _whos(row: Row, lang: Lang) -> list[str]:
    bracket = "（{}）" if lang == "zh" else " ({})"
    return [
        WHO[who][lang] + (bracket.format(row.right.name.upper()) if who is Who.Operator and row.right else "")
        for who in row.who
    ]


def _money(text: str, lang: Lang) -> str:
    """The table's notation; its few words translated."""
    if lang == "zh":
        text = re.sub(r"[a-z]{2,}", lambda word: MONEY_WORDS[word.group()], text)
    return text.replace("; ", "；" if lang == "zh" else "; ")
