"""Curated near-miss falsehoods: each module has a tuple `FALSEHOODS`, by the modules of `theory.claims`."""
