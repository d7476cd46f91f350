"""`kameng node`, `kameng deploy`: a chain to try things on, and the contracts on it."""

import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from .command import CHAIN, both, command
from .files import require_writable
from .forms import Currency
from .problems import BadInput, FileUnusable
from .reasons import reasons
from .screen import Answer, to_json
from .session import NATIVE, Session

if TYPE_CHECKING:
    from ..chain.deploy import Plan
    from ..chain.deployments import Deployment
    from ..chain.nodes import LocalNode

# Whom the first accounts of a local chain are meant for; the names are those of the key files.
CAST = ("platform", "mediator", "backup", "seller", "seller2", "buyer", "buyer2", "buyer3", "relayer", "stranger")
_CAST_ZH = ("平台", "仲裁员", "候补仲裁员", "卖家", "卖家二", "买家", "买家二", "买家三", "中继", "路人")
TEST_TOKEN = ("Test USDT", "USDT", 6)
TEST_MINT = 1_000_000 * 10**6  # base units for each account


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    command(
        app,
        "node",
        zh="启动一条本地链，带浏览器钱包能用的 JSON-RPC",
        en="Run a local chain with JSON-RPC that a browser wallet can use",
        uses=("deployments",),
    )(node)
    command(app, "deploy", zh="部署托管合约", en="Deploy the escrow", uses=CHAIN)(deploy)


def node(
    session: Session,
    host: Annotated[
        str,
        typer.Option("--host", help=both("监听地址", "Address to listen on")),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=0,
            max=65_535,
            help=both(
                "端口；0 表示任选；缺省是 KAMENG_RPC_URL 里的本机端口，否则 8545",
                "Port; 0: any; else the one on this machine that KAMENG_RPC_URL names, else 8545",
            ),
        ),
    ] = None,
    deploy_: Annotated[
        bool,
        typer.Option("--deploy", help=both("顺便部署托管合约和测试代币", "Deploy the escrow and a test token at once")),
    ] = False,
    anvil: Annotated[
        bool, typer.Option("--anvil", help=both("用 Anvil，而不是内置的链", "Use Anvil instead of the built-in chain"))
    ] = False,
    keys: Annotated[
        Path | None,
        typer.Option(
            "--keys", metavar="FOLDER", help=both("把开发私钥写进这个文件夹", "Write the dev keys to this folder")
        ),
    ] = None,
) -> Answer:
    stop = threading.Event()
    with ExitStack() as stack:
        local, url = _start(stack, host, _own_port(session.settings.rpc_url) if port is None else port, anvil)
        stop_on_signals(stack, stop)
        data: dict[str, Any] = {"rpc_url": url, "chain_id": local.w3.eth.chain_id, "accounts": _accounts(local)}
        if keys is not None:
            data["key_files"] = write_dev_keys(local, keys)
        if deploy_:
            record, path = deploy_on(session, local)
            stack.callback(path.unlink, missing_ok=True)  # a record of a chain that is gone would only confuse
            data |= {
                "contract": record.address,
                "lens": record.lens,
                "record": str(path),
                "test_token": test_token(local),
            }
        if session.screen.as_json:
            session.screen.document(to_json(data) + "\n")
        else:
            session.screen.show(*_node_lines(session, data))
        while not stop.wait(3600):
            pass
    session.screen.note(
        "本地链已停止，上面的一切随之消失", "The local chain has stopped, and all that was on it is gone"
    )
    return Answer(data, printed=True)


