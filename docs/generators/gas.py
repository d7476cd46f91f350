"""What each operation costs, as `make bench-gas` measured it."""

import json
from functools import cache
from typing import Any

from .text import ROOT, Lang, Text

RESULTS = ROOT / "bench" / "results" / "operations.json"
_COINS = {"erc20": Text("ERC-20", "ERC-20"), "native": Text("原生币", "native coin")}


@cache
def _measured() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    return found


def gas_of(operation: str, lang: Lang) -> str:
    """One line: in each coin that the operation takes, or once where it makes no difference.

    Raises:
        KeyError: the operation was not measured.
    """
    figures, each = _measured()["operations"][operation], _measured()["each_of"].get(operation)
    if "any" in figures:
        text = f"{figures['any']:,}"
    else:
        between = Text("（{}）", " ({})")[lang]
        shown = (f"{gas:,}{between.format(_COINS[coin][lang])}" for coin, gas in figures.items())
        text = ("，" if lang == "zh" else ", ").join(shown)
    if each:
        text += Text(f"；每单，一批 {each} 单", f"; an order, in a batch of {each}")[lang]
    return text
