"""Names and titles of the figures; a title says what is found."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "underdetermined": "One sample pulls the filter straight to the nearest solution, not to w*",
        "zigzag-two-samples": "Updates in turn zig-zag between the normals; the full batch does not, yet is no faster",
        "theorem-1": "Each coordinate shrinks by its own constant factor, and printed Eq. (4) misses it",
        "activity-map": "A filter that starts with every sample active can still lose one for good",
        "seven-by-seven": "A 7x7 filter activates all its 5.6e14 samples in ten updates, and then obeys Theorem 1",
        "cost-of-the-gradient": "Two merged halves make the gradient over 5.6e14 samples a matter of a second",
        "zigzag-regimes": "Learning rate, momentum and sampling set how often gradients change sign",
        "table-1": "Table 1 is off in every cell, and cell (C) grows like (A), not like (B)",
        "variance-plane": "Variance grows where weights and inputs are both correlated, with depth also in cell (C)",
        "signal-propagation": "Correlated filters with He's variance explode, and make all positions alike",
        "critical-variance": "The more weights and inputs are correlated, the smaller weights must start",
        "mode-learning": "Directions are learned one after another, each along a sigmoid known in closed form",
        "spectra-training": "Training leaves uneven spectra uneven and is slow; bounding evens them out and learns",
        "kernel-operator": "A kernel that is orthogonal as a matrix is far from orthogonal as a layer on images",
        "reachable-sigma": "Layers in the band reach an interval of sigma, and training outside it stops at its end",
        "bn-conditioning": "One pass of bounded batch norm tames conditioning but misses the band around the new mean",
    }
)


def module_of(name: str) -> str:
    """The module that draws a figure."""
    return f"figures.{name.replace('-', '_')}"
