"""One mirror in a process of its own, so that its memory and its processor time are its own: see `bench.mirror`.

Arguments: the node's URL, the store's URL or path, the deployment as JSON. Prints one JSON document: what was done,
and samples on the way.
"""

import os
import resource
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import psutil

from kameng_escrow.chain.nodes import RpcNode
from kameng_escrow.mirror import Mirror, Progress, Web3Source
from kameng_escrow.store import Store

_EVERY = 0.25  # seconds between samples, at least


@dataclass(frozen=True, slots=True)
class Sample:
    """How far the mirror was."""

    events: int
    seconds: float  # since it began
    cpu: float  # seconds of processor time of this process, without its helper's
    resident_mb: float


def run(url: str, store_url: str, deployment: dict[str, Any]) -> dict[str, Any]:
    """Mirrors everything there is into an empty store."""
    samples: list[Sample] = []
    helpers: list[float] = []  # what its helper took, in MB
    with RpcNode(url) as node, Store.open(store_url) as store:
        mirror = Mirror(store, Web3Source(node.w3), final_depth=3, **deployment)
        store.migrate()
        began, worked = time.perf_counter(), time.process_time()

        def progress(step: Progress) -> None:
            seconds = time.perf_counter() - began
            if not samples or seconds - samples[-1].seconds >= _EVERY or step.done == step.total:
                samples.append(Sample(step.events, seconds, time.process_time() - worked, _resident_mb()))
                with suppress(psutil.Error, OSError):  # it may just be ending
                    helpers.extend(_most_mb(one.pid) for one in psutil.Process().children())

        report = mirror.run_once(progress)
        seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    return {
        "events": report.events,
        "blocks": report.blocks,
        "seconds": seconds,
        "cpu": cpu,
        "peak_mb": _most_mb(os.getpid()) + max(helpers, default=0.0),
        "samples": [asdict(sample) for sample in samples],
    }


def _most_mb(pid: int) -> float:
    """The most memory that a process has had. (What `getrusage` says begins at what its parent had.)"""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - read a thousand times
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    print(orjson.dumps(run(sys.argv[1], sys.argv[2], orjson.loads(sys.argv[3]))).decode())  # noqa: T201
