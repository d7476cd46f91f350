"""The one place that wires settings to parts. Nothing happens at import, and nothing is opened before it is asked for.

Whoever opens a part closes it: nodes, clients and stores are context managers.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from eth_account.signers.local import LocalAccount

from .chain.deployments import Deployment
from .chain.nodes import Node
from .chain.several import SeveralNodes
from .client import EscrowClient
from .connecting import (
    connect,
    delivery_key,
    find_deployment,
    make_client,
    named_contract,
    passphrase,
    recorded_deployment,
    relayer_signer,
    signer,
)
from .domain.inputs import parse_address
from .settings import SettingError, Settings

__all__ = [  # from `connecting`: whoever wires parts asks here for all of it
    "connect",
    "delivery_key",
    "find_deployment",
    "make_client",
    "named_contract",
    "passphrase",
    "recorded_deployment",
    "relayer_signer",
    "signer",
]

if TYPE_CHECKING:  # loaded where they are used: who only sends a transaction should not wait for a database's library
    from .domain.reputation import Yardstick
    from .keeper import Announce, Keeper, KeeperMetrics
    from .mirror import ChainSource, Mirror, Observer, Progress, RepairReport, Target
    from .notify import Telling
    from .relay import Limits, Relayer, RelayerMetrics
    from .risk.worker import RiskWorker
    from .service.parts import Parts
    from .store import BlobStore, Book, Store
    from .talk.desk import RoomLimits
    from .trade.stockkeeper import Stockkeeper


def open_store(settings: Settings) -> "Store":
    """The mirror's store. Raises `StoreError`."""
    from .store import Store

    return Store.open(settings.store)


def make_mirror(
    store: "Store",
    node: Node,
    deployment: Deployment,
    *,
    final_depth: int | None = None,
    observer: "Observer | None" = None,
) -> "Mirror":
    """The mirror of a deployment.

    Args:
        observer: is told of all that it does; a `MirrorMetrics` hears of failing nodes too.
    """
    from .mirror import Mirror

    return Mirror(
        store,
        make_source(node, observer),
        chain_id=deployment.chain_id,
        address=deployment.address,
        first_block=deployment.block,
        genesis=deployment.genesis,
        final_depth=final_depth,
        observer=observer,
    )


def repair_store(
    store: "Store",
    node: Node,
    deployment: Deployment,
    *,
    stop: threading.Event | None = None,
    progress: "Callable[[Progress], None] | None" = None,
) -> "RepairReport":
    """Brings every row of a deployment to what the chain says. Raises as `mirror.repair`."""
    from .mirror.repair import repair

    return repair(store, make_source(node), make_target(deployment), stop=stop, progress=progress)


def make_target(deployment: Deployment) -> "Target":
    """What a mirror mirrors, of a deployment."""
    from .mirror import Target

    return Target(
        chain_id=deployment.chain_id,
        address=deployment.address,
        first_block=max(1, deployment.block),
        genesis=deployment.genesis,
    )


def make_source(node: Node, observer: "Observer | None" = None) -> "ChainSource":
    """Where a mirror reads: one node, or several, each with a voice of its own."""
    from .mirror import Endpoints, Web3Source

    if not isinstance(node, SeveralNodes):
        return Web3Source(node.w3)
    source = Endpoints([(one.url or "a node", Web3Source(one.w3)) for one in node.nodes])
    if observer is not None:
        source.on_failure = observer.node_failed
    return source


def make_keeper(
    store: "Store",
    node: Node,
    deployment: Deployment,
    account: LocalAccount,
    settings: Settings,
    *,
    announce: "Announce",
    metrics: "KeeperMetrics | None" = None,
    **rules: Any,
) -> "Keeper":
    """A keeper of a deployment that spends what the settings allow; `rules` are others of `keeper.Rules`.

    Raises:
        UnknownContract, SchemaMissing and the like: nothing of the contract was mirrored yet.
    """
    from .keeper import Keeper, Rules

    return Keeper(
        store,
        node,
        deployment,
        account,
        Rules(
            max_fee=settings.keeper_max_fee,
            budget=settings.keeper_budget,
            low_balance=settings.keeper_low_balance,
            **rules,
        ),
        announce=announce,
        metrics=metrics,
    )


def relay_limits(settings: Settings) -> "Limits":
    """What may be taken on to be relayed."""
    from .relay import Limits

    return Limits(
        platform_budget=settings.relayer_platform_budget,
        new_budget=settings.relayer_new_budget,
        account_limit=settings.relayer_account_limit,
        max_fee=settings.relayer_max_fee,
    )


