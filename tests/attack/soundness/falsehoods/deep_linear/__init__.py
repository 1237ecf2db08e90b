"""Falsehoods told of the claims in `theory.claims.deep_linear`."""
