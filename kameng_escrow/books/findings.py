"""What verifying a statement finds."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

MOST_FINDINGS = 1_000  # of which each is told; further ones are only counted


class FindingKind(StrEnum):
    """What can be wrong with a statement."""

    FileAltered = "file_altered"  # the file is not the one that the manifest names
    FileMissing = "file_missing"  # the manifest names a file that is not there
    SignatureWrong = "signature_wrong"  # the signature is not of the signer whom the manifest names
    NotSigned = "not_signed"  # no signature, or not of the signer who was asked for
    LineFalse = "line_false"  # a line says something else than the chain
    LineForeign = "line_foreign"  # a true line that does not belong into this statement, or comes twice
    LineMissing = "line_missing"  # an order of the period is left out
    PageFalse = "page_false"  # a printed page has more, or other, text than it should
    DrawingFalse = "drawing_false"  # a printed file has the right text, and is not drawn as that text is drawn
    TotalsFalse = "totals_false"  # the manifest's sums are not those of the orders
    BlockFalse = "block_false"  # the manifest's block is of another time, or its period ends later than that
    VolumeMissing = "volume_missing"  # the printed statement has a further file, which the manifest does not name
    CurrencyFalse = "currency_false"  # the token says another symbol or number of decimals


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong."""

    kind: FindingKind
    file: str
    line: int | None = None  # in the file, from 1
    order_id: str | None = None
    field: str | None = None
    said: str | None = None
    true: str | None = None


@dataclass(slots=True, kw_only=True)
class Verification:
    """What verifying found."""

    manifest: Path
    files: list[str] = field(default_factory=list)  # that were checked
    lines: int = 0  # that the statement should have
    checked: int = 0  # lines read from files
    signer: str | None = None  # whose signature the manifest bears, if it is right
    findings: list[Finding] = field(default_factory=list)
    more: int = 0  # findings beyond `MOST_FINDINGS`

    @property
    def true(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.findings

    def add(self, finding: Finding) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(finding)
        else:
            self.more += 1

    def summary(self) -> Mapping[FindingKind, int]:
        """How many of each kind are among the findings."""
        return Counter(finding.kind for finding in self.findings)
