"""Open orders have their clocks after the migration to a table of these (v0013), and no others."""

from typing import Any

from alembic import command
from sqlalchemy import select, text

from kameng_escrow.domain.states import State
from kameng_escrow.store import Store, schema
from kameng_escrow.store.models import ClockRow

STATES: tuple[tuple[str, int | None], ...] = (
    ("Opened", 90),
    ("Accepted", 70),
    ("Delivered", 80),
    ("Disputed", 60),
    ("Closed", None),
    ("None", None),
)


def test_open_orders_have_their_clocks(empty_store_url: str) -> None:
    with Store.open(empty_store_url) as store:
        with store.writing() as session:
            config = schema.alembic_config()
            config.attributes["connection"] = session.connection()
            command.upgrade(config, "v0012")
        with store.writing() as session:
            for index, (state, deadline) in enumerate(STATES):
                row: dict[str, Any] = {
                    **{"contract_id": 1, "order_id": f"0x{index:064x}", "state": state, "outcome": "None"},
                    **{"fault": "None", "revision": 0, "disputed_units": 0, "deadline": deadline},
                    **{"mediation_fee": "0".zfill(39) if store.path else 0},
                    **{"first_block": 5, "first_log_index": index, "last_block": 5, "last_log_index": index},
                }
                names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
                session.execute(text(f"INSERT INTO orders ({names}) VALUES ({places})"), row)
        store.migrate()
        with store.reading() as session:
            clocks = session.scalars(select(ClockRow).order_by(ClockRow.deadline)).all()
            found = [(row.contract_id, row.first_block, row.first_log_index, row.state, row.deadline) for row in clocks]
    assert found == [
        (1, 5, 3, State.Disputed, 60),
        (1, 5, 1, State.Accepted, 70),
        (1, 5, 2, State.Delivered, 80),
        (1, 5, 0, State.Opened, 90),
    ]
