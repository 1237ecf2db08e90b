"""Claims on bounded singular values (Jia et al., Sections 3, 4 and 6)."""
