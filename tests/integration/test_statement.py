"""Statements of real orders, and what verifying says when somebody has changed them, or the node lies."""

import csv
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pypdf
import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from pypdf.annotations import FreeText

from kameng_escrow.books import comparing, printed
from kameng_escrow.books.errors import (
    LibraryMissing,
    ManifestBroken,
    ManifestMissing,
    NodePruned,
    NothingFinal,
    NotReadable,
    OtherChain,
    PeriodNotFinal,
)
from kameng_escrow.books.findings import FindingKind, Verification
from kameng_escrow.books.lines import AMOUNTS, COLUMNS, LATEST, Currency, clean_symbol, iso
from kameng_escrow.books.manifest import read_manifest, sign, to_text
from kameng_escrow.books.printed import FONT_FILE, characters
from kameng_escrow.books.statement import FORMATS, Made, Period, make_statement
from kameng_escrow.books.verify import verify
from kameng_escrow.books.witness import Witness
from kameng_escrow.bootstrap import make_target
from kameng_escrow.chain.logs import Reading, read_logs
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.states import Outcome
from kameng_escrow.mirror import NodeInconsistent, Web3Source
from kameng_escrow.store import Store, contracts
from kameng_escrow.store.service.closed_orders import Scope

from .escrow_world import EscrowWorld
from .mirrors import mirror_of

Lived = tuple[EscrowWorld, dict[Outcome, OrderTerms]]
SIGNER: LocalAccount = Account.from_key("0x" + "51" * 32)


def currency_of(token: str) -> Currency:
    return Currency(symbol="ETH", decimals=18) if token == NATIVE else Currency(symbol="TUSD", decimals=6)


def made(world: EscrowWorld, store: Store, folder: Path, scope: Scope | None = None, **options: Any) -> Made:
    """A statement of everything so far."""
    mirror_of(world, store, final_depth=0).run_once()
    contract = contracts(store)[0]
    period = options.pop("period", None) or Period(since=0, until=contract.marks.seen_at)
    options = {"currency_of": currency_of, "account": SIGNER, "formats": FORMATS, **options}
    return make_statement(store, contract, scope or Scope(), period, folder, **options)


def verified(world: EscrowWorld, path: Path, *, source: Any = None, node: Any = None, **options: Any) -> Verification:
    return verify(
        path,
        source or Web3Source(world.node.w3),
        Witness(node or world.node, world.address),
        make_target(world.deployment),
        **{"currency_of": currency_of, **options},
    )


def kinds(found: Verification) -> set[FindingKind]:
    return {finding.kind for finding in found.findings}


