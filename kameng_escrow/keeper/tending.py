"""Looks after the intents that wait: does what the machine decides, and writes it down in the right order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.errors import NodeError
from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Journal
from kameng_escrow.store.journal import Also
from kameng_escrow.store.keeping import Attempt, Fee, Inclusion, Intent, Payload, Rejection, Stage

from .answers import rejection_of
from .errands import Errand
from .errors import AccountDry, BudgetSpent, GasTooDear, NonceTaken, NotTaken
from .eye import Eye, Outlook, words_of
from .fees import market_fee
from .machine import End, Note, Offer, Replace, Sight, Wait, Why, judge
from .memory import Memory
from .report import Announce, News, NewsKind, Tally
from .rules import DAY_MS, Rules
from .signing import Content, content_of, sign

_MOVES = 8  # with one intent in one look: a node that wants more gets it at once, but not for ever


@dataclass(slots=True)
class Round:
    """One look at the chain, and what follows from it."""

    outlook: Outlook
    now_ms: int
    spent: int  # wei in the last 24 hours, with the most that what waits may cost
    conditions: dict[str, EscrowError] = field(default_factory=dict)  # by code: what keeps us from our work
    moved: bool = False  # whether anything happened

    def add(self, error: EscrowError) -> None:
        """Notes what keeps us from our work; of one kind the first is enough."""
        self.conditions.setdefault(error.code, error)


class Hands:
    """Signs, writes down, sends. In that order, always.

    Args:
        journal: under the term of the account's worker.
        errand: what the account's transactions are for.
        contract_id: of the contract that new intents are of. Of others there may be some that wait, if the account has
            worked for them before.
        escrows: the addresses of the store's contracts, by id.
    """

    def __init__(
        self,
        eye: Eye,
        journal: Journal,
        account: LocalAccount,
        rules: Rules,
        errand: Errand,
        *,
        contract_id: int,
        escrows: Mapping[int, str],
        memory: Memory,
        tally: Tally,
        announce: Announce,
        clock_ms: Callable[[], int],
    ) -> None:
        self._eye = eye
        self._journal = journal
        self._account = account
        self._rules = rules
        self._errand = errand
        self._contract_id = contract_id
        self._escrows = escrows
        self._memory = memory
        self._tally = tally
        self._announce = announce
        self._clock_ms = clock_ms

    # ------------------------------------------------------------------------------------------------------- sending

    def open(
        self,
        part: Round,
        *,
        nonce: int,
        payload: Payload,
        content: Content,
        fee: Fee,
        order_ids: tuple[str, ...] = (),
        also: Also | None = None,
    ) -> Intent:
        """A new intent, written down and given to the node.

        Args:
            order_ids: those that a batch settles.
            also: what is written with it, beside what the errand writes.

        Raises:
            StoreError: it was not written down, and not sent.
        """
        attempt = self._sign(nonce, payload, content, fee)
        intent = self._journal.open(
            contract_id=self._contract_id,
            nonce=nonce,
            order_ids=order_ids,
            attempt=attempt,
            at_ms=self._clock_ms(),
            also=also,
        )
        part.spent += attempt.cost
        part.moved = True
        self._tally.transactions += 1
        intent = self._offer(intent, attempt)
        kind = NewsKind.Filled if payload is Payload.Nothing else NewsKind.Sent
        self._announce(News(kind=kind, intent=intent))
        return intent

    def _write(self, intent: Intent) -> None:
        self._journal.write(intent, self._clock_ms(), self._errand.also)

    def _sign(self, nonce: int, payload: Payload, content: Content, fee: Fee) -> Attempt:
        return sign(
            self._account,
            chain_id=self._eye.chain_id,
            nonce=nonce,
            payload=payload,
            content=content,
            fee=fee,
            now_ms=self._clock_ms(),
        )

    def _offer(self, intent: Intent, attempt: Attempt) -> Intent:
        rejection: Rejection | None = None
        self._memory.words.pop(intent.id, None)
        try:
            self._eye.send(attempt.raw)
        except NodeError as error:
            rejection = rejection_of(error)
            self._memory.words[intent.id] = words_of(error)
        intent = intent.offered(attempt.hash, self._clock_ms(), rejection)
        self._write(intent)
        return intent

    def empty(self) -> Content:
        """What a transaction does that only takes its nonce."""
        return Content(to=self._account.address, data=b"", gas=self._eye.transfer_gas())

    # ------------------------------------------------------------------------------------------------------- tending

    def tend(self, intent: Intent, part: Round) -> Intent:
        """Does what is to be done about an intent that has not ended. Raises `NodeError`, `StoreError`."""
        for _ in range(_MOVES):
            sight = self._sight(intent, part)
            move = judge(intent, sight, self._rules.pace(self._fee_cap(intent, part)))
            match move:
                case Wait(why):
                    self._say_why(why, intent, part)
                    return intent
                case Offer(transaction_hash):
                    [attempt] = [one for one in intent.attempts if one.hash == transaction_hash]
                    intent = self._offer(intent, attempt)
                case Replace(payload, fee):
                    intent = self._replace(intent, payload, fee, part)
                case Note(inclusion):
                    intent = self._note(intent, inclusion, part)
                case End(stage, inclusion):
                    return self._end(intent, stage, inclusion, part)
        return intent

    def _sight(self, intent: Intent, part: Round) -> Sight:
        outlook = part.outlook
        used = outlook.latest_nonce > intent.nonce
        inclusion = self._eye.inclusion(intent, self._escrows[intent.contract_id]) if used else None
        missing = inclusion is None and outlook.deep_nonce > intent.nonce
        self._memory.looks_without[intent.id] = self._memory.looks_without.get(intent.id, 0) + 1 if missing else 0
        return Sight(
            now_ms=self._clock_ms(),
            head=outlook.head,
            latest_nonce=outlook.latest_nonce,
            deep_nonce=outlook.deep_nonce,
            market=market_fee(outlook.base_fee, outlook.suggested, self._rules.max_fee),
            inclusion=inclusion,
            looks_without=self._memory.looks_without[intent.id],
            wanted=used or self._is_wanted(intent, outlook.head),
        )

    def _is_wanted(self, intent: Intent, head: int) -> bool:
        """Whether what it is for is still to be done; asked once a block."""
        if intent.last.payload is Payload.Nothing:
            return False
        known = self._memory.wanted_at.get(intent.id)
        if known is None or known[0] != head:
            # Or it was our own transaction that has done it, a moment ago: its nonce tells.
            known = (head, self._errand.is_wanted(intent) or self._eye.latest_nonce() > intent.nonce)
        self._memory.wanted_at[intent.id] = known
        return known[1]

    def _fee_cap(self, intent: Intent, part: Round) -> int | None:
        """What a replacement may offer so that the day's money is not overdrawn."""
        if self._rules.budget is None:
            return None
        left = self._rules.budget - part.spent + intent.reserved
        return max(0, left) // intent.last.gas

    def _replace(self, intent: Intent, payload: Payload, fee: Fee, part: Round) -> Intent:
        before = intent
        unfit = intent.last.rejection is Rejection.Unfit
        same = payload is intent.last.payload
        content = content_of(intent.last.raw) if same else self.empty()
        intent = intent.replaced(self._sign(intent.nonce, payload, content, fee))
        self._write(intent)
        part.spent += intent.reserved - before.reserved
        part.moved = True
        self._tally.raised += 1
        self._announce(News(kind=NewsKind.Raised if same else NewsKind.Withdrawn, intent=intent))
        if not same:
            words = self._memory.words.get(intent.id, "unfit") if unfit else None
            self._errand.withdrawn(intent, words, part.now_ms)
        return intent

    def _note(self, intent: Intent, inclusion: Inclusion | None, part: Round) -> Intent:
        intent = intent.included(inclusion)
        self._write(intent)
        part.moved = True
        self._tally.take_back(intent)
        if inclusion is None:
            self._announce(News(kind=NewsKind.Undone, intent=intent))
        else:
            self._count(intent, inclusion, part)
        return intent

    def _end(self, intent: Intent, stage: Stage, inclusion: Inclusion | None, part: Round) -> Intent:
        known = intent.inclusion
        intent = intent.ended(stage, inclusion)
        self._write(intent)
        self._memory.forget(intent.id)
        part.moved = True
        if inclusion is None:
            self._tally.displaced += 1
            error = NonceTaken(intent.account, intent.nonce)
            self._announce(News(kind=NewsKind.Displaced, intent=intent, error=error))
            return intent
        if known != inclusion:
            self._tally.take_back(intent)
            self._count(intent, inclusion, part)
        self._announce(News(kind=NewsKind.Final, intent=intent))
        return intent

    def _count(self, intent: Intent, inclusion: Inclusion, part: Round) -> None:
        """A transaction is in a block."""
        self._tally.count(intent, inclusion)
        if not inclusion.succeeded:
            error = self._errand.reverted(intent, inclusion)
            self._announce(News(kind=NewsKind.Reverted, intent=intent, error=error))
            self._errand.failed(intent, inclusion, part.now_ms)
            return
        self._errand.mined(intent, inclusion, part.now_ms)
        self._announce(News(kind=NewsKind.Mined, intent=intent))

    def _say_why(self, why: Why, intent: Intent, part: Round) -> None:
        outlook, last = part.outlook, intent.last
        match why:
            case Why.Foreign:
                part.add(NonceTaken(intent.account, intent.nonce))
            case Why.Funds:
                part.add(AccountDry(intent.account, outlook.balance, last.cost))
            case Why.Node:
                part.add(NotTaken(last.hash, self._memory.words.get(intent.id, "no answer")))
            case Why.Cap:
                budget = self._rules.budget
                if budget is not None and (self._fee_cap(intent, part) or 0) < self._rules.max_fee:
                    part.add(BudgetSpent(budget, part.spent, last.cost // 8, self._rules.worker))
                else:
                    price = outlook.base_fee or outlook.suggested
                    part.add(GasTooDear(price, self._rules.max_fee, self._rules.worker))
            case _:
                pass


def spent_today(journal: Journal, now_ms: int) -> int:
    """What the account has spent in the last 24 hours, and the most that what waits may cost. Wei."""
    return journal.spent_since(now_ms - DAY_MS)
