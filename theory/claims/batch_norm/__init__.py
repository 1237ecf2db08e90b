"""Batch normalisation as a linear layer, and its bounded form (Jia et al., Section 5)."""
