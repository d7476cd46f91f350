"""`kameng reputation`, `statement`, `verify` and `audit`, as people type them."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kameng_escrow.store import Store
from kameng_escrow.store.service.audit import audit
from tests.hand import SELLER, Hand, bring_up

SOON = ("--since", "2020-01-01", "--output", "out")


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    """An order that was confirmed, one that is open, and a mirror for which both are final."""
    with bring_up(tmp_path_factory.mktemp("books"), quick=True) as hand:
        hand.delivered("one.json")
        hand.act("buyer", "order", "confirm", "one.json")
        hand.opened("two.json")
        for _ in range(3):
            hand.rpc("evm_mine")
        hand.terminal.ok("mirror", "--once", "--final-depth", "1")
        yield hand


def closed_at(hand: Hand) -> str:
    """A time at which the order was closed, and all is final."""
    return str(hand.terminal.json("reputation", SELLER)["as_of"]["time"])


def statement(hand: Hand, *words: str) -> Any:
    return hand.act("platform", "statement", *SOON, "--until", closed_at(hand), *words)


def test_reputation_is_the_same_from_the_store_and_the_chain(hand: Hand) -> None:
    here = hand.terminal.json("reputation", SELLER)
    there = hand.terminal.json("reputation", SELLER, "--from-chain", "--at-block", here["as_of"]["block"])
    assert (here.pop("source"), there.pop("source")) == ("store", "chain")
    assert here == there
    assert here["as_seller"]["counts"]["good"] == 1
    text = hand.terminal.ok("reputation", SELLER).out
    assert "1 counterparties" in text
    assert "cheat" in text
    assert "信誉" not in text
    assert "作为卖家" in hand.terminal.ok("reputation", SELLER, LANG="zh_CN.UTF-8").out


def test_what_is_asked_for_wrongly_is_refused(hand: Hand) -> None:
    hand.fail("reputation", "0x12", code=3)
    hand.fail("reputation", SELLER, "--at-block", "99999", code=6)
    hand.fail("reputation", SELLER, "--reputation-tokens", "USDT=5", code=3)
    hand.fail("reputation", SELLER, "--reputation-platforms", "me", code=3)
    hand.fail("statement", "--since", "2026", code=3)
    hand.fail("statement", "--since", "2026-13", code=3)
    hand.fail("statement", "--since", "0001-01", code=3)
    hand.fail("statement", "--since", "2026-01", "--until", "9999-12-31T23:59:59-14:00", code=3)
    hand.fail("statement", "--since", "2026-02-01", code=3)
    hand.fail("statement", "--since", "2026-02-01", "--until", "2026-01-01", code=3)
    hand.fail("statement", "--since", "2026-02-01T10:00:00", "--until", "2026-03-01", code=3)
    hand.fail("statement", "--since", "2026-01", "--format", "xls", code=3)
    hand.fail("statement", "--since", "2026-01", "--party", SELLER, "--platform", SELLER, code=3)
    hand.fail("statement", "--since", "2026-01", code=3)  # it has to be signed
    hand.fail("statement", "--since", "2026-01", "--until", "2100-01-01", "--unsigned", code=6)
    hand.fail("verify", "nothing.csv", code=3)
    hand.fail("audit", "verify", "--head", "7", code=3)


def test_a_statement_is_made_and_verified(hand: Hand) -> None:
    made = statement(hand, "--format", "csv,parquet,pdf", "--party", SELLER)
    assert made["lines"] == 1
    assert [Path(name).suffix for name in made["files"]] == [".csv", ".parquet", ".pdf"]
    for name in (*made["files"], made["manifest"]):
        found = hand.terminal.json("verify", name, "--signer", made["signer"])
        assert (found["true"], found["lines"], found["findings"]) == (True, 1, [])
    assert "none left out" in hand.terminal.ok("verify", made["manifest"]).out
    assert "一单不漏" in hand.terminal.ok("verify", made["manifest"], LANG="zh_CN.UTF-8").out


def test_a_false_statement_is_found_out(hand: Hand) -> None:
    made = statement(hand)
    path = hand.terminal.folder / made["files"][0]
    with path.open(newline="", encoding="utf-8") as file:
        heading, line = csv.reader(file)
    line[heading.index("to_seller_base")] = "1"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([heading, line])
    told = hand.terminal.run("verify", made["files"][0])
    assert told.code == 1
    assert "line 1" in told.out
    assert "to_seller_base says 1, and should say" in told.out
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(heading)
    told = hand.terminal.run("verify", made["files"][0], "--json")
    assert told.code == 1
    assert [one["kind"] for one in told.json()["findings"]] == ["file_altered", "line_missing"]


def test_a_statement_needs_neither_store_nor_record_to_be_verified(hand: Hand, tmp_path: Path) -> None:
    made = statement(hand)
    assert hand.terminal.json("verify", made["manifest"], "--deployments", str(tmp_path / "records"))["true"]
    assert hand.terminal.run("verify", made["manifest"], "--rpc-url", "http://127.0.0.1:9").code == 5


def test_the_audit_log_is_listed_and_verified(hand: Hand) -> None:
    assert hand.terminal.json("audit", "verify")["entries"] == 0
    path = hand.terminal.folder / ".local" / "share" / "kameng_escrow" / "store.sqlite"
    with Store.open(str(path)) as store, store.writing() as session:
        audit(session, "key_1", "listing.hide", "lst_1", {"reason": "假卡"}, platform=SELLER)
    found = hand.terminal.json("audit", "list", "--platform", SELLER)
    assert found["entries"][0]["details"] == {"reason": "假卡"}
    assert hand.terminal.json("audit", "list", "--actor", "key_2")["entries"] == []
    whole = hand.terminal.json("audit", "verify")
    assert (whole["whole"], whole["entries"]) == (True, 1)
    assert hand.terminal.json("audit", "verify", "--head", whole["head"])["whole"]
    later = f"9:{whole['head'].split(':')[1]}"
    cut = hand.terminal.run("audit", "verify", "--head", later)
    assert cut.code == 1
    assert "cut off" in cut.out
    made = statement(hand)
    assert f'"audit_head": "{whole["head"]}"' in (hand.terminal.folder / made["manifest"]).read_text("utf-8")


def test_retention_shows_before_it_erases(hand: Hand) -> None:
    hand.fail("retention", "--only", "letters", code=3)
    hand.fail("retention", "--account", SELLER, "--only", "talk", code=3)
    hand.fail("retention", "--account", SELLER, "--erase", code=3)
    hand.fail("retention", "--reason", "why not", code=3)
    hand.fail("retention", "--older-than", "soon", code=3)
    looked = hand.terminal.json("retention", "--only", "codes,talk", "--older-than", "2000d")
    assert looked == {"erased": False, "counts": {"codes": 0, "talk": 0}}
    assert "takes --erase" in hand.terminal.ok("retention").out
    assert "只看未动" in hand.terminal.ok("retention", LANG="zh_CN.UTF-8").out
    assert hand.terminal.json("retention", "--erase")["erased"]
    asked = hand.terminal.json("retention", "--account", SELLER, "--erase", "--reason", "asked by mail")
    assert set(asked["counts"].values()) == {0}
    [entry] = hand.terminal.json("audit", "list", "--subject", SELLER)["entries"]
    assert (entry["action"], entry["details"]["reason"]) == ("account.erase", "asked by mail")


def test_an_entry_s_details_are_erased_once_and_told_of(hand: Hand) -> None:
    path = hand.terminal.folder / ".local" / "share" / "kameng_escrow" / "store.sqlite"
    with Store.open(str(path)) as store, store.writing() as session:
        entry = audit(session, "key_1", "listing.hide", "lst_2", {"reason": "张三的电话"})
    hand.fail("audit", "erase", "99999", "--reason", "asked", code=6)
    hand.fail("audit", "erase", str(entry.position), "--reason", " ", code=3)
    told = hand.terminal.json("audit", "erase", entry.position, "--reason", "personal data")["told_by"]
    assert (told["action"], told["subject"]) == ("audit.erase", str(entry.position))
    hand.fail("audit", "erase", str(told["position"]), "--reason", "asked", code=3)
    [erased] = hand.terminal.json("audit", "list", "--subject", "lst_2")["entries"]
    assert erased["details"] is None
    assert hand.terminal.json("audit", "verify")["whole"]
