"""SymPy derivations, one result per function, for general p by symbolic index. Never imports `sim`."""
