"""A seller's program signs what its rules allow, and believes nobody."""

import copy
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.chain.signing import recovered
from kameng_escrow.delivery.errors import DeliveryKeyUnusable
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.inputs import Malformed
from kameng_escrow.domain.listing import Goods, ListingMismatch, make_document
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.refusals import Refusal
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.typed_data import offer_digest, order_id, policy_id
from kameng_escrow.errors import EscrowError
from kameng_escrow.platform import ServiceUnreachable
from kameng_escrow.trade.offer_rules import AgainstRules, OfferRules, RulesUnusable, hold_against, read_rules
from kameng_escrow.trade.offering import Offerer
from kameng_escrow.trade.signed_log import DAY, SignedLog
from tests.unit.histories import BUYER, POLICY, TERMS, account
from tests.unit.trading import DOMAIN, NOW

SELLER = Account.from_key(b"\x07" * 32)
KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
PRICE = 100
LISTING = "lst_01"
RULES = f"""
chain_id = {DOMAIN.chain_id}
contract = "{DOMAIN.contract}"
seller = "{SELLER.address}"

[[goods]]
listing = "{LISTING}"
token = "{NATIVE}"
unit_price = "{PRICE}"
policies = ["{policy_id(POLICY)}"]
max_units = 4
units_per_day = 6
"""


@pytest.fixture
def rules(tmp_path: Path) -> OfferRules:
    return rules_of(tmp_path, RULES)


def rules_of(folder: Path, text: str) -> OfferRules:
    (folder / "rules.toml").write_text(text, "utf-8")
    return read_rules(folder / "rules.toml")


def asked(
    number: int = 1, *, units: int = 2, policy: Policy = POLICY, goods: str = LISTING, key: str = KEY, **changes: Any
) -> dict[str, Any]:
    """What a service asks for."""
    values: dict[str, Any] = {
        "buyer": BUYER,
        "seller": SELLER.address,
        "pay_to": SELLER.address,
        "price": PRICE * units,
        "units": units,
        "policy_id": policy_id(policy),
        "open_by": NOW + 600,
        **changes,
    }
    terms = replace(TERMS, **values)
    document = make_document(
        domain=DOMAIN,
        goods=Goods(id=goods, revision=1, title="点卡", category="game-card", description=""),
        platform_order="",
        delivery_key=key,
        terms=terms,
        policy=policy,
        currency=Currency(terms.token, "ETH", 18),
        nonce="0x" + f"{number:064x}",
    )
    complete = document.complete(f"0x{number:064x}")
    return {
        "revision": 0,
        "quote": {
            "id": f"qte_{number:02}",
            "order_id": order_id(complete, DOMAIN),
            "terms": {**asdict(complete), "price": str(complete.price)},
            "policy": asdict(policy),
            "document": document.to_json(),
        },
    }


# ---------------------------------------------------------------------------------------------------- against the rules


def test_what_the_rules_allow_passes(rules: OfferRules) -> None:
    request = hold_against(asked(), rules, NOW)
    assert (request.quote_id, request.terms.units, request.rule.listing) == ("qte_01", 2, LISTING)


CHEAP = replace(POLICY, cancel_fee_bps=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"price": 2 * PRICE - 1},
        {"units": 5},
        {"seller": account(8), "pay_to": account(8)},
        {"pay_to": account(8)},
        {"token": account(9)},
        {"policy": CHEAP},
        {"goods": "lst_02"},
        {"open_by": NOW - 1},
        {"open_by": NOW + 24 * 3_600 + 301},
    ],
    ids=["too cheap", "too many", "seller", "pay_to", "token", "policy", "listing", "past", "too long"],
)
def test_what_they_don_t_is_not_signed(rules: OfferRules, changes: dict[str, Any]) -> None:
    with pytest.raises(AgainstRules) as raised:
        hold_against(asked(**changes), rules, NOW)
    assert raised.value.message_zh


