"""How nodes say that they were asked for too much, or too often. There is a code for it (EIP-1474's −32005, "limit
exceeded"), and nearly nobody uses it for that alone: what counts is the words.

Each row is what somebody's node was seen to say, and what to make of it; the words are also the row's test. Anvil takes
whatever it is asked for. What no row knows is judged by the words that all of them have in common.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from kameng_escrow.chain.throttling import too_often

LIMIT_EXCEEDED = -32005  # EIP-1474

_Blocks = Callable[[re.Match[str]], int | None]


@dataclass(frozen=True, slots=True)
class TooLarge:
    """Ask for fewer blocks at once: for so many, where the node says so."""

    blocks: int | None = None


@dataclass(frozen=True, slots=True)
class TooOften:
    """Ask later, and less often."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to say it."""

    who: str
    says: str  # as seen
    pattern: str
    blocks: _Blocks | None = None  # how many blocks it takes, by the words


def _number(match: re.Match[str]) -> int:
    digits = match[1].lower().rstrip(".,")
    factor = 1_000 if digits.endswith("k") else 1
    return int(re.sub(r"\D", "", digits)) * factor


def _between(match: re.Match[str]) -> int:
    first, last = (int(text, 0) for text in match.groups())
    return last - first + 1


# Sources: (a) ponder-sh/ponder, packages/utils/src/getLogsRetryHelper.ts · (b) smartcontractkit/chainlink, the test of
# IsTooManyResults · (c) INFURA/infura issue 237 · (d) erigontech/erigon pull request 19721 · (e)
# NethermindEth/nethermind, EthRpcModule.cs · (f) paradigmxyz/reth issue 23810 · (g) rotki/rotki pull request 8875 ·
# (h) scroll-tech/go-ethereum pull request 529 · (i) several indexers' notes on public endpoints of BNB Smart Chain,
# Berachain, Base and Monad.
DIALECTS: tuple[Dialect, ...] = (
    Dialect(  # (b)
        "Alchemy",
        "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the "
        "response size, or you can request any block range with a cap of 10K logs in the response. Based on your "
        "parameters and the response size limit, this block range should work: [0x10, 0x8f]",
        r"block range should work: \[(0x[0-9a-f]+), ?(0x[0-9a-f]+)\]",
        _between,
    ),
    Dialect(  # (a), (i)
        "Alchemy's free plan, Aurora",
        "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range.",
        r"up to a ([\d,.]+k?) block range",
        _number,
    ),
    Dialect(  # (a), (b)
        "Infura, zkSync",
        "query returned more than 10000 results. Try with this block range [0xCB3D, 0xCB40].",
        r"try with this block range \[(0x[0-9a-f]+), ?(0x[0-9a-f]+)\]",
        _between,
    ),
    Dialect("Infura", "range 1000000 exceeds limit of 10000", r"range \d+ exceeds limit of (\d+)", _number),  # (c)
    Dialect("Infura, zkEVM", "query returned more than 10000 results", r"returned more than [\d,]+ results"),  # (a)
    Dialect("Infura", "query timeout exceeded", r"query timeout"),  # (g)
    Dialect(  # (a), (b), (g), (i)
        "QuickNode, 1RPC, Blast, Base, Monad",
        "eth_getLogs is limited to a 10,000 range",
        r"limited to a ([\d,.]+) (?:blocks? )?range",
        _number,
    ),
    Dialect("BlockPi", "eth_getLogs is limited to 1024 block range", r"limited to ([\d,.]+) block", _number),  # (a)
    Dialect("Ankr", "maximum [from, to] blocks distance: 3000", r"blocks distance: (\d+)", _number),  # (a)
    Dialect("Moonriver", "block range is too wide (maximum 1024)", r"too wide \(maximum (\d+)\)", _number),  # (a)
    Dialect("Ankr", "block range is too wide", r"block range is too wide", lambda _: 3_000),  # (a)
    Dialect(  # (a), (i)
        "PublicNode: BNB Smart Chain, Polygon and others",
        "exceed maximum block range: 50000",
        r"maximum block range: ([\d,.]+)",
        _number,
    ),
    Dialect("BNB Smart Chain's own endpoints", "limit exceeded", r"^limit exceeded$"),  # (i)
    Dialect(  # (i)
        "dRPC", "ranges over 10000 blocks are not supported on freetier", r"ranges over ([\d,]+) blocks", _number
    ),
    Dialect(  # (a), (b)
        "Avalanche, dRPC",
        "requested too many blocks from 0 to 16777216, maximum is set to 2048",
        r"too many blocks from \d+ to \d+, maximum is set to (\d+)",
        _number,
    ),
    Dialect("SimplyVC", "too wide blocks range, the limit is 100", r"blocks range, the limit is (\d+)", _number),  # (b)
    Dialect(  # (a)
        "Coinbase",
        "please limit the query to at most 1,000 blocks",
        r"limit the query to at most ([\d,.]+) blocks",
        _number,
    ),
    Dialect("Cloudflare", "Max range: 800", r"max range: (\d+)", _number),  # (a)
    Dialect(  # (a)
        "thirdweb",
        "Maximum allowed number of requested blocks is 1000",
        r"number of requested blocks is (\d+)",
        _number,
    ),
    Dialect(  # (a)
        "Blast",
        "exceeds the range allowed for your plan (10000 > 3000)",
        r"range allowed for your plan \(\d+ > (\d+)\)",
        _number,
    ),
    Dialect(  # (a)
        "Merkle", "eth_getLogs range is too large, max is 10k blocks", r"too large, max is ([\d,.]+k?) blocks", _number
    ),
    Dialect("Swell", "block range greater than 10000 max", r"block range greater than ([\d,.]+) max", _number),  # (a)
    Dialect("Somnia", "block range exceeds 1000", r"block range exceeds ([\d,.]+)", _number),  # (a)
    Dialect("Harmony", "query must be smaller than size 1024", r"smaller than size ([\d,.]+)", _number),  # (a)
    Dialect("Chainstack", "Block range limit exceeded.", r"block range limit exceeded"),  # (a)
    Dialect(  # (d)
        "Erigon",
        "query block range exceeds server limit, narrow your filter: 1000",
        r"block range exceeds server limit, narrow your filter: (\d+)",
        _number,
    ),
    Dialect(  # (d)
        "Erigon", "query returns too many logs, narrow your filter: 20000", r"returns too many logs, narrow your filter"
    ),
    Dialect(  # (e)
        "Nethermind", "Too many logs requested. Max logs per response is 20000.", r"too many logs requested"
    ),
    Dialect("Reth", "query exceeds max block range 100000", r"exceeds max block range (\d+)", _number),  # (a), (i)
    Dialect(  # (f)
        "Reth, llamarpc",
        "query exceeds max results 20000, retry with the range 25766988-25767087",
        r"exceeds max results \d+, retry with the range (\d+)-(\d+)",
        _between,
    ),
    Dialect("Reth, Ankr", "query exceeds max results 20000", r"exceeds max results"),  # (a)
    Dialect("Arbitrum", "logs matched by query exceeds limit of 10000", r"matched by query exceeds limit"),  # (a)
    Dialect("Optimism", "backend response too large", r"response too large"),  # (a)
    Dialect("1RPC", "response size should not greater than 10000000 bytes", r"response size should not"),  # (a)
    Dialect("Optimism, Base", "Block range is too large", r"block range (is )?too large"),  # (a)
    Dialect("Scroll's geth", "block range is bigger than maxBlockRange", r"bigger than maxblockrange"),  # (h)
)

_COMPILED = tuple((dialect, re.compile(dialect.pattern, re.IGNORECASE)) for dialect in DIALECTS)
_TOO_LARGE = re.compile(
    r"too (many|large|wide|big)|(range|limit|size|response).{0,40}(exceed|limit|large|max)"
    r"|exceed.{0,40}(range|limit|size|max)|max(imum)? .{0,20}(range|results|logs|blocks)",
    re.IGNORECASE,
)


def understand(words: str, code: int | None) -> TooLarge | TooOften | None:
    """What a node meant that refused a question for logs; None: something else."""
    if too_often(words, code):  # some have one code for both
        return TooOften()
    for dialect, pattern in _COMPILED:
        if (match := pattern.search(words)) is not None:
            return TooLarge(dialect.blocks(match) if dialect.blocks else None)
    if code == LIMIT_EXCEEDED or _TOO_LARGE.search(words):
        return TooLarge()
    return None
