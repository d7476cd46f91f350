"""What whole numbers do, proved for all of them by Z3, for tests/forge/proofs/SharesProof.sol.

A solver of bits cannot multiply two unknowns of 127 bits, and one of whole numbers need not. Each lemma is given as
what would contradict it, and Z3 shows that nothing does; and that its premises can be met, so that it says something.
The quotient of n by d is the q with q·d ≤ n < (q + 1)·d. Runs in the environment of the analysers, and prints JSON.
"""

import json
import sys

from z3 import And, BoolRef, Int, Not, Solver, sat, unsat

TIMEOUT = 120_000  # ms a lemma
BPS = 10_000

x, y, r, s, p, q = (Int(name) for name in "xyrspq")
price, units, k, total, sum_, part = (Int(name) for name in ("P", "N", "k", "Q", "D", "e"))


def quotient(result: object, dividend: object, divisor: object) -> BoolRef:
    return And(result * divisor <= dividend, dividend < (result + 1) * divisor)


# By name: what is given, and what follows.
LEMMAS: dict[str, tuple[list[BoolRef], BoolRef]] = {
    "part": (
        [x >= 0, x < 2**128, r >= 0, r <= BPS, quotient(q, x * r, BPS)],
        And(q >= 0, q <= x, x * r < 2**256),
    ),
    "half": ([x >= 0, r >= 0, r <= BPS // 2, quotient(q, x * r, BPS), quotient(p, x, 2)], q <= p),
    "products": ([x >= 0, x <= y, r >= 0, r <= s], x * r <= y * s),
    "quotients": ([x >= 0, x <= y, quotient(q, x, BPS), quotient(p, y, BPS)], q <= p),
    "slice": (
        [
            price >= 0,
            price < 2**127,
            units > 0,
            units < 2**16,
            k >= 0,
            k <= units,
            quotient(q, price * (units - k), units),
        ],
        And(q >= 0, q <= price, price * (units - k) < 2**256),
    ),
    "some": (
        [price > 0, units > 0, k >= 1, k <= units, quotient(q, price * (units - k), units)],
        q < price,
    ),
    "pot": (
        [
            sum_ > 0,
            sum_ < 2**127,
            sum_ <= total,
            total < 2**128,
            part >= 0,
            part <= sum_,
            quotient(q, total * part, sum_),
        ],
        And(part <= q, q <= total, total * part < 2**256),
    ),
}


def prove(name: str) -> str:
    """ "proved", or why not."""
    given, follows = LEMMAS[name]
    possible, contradicted = Solver(), Solver()
    for solver in (possible, contradicted):
        solver.set("timeout", TIMEOUT)
        solver.add(*given)
    contradicted.add(Not(follows))
    if possible.check() != sat:
        return "nothing meets its premises"
    answer = contradicted.check()
    return "proved" if answer == unsat else f"contradicted: {contradicted.model()}" if answer == sat else "not decided"


if __name__ == "__main__":
    json.dump({name: prove(name) for name in LEMMAS}, sys.stdout)
