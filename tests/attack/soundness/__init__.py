"""It certifies nothing false: falsehoods, mutants, rewritten truths, stub judges, planted faults, shared code."""
