"""What whole numbers do, for tests/forge/proofs/SharesProof.sol, proved for all of them by Z3.

A solver of bits cannot multiply two unknowns of 127 bits, and one of whole numbers need not. Each lemma is given as what
would contradict it, and Z3 shows that nothing does; and that its premises can be met, so that it says something. The
quotient of n by d is the q with q·d ≤ n < (q + 1)·d. Runs in the environment of the analysers, and prints a line each.
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
        [0 <= x, x < 2**128, 0 <= r, r <= BPS, quotient(q, x * r, BPS)],
        And(0 <= q, q <= x, x * r < 2**256),
    ),
    "half": ([0 <= x, 0 <= r, r <= BPS // 2, quotient(q, x * r, BPS), quotient(p, x, 2)], q <= p),
    "order": (
        [0 <= x, 0 <= r, r <= s, s <= BPS, quotient(q, x * r, BPS), quotient(p, x * s, BPS)],
        q <= p,
    ),
    "grows": (
        [0 <= x, x <= y, 0 <= r, r <= BPS, quotient(q, x * r, BPS), quotient(p, y * r, BPS)],
        q <= p,
    ),
    "slice": (
        [0 <= price, price < 2**127, 0 < units, units < 2**16, 0 <= k, k <= units]
        + [quotient(q, price * (units - k), units)],
        And(0 <= q, q <= price, price * (units - k) < 2**256),
    ),
    "some": (
        [0 < price, 0 < units, 1 <= k, k <= units, quotient(q, price * (units - k), units)],
        q < price,
    ),
    "pot": (
        [0 < sum_, sum_ < 2**127, sum_ <= total, total < 2**128, 0 <= part, part <= sum_]
        + [quotient(q, total * part, sum_)],
        And(part <= q, q <= total, total * part < 2**256),
    ),
}


def prove(name: str) -> str:
    """"proved", or why not."""
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
