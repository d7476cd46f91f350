"""Somebody with a local chain, keys, a policy and a bond: where orders by hand begin."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.terminal import Outcome, Terminal

MEDIATOR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
BACKUP = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
SELLER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
COMMITMENT = "0x" + "ab" * 32
ETHER = 10**18


@dataclass
class Hand:
    """A user with a local chain, keys, a policy and a bond."""

    terminal: Terminal
    node: "subprocess.Popen[str]"
    announced: dict[str, Any]
    policy: str

    def act(self, who: str, *words: object) -> Any:
        """Somebody's command, which has to succeed; what it answers to a machine."""
        return self.terminal.json(*words, "--key-file", f"keys/{who}.key")

    def fail(self, *words: object, who: str = "", code: int, **environment: str) -> Outcome:
        """A command that has to be refused: by a sentence, without a traceback, with nothing left behind."""
        before = self.terminal.files()
        key = ("--key-file", f"keys/{who}.key") if who else ()
        outcome = self.terminal.run(*words, *key, **environment)
        assert outcome.code == code, outcome.text
        assert outcome.out == ""
        assert outcome.err.startswith("✗ ")
        assert "Traceback" not in outcome.err
        assert re.search(r"[.。`]$", outcome.err.strip()), "a sentence ends"
        assert self.terminal.files() == before
        return outcome

    def terms(self, name: str = "t.json", *words: object, price: str = "0.5") -> dict[str, Any]:
        """Terms that the buyer draws up; the file, as read."""
        self.act(
            "buyer", "order", "terms", "--seller", SELLER, "--price", price, "--policy", self.policy, "-o", name, *words
        )
        document: dict[str, Any] = json.loads((self.terminal.folder / name).read_text("utf-8"))
        return document

    def opened(self, name: str = "t.json") -> str:
        """The id of a new order that is paid for."""
        order_id: str = self.terms(name)["order_id"]
        assert self.act("buyer", "order", "open", name)["state"] == "Opened"
        return order_id

    def delivered(self, name: str = "t.json") -> str:
        """The id of a new order that is delivered."""
        order_id = self.opened(name)
        self.act("seller", "order", "accept", name)
        self.act("seller", "order", "deliver", name, "--commitment", COMMITMENT)
        return order_id

    def rpc(self, method: str, *params: object) -> None:
        """Asks the node what no command of ours does, such as to move its clock."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(
            self.announced["rpc_url"],
            body,
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert "error" not in json.load(answer)


@contextmanager
def bring_up(folder: Path, *, quick: bool) -> Iterator[Hand]:
    """A `kameng node` of its own, and what one needs on it. `quick`: all other commands in this process."""
    terminal = Terminal(folder)
    words = ("node", "--port", "0", "--deploy", "--keys", "keys", "--json")
    with terminal.running(*words, until="}\n") as node:
        # The document ends with the first line that is a closing brace alone.
        said: str = node.said  # type: ignore[attr-defined]
        while True:
            try:
                announced = json.loads(said)
                break
            except ValueError:
                assert node.stdout is not None
                said += node.stdout.readline()
        terminal.environment["KAMENG_RPC_URL"] = announced["rpc_url"]
        terminal = terminal.quickly() if quick else terminal
        terminal.ok("policy", "draft", "--mediator", MEDIATOR, "--backup", BACKUP, "-o", "policy.json")
        hand = Hand(terminal, node, announced, "")
        hand.policy = hand.act("platform", "policy", "register", "policy.json")["policy_id"]
        hand.act("seller", "bond", "fund", "3")
        yield hand