def spoiled(path: str, value: Any) -> dict[str, Any]:
    whole = copy.deepcopy(asked())
    place = whole
    *steps, last = path.split(".")
    for step in steps:
        place = place[step]
    place[last] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("quote.terms.price", "1"),
        ("quote.terms.price", "9" * 5_000),
        ("quote.terms.buyer", account(7)),
        ("quote.terms.listing", "0x" + "00" * 32),
        ("quote.order_id", "0x" + "00" * 32),
        ("quote.document.delivery_key", "age1" + "p" * 58),
        ("quote.document.summary.en", ["# nothing"]),
        ("quote.policy.cancel_fee_bps", 1),
        ("quote.policy", {}),
        ("quote.document", None),
        ("quote.terms", None),
        ("quote", None),
        ("revision", -1),
        ("revision", "0"),
    ],
)
def test_what_a_service_makes_up_is_found_out(rules: OfferRules, path: str, value: Any) -> None:
    with pytest.raises((AgainstRules, ListingMismatch, Malformed, Refusal)):
        hold_against(spoiled(path, value), rules, NOW)


def test_a_key_that_nobody_can_encrypt_to_is_refused(rules: OfferRules) -> None:
    with pytest.raises(DeliveryKeyUnusable):
        hold_against(asked(key=KEY[:-1] + "q"), rules, NOW)


def test_another_contract_s_order_is_not_ours(tmp_path: Path) -> None:
    for text in (RULES.replace(DOMAIN.contract, account(93)), RULES.replace("chain_id = 31337", "chain_id = 1")):
        with pytest.raises(AgainstRules, match="calls it otherwise"):
            hold_against(asked(), rules_of(tmp_path, text), NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ASKED = asked()
PLACES = ["revision", "quote", *(f"quote.{name}" for name in ASKED["quote"])]
PLACES += [f"quote.{part}.{name}" for part in ("terms", "policy", "document") for name in ASKED["quote"][part]]


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(PLACES), value=json_values)
def test_nonsense_never_gets_a_signature_nor_ends_the_program(path: str, value: Any) -> None:
    rules = OfferRules(domain=DOMAIN, seller=SELLER.address, goods={})
    with pytest.raises(EscrowError):
        hold_against(spoiled(path, value), rules, NOW)


# ------------------------------------------------------------------------------------------------------------ the file


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("chain_id = 31337", "", "chain_id"),
        ("chain_id = 31337", "chain_id = -1", "chain_id"),
        ("chain_id = 31337", "chain_id = 31337\nmore = 1", "more"),
        (f'unit_price = "{PRICE}"', f"unit_price = {PRICE}", "unit_price"),
        (f'unit_price = "{PRICE}"', 'unit_price = "-1"', "unit_price"),
        ("max_units = 4", "max_units = 70000", "max_units"),
        ("max_units = 4", "max_units = true", "max_units"),
        ("units_per_day = 6", "", "units_per_day"),
        (SELLER.address, "0x12", "seller"),
        ("[[goods]]", "[goods]", "goods"),
        ("policies = [", "policies = [1, ", "policies"),
        ("chain_id", "= =", "TOML"),
    ],
)
def test_rules_that_are_none_say_what_is_wrong(tmp_path: Path, before: str, after: str, says: str) -> None:
    with pytest.raises(RulesUnusable, match=says):
        rules_of(tmp_path, RULES.replace(before, after, 1))


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(RulesUnusable, match="No such file"):
        read_rules(tmp_path / "none.toml")


# ------------------------------------------------------------------------------------------------- the day's allowance


class Counter:
    """A service without a network: what it asks for, and what it was brought."""

    def __init__(self, *rounds: list[dict[str, Any]]) -> None:
        self.rounds = list(rounds)
        self.brought: list[tuple[str, Offer]] = []
        self.away = 0  # the next so many times that something is brought, it does not answer
        self.stop = threading.Event()

    def offer_requests(self, *, after: str | None, wait: int) -> list[Mapping[str, Any]]:  # noqa: ARG002
        if not self.rounds:
            self.stop.set()
            return []
        return [one for one in self.rounds.pop(0) if after is None or one["quote"]["id"] > after]

    def bring(self, quote_id: str, offer: Offer) -> None:
        if self.away:
            self.away -= 1
            raise ServiceUnreachable("https://shop.example", "it sleeps")
        self.brought.append((quote_id, offer))


def works(service: Counter, rules: OfferRules, log: SignedLog, now: int = NOW, **options: Any) -> Offerer:
    return Offerer(service=service, account=SELLER, rules=rules, log=log, clock=lambda: now, **options)


