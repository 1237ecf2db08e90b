"""It repeats: the ledger, the figures and the report are the same bytes wherever and however they are built."""