def deploy(
    session: Session,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help=both("只说会做什么、花多少，什么也不发送", "Only say what would be done, at what cost"),
        ),
    ] = False,
    with_test_token: Annotated[
        bool,
        typer.Option(
            "--test-token", help=both("再部署一个谁都能增发的测试代币", "Also a test token that anyone may mint")
        ),
    ] = False,
) -> Answer:
    from .. import bootstrap
    from ..chain.connection import Connection
    from ..chain.deploy import deploy_artifact, planning
    from ..chain.recording import deploy_recorded
    from ..chain.sender import Sender
    from ..chain.steps import run

    settings = session.settings
    escrow, block = bootstrap.named_contract(settings)
    account = session.signer() if settings.key_file is not None or not dry_run else None
    chain = session.node()
    connection = Connection(chain.w3)
    plan = run(planning(None if account is None else account.address, escrow=escrow), connection)
    if account is None or dry_run:
        return _planned(session, plan)
    _require_folder(settings.deployments)  # before money is spent on something that could not be recorded
    with session.screen.waiting():
        sender = Sender(account, chain_id=plan.chain_id)
        record, path = run(deploy_recorded(sender, settings.deployments, escrow=escrow, block=block), connection)
    data = {
        **record_data(record),
        "deployed": [part.contract for part in plan.missing],
        "record": str(path),
    }
    screen = session.screen
    lines = [*_part_lines(session, plan, planned=False)]
    lines += [
        screen.say(f"  链 {record.chain_id}，区块 {record.block}", f"  chain {record.chain_id}, block {record.block}"),
        screen.say(f"  部署记录 {path}", f"  recorded in {path}"),
    ]
    if with_test_token:
        data["test_token"] = deploy_artifact(chain.w3, account, "AuthorizedToken", *TEST_TOKEN)
        lines.append(screen.say(f"  测试代币 {data['test_token']}", f"  Test token {data['test_token']}"))
    return Answer(data, lines)


def _planned(session: Session, plan: "Plan") -> Answer:
    screen = session.screen
    now, at_most = (Currency(NATIVE, "", 18).number(wei) for wei in (plan.cost, plan.cost_at_most))
    lines = [
        screen.say(f"链 {plan.chain_id}；什么也没有发送", f"chain {plan.chain_id}; nothing was sent"),
        *_part_lines(session, plan, planned=True),
    ]
    if plan.missing:
        if plan.lacks_proxy:
            lines.append(
                screen.say(
                    "  + 先放置确定性部署代理", "  + the deterministic deployment proxy would be put there first"
                )
            )
        lines.append(
            screen.say(
                f"  约 {plan.gas:,} gas，现价合 {now} 个原生币，最多 {at_most}",
                f"  some {plan.gas:,} gas: {now} of the chain's coin now, {at_most} at most",
            )
        )
    if not plan.is_affordable:
        has = Currency(NATIVE, "", 18).number(plan.balance or 0)
        lines.append(screen.say(f"✗ 账户只有 {has}，付不起", f"✗ the account has {has}, which is not enough"))
    return Answer(plan_data(plan), lines)


def _part_lines(session: Session, plan: "Plan", *, planned: bool) -> list[str]:
    """One line for each contract: which, where, and whether it is new."""
    screen = session.screen
    lines = []
    for part in plan.parts:
        if part.is_there:
            mark, said = "·", screen.say("已在链上", "was there")
        elif planned:
            mark, said = "+", screen.say("将部署", "would be deployed")
        else:
            mark, said = "✓", screen.say("已部署", "deployed")
        lines.append(f"{mark} {part.contract} {part.address} {said}")
    return lines


def plan_data(plan: "Plan") -> dict[str, Any]:
    """A plan for machines: amounts in wei."""
    return {
        "dry_run": True,
        "chain_id": plan.chain_id,
        "parts": [
            {"contract": part.contract, "address": part.address, "is_there": part.is_there, "gas": part.gas}
            for part in plan.parts
        ],
        "lacks_proxy": plan.lacks_proxy,
        "gas": plan.gas,
        "gas_price": str(plan.gas_price),
        "cost": str(plan.cost),
        "cost_at_most": str(plan.cost_at_most),
        "is_affordable": plan.is_affordable,
    }


def record_data(record: "Deployment") -> dict[str, Any]:
    """A deployment for machines."""
    return {
        "chain_id": record.chain_id,
        "contract": record.address,
        "lens": record.lens,
        "periphery": dict(record.periphery),
        "block": record.block,
        "transaction_hash": record.transaction,
        "deployer": record.deployer,
    }


def stop_on_signals(stack: ExitStack, stop: threading.Event) -> None:
    """Until the stack closes, Ctrl-C and a polite kill set `stop` and do nothing else."""
    on_signals(stack, stop.set)


def on_signals(stack: ExitStack, act: Callable[[], None]) -> None:
    """Until the stack closes, Ctrl-C and a polite kill do this and nothing else."""
    for name in (signal.SIGINT, signal.SIGTERM):
        before = signal.signal(name, lambda *_: act())
        stack.callback(signal.signal, name, before)


