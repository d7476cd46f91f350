"""`kameng serve`: the platform service, with the workers it needs beside it in one process, or alone."""

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..chinese import chinese
from ..errors import EscrowError
from .command import CHAIN, STORE, both, command
from .keeping import MONEY
from .network import on_signals, stop_on_signals
from .notifying import TELLING
from .problems import CHECK_FAILED, BadInput
from .relaying import RELAYER
from .running_options import LogJson, MetricsPort
from .screen import Answer
from .session import Session
from .upkeep import serve_health

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from ..chain.deployments import Deployment
    from ..service.crew import Crew, Work

SERVICE = (
    *("public_url", "listen", "proxies", "session_hours", "explorer_url"),
    *("rate_limit", "rate_limit_anonymous", "fingerprint_keys_file"),
    *("files", "files_max_bytes", "file_max_bytes", "room_max_bytes"),
    *("risk_threads", "advice_days", "yuan_tokens"),
)
PARTS = ("api", "mirror", "stock", "keeper", "relayer", "notifier", "risk")


def register(app: typer.Typer) -> None:
    """Adds the command to `app`."""
    command(
        app,
        "serve",
        zh="平台服务：API、镜像、库存、守护程序、中继、通知合在一个进程里（--only 只开其中几个）",
        en="The platform service: API, mirror, stock, keeper, relayer and notifier in one process (--only for some)",
        uses=(*CHAIN, "rpc_fallbacks", "ws_url", *STORE, *SERVICE, *MONEY, *RELAYER, *TELLING[1:]),
    )(serve)


def serve(
    session: Session,
    only: Annotated[
        str,
        typer.Option(
            "--only",
            metavar="PART,PART…",
            help=both(
                f"只开这些：{', '.join(PARTS)}；缺省全开，没有密钥的守护程序和中继除外",
                f"Only these: {', '.join(PARTS)}; left out: all, but keeper and relayer only where they have a key",
            ),
        ),
    ] = "",
    metrics: MetricsPort = None,
    log_json: LogJson = False,
) -> Answer:
    from prometheus_client import CollectorRegistry

    from ..service.crew import Crew
    from ..telemetry import log_to

    host, port = _address(session.settings.listen)
    wanted = _wanted(session, only)
    deployment = session.deployment()
    session.store().migrate()
    stop = threading.Event()
    registry = CollectorRegistry()
    with ExitStack() as stack:
        if log_json:
            stack.enter_context(log_to(sys.stderr))
        door = _Door(session, stack, registry, host, port) if "api" in wanted else None
        crew = stack.enter_context(Crew(stop, stop.set if door is None else door.close))
        _start(session, stack, crew, wanted, deployment, registry, log_json)
        if metrics is not None:
            _serve_metrics(session, stack, registry, metrics)
        names = ", ".join(wanted)
        if door is None:
            session.screen.note(f"已开始：{names}（Ctrl-C 结束）", f"Running: {names} (Ctrl-C to end)")
            _wait(stack, stop)
        else:
            door.open(deployment)
            on_signals(stack, door.close)
            where = session.settings.public_url
            session.screen.note(
                f"已开始：{names}，监听 {host}:{port}，请用 {where} 访问（Ctrl-C 结束）",
                f"Running: {names}; listening on {host}:{port}, reached at {where} (Ctrl-C to end)",
            )
            door.serve()
    return _answer(session, wanted, crew)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise BadInput(
            f"监听地址应像 127.0.0.1:8080，不能是 {text!r}。",
            f"What to listen on looks like 127.0.0.1:8080, not {text!r}.",
        )
    return host, int(port)


def _wanted(session: Session, only: str) -> list[str]:
    """The parts to run, in order."""
    named = [name.strip() for name in only.split(",") if name.strip()]
    if unknown := sorted(set(named) - set(PARTS)):
        raise BadInput(
            f"没有 {', '.join(unknown)} 这样的部分：应为 {', '.join(PARTS)}。",
            f"There is no part named {', '.join(unknown)}: they are {', '.join(PARTS)}.",
        )
    settings = session.settings
    keys = {"keeper": settings.key_file, "relayer": settings.relayer_key_file}
    return [name for name in PARTS if (name in named if named else keys.get(name, True) is not None)]


class _Door:
    """The API's server. It listens before anything else is begun, so that a port that is taken is told at once."""

    def __init__(self, session: Session, stack: ExitStack, registry: "CollectorRegistry", host: str, port: int) -> None:
        import socket

        self._session = session
        self._registry = registry
        self._closed = False
        self._server: Any = None
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = stack.enter_context(socket.create_server((host, port), family=family, backlog=2_048))
        except OSError as error:
            raise BadInput(
                f"{host}:{port} 监听不了：{error.strerror}。请换一个。",
                f"{host}:{port} can't be listened on: {error.strerror}. Choose another.",
            ) from error

    def open(self, deployment: "Deployment") -> None:
        """Makes the application. Raises as `bootstrap.make_parts`."""
        import uvicorn

        from .. import bootstrap
        from ..service.app import make_app
        from ..service.metrics import ServiceMetrics

        class Server(uvicorn.Server):
            @contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield  # left alone, it would pass them on in the end, and the process would die of them

        session = self._session
        signer = None if session.settings.key_file is None else session.signer()
        parts = bootstrap.make_parts(session.store(), session.node(), deployment, session.settings, signer=signer)
        config = uvicorn.Config(
            make_app(parts, ServiceMetrics(self._registry)),
            log_config=None,
            access_log=False,  # requests are logged by the application, without their addresses
            proxy_headers=False,  # who the visitor is, the application finds out by KAMENG_PROXIES
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=5,  # streams go on for ever
        )
        self._server = Server(config)
        if self._closed:
            self._server.should_exit = True

    def serve(self) -> None:
        """Serves until Ctrl-C, a polite kill, or `close`."""
        # What is there by now is there to stay. Left among what Python searches for garbage, all of it would be gone
        # through every second or two under load, and everybody waits while it is.
        gc.collect()
        gc.freeze()
        try:
            self._server.run(sockets=[self._socket])
        finally:
            gc.unfreeze()

    def close(self) -> None:
        """Ends serving. From any thread."""
        self._closed = True
        if self._server is not None:
            self._server.should_exit = True


