"""Ponder on the same chain: a program of its users' kind that keeps less than the mirror, from nothing to the head.

It is installed from npm into `.cache/ponder` when it is first asked for (`make bench-mirror ARGS=--ponder`). Timed from
its first request for logs to the moment at which it says that it is ready: its start and build are left out.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import requests

from bench.mirror_peers import Done
from kameng_escrow.chain.deployments import Deployment

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "bench" / "ponder"
PLACE = ROOT / ".cache" / "ponder"
PORT = 42_169
_LONGEST = 1_800.0  # seconds


def install() -> None:
    """Copies the program to its place and installs what it needs. Raises CalledProcessError where npm can't."""
    shutil.copytree(SOURCES, PLACE, dirs_exist_ok=True)
    if not (PLACE / "node_modules" / ".bin" / "ponder").exists():
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit"], cwd=PLACE, check=True)


def run(url: str, deployment: Deployment, events: int) -> Done:
    """Has Ponder read all `events` there are.

    Raises:
        RuntimeError: it ended, or did not come to the end in half an hour.
    """
    shutil.rmtree(PLACE / ".ponder", ignore_errors=True)
    environment = {
        **os.environ,
        "BENCH_ARTIFACT": str(ROOT / "kameng_escrow" / "artifacts" / "KamengEscrow.json"),
        "BENCH_CHAIN_ID": str(deployment.chain_id),
        "BENCH_RPC_URL": url,
        "BENCH_ADDRESS": deployment.address,
        "BENCH_FIRST_BLOCK": str(deployment.block),
        "PONDER_TELEMETRY_DISABLED": "true",
    }
    command = [PLACE / "node_modules" / ".bin" / "ponder", "start", "--schema", "bench", "--port", str(PORT)]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=PLACE, env=environment, stdout=said, stderr=said)
        try:
            return Done(events, _wait(process))
        except RuntimeError as error:
            said.seek(0)
            raise RuntimeError(f"{error}: {said.read()[-2_000:]}") from error
        finally:
            process.terminate()
            process.wait(30)


def _wait(process: "subprocess.Popen[bytes]") -> float:
    began: float | None = None
    ends = time.monotonic() + _LONGEST
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"Ponder ended with {process.returncode}")
        now = time.monotonic()
        if began is None and _says("metrics", "ponder_rpc_request_duration_count"):
            began = now
        if began is not None and _says("ready", ""):
            return now - began
        time.sleep(0.05)
    raise RuntimeError("Ponder did not come to the end")


def _says(what: str, words: str) -> bool:
    """Whether it answers at all, with these words in it."""
    try:
        answer = requests.get(f"http://127.0.0.1:{PORT}/{what}", timeout=5)
    except requests.RequestException:
        return False
    return answer.ok and words in answer.text
