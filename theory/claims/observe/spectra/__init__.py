"""Experiments on bounded singular values."""
