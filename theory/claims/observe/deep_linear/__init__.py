"""How deep linear networks are observed."""
