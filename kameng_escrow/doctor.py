"""What is installed, reachable, mismatched: one finding a line, each with what to do about it."""

import importlib.metadata
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from . import bootstrap
from .chain.artifacts import artifact_names, load_artifact
from .chain.deployments import Deployment, verify_deployment
from .chain.foundry import find_foundry
from .chain.nodes import Node
from .errors import CompilationFailed, EscrowError
from .keyfile import KeyFileUnusable, read_key
from .mirror import Web3Source
from .settings import Settings
from .store import SchemaMissing, Store, UnknownContract

LAG = 10  # blocks that a mirror may be behind without a word
STALE = 600  # seconds that a node's newest block may be old without a word
NEEDED = ("web3", "eth-account", "eth-abi", "eth-tester", "py-evm", "SQLAlchemy", "alembic", "typer", "rich")


class Level(StrEnum):
    """How bad a finding is."""

    Ok = "ok"
    Warn = "warn"  # something is not there that not everybody needs
    Fail = "fail"  # something won't work


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    code: str
    level: Level
    zh: str
    en: str
    error: EscrowError | None = None  # what it was found by; `zh` is then what the error itself says


def examine(settings: Settings) -> Iterator[Finding]:
    """Looks at everything, one thing after another. Nothing is sent, nobody is asked for a passphrase."""
    yield _python()
    yield from _packages()
    yield _artifacts()
    yield from _tools()
    yield _key(settings)
    yield from _chain(settings)


def _python() -> Finding:
    version = platform.python_version()
    return _ok("python", f"Python {version}", f"Python {version}")


def _packages() -> Iterator[Finding]:
    found, missing = [], []
    for name in NEEDED:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    listed = ", ".join(found)
    yield _ok("packages", listed, listed)
    if missing:
        listed = ", ".join(missing)
        yield _fail(
            "packages",
            f"缺少 {listed}：请重新 pip install kameng-escrow",
            f"{listed} missing: pip install kameng-escrow",
        )


def _artifacts() -> Finding:
    """Whether the compiled contracts are there, and in a checkout whether they are those of its sources."""
    from .chain.compiler import find_root, stale_artifacts

    if "KamengEscrow" not in artifact_names():
        return _fail(
            "artifacts", "安装包里没有合约产物：请重新安装", "The package lacks its contracts: install it again"
        )
    compiler = load_artifact("KamengEscrow").compiler
    try:
        stale = stale_artifacts(find_root(Path(__file__)))
    except CompilationFailed:  # no checkout, or no node_modules in it: nothing to compare with
        stale = []
    if stale:
        listed = ", ".join(stale)
        return _warn(
            "artifacts",
            f"{listed} 的产物比源码旧：请运行 kameng compile",
            f"{listed}: older than the sources, run `kameng compile`",
        )
    return _ok("artifacts", f"合约产物由 solc {compiler} 编译", f"Contracts compiled with solc {compiler}")


def _tools() -> Iterator[Finding]:
    """What only developers need."""
    node = shutil.which("node")
    if node is None:
        yield _warn("node", "没有 Node.js：只有编译合约才需要", "No Node.js: needed for compiling contracts only")
    else:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30).stdout.strip()
        yield _ok("node", f"Node.js {version}", f"Node.js {version}")
    yield _compiler()
    for tool in ("anvil", "forge"):
        try:
            path = find_foundry(tool)
            yield _ok(tool, f"{tool}：{path}", f"{tool}: {path}")
        except EscrowError as error:
            yield _warn(tool, f"没有 {tool}（可选）：{error.message}", f"{error.message} (optional)")


def _compiler() -> Finding:
    from .chain.compiler import find_root
    from .chain.solc import SOLC_VERSION, resolve_solc

    try:
        solc = resolve_solc(find_root(Path(__file__)), download=False)
    except EscrowError as error:
        return _warn(
            "solc",
            f"没有 solc {SOLC_VERSION}：只有编译合约才需要。{error.message}",
            f"No solc {SOLC_VERSION}, needed for compiling contracts only. {error.message}",
        )
    return _ok("solc", f"solc {solc.version}（{solc.kind}）", f"solc {solc.version} ({solc.kind})")


