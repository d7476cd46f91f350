"""A dispute's papers, who may judge it, and what a judgment awards."""

from dataclasses import fields, replace
from typing import Any

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.domain import shares
from kameng_escrow.domain.canonical import canonical
from kameng_escrow.domain.disputes import (
    REASON_LABELS,
    UNIT_LABELS,
    DisputeReason,
    EvidencePaper,
    Finding,
    GroundsPaper,
    PaperFile,
    PaperRefused,
    Phase,
    TranscriptMark,
    UnitOutcome,
    award_of,
    check_findings,
    check_lines,
    check_paper,
    evidence_until,
    phase_of,
)
from kameng_escrow.domain.endings import ending
from kameng_escrow.domain.inputs import Malformed
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.seats import SEAT_LABELS, Conflict, Seat, conflict_of, seats_of
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.unit.made import ADDRESSES, HASH, HOUR, make_policy, make_terms

BUYER, REFUND_TO, SELLER, PAY_TO, PLATFORM, MEDIATOR, BACKUP = ADDRESSES[:7]
STRANGER = ADDRESSES[12]
START = 1_790_000_000
MARK = TranscriptMark(size=3, head=HASH, root="0x" + "cd" * 32)
EVIDENCE = EvidencePaper(
    order_id=HASH,
    buyer=BUYER,
    reason=DisputeReason.AlreadyUsed,
    lines=(2, 3),
    statement="两张都显示已被使用",
    transcript=MARK,
    files=(PaperFile(sha256="ef" * 32, size=12, type="image/png"),),
    salt="0x" + "5a" * 32,
)
GROUNDS = GroundsPaper(
    order_id=HASH,
    mediator=MEDIATOR,
    evidence=EVIDENCE.hash,
    findings=(Finding(line=2, outcome=UnitOutcome.Buyer), Finding(line=3, outcome=UnitOutcome.Shared)),
    award=2**100,
    grounds="The screenshot shows it.",
    transcript=MARK,
    salt="0x" + "5b" * 32,
)


def disputed(*, price: int = 1_000_007, units: int = 10, k: int = 3, **policy: Any) -> Order:
    rules = make_policy(**policy)
    return Order(
        id=HASH,
        state=State.Disputed,
        revision=0,
        terms=make_terms(price=price, units=units),
        policy=rules,
        payer=BUYER,
        disputed_at=START,
        deadline=START + rules.negotiate_window + rules.mediate_window,
        disputed_units=k,
    )


# ------------------------------------------------------------------------------------------------------------ papers


def test_the_bytes_of_the_evidence_are_these() -> None:
    """Whoever verifies in another language can begin here."""
    assert (
        canonical(EVIDENCE.document())
        == (
            f'{{"buyer":"{BUYER}","files":[{{"sha256":"{"ef" * 32}","size":12,"type":"image/png"}}],"lines":[2,3],'
            f'"order_id":"{HASH}","reason":"AlreadyUsed","salt":"{EVIDENCE.salt}","schema":"kameng-evidence/1",'
            f'"statement":"两张都显示已被使用","transcript":{{"head":"{HASH}","root":"{MARK.root}","size":3}}}}'
        ).encode()
    )
    assert EVIDENCE.hash == "0x" + keccak(canonical(EVIDENCE.document())).hex()


def test_the_bytes_of_the_grounds_are_these() -> None:
    assert (
        canonical(GROUNDS.document())
        == (
            f'{{"award":"{2**100}","evidence":"{EVIDENCE.hash}","findings":[{{"line":2,"outcome":"Buyer"}},'
            f'{{"line":3,"outcome":"Shared"}}],"grounds":"The screenshot shows it.","mediator":"{MEDIATOR}",'
            f'"order_id":"{HASH}","salt":"{GROUNDS.salt}","schema":"kameng-grounds/1",'
            f'"transcript":{{"head":"{HASH}","root":"{MARK.root}","size":3}}}}'
        ).encode()
    )


OTHERS: dict[str, Any] = {
    "order_id": "0x" + "00" * 32,
    "buyer": SELLER,
    "reason": DisputeReason.Other,
    "lines": (1, 2),
    "statement": "both",
    "transcript": replace(MARK, size=4),
    "files": (),
    "salt": "0x" + "00" * 32,
    "mediator": BACKUP,
    "evidence": "0x" + "00" * 32,
    "findings": GROUNDS.findings[:1],
    "award": 1,
    "grounds": "None.",
}


@pytest.mark.parametrize("paper", [EVIDENCE, GROUNDS], ids=lambda paper: type(paper).__name__)
def test_every_field_of_a_paper_is_in_its_hash(paper: Any) -> None:
    for field in fields(paper):
        assert replace(paper, **{field.name: OTHERS[field.name]}).hash != paper.hash, field.name
    for change in ({"size": 9}, {"head": "0x" + "00" * 32}, {"root": "0x" + "00" * 32}):
        assert replace(paper, transcript=replace(MARK, **change)).hash != paper.hash  # type: ignore[arg-type]


