"""Falsehoods told of the claims in `theory.claims.single_filter`."""
