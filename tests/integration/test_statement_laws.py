"""Whatever somebody does to a statement's lines, verifying names what was done, and nothing else."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.books.comparing import Check, Truth
from kameng_escrow.books.findings import FindingKind, Verification
from kameng_escrow.books.lines import COLUMNS, Line
from kameng_escrow.books.manifest import read_manifest
from kameng_escrow.books.statement import Made
from kameng_escrow.books.witness import Witness
from kameng_escrow.bootstrap import make_target
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import Outcome
from kameng_escrow.mirror import Web3Source, replayed
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .test_statement import made

Bench = tuple[Truth, Witness, list[Line]]
CHANGED = [name for name in COLUMNS if name not in ("line", "order_id")]


@pytest.fixture(scope="module")
def bench(
    lived: tuple[EscrowWorld, dict[Outcome, OrderTerms]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """The chain read anew once, and the lines that are true by it."""
    world, folder = lived[0], tmp_path_factory.mktemp("laws")
    with Store.open(str(folder / "store.sqlite")) as store:
        one: Made = made(world, store, folder / "made", formats=("csv",))
    manifest, source = read_manifest(one.manifest), Web3Source(world.node.w3)
    last = source.header(manifest.last_block)
    assert last is not None
    with replayed(source, make_target(world.deployment), last) as fresh:
        truth = Truth(fresh, manifest)
        yield truth, Witness(world.node, world.address), list(truth.lines())


def compared(bench: Bench, lines: list[Line]) -> Verification:
    truth, witness, _ = bench
    result = Verification(manifest=Path("none"))
    Check(result, truth, witness, "lines", None)._compare(lines)
    return result


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_lines_that_go_come_twice_or_change_places_are_told_of(bench: Bench, data: st.DataObject) -> None:
    true = bench[2]
    chosen = data.draw(st.lists(st.sampled_from(range(len(true))), max_size=2 * len(true)))
    found = compared(bench, [true[number] for number in chosen])
    counts = Counter(chosen)
    missing = {one.order_id for one in found.findings if one.kind is FindingKind.LineMissing}
    assert missing == {line["order_id"] for number, line in enumerate(true) if number not in counts}
    twice = Counter(one.order_id for one in found.findings if one.kind is FindingKind.LineForeign)
    assert twice == Counter({true[number]["order_id"]: count - 1 for number, count in counts.items() if count > 1})
    assert {one.kind for one in found.findings} <= {FindingKind.LineMissing, FindingKind.LineForeign}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_changed_line_is_named_by_its_number_and_column(bench: Bench, data: st.DataObject) -> None:
    true = bench[2]
    order = data.draw(st.permutations(range(len(true))))
    changes = data.draw(
        st.dictionaries(st.sampled_from(range(len(true))), st.sampled_from(CHANGED), max_size=len(true))
    )
    lines = [
        {**true[number], changes[number]: true[number][changes[number]] + "1"} if number in changes else true[number]
        for number in order
    ]
    found = compared(bench, lines)
    told = {(one.kind, one.line, one.field) for one in found.findings}
    assert told == {
        (FindingKind.LineFalse, place, changes[number]) for place, number in enumerate(order, 1) if number in changes
    }
