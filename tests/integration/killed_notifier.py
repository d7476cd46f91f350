"""Notifiers in processes that kill themselves, without any warning, at a given point of their work.

Arguments: the store's URL or path, chain id and address of the contract, and the points, one process each: those of
`killed_mirror`, and ``posting:N`` just before the Nth request, ``posted:N`` just after its answer. Each process goes on
with what the one before left. Prints what became of each: "killed", or how many statements it took.
"""

import os
import signal
import sys
from itertools import count

from killed_mirror import Fate  # from this script's own folder

from kameng_escrow.domain.currency import Currency
from kameng_escrow.notify import Deliveries, Messages, Notifier, Sealer, Senders, Texts
from kameng_escrow.notify.wire import Answer, Wire
from kameng_escrow.store import Book, Store


def notify(place: str, chain_id: int, address: str, fate: Fate) -> None:
    fate.counts |= {"posting": 0, "posted": 0}
    post = Wire.post

    async def watched(wire: Wire, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        fate.comes_to("posting")
        answer = await post(wire, url, body, headers)
        fate.comes_to("posted")
        return answer

    Wire.post = watched  # type: ignore[method-assign, assignment]
    sealer, texts = Sealer([bytes(32)]), Texts(lambda token: Currency(token, "TUSD", 6), "https://escrow.example")
    with Store.open(place) as store:
        book = Book(store, chain_id, address)
        fate.watch(store)
        with Notifier(
            store,
            book,
            deliveries=lambda origin: Deliveries(origin, sealer),
            messages=lambda origin: Messages(origin, sealer, texts, public_url="https://escrow.example"),
            senders=Senders(),
            loopback=True,
        ) as notifier:
            assert notifier.run_once().leading


def live_and_die(place: str, chain_id: int, address: str, point: str) -> str:
    """Notifies in a process of its own; says how it ended."""
    kind, _, number = point.partition(":")
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        fate = Fate(kind, int(number or 0))
        notify(place, chain_id, address, fate)
        os.write(writing, str(fate.counts["statement"]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return "killed"
    assert status == 0, f"the notifier at {point} failed"
    return said


def main() -> None:
    place, chain_id, address, *points = sys.argv[1:]
    for point in points:
        kind, _, number = point.partition(":")
        endless = (f"{kind}:{number}" for number in count(1))
        for one in endless if number == "each" else [point]:
            end = live_and_die(place, int(chain_id), address, one)
            print(end, flush=True)  # noqa: T201 - it is what the test reads
            if end != "killed":
                break


if __name__ == "__main__":
    main()
