"""Experiments on batch-normalised layers: scales and bounded scales, singular values, responses (Jia et al., 5)."""
