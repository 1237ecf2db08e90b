"""Bounded singular values: of one matrix, of chains, and of convolutions (Jia et al., Sections 3, 4 and 6)."""
