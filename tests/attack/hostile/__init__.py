"""Hostile and broken input: files, command lines, calls, addresses, and requests from elsewhere."""
