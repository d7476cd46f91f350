"""A node reached through web3.py, over HTTP or in this process."""

from collections.abc import Mapping, Sequence
from typing import Any

from web3 import Web3

from .source import Header, Tag


class Web3Source:
    """A `ChainSource` on a `Web3`. `node.w3` of `kameng_escrow.chain.nodes` serves."""

    def __init__(self, w3: Web3) -> None:
        raise NotImplementedError

    def chain_id(self) -> int:
        raise NotImplementedError

    def header(self, block: int | Tag) -> Header | None:
        raise NotImplementedError

    def headers(self, numbers: Sequence[int]) -> list[Header | None]:
        raise NotImplementedError

    def logs(self, address: str, first: int, last: int) -> Sequence[Mapping[str, Any]]:
        raise NotImplementedError

    def has_code(self, address: str) -> bool:
        raise NotImplementedError

    def is_syncing(self) -> bool:
        raise NotImplementedError
