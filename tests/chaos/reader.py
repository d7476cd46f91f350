"""Somebody who lives by the outbox: reads it from beginning to end while it is written, and remembers what it said."""

import threading
from dataclasses import dataclass

from kameng_escrow.store import Book, SchemaMissing, Store, StoreBusy, StoreUnavailable, UnknownContract
from kameng_escrow.store.news import News, read_news

_EVERY = 0.1  # seconds
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Heard:
    """What a reader acts upon. Who takes it back, later, is not in it."""

    id: int
    order_id: str
    name: str
    block_number: int
    block_hash: str
    log_index: int
    transaction_hash: str
    retracts: int | None

    @classmethod
    def of(cls, news: News) -> "Heard":
        return cls(
            id=news.id,
            order_id=news.order_id,
            name=news.name,
            block_number=news.block_number,
            block_hash=news.block_hash,
            log_index=news.log_index,
            transaction_hash=news.transaction_hash,
            retracts=news.retracts,
        )


class Reader:
    """Reads in a thread until it is told to stop, by ids, as whoever passes news on does."""

    def __init__(self, store_url: str, chain_id: int, address: str) -> None:
        self._url = store_url
        self._place = chain_id, address
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self.heard: list[Heard] = []
        self.failure: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._enough.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _read(self) -> None:
        try:
            with Store.open(self._url) as store:
                while not self._enough.wait(_EVERY):
                    try:
                        self._read_on(store)
                    except (SchemaMissing, StoreBusy, StoreUnavailable, UnknownContract):
                        continue  # there will be one again
        except BaseException as error:
            self.failure = error

    def _read_on(self, store: Store) -> None:
        contract_id = Book(store, *self._place).info().id
        while True:
            after = self.heard[-1].id if self.heard else 0
            with store.reading() as session:
                page = read_news(session, contract_id, after=after, limit=_PAGE)
            self.heard += map(Heard.of, page)
            if len(page) < _PAGE:
                return