@pytest.fixture(scope="module")
def whole(lived: Lived, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A statement of all that happened on the chain on which everything has happened. Copy it, don't touch it."""
    folder = tmp_path_factory.mktemp("statement")
    with Store.open(str(folder / "store.sqlite")) as store:
        yield made(lived[0], store, folder / "made")


@pytest.fixture
def copy(whole: Made, tmp_path: Path) -> Path:
    """A copy of its folder."""
    return Path(shutil.copytree(whole.manifest.parent, tmp_path / "copy"))


def file_in(folder: Path, suffix: str) -> Path:
    return next(path for path in folder.iterdir() if path.name.endswith(suffix))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rewrite(path: Path, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
    rows = change(rows_of(path))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def rewrite_manifest(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes it, and signs it anew."""
    document = json.loads(path.read_text("utf-8"))
    change(document)
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    path.write_text(to_text(sign(unsigned, SIGNER)), "utf-8")


# --------------------------------------------------------------------------------------------------------- refusals


def test_a_period_that_is_not_over_for_good_is_refused(world: EscrowWorld, store: Store, tmp_path: Path) -> None:
    world.cancelled()
    mirror_of(world, store, final_depth=1).run_once()
    contract = contracts(store)[0]
    period = Period(since=0, until=contract.marks.seen_at)
    with pytest.raises(PeriodNotFinal, match="later"):
        make_statement(store, contract, Scope(), period, tmp_path / "out", currency_of=currency_of)
    assert not (tmp_path / "out").exists()


def test_a_store_without_anything_final_has_no_statement(world: EscrowWorld, store: Store, tmp_path: Path) -> None:
    mirror_of(world, store, final_depth=10_000).run_once()
    with pytest.raises(NothingFinal):
        make_statement(
            store, contracts(store)[0], Scope(), Period(since=0, until=1), tmp_path / "out", currency_of=currency_of
        )


@pytest.mark.parametrize(("since", "until"), [(-1, 1), (1, 1), (2, 1), (0, 2**62)])
def test_what_is_no_period_is_refused(since: int, until: int) -> None:
    with pytest.raises(ValueError, match="no period"):
        Period(since=since, until=until)


def test_a_statement_of_no_files_is_refused(lived: Lived, sqlite_store: Store, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="some format"):
        made(lived[0], sqlite_store, tmp_path / "out", formats=())
    assert not (tmp_path / "out").exists()


def test_what_fails_half_way_leaves_nothing(lived: Lived, sqlite_store: Store, tmp_path: Path) -> None:
    def fail(_: str) -> Currency:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        made(lived[0], sqlite_store, tmp_path / "out", currency_of=fail)
    assert list((tmp_path / "out").iterdir()) == []


def test_what_can_not_be_read_is_told_of(copy: Path, lived: Lived) -> None:
    world = lived[0]
    with pytest.raises(NotReadable, match="no such file"):
        verified(world, copy / "nothing.csv")
    lonely = copy / "lonely"
    lonely.mkdir()
    alone = Path(shutil.copy(file_in(copy, ".csv"), lonely))
    with pytest.raises(ManifestMissing, match="--manifest"):
        verified(world, alone)
    manifest = file_in(copy, ".manifest.json")
    text = manifest.read_text("utf-8")
    manifest.write_text(text[: len(text) // 2], "utf-8")
    with pytest.raises(NotReadable, match="JSON"):
        verified(world, manifest)
    for wrong in ({"kind": "letter"}, {"version": 2}, {"contract": "0x12"}, {"chain_id": "1"}, {"period": 3}):
        manifest.write_text(json.dumps({**json.loads(text), **wrong}), "utf-8")
        with pytest.raises(ManifestBroken):
            verified(world, manifest)
    manifest.write_text("[" * 100_000, "utf-8")
    with pytest.raises(NotReadable):
        verified(world, manifest)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".pdf"])
def test_a_file_that_was_cut_off_or_is_something_else_is_told_of(copy: Path, lived: Lived, suffix: str) -> None:
    path = file_in(copy, suffix)
    path.write_bytes(b"\x00\xff not at all what it says" * 10)
    with pytest.raises(NotReadable, match=path.name):
        verified(lived[0], path)


@pytest.mark.parametrize(("wanted", "library"), [("parquet", "pyarrow"), ("pdf", "reportlab")])
def test_a_format_whose_library_is_missing_says_what_to_install(
    lived: Lived, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, library: str
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)  # as Python has it where an import failed
    with pytest.raises(LibraryMissing, match=r"kameng-escrow\[books\]"):
        made(lived[0], sqlite_store, tmp_path / "out", formats=("csv", wanted))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_manifest_names_no_paths(copy: Path, lived: Lived) -> None:
    manifest = file_in(copy, ".manifest.json")
    document = json.loads(manifest.read_text("utf-8"))
    document["files"][0]["name"] = "../secret.csv"
    manifest.write_text(json.dumps(document), "utf-8")
    with pytest.raises(ManifestBroken, match="path"):
        verified(lived[0], manifest)


def test_a_manifest_that_names_no_files_is_refused(copy: Path, lived: Lived) -> None:
    manifest = file_in(copy, ".manifest.json")
    rewrite_manifest(manifest, lambda document: document.update(files=[]))
    with pytest.raises(ManifestBroken, match="names no files"):
        verified(lived[0], manifest)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"until": "2020-02-01T00:00:00Z"}, "until is"),
        ({"since": "2020-01-01T00:00:00Z"}, "since is"),
        ({"since": None}, "since is"),
        ({"until_timestamp": 1}, "until is"),
        ({"until_timestamp": LATEST + 1}, "until is"),
        ({"until_timestamp": 2**53 - 1}, "until is"),
        ({"since_timestamp": 2**53 - 1}, "since is"),
        ({"until_timestamp": 0, "until": iso(0)}, "before it begins"),
    ],
)
def test_a_period_that_says_two_things_is_refused(copy: Path, lived: Lived, changes: dict[str, Any], told: str) -> None:
    """The text is what is printed above the pages, the numbers are what orders are found by."""
    manifest = file_in(copy, ".manifest.json")
    rewrite_manifest(manifest, lambda document: document["period"].update(changes))
    with pytest.raises(ManifestBroken, match=told):
        verified(lived[0], manifest)


# ------------------------------------------------------------------------------------------------------------- making


def test_every_closed_order_is_in_it_once_with_its_money(lived: Lived, whole: Made) -> None:
    world, ended = lived
    rows = rows_of(file_in(whole.manifest.parent, ".csv"))
    by_id = {row["order_id"]: row for row in rows}
    assert len(by_id) == len(rows) == whole.document["lines"] == len(ended) + 1  # and one whose buyer was blocked
    for outcome, terms in ended.items():
        row = by_id[world.id_of(terms)]
        assert (row["outcome"], row["buyer"], row["seller"]) == (outcome.label, terms.buyer, terms.seller)
        assert int(row["price_base"]) == terms.price
        assert row["price"] == ("0.000000000001000007" if terms.token == NATIVE else "1.000007")
        receipt = world.node.request("eth_getTransactionReceipt", row["closed_transaction"])
        assert (int(receipt["blockNumber"], 16), receipt["blockHash"]) == (
            int(row["closed_block"]),
            row["closed_block_hash"],
        )
        opened = world.node.request("eth_getTransactionReceipt", row["opened_transaction"])
        assert any(world.id_of(terms) in log["topics"] for log in opened["logs"])
    for token, sums in whole.document["totals"].items():
        for name in AMOUNTS:
            assert int(sums[name]) == sum(int(row[f"{name}_base"]) for row in rows if row["token"] == token)


def test_the_manifest_says_all_and_is_signed(whole: Made, lived: Lived) -> None:
    manifest = read_manifest(whole.manifest)
    assert manifest.signed_by() == manifest.signer == SIGNER.address
    assert [one["name"] for one in whole.document["files"]] == [path.name for path in whole.files]
    assert {path.suffix for path in whole.files} == {".csv", ".parquet", ".pdf"}
    assert manifest.contract == lived[0].address
    assert whole.document["audit_head"].startswith("0:0x")


def test_statements_are_of_whom_and_when_was_asked(lived: Lived, store: Store, tmp_path: Path) -> None:
    world, ended = lived

    def lines(scope: Scope, **options: Any) -> int:
        return int(made(world, store, tmp_path, scope, formats=("csv",), **options).document["lines"])

    everything = len(ended) + 1
    assert lines(Scope(party=world.buyer.address)) == lines(Scope(party=world.seller.address)) == everything
    assert lines(Scope(platform=world.platform.address)) == everything
    assert lines(Scope(party=world.stranger.address)) == lines(Scope(platform=world.stranger.address)) == 0
    closed = sorted(
        int(row["closed_block"]) for row in rows_of(made(world, store, tmp_path, formats=("csv",)).files[0])
    )
    block = world.node.request("eth_getBlockByNumber", hex(closed[3]), False)
    middle = int(block["timestamp"], 16)
    assert lines(Scope(), period=Period(since=0, until=middle)) == 3
    assert lines(Scope(), period=Period(since=middle, until=middle + 1)) == 1


def test_both_databases_make_the_same_bytes(lived: Lived, whole: Made, store: Store, tmp_path: Path) -> None:
    again = made(lived[0], store, tmp_path)
    assert again.document["files"] == whole.document["files"]


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        ("USDT", "USDT"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM", "'@SUM"),
        ("\t=1+1", "'=1+1"),
        ("A\r\nB", "AB"),
        ("\u202eevil", "evil"),
        ("", "?"),
        ("x" * 99, "x" * 16),
    ],
)
def test_a_symbol_is_no_formula_in_any_spreadsheet(symbol: str, shown: str) -> None:
    assert clean_symbol(symbol) == shown


def test_the_font_has_every_character_of_the_pages() -> None:
    from importlib import resources

    from fontTools.ttLib import TTFont

    with resources.as_file(resources.files("kameng_escrow.books") / FONT_FILE) as path, TTFont(path) as font:
        missing = {character for character in characters() if ord(character) not in font.getBestCmap()}
    assert missing == set()


# ---------------------------------------------------------------------------------------------------------- verifying


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".pdf", ".manifest.json"])
def test_a_true_statement_is_found_true(lived: Lived, whole: Made, suffix: str) -> None:
    found = verified(lived[0], file_in(whole.manifest.parent, suffix), signer=SIGNER.address)
    assert found.findings == []
    assert found.true
    assert found.signer == SIGNER.address
    assert found.lines == whole.document["lines"]
    assert found.checked > 0


def test_a_chinese_statement_is_read_back(lived: Lived, sqlite_store: Store, tmp_path: Path) -> None:
    one = made(lived[0], sqlite_store, tmp_path / "zh", formats=("pdf",), lang="zh")
    assert verified(lived[0], one.manifest).findings == []
    text = pypdf.PdfReader(one.files[0]).pages[0].extract_text()
    assert "订单对账单" in text
    assert "买家" in text


def test_every_changed_cell_is_named(lived: Lived, copy: Path) -> None:
    path = file_in(copy, ".csv")
    changed = [name for name in COLUMNS if name not in ("line", "order_id")]

    def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        for name in changed:
            rows[4][name] = rows[4][name] + "0"
        return rows

    rewrite(path, change)
    found = verified(lived[0], path)
    false = [finding for finding in found.findings if finding.kind is FindingKind.LineFalse]
    assert [finding.field for finding in false] == changed
    assert {finding.line for finding in false} == {5}
    assert kinds(found) == {FindingKind.LineFalse, FindingKind.FileAltered}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_line_that_is_left_out_doubled_or_made_up_is_named(lived: Lived, copy: Path, suffix: str) -> None:
    path = file_in(copy, suffix)
    gone: dict[str, str] = {}

    def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        gone.update(rows[2])
        invented = {**rows[0], "order_id": "0x" + "ab" * 32, "closed_transaction": "0x" + "cd" * 32}
        return [*rows[:2], *rows[3:6], rows[5], invented, *rows[6:]]

    if suffix == ".csv":
        rewrite(path, change)
    else:
        import pyarrow as pa
        from pyarrow import parquet

        rows = change(parquet.read_table(path).to_pylist())
        parquet.write_table(pa.Table.from_pylist(rows, schema=parquet.read_schema(path)), path)
    found = verified(lived[0], path)
    told = {(finding.kind, finding.line) for finding in found.findings}
    assert told == {
        (FindingKind.FileAltered, None),
        (FindingKind.LineMissing, None),
        (FindingKind.LineForeign, 6),
        (FindingKind.LineFalse, 7),
    }
    [missing] = [finding for finding in found.findings if finding.kind is FindingKind.LineMissing]
    assert missing.order_id == gone["order_id"]


def test_lines_in_another_order_are_true_but_the_file_is_not(lived: Lived, copy: Path) -> None:
    rewrite(file_in(copy, ".csv"), lambda rows: rows[::-1])
    assert kinds(verified(lived[0], file_in(copy, ".csv"))) == {FindingKind.FileAltered}


def test_a_true_line_of_another_period_does_not_belong(lived: Lived, sqlite_store: Store, copy: Path) -> None:
    world = lived[0]
    rows = rows_of(file_in(copy, ".csv"))
    block = world.node.request("eth_getBlockByNumber", hex(int(rows[3]["closed_block"])), False)
    short = made(
        world, sqlite_store, copy / "short", formats=("csv",), period=Period(since=0, until=int(block["timestamp"], 16))
    )
    stranger = rows[3]
    rewrite(short.files[0], lambda said: [*said, stranger])
    found = verified(world, short.files[0])
    assert {(finding.kind, finding.order_id) for finding in found.findings if finding.line} == {
        (FindingKind.LineForeign, stranger["order_id"])
    }


def test_a_printed_line_that_was_changed_is_named(lived: Lived, copy: Path, sqlite_store: Store) -> None:
    """Somebody who can print as we do prints other amounts."""
    other = made(
        lived[0],
        sqlite_store,
        copy / "other",
        formats=("pdf",),
        currency_of=lambda token: Currency(symbol="ETH", decimals=17) if token == NATIVE else currency_of(token),
    )
    shutil.copy(other.files[0], file_in(copy, ".pdf"))
    found = verified(lived[0], file_in(copy, ".pdf"))
    rows = rows_of(file_in(copy, ".csv"))
    false = [finding.line for finding in found.findings if finding.kind is FindingKind.LineFalse]
    assert false == [int(row["line"]) for row in rows if row["token"] == NATIVE]


@pytest.mark.parametrize("hidden", ["covered", "noted", "appended"])
def test_a_page_that_shows_something_else_than_its_text_is_told_of(lived: Lived, copy: Path, hidden: str) -> None:
    """Programs find the right text in it, and people see other amounts."""
    path = file_in(copy, ".pdf")
    writer = pypdf.PdfWriter(clone_from=path)
    if hidden == "covered":
        writer.add_annotation(0, FreeText(text="9,999", rect=(300, 490, 400, 520), background_color="ffffff"))
    elif hidden == "noted":
        writer.add_metadata({"/Subject": "another"})
    if hidden == "appended":
        path.write_bytes(path.read_bytes() + b"\n")
    else:
        writer.write(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    rewrite_manifest(
        file_in(copy, ".manifest.json"),
        lambda document: next(one for one in document["files"] if one["name"] == path.name).update(sha256=digest),
    )
    found = verified(lived[0], path)
    [one] = [one for one in found.findings if one.kind is not FindingKind.SignatureWrong]
    assert (one.kind, one.file, one.field) == (FindingKind.DrawingFalse, path.name, "drawn_with")
    assert one.said == one.true == f"reportlab {version('reportlab')}"
    assert verified(lived[0], file_in(copy, ".csv")).lines > 0


def test_the_manifest_s_words_are_checked(lived: Lived, copy: Path) -> None:
    manifest = file_in(copy, ".manifest.json")
    document = json.loads(manifest.read_text("utf-8"))
    document["totals"][NATIVE]["platform_fee"] = "1"
    document["outcomes"]["Confirmed"] = 99
    manifest.write_text(json.dumps(document), "utf-8")
    found = verified(lived[0], manifest)
    assert kinds(found) == {FindingKind.TotalsFalse, FindingKind.SignatureWrong}
    assert {finding.field for finding in found.findings} >= {"totals", "outcomes"}
    resigned = sign({name: value for name, value in document.items() if name != "signature"}, lived[0].seller)
    manifest.write_text(to_text(resigned), "utf-8")
    found = verified(lived[0], manifest, signer=SIGNER.address)
    assert kinds(found) == {FindingKind.TotalsFalse, FindingKind.NotSigned}
    assert found.signer == lived[0].seller.address


def test_the_block_s_time_is_the_chain_s(lived: Lived, copy: Path) -> None:
    manifest = file_in(copy, ".manifest.json")
    true = json.loads(manifest.read_text("utf-8"))["blocks"]["last_time"]
    rewrite_manifest(manifest, lambda document: document["blocks"].update(last_time="2030-01-01T00:00:00Z"))
    found = verified(lived[0], file_in(copy, ".csv"))
    assert [(one.kind, one.field, one.said, one.true) for one in found.findings] == [
        (FindingKind.BlockFalse, "blocks.last_time", "2030-01-01T00:00:00Z", true)
    ]


def test_a_period_that_was_not_over_is_told_of(lived: Lived, copy: Path) -> None:
    """Orders that closed after the block would be missing, and nobody could see it."""
    manifest = file_in(copy, ".manifest.json")
    later = {"until_timestamp": LATEST, "until": iso(LATEST)}
    rewrite_manifest(manifest, lambda document: document["period"].update(later))
    found = verified(lived[0], file_in(copy, ".csv"))
    assert [(one.kind, one.field, one.said) for one in found.findings] == [
        (FindingKind.BlockFalse, "period.until", iso(LATEST))
    ]


@pytest.fixture
def volumes(lived: Lived, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """A printed statement in several files, which takes thousands of orders unless pages and files are short."""
    monkeypatch.setattr(printed, "LINES_A_PAGE", 2)
    for module in (printed, comparing):
        monkeypatch.setattr(module, "PAGES_A_FILE", 2)
    monkeypatch.setattr(comparing, "LINES_A_PAGE", 2)
    return made(lived[0], sqlite_store, tmp_path / "volumes", formats=("pdf",))


def test_every_volume_is_checked(lived: Lived, volumes: Made) -> None:
    assert len(volumes.files) == -(-volumes.document["lines"] // 4) > 2
    found = verified(lived[0], volumes.manifest)
    assert (found.findings, found.files) == ([], [path.name for path in volumes.files])


@pytest.mark.parametrize("left_out", [0, 1, -1])
def test_a_volume_that_the_manifest_leaves_out_is_missing(lived: Lived, volumes: Made, left_out: int) -> None:
    gone = volumes.files[left_out]
    gone.unlink()
    rewrite_manifest(volumes.manifest, lambda document: document["files"].pop(left_out))
    rest = [path for path in volumes.files if path != gone]
    for path in (volumes.manifest, rest[0]):
        found = verified(lived[0], path)
        assert [(one.kind, one.file) for one in found.findings] == [(FindingKind.VolumeMissing, gone.name)]


def test_a_token_that_says_something_else_of_itself_is_told_of(lived: Lived, copy: Path) -> None:
    found = verified(lived[0], file_in(copy, ".csv"), currency_of=lambda _: Currency(symbol="ETH", decimals=18))
    assert [(finding.kind, finding.field) for finding in found.findings] == [
        (FindingKind.CurrencyFalse, lived[0].token)
    ]


def test_a_file_that_is_gone_is_missing(lived: Lived, copy: Path) -> None:
    file_in(copy, ".parquet").unlink()
    assert kinds(verified(lived[0], file_in(copy, ".manifest.json"))) == {FindingKind.FileMissing}


def test_an_unsigned_statement_is_true_unless_somebody_wants_a_signature(
    lived: Lived, sqlite_store: Store, tmp_path: Path
) -> None:
    one = made(lived[0], sqlite_store, tmp_path, account=None, formats=("csv",))
    assert verified(lived[0], one.manifest).true
    assert kinds(verified(lived[0], one.manifest, signer=SIGNER.address)) == {FindingKind.NotSigned}


# --------------------------------------------------------------------------------------------------------- bad nodes


class Twisted:
    """A node, or a source, with some of its answers changed."""

    def __init__(self, honest: Any, **changed: Any) -> None:
        self._honest = honest
        self._changed = changed

    def __getattr__(self, name: str) -> Any:
        return self._changed.get(name) or getattr(self._honest, name)


def test_a_node_of_another_chain_proves_nothing(lived: Lived, copy: Path) -> None:
    manifest = file_in(copy, ".manifest.json")
    document = json.loads(manifest.read_text("utf-8"))
    document["blocks"]["last_hash"] = "0x" + "12" * 32
    manifest.write_text(json.dumps(document), "utf-8")
    with pytest.raises(OtherChain, match="same chain"):
        verified(lived[0], manifest)
    document["blocks"]["last"] = 10**6
    manifest.write_text(json.dumps(document), "utf-8")
    with pytest.raises(OtherChain, match="none of that number"):
        verified(lived[0], manifest)


def test_a_node_that_hides_an_order_is_caught_by_its_receipts(lived: Lived, copy: Path) -> None:
    world = lived[0]
    row = rows_of(file_in(copy, ".csv"))[-1]

    def read(address: str, first: int, last: int, _: object = None) -> Reading:
        found = Web3Source(world.node.w3).logs(address, first, last)
        return Reading(read_logs([log for log in found if row["order_id"] not in log["topics"]], address))

    def without_filters(header: Any) -> Any:
        from dataclasses import replace

        return None if header is None else replace(header, logs_bloom=None)

    honest = Web3Source(world.node.w3)
    lying = Twisted(
        honest,
        read=read,
        header=lambda block: without_filters(honest.header(block)),
        headers=lambda numbers: [without_filters(one) for one in honest.headers(numbers)],
    )
    with pytest.raises(NodeInconsistent, match="believed"):
        verified(world, file_in(copy, ".csv"), source=lying)


def test_a_node_that_forgot_receipts_is_told_of(lived: Lived, copy: Path) -> None:
    world = lived[0]
    path = file_in(copy, ".csv")

    def forgetful(method: str, *params: Any) -> Any:
        return None if method == "eth_getTransactionReceipt" else world.node.request(method, *params)

    node = Twisted(world.node, request=forgetful)
    rewrite(path, lambda rows: rows[:-1])
    with pytest.raises(NodePruned, match="whole history"):
        verified(world, path, node=node)


def test_a_node_that_kept_no_logs_proves_nothing(lived: Lived, copy: Path) -> None:
    world = lived[0]
    honest = Web3Source(world.node.w3)
    from dataclasses import replace

    def bare(header: Any) -> Any:
        return None if header is None else replace(header, logs_bloom=None)

    empty = Twisted(
        honest,
        read=lambda address, *_: Reading(read_logs([], address)),
        header=lambda block: bare(honest.header(block)),
        headers=lambda numbers: [bare(one) for one in honest.headers(numbers)],
    )
    with pytest.raises(NodeInconsistent):
        verified(world, file_in(copy, ".csv"), source=empty)