def make_relayer(
    store: "Store",
    node: Node,
    deployment: Deployment,
    account: LocalAccount,
    settings: Settings,
    *,
    announce: "Announce",
    metrics: "RelayerMetrics | None" = None,
    **rules: Any,
) -> "Relayer":
    """A relayer of a deployment that spends what the settings allow; `rules` are others of `keeper.Rules`.

    Raises:
        UnknownContract, SchemaMissing and the like: nothing of the contract was mirrored yet.
    """
    from .keeper import Rules
    from .relay import Relayer
    from .relay.relayer import RELAYER

    return Relayer(
        store,
        node,
        deployment,
        account,
        Rules(
            worker=RELAYER,
            max_fee=settings.relayer_max_fee,
            budget=settings.relayer_budget,
            low_balance=settings.relayer_low_balance,
            **rules,
        ),
        relay_limits(settings),
        confirmations=settings.deposit_confirmations,
        least_sweeps={parse_address(token, "--deposit-least"): least for token, least in settings.deposit_least},
        announce=announce,
        metrics=metrics,
    )


def make_yardstick(settings: Settings) -> "Yardstick":
    """What reputation is measured by. Raises `Malformed` for an address whose checksum is wrong."""
    from .domain.reputation import Yardstick

    platforms = [parse_address(one, "KAMENG_REPUTATION_PLATFORMS") for one in settings.reputation_platforms]
    return Yardstick(
        units={parse_address(one, "KAMENG_REPUTATION_TOKENS"): unit for one, unit in settings.reputation_tokens},
        platforms=frozenset(platforms) if platforms else None,
    )


def open_book(store: "Store", deployment: Deployment) -> "Book":
    """What the store knows of a deployment. Raises `SchemaMissing` and the like, and `UnknownContract`."""
    from .store import Book

    return Book(store, deployment.chain_id, deployment.address)


def choose_book(store: "Store", settings: Settings) -> "Book":
    """What the store knows of the contract in use, for whoever asks no node: the only one in the store that fits
    `contract` and `chain_id`, or of several the one that was recorded last.

    Raises:
        UnknownContract, SchemaMissing and the like: the store has none.
        NoDeployment: it has several, and none is recorded.
    """
    from .store import Book, contracts

    fitting = [
        found
        for found in contracts(store)
        if settings.chain_id in (None, found.chain_id)
        and (settings.contract is None or settings.contract.partition("@")[0].lower() == found.address.lower())
    ]
    if len(fitting) == 1:
        return Book(store, fitting[0].chain_id, fitting[0].address)
    return open_book(store, recorded_deployment(settings))


def open_files(settings: Settings) -> "BlobStore":
    """The folder of the files that people send into rooms. Makes nothing yet."""
    from .store import BlobStore

    return BlobStore(settings.files, max_bytes=settings.files_max_bytes)


def talk_limits(settings: Settings) -> "RoomLimits":
    """How much a room takes."""
    from .talk.desk import RoomLimits

    return RoomLimits(file_bytes=settings.file_max_bytes, room_bytes=settings.room_max_bytes)


def make_stockkeeper(store: "Store", deployment: Deployment) -> "Stockkeeper":
    """What keeps listings' stocks in step with their orders.

    Raises:
        UnknownContract, SchemaMissing and the like: nothing of the contract was mirrored yet.
    """
    from .trade.stockkeeper import Stockkeeper

    return Stockkeeper(store, open_book(store, deployment).info().id)


