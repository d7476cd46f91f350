"""`kameng status`, `kameng reconcile`: how the mirror stands, whether it is right, and putting it right."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..chinese import chinese
from ..domain.labels import label_of
from ..domain.states import State
from ..errors import EscrowError
from .command import NODE, STORE, both, command
from .forms import clock, iso, span
from .network import stop_on_signals
from .problems import CHECK_FAILED, INTERRUPTED, BadInput
from .screen import Answer, Screen
from .session import Session

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from ..mirror import AuditReport, Progress, RepairReport
    from ..telemetry import Health


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    command(
        app,
        "status",
        zh="一屏看全：镜像到哪了、谁在写、订单各在什么状态",
        en="In one screen: how far the mirror is, who writes it, where the orders stand",
        uses=NODE + STORE,
    )(status)
    command(
        app,
        "reconcile",
        zh="镜像与链上逐笔核对；--repair 按链上重算并改正",
        en="Compare the mirror with the chain; --repair puts it right from the chain",
        uses=NODE + STORE,
    )(reconcile)


def serve_health(
    stack: ExitStack,
    registry: "CollectorRegistry",
    *,
    alive: Callable[[], "Health"],
    ready: Callable[[], "Health"],
    port: int,
) -> None:
    """Serves metrics and probes on this machine until the stack closes."""
    from ..telemetry import serve

    try:
        stack.enter_context(serve(registry, alive=alive, ready=ready, port=port))
    except OSError as error:
        raise BadInput(
            f"端口 {port} 用不了：{error.strerror}。请换一个。",
            f"Port {port} can't be used: {error.strerror}. Choose another.",
        ) from error


def status(session: Session) -> Answer:
    import time

    from ..store import Agenda, leaders

    book = session.book()
    info, counts = book.info(), book.statistics()
    head, unreachable = _head(session, info.chain_id)
    now = max(info.marks.seen_at, int(time.time())) if head is None else head[1]
    backlog = Agenda(session.store(), info.id).backlog(now)
    scope = f"{info.chain_id}:{info.address}"
    terms = [term for term in leaders(session.store()) if term.role != "mirror" or term.scope == scope]
    data: dict[str, Any] = {
        "store": session.store().where,
        "chain_id": info.chain_id,
        "contract": info.address,
        "seen_block": info.marks.seen,
        "seen_at": iso(info.marks.seen_at),
        "final_block": info.marks.final,
        "head_block": None if head is None else head[0],
        "lag_blocks": None if head is None else max(0, head[0] - info.marks.seen),
        "orders": {state.label: counts.states.get(state, 0) for state in State},
        "due": backlog.orders,
        "oldest_due_at": None if backlog.oldest is None else iso(backlog.oldest),
        "leaders": [
            {"role": term.role, "scope": term.scope, "holder": term.holder, "term": term.number}
            | {"since": iso(term.since)}
            for term in terms
        ],
        "node_error": None if unreachable is None else unreachable.code,
    }
    screen = session.screen
    lines = [
        screen.say(f"托管合约 {info.address}（链 {info.chain_id}）", f"Escrow {info.address} on chain {info.chain_id}"),
        screen.say(f"  数据库 {session.store().where}", f"  store     {session.store().where}"),
        *_progress_lines(screen, data, unreachable),
    ]
    lines += [
        screen.say(
            f"  {_role_zh(term.role)} {term.holder}，第 {term.number} 任，自 {clock(term.since)}",
            f"  {term.role:<9} {term.holder}, term {term.number}, since {clock(term.since)}",
        )
        for term in terms
    ]
    shown = [
        f"{label_of(state).zh if screen.lang == 'zh' else state.label} {counts.states[state]:,}"
        for state in State
        if counts.states.get(state)
    ]
    lines.append(screen.say("  订单 ", "  orders    ") + (" · ".join(shown) or screen.say("还没有", "none yet")))
    if backlog.oldest is not None:
        waited = span(max(0, now - backlog.oldest), screen.lang)
        lines.append(
            screen.say(
                f"  到期未结 {backlog.orders:,} 单，最久已 {waited}",
                f"  due       {backlog.orders:,}, for up to {waited}",
            )
        )
    return Answer(data, lines)


def _role_zh(role: str) -> str:
    return {"mirror": "写镜像的是", "keeper": "守护程序是"}.get(role, role)


def _progress_lines(screen: Screen, data: dict[str, Any], unreachable: EscrowError | None) -> list[str]:
    seen, final = f"{data['seen_block']:,}", f"{data['final_block']:,}"
    line = screen.say(f"  已同步到区块 {seen}，最终 {final}", f"  seen      block {seen}, final {final}")
    if unreachable is not None:
        return [line, screen.say(f"  节点：{chinese(unreachable)}", f"  node      {unreachable.message}")]
    behind = data["lag_blocks"]
    if not behind:
        return [line + screen.say("，与链头一致", ", level with the chain")]
    return [line + screen.say(f"，落后 {behind:,} 块", f", {behind:,} blocks behind")]


def _head(session: Session, chain_id: int) -> tuple[tuple[int, int] | None, EscrowError | None]:
    """The chain's last block and its time, or why there is no telling."""
    from ..chain.errors import NodeError, WrongChain

    try:
        node = session.node()
        served = int(node.request("eth_chainId"), 16)
        if served != chain_id:
            return None, WrongChain(chain_id, served)
        latest = node.request("eth_getBlockByNumber", "latest", False)
        return (int(latest["number"], 16), int(latest["timestamp"], 16)), None
    except NodeError as error:
        return None, error


