"""Buyers in a process of their own, after the last units of one listing. Arguments: the store's URL, the contract's
number in it, the listing's id, the first buyer's number and how many there are. Prints what became of each as JSON.
"""

import json
import sys
from pathlib import Path
from types import ModuleType

if __name__ == "__main__":  # `tests` is no package, and something else installed may go by that name
    sys.modules["tests"] = ModuleType("tests")
    sys.modules["tests"].__path__ = [str(Path(__file__).resolve().parents[1])]

from kameng_escrow.domain.states import State
from kameng_escrow.store import Store
from kameng_escrow.store.service.trade_errors import SoldOut
from tests.integration.shelf import Shelf, key
from tests.unit.histories import account


def hammer(shelf: Shelf, listing: str, numbers: range) -> list[tuple[str, int]]:
    """A quote for each number; some are given up, some are paid."""
    told = []
    for number in numbers:
        who = account(1_000 + number)
        try:
            quote = shelf.quote(listing, 1 + number % 3, buyer=who, delivery_key=key(1_000 + number))
        except SoldOut:
            told.append(("sold out", 0))
            continue
        told.append(("held", quote.units))
        if number % 4 == 0:
            shelf.desk.give_up(quote.id, who)
            told.append(("given up", quote.units))
        elif number % 4 == 1:
            shelf.chain(quote.id, State.Opened)
            shelf.follow()
    return told


if __name__ == "__main__":
    url, contract_id, listing_id, first, count = sys.argv[1:]
    with Store.open(url) as opened:
        world = Shelf(opened, contract_id=int(contract_id))
        print(json.dumps(hammer(world, listing_id, range(int(first), int(first) + int(count)))))  # noqa: T201
