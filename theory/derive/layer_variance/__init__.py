"""Variance of layer outputs by depth: Schneider, Section 4."""
