"""The report: the ledger with its derivations, counterexamples, evidence and figures, as HTML, Markdown and JSON."""
