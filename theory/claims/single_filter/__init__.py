"""The statements on one spatial filter: Schneider, Section 3."""