def _start(
    session: Session,
    stack: ExitStack,
    crew: "Crew",
    wanted: list[str],
    deployment: "Deployment",
    registry: "CollectorRegistry",
    log_json: bool,
) -> None:
    """Has the workers begin."""
    from .. import bootstrap

    def trouble(error: EscrowError) -> None:
        if not log_json:  # which has said it
            session.screen.note(f"! {chinese(error)}", f"! {error.message}")

    def node() -> Any:
        return stack.enter_context(bootstrap.connect(session.settings))

    if "api" in wanted:
        from ..talk.upkeep import keep_tidy

        store, files = session.store(), bootstrap.open_files(session.settings)
        crew.start("files", lambda stop: keep_tidy(store, files, stop, trouble=trouble))
    if "mirror" in wanted:
        crew.start("mirror", _mirror(session, stack, deployment, registry, trouble))
    if "stock" in wanted:
        crew.start("stock", bootstrap.make_stockkeeper(session.store(), deployment).run)
    if "keeper" in wanted:
        from ..keeper import KeeperMetrics

        keeper = stack.enter_context(
            bootstrap.make_keeper(
                session.store(),
                node(),
                deployment,
                session.signer(),
                session.settings,
                announce=lambda _: None,
                metrics=KeeperMetrics(registry),
            )
        )
        crew.start("keeper", lambda stop: keeper.follow(stop, poll_seconds=3.0, trouble=trouble))
    if "relayer" in wanted:
        from ..relay import RelayerMetrics

        relayer = stack.enter_context(
            bootstrap.make_relayer(
                session.store(),
                node(),
                deployment,
                bootstrap.relayer_signer(session.settings, session.ask_passphrase),
                session.settings,
                announce=lambda _: None,
                metrics=RelayerMetrics(registry),
            )
        )
        crew.start("relayer", lambda stop: relayer.follow(stop, poll_seconds=1.0, trouble=trouble))
    if "risk" in wanted:
        _start_risk(session, crew, deployment, alone=wanted == ["risk"])
    if "notifier" in wanted:
        from ..client import EscrowClient
        from ..notify import NotifierMetrics

        asks = EscrowClient(node=node(), contract=deployment)
        notifier = stack.enter_context(
            bootstrap.make_telling(session.settings, deployment, asks).notifier(
                session.store(),
                bootstrap.open_book(session.store(), deployment),
                metrics=NotifierMetrics(registry),
            )
        )
        crew.start("notifier", lambda stop: notifier.follow(stop, trouble=trouble))


def _start_risk(session: Session, crew: "Crew", deployment: "Deployment", *, alone: bool) -> None:
    """Scores are beside the way: without their libraries everything else goes on."""
    from .. import bootstrap
    from ..risk.errors import RiskLibraryMissing

    try:
        worker = bootstrap.make_risk_worker(session.store(), deployment, session.settings)
    except RiskLibraryMissing as error:
        if alone:
            raise
        session.screen.note(f"! {chinese(error)}", f"! {error.message}")
        return
    crew.start("risk", worker.run)


def _mirror(
    session: Session, stack: ExitStack, deployment: "Deployment", registry: "CollectorRegistry", trouble: Any
) -> "Work":
    """The mirror's work. The contract has its rows in the store before anybody else asks for them."""
    from .. import bootstrap
    from ..mirror.enrol import enrol
    from ..mirror.heads import HeadBell
    from ..mirror.metrics import MirrorMetrics

    node = stack.enter_context(bootstrap.connect(session.settings))
    enrol(session.store(), bootstrap.make_source(node), bootstrap.make_target(deployment))
    bell = stack.enter_context(HeadBell(session.settings.ws_url)) if session.settings.ws_url else None
    works = bootstrap.make_mirror(session.store(), node, deployment, observer=MirrorMetrics(registry))
    return lambda stop: works.follow(stop, poll_seconds=1.0, trouble=trouble, bell=bell)


def _serve_metrics(session: Session, stack: ExitStack, registry: "CollectorRegistry", port: int) -> None:
    from ..telemetry import Health

    store = session.store()

    def ready() -> Health:
        try:
            store.check_schema()
        except EscrowError as error:
            return Health(good=False, details={"code": error.code})
        return Health(good=True)

    serve_health(stack, registry, alive=lambda: Health(good=True), ready=ready, port=port)


def _wait(stack: ExitStack, stop: threading.Event) -> None:
    stop_on_signals(stack, stop)
    while not stop.wait(3_600):
        pass


def _answer(session: Session, wanted: list[str], crew: "Crew") -> Answer:
    failed = [name for name, _ in crew.failures]
    data = {"parts": wanted, "failed": failed}
    if not failed:
        return Answer(data, [session.screen.say("✓ 已停止", "✓ Stopped")])
    name, error = crew.failures[0]
    why = f": {error}" if isinstance(error, EscrowError) else ""
    line = session.screen.say(f"✗ {name} 停了，其余随之停止{why}", f"✗ {name} ended, and the others with it{why}")
    return Answer(data, [line], exit_code=CHECK_FAILED)
