"""`kameng serve` as processes of their own, for tests."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kameng_escrow.chain.deployments import save_deployment
from kameng_escrow.keyfile import write_key

from .escrow_world import EscrowWorld
from .keepers import KEEPER

COMMAND = [sys.executable, "-c", "from kameng_escrow.cli import main; main()", "serve"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def environment_of(world: EscrowWorld, folder: Path, store: str) -> dict[str, str]:
    """Settings of a service of the world's escrow; the keeper's key is in the folder, as ``keeper.key``."""
    save_deployment(world.deployment, folder / "deployments")
    write_key(folder / "keeper.key", bytes(world.node.accounts[KEEPER].key))
    port = free_port()
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("KAMENG_")},
        "KAMENG_RPC_URL": str(world.node.url),
        "KAMENG_DEPLOYMENTS": str(folder / "deployments"),
        "KAMENG_STORE": store,
        "KAMENG_FILES": str(folder / "files"),
        "KAMENG_LISTEN": f"127.0.0.1:{port}",
        "KAMENG_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "KAMENG_LANG": "en",
    }


@contextmanager
def served(environment: Mapping[str, str], *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """The command, while it runs; killed where it has not ended by then."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def get(environment: Mapping[str, str], path: str) -> tuple[int, Any]:
    """Status and JSON; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://{environment['KAMENG_LISTEN']}{path}", timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except (urllib.error.URLError, ConnectionError):
        return 0, None
