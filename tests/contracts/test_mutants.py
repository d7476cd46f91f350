"""One program with every mutant in it is, for each number, what the mutant with that number is by itself."""

from functools import cache
from typing import Any

import pytest

from bench.mutation.mutants import Mutant, mutants_of
from bench.mutation.schemata import compile_schema, plain
from bench.mutation.syntax import UNOPTIMISED, Program, parse, run_compiler
from kameng_escrow.chain.solc import resolve_solc
from tests.compiled import ROOT
from tests.contracts.harness.evm import Reverted
from tests.contracts.harness.revm import Revm

FILE = "contracts/Small.sol"
SOURCE = b"""
pragma solidity ^0.8.28;

library Rates {
    uint256 internal constant BASE = 10 * 10;

    enum Kind { None, Small, Large }

    function part(uint256 amount, uint256 rate) internal pure returns (uint256) {
        unchecked {
            return amount * rate / BASE;
        }
    }

    function kind(uint256 amount) internal pure returns (Kind) {
        return amount > 50 ? Kind.Large : Kind.Small;
    }
}

contract Small {
    error Refused(uint256 amount, uint256 rate);

    uint256 private total;

    function add(uint256 amount, uint256 rate) external returns (uint256 sum, Rates.Kind kind, uint256 packed) {
        if (amount == 0 || rate > 100) revert Refused(amount, rate);
        uint256 fee = Rates.part(amount, rate);
        for (uint256 i; i < 3; ++i) {
            if (i == 1) continue;
            total += amount - fee;
        }
        total -= 1;
        (sum, kind) = (total, Rates.kind(amount));
        assembly ("memory-safe") {
            packed := or(shl(128, sub(amount, fee)), and(rate, 0xff))
            if gt(amount, 90) { packed := add(packed, 7) }
        }
    }
}
"""
CALLS = [(0, 1), (1, 0), (7, 50), (60, 100), (99, 3), (100, 101)]


@pytest.fixture(scope="module")
def program() -> Program:
    return parse(resolve_solc(ROOT), {FILE: SOURCE})


@pytest.fixture(scope="module")
def mutants(program: Program) -> list[Mutant]:
    return mutants_of(program)


@cache
def settings() -> dict[str, Any]:
    return {**UNOPTIMISED, "outputSelection": {FILE: {"Small": ["evm.bytecode.object"]}}}


def behaviour(answer: dict[str, Any], choice: int = 0) -> list[bytes]:
    """What the contract answers to each call, or refuses it with."""
    evm, caller = Revm(code_size=10**6), "0x" + "11" * 20
    evm.set_randao(choice)
    code = bytes.fromhex(answer["contracts"][FILE]["Small"]["evm"]["bytecode"]["object"])
    contract = evm.transact(sender=caller, data=code).created
    answers = []
    for call in CALLS:
        data = bytes.fromhex("771602f7") + b"".join(number.to_bytes(32, "big") for number in call)
        try:
            answers.append(evm.transact(sender=caller, to=contract, data=data).returned)
        except Reverted as revert:
            answers.append(revert.data)
    return answers


def test_every_kind_of_slip_is_found(mutants: list[Mutant]) -> None:
    kinds = "AOD AOR ARG ASOR COND CR ENUM LIR LOR MIA MVIV RET ROR RR UOR YUL"
    assert {mutant.kind for mutant in mutants} == {*kinds.split()}
    places = [(mutant.file, mutant.start, mutant.end, mutant.changed) for mutant in mutants]
    assert len(places) == len(set(places))
    assert all(SOURCE[mutant.start : mutant.end].decode() == mutant.original for mutant in mutants)


def test_a_choice_behaves_as_the_mutant_alone(program: Program, mutants: list[Mutant]) -> None:
    """For one of each shape; and without a choice, as the original."""
    schema, taken = compile_schema(program, mutants, settings())
    original = run_compiler(program.solc, program.sources, settings())
    assert behaviour(schema) == behaviour(original)
    assert len(taken) > 0.95 * len(mutants)
    shapes = sorted({mutant.shape for mutant in mutants if mutant.number in taken})
    told = 0
    for shape in shapes:
        alike = [mutant for mutant in mutants if mutant.shape == shape and mutant.number in taken]
        mutant = alike[len(alike) // 2]
        alone = behaviour(run_compiler(program.solc, plain(program, mutant), settings()))
        assert behaviour(schema, mutant.number) == alone, str(mutant)
        told += alone != behaviour(original)
    assert told > len(shapes) / 2