def _key(settings: Settings) -> Finding:
    path = settings.key_file
    if path is None:
        return _warn(
            "key",
            "没有指定密钥：签名和发交易时需要 KAMENG_KEY_FILE",
            "No key named: set KAMENG_KEY_FILE to sign and send",
        )
    try:
        address = read_key(path, _no_passphrase).address
    except _KeystoreFound:
        return _ok("key", f"{path} 是加密的 keystore（未解密）", f"{path} is an encrypted keystore (not opened)")
    except KeyFileUnusable as error:
        return _found("key", Level.Fail, error)
    return _ok("key", f"密钥可读，地址 {address}", f"The key is readable: {address}")


class _KeystoreFound(Exception):
    """Raised where a passphrase would be asked: nobody should have to type one for a check-up."""


def _no_passphrase() -> str:
    raise _KeystoreFound


def _chain(settings: Settings) -> Iterator[Finding]:
    """The node, and what hangs on it."""
    try:
        node = bootstrap.connect(settings)
    except EscrowError as error:
        hint_zh, hint_en = " 可以用 kameng node 启动一条本地链。", " `kameng node` starts a local chain."
        yield _found("rpc", Level.Fail, error, hint_zh, hint_en)
        return
    with node:
        yield from _from("rpc", lambda: _node(node))
        try:
            deployment = bootstrap.find_deployment(settings, node)
        except EscrowError as error:
            yield _found("contract", Level.Fail, error)
            return
        yield from _from("contract", lambda: _contract(deployment, node))
        yield from _from("store", lambda: _store(settings, deployment, node))


def _node(node: Node) -> Iterator[Finding]:
    source = Web3Source(node.w3)
    chain_id = source.chain_id()
    head = source.header("latest")
    age = int(time.time()) - head.timestamp if head is not None else 0
    number = head.number if head is not None else 0
    text_zh, text_en = f"节点在链 {chain_id} 上，区块 {number:,}", f"The node is on chain {chain_id}, block {number:,}"
    if source.is_syncing():
        yield _warn("rpc", f"{text_zh}，仍在同步：数字会偏旧", f"{text_en}, still syncing: what it says is old")
    elif age > STALE:
        yield _warn(
            "rpc",
            f"{text_zh}，但最新区块是 {age} 秒前的（本地链没有交易时正常）",
            f"{text_en}, but that block is {age} s old (as on an idle local chain)",
        )
    else:
        yield _ok("rpc", text_zh, text_en)


def _contract(deployment: Deployment, node: Node) -> Iterator[Finding]:
    verify_deployment(deployment, node.w3)
    yield _ok(
        "contract",
        f"合约 {deployment.address} 的代码与本安装包一致",
        f"The code at {deployment.address} is this package's",
    )


def _store(settings: Settings, deployment: Deployment, node: Node) -> Iterator[Finding]:
    with Store.open(settings.store) as store:
        marks = bootstrap.open_book(store, deployment).info().marks
        head = Web3Source(node.w3).header("latest")
        lag = (head.number if head is not None else 0) - marks.seen
        if lag > LAG:
            yield _warn(
                "store",
                f"镜像落后 {lag:,} 个区块：请运行 kameng mirror",
                f"The mirror is {lag:,} blocks behind: run `kameng mirror`",
            )
        else:
            yield _ok(
                "store", f"镜像在 {store.where}，落后 {lag} 块", f"The mirror in {store.where} is {lag} blocks behind"
            )


def _from(code: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What `look` finds; where it raises, that is the finding."""
    try:
        yield from look()
    except (SchemaMissing, UnknownContract) as error:  # nothing was mirrored yet: who only sends needs no mirror
        yield _found(code, Level.Warn, error)
    except EscrowError as error:
        yield _found(code, Level.Fail, error)


def _found(code: str, level: Level, error: EscrowError, hint_zh: str = "", hint_en: str = "") -> Finding:
    zh = str(getattr(error, "message_zh", None) or error.message)
    return Finding(code=code, level=level, zh=zh + hint_zh, en=error.message + hint_en, error=error)


def _ok(code: str, zh: str, en: str) -> Finding:
    return Finding(code=code, level=Level.Ok, zh=zh, en=en)


def _warn(code: str, zh: str, en: str) -> Finding:
    return Finding(code=code, level=Level.Warn, zh=zh, en=en)


def _fail(code: str, zh: str, en: str) -> Finding:
    return Finding(code=code, level=Level.Fail, zh=zh, en=en)