def make_risk_worker(store: "Store", deployment: Deployment, settings: Settings) -> "RiskWorker":
    """What scores orders, warns, learns what is out of the ordinary and where things are heading, and advises on rules.

    Raises:
        Malformed: an address in the settings has a wrong checksum.
        RiskLibraryMissing: the libraries of `kameng-escrow[risk]` are not installed.
        UnknownContract, SchemaMissing and the like: nothing of the contract was mirrored yet.
    """
    from .risk.libraries import need_anomaly_libraries, need_libraries, need_trend_libraries

    need_libraries()
    need_anomaly_libraries()
    need_trend_libraries()
    import time

    from .notify.people_fanout import ask_for_stock
    from .risk.anomalies.following import AnomalyFollower
    from .risk.orders.following import RiskFollower
    from .risk.trends.keeping import refresh_outlooks
    from .risk.worker import RiskWorker
    from .simulate.keeping import refresh_advice
    from .store.service.risk import CONFIRM_STOCK

    yuan = {parse_address(one, "KAMENG_YUAN_TOKENS"): units for one, units in settings.yuan_tokens}
    period = settings.advice_days * 86_400
    contract_id = open_book(store, deployment).info().id

    def asked(session: Any, alert: Any) -> None:
        if alert.kind == CONFIRM_STOCK:
            now_ms = int(time.time() * 1_000)
            ask_for_stock(session, contract_id, alert.snapshot.seller, alert.snapshot.order_id, now_ms)

    follower = RiskFollower(store, contract_id, threads=settings.risk_threads, on_alert=asked)
    anomalies = AnomalyFollower(store, contract_id)
    return RiskWorker(
        store,
        contract_id,
        [
            ("scores", follower.look),
            ("anomalies", lambda _, stop: anomalies.look(stop)),
            ("trends", lambda store, stop: refresh_outlooks(store, contract_id, stop=stop)),
        ],
        asides=[("advice", lambda store, stop: refresh_advice(store, contract_id, period=period, yuan=yuan, stop=stop))]
        if period
        else [],
    )


def make_parts(
    store: "Store", node: Node, deployment: Deployment, settings: Settings, *, signer: LocalAccount | None = None
) -> "Parts":
    """What the platform service of a deployment works with. `signer` signs the statements that it makes.

    Raises:
        UnknownContract, SchemaMissing and the like: nothing of the contract was mirrored yet.
    """
    from .chain.networks import network_of
    from .delivery.fingerprints import read_fingerprint_keys
    from .service.parts import Parts, ServiceConfig

    keys = settings.fingerprint_keys_file
    book = open_book(store, deployment)
    network = network_of(deployment.chain_id)
    client = EscrowClient(node=node, contract=deployment)
    return Parts(
        config=ServiceConfig(
            public_url=settings.public_url,
            proxies=settings.proxies,
            session_seconds=settings.session_hours * 3_600,
            explorer_url=settings.explorer_url or network.explorer,
            native_symbol=network.coin,
            rate_limit=settings.rate_limit,
            rate_limit_anonymous=settings.rate_limit_anonymous,
            limits=relay_limits(settings),
            deposit_confirmations=settings.deposit_confirmations,
        ),
        store=store,
        book=book,
        contract_id=book.info().id,
        node=node,
        deployment=deployment,
        client=client,
        blobs=open_files(settings),
        talk_limits=talk_limits(settings),
        yardstick=make_yardstick(settings),
        signer=signer,
        fingerprint_keys=() if keys is None else read_fingerprint_keys(keys),
        telling=make_telling(settings, deployment, client),
    )


LOCAL_CHAINS = (31_337, 1_337)  # the ids that development chains have


def make_telling(settings: Settings, deployment: Deployment, client: EscrowClient | None = None) -> "Telling":
    """What telling the accounts of a deployment takes. `client` asks tokens how their amounts are written; without one
    they are in base units.

    Raises:
        SettingError: endpoints on this machine were asked for, and the chain is no local one.
        SecretFileUnusable: a file that a setting names has not what it should.
    """
    from .chain.networks import network_of
    from .notify import Sealer, Senders, Telling, read_push_key, read_seal_keys, read_secret
    from .notify.currencies import ChainCurrencies

    loopback = settings.webhook_loopback == "yes"
    if loopback and deployment.chain_id not in LOCAL_CHAINS:
        raise SettingError(
            "KAMENG_WEBHOOK_LOOPBACK",
            f"Webhooks go to this machine on a local chain only, and {deployment.chain_id} is none: unset "
            "KAMENG_WEBHOOK_LOOPBACK.",
            f"只有本地链才允许 webhook 发往本机，而 {deployment.chain_id} 不是：请去掉 KAMENG_WEBHOOK_LOOPBACK。",
        )
    seal, push, mail, bot = (
        settings.seal_key_file,
        settings.push_key_file,
        settings.mail_file,
        settings.telegram_token_file,
    )
    return Telling(
        public_url=settings.public_url,
        sealer=Sealer(() if seal is None else read_seal_keys(seal)),
        senders=Senders(
            push=None if push is None else read_push_key(push, settings.push_contact or settings.public_url),
            mail_url=None if mail is None else read_secret(mail),
            telegram_token=None if bot is None else read_secret(bot),
        ),
        currencies=ChainCurrencies(client, network_of(deployment.chain_id).coin),
        hosts=settings.notify_hosts,
        loopback=loopback,
    )
