"""Attempts to fool the suite: what it certifies, what its tests miss, what it loses, what it lets in, what varies."""
