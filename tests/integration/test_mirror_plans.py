"""What a mirror asks of a file is found by keys: no range reads all orders, events or balances there are."""

import re
from typing import Any

from sqlalchemy import event

from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import Outcome
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .mirrors import mirror_of

GROWING = "balances|blocks|clocks|events|orders|outbox"
# From end to end, or all of the contract's, or all up to somewhere.
READS_ALL = re.compile(rf"SCAN ({GROWING})\b|SEARCH ({GROWING}) .*\(contract_id=\?( AND \w+<\?)?\)$")
WRITTEN = {
    "INSERT INTO": ("blocks", "clocks", "events", "orders", "outbox"),
    "UPDATE": ("orders",),
    "DELETE FROM": ("blocks", "clocks"),
}


def test_no_range_reads_a_whole_table(
    lived: tuple[EscrowWorld, dict[Outcome, OrderTerms]], sqlite_store: Store
) -> None:
    """The ranges are so small that orders are opened in one, moved on in others and closed in yet another."""
    world, _ = lived
    told: dict[str, Any] = {}

    def tell(_: object, __: object, statement: str, parameters: Any, ___: object, many: bool) -> None:
        told.setdefault(statement, parameters[0] if many else parameters)

    for engine in (sqlite_store.engine, sqlite_store.reading_engine):
        event.listen(engine, "before_cursor_execute", tell)
    mirror_of(world, sqlite_store, range_blocks=2).run_once()
    for engine in (sqlite_store.engine, sqlite_store.reading_engine):
        event.remove(engine, "before_cursor_execute", tell)
    for verb, tables in WRITTEN.items():
        for table in tables:
            assert any(f"{verb} {table}" in statement for statement in told), f"nothing was done as {verb} {table}"
    with sqlite_store.engine.connect() as connection:
        for statement, parameters in told.items():
            if statement.startswith(("PRAGMA", "BEGIN")):
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).scalars("detail").all()
            assert not [step for step in plan if READS_ALL.match(step)], statement
