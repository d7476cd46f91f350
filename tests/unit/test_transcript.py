"""The log of a room: nothing in it can be changed, dropped or moved unseen."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.domain.inputs import Malformed
from kameng_escrow.domain.merkle import MerkleTree
from kameng_escrow.domain.merkle import root_of as root_from
from kameng_escrow.domain.transcript import (
    BrokenTranscript,
    Entry,
    EntryKind,
    check_transcript,
    head_of,
    next_entry,
    start_of,
)
from kameng_escrow.domain.transcript import (
    root_of as root_of_heads,
)
from tests.unit.made import ADDRESSES

ORDER, OTHER = "0x" + "ab" * 32, "0x" + "cd" * 32
SALT = "0x" + "5a" * 32


def root_of(order_id: str, entries: list[Entry]) -> str:
    return root_of_heads(order_id, [entry.head for entry in entries])


def log(*texts: str, order_id: str = ORDER) -> list[Entry]:
    entries: list[Entry] = []
    for text in texts:
        entries.append(
            next_entry(
                head_of(order_id, entries),
                order_id=order_id,
                seq=len(entries),
                kind=EntryKind.Message,
                author=ADDRESSES[len(entries) % 2],
                seat="buyer",
                sent_ms=1_790_000_000_000 + len(entries),
                body={"files": [], "salt": SALT, "text": text},
            )
        )
    return entries


TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=12)


def test_the_bytes_are_these() -> None:
    """Whoever verifies in another language can begin here."""
    [entry] = log("卡密无效\n")
    assert entry.header == (
        b'{"author":"' + ADDRESSES[0].encode() + b'","content":"' + entry.content.encode() + b'","kind":"message",'
        b'"order_id":"' + ORDER.encode() + b'","prev":"' + entry.prev.encode() + b'","seat":"buyer",'
        b'"sent_ms":1790000000000,"seq":0}'
    )
    body = '{"files":[],"salt":"' + SALT + '","text":"卡密无效\\n"}'
    assert entry.content == "0x" + keccak(text=body).hex()
    assert entry.prev == "0x" + keccak(text=f'{{"order_id":"{ORDER}","schema":"kameng-transcript/1"}}').hex()
    assert entry.head == "0x" + keccak(entry.header).hex()
    leaf = keccak(keccak((0).to_bytes(32, "big") + bytes.fromhex(entry.head[2:])))
    assert root_of(ORDER, [entry]) == "0x" + leaf.hex()


def test_a_log_without_entries_is_its_start() -> None:
    check_transcript(ORDER, [])
    assert head_of(ORDER, []) == root_of(ORDER, []) == start_of(ORDER) != start_of(OTHER)


@given(TEXTS)
def test_a_log_as_it_was_written_passes(texts: list[str]) -> None:
    check_transcript(ORDER, log(*texts))


@given(TEXTS, st.data())
def test_single_entries_can_be_shown_without_the_others(texts: list[str], data: st.DataObject) -> None:
    entries = log(*texts)
    tree = MerkleTree([entry.leaf for entry in entries])
    index = data.draw(st.integers(0, len(entries) - 1))
    assert "0x" + root_from(entries[index].leaf, tree.proof(index)).hex() == root_of(ORDER, entries)


CHANGED: dict[str, Any] = {
    "order_id": OTHER,
    "seq": 7,
    "kind": EntryKind.Evidence,
    "author": ADDRESSES[5],
    "seat": "seller",
    "sent_ms": 1_790_000_000_009,
    "content": OTHER,
    "prev": OTHER,
    "body": {"files": [], "salt": SALT, "text": "never said"},
}


def test_every_field_of_an_entry_is_tampered_with_below() -> None:
    assert set(CHANGED) == {field.name for field in fields(Entry)}


@pytest.mark.parametrize("field", CHANGED)
@pytest.mark.parametrize("at", range(4))
def test_a_field_that_was_changed_shows(field: str, at: int) -> None:
    entries = log("a", "b", "c", "d")
    head, root = head_of(ORDER, entries), root_of(ORDER, entries)
    entries[at] = replace(entries[at], **{field: CHANGED[field]})
    assert shows(entries, head, root)


def shows(entries: list[Entry], head: str, root: str) -> bool:
    """Whether the log is found broken, or no longer the one that had that head and root."""
    try:
        check_transcript(ORDER, entries)
    except BrokenTranscript:
        return True
    return head_of(ORDER, entries) != head and root_of(ORDER, entries) != root


@settings(max_examples=60)
@given(st.lists(st.text("abc", max_size=3), min_size=2, max_size=8), st.data())
def test_what_is_dropped_doubled_or_moved_shows(texts: list[str], data: st.DataObject) -> None:
    entries = log(*texts)
    head, root = head_of(ORDER, entries), root_of(ORDER, entries)
    at = data.draw(st.integers(0, len(entries) - 1))
    to = data.draw(st.integers(0, len(entries) - 1).filter(lambda other: other != at))
    moved = entries[:at] + entries[at + 1 :]
    moved.insert(to, entries[at])
    for tampered in (entries[:at] + entries[at + 1 :], [*entries[:at], entries[at], *entries[at:]], moved):
        assert shows(tampered, head, root)


@given(TEXTS, st.data())
def test_a_history_that_is_written_anew_has_another_head(texts: list[str], data: st.DataObject) -> None:
    """The service can make a log that is sound in itself; it can't give it the head that somebody holds."""
    at = data.draw(st.integers(0, len(texts) - 1))
    other = log(*texts[:at], texts[at] + "!", *texts[at + 1 :])
    check_transcript(ORDER, other)
    assert head_of(ORDER, other) != head_of(ORDER, log(*texts))


