"""The load, in a process of its own: signed-in callers who read their orders at a fixed rate, however slow.

Every request has a moment at which it is due, and its latency counts from there until the last byte has come: a service
that stalls makes those wait who would have come meanwhile, and they count (an open loop, without coordinated omission).

Services that are to be compared take turns, second by second: a machine that gives less processor for a while gives
less to all of them.

    echo '[{"url": …}, …]' | python -m bench.api_load

reads `Plan`s as JSON, and writes what was found of each as JSON.
"""

import asyncio
import gc
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp
import orjson

from .api_store import PLATFORMS, order_id

CONNECTIONS = 128
ANSWER_SECONDS = 30.0
_TURN = 1.0  # seconds
PAGE = 20  # orders: a screenful

# Of a hundred requests: what people and platforms do most is to look at one order.
MIX = {"order": 60, "history": 15, "list": 10, "filtered": 9, "further": 6}
WHO = {"platform": 30, "seller": 35, "buyer": 35}  # who sends them


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has signed in, and what it knows of its orders."""

    kind: str
    number: int
    headers: Mapping[str, str]
    orders: Sequence[str] = ()  # of a platform: none, it reads any of its part of the store
    cursors: Sequence[str] = ()  # of pages in its list


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be asked."""

    url: str
    orders: int  # in the store
    rate: float  # requests a second
    turns: int  # of a second each that are measured
    warm_seconds: float  # that go before
    callers: Sequence[Caller]
    seed: int = 1
    fixed_path: str = ""  # the same for everybody, for the floor


@dataclass(slots=True)
class Found:
    """What came of it."""

    latencies: dict[str, list[float]] = field(default_factory=dict)  # seconds, by kind of request
    sizes: dict[str, int] = field(default_factory=dict)  # bytes of all bodies
    statuses: Counter[str] = field(default_factory=Counter)
    late: list[float] = field(default_factory=list)  # seconds that the loop itself sent after a request was due
    seconds: float = 0.0  # from a turn's first request's moment to its last answer, all turns together
    turns: list[list[float]] = field(default_factory=list)  # seconds: latencies of each turn


class Load:
    """Sends the plan's requests."""

    def __init__(self, plan: Plan, session: aiohttp.ClientSession) -> None:
        self._plan = plan
        self._session = session
        self._random = random.Random(plan.seed)
        self._callers = {kind: [one for one in plan.callers if one.kind == kind] for kind in WHO}
        self.found = Found()

    async def warm_up(self) -> None:
        """Sends what does not count."""
        await self._send_all(self._plan.warm_seconds, Found())

    async def turn(self) -> None:
        """Sends for a second, and waits for all answers."""
        await self._send_all(_TURN, self.found)

    async def _send_all(self, seconds: float, found: Found) -> None:
        found.turns.append([])
        wanted = [self._next() for _ in range(int(seconds * self._plan.rate))]
        loop = asyncio.get_running_loop()
        begin = loop.time() + 0.05
        tasks = []
        for index, (kind, path, headers) in enumerate(wanted):
            due = begin + index / self._plan.rate
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            found.late.append(loop.time() - due)
            tasks.append(loop.create_task(self._send(kind, path, headers, due, found)))
        await asyncio.gather(*tasks)
        found.seconds += loop.time() - begin

    async def _send(self, kind: str, path: str, headers: Mapping[str, str], due: float, found: Found) -> None:
        try:
            async with self._session.get(self._plan.url + path, headers=headers) as answer:
                body = await answer.read()
                status = str(answer.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            status, body = type(error).__name__, b""
        latency = asyncio.get_running_loop().time() - due
        found.latencies.setdefault(kind, []).append(latency)
        found.turns[-1].append(latency)
        found.sizes[kind] = found.sizes.get(kind, 0) + len(body)
        found.statuses[status] += 1

    def _next(self) -> tuple[str, str, Mapping[str, str]]:
        if self._plan.fixed_path:
            return "fixed", self._plan.fixed_path, {}
        draw = self._random
        [who] = draw.choices(list(WHO), list(WHO.values()))
        [kind] = draw.choices(list(MIX), list(MIX.values()))
        caller = draw.choice(self._callers[who])
        if kind in ("order", "history"):
            path = f"/v1/orders/{self._one_of(caller)}"
            return kind, path if kind == "order" else f"{path}/history", caller.headers
        path = f"/v1/orders?limit={PAGE}"
        if kind == "filtered":
            path += draw.choice(("&state=Delivered", f"&role={caller.kind}&state=Closed", "&sort=deadline"))
        elif kind == "further" and caller.cursors:
            path += f"&cursor={draw.choice(caller.cursors)}"
        return kind, path, caller.headers

    def _one_of(self, caller: Caller) -> str:
        if caller.kind == "platform":
            return order_id(self._random.randrange(self._plan.orders // PLATFORMS) * PLATFORMS + caller.number)
        return self._random.choice(caller.orders)


def summed_up(found: Found) -> dict[str, Any]:
    """Figures of a run: milliseconds, bytes."""
    everything = sorted(latency for kind in found.latencies.values() for latency in kind)
    answered = sum(count for status, count in found.statuses.items() if status == "200")
    return {
        "requests": len(everything),
        "answered": answered,
        "rps": round(answered / found.seconds, 1),
        "statuses": dict(found.statuses),
        **_percentiles(everything),
        "kinds": {
            kind: {**_percentiles(sorted(latencies)), "bytes": found.sizes[kind] // len(latencies)}
            for kind, latencies in sorted(found.latencies.items())
        },
        "turns_p95_ms": [_percentiles(sorted(turn))["p95_ms"] for turn in found.turns],
        "generator_late_ms": round(1e3 * at(sorted(found.late), 0.99), 2),
        "generator_cpu_s": time.process_time(),
    }


def _percentiles(latencies: Sequence[float]) -> dict[str, float]:
    shares = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}
    return {name: round(1e3 * at(latencies, share), 2) for name, share in shares.items()}


def at(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def main() -> None:
    plans = [
        Plan(**{**read, "callers": [Caller(**one) for one in read["callers"]]})
        for read in orjson.loads(sys.stdin.buffer.read())
    ]
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as session:
        loads = [Load(plan, session) for plan in plans]
        for load in loads:
            await load.warm_up()
        gc.collect()
        gc.disable()
        for number in range(max(plan.turns for plan in plans)):
            for load in loads if number % 2 == 0 else reversed(loads):
                await load.turn()
        gc.enable()
    sys.stdout.buffer.write(orjson.dumps([summed_up(load.found) for load in loads]))


def as_json(plans: Sequence[Plan]) -> bytes:
    """For the process's standard input."""
    return orjson.dumps([asdict(plan) for plan in plans])


if __name__ == "__main__":
    asyncio.run(main())
