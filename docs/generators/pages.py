"""Which block and which page is made by what."""

import re
from collections.abc import Callable
from pathlib import Path

from .contract_pages import contract_index, contract_pages
from .events_and_views import event_list, lens_list, view_list
from .lifecycle import lifecycle_table
from .mirror_speed import mirror_speed
from .order_gas import gas_table
from .platform_client import client_files
from .policies import policy_draft, policy_fields, policy_warnings
from .references import (
    command_list,
    error_table,
    malformed_table,
    refusal_tables,
    settings_table,
)
from .reputation import attack_table
from .routes import route_table
from .sdk_methods import method_tables
from .telling import notification_channels, notification_topics, webhook_schedule, webhook_types
from .text import DOCS, LANGS, ROOT, Lang, page
from .walletless import walletless_list

BLOCKS: dict[str, Callable[[Lang], str]] = {
    "commands": command_list,
    "contract-index": contract_index,
    "errors": error_table,
    "events": event_list,
    "gas": gas_table,
    "lens": lens_list,
    "lifecycle": lifecycle_table,
    "malformed": malformed_table,
    "methods": method_tables,
    "mirror-speed": mirror_speed,
    "notification-channels": notification_channels,
    "notification-topics": notification_topics,
    "policy-draft": policy_draft,
    "policy-fields": policy_fields,
    "policy-warnings": policy_warnings,
    "routes": route_table,
    "refusals": refusal_tables,
    "reputation-attacks": attack_table,
    "settings": settings_table,
    "views": view_list,
    "webhook-schedule": webhook_schedule,
    "webhook-types": webhook_types,
    "walletless": walletless_list,
}
_BLOCK = re.compile(r"(<!-- begin: ([a-z-]+) -->\n).*?(<!-- end: \2 -->)", re.DOTALL)


def lang_of(path: Path) -> Lang:
    return "zh" if path.name.endswith(".zh.md") else "en"


def rendered() -> dict[Path, str]:
    """Every file that is generated, whole or in part, as it should be: pages, and the platform client's modules.

    Raises:
        KeyError: a page has a block that nobody makes, or something new lacks its words in `docs/generators`.
    """
    whole = {page(stem, lang): text for lang in LANGS for stem, text in contract_pages(lang).items()}
    partly = {}
    for path in sorted(DOCS.rglob("*.md")):
        if path in whole:
            continue
        text = path.read_text("utf-8")
        if "<!-- begin: " in text:
            partly[path] = _BLOCK.sub(lambda found, path=path: _fill(found, path), text)
    client = {ROOT / "kameng_escrow" / "platform" / f"{name}.py": text for name, text in client_files().items()}
    return whole | partly | client


def _fill(found: re.Match[str], path: Path) -> str:
    return f"{found.group(1)}\n{BLOCKS[found.group(2)](lang_of(path))}\n\n{found.group(3)}"
