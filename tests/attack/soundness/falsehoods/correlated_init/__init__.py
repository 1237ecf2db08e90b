"""Falsehoods told of the claims in `theory.claims.correlated_init`."""
