"""The pages of the contracts around the escrow tell all that their ABIs have."""

import re

import pytest

from docs.generators.text import LANGS, Lang, page
from kameng_escrow.chain.artifacts import load_artifact

PAGES = {"KamengDeposits": "deposits", "KamengCart": "cart", "KamengAutomation": "automation"}


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("contract", PAGES)
def test_every_function_event_and_error_is_told(contract: str, lang: Lang) -> None:
    text = page(PAGES[contract], lang).read_text("utf-8")
    for entry in load_artifact(contract).abi:
        if entry["type"] == "error":
            assert f"(errors.md#{entry['name'].lower()})" in text, entry["name"]
        elif entry["type"] in ("function", "event"):
            names = ", ".join(item["name"] for item in entry["inputs"] if item["name"])
            assert f"`{entry['name']}({names})`" in text or entry["name"] == "checkLog", entry["name"]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("contract", PAGES)
def test_no_function_is_told_that_is_not_there(contract: str, lang: Lang) -> None:
    text = page(PAGES[contract], lang).read_text("utf-8")
    table = [line for line in text[text.rindex("\n## ") :].splitlines() if line.startswith("| `")]
    told = {name for line in table for name in re.findall(r"`(\w+)\(", line.split("|")[1])}
    assert told == {entry["name"] for entry in load_artifact(contract).abi if entry["type"] == "function"}
