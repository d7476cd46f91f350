"""An exported transcript: the room's log, the dispute's papers and the files, in one archive that proves itself.

    transcript.json    the log, its head and root, and the papers; UTF-8 JSON
    files/SHA256.EXT   every file that an entry shows, under the SHA-256 of its bytes

`verify` needs neither a network nor us: it holds every hash against what it stands for. It can't know what the archive
leaves out at the end, or whether the whole log was made up: a head, a root or a paper's hash from elsewhere says that,
and the chain has the last. An archive may come from an enemy, so that nothing of it is written anywhere, and no more of
it is read than an honest one holds.
"""

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import orjson

from kameng_escrow.domain.canonical import document_hash
from kameng_escrow.domain.disputes import EvidencePaper, GroundsPaper, PaperRefused, check_paper
from kameng_escrow.domain.events import Logged, OrderDisputed, OrderRuled
from kameng_escrow.domain.transcript import (
    SCHEMA,
    BrokenTranscript,
    Entry,
    EntryKind,
    check_transcript,
    head_of,
    root_of,
)
from kameng_escrow.store.service import disputes, talk
from kameng_escrow.store.service.dispute_rows import EVIDENCE, GROUNDS

from .desk import Desk, follow, present
from .errors import BadArchive
from .file_types import ENDINGS

