"""The log of an order's room: what was said, in what order, so that nobody can drop, change or reorder it unseen.

Every entry has a head: the hash of its header, which names the head before it. Whoever holds a head can tell whether
any entry up to it was touched. The heads are also the leaves of a Merkle tree (`merkle`), whose root goes into the
evidence of a dispute, so that single entries can be shown without the others. The log goes on after that: its first
entries still have that root.

A header holds the hash of what was said and not the words: they have 32 random bytes (`salt`) beside them, so that they
can be erased when their time is over, and can't be guessed from the hash afterwards. To the byte:

    start    keccak256(canonical({"schema", "order_id"}))                     what the first entry names as `prev`
    content  keccak256(canonical(body))
    header   canonical({"author", "content", "kind", "order_id", "prev", "seat", "sent_ms", "seq"})
    head     keccak256(header), the `prev` of the next entry
    leaf     keccak256(keccak256(abi.encode(uint256 seq, bytes32 head)))
    root     of the Merkle tree over the leaves; of a log without entries its start

`canonical` is RFC 8785 (`canonical`). An author or seat that there is none of, as of the chain's own lines, is "".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from eth_utils.crypto import keccak

from kameng_escrow.errors import EscrowError

from .canonical import canonical, document_hash
from .inputs import check_address, check_hash, check_uint
from .merkle import MerkleTree, leaf_hash

SCHEMA: Final = "kameng-transcript/1"


class EntryKind(StrEnum):
    """What an entry of the log is, and what its body says."""

    Message = "message"  # salt, text, files
    Evidence = "evidence"  # salt, text, files, paper: filed by a party to a dispute; paper: the chain carries its hash
    Line = "line"  # event, block_number, block_hash, log_index, transaction_hash, timestamp: the chain's, by its place
    Retraction = "retraction"  # retracts: the entry of a line whose block the chain has dropped
    Proposal = "proposal"  # proposal, state, disputed_units, revision, to_buyer, expiry: a split to be signed
    Signature = "signature"  # proposal, digest: the author has signed the split
    Withdrawal = "withdrawal"  # proposal: the author no longer wants the split
    Erasure = "erasure"  # erases: the entries whose bodies were deleted, and with them the files


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a log."""

    order_id: str
    seq: int  # from 0
    kind: EntryKind
    author: str  # an address; empty where it is the chain's or the service's
    seat: str  # in what capacity the author spoke; empty likewise
    sent_ms: int  # Unix milliseconds of the service's clock
    content: str  # hash of the body
    prev: str  # head of the entry before
    body: Mapping[str, Any] | None  # None: erased, see `EntryKind.Erasure`

    @property
    def header(self) -> bytes:
        """What is hashed."""
        return canonical(
            {
                "author": self.author,
                "content": self.content,
                "kind": self.kind.value,
                "order_id": self.order_id,
                "prev": self.prev,
                "seat": self.seat,
                "sent_ms": self.sent_ms,
                "seq": self.seq,
            }
        )

    @property
    def head(self) -> str:
        """The hash of the header: stands for this entry and all before it."""
        return "0x" + keccak(self.header).hex()

    @property
    def leaf(self) -> bytes:
        """Its place in the tree."""
        return leaf_of(self.seq, self.head)


class BrokenTranscript(EscrowError):
    """A log that is not what it says: something in it was changed, dropped, added or moved. `seq`: the first such
    entry.
    """

    code = "broken_transcript"

    def __init__(self, seq: int, why: str, why_zh: str) -> None:
        super().__init__(
            f"The transcript is broken at entry {seq}: {why}. Don't rely on this copy; ask for another, and hold it "
            "against the head or root that you have."
        )
        self.message_zh = (
            f"聊天记录在第 {seq} 条处断裂：{why_zh}。不要采信这份副本；请另要一份，并与你手里的链头或根比对。"
        )
        self.seq = seq


def start_of(order_id: str) -> str:
    """What the first entry of the order's log names as the one before. The id binds contract and chain."""
    return document_hash({"order_id": order_id, "schema": SCHEMA})


def next_entry(
    before: str, *, order_id: str, seq: int, kind: EntryKind, author: str, seat: str, sent_ms: int, body: dict[str, Any]
) -> Entry:
    """The entry that says `body` after the one whose head is `before`."""
    return Entry(
        order_id=order_id,
        seq=seq,
        kind=kind,
        author=author,
        seat=seat,
        sent_ms=sent_ms,
        content=document_hash(body),
        prev=before,
        body=body,
    )


def leaf_of(seq: int, head: str) -> bytes:
    """The place in the tree of the entry with that number and head."""
    return leaf_hash(("uint256", "bytes32"), (seq, bytes.fromhex(head[2:])))


def root_of(order_id: str, heads: Sequence[str]) -> str:
    """The root that stands for a log with these heads."""
    if not heads:
        return start_of(order_id)
    return "0x" + MerkleTree([leaf_of(seq, head) for seq, head in enumerate(heads)]).root.hex()


def head_of(order_id: str, entries: Sequence[Entry]) -> str:
    """The log's last head."""
    return entries[-1].head if entries else start_of(order_id)


def check_transcript(order_id: str, entries: Sequence[Entry]) -> None:
    """Passes a whole log: every entry follows the one before, and every body is what its header says.

    It can't tell whether entries are missing at the end: a head, or a root with its size, from elsewhere does.

    Raises:
        BrokenTranscript: of the first entry that is not right.
        Malformed: the id, or a field of an entry, could not even be read.
    """
    check_hash(order_id, "order_id")
    prev, erased = start_of(order_id), _erased(entries)
    sent_ms = 0
    for seq, entry in enumerate(entries):
        _check_readable(entry)
        if entry.order_id != order_id:
            raise BrokenTranscript(seq, f"it is of order {entry.order_id}", f"它属于订单 {entry.order_id}")
        if entry.seq != seq:
            raise BrokenTranscript(seq, f"its number is {entry.seq}", f"它的序号是 {entry.seq}")
        if entry.prev != prev:
            raise BrokenTranscript(seq, "it does not follow the one before", "它接不上前一条")
        if entry.sent_ms < sent_ms:
            raise BrokenTranscript(seq, "it is older than the one before", "它的时间早于前一条")
        if entry.body is None:
            if seq not in erased:
                raise BrokenTranscript(seq, "what it said is missing, and no entry tells why", "内容缺失而没有说明")
        elif document_hash(entry.body) != entry.content:
            raise BrokenTranscript(seq, "it does not say what its header says", "内容与其哈希不符")
        prev, sent_ms = entry.head, entry.sent_ms


def _erased(entries: Sequence[Entry]) -> set[int]:
    """The numbers that erasures name."""
    found: set[int] = set()
    for entry in entries:
        if entry.kind is EntryKind.Erasure and entry.body is not None:
            found |= {number for number in entry.body.get("erases", ()) if isinstance(number, int)}
    return found


def _check_readable(entry: Entry) -> None:
    check_hash(entry.order_id, "order_id")
    check_hash(entry.content, "content")
    check_hash(entry.prev, "prev")
    check_uint(entry.seq, 32, "seq")
    check_uint(entry.sent_ms, 53, "sent_ms")
    if entry.author:
        check_address(entry.author, "author")
