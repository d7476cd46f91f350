"""Relayers in processes that kill themselves, without any warning, at a given point of their work.

Arguments and output are those of `killed_keeper`.
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
from kameng_escrow.keeper import Rules
from kameng_escrow.keeper.eye import Eye
from kameng_escrow.relay import Limits, Relayer
from kameng_escrow.store import Store

RULES = Rules(
    worker="relayer",
    confirmations=3,
    stuck_seconds=60,
    resend_seconds=0.2,
    retry_seconds=0.05,
    budget=None,
    low_balance=0,
)


def relay(url: str, place: str, record: Deployment, account: int, fate: Fate) -> None:
    fate.counts |= {"sending": 0, "sent": 0}
    send = Eye.send

    def watched(eye: Eye, raw: bytes) -> None:
        fate.comes_to("sending")
        send(eye, raw)
        fate.comes_to("sent")

    Eye.send = watched  # type: ignore[method-assign]
    limits = Limits(platform_budget=None, new_budget=None)
    with RpcNode(url) as node, Store.open(place) as store:
        fate.watch(store)
        with Relayer(store, node, record, dev_account(account), RULES, limits, confirmations=1) as relayer:
            report = relayer.run_once(patience_seconds=20)
        assert report.leading
        assert report.complete, report


def live_and_die(url: str, place: str, record: Deployment, account: int, point: str) -> str:
    """Relays in a process of its own; says how it ended."""
    kind, _, number = point.partition(":")
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        fate = Fate(kind, int(number or 0))
        relay(url, place, record, account, fate)
        os.write(writing, f"{fate.counts['statement']} {fate.counts['commit']} {fate.counts['sending']}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return "killed"
    assert status == 0, f"the relayer at {point} failed"
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
