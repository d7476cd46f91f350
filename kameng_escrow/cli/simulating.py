"""`kameng simulate`: a market of agents, and what the rules do to them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domain.labels import label_of
from ..domain.states import Fault, Outcome
from .command import both, command
from .files import require_writable, write_text
from .forms import clock, span
from .interrupts import heed
from .problems import CHECK_FAILED, BadInput
from .screen import Answer, Screen, to_json
from .session import Session

if TYPE_CHECKING:
    from ..simulate.figures import Figures
    from ..simulate.holding import Held, Place

_MOST_ORDERS = 200_000
_SUFFERERS = 8  # rows shown; the report has all


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    command(
        app,
        "simulate",
        zh="模拟一个市场：各式买家、卖家、仲裁员和平台，走真实的合约",
        en="Simulate a market of buyers, sellers, mediators and platforms on the real contract",
        own_json=True,
    )(simulate)


PARAMETERS = Annotated[
    Path | None,
    typer.Option(
        "--parameters",
        metavar="FILE",
        help=both("行为参数（TOML），只写要改的", "Behaviour (TOML): only what is to be changed"),
    ),
]
SEED = Annotated[
    int, typer.Option("--seed", min=0, help=both("随机种子：同样的种子，同样的市场", "The same seed, the same market"))
]


def simulate(
    session: Session,
    orders: Annotated[
        int | None,
        typer.Option(
            "--orders",
            min=1,
            max=_MOST_ORDERS,
            help=both(
                "多少笔订单；缺省 anvil 10000、in-process 40、twin 2000",
                "How many; left out, 10,000 on anvil, 40 in-process, 2,000 in the twin",
            ),
        ),
    ] = None,
    seed: SEED = 1,
    node: Annotated[
        str,
        typer.Option(
            "--node",
            metavar="anvil|in-process|twin",
            help=both(
                "在哪里：Anvil 链、进程内的链，或合约的孪生（不用链，最快）",
                "Where: an Anvil, a chain in this process, or the contract's twin (no chain, fastest)",
            ),
        ),
    ] = "in-process",
    parameters: PARAMETERS = None,
    show_parameters: Annotated[
        bool,
        typer.Option(
            "--show-parameters",
            help=both(
                "打印全部行为参数及其理由，不模拟", "Print all parameters with their reasons, and simulate nothing"
            ),
        ),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help=both("把报告写成这个 HTML 文件", "Write the report to this HTML file")
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            metavar="FILE",
            help=both(
                "把镜像的数据库留在这里（SQLite，新文件），供其他命令用",
                "Keep the mirror's store here (SQLite, a new file), for the other commands",
            ),
        ),
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help=both("把数字写进这个 JSON 文件", "Write the figures to this JSON file")
        ),
    ] = None,
) -> Answer:
    from ..simulate.holding import USUAL_ORDERS, hold
    from ..simulate.parameters import load_parameters, parameters_text

    if show_parameters:
        text = parameters_text()
        session.screen.document(text)
        return Answer({"parameters": text}, printed=True)
    place = _place(node)
    if keep is not None and (place == "twin" or keep.exists()):
        raise BadInput(
            "--keep 要一个新文件，并且要在链上（anvil 或 in-process）：孪生没有镜像。",
            "--keep takes a new file, and a chain (anvil or in-process): the twin has no mirror.",
        )
    for path in (report, json_file, keep):
        if path is not None:
            require_writable(path)
    behaviour = load_parameters(parameters)
    count = USUAL_ORDERS[place] if orders is None else orders
    screen = session.screen
    screen.show(
        screen.say(
            f"模拟 {count:,} 笔订单，{behaviour.market.days:g} 天，种子 {seed}，场地 {place}……",
            f"Simulating {count:,} orders over {behaviour.market.days:g} days, seed {seed}, on {place} …",
        )
    )
    with screen.progress("模拟", "simulating", unit=screen.say("单", "orders")) as tick:

        def progress(done: int, total: int, at: int) -> None:
            heed()
            tick(done, total, clock(at))

        held = hold(behaviour, orders=count, seed=seed, place=place, keep=keep, progress=progress)
    screen.show("", *summary(screen, held))
    data = figures_data(held)
    if json_file is not None:
        write_text(json_file, to_json(data) + "\n")
        screen.show(screen.say(f"数字已写入 {json_file}", f"Figures written to {json_file}"))
    if report is not None:
        from ..simulate.report import render

        write_text(report, render(held.market, held.figures, seconds=held.seconds))
        screen.show(screen.say(f"报告已写入 {report}", f"Report written to {report}"))
    return Answer(data, exit_code=0 if held.good else CHECK_FAILED)


def figures_data(held: "Held") -> dict[str, Any]:
    """What the JSON file holds."""
    return {
        "venue": held.market.venue,
        "seed": held.market.seed,
        "seconds": round(held.seconds, 2),
        **held.figures.to_json(),
    }


def summary(screen: Screen, held: "Held") -> list[Any]:
    """Tables and the verdict, for people."""
    figures = held.figures
    lines: list[Any] = [_counts(screen, figures.outcomes, figures.orders, Outcome, ("结局", "Outcome")), ""]
    lines += [_counts(screen, figures.faults, figures.orders, Fault, ("责任", "Fault")), ""]
    lines += [_waits(screen, figures), "", _suffering(screen, figures), "", *_verdict(screen, held)]
    return lines


def _place(node: str) -> "Place":
    from ..simulate.holding import Place

    try:
        return Place(node)
    except ValueError:
        raise BadInput(
            f"--node 只能是 anvil、in-process 或 twin，不能是 {node!r}。",
            f"--node is anvil, in-process or twin, not {node!r}.",
        ) from None


def _counts(screen: Screen, counts: Any, orders: int, kind: Any, head: tuple[str, str]) -> Any:
    table = screen.table(head, ("订单", "Orders"), ("占比", "Share"), right=(1, 2))
    for name, count in counts.items():
        table.add_row(getattr(label_of(kind.from_label(name)), screen.lang), f"{count:,}", _percent(count, orders))
    return table


def _waits(screen: Screen, figures: "Figures") -> Any:
    table = screen.table(
        ("到账用时", "Time to money"),
        ("订单", "Orders"),
        ("中位", "Median"),
        ("九成以内", "Nine in ten within"),
        ("最长", "Longest"),
        right=(1, 2, 3, 4),
    )
    for zh, en, one in (
        ("卖家收款", "sellers paid", figures.to_seller),
        ("买家退款", "buyers refunded", figures.to_buyer),
    ):
        times = (span(seconds, screen.lang) for seconds in (one.median, one.ninth_decile, one.longest))
        table.add_row(screen.say(zh, en), f"{one.orders:,}", *times)
    return table


def _suffering(screen: Screen, figures: "Figures") -> Any:
    from ..simulate.words import kind_label

    table = screen.table(
        ("谁受了损失", "Who suffered"),
        ("订单", "Orders"),
        ("受损", "Harmed in"),
        ("损失（元）", "Lost, yuan"),
        ("多得（元）", "Gained, yuan"),
        right=(1, 2, 3, 4),
    )
    for one in figures.suffering[:_SUFFERERS]:
        name = getattr(kind_label(one.kind), screen.lang)
        table.add_row(name, f"{one.orders:,}", f"{one.harmed:,}", _yuan(one.lost_fen), _yuan(one.gained_fen))
    return table


def _verdict(screen: Screen, held: "Held") -> list[str]:
    figures = held.figures
    most = _yuan(figures.frozen_most_fen)
    lines = [screen.say(f"托管中最多时 {most} 元", f"{most} yuan in escrow at most")]
    if figures.gas_per_order:
        lines.append(
            screen.say(f"平均每单 {figures.gas_per_order:,} gas", f"{figures.gas_per_order:,} gas an order on average")
        )
    if figures.conserved:
        lines.append(screen.say("✓ 每种币：进 = 出 + 存", "✓ in = out + held, for each coin"))
    else:
        lines.append(screen.say("✗ 账不平", "✗ the books do not close"))
    if figures.mirror_equals_chain is not None:
        same = figures.mirror_equals_chain
        lines.append(
            screen.say(
                "✓ 镜像 = 链：每笔订单、每个余额" if same else "✗ 镜像与链不一致",
                "✓ mirror = chain: every order, every balance" if same else "✗ the mirror differs from the chain",
            )
        )
    rate = figures.orders / held.seconds if held.seconds else 0
    lines.append(
        screen.say(
            f"共 {held.seconds:.1f} 秒，每秒 {rate:,.1f} 单", f"{held.seconds:.1f} seconds, {rate:,.1f} orders a second"
        )
    )
    return lines


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02}"


def _percent(part: int, whole: int) -> str:
    return f"{1000 * part // whole / 10 if whole else 0:.1f}%"
