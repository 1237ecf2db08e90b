"""Correlated initialisation: Schneider, Sections 5 and 6, and its wide limit."""
