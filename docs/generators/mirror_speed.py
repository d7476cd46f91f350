"""How fast a mirror is, from the benchmark's committed figures."""

import json
from typing import Any

from .text import ROOT, Lang, Text, table

_RATES = {
    "mirror, SQLite": Text("镜像，SQLite", "mirror, SQLite"),
    "bare loop, SQLite": Text("只取、解码、插入，SQLite", "fetch, decode and insert only, SQLite"),
    "mirror, PostgreSQL": Text("镜像，PostgreSQL", "mirror, PostgreSQL"),
    "bare loop, PostgreSQL": Text("只取、解码、插入，PostgreSQL", "fetch, decode and insert only, PostgreSQL"),
    "web3.py loop, nothing kept": Text(
        "web3.py 的 `get_logs` 和 `process_log`，什么都不存", "web3.py's `get_logs` and `process_log`, nothing kept"
    ),
    "Ponder": Text("Ponder，只存订单状态和事件名", "Ponder, which keeps states of orders and names of events"),
}


def mirror_speed(lang: Lang) -> str:
    figures = json.loads((ROOT / "bench" / "results" / "mirror.json").read_text("utf-8"))
    heads = {"zh": ("追赶本地 Anvil", "每秒事件数"), "en": ("Catching up with a local Anvil", "Events a second")}[lang]
    rounds = figures["rounds"]
    rows = [(words[lang], f"{_median(rounds[name]):,}") for name, words in _RATES.items() if name in rounds]
    low, high = figures["ponder_published_events_per_s"]
    rows.append(
        (
            Text("Ponder（其公布的数字，未在此测量）", "Ponder (as published, not measured here)")[lang],
            f"{low:,}–{high:,}",
        )
    )
    return "\n\n".join((table(heads, rows), _long_runs(figures, lang), _conditions(figures, lang)))


def _long_runs(figures: dict[str, Any], lang: Lang) -> str:
    heads = {
        "zh": ("把录下来的链一遍遍放下去", "事件数", "每秒", "内存峰值"),
        "en": ("A recorded chain played on and on", "Events", "A second", "Most memory"),
    }[lang]
    return table(
        heads,
        [
            (name, f"{run['events']:,}", f"{run['events_per_s']:,}", f"{run['peak_mb']} MB")
            for name, run in figures["long_runs"].items()
        ],
    )


def _conditions(figures: dict[str, Any], lang: Lang) -> str:
    load = max(figures["load_before"].values())
    in_memory = {
        "zh": "长时间运行的存储放在内存里，免得量到的是磁盘。",
        "en": "The stores of the long runs lay in memory, so that it is not the disk that is measured. ",
    }[lang]
    where = in_memory if figures["growth_in_memory"] else ""
    ratios = {one: f"{figures[f'ratio_to_bare_loop_{one}']:.2f}" for one in ("sqlite", "postgres")}
    return {
        "zh": (
            f"镜像的速度是只取、解码、插入的 {ratios['sqlite']} 倍（SQLite）、{ratios['postgres']} 倍（PostgreSQL），"
            f"是 web3.py 的 {figures['ratio_to_web3py']} 倍以上。"
            f"在 {figures['cpus']} 核的机器上测得，节点、数据库和镜像都在上面；开测前的系统负载最高 {load:.1f}。"
            f"{where}链头上（每秒一块，每块 200 个事件）从出块到待发消息可读，"
            f"p99 为 {figures['head_p99_ms']:.0f} 毫秒。"
        ),
        "en": (
            f"The mirror is {ratios['sqlite']} times as fast as the bare loop on SQLite, {ratios['postgres']} times on "
            f"PostgreSQL, and at least {figures['ratio_to_web3py']} times as fast as web3.py's. "
            f"On a machine with {figures['cpus']} cores, which node, database and mirror share; its load before the "
            f"parts of the benchmark was at most {load:.1f}. {where}At the head, with a block a second of 200 "
            f"events each, it takes {figures['head_p99_ms']:.0f} ms (p99) from a block to readable outbox entries."
        ),
    }[lang]


def _median(rates: list[int]) -> int:
    return sorted(rates)[len(rates) // 2]
