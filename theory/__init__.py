"""What is claimed and what is true: the ledger, the derivations, and the claims that join them to observations."""
