"""The long proofs: `make verify` runs them, and writes what they found to `bench/results/verify.json`.

A module a step, each with a function `run(options)` that answers with its figures, and a tuple `CONTRACTS` of what it
is about. They take minutes to an hour each, so every step can be run by itself: `make verify STEPS=slither,coverage`.
"""
