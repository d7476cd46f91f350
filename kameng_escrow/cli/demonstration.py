"""`kameng demo`: shows the demo while it happens, and what it comes to."""

import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domain.labels import label_of
from .command import both, command
from .deeds import shares_data
from .files import require_writable, write_text
from .forms import Currency, span
from .interrupts import heed
from .network import stop_on_signals, write_dev_keys
from .problems import CHECK_FAILED
from .screen import Answer, Screen, to_json
from .session import NATIVE, Session

if TYPE_CHECKING:
    from ..chain.nodes import LocalNode
    from ..demo import Demo, DemoResult, OrderResult
    from ..demo.endings import Ending


NARROW = 105  # columns; a table of everything needs about as many


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    command(
        app,
        "demo",
        zh="演示：在一条本地链上走完订单的每一种结局，再核对账目",
        en="Take orders through every ending on a local chain, then check the books",
        own_json=True,
    )(demo)


def demo(
    session: Session,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help=both("演示完就退出；否则链留着供查看", "End by itself; else the chain stays to look at")
        ),
    ] = False,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help=both("把结果写进这个 JSON 文件", "Write what happened to this JSON file")
        ),
    ] = None,
    node: Annotated[
        str,
        typer.Option(
            "--node",
            metavar="in-process|anvil|URL",
            help=both("在哪条链上演示", "Where: a chain in this process, an Anvil, or a development node's URL"),
        ),
    ] = "in-process",
) -> Answer:
    from ..demo import Demo

    if json_file is not None:
        require_writable(json_file)
    screen = session.screen
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kameng-demo-")))
        screen.show(
            screen.say(
                "正在准备：启动链、部署合约、登记规则、发放测试币……",
                "Setting up: a chain, the contracts, policies, test money …",
            )
        )
        local = _start(stack, node, stay=not once)
        staging = Demo(local, folder / "store.sqlite")
        staging.prepare()
        result = _run(screen, staging)
        screen.show("", _table(screen, result), "")
        _verdict(screen, result)
        data = result_data(result)
        if json_file is not None:
            write_text(json_file, to_json(data) + "\n")
            screen.show(screen.say(f"结果已写入 {json_file}", f"Written to {json_file}"))
        if not once and result.good:
            _stay(session, stack, staging, local, folder)
    return Answer(data, exit_code=0 if result.good else CHECK_FAILED)


def result_data(result: "DemoResult") -> dict[str, Any]:
    """What the JSON file holds."""
    return {
        "orders": [
            {
                "id": order.order_id,
                "ending": order.ending.key,
                "state": order.state.label,
                "outcome": order.outcome.label,
                "fault": order.fault.label,
                "token": order.token,
                "price": str(order.price),
                "shares": shares_data(order.shares),
                "gas": order.gas,
                "seconds_to_money": order.seconds_to_money,
            }
            for order in result.orders
        ],
        "mirror_equals_chain": result.audit.mirror_equals_chain,
        "differences": [
            {"what": d.what, "field": d.field, "mirrored": d.mirrored, "on_chain": d.on_chain}
            for d in result.audit.differences
        ],
        "conserved": result.audit.conserved,
        "money": [
            {
                "token": flow.token,
                "came_in": str(flow.came_in),
                "went_out": str(flow.went_out),
                "held": str(flow.held),
                "owed": str(flow.owed),
            }
            for flow in result.audit.flows
        ],
        "seconds": round(result.seconds, 2),
    }


def _start(stack: ExitStack, where: str, *, stay: bool) -> "LocalNode":
    if where == "anvil":
        from ..chain.anvil import AnvilNode

        return stack.enter_context(AnvilNode())
    if where == "in-process":
        from ..chain.in_process import Clock, InProcessNode

        # Whoever stays to look around expects time to pass; a demo that ends repeats itself exactly.
        return stack.enter_context(InProcessNode(clock=Clock.Real if stay else Clock.Manual))
    from ..demo.stage import RemoteDevNode

    remote = stack.enter_context(RemoteDevNode(where))
    remote.require_suitable()
    return remote


def _run(screen: Screen, staging: "Demo") -> "DemoResult":
    from ..demo.endings import ENDINGS

    total = len(ENDINGS)
    with screen.progress("演示", "demo", unit=screen.say("单", "orders")) as tick:
        count = 0

        def begun(number: int, ending: "Ending") -> None:
            heed()
            tick(number - 1, total, screen.say(ending.zh, ending.en))

        def ended(order: "OrderResult") -> None:
            nonlocal count
            count += 1
            tick(count, total)
            title = screen.say(order.ending.zh, order.ending.en)
            screen.show(f"{count:>2}/{total} {title}", screen.paragraph(_story(screen, order), 6))

        return staging.run(begun, ended)


