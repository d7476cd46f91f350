"""Keepers in processes that kill themselves, without any warning, at a given point of their work.

Arguments: the node's URL, the store's URL or path, the deployment record's path, the keeper's number among the
development accounts, and the points, one process each: those of `killed_mirror`, and ``sending:N`` just before the Nth
transaction is given to the node, ``sent:N`` just after. Each process goes on with what the one before left. Prints what
became of each: "killed", or how many statements, commits and transactions it took.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path

from killed_mirror import Fate  # from this script's own folder

from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.dev_accounts import dev_account
from kameng_escrow.chain.nodes import RpcNode
from kameng_escrow.keeper import Keeper, Rules
from kameng_escrow.keeper.eye import Eye
from kameng_escrow.store import Store

RULES = Rules(
    batch=4,
    confirmations=3,
    stuck_seconds=60,
    resend_seconds=0.2,
    retry_seconds=0.05,
    spread_seconds=0,
    budget=None,
    low_balance=0,
)


def keep(url: str, place: str, record: Deployment, account: int, fate: Fate) -> None:
    fate.counts |= {"sending": 0, "sent": 0}
    send = Eye.send

    def watched(eye: Eye, raw: bytes) -> None:
        fate.comes_to("sending")
        send(eye, raw)
        fate.comes_to("sent")

    Eye.send = watched  # type: ignore[method-assign]
    with RpcNode(url) as node, Store.open(place) as store:
        fate.watch(store)
        with Keeper(store, node, record, dev_account(account), RULES) as keeper:
            report = keeper.run_once(patience_seconds=20)
        assert report.leading
        assert report.complete, report


def live_and_die(url: str, place: str, record: Deployment, account: int, point: str) -> str:
    """Keeps in a process of its own; says how it ended."""
    kind, _, number = point.partition(":")
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        fate = Fate(kind, int(number or 0))
        keep(url, place, record, account, fate)
        os.write(writing, f"{fate.counts['statement']} {fate.counts['commit']} {fate.counts['sending']}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return "killed"
    assert status == 0, f"the keeper at {point} failed"
    return said


def main() -> None:
    url, place, record, account, *points = sys.argv[1:]
    deployment = Deployment.from_json(Path(record).read_text("utf-8"))
    for point in points:
        endless = (f"statement:{number}" for number in count(1))
        for one in endless if point == "each" else [point]:
            end = live_and_die(url, place, deployment, int(account), one)
            print(end, flush=True)  # noqa: T201 - it is what the test reads
            if end != "killed":
                break


if __name__ == "__main__":
    main()
