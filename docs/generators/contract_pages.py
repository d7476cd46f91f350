"""A page for every operation of the contract."""

from .gas import gas_of
from .guards import Guard
from .interface import declaration, selector
from .lifecycle import rows_of, rows_table, who_of
from .operations import GROUPS, OPERATIONS, Operation
from .text import Lang, Text, kebab, table

NOTICE = "<!-- Written by docs/generators; change operations/ there, then run `make docs`. -->"


def stem(operation: Operation) -> str:
    return f"contract/{kebab(operation.name)}"


def contract_page(operation: Operation, lang: Lang) -> str:
    """The whole page of one operation."""
    rows = rows_of(operation.name)
    who = operation.who[lang] if operation.who else who_of(rows, lang)
    parts = [
        NOTICE,
        f"# {operation.name}",
        operation.purpose[lang],
        f"```solidity\n{declaration('function', operation.name)}\n```",
        _facts(operation, who, lang),
    ]
    if rows:
        heading = Text("## 状态、时间和钱", "## State, time and money")[lang]
        legend = Text(
            "记号见[生命周期](../lifecycle.md#notation)。",
            "For the notation see [the lifecycle](../lifecycle.md#notation).",
        )[lang]
        parts += [heading, rows_table(rows, lang).replace("](contract/", "]("), legend]
    elif operation.money:
        parts += [Text("## 钱", "## Money")[lang], operation.money[lang]]
    parts += [Text("## 检查，按先后", "## Guards, in order")[lang], _guards(operation.guards, lang)]
    if operation.notes:
        parts += [Text("## 说明", "## Notes")[lang], "\n".join(f"- {note[lang]}" for note in operation.notes)]
    return "\n\n".join(parts) + "\n"


def contract_index(lang: Lang) -> str:
    """The operations by group, one line each."""
    parts = []
    for key, title in GROUPS.items():
        parts.append(f"### {title[lang]}")
        heads = Text("函数 | 做什么", "Function | What it does")[lang].split(" | ")
        found = [operation for operation in OPERATIONS if operation.group == key]
        parts.append(table(heads, ([f"[`{one.name}`]({kebab(one.name)}.md)", one.purpose[lang]] for one in found)))
    return "\n\n".join(parts)


def _facts(operation: Operation, who: str, lang: Lang) -> str:
    events = ("、" if lang == "zh" else ", ").join(f"[`{name}`](events.md#{name.lower()})" for name in operation.events)
    facts = [
        (Text("谁可以调用", "Who may call"), who),
        (Text("事件", "Events"), events),
        (Text("Python", "Python"), f"[`client.{operation.sdk}(…)`](../sdk.md)"),
        (Text("选择器", "Selector"), f"`{selector(operation.name)}`"),
        (Text("[Gas](index.md#gas)", "[Gas](index.md#gas)"), gas_of(operation.name, lang)),
    ]
    return "\n".join(f"- **{name[lang]}**{'：' if lang == 'zh' else ': '}{value}" for name, value in facts)


def _guards(guards: tuple[Guard, ...], lang: Lang) -> str:
    heads = Text("# | 错误 | 何时拒绝", "# | Error | Refused when")[lang].split(" | ")
    return table(
        heads,
        (
            [str(number), f"[`{one.error}`](../errors.md#{one.error.lower()})", one.when[lang]]
            for number, one in enumerate(guards, 1)
        ),
    )


def contract_pages(lang: Lang) -> dict[str, str]:
    """Every operation's page, by its stem."""
    return {stem(operation): contract_page(operation, lang) for operation in OPERATIONS}
