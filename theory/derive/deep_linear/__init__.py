"""Deep linear networks: Jia et al., Section 4.1."""
