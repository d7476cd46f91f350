"""One run: a chain, a store, mirrors and keepers, whatever goes wrong, and what is true in the end."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.postgres import Server, own_server
from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.states import State
from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Book, Store
from kameng_escrow.store.errors import StoreError

from ..integration.escrow_world import DAY, EscrowWorld
from ..integration.keepers import KEEPER, journal_of
from .household import Household
from .lines import Line
from .reader import Reader
from .schedule import WINDOW, Blow, Event, LineFault, Strike, draw
from .sky import Sky
from .town import Town
from .verdict import Verdict, judge

PATIENCE = 1.0  # seconds that the processes wait for an answer of a node
RECOVERY = 180.0  # seconds that they have to put everything in order once nothing goes wrong any more
_FINAL_DEPTH = 32
_FOREIGN_CHAIN = 31_338
_SPARE = 128 * 1024  # bytes: no file that is not the store's is as long

Telling = Callable[[str], None]


class DidNotRecover(AssertionError):
    """Nothing went wrong any more, and they did not put everything in order in time."""


@dataclass(slots=True)
class Outcome:
    """What was done, and what is true in the end."""

    verdict: Verdict
    faults: Counter[str] = field(default_factory=Counter)  # by kind
    killed: Counter[str] = field(default_factory=Counter)  # by process
    ended: Counter[str] = field(default_factory=Counter)  # processes that ended by themselves, by exit code
    reorgs: list[int] = field(default_factory=list)  # depths
    deeds: Counter[str] = field(default_factory=Counter)
    unforeseen: list[str] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)  # what the processes said of it, by code
    seconds: float = 0.0
    recovery_seconds: float = 0.0

    @property
    def innocent(self) -> bool:
        return self.verdict.innocent and not self.unforeseen


class Chaos:
    """Everything that a run needs, in a folder of its own.

    Args:
        folder: empty; store, logs and journal stay there for whoever wants to know.
        postgresql: on a server of its own; else SQLite.
        seed: everything that is drawn is drawn from it.
        seconds: for how long things go wrong.
    """

    def __init__(
        self, folder: Path, *, postgresql: bool, seed: int, seconds: float, tell: Telling = lambda _: None
    ) -> None:
        self._folder = folder
        self._postgresql = postgresql
        self._seed = seed
        self._seconds = seconds
        self._tell = tell
        self._faults: Counter[str] = Counter()
        self._server: Server | None = None
        self._work: list[Future[None]] = []
        self._servants = ThreadPoolExecutor(max_workers=1)  # what is done to the server takes seconds

    def run(self) -> Outcome:
        """Raises `DidNotRecover`."""
        began = time.monotonic()
        with ExitStack() as stack:
            stack.enter_context(self._servants)
            self._set_up(stack)
            self._town.start()
            self._reader.start()
            self._go_wrong(draw(self._seed, self._seconds, postgresql=self._postgresql))
            self._town.stop()
            calm = time.monotonic()
            self._recover()
            recovery = time.monotonic() - calm
            self._reader.stop()
            with Store.open(self._url) as store:
                sent = set().union(*(line.sent for line in self._lines))
                verdict = judge(self._world, store, heard=self._reader.heard, sent=sent, moved=self._moved())
            life = self._household.life
            return Outcome(
                verdict=verdict,
                faults=self._faults + sum((line.spoiled for line in self._lines), Counter()),
                killed=life.killed,
                ended=life.ended,
                reorgs=self._town.reorgs,
                deeds=self._town.deeds,
                unforeseen=life.unforeseen,
                troubles=self._household.codes,
                seconds=time.monotonic() - began,
                recovery_seconds=recovery,
            )

    # ----------------------------------------------------------------------------------------------------------- set-up

    def _set_up(self, stack: ExitStack) -> None:
        # With all states in memory: one that it has put on the disk is lost to a rollback, and with it the contracts.
        node = stack.enter_context(AnvilNode(options=("--prune-history", "1000000")))
        foreign = stack.enter_context(AnvilNode(chain_id=_FOREIGN_CHAIN))
        assert node.url is not None
        assert foreign.url is not None
        self._world = EscrowWorld(node)
        node.mine(WINDOW)  # so that a reorg never reaches below the contract
        self._url = str(self._folder / "store.sqlite")
        if self._postgresql:
            # Apart: root's server runs as somebody else, who must get at its folder from above. It need not wait for
            # the disk: what fails is the server, and not the machine under it.
            place = stack.enter_context(TemporaryDirectory(prefix="kameng-postgres-", ignore_cleanup_errors=True))
            self._server = stack.enter_context(own_server(Path(place) / "server", durable=False))
            self._url = self._server.create_database()
        self._lines = [Line(node.url, foreign.url, seed=self._seed + index, patience=PATIENCE) for index in range(2)]
        urls = [stack.enter_context(line.open()) for line in self._lines]
        self._sky = Sky.make(self._folder / "sky")
        self._household = stack.enter_context(
            Household(
                {
                    **{f"mirror-{number}": self._mirror() for number in (1, 2)},
                    **{f"keeper-{number}": self._keeper() for number in (1, 2)},
                },
                self._environment(urls),
                sky=self._folder / "sky",
                log=self._folder / "log",
                seed=self._seed,
            )
        )
        record = self._world.deployment
        self._reader = Reader(self._url, record.chain_id, record.address)
        self._town = Town(self._world, self._seed)

    @staticmethod
    def _mirror() -> tuple[str, ...]:
        depth = str(_FINAL_DEPTH)
        return ("mirror", "--follow", "--poll", "0.1", "--final-depth", depth, "--audit", "5", "--log-json")

    @staticmethod
    def _keeper() -> tuple[str, ...]:
        """A transaction is final when no reorg can undo it any more."""
        final = str(WINDOW + 1)
        return (
            "keeper",
            "--poll",
            "0.2",
            "--spread",
            "0",
            "--confirmations",
            final,
            "--stuck-after",
            "2",
            "--log-json",
        )

    def _environment(self, urls: list[str]) -> dict[str, str]:
        record, key = self._folder / "deployment.json", self._folder / "keeper.key"
        record.write_text(self._world.deployment.to_json(), "utf-8")
        key.touch(mode=0o600)
        key.write_text(bytes(self._world.node.accounts[KEEPER].key).hex(), "ascii")
        return {
            "KAMENG_RPC_URL": urls[0],
            "KAMENG_RPC_FALLBACKS": ",".join(urls[1:]),
            "KAMENG_STORE": self._url,
            "KAMENG_CONTRACT": str(record),
            "KAMENG_DEPLOYMENTS": str(self._folder),
            "KAMENG_KEY_FILE": str(key),
            "KAMENG_TIMEOUT": str(PATIENCE),
            "KAMENG_KEEPER_BUDGET": "none",
            "KAMENG_LANG": "en",
        }

    # -------------------------------------------------------------------------------------------------- what goes wrong

    def _go_wrong(self, events: tuple[Event, ...]) -> None:
        """Does everything in its time, and returns when it is over."""
        began = time.monotonic()
        todo: list[tuple[float, Callable[[], None]]] = []
        for event in events:
            todo += self._doings(event)
        todo.append((self._seconds, lambda: None))
        for at, do in sorted(todo, key=lambda one: one[0]):
            time.sleep(max(0.0, began + at - time.monotonic()))
            do()
        self._clear_up()

    def _doings(self, event: Event) -> list[tuple[float, Callable[[], None]]]:
        if isinstance(event, LineFault):
            line = self._lines[event.line]
            return [
                (event.at, lambda: line.begin(event, self._town.head())),
                (event.at + event.seconds, lambda: line.end(event)),
            ]
        doings: list[tuple[float, Callable[[], None]]] = [(event.at, lambda: self._strike(event))]
        if event.seconds:
            doings.append((event.at + event.seconds, lambda: self._relieve(event)))
        return doings

    def _strike(self, strike: Strike) -> None:
        match strike.blow:
            case Blow.KillMirror | Blow.KillKeeper:
                who = "mirror" if strike.blow is Blow.KillMirror else "keeper"
                self._household.kill(f"{who}-{1 + strike.number}")
                return  # it is counted when it is dead
            case Blow.Reorg:
                self._town.reorganise(strike.number, strike.rewriting)
                return
            case Blow.Clock:
                self._sky.change(clock_off=strike.number)
            case Blow.NoPages:
                self._sky.change(no_pages=True)
            case Blow.NoSpace:
                self._household.limit_space(max(self._longest_file(), _SPARE) + strike.number)
            case Blow.RestartServer:
                self._have_done(self._of_server().restart)
            case Blow.KillServer:
                self._have_done(self._of_server().kill)
            case Blow.FillServer:
                self._have_done(self._of_server().fill)
        self._faults[strike.blow.value] += 1

    def _relieve(self, strike: Strike) -> None:
        match strike.blow:
            case Blow.NoPages:
                self._sky.change(no_pages=False)
            case Blow.NoSpace:
                self._household.limit_space(None)
            case Blow.KillServer | Blow.FillServer:
                self._have_done(self._of_server().start)
            case _:
                pass

    def _have_done(self, work: Callable[[], None]) -> None:
        """One thing after the other, and nothing else waits for it."""
        self._work.append(self._servants.submit(work))

    def _of_server(self) -> Server:
        assert self._server is not None
        return self._server

    def _longest_file(self) -> int:
        return max((path.stat().st_size for path in self._folder.glob("store.sqlite*")), default=0)

    def _clear_up(self) -> None:
        """Nothing goes wrong any more."""
        for line in self._lines:
            line.end()
        self._household.limit_space(None)
        self._household.spare()
        self._sky.change(clock_off=0, no_pages=False)
        if self._server is not None:
            self._have_done(self._server.start)
        for work in self._work:
            work.result()

    # --------------------------------------------------------------------------------------------------------- recovery

    def _recover(self) -> None:
        """Every clock runs out, and the processes have a while to bring everything to its end."""
        world = self._world
        self._tell("nothing goes wrong any more")
        world.wait(8 * DAY)
        self._until("every order is settled", lambda: not self._open_orders())
        self._until("every transaction is final", self._all_final)
        self._until("the mirror is level with the chain", self._is_level)
        self._until("the outbox is read to its end", self._is_read)

    def _until(self, what: str, so: Callable[[], bool]) -> None:
        ends = time.monotonic() + RECOVERY
        while not so():
            if time.monotonic() > ends:
                raise DidNotRecover(f"{what}: not within {RECOVERY:g} s")
            time.sleep(0.2)
        self._tell(what)

    def _moved(self) -> set[int]:
        """The nonces of transactions that a reorg has taken out of their block."""
        return {nonce for nonce, moves in self._household.moves.items() if moves > 1}

    def _open_orders(self) -> list[str]:
        """What is still open on the chain."""
        from ..integration.mirrors import orders_on_chain

        client = EscrowClient(node=self._world.node, contract=self._world.deployment)
        known = list(orders_on_chain(self._world))
        parts = [known[start : start + 400] for start in range(0, len(known), 400)]
        return [one.order_id for part in parts for one in client.statuses(part) if one.state is not State.Closed]

    def _all_final(self) -> bool:
        try:
            with Store.open(self._url) as store:
                waiting = journal_of(self._world, store).waiting()
        except StoreError:
            return False
        if waiting and all(one.inclusion for one in waiting):
            self._world.node.request("anvil_mine", hex(16))
        return not waiting

    def _is_level(self) -> bool:
        try:
            with Store.open(self._url) as store:
                record = self._world.deployment
                return Book(store, record.chain_id, record.address).info().marks.seen == self._town.head()
        except EscrowError:
            return False

    def _is_read(self) -> bool:
        with Store.open(self._url) as store:
            from ..integration.mirrors import all_news

            news = all_news(store, limit=10**9)
        return not news or (bool(self._reader.heard) and self._reader.heard[-1].id == news[-1].id)


def results_of(outcomes: dict[str, Outcome], seed: int) -> dict[str, Any]:
    """What is written down of a run on each store."""

    def total(of: Callable[[Outcome], int]) -> int:
        return sum(map(of, outcomes.values()))

    def found(kind: str) -> int:
        return total(lambda one: one.verdict.count(kind))

    kinds = sum((one.faults for one in outcomes.values()), Counter[str]())
    return {
        "faults": kinds.total(),
        "kills": total(lambda one: one.killed.total()),
        "reorgs": total(lambda one: len(one.reorgs)),
        "orders": total(lambda one: one.verdict.orders),
        "differences": found("differences"),
        "outbox_doubled": found("outbox_doubled"),
        "outbox_lost": found("outbox_lost"),
        "seed": seed,
        **{
            kind: found(kind)
            for kind in ("outbox_disordered", "outbox_untrue", "intents_lost", "paid_twice", "unsettled")
        },
        "unforeseen": total(lambda one: len(one.unforeseen)),
        "events": total(lambda one: one.verdict.events),
        "retractions": total(lambda one: one.verdict.retractions),
        "intents": total(lambda one: one.verdict.intents),
        "deepest_reorg": max((depth for one in outcomes.values() for depth in one.reorgs), default=0),
        "faults_by_kind": dict(sorted(kinds.items())),
        "stores": sorted(outcomes),
        "seconds": round(sum(one.seconds for one in outcomes.values())),
        "recovery_seconds": round(max(one.recovery_seconds for one in outcomes.values()), 1),
    }
