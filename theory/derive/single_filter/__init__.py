"""One spatial filter: Schneider, Section 3."""