def _story(screen: Screen, order: "OrderResult") -> str:
    currency = _currency(order.token)
    shares = order.shares
    return screen.say(order.ending.story_zh, order.ending.story_en).format(
        price=currency.show(order.price),
        buyer=currency.show(shares.to_buyer),
        seller=currency.show(shares.to_seller),
        fee=currency.show(shares.platform_fee),
        bond=currency.show(shares.bond_returned),
        mediation=currency.show(shares.mediation_fee),
    )


def _table(screen: Screen, result: "DemoResult") -> Any:
    narrow = screen.out.width < NARROW  # then what the stories have told, and the file will hold, is left out
    id_ = () if narrow else (("订单", "Order"),)
    more = () if narrow else (("费用", "Fees"), ("退保证金", "Bond back"))
    table = screen.table(
        ("", ""),
        *id_,
        ("状态", "State"),
        ("结局", "Outcome"),
        ("责任", "Fault"),
        ("", ""),
        ("买家得", "Buyer"),
        ("卖家得", "Seller"),
        *more,
        ("gas", "Gas"),
        ("到账用时", "Time to money"),
        right=(0, *range(5 + len(id_), 9 + len(id_) + len(more))),
    )
    for number, order in enumerate(result.orders, start=1):
        currency, shares = _currency(order.token), order.shares
        amounts = [shares.to_buyer, shares.to_seller]
        if not narrow:
            amounts += [shares.platform_fee + shares.mediation_fee, shares.bond_returned]
        table.add_row(
            str(number),
            *(() if narrow else (order.order_id[:8],)),
            *(getattr(label_of(word), screen.lang) for word in (order.state, order.outcome, order.fault)),
            currency.symbol,
            *map(currency.number, amounts),
            f"{order.gas:,}",
            span(order.seconds_to_money, screen.lang),
        )
    return table


def _verdict(screen: Screen, result: "DemoResult") -> None:
    audit = result.audit
    if audit.mirror_equals_chain:
        screen.show(
            screen.say(
                f"✓ 镜像 = 链：{audit.orders} 笔订单的状态、结局、责任、金额逐项一致，所有余额一致",
                f"✓ mirror = chain: state, outcome, fault and shares of {audit.orders} orders agree, and every balance",
            )
        )
    for d in audit.differences:
        screen.show(
            screen.say(
                f"✗ {d.what} 的 {d.field}：镜像 {d.mirrored}，链上 {d.on_chain}",
                f"✗ {d.what}, {d.field}: {d.mirrored} mirrored, {d.on_chain} on chain",
            )
        )
    for flow in audit.flows:
        currency = _currency(flow.token)
        came_in, went_out, kept = (currency.show(n) for n in (flow.came_in, flow.went_out, flow.held))
        if flow.conserved:
            text = screen.say(
                f"✓ 进 = 出 + 存：{came_in} = {went_out} + {kept}（存的每一分都有主）",
                f"✓ in = out + held: {came_in} = {went_out} + {kept}, and all that is held has an owner",
            )
        else:
            owed = currency.show(flow.owed)
            text = screen.say(
                f"✗ 账不平：进 {came_in}，出 {went_out}，存 {kept}，应存 {owed}",
                f"✗ money is missing: {came_in} in, {went_out} out, {kept} held, {owed} owed",
            )
        screen.show(text)
    screen.show(screen.say(f"共 {result.seconds:.1f} 秒", f"{result.seconds:.1f} seconds"))


def _stay(session: Session, stack: ExitStack, staging: "Demo", local: "LocalNode", folder: Path) -> None:
    """Keeps the chain, with a few open orders, until Ctrl-C."""
    from ..chain.deployments import save_deployment

    screen = session.screen
    plays = staging.stay()
    stage = staging.stage
    assert stage is not None  # it ran
    save_deployment(stage.deployment, folder / "deployments")
    write_dev_keys(local, folder / "keys")
    url = local.url or stack.enter_context(local.serve(port=0))  # type: ignore[attr-defined]  # the one without a URL serves
    stop = threading.Event()
    stop_on_signals(stack, stop)
    screen.show(
        "",
        screen.say(
            f"链继续运行，另有 {len(plays)} 笔未完的订单。另开一个终端看看（Ctrl-C 结束，一切随之清除）：",
            f"The chain goes on, with {len(plays)} orders open. In another terminal (Ctrl-C here removes it all):",
        ),
        f"  export KAMENG_RPC_URL={url}",
        f"  export KAMENG_DEPLOYMENTS={folder / 'deployments'} KAMENG_STORE={folder / 'store.sqlite'}",
        f"  kameng orders; kameng order {plays[-1].order_id}",
        f"  kameng order confirm {plays[1].order_id} --key-file {folder / 'keys' / 'buyer2.key'}",
    )
    while not stop.wait(3600):
        pass


def _currency(token: str) -> Currency:
    return Currency(token, "ETH", 18) if token == NATIVE else Currency(token, "USDT", 6)
