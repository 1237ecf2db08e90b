"""Falsehoods told of the claims in `theory.claims.spectra`."""
