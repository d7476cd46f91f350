"""Looks after the intents that wait: does what the machine decides, and writes it down in the right order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.errors import NodeError
from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Journal
from kameng_escrow.store.keeping import Attempt, Fee, Inclusion, Intent, Payload, Rejection, Stage, Trouble

from .answers import rejection_of
from .batches import patience_ms
from .errors import AccountDry, BatchReverted, BudgetSpent, GasTooDear, NonceTaken, NotTaken, OrderGivenUp, OrderStuck
from .eye import Eye, Outlook, words_of
from .fees import market_fee
from .machine import End, Note, Offer, Replace, Sight, Wait, Why, judge
from .report import Announce, News, NewsKind, Tally
from .rules import DAY_MS, Rules
from .signing import Content, content_of, sign

_MOVES = 8  # with one intent in one look: a node that wants more gets it at once, but not for ever


@dataclass(slots=True)
class Memory:
    """What a keeper may forget: it is read anew from the chain, or only makes it wait a little longer."""

    looks_without: dict[int, int] = field(default_factory=dict)  # by intent
    wanted_at: dict[int, tuple[int, bool]] = field(default_factory=dict)  # by intent: the head, and whether it was
    words: dict[int, str] = field(default_factory=dict)  # by intent: what the node last said to it
    gap_since_ms: int | None = None
    due_since_ms: int | None = None  # when something was due again after nothing was
    rest_until_ms: int = 0  # another keeper is at it: let it work

    def rest(self, now_ms: int, account: str, spread_seconds: float) -> None:
        """Another keeper was seen at work: this one lets it, for half the spread and up to as much again."""
        half = spread_seconds / 2
        self.rest_until_ms = now_ms + int(half * 1000) + patience_ms(account, now_ms, half)

    def forget(self, intent_id: int) -> None:
        """The intent has ended."""
        for known in (self.looks_without, self.wanted_at, self.words):
            known.pop(intent_id, None)


@dataclass(slots=True)
class Round:
    """One look at the chain, and what follows from it."""

    outlook: Outlook
    now_ms: int
    spent: int  # wei in the last 24 hours, with the most that what waits may cost
    conditions: dict[str, EscrowError] = field(default_factory=dict)  # by code: what keeps us from settling
    moved: bool = False  # whether anything happened

    def add(self, error: EscrowError) -> None:
        """Notes what keeps us from settling; of one kind the first is enough."""
        self.conditions.setdefault(error.code, error)


class Hands:
    """Signs, writes down, sends. In that order, always.

    Args:
        journal: under the term of the account's keeper.
        contract_id: of the contract whose orders are settled. Of others there may be intents that wait, if the account
            has worked for them before.
        escrows: the addresses of the store's contracts, by id.
    """

    def __init__(
        self,
        eye: Eye,
        journal: Journal,
        account: LocalAccount,
        rules: Rules,
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
        self._contract_id = contract_id
        self._escrows = escrows
        self._memory = memory
        self._tally = tally
        self._announce = announce
        self._clock_ms = clock_ms

    # ------------------------------------------------------------------------------------------------------- sending

    def open(self, part: Round, *, nonce: int, order_ids: tuple[str, ...], content: Content, fee: Fee) -> Intent:
        """A new intent, written down and given to the node. Without orders it only takes its nonce.

        Raises:
            StoreError: it was not written down, and not sent.
        """
        attempt = self._sign(nonce, Payload.Batch if order_ids else Payload.Nothing, content, fee)
        intent = self._journal.open(
            contract_id=self._contract_id,
            nonce=nonce,
            order_ids=order_ids,
            attempt=attempt,
            at_ms=self._clock_ms(),
        )
        part.spent += attempt.cost
        part.moved = True
        self._tally.transactions += 1
        intent = self._offer(intent, attempt)
        self._announce(News(kind=NewsKind.Sent if order_ids else NewsKind.Filled, intent=intent))
        return intent

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
        self._journal.write(intent, self._clock_ms())
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
        """Whether somebody's order still waits for it; asked once a block."""
        if not intent.order_ids or intent.last.payload is Payload.Nothing:
            return False
        if intent.contract_id != self._contract_id:
            return True  # another lens would have to tell
        known = self._memory.wanted_at.get(intent.id)
        if known is None or known[0] != head:
            open_still = any(self._eye.deadlines(intent.order_ids))
            # Or it was our own transaction that ended them, a moment ago: its nonce tells.
            known = (head, open_still or self._eye.latest_nonce() > intent.nonce)
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
        self._journal.write(intent, self._clock_ms())
        part.spent += intent.reserved - before.reserved
        part.moved = True
        self._tally.raised += 1
        self._announce(News(kind=NewsKind.Raised if same else NewsKind.Withdrawn, intent=intent))
        if unfit and not same:
            words = self._memory.words.get(intent.id, "unfit")
            self.note_failures(intent.contract_id, intent.order_ids, NotTaken.code, words, part.now_ms)
        return intent

    def _note(self, intent: Intent, inclusion: Inclusion | None, part: Round) -> Intent:
        intent = intent.included(inclusion)
        self._journal.write(intent, self._clock_ms())
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
        self._journal.write(intent, self._clock_ms())
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
            error = BatchReverted(inclusion.hash, len(intent.order_ids))
            self._announce(News(kind=NewsKind.Reverted, intent=intent, error=error))
            reason = "it was mined and refused"
            self.note_failures(intent.contract_id, intent.order_ids, error.code, reason, part.now_ms)
            return
        if self._journal.troubles(intent.contract_id, inclusion.closed):
            self._journal.forget_troubles(intent.contract_id, inclusion.closed)
        if intent.payload_of(inclusion.hash) is Payload.Batch and not inclusion.closed:
            self._memory.rest(part.now_ms, intent.account, self._rules.spread_seconds)
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
                    part.add(BudgetSpent(budget, part.spent, last.cost // 8))
                else:
                    part.add(GasTooDear(outlook.base_fee or outlook.suggested, self._rules.max_fee))
            case _:
                pass

    # ------------------------------------------------------------------------------------------------------ failures

    def note_failures(self, contract_id: int, order_ids: tuple[str, ...], code: str, reason: str, now_ms: int) -> None:
        """Writes down that orders could not be settled, and when each is tried again, if ever."""
        known = self._journal.troubles(contract_id, order_ids)
        troubles = []
        for order_id in order_ids:
            before = known.get(order_id)
            failures = 1 + (before.failures if before else 0)
            troubles.append(
                Trouble(
                    order_id=order_id,
                    failures=failures,
                    code=code,
                    reason=reason,
                    next_try_ms=self._rules.next_try_ms(failures, now_ms),
                    since_ms=before.since_ms if before else now_ms,
                )
            )
        self._journal.note_troubles(contract_id, troubles)
        for trouble in troubles:
            kind, error = (NewsKind.GivenUp, OrderGivenUp) if trouble.given_up else (NewsKind.Stuck, OrderStuck)
            self._announce(News(kind=kind, error=error(trouble.order_id, trouble.failures, trouble.reason)))


def spent_today(journal: Journal, now_ms: int) -> int:
    """What the account has spent in the last 24 hours, and the most that what waits may cost. Wei."""
    return journal.spent_since(now_ms - DAY_MS)