def test_offers_are_the_seller_s_and_live_as_long_as_they_may(rules: OfferRules, tmp_path: Path) -> None:
    service = Counter([asked(1), asked(2, open_by=NOW + 60)])
    with SignedLog(tmp_path / "log") as log:
        works(service, rules, log, seconds=120).run(service.stop, once=True)
    for number, (quote_id, offer) in enumerate(service.brought, 1):
        name = asked(number, open_by=NOW + (600 if number == 1 else 60))["quote"]["order_id"]
        assert quote_id == f"qte_{number:02}"
        assert offer.expiry == (NOW + 120 if number == 1 else NOW + 61)
        digest = offer_digest(name, revision=0, expiry=offer.expiry, domain=DOMAIN)
        assert recovered(digest, offer.signature) == SELLER.address
    assert len(service.brought) == 2


def test_a_day_has_only_so_many_units(rules: OfferRules, tmp_path: Path) -> None:
    service = Counter([asked(number) for number in range(1, 6)])
    told: list[EscrowError] = []
    with SignedLog(tmp_path / "log") as log:
        tally = works(service, rules, log, on_refused=told.append).run(service.stop, once=True)
        assert (tally.made, tally.refused) == (3, 2)
        assert all(isinstance(error, AgainstRules) for error in told)
        later = Counter([asked(9, open_by=NOW + DAY)])
        works(later, rules, log, now=NOW + DAY).run(later.stop, once=True)
        assert len(later.brought) == 1


def test_a_program_that_was_killed_remembers_its_day(rules: OfferRules, tmp_path: Path) -> None:
    service = Counter([asked(1), asked(2)])
    with SignedLog(tmp_path / "log") as log:
        works(service, rules, log).run(service.stop, once=True)
    with (tmp_path / "log").open("ab") as file:
        file.write(b'{"at": 1, "lis')  # in the middle of a line
    again = Counter([asked(1), asked(3), asked(4)])
    with SignedLog(tmp_path / "log") as log:
        works(again, rules, log).run(again.stop, once=True)
    assert [quote for quote, _ in again.brought] == ["qte_01", "qte_03"]  # the first counts once, the last is too much
    lines = (tmp_path / "log").read_text("utf-8").splitlines()
    assert [json.loads(line)["units"] for line in lines] == [2, 2, 2]


def test_what_could_not_be_brought_is_brought_later_and_counts_once(rules: OfferRules, tmp_path: Path) -> None:
    service = Counter([asked(1)], [asked(1)])
    service.away = 1
    with SignedLog(tmp_path / "log") as log:
        works_ = works(service, rules, log)
        waits: list[float] = []
        service.stop.wait = lambda seconds=None: bool(waits.append(seconds))  # type: ignore[assignment, method-assign, func-returns-value, arg-type]
        tally = works_.run(service.stop)
    assert (tally.made, tally.away, waits) == (1, 1, [1.0])
    assert log.used(LISTING, NOW, but="") == 2


def test_a_refused_quote_is_told_of_once(rules: OfferRules, tmp_path: Path) -> None:
    service = Counter([asked(1, units=5)], [asked(1, units=5), asked(2)])
    told: list[EscrowError] = []
    with SignedLog(tmp_path / "log") as log:
        works(service, rules, log, on_refused=told.append).run(service.stop)
    assert len(told) == 1
    assert [quote for quote, _ in service.brought] == ["qte_02"]


def test_two_programs_don_t_share_a_log(tmp_path: Path) -> None:
    with (
        SignedLog(tmp_path / "log"),
        pytest.raises(RulesUnusable, match="another process"),
        SignedLog(tmp_path / "log"),
    ):
        pass


def test_a_log_that_somebody_changed_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("nothing of ours\n", "utf-8")
    with pytest.raises(RulesUnusable, match="line 1"), SignedLog(tmp_path / "log"):
        pass
    with SignedLog(tmp_path / "other") as log:
        log.write("0x01", LISTING, 1, NOW)
    assert (tmp_path / "other").stat().st_mode & 0o777 == 0o600


def test_where_nothing_can_be_written_nothing_is_signed(rules: OfferRules, tmp_path: Path) -> None:
    service = Counter([asked(1)])
    with SignedLog(tmp_path / "log") as log:
        (tmp_path / "log").mkdir()
        with pytest.raises(RulesUnusable):
            works(service, rules, log).run(service.stop)
    assert service.brought == []