def deploy_on(session: Session, local: "LocalNode") -> "tuple[Deployment, Path]":
    """Deploys and records the escrow as the local chain's first account."""
    from ..chain.deploy import deploy as put
    from ..chain.deployments import save_deployment

    folder = session.settings.deployments
    _require_folder(folder)
    record = put(local.w3, local.accounts[0])
    return record, save_deployment(record, folder)


def test_token(local: "LocalNode") -> str:
    """Deploys the test token, gives every account of the chain a million of it, and returns its address."""
    from ..chain.deploy import deploy_artifact
    from ..demo.stage import call_contract

    address = deploy_artifact(local.w3, local.accounts[0], "AuthorizedToken", *TEST_TOKEN)
    for account in local.accounts:
        call_contract(local, local.accounts[0], "AuthorizedToken", address, "mint", account.address, TEST_MINT)
    return address


def write_dev_keys(local: "LocalNode", folder: Path) -> dict[str, str]:
    """One key file for each account; the same file again where it is already there."""
    from ..keyfile import write_key

    written = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, account in zip(CAST, local.accounts, strict=False):
            path = folder / f"{name}.key"
            if not path.exists():
                write_key(path, bytes(account.key))
            written[name] = str(path)
    except OSError as error:
        zh, en = reasons(error)
        raise FileUnusable(f"写不了密钥：{zh}。", f"The keys can't be written: {en}.", path=str(folder)) from error
    return written


def _own_port(rpc_url: str) -> int:
    """The port of a node of this machine, so that other terminals with the same environment find it there."""
    parts = urlsplit(rpc_url)
    return parts.port or 8545 if parts.hostname in ("127.0.0.1", "localhost", "::1") else 8545


def _start(stack: ExitStack, host: str, port: int, anvil: bool) -> "tuple[LocalNode, str]":
    if anvil:
        from ..chain.anvil import AnvilNode

        if host != "127.0.0.1":
            raise BadInput("--anvil 只在本机监听。", "--anvil listens on this machine only.")
        beside = stack.enter_context(AnvilNode(port=port or None))
        assert beside.url is not None  # it is a process of its own
        return beside, beside.url
    from ..chain.in_process import Clock, InProcessNode

    inside = stack.enter_context(InProcessNode(clock=Clock.Real))
    return inside, stack.enter_context(inside.serve(host, port))


def _accounts(local: "LocalNode") -> list[dict[str, str]]:
    return [
        {"name": name, "address": account.address, "worthless_dev_key": "0x" + bytes(account.key).hex()}
        for name, account in zip(CAST, local.accounts, strict=False)
    ]


def _node_lines(session: Session, data: dict[str, Any]) -> list[Any]:
    screen = session.screen
    lines: list[Any] = [
        screen.say("本地链已启动", "A local chain is running"),
        f"  JSON-RPC  {data['rpc_url']}",
        screen.say("  链号      ", "  chain id  ") + str(data["chain_id"]),
        "",
        screen.say(
            "测试账户（私钥是公开的，一文不值：绝不要往这些地址转真钱）",
            "Accounts (their keys are public and worthless: never send real money to them)",
        ),
    ]
    table = screen.table(("角色建议", "Meant as"), ("地址", "Address"), ("一文不值的开发私钥", "Worthless dev key"))
    for number, row in enumerate(data["accounts"]):
        table.add_row(screen.say(_CAST_ZH[number], CAST[number]), row["address"], row["worthless_dev_key"])
    lines += [table, ""]
    if "contract" in data:
        lines += [
            screen.say("  托管合约 ", "  Escrow     ") + data["contract"],
            screen.say("  查询合约 ", "  Lens       ") + data["lens"],
            screen.say("  测试代币 ", "  Test token ") + f"{data['test_token']} (USDT, 6)",
            "",
        ]
    if "key_files" in data:
        folder = Path(next(iter(data["key_files"].values()))).parent
        lines.append(screen.say(f"密钥文件在 {folder}", f"Key files are in {folder}"))
    lines.append(
        screen.say(
            f"另开一个终端：export KAMENG_RPC_URL={data['rpc_url']}；Ctrl-C 停止",
            f"In another terminal: export KAMENG_RPC_URL={data['rpc_url']}; Ctrl-C stops it",
        )
    )
    return lines


def _require_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        zh, en = reasons(error)
        raise FileUnusable(
            f"建不了文件夹 {folder}：{zh}。", f"{folder} can't be made: {en}.", path=str(folder)
        ) from error
    require_writable(folder / "record")
