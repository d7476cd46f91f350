"""What a relayer's transactions are for: each brings one relay, whose row follows it."""

from sqlalchemy.orm import Session

from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.errors import NodeRefused
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.errors import EscrowError
from kameng_escrow.keeper.answers import wants_later
from kameng_escrow.keeper.errors import NotTaken
from kameng_escrow.keeper.eye import Eye
from kameng_escrow.keeper.signing import content_of
from kameng_escrow.store import Store
from kameng_escrow.store.keeping import Inclusion, Intent
from kameng_escrow.store.service import relays

from .errors import RelayReverted


class Relaying:
    """The errand of a relayer.

    Args:
        store: under the term of the account's relayer.
        refusals: what the chain said of relays that were given up, by intent; outlives the round.
    """

    def __init__(self, eye: Eye, store: Store, refusals: dict[int, Refusal]) -> None:
        self._eye = eye
        self._store = store
        self._refusals = refusals

    def is_wanted(self, intent: Intent) -> bool:
        """Whether the contract would still take it: what it refuses by now would only cost gas."""
        content = content_of(intent.last.raw)
        try:
            self._eye.attempt(Call(to=content.to, data=content.data))
        except Refusal as refusal:
            self._refusals[intent.id] = refusal
            return False
        except NodeRefused as refused:
            if wants_later(refused):
                raise
        return True

    def also(self, session: Session, intent: Intent) -> None:
        """The relay stands where its intent does."""
        relays.follow(session, intent)

    def withdrawn(self, intent: Intent, words: str | None, now_ms: int) -> None:
        """Says in the relay's row why it is not brought."""
        del now_ms
        refusal = self._refusals.pop(intent.id, None)
        why: EscrowError | None = refusal if words is None else NotTaken(intent.last.hash, words)
        if why is not None:
            self._note(intent, why)

    def mined(self, intent: Intent, inclusion: Inclusion, now_ms: int) -> None:
        """Nothing more to do."""

    def reverted(self, intent: Intent, inclusion: Inclusion) -> EscrowError:
        """The chain moved on while it was under way."""
        del intent
        return RelayReverted(inclusion.hash)

    def failed(self, intent: Intent, inclusion: Inclusion, now_ms: int) -> None:
        """Says so in the relay's row."""
        del now_ms
        self._note(intent, RelayReverted(inclusion.hash))

    def _note(self, intent: Intent, why: EscrowError) -> None:
        with self._store.writing() as session:
            carried = relays.carried(session, intent.id)
            if carried is not None:
                relays.note(session, carried.id, why, ended=False)
