"""The table in Python is the one in the contract: the bits it goes by, and the comment at its head."""

import re
from pathlib import Path

import pytest

from kameng_escrow.domain.lifecycle import (
    LIFECYCLE,
    MONEY,
    Clock,
    Move,
    Row,
    Who,
    ending_of,
    render_table,
    right_for,
    roles_of,
    row_of,
)
from kameng_escrow.domain.states import Fault, Outcome, Right, Role, State, Verb

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
OPEN = (State.Opened, State.Accepted, State.Delivered, State.Disputed)


def constants() -> dict[str, int]:
    """The constants of Lifecycle.sol. Their expressions mean the same in Python."""
    source = (CONTRACTS / "libraries" / "Lifecycle.sol").read_text("utf-8")
    values: dict[str, int] = {}
    for name, expression in re.findall(r"constant (\w+)\s*=([^;]*);", source):
        python = expression.replace("State.None", "State.Nothing").strip()
        values[name] = eval(f"({python})", {"uint256": int, "State": State, "Verb": Verb, **values})
    return values


BITS = constants()


def pairs(name: str) -> set[tuple[Verb, State]]:
    """The (verb, state) pairs that a constant marks."""
    return {(verb, state) for verb in Verb for state in State if BITS[name] >> (8 * verb + state) & 1}


def verbs(name: str) -> set[Verb]:
    """The verbs that a constant marks."""
    return {verb for verb in Verb if BITS[name] >> verb & 1}


def rows_of_verbs(*clocks: Clock) -> set[tuple[Verb, State]]:
    return {
        (row.move.verb, state)
        for row in LIFECYCLE
        if row.move.verb is not None and row.clock in (clocks or Clock)
        for state in row.states
    }


# ------------------------------------------------------------------------------------------------- the contract's bits


def test_verbs_are_possible_in_the_contracts_states() -> None:
    assert rows_of_verbs() == pairs("POSSIBLE")


def test_deadlines_are_the_contracts() -> None:
    # The contract adds "from n on" to a concession apart, with the choice of the mediator.
    assert rows_of_verbs(Clock.BeforeDeadline, Clock.Mediation) == pairs("BEFORE_DEADLINE")
    assert rows_of_verbs(Clock.BeforeMediation) == pairs("BEFORE_MEDIATION")


def test_rights_are_the_contracts() -> None:
    assert {right.name.upper(): right.value for right in Right}.items() <= BITS.items()
    assert BITS["ALL_RIGHTS"] == sum(Right)
    assert {verb: right_for(verb) or 0 for verb in Verb} == {verb: BITS["RIGHTS"] >> 8 * verb & 0xFF for verb in Verb}


def test_roles_are_the_contracts() -> None:
    assert {verb for verb in Verb if Role.Buyer in roles_of(verb)} == verbs("BUYERS")
    assert {verb for verb in Verb if Role.Seller in roles_of(verb)} == verbs("SELLERS")
    assert {verb for verb in Verb if Role.Operator in roles_of(verb)} == {verb for verb in Verb if right_for(verb)}


# ---------------------------------------------------------------------------------------------- the interface's comment

WHENS = {clock.value: clock for clock in Clock}
FAULTS: dict[str, set[Fault]] = {
    "": set(),
    "by the split": {Fault.Seller, Fault.Buyer, Fault.Nobody},
    "none": {Fault.Nobody},
    "mediator": {Fault.Mediator, Fault.Nobody},  # Nobody where the policy has no mediator
    **{fault.name.lower(): {fault} for fault in (Fault.Buyer, Fault.Seller, Fault.Platform)},
}


