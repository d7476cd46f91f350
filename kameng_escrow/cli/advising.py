"""`kameng policy advise`: which rules would have served better, from the platform's own history."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .command import STORE, both, command
from .files import require_writable, write_text
from .forms import clock, iso, parse_address, parse_hash
from .interrupts import heed
from .policies import PRICE, document_of, fen_of, warning_data, warning_text
from .problems import BadInput
from .screen import Answer, Screen, to_json
from .session import Session
from .simulating import PARAMETERS, SEED

if TYPE_CHECKING:
    from ..simulate.advice import Advice
    from ..simulate.history import Group

_CONTRACT = ("chain_id", "contract", "deployments")
_TRIED = 6  # rows shown; --json has all


def register(app: typer.Typer) -> None:
    """Adds the command to `kameng policy`."""
    command(
        app,
        "advise",
        zh="按自己的历史建议规则：哪些时限和保证金本来会更好",
        en="Advise on rules from your own history: which windows and bonds would have served better",
        uses=STORE + _CONTRACT,
    )(advise)


def advise(
    session: Session,
    platform: Annotated[
        str, typer.Option("--platform", metavar="ADDRESS", help=both("只看这个平台的规则", "Only this platform's"))
    ] = "",
    category: Annotated[
        str, typer.Option("--category", metavar="NAME", help=both("只看这个品类", "Only this category"))
    ] = "",
    policy: Annotated[
        str, typer.Option("--policy", metavar="POLICY", help=both("只看这条规则", "Only this policy"))
    ] = "",
    price: PRICE = "100",
    replays: Annotated[
        int,
        typer.Option(
            "--replays",
            min=4,
            max=200,
            help=both("重放多少次：越多，区间越窄", "How many replays: more make the intervals narrower"),
        ),
    ] = 12,
    orders: Annotated[
        int,
        typer.Option("--orders", min=20, max=5_000, help=both("每次重放多少笔订单", "How many orders in each replay")),
    ] = 150,
    stock: Annotated[
        bool,
        typer.Option("--instant/--made-to-order", help=both("现货，还是接单后才备货", "In stock, or made to order")),
    ] = True,
    seed: SEED = 1,
    parameters: PARAMETERS = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=both(
                "把建议的规则写成这个文件（仅一组时）", "Write the advised policy to this file (of one group only)"
            ),
        ),
    ] = None,
) -> Answer:
    from ..simulate.advice import advise as advised
    from ..simulate.history import groups_of
    from ..simulate.parameters import load_parameters

    if output is not None:
        require_writable(output)
    fen = fen_of(price)
    priors = load_parameters(parameters)
    book = session.book()
    groups = groups_of(
        session.store(),
        book,
        platform=parse_address(platform, "--platform") if platform else None,
        category=category or None,
        policy_id=parse_hash(policy, "--policy") if policy else None,
    )
    screen = session.screen
    if not groups:
        raise BadInput(
            "镜像里没有符合条件、仍在接单的规则下的订单：请运行 kameng mirror --once，或放宽条件。",
            "The mirror has no order under a live policy that fits: run `kameng mirror --once`, or ask for less.",
        )
    if output is not None and len(groups) > 1:
        names = ", ".join(group.name for group in groups)
        raise BadInput(
            f"--output 只写一组的建议，而这里有 {len(groups)} 组（{names}）：请用 --policy 或 --category 选一组。",
            f"--output takes one group's advice, of {len(groups)} ({names}): choose by --policy or --category.",
        )
    found = []
    for group in groups:
        if not any(order.closed_at for order in group.orders):
            screen.note(f"{group.name}：还没有已结束的订单，略过", f"{group.name}: no order has ended yet, left out")
            continue
        with screen.progress(f"重放 {group.name}", f"replaying {group.name}") as tick:

            def progress(done: int, total: int, tick: Any = tick) -> None:
                heed()
                tick(done, total)

            one = advised(
                group.orders,
                group.policy,
                priors,
                group=group.name,
                price_fen=fen,
                instant=stock,
                replays=replays,
                orders=orders,
                seed=seed,
                progress=progress,
            )
        found.append((group, one))
    lines: list[Any] = []
    for group, one in found:
        lines += [*_lines(screen, group, one), ""]
    if output is not None and found:
        write_text(output, to_json(document_of(found[0][1].advised, without=("effective_from",))) + "\n")
        lines.append(screen.say(f"✓ 建议的规则已写入 {output}", f"✓ the advised policy is written to {output}"))
    return Answer({"advice": [_data(group, one) for group, one in found]}, lines)


def _lines(screen: Screen, group: "Group", advice: "Advice") -> list[Any]:
    from ..domain.categories import category_label
    from ..simulate.advice_words import basis_text, change_text, effect_lines, interval_text, numbers_text, verdict_text
    from ..simulate.replays import Interval

    def told(label: Any) -> str:
        return str(getattr(label, screen.lang))

    name = told(category_label(group.category)) if group.category else screen.say("（无品类）", "(no category)")
    lines: list[Any] = [
        f"{name} · {group.policy_id}",
        f"  {told(basis_text(advice))}",
        f"  {told(verdict_text(advice))}",
    ]
    if advice.effect is not None:
        lines += [f"  · {told(change_text(change))}" for change in advice.effect.changes]
        table = screen.table(("", ""), ("与现在相比（95% 区间）", "against now (95 % interval)"), right=(1,))
        for label, text in effect_lines(advice.effect):
            table.add_row(f"    {told(label)}", told(text))
        lines += [table, *(f"  {warning_text(screen, found)}" for found in advice.warnings)]
    table = screen.table(("  试过的改动", "  Tried"), ("综合代价（元/单）", "All weighed, yuan an order"), right=(1,))
    for effect in advice.tried[:_TRIED]:
        cost: Interval = effect.differences["cost_fen"]
        change = told(numbers_text(effect.changes[0]))
        table.add_row(f"    {change}", told(interval_text(cost, 0.01, _no_unit())))
    lines.append(table)
    days = advice.review_days
    due = clock(group.review_by)
    if advice.effect is None:
        lines.append(
            screen.say(
                f"  规则的复审期限是 {due}：kameng policy review {group.policy_id} --review-by {days}d",
                f"  The policy's review is due by {due}: kameng policy review {group.policy_id} --review-by {days}d",
            )
        )
    else:
        lines.append(
            screen.say(
                f"  规则不可修改：用 --output 写出新规则，kameng policy register FILE --review-by {days}d，再停用这一条"
                f"（它的复审期限是 {due}）",
                f"  Policies can't be changed: write the new one (--output), kameng policy register FILE "
                f"--review-by {days}d, then retire this one (its review is due by {due})",
            )
        )
    return lines


def _no_unit() -> Any:
    from ..domain.labels import Label

    return Label("", "")


def _data(group: "Group", advice: "Advice") -> dict[str, Any]:
    from ..simulate.advice_documents import advice_json

    return {
        "category": group.category,
        "policy_id": group.policy_id,
        "review_by": iso(group.review_by),
        **advice_json(advice),
        "advised": None if advice.effect is None else document_of(advice.advised),
        "warnings": [warning_data(found) for found in advice.warnings],
    }