LOG: Final = "transcript.json"
_LARGEST_LOG: Final = 256 * 1024 * 1024  # bytes
_LARGEST_FILE: Final = 64 * 1024 * 1024
_MOST_FILES: Final = 20_000
_CHUNK: Final = 256 * 1024
_FILE = re.compile(r"files/([0-9a-f]{64})\.[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What an archive proves by itself."""

    order_id: str
    size: int  # entries of the log
    head: str
    root: str
    erased: int  # entries whose words were erased
    files: int
    lines: tuple[Mapping[str, Any], ...]  # the chain's events that the log says still stand
    evidence: tuple[EvidencePaper, ...]  # the buyer's papers, as good as their hash is the chain's
    grounds: tuple[GroundsPaper, ...]


class Transcripts:
    """Exports of the rooms of one contract's orders."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def export(self, order_id: str, account: str | None, target: IO[bytes]) -> None:
        """Writes the room's archive.

        Args:
            order_id: the order's.
            account: somebody in the room, who gets what it may read; None: the store's keeper, who gets all.
            target: a file that can be written and sought.

        Raises:
            UnknownOrder, NotInRoom, Conflicted: as `Rooms`.
            BlobMissing, BlobDamaged: a file is no longer what it was.
        """
        desk = self._desk
        if account is not None:
            follow(desk, order_id, account)
        with desk.store.reading() as session:
            if account is not None:
                order = present(desk, session, order_id, account).order
                digests = {EVIDENCE: order.evidence, GROUNDS: order.grounds}
            else:
                standing = talk.order_in(session, desk.contract_id, order_id)
                order_now = None if standing is None else standing.order
                digests = {
                    EVIDENCE: None if order_now is None else order_now.evidence,
                    GROUNDS: None if order_now is None else order_now.grounds,
                }
            room = talk.room_of(session, desk.contract_id, order_id)
            entries = [] if room is None else talk.entries_of(session, room)
            rows = [] if room is None else talk.shown_files(session, room)
            found = [disputes.paper_of(session, desk.contract_id, order_id, kind, digests[kind]) for kind in digests]
            papers = [(row.kind, row.document) for row in found if row is not None and row.document is not None]
            files = {row.sha256: ENDINGS.get(row.media_type, "bin") for row in rows}
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(LOG, json.dumps(self._log(order_id, entries, papers), ensure_ascii=False, indent=1))
            for sha256, ending in sorted(files.items()):
                with archive.open(zipfile.ZipInfo(f"files/{sha256}.{ending}"), "w") as file:
                    for chunk in desk.blobs.stream(sha256):
                        file.write(chunk)

    def _log(
        self, order_id: str, entries: Sequence[Entry], papers: Iterable[tuple[str, dict[str, Any]]]
    ) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "chain_id": self._desk.domain.chain_id,
            "contract": self._desk.domain.contract,
            "order_id": order_id,
            "size": len(entries),
            "head": head_of(order_id, entries),
            "root": root_of(order_id, [entry.head for entry in entries]),
            "entries": [
                {
                    "seq": entry.seq,
                    "kind": entry.kind.value,
                    "author": entry.author,
                    "seat": entry.seat,
                    "sent_ms": entry.sent_ms,
                    "content": entry.content,
                    "prev": entry.prev,
                    "body": None if entry.body is None else dict(entry.body),
                }
                for entry in entries
            ],
            "papers": [{"kind": kind, "document": document} for kind, document in papers],
        }


# ---------------------------------------------------------------------------------------------------------- verifying


def verify(path: Path) -> Verified:
    """Passes an archive in which everything is what its hash says, and tells what it proves.

    Raises:
        BadArchive: it is none, can't be read safely, or a file in it is missing or another.
        BrokenTranscript: the log was tampered with.
        PaperRefused: a paper is none, or says of the log what is not so.
        Malformed: a hash or address in it is none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = _names(archive)
            log = _read_log(archive)
            order_id, entries = _entries(log)
            check_transcript(order_id, entries)
            _check_stated(log, order_id, entries)
            files = _check_files(archive, names, entries)
        evidence, grounds = _papers(log, order_id, entries)
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise BadArchive(f"it can't be read ({reason})", f"读不了（{reason}）") from error
    return Verified(
        order_id=order_id,
        size=len(entries),
        head=head_of(order_id, entries),
        root=root_of(order_id, [entry.head for entry in entries]),
        erased=sum(entry.body is None for entry in entries),
        files=files,
        lines=_standing_lines(entries),
        evidence=evidence,
        grounds=grounds,
    )


def position_of(path: Path, head: str) -> int | None:
    """The number of the entry that has this head, in an archive that `verify` passes; None: none has, so that this is
    not the log that the head was given for. Raises as `verify`.
    """
    with zipfile.ZipFile(path) as archive:
        _, entries = _entries(_read_log(archive))
    return next((entry.seq for entry in entries if entry.head == head), None)


def against_chain(verified: Verified, events: Sequence[Logged]) -> list[str]:
    """What an archive says otherwise than the order's events on the chain, as names of what differs: "line SEQ" for
    an event that the chain does not have there, "evidence" and "grounds" for papers whose hash it does not carry.
    """
    places = {(logged.block_hash, logged.log_index, logged.transaction_hash): logged for logged in events}
    wrong = []
    for line in verified.lines:
        logged = places.get((line["block_hash"], line["log_index"], line["transaction_hash"]))
        said = (line["event"], line["block_number"], line["timestamp"])
        if logged is None or said != (type(logged.event).__name__, logged.block_number, logged.timestamp):
            wrong.append(f"line {line['seq']}")
    evidence = {logged.event.evidence for logged in events if isinstance(logged.event, OrderDisputed)}
    grounds = {logged.event.grounds for logged in events if isinstance(logged.event, OrderRuled)}
    wrong += ["evidence" for paper in verified.evidence if paper.hash not in evidence]
    wrong += ["grounds" for paper in verified.grounds if paper.hash not in grounds]
    return wrong


def _names(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The archive's files by the hash that they are named for. Raises `BadArchive`."""
    found: dict[str, zipfile.ZipInfo] = {}
    infos = archive.infolist()
    if len(infos) > _MOST_FILES:
        raise BadArchive(f"it has more than {_MOST_FILES} files", f"文件超过 {_MOST_FILES} 个")
    if sum(info.filename == LOG for info in infos) != 1:
        raise BadArchive(f"it has not one {LOG}", f"其中没有唯一的 {LOG}")
    for info in infos:
        if info.filename == LOG:
            continue
        match = _FILE.fullmatch(info.filename)
        if match is None or match[1] in found:
            raise BadArchive("it has a file that belongs to no transcript", "其中有不属于聊天记录的文件")
        found[match[1]] = info
    return found


def _read_log(archive: zipfile.ZipFile) -> dict[str, Any]:
    with archive.open(LOG) as file:
        text = file.read(_LARGEST_LOG + 1)
    if len(text) > _LARGEST_LOG:
        raise BadArchive(f"{LOG} is larger than any room's", f"{LOG} 比任何会话都大")
    try:
        orjson.loads(text)  # which refuses what is nested too deeply: Python's reader may go down with the process
        log = json.loads(text, object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        raise BadArchive(f"{LOG} is no JSON", f"{LOG} 不是 JSON") from error
    if not isinstance(log, dict) or log.get("schema") != SCHEMA:
        raise BadArchive(f"{LOG} is not {SCHEMA}", f"{LOG} 不是 {SCHEMA}")
    return log


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members; one named twice would be one thing to us and another to the next reader."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _entries(log: Mapping[str, Any]) -> tuple[str, list[Entry]]:
    try:
        order_id = log["order_id"]
        entries = [
            Entry(
                order_id=order_id,
                seq=one["seq"],
                kind=EntryKind(one["kind"]),
                author=one["author"],
                seat=one["seat"],
                sent_ms=one["sent_ms"],
                content=one["content"],
                prev=one["prev"],
                body=one["body"],
            )
            for one in log["entries"]
        ]
        if not all(isinstance(name, str) for entry in entries for name in (entry.author, entry.seat)):
            raise TypeError("an author or seat is no text")
        for entry in entries:
            _check_body(entry)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadArchive(
            f"a part of its log is missing or of another kind ({error})", f"记录缺了一部分或类型不对（{error}）"
        ) from error
    return order_id, entries


# The members of each kind's body, and what they are.
_FILES = ("files", list)
_BODIES: dict[EntryKind, tuple[tuple[str, type], ...]] = {
    EntryKind.Message: (_FILES, ("salt", str), ("text", str)),
    EntryKind.Evidence: (_FILES, ("paper", str), ("salt", str), ("text", str)),
    EntryKind.Line: (
        *(("event", str), ("block_hash", str), ("block_number", int), ("log_index", int)),
        *(("timestamp", int), ("transaction_hash", str)),
    ),
    EntryKind.Retraction: (("retracts", int),),
    EntryKind.Proposal: (
        *(("disputed_units", int), ("expiry", int), ("proposal", str), ("revision", int)),
        *(("state", str), ("to_buyer", str)),
    ),
    EntryKind.Signature: (("digest", str), ("proposal", str)),
    EntryKind.Withdrawal: (("proposal", str),),
    EntryKind.Erasure: (("erases", list),),
}
_FILE_MEMBERS = (("name", str), ("sha256", str), ("size", int), ("type", str))


def _check_body(entry: Entry) -> None:
    """Passes a body of its kind's form. Raises ``TypeError``."""
    if entry.body is not None:
        _check_members(entry.body, _BODIES[entry.kind])
        for file in entry.body.get("files", ()):
            _check_members(file, _FILE_MEMBERS)
        if not all(type(number) is int for number in entry.body.get("erases", ())):
            raise TypeError("an erasure names no entries")


def _check_members(document: Any, members: Sequence[tuple[str, type]]) -> None:
    wanted = dict(members)
    if not isinstance(document, dict) or {name: type(value) for name, value in document.items()} != wanted:
        raise TypeError(f"it should have {', '.join(wanted)}")


def _check_stated(log: Mapping[str, Any], order_id: str, entries: Sequence[Entry]) -> None:
    """What the archive says of its log is so. Raises `BrokenTranscript`."""
    stated = {name: log.get(name) for name in ("size", "head", "root")}
    actual = {
        "size": len(entries),
        "head": head_of(order_id, entries),
        "root": root_of(order_id, [entry.head for entry in entries]),
    }
    for name, value in actual.items():
        if stated[name] != value:
            raise BrokenTranscript(
                len(entries),
                f"the {name} is {value}, and not {stated[name]} as it says",
                f"{name} 应为 {value}，而写的是 {stated[name]}",
            )


def _check_files(archive: zipfile.ZipFile, names: Mapping[str, zipfile.ZipInfo], entries: Sequence[Entry]) -> int:
    """Every file that an entry shows is there and is it, and no other. Raises `BadArchive`."""
    wanted: dict[str, int] = {}
    for entry in entries:
        for file in (entry.body or {}).get("files", ()):
            wanted[file["sha256"]] = file["size"]
    if missing := sorted(wanted.keys() - names.keys()):
        raise BadArchive(f"the file {missing[0]} is missing", f"缺少文件 {missing[0]}")
    if foreign := sorted(names.keys() - wanted.keys()):
        raise BadArchive(f"no entry shows the file {foreign[0]}", f"没有哪条记录提到文件 {foreign[0]}")
    for sha256, size in wanted.items():
        if size > _LARGEST_FILE or _digest(archive, names[sha256], size) != sha256:
            raise BadArchive(f"the file {sha256} is another", f"文件 {sha256} 的内容不符")
    return len(wanted)


def _digest(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> str:
    """The SHA-256 of a file's first bytes: one more than its size at most, however much it unpacks to."""
    digest, left = hashlib.sha256(), size + 1
    with archive.open(info) as file:
        while left and (chunk := file.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()


def _papers(
    log: Mapping[str, Any], order_id: str, entries: Sequence[Entry]
) -> tuple[tuple[EvidencePaper, ...], tuple[GroundsPaper, ...]]:
    evidence, grounds = [], []
    papers = log.get("papers")
    for one in papers if isinstance(papers, list) else ():
        document = one.get("document") if isinstance(one, dict) else None
        if not isinstance(document, dict):
            raise PaperRefused("form", "it is no paper", "不是文书")
        if one.get("kind") == EVIDENCE:
            paper = EvidencePaper.read(document)
            _check_mark(paper, document, order_id, entries)
            evidence.append(paper)
        else:
            found = GroundsPaper.read(document)
            _check_mark(found, document, order_id, entries)
            grounds.append(found)
    return tuple(evidence), tuple(grounds)


def _check_mark(
    paper: EvidencePaper | GroundsPaper, document: Mapping[str, Any], order_id: str, entries: Sequence[Entry]
) -> None:
    """Passes a paper of this order that says of the log what is so, and nothing that its hash does not cover."""
    check_paper(paper)
    mark = paper.transcript
    before = entries[: mark.size]
    if document_hash(document) != paper.hash:
        raise PaperRefused("form", "it has parts that belong to none", "含有多余的部分")
    if paper.order_id != order_id:
        raise PaperRefused("order_id", "it is of another order", "属于另一个订单")
    if len(before) != mark.size or head_of(order_id, before) != mark.head:
        raise PaperRefused("transcript", "the log did not begin as it says", "聊天记录的开头与文书所写不符")
    if root_of(order_id, [entry.head for entry in before]) != mark.root:
        raise PaperRefused("transcript", "the log's root was another", "聊天记录的根与文书所写不符")


def _standing_lines(entries: Sequence[Entry]) -> tuple[Mapping[str, Any], ...]:
    gone = {entry.body["retracts"] for entry in entries if entry.kind is EntryKind.Retraction and entry.body}
    return tuple(
        {**entry.body, "seq": entry.seq}
        for entry in entries
        if entry.kind is EntryKind.Line and entry.body is not None and entry.seq not in gone
    )