def described() -> list[tuple[int, str, Clock, set[Fault]]]:
    """The lines of the table at the head of the interface: number, who with what, when, faults."""
    source = (CONTRACTS / "IKamengEscrow.sol").read_text("utf-8")
    table = source[: source.index("In Disputed: n =")]
    [header] = re.findall(r"^ \*  +#  from.*$", table, re.MULTILINE)
    starts = [header.index(title) for title in ("from → to", "who", "when", "fault")]
    lines, number = [], 0
    for line in table[table.index(header) + len(header) :].splitlines():
        if not line.strip(" *"):
            continue
        who, when, fault = (line[start:end].strip() for start, end in zip(starts[1:], [*starts[2:], None], strict=True))
        number = int(line[2 : starts[0]].strip() or number)
        lines.append((number, who, WHENS[when], FAULTS[fault]))
    return lines


def test_comment_of_the_interface_says_the_same() -> None:
    described_rows = {(number, clock) for number, _, clock, _ in described()}
    assert described_rows == {(row.number, row.clock) for row in LIFECYCLE}
    for number, _, clock, faults in described():
        rows = [row for row in LIFECYCLE if row.number == number and row.clock is clock]
        assert {fault for row in rows for fault in row.faults} == faults, f"row {number}"


def test_comment_of_the_interface_names_the_moves() -> None:
    named = {(number, move) for number, who, _, _ in described() for move in re.findall(r"`(\w+)`", who)}
    assert named == {(row.number, row.move.value) for row in LIFECYCLE if row.number > 2}


# ------------------------------------------------------------------------------------------------------- in itself


def test_every_number_has_rows_and_money() -> None:
    assert {row.number for row in LIFECYCLE} == set(range(1, 21)) == set(MONEY)


def test_every_move_has_rows() -> None:
    assert {row.move for row in LIFECYCLE} == set(Move)


def test_every_verb_is_a_move() -> None:
    assert {move.verb for move in Move} == {*Verb, None}


def test_a_move_means_one_thing_in_a_state() -> None:
    pairs = [(row.move, state) for row in LIFECYCLE for state in row.states]
    assert len(pairs) == len(set(pairs))


def test_an_outcome_has_one_row_in_a_state() -> None:
    pairs = [(state, row.outcome) for row in LIFECYCLE if row.ends for state in row.states]
    assert len(pairs) == len(set(pairs))


def test_every_outcome_has_a_row() -> None:
    assert {row.outcome for row in LIFECYCLE if row.ends} == set(Outcome) - {Outcome.Nothing}


@pytest.mark.parametrize("row", LIFECYCLE, ids=lambda row: f"{row.number}-{row.move}")
def test_states_only_move_forward(row: Row) -> None:
    assert row.to is None or all(state < row.to for state in row.states)
    assert State.Closed not in row.states


@pytest.mark.parametrize("state", OPEN, ids=lambda state: state.label)
def test_every_open_state_can_be_settled_by_anyone(state: State) -> None:
    row = row_of(Move.Settle, state)
    assert row is not None
    assert (row.who, row.clock, row.to) == ((Who.Anyone,), Clock.FromDeadline, State.Closed)


def test_only_rows_that_end_have_outcome_and_fault() -> None:
    for row in LIFECYCLE:
        assert (row.outcome is not Outcome.Nothing) == bool(row.faults) == row.ends, row


def test_operators_need_a_right_and_others_none() -> None:
    for row in LIFECYCLE:
        assert (row.right is not None) == (Who.Operator in row.who), row


def test_lookups_find_only_what_is_in_the_table() -> None:
    assert row_of(Move.Deliver, State.Opened) is None
    assert ending_of(State.Opened, Outcome.Released) is None
    assert ending_of(State.Disputed, Outcome.Defaulted) is row_of(Move.Settle, State.Disputed)


def test_rendered_table_has_a_line_a_row() -> None:
    lines = render_table().splitlines()
    assert len(lines) == len(LIFECYCLE) + 2
    assert {line.count("|") for line in lines} == {9}
    assert "| 16 | Disputed → Closed | `concede` | buyer, seller, operator (Refund) | n ≤ t < d |" in render_table()
