"""Makes a seller's offers by itself: asks a service which quotes want one, and signs those that the rules allow."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.signing import sign_offer
from kameng_escrow.domain.signed import Offer
from kameng_escrow.errors import EscrowError
from kameng_escrow.platform import AnswerTooLarge, PlatformClient, ServiceBusy, ServiceNonsense, ServiceUnreachable

from .offer_rules import AgainstRules, OfferRules, RulesUnusable, hold_against
from .signed_log import SignedLog

WAIT: Final = 20  # seconds that a request for work stays open
OFFER_SECONDS: Final = 600  # that an offer lives, unless told otherwise
_PAUSES: Final = (1.0, 60.0)  # seconds between attempts while the service is away: the first, and the longest
_LONGEST_WAIT: Final = 600  # seconds, whatever the service asks for
_REMEMBERED: Final = 10_000  # quotes that were refused, so that they are told of once
AWAY: Final = (ServiceUnreachable, ServiceNonsense, ServiceBusy, AnswerTooLarge)  # the same may succeed later


class Service(Protocol):
    """Where the work comes from. Both raise `PlatformError`."""

    def offer_requests(self, *, after: str | None, wait: int) -> list[Mapping[str, Any]]:
        """Quotes that want an offer, the earliest first; after waiting up to `wait` seconds for one."""
        ...

    def bring(self, quote_id: str, offer: Offer) -> None:
        """Brings an offer."""
        ...


@dataclass(frozen=True, slots=True)
class AtService:
    """A platform's service, asked by its client, which calls as the account that signs the offers."""

    client: PlatformClient

    def offer_requests(self, *, after: str | None, wait: int) -> list[Mapping[str, Any]]:
        """As `Service` has it."""
        found: Any = self.client.list_offer_requests(wait=wait, after=after).get("requests")
        if not isinstance(found, list):
            raise ServiceNonsense(self.client.url, 200)
        return [one for one in found if isinstance(one, Mapping)]

    def bring(self, quote_id: str, offer: Offer) -> None:
        """As `Service` has it."""
        self.client.make_offer(
            quote_id,
            {"expiry": offer.expiry, "signature": "0x" + offer.signature.hex(), "operator": offer.operator},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An offer that was made and brought."""

    quote_id: str
    order_id: str
    listing: str
    units: int
    price: int  # base units
    expiry: int  # Unix seconds


@dataclass(slots=True, kw_only=True)
class Tally:
    """How many there were."""

    made: int = 0
    refused: int = 0  # by the rules, or by the service
    away: int = 0  # times that the service did not answer


OnMade = Callable[[Made], None]
OnRefused = Callable[[EscrowError], None]


@dataclass(slots=True, kw_only=True)
class Offerer:
    """One seller's program.

    Args:
        service: where to ask.
        account: whose key signs: the seller's, or an operator's with the right to accept.
        rules: what it may sign.
        log: what it has signed, open.
        seconds: that an offer lives.
        on_made, on_refused: are told of each.
        clock: Unix seconds.
    """

    service: Service
    account: LocalAccount
    rules: OfferRules
    log: SignedLog
    seconds: int = OFFER_SECONDS
    on_made: OnMade = lambda _: None
    on_refused: OnRefused = lambda _: None
    clock: Callable[[], int] = lambda: int(time.time())
    tally: Tally = field(default_factory=Tally)
    _seen: dict[str, None] = field(default_factory=dict)
    _after: str | None = None

    def run(self, stop: threading.Event, *, once: bool = False) -> Tally:
        """Makes offers until `stop` is set; with `once` for what is there now.

        Raises:
            RulesUnusable: the list of what was signed can't be written: then nothing is signed any more.
            PlatformError: with `once` only; else the service is waited for.
        """
        pause = _PAUSES[0]
        while not stop.is_set():
            try:
                found = self.service.offer_requests(after=self._after, wait=0 if once else WAIT)
                for asked in found:
                    self._answer(asked)
                pause = _PAUSES[0]
            except RulesUnusable:
                raise
            except AWAY as error:
                if once:
                    raise
                self.tally.away += 1
                self._after = None  # what could not be brought is asked for again
                self.on_refused(error)
                stop.wait(max(pause, min(getattr(error, "retry_after", 0), _LONGEST_WAIT)))
                pause = min(2 * pause, _PAUSES[1])
            except EscrowError as error:  # the service refuses to be asked: not for this account, or not any more
                if once:
                    raise
                self.on_refused(error)
                stop.wait(_PAUSES[1])
            if once and not found:
                break
        return self.tally

    def _answer(self, asked: Mapping[str, Any]) -> None:
        quote_id = _quote_id(asked)
        self._after = quote_id or self._after
        if quote_id in self._seen:
            return
        try:
            self._make(asked)
        except (RulesUnusable, *AWAY):
            raise
        except EscrowError as error:
            self.tally.refused += 1
            self._remember(quote_id)
            self.on_refused(error)

    def _make(self, asked: Mapping[str, Any]) -> None:
        now = self.clock()
        request = hold_against(asked, self.rules, now)
        terms, rule = request.terms, request.rule
        used = self.log.used(rule.listing, now, but=request.order_id)
        if used + terms.units > rule.units_per_day:
            raise AgainstRules(
                request.order_id,
                f"{used} units were offered in the last 24 hours, and {terms.units} more are over {rule.units_per_day}",
                f"最近 24 小时已报价 {used} 件，再加 {terms.units} 件超过 {rule.units_per_day}",
            )
        expiry = min(terms.open_by + 1, now + self.seconds)
        self.log.write(request.order_id, rule.listing, terms.units, now)
        offer = sign_offer(
            self.account,
            request.order_id,
            seller=self.rules.seller,
            revision=request.revision,
            expiry=expiry,
            domain=self.rules.domain,
        )
        self.service.bring(request.quote_id, offer)
        self.tally.made += 1
        self.on_made(
            Made(
                quote_id=request.quote_id,
                order_id=request.order_id,
                listing=rule.listing,
                units=terms.units,
                price=terms.price,
                expiry=expiry,
            )
        )

    def _remember(self, quote_id: str) -> None:
        self._seen[quote_id] = None
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]


def _quote_id(asked: Mapping[str, Any]) -> str:
    quote = asked.get("quote")
    return str(quote.get("id", ""))[:40] if isinstance(quote, Mapping) else ""
