"""Hypothesis strategies: inputs with known properties, which are themselves tested."""
