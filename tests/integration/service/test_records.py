"""Reputation, statements, the audit log and erasure over HTTP."""

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from kameng_escrow.books.lines import Currency, clean_symbol
from kameng_escrow.books.manifest import read_manifest
from kameng_escrow.books.reputation import from_chain
from kameng_escrow.books.verify import verify
from kameng_escrow.books.witness import Witness
from kameng_escrow.bootstrap import make_target
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.mirror import Web3Source
from kameng_escrow.service import records as desk
from kameng_escrow.store.service.audit import audit

from ..mirrors import mirror_of
from .conftest import Service


@pytest.fixture
def final(service: Service) -> Service:
    """All that happened is final."""
    mirror_of(service.world, service.store, final_depth=0).run_once()
    return service


def iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def period(service: Service, **more: Any) -> dict[str, Any]:
    return {"since": "2020-01-01T00:00:00Z", "until": iso(service.parts.marks().seen_at), **more}


# -------------------------------------------------------------------------------------------------------- reputation


def test_what_is_no_account_has_no_reputation(final: Service) -> None:
    for address in ("nobody", "0x12", final.world.seller.address.lower().replace("a", "A", 1)):
        assert final.visitor().get(f"/v1/reputations/{address}").status_code in (404, 422)
    seller = final.world.seller.address
    assert final.visitor().get(f"/v1/reputations/{seller}", params={"at_block": 0}).status_code == 422
    late = final.visitor().get(f"/v1/reputations/{seller}", params={"at_block": 10**6})
    assert (late.status_code, late.json()["code"]) == (409, "block_not_final")
    assert late.json()["values"]["block"] in (10**6, str(10**6))


def test_anybody_reads_a_reputation_and_gets_the_same_from_the_chain(final: Service) -> None:
    seller = final.world.seller.address
    said = final.visitor().get(f"/v1/reputations/{seller}").json()
    found = from_chain(
        Web3Source(final.world.node.w3),
        make_target(final.world.deployment),
        seller,
        final.parts.yardstick,
        at_block=said["as_of"]["block"],
    )
    tally = found.reputation.as_seller
    assert said["as_of"]["block_hash"] == found.as_of.hash
    assert said["as_seller"]["counts"] == {kind.value: count for kind, count in tally.counts.items()}
    assert [said["as_seller"][name] for name in ("good", "bad", "rate", "lower", "upper")] == [
        *(tally.good, tally.bad, tally.rate, tally.lower, tally.upper)
    ]
    assert said["yardstick"]["units"] == {NATIVE: str(10**13)}


def test_a_reputation_that_is_remembered_is_not_out_of_date(final: Service) -> None:
    seller = final.world.seller.address
    visitor = final.visitor()
    before = visitor.get(f"/v1/reputations/{seller}").json()
    assert visitor.get(f"/v1/reputations/{seller}").json() == before
    final.world.cancelled()
    mirror_of(final.world, final.store, final_depth=0).run_once()
    after = visitor.get(f"/v1/reputations/{seller}").json()
    assert after["as_of"]["block"] > before["as_of"]["block"]
    assert after["as_seller"]["orders"] == before["as_seller"]["orders"] + 1
    again = visitor.get(f"/v1/reputations/{seller}", params={"at_block": before["as_of"]["block"]}).json()
    assert again == before


# ---------------------------------------------------------------------------------------------------------- statements