def test_a_paper_comes_back_from_its_document() -> None:
    assert EvidencePaper.read(EVIDENCE.document()) == EVIDENCE
    assert GroundsPaper.read(GROUNDS.document()) == GROUNDS
    check_paper(EVIDENCE)
    check_paper(GROUNDS)


@pytest.mark.parametrize("kind", [EvidencePaper, GroundsPaper])
@pytest.mark.parametrize("spoil", ["schema", "transcript", "reason", "outcome", "files", "award", "missing"])
def test_what_is_no_paper_is_refused(kind: Any, spoil: str) -> None:
    document: dict[str, Any] = (EVIDENCE if kind is EvidencePaper else GROUNDS).document()
    changes: dict[str, Any] = {
        "schema": {"schema": "kameng-evidence/2"},
        "transcript": {"transcript": {"size": 1}},
        "reason": {"reason": "BadMood"},
        "outcome": {"findings": [{"line": 1, "outcome": "Platform"}]},
        "files": {"files": [{"sha256": "x"}]},
        "award": {"award": "much"},
        "missing": {"salt": None},
    }
    document |= changes[spoil]
    if spoil == "missing":
        del document["salt"]
    belongs = {"reason": EvidencePaper, "files": EvidencePaper, "outcome": GroundsPaper, "award": GroundsPaper}
    if belongs.get(spoil, kind) is not kind:
        return
    with pytest.raises(PaperRefused) as caught:
        kind.read(document)
    assert caught.value.message_zh != caught.value.message


def test_hashes_and_addresses_of_a_paper_are_checked() -> None:
    for spoiled in (
        replace(EVIDENCE, salt="0x12"),
        replace(EVIDENCE, buyer="0x12"),
        replace(GROUNDS, order_id=HASH.upper()),
        replace(GROUNDS, transcript=replace(MARK, root="")),
    ):
        with pytest.raises(Malformed):
            check_paper(spoiled)


def test_reasons_and_outcomes_are_closed_lists_in_both_languages() -> None:
    assert set(REASON_LABELS) == set(DisputeReason)
    assert set(UNIT_LABELS) == set(UnitOutcome)
    assert set(SEAT_LABELS) == set(Seat)
    assert [reason.label for reason in DisputeReason] == [
        *("CodeInvalid", "AlreadyUsed", "WrongItem", "NotDelivered", "Other")
    ]
    with pytest.raises(ValueError, match="CodeInvalid, AlreadyUsed"):
        DisputeReason.from_label("code_invalid")


# ----------------------------------------------------------------------------------------------------------- the award


@pytest.mark.parametrize("lines", [(), (0,), (11,), (1, 1), (-1, 2)])
def test_units_are_named_by_their_numbers(lines: tuple[int, ...]) -> None:
    with pytest.raises(PaperRefused, match="1 to 10"):
        check_lines(lines, 10)
    assert check_lines((10, 1), 10) == (1, 10)


def findings(*outcomes: UnitOutcome) -> tuple[Finding, ...]:
    return tuple(Finding(line=n, outcome=outcome) for n, outcome in enumerate(outcomes, 1))


@pytest.mark.parametrize(
    "found",
    [
        (),
        findings(UnitOutcome.Buyer),
        findings(*[UnitOutcome.Buyer] * 4),
        (*findings(UnitOutcome.Buyer, UnitOutcome.Buyer), Finding(line=9, outcome=UnitOutcome.Buyer)),
    ],
)
def test_every_unit_in_dispute_has_one_finding(found: tuple[Finding, ...]) -> None:
    with pytest.raises(PaperRefused, match="in dispute"):
        check_findings(found, disputed(), (1, 2, 3))


def test_without_a_paper_any_units_will_do_if_they_are_as_many() -> None:
    with pytest.raises(PaperRefused, match="3 units"):
        check_findings(findings(UnitOutcome.Buyer), disputed(), None)
    found = (Finding(line=9, outcome=UnitOutcome.Buyer), *findings(UnitOutcome.Seller, UnitOutcome.Shared))
    assert [one.line for one in check_findings(found, disputed(), None)] == [1, 2, 9]


