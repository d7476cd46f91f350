"""What a mirror is compared with: the least that could be done, and what is usually done."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
import requests
from web3 import HTTPProvider, Web3

from kameng_escrow.chain.artifacts import load_artifact
from kameng_escrow.chain.codec import read_event
from kameng_escrow.store.event_json import stored

RANGE = 30  # blocks of 200 events: what the mirror settles on, too

_TABLE = """
CREATE TABLE events (
  block_number BIGINT NOT NULL,
  log_index INTEGER NOT NULL,
  transaction_hash VARCHAR(66) NOT NULL,
  name VARCHAR(32) NOT NULL,
  subject VARCHAR(66) NOT NULL,
  fields {json} NOT NULL,
  PRIMARY KEY (block_number, log_index)
)
"""
Row = tuple[int, int, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Done:
    """What a loop did."""

    events: int
    seconds: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


def bare_sqlite(url: str, address: str, blocks: range, path: Path) -> Done:
    """Fetch, decode and insert, into one table of an SQLite file: no check, no fold, nothing else."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(_TABLE.format(json="JSON"))

    def insert(rows: Sequence[Row]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")

    try:
        return _bare(url, address, blocks, insert)
    finally:
        connection.close()


def bare_postgres(url: str, address: str, blocks: range, store_url: str) -> Done:
    """The same into one table of a PostgreSQL database, by COPY."""
    with psycopg.connect(store_url) as connection:
        connection.execute(_TABLE.format(json="JSONB"))
        connection.commit()

        def insert(rows: Sequence[Row]) -> None:
            text = "".join(["\t".join(map(str, row)) + "\n" for row in rows])
            with connection.cursor() as cursor, cursor.copy("COPY events FROM STDIN") as copy:
                copy.write(text)
            connection.commit()

        return _bare(url, address, blocks, insert)


def _bare(url: str, address: str, blocks: range, insert: Callable[[Sequence[Row]], None]) -> Done:
    began, events = time.perf_counter(), 0
    with requests.Session() as session:
        for first, last in _ranges(blocks):
            rows: list[Row] = []
            for log in _logs(session, url, address, first, last):
                name, values = read_event(log["topics"], log["data"])
                place = int(log["blockNumber"], 16), int(log["logIndex"], 16)
                rows.append((*place, log["transactionHash"], name, values[0], stored(name, values)))
            insert(rows)
            events += len(rows)
    return Done(events, time.perf_counter() - began)


def _logs(session: requests.Session, url: str, address: str, first: int, last: int) -> list[dict[str, Any]]:
    wanted = {"address": address, "fromBlock": hex(first), "toBlock": hex(last)}
    body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [wanted]})
    with session.post(url, data=body, headers={"Content-Type": "application/json"}, stream=True) as response:
        logs: list[dict[str, Any]] = orjson.loads(response.raw.read(decode_content=True))["result"]
    return logs


def web3_loop(url: str, address: str, blocks: range, events: int) -> Done:
    """web3.py's `get_logs` and `process_log`, as its documentation has them, for so many events; nothing is kept."""
    w3 = Web3(HTTPProvider(url))
    contract = w3.eth.contract(address=w3.to_checksum_address(address), abi=load_artifact("KamengEscrow").abi)
    by_topic = {event.topic: event for event in (contract.events[one.event_name]() for one in contract.events)}
    began, done = time.perf_counter(), 0
    for first, last in _ranges(blocks, 5):
        for log in w3.eth.get_logs({"address": contract.address, "fromBlock": first, "toBlock": last}):
            by_topic["0x" + log["topics"][0].hex()].process_log(log)
            done += 1
        if done >= events:
            break
    return Done(done, time.perf_counter() - began)


def _ranges(blocks: range, size: int = RANGE) -> Iterator[tuple[int, int]]:
    return ((first, min(first + size, blocks.stop) - 1) for first in range(blocks.start, blocks.stop, size))