def test_a_log_that_grew_begins_as_it_was() -> None:
    entries = log("a", "b", "c")
    grown = log("a", "b", "c", "d", "e")
    assert root_of(ORDER, grown[:3]) == root_of(ORDER, entries)
    assert head_of(ORDER, grown[:3]) == head_of(ORDER, entries)


def erasure(entries: list[Entry], *erases: int) -> Entry:
    return next_entry(
        head_of(ORDER, entries),
        order_id=ORDER,
        seq=len(entries),
        kind=EntryKind.Erasure,
        author="",
        seat="",
        sent_ms=entries[-1].sent_ms,
        body={"erases": list(erases)},
    )


def test_what_was_erased_leaves_the_proof_whole() -> None:
    entries = log("a", "b", "c")
    entries.append(erasure(entries, 1))
    head, root = head_of(ORDER, entries), root_of(ORDER, entries)
    entries[1] = replace(entries[1], body=None)
    check_transcript(ORDER, entries)
    assert (head_of(ORDER, entries), root_of(ORDER, entries)) == (head, root)


def test_what_is_missing_without_a_word_shows() -> None:
    entries = log("a", "b", "c")
    entries.append(erasure(entries, 1))
    entries[2] = replace(entries[2], body=None)
    with pytest.raises(BrokenTranscript, match="missing") as caught:
        check_transcript(ORDER, entries)
    assert caught.value.seq == 2
    assert "第 2 条" in caught.value.message_zh


def test_time_does_not_run_back() -> None:
    entries = log("a")
    later = next_entry(
        entries[0].head,
        order_id=ORDER,
        seq=1,
        kind=EntryKind.Message,
        author="",
        seat="",
        sent_ms=entries[0].sent_ms - 1,
        body={},
    )
    with pytest.raises(BrokenTranscript, match="older"):
        check_transcript(ORDER, [*entries, later])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entry: replace(entry, prev="0x12"),
        lambda entry: replace(entry, content="x" * 66),
        lambda entry: replace(entry, author="0x" + "ab" * 20),
        lambda entry: replace(entry, seq=-1),
        lambda entry: replace(entry, sent_ms=2**60),
        lambda entry: replace(entry, order_id="0x"),
    ],
)
def test_what_can_not_be_read_is_named(spoil: Callable[[Entry], Entry]) -> None:
    with pytest.raises(Malformed):
        check_transcript(ORDER, [spoil(log("a")[0])])


def test_a_body_is_json() -> None:
    [entry] = log("a")
    assert entry.body is not None
    assert json.loads(json.dumps(entry.body)) == entry.body