@given(
    price=st.integers(1, 2**127 - 1), units=st.integers(1, 65_535), k=st.integers(1, 40), for_buyer=st.integers(0, 40)
)
def test_units_for_the_buyer_are_worth_what_as_many_in_dispute_are(
    price: int, units: int, k: int, for_buyer: int
) -> None:
    """The same rounding as when the dispute began: `shares.sum_in_dispute` of the sum in dispute."""
    k = min(k, units)
    for_buyer = min(for_buyer, k)
    order = disputed(price=price, units=units, k=k)
    found = findings(*[UnitOutcome.Buyer] * for_buyer, *[UnitOutcome.Seller] * (k - for_buyer))
    amount = shares.held(order).amount
    assert award_of(order, found) == shares.sum_in_dispute(amount, k, for_buyer)


@given(price=st.integers(1, 10**30), outcomes=st.lists(st.sampled_from(UnitOutcome), min_size=1, max_size=9))
def test_every_award_can_be_ruled(price: int, outcomes: list[UnitOutcome]) -> None:
    order = disputed(price=price, units=9, k=len(outcomes))
    held = shares.held(order)
    award = award_of(order, findings(*outcomes))
    assert 0 <= award <= held.amount
    closing = ending(order, Outcome.Ruled, award)
    paid = closing.shares
    total = paid.to_buyer + paid.to_seller + paid.platform_fee + paid.bond_returned + paid.mediation_fee
    assert total == held.total
    if set(outcomes) == {UnitOutcome.Buyer}:
        assert (award, closing.fault) == (held.amount, Fault.Seller)
    if set(outcomes) == {UnitOutcome.Seller}:
        assert (award, closing.fault) == (0, Fault.Buyer)


# ------------------------------------------------------------------------------------------------------------- clocks


def test_a_dispute_goes_through_its_phases() -> None:
    order = disputed()
    n, h, d = START + 24 * HOUR, START + 48 * HOUR, START + 72 * HOUR
    for at, phase in (
        (START, Phase.Negotiation),
        (n - 1, Phase.Negotiation),
        (n, Phase.FirstHalf),
        (h - 1, Phase.FirstHalf),
        (h, Phase.SecondHalf),
        (d - 1, Phase.SecondHalf),
        (d, Phase.Due),
    ):
        assert phase_of(order, at) is phase
    assert evidence_until(order) == h
    assert phase_of(replace(order, state=State.Closed, deadline=None), n) is None


def test_without_a_mediator_evidence_ends_with_the_negotiation() -> None:
    order = disputed(mediate_window=0, mediator=ZERO_ADDRESS, backup_mediator=ZERO_ADDRESS, mediation_fee_bps=0)
    assert evidence_until(order) == order.deadline == START + 24 * HOUR
    assert phase_of(order, START + 24 * HOUR) is Phase.Due


# -------------------------------------------------------------------------------------------------------------- seats


def test_who_sits_in_the_room() -> None:
    order = disputed()
    seats = {account: seats_of(order, account) for account in ADDRESSES}
    assert {account: held for account, held in seats.items() if held} == {
        BUYER: (Seat.Buyer,),
        SELLER: (Seat.Seller,),
        MEDIATOR: (Seat.Mediator,),
        BACKUP: (Seat.Backup,),
        PLATFORM: (Seat.Platform,),
    }


def test_mediators_come_in_with_the_dispute_and_stay() -> None:
    before = replace(disputed(), state=State.Delivered, disputed_at=None)
    assert seats_of(before, MEDIATOR) == seats_of(before, BACKUP) == ()
    after = replace(disputed(), state=State.Closed, deadline=None)
    assert seats_of(after, MEDIATOR) == (Seat.Mediator,)


def test_nobody_sits_before_the_opening_and_the_zero_address_never() -> None:
    assert seats_of(Order(id=HASH, state=State.Nothing, revision=1), SELLER) == ()
    assert seats_of(disputed(backup_mediator=ZERO_ADDRESS), ZERO_ADDRESS) == ()


def test_a_party_does_not_mediate() -> None:
    order = disputed(mediator=SELLER, platform=SELLER)
    assert seats_of(order, SELLER) == (Seat.Seller, Seat.Platform)
    assert conflict_of(order, SELLER) is Conflict.Party


@pytest.mark.parametrize(
    ("mediator", "conflict"),
    [
        (BUYER, Conflict.Party),
        (SELLER, Conflict.Party),
        (REFUND_TO, Conflict.Receiver),
        (PAY_TO, Conflict.Receiver),
        (MEDIATOR, None),
        (PLATFORM, None),
    ],
)
def test_who_has_a_conflict(mediator: str, conflict: Conflict | None) -> None:
    assert conflict_of(disputed(mediator=mediator), mediator) is conflict


def test_payers_have_a_conflict() -> None:
    order = replace(disputed(), payer=STRANGER)
    assert conflict_of(order, STRANGER) is Conflict.Payer
    assert conflict_of(disputed(), STRANGER) is None
    assert conflict_of(Order(id=HASH, state=State.Nothing, revision=0), STRANGER) is None
