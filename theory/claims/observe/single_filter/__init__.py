"""How one spatial filter is observed."""
