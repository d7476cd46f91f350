"""Statements checked line by line against a node: which line is false, and which is missing.

The whole chain is read anew, as a mirror does, up to the block that the statement is as of; what it should say
follows from that. Before a line is called false or missing, the node is asked once more, for the receipt of its
transaction: one that contradicts itself, or does not keep what is needed, is told of and proves nothing.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from kameng_escrow.mirror import ChainSource, Header, Progress, Target, replayed

from .comparing import Check, Truth
from .errors import ManifestMissing, NotReadable, OtherChain
from .findings import Finding, FindingKind, Verification
from .lines import LATEST, iso
from .making import size_and_digest
from .manifest import SUFFIX, Manifest, read_manifest
from .printed import volumes
from .statement import CurrencyOf, volume_name
from .witness import Witness


def open_manifest(path: Path, manifest: Path | None = None) -> tuple[Path, Manifest, list[str]]:
    """The manifest that belongs to a file, or that the file is; and the names of the files to check.

    Raises:
        NotReadable, ManifestBroken: as `read_manifest`; NotReadable also where the file is not there.
        ManifestMissing: none in the file's folder names it.
    """
    if not path.is_file():
        raise NotReadable(path, "there is no such file")
    if path.name.endswith(SUFFIX):
        found = read_manifest(path)
        return path, found, list(found.files)
    if manifest is not None:
        return manifest, read_manifest(manifest), [path.name]
    for candidate in sorted(path.parent.glob(f"*{SUFFIX}")):
        found = read_manifest(candidate)
        if path.name in found.files:
            return candidate, found, [path.name]
    raise ManifestMissing(path)


def verify(
    path: Path,
    source: ChainSource,
    witness: Witness,
    target: Target,
    *,
    currency_of: CurrencyOf,
    manifest: Path | None = None,
    signer: str | None = None,
    stop: threading.Event | None = None,
    reading: Callable[[Progress], None] | None = None,
    checking: Callable[[int, int], None] | None = None,
) -> Verification:
    """Checks a statement: one of its files, or by its manifest all of them.

    Args:
        target: the contract, which the caller knows from elsewhere: a statement may name any.
        signer: who must have signed it; None: anybody, or nobody.
        reading, checking: are told how far the chain is read, and the lines are checked.

    Raises:
        ManifestMissing, ManifestBroken, NotReadable: the files can't be read.
        OtherChain: the node is of another chain than the statement, or has not come so far.
        NodePruned, NodeInconsistent: the node can't prove, or contradicts, what it said.
        As `mirror.replayed`.
    """
    where, found, names = open_manifest(path, manifest)
    folder = path.parent
    result = Verification(manifest=where)
    _check_signature(result, found, signer)
    last = source.header(found.last_block)
    if target.address != found.contract or target.chain_id != found.chain_id or last is None:
        raise OtherChain(found.last_block, found.last_hash, None)
    if last.hash != found.last_hash:
        raise OtherChain(found.last_block, found.last_hash, last.hash)
    _check_block(result, found, last)
    with replayed(source, target, last, stop=stop, progress=reading) as fresh:
        truth = Truth(fresh, found)
        _check_sums(result, truth, currency_of)
        _check_volumes(result, found, names)
        for name in names:
            if not (folder / name).is_file():
                result.add(Finding(kind=FindingKind.FileMissing, file=name))
                continue
            result.files.append(name)
            _check_digest(result, found, folder / name)
            Check(result, truth, witness, name, checking).run(folder / name)
    return result


def _check_signature(result: Verification, found: Manifest, wanted: str | None) -> None:
    name = result.manifest.name
    if found.document.get("signature") is not None:
        result.signer = found.signed_by()
        if result.signer is None or result.signer != found.signer:
            kind = FindingKind.SignatureWrong
            result.add(Finding(kind=kind, file=name, field="signer", said=found.signer, true=result.signer))
            result.signer = None
    if wanted is not None and result.signer != wanted:
        kind = FindingKind.NotSigned
        result.add(Finding(kind=kind, file=name, field="signer", said=result.signer, true=wanted))


def _check_digest(result: Verification, found: Manifest, path: Path) -> None:
    _, digest = size_and_digest(path)
    said = str(found.files.get(path.name, {}).get("sha256", "")) if path.name in found.files else "not named"
    if said != digest:
        kind = FindingKind.FileAltered
        result.add(Finding(kind=kind, file=path.name, field="sha256", said=said, true=digest))


def _check_block(result: Verification, found: Manifest, last: Header) -> None:
    """That the block is of the time that is said of it, and the period was over by then."""
    name, time = result.manifest.name, iso(min(last.timestamp, LATEST))
    for field, said, right in (
        ("blocks.last_time", found.last_time, found.last_time == time),
        ("period.until", iso(found.until), found.until <= last.timestamp),
    ):
        if not right:
            result.add(Finding(kind=FindingKind.BlockFalse, file=name, field=field, said=said, true=time))


def _check_volumes(result: Verification, found: Manifest, names: list[str]) -> None:
    """That the manifest names every file of a printed statement: as many as its orders take, by the chain."""
    if not any(name.endswith(".pdf") for name in names):
        return
    stem = result.manifest.name.removesuffix(SUFFIX)
    for number in range(1, volumes(result.lines) + 1):
        if (name := volume_name(stem, number)) not in found.files:
            result.add(Finding(kind=FindingKind.VolumeMissing, file=name))


def _check_sums(result: Verification, truth: Truth, currency_of: CurrencyOf) -> None:
    name, document = result.manifest.name, truth.manifest.document
    sums = truth.sums()
    result.lines = sums.lines
    for key, true in sums.document().items():
        if document.get(key) != true:
            kind = FindingKind.TotalsFalse
            result.add(Finding(kind=kind, file=name, field=key, said=str(document.get(key)), true=str(true)))
    for token in sums.totals:
        said, true_currency = truth.manifest.currencies.get(token), currency_of(token)
        if said != true_currency:
            kind = FindingKind.CurrencyFalse
            result.add(Finding(kind=kind, file=name, field=token, said=str(said), true=str(true_currency)))
