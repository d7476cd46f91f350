"""A chain, a node and a journal in miniature, for random histories of a keeper."""

from dataclasses import dataclass, field

from kameng_escrow.keeper.machine import (
    PATIENCE,
    End,
    Move,
    Note,
    Offer,
    Pace,
    Replace,
    Sight,
    Wait,
    gap,
    judge,
    next_nonce,
)
from kameng_escrow.store.keeping import Attempt, Fee, Inclusion, Intent, Payload, Rejection, Stage

ACCOUNT = "0x" + "11" * 20
FOREIGN = "foreign"
PACE = Pace(confirmations=4, stuck_ms=10_000, resend_ms=5_000, retry_ms=2_000, fee_cap=10**15)


@dataclass(frozen=True)
class Tx:
    hash: str
    nonce: int
    price: int


@dataclass
class World:
    """One account, its journal, and a node with a pool."""

    blocks: list[list[Tx]] = field(default_factory=lambda: [[]])
    versions: list[int] = field(default_factory=lambda: [0])  # of each block: a reorganised one has another hash
    pool: dict[int, Tx] = field(default_factory=dict)
    journal: list[Intent] = field(default_factory=list)
    written: set[str] = field(default_factory=set)  # every hash that was ever written down
    base_fee: int = 100
    now_ms: int = 0
    looks: dict[int, int] = field(default_factory=dict)  # in the keeper's memory: a kill forgets it
    unwanted: set[int] = field(default_factory=set)
    count: int = 0
    foreign: int = 0

    # ----------------------------------------------------------------------------------------------------- the chain

    @property
    def head(self) -> int:
        return len(self.blocks) - 1

    def nonce_at(self, block: int) -> int:
        return sum(len(txs) for txs in self.blocks[: max(0, block + 1)])

    def find(self, transaction_hash: str) -> Inclusion | None:
        for number, txs in enumerate(self.blocks):
            if any(tx.hash == transaction_hash for tx in txs):
                return Inclusion(
                    hash=transaction_hash,
                    block_number=number,
                    block_hash=f"{number}/{self.versions[number]}",
                    succeeded=not transaction_hash.endswith("3"),  # some are refused
                    gas_used=1,
                    cost=1,
                )
        return None

    def mine(self) -> None:
        """The next block takes what pays enough, in the nonces' order."""
        block: list[Tx] = []
        nonce = self.nonce_at(self.head)
        while (tx := self.pool.get(nonce)) is not None and tx.price >= self.base_fee:
            block.append(self.pool.pop(nonce))
            nonce += 1
        self._add(block)

    def _add(self, block: list[Tx]) -> None:
        self.count += 1
        self.blocks.append(block)
        self.versions.append(self.count)
        used = self.nonce_at(self.head)
        self.pool = {nonce: tx for nonce, tx in self.pool.items() if nonce >= used}

    def reorganise(self, depth: int, *, drop: bool) -> None:
        """The last blocks are others now; what was in them is back in the pool, or gone."""
        depth = min(depth, PACE.confirmations - 1, self.head)
        for _ in range(depth):
            for tx in self.blocks.pop():
                if not drop:
                    self.pool[tx.nonce] = tx
            self.versions.pop()
        for _ in range(depth):
            self._add([])

    def somebody_else_sends(self, *, mined: bool, price: int) -> None:
        """From the same account, without telling us."""
        nonce = self.nonce_at(self.head)
        self.foreign += 1
        tx = Tx(f"{FOREIGN}{self.foreign}", nonce, price)
        if mined:
            self._add([tx])
        else:
            self.pool[nonce] = tx

    # ------------------------------------------------------------------------------------------------------ the node

    def pending(self) -> int:
        nonce = self.nonce_at(self.head)
        while nonce in self.pool:
            nonce += 1
        return nonce

    def submit(self, tx: Tx) -> Rejection | None:
        if tx.nonce < self.nonce_at(self.head):
            return Rejection.NonceUsed
        known = self.pool.get(tx.nonce)
        if known is not None and known.hash == tx.hash:
            return None
        if known is not None and tx.price * 10 < known.price * 11:
            return Rejection.Occupied
        self.pool[tx.nonce] = tx
        return None

    # ---------------------------------------------------------------------------------------------------- the keeper

    def _sign(self, nonce: int, payload: Payload, fee: Fee) -> Attempt:
        self.count += 1
        name = f"{nonce}-{payload.label}-{self.count}"
        self.written.add(name)
        return Attempt(hash=name, payload=payload, fee=fee, gas=10, raw=b"raw", signed_ms=self.now_ms)

    def market(self) -> Fee:
        return Fee(highest=2 * self.base_fee, tip=1)

    def held(self) -> frozenset[int]:
        return frozenset(intent.nonce for intent in self.journal if not intent.stage.has_ended)

    def plan(self, *, filler: bool = False) -> None:
        """A new intent: written down, not sent."""
        latest = self.nonce_at(self.head)
        nonce = gap(latest, self.pending(), self.held()) if filler else None
        if filler and nonce is None:
            return
        if nonce is None:
            nonce = next_nonce(latest, self.pending(), self.held())
        assert nonce not in self.held()
        number = len(self.journal)
        payload = Payload.Nothing if filler else Payload.Batch
        self.journal.append(
            Intent(
                id=number,
                contract_id=1,
                chain_id=1,
                account=ACCOUNT,
                nonce=nonce,
                order_ids=() if filler else (f"order{number}",),
                created_ms=self.now_ms,
                attempts=(self._sign(nonce, payload, self.market()),),
            )
        )

    def look(self, intent: Intent, *, blind: bool = False) -> Sight:
        found = [seen for attempt in intent.attempts if (seen := self.find(attempt.hash)) is not None]
        assert len(found) <= 1, "two transactions of one intent are mined"
        inclusion = found[0] if found and not blind else None
        deep = self.nonce_at(self.head - PACE.confirmations + 1)
        missing = deep > intent.nonce and inclusion is None
        self.looks[intent.id] = self.looks.get(intent.id, 0) + 1 if missing else 0
        return Sight(
            now_ms=self.now_ms,
            head=self.head,
            latest_nonce=self.nonce_at(self.head),
            deep_nonce=deep,
            market=self.market(),
            inclusion=inclusion,
            looks_without=self.looks[intent.id],
            wanted=intent.id not in self.unwanted,
        )

    def tend(self, number: int, *, fate: str = "") -> Move | None:
        """One look at one intent and what follows from it.

        `fate`: "blind": the node has lost its receipts for once; "killed": the keeper dies between sending and writing;
        "lost": the answer to what is sent is lost; "unsent": what is sent is lost.
        """
        intent = self.journal[number]
        if intent.stage.has_ended:
            return None
        move = judge(intent, self.look(intent, blind=fate == "blind"), PACE)
        match move:
            case Note(inclusion):
                intent = intent.included(inclusion)
            case End(stage, inclusion):
                intent = intent.ended(stage, inclusion)
            case Replace(payload, fee):
                intent = intent.replaced(self._sign(intent.nonce, payload, fee))
            case Offer(transaction_hash):
                intent = self._offer(intent, transaction_hash, fate)
            case Wait():
                pass
        self.journal[number] = intent
        return move

    def _offer(self, intent: Intent, transaction_hash: str, fate: str) -> Intent:
        assert transaction_hash in self.written, "sent before it was written down"
        [attempt] = [one for one in intent.attempts if one.hash == transaction_hash]
        assert attempt.raw
        rejection: Rejection | None = Rejection.Unclear
        if fate != "unsent":
            said = self.submit(Tx(transaction_hash, intent.nonce, attempt.fee.highest))
            rejection = Rejection.Unclear if fate == "lost" else said
        if fate == "killed":
            self.restart()
            return intent
        return intent.offered(transaction_hash, self.now_ms, rejection)

    def restart(self) -> None:
        self.looks.clear()

    def tend_all(self) -> None:
        self.plan(filler=True)
        for number in range(len(self.journal)):
            self.tend(number)

    def calm_down(self, rounds: int = 120) -> None:
        """Nothing goes wrong any more: every intent must end."""
        self.base_fee = 50
        for _ in range(rounds):
            if all(intent.stage.has_ended for intent in self.journal):
                return
            self.tend_all()
            self.now_ms += 3_000
            self.mine()
        raise AssertionError(f"still waiting: {[intent for intent in self.journal if not intent.stage.has_ended]}")

    def check(self) -> None:
        """What holds at any time."""
        held = [intent.nonce for intent in self.journal if not intent.stage.has_ended]
        assert len(held) == len(set(held)), "two intents wait with one nonce"
        mined = [tx.hash for block in self.blocks for tx in block if not tx.hash.startswith(FOREIGN)]
        assert len(mined) == len(set(mined))
        assert set(mined) <= self.written
        assert {tx.hash for tx in self.pool.values() if not tx.hash.startswith(FOREIGN)} <= self.written
        for intent in self.journal:
            prices = [attempt.fee.highest for attempt in intent.attempts]
            assert prices == sorted(set(prices)), "a replacement pays no more than what it replaces"

    def check_ends(self) -> None:
        """What the journal says of an intent is what the chain says."""
        for intent in self.journal:
            found = [seen for attempt in intent.attempts if (seen := self.find(attempt.hash)) is not None]
            if intent.stage is Stage.Displaced:
                assert found == []
                continue
            [seen] = found
            assert intent.inclusion == seen
            payload = intent.payload_of(seen.hash)
            expected = Stage.Settled if seen.succeeded else Stage.Reverted
            assert intent.stage is (Stage.Withdrawn if payload is Payload.Nothing else expected)


assert PATIENCE > 1