def reconcile(
    session: Session,
    open_only: Annotated[
        bool,
        typer.Option("--open", help=both("只核对未结的订单", "Only orders that are still open")),
    ] = False,
    mend: Annotated[
        bool,
        typer.Option(
            "--repair",
            help=both(
                "从链上全部重读，改正不同的行，再核对一次",
                "Read the chain anew, put right whatever differs, and compare again",
            ),
        ),
    ] = False,
) -> Answer:
    from .. import bootstrap
    from ..mirror.reconcile import audit

    deployment = session.deployment()
    book = bootstrap.open_book(session.store(), deployment)
    screen = session.screen
    with screen.waiting():
        found = audit(book, session.node().w3, deployment.lens, open_only=open_only)
    data = _audit_data(found)
    lines = _audit_lines(screen, found)
    if not mend:
        if found.drifts:
            lines.append(screen.say("  用 --repair 改正", "  --repair puts it right"))
        return Answer(data, lines, exit_code=CHECK_FAILED if found.drifts else 0)
    stop = threading.Event()
    with ExitStack() as stack:
        stop_on_signals(stack, stop)
        tick = stack.enter_context(screen.progress("重读区块", "reading blocks anew", unit=screen.say("块", "blocks")))

        def report(progress: "Progress") -> None:
            tick(progress.done, progress.total)

        try:
            mended = bootstrap.repair_store(session.store(), session.node(), deployment, stop=stop, progress=report)
        except EscrowError:
            if not stop.is_set():
                raise
            return Answer({**data, "complete": False}, [*lines, _given_up(screen)], exit_code=INTERRUPTED)
    left = audit(book, session.node().w3, deployment.lens, open_only=open_only)
    data["repair"] = _repair_data(mended)
    data["left"] = _audit_data(left)
    lines += [*_repair_lines(screen, mended), *_audit_lines(screen, left)]
    return Answer(data, lines, exit_code=CHECK_FAILED if left.drifts else 0)


def _given_up(screen: Screen) -> str:
    return screen.say("  中途停下，什么都没有改", "  stopped on the way; nothing was changed")


def _audit_data(found: "AuditReport") -> dict[str, Any]:
    return {
        "block": found.block,
        "orders": found.orders,
        "balances": found.balances,
        "tokens": found.tokens,
        "drifts": [
            {"kind": d.kind.value, "what": d.what, "field": d.field}
            | {"mirrored": _word(d.mirrored), "on_chain": _word(d.on_chain)}
            for d in found.drifts
        ],
    }


def _audit_lines(screen: Screen, found: "AuditReport") -> list[str]:
    scope = screen.say(
        f"区块 {found.block:,}：{found.orders:,} 笔订单、{found.balances:,} 个余额、{found.tokens:,} 种资产",
        f"at block {found.block:,}: {found.orders:,} orders, {found.balances:,} balances, {found.tokens:,} tokens",
    )
    if not found.drifts:
        return [screen.say(f"✓ 镜像与链上一致（{scope}）", f"✓ mirror and chain agree ({scope})")]
    count = len(found.drifts)
    lines = [screen.say(f"✗ {count} 处不一致（{scope}）", f"✗ {count} differences ({scope})")]
    lines += [
        screen.say(
            f"  {d.what} 的 {d.field}：镜像 {_word(d.mirrored)}，链上 {_word(d.on_chain)}",
            f"  {d.what}, {d.field}: {_word(d.mirrored)} here, {_word(d.on_chain)} on chain",
        )
        for d in found.drifts
    ]
    return lines


def _word(value: object) -> str:
    return str(getattr(value, "label", value))


def _repair_data(mended: "RepairReport") -> dict[str, Any]:
    return {
        "block": mended.block,
        "told": mended.told,
        "retracted": mended.retracted,
        "tables": {
            name: {"added": changes.added, "changed": changes.changed, "removed": changes.removed}
            for name, changes in mended.tables.items()
        },
    }


def _repair_lines(screen: Screen, mended: "RepairReport") -> list[str]:
    lines = [screen.say(f"✓ 已改正 {mended.changes:,} 行", f"✓ {mended.changes:,} rows put right")]
    lines += [
        screen.say(
            f"  {name}：补 {changes.added:,}，改 {changes.changed:,}，删 {changes.removed:,}",
            f"  {name}: {changes.added:,} added, {changes.changed:,} changed, {changes.removed:,} removed",
        )
        for name, changes in mended.tables.items()
        if changes.total
    ]
    if mended.told or mended.retracted:
        lines.append(
            screen.say(
                f"  发件箱：补 {mended.told:,} 条，撤回 {mended.retracted:,} 条",
                f"  outbox: {mended.told:,} told, {mended.retracted:,} retracted",
            )
        )
    return lines