def test_a_statement_that_can_not_be_is_refused(final: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    client = final.signed_in(final.world.buyer)

    def code(**changes: Any) -> tuple[int, str]:
        answer = client.get("/v1/statements", params=period(final, **changes))
        return answer.status_code, answer.json()["code"]

    assert code(until=iso(final.parts.marks().seen_at + 1)) == (409, "period_not_final")
    assert code(until="2019-01-01T00:00:00Z") == (422, "bad_request")
    assert code(since="0001-01-01T00:00:00+14:00", until="0001-01-01T00:00:01+14:00") == (422, "bad_request")
    assert code(until="9999-12-31T23:59:59-14:00") == (422, "bad_request")
    assert code(until="9999-12-31T23:59:59Z") == (409, "period_not_final")
    assert code(since="2020-01-01") == (422, "bad_request")
    assert code(formats="xls") == (422, "bad_request")
    assert code(scope="everybody") == (422, "bad_request")
    monkeypatch.setattr(desk, "MOST_LINES", 3)
    assert code() == (422, "bad_request")


def test_statements_that_are_being_made_make_others_wait(final: Service) -> None:
    records = final.client.app.state.records  # type: ignore[attr-defined]
    for _ in range(2):
        assert records._turns.acquire(blocking=False)
    answer = final.signed_in(final.world.buyer).get("/v1/statements", params=period(final))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")


@pytest.mark.parametrize("who", ["buyer", "platform"])
def test_a_party_and_a_platform_get_statements_that_verify(final: Service, tmp_path: Path, who: str) -> None:
    world = final.world
    account: LocalAccount = getattr(world, who)
    scope = "platform" if who == "platform" else "party"
    client = final.signed_in(account) if who == "buyer" else final.with_key(account, "records")
    answer = client.get("/v1/statements", params=period(final, scope=scope, formats="csv,pdf,csv", lang="zh"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert ".zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path)
    [manifest] = tmp_path.glob("*.manifest.json")
    found = verify(
        manifest,
        Web3Source(world.node.w3),
        Witness(world.node, world.address),
        make_target(world.deployment),
        currency_of=lambda token: (
            Currency(symbol="ETH", decimals=18)
            if token == NATIVE
            else Currency(symbol=clean_symbol(final.parts.client.symbol(token)), decimals=6)
        ),
    )
    assert found.findings == []
    assert found.lines == len(final.orders) + 1
    assert sorted(Path(name).suffix for name in found.files) == [".csv", ".pdf"]
    assert read_manifest(manifest).signer is None


def test_a_statement_is_of_who_asks_and_nobody_else(final: Service, tmp_path: Path, newcomer: LocalAccount) -> None:
    answer = final.signed_in(newcomer).get("/v1/statements", params=period(final))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".manifest.json")]
        document = json.loads(archive.read(name))
    assert document["scope"] == {"party": newcomer.address, "platform": None}
    assert document["lines"] == 0


# ------------------------------------------------------------------------------------------------------------- audit


def test_staff_actions_are_shown_to_their_own_platform(final: Service) -> None:
    world = final.world
    platform = final.signed_in(world.platform)
    made = platform.post("/v1/api-keys", json={"name": "till", "scopes": ["records"]}).json()
    platform.post(f"/v1/api-keys/{made['key']['id']}/rotate", json={"overlap_seconds": 0})
    with final.store.writing() as session:
        audit(session, "operator", "relayer.stop", "relayer")
    said = final.with_key(world.platform, "records").get("/v1/audit").json()
    actions = [(entry["action"], entry["actor"]) for entry in said["entries"]]
    assert ("key.create", world.platform.address) in actions
    assert ("key.rotate", world.platform.address) in actions
    assert all(entry["platform"] == world.platform.address for entry in said["entries"])
    assert made["secret"] not in json.dumps(said)
    assert final.signed_in(world.deployer).get("/v1/audit").json()["entries"] == []


def test_the_audit_log_comes_in_pages(final: Service) -> None:
    world = final.world
    with final.store.writing() as session:
        for number in range(5):
            audit(session, "key_1", "listing.hide", f"lst_{number}", platform=world.platform.address)
    client = final.signed_in(world.platform)
    first = client.get("/v1/audit", params={"limit": 2}).json()
    rest = client.get("/v1/audit", params={"before": first["before"]}).json()
    assert [one["subject"] for one in (*first["entries"], *rest["entries"])] == [f"lst_{n}" for n in (4, 3, 2, 1, 0)]
    assert rest["before"] is None
    assert first["head"] == f"5:{first['entries'][0]['hash']}"
    assert [one["subject"] for one in client.get("/v1/audit", params={"subject": "lst_3"}).json()["entries"]] == [
        "lst_3"
    ]


# ----------------------------------------------------------------------------------------------------------- erasure


def test_an_account_erases_its_own(final: Service) -> None:
    browser, other = final.signed_in(final.world.buyer), final.signed_in(final.world.seller)
    looked = browser.get("/v1/erasure").json()
    assert (looked["erased"], looked["counts"]["sessions"]) == (False, 1)
    gone = browser.post("/v1/erasure", headers={"Idempotency-Key": "once"}).json()
    assert gone == {"erased": True, "counts": {**looked["counts"], "answers": 1}}
    assert browser.get("/v1/erasure").status_code == 401
    assert other.get("/v1/erasure").json()["counts"]["sessions"] == 1
