"""The commands of the front door; NumPy, SymPy, torch and matplotlib are imported inside those that need them."""
