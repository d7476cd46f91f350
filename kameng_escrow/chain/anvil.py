"""Foundry's Anvil as a local chain."""

import socket
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from web3 import AsyncWeb3, Web3

from .dev_accounts import MNEMONIC, dev_account
from .errors import NodeError
from .foundry import find_foundry
from .nodes import LOCAL_CHAIN_ID, LocalNode, RpcNode

START_SECONDS = 30.0  # to wait for it to answer, on a busy machine


class AnvilNode(LocalNode):
    """Starts an Anvil on this machine and ends it on close.

    Args:
        chain_id: what the chain calls itself.
        accounts: how many funded accounts it has.
        port: where it listens; left out, a free one.
        block_seconds: mines a block every so many seconds beside one for each transaction, so that the chain's clock
            goes with the machine's; left out, time moves by transactions and `warp` only.
        automine: False: mines only when told (`mine`), so that transactions wait.
        options: further options of Anvil's own, for special chains.

    Raises:
        ToolUnavailable: Anvil is not installed.
        NodeError: it did not start.
    """

    def __init__(
        self,
        *,
        chain_id: int = LOCAL_CHAIN_ID,
        accounts: int = 10,
        port: int | None = None,
        block_seconds: int | None = None,
        automine: bool = True,
        options: Sequence[str] = (),
    ) -> None:
        port = _free_port(port or 0)
        command = [
            str(find_foundry("anvil")),
            *("--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id)),
            *("--accounts", str(accounts), "--mnemonic", MNEMONIC, "--hardfork", "cancun", "--silent"),
            *(("--block-time", str(block_seconds), "--mixed-mining") if block_seconds else ()),
            *(() if automine else ("--no-mining",)),
            *options,
        ]
        self.accounts = tuple(dev_account(index) for index in range(accounts))
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self._node = RpcNode(f"http://127.0.0.1:{port}")
        self.url = self._node.url
        try:
            self._await_answer()
        except BaseException:
            self.close()
            raise

    @property
    def w3(self) -> Web3:
        """For synchronous use."""
        return self._node.w3

    def async_w3(self) -> AsyncWeb3[Any]:
        """A new one for asynchronous use; whoever asks disconnects its provider."""
        return self._node.async_w3()

    def close(self) -> None:
        """Ends Anvil. May be called twice."""
        self._node.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self._process.poll() is not None:
                said = self._process.stderr.read().decode(errors="replace").strip() if self._process.stderr else ""
                said = said or f"exit code {self._process.returncode}"
                raise NodeError(f"Anvil ended at once: {said}.", f"Anvil 一启动就结束了：{said}。")
            try:
                self.request("eth_chainId")
            except NodeError:
                if time.monotonic() > deadline:
                    raise NodeError(
                        f"Anvil did not answer within {START_SECONDS:g} s: is the machine overloaded?",
                        f"Anvil 在 {START_SECONDS:g} 秒内没有应答：机器是否过载？",
                    ) from None
                time.sleep(0.02)
            else:
                return


def _free_port(port: int) -> int:
    """The port, or for zero any, if nobody listens on it: or we would take somebody else's node for ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise NodeError(
                f"Anvil can't listen on port {port} ({error.strerror}): choose another, or end who uses it.",
                f"Anvil 无法监听端口 {port}（{error.strerror}）：请换一个端口，或结束占用它的程序。",
            ) from error
        return int(probe.getsockname()[1])
