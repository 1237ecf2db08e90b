"""Falsehoods told of the claims in `theory.claims.layer_variance`."""
