"""The figures: what each one finds, which claims it shows, and which figure or table of a paper it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Entry:
    """A figure. title: what is found; claims: the ids that it shows, the foremost first; source: the place in a paper.

    The report prints a figure beside its foremost claim, and the other claims point to it.
    """

    title: str
    claims: tuple[str, ...]
    source: str


FIGURES: Mapping[str, Entry] = MappingProxyType(
    {
        "underdetermined": Entry(
            "One sample pulls the filter straight to the nearest solution, not to w*",
            ("C-ONE", "C-SPAN", "X-MINN"),
            "Schneider, Fig. 2",
        ),
        "zigzag-two-samples": Entry(
            "Updates in turn zig-zag between the normals; the full batch does not, yet is no faster",
            ("C-ZIG", "X-FLIP"),
            "Schneider, Fig. 3",
        ),
        "theorem-1": Entry(
            "Each coordinate shrinks by its own constant factor, and printed Eq. (4) misses it",
            ("C-E4", "C-E3", "C-E9", "C-SLOW", "X-TRAJ"),
            "Schneider, Theorem 1",
        ),
        "activity-map": Entry(
            "A filter that starts with every sample active can still lose one for good",
            ("X-ACT", "C-L4A", "C-L4B", "C-CONV"),
            "Schneider, loosening assumption 4",
        ),
        "seven-by-seven": Entry(
            "A 7x7 filter activates all its 5.6e14 samples in ten updates, and then obeys Theorem 1",
            ("X-TRAJ", "C-E10", "X-ACT"),
            "Schneider, Section 3.2",
        ),
        "cost-of-the-gradient": Entry(
            "Two merged halves make the gradient over 5.6e14 samples a matter of a second",
            ("C-E10",),
            "of our own",
        ),
        "zigzag-regimes": Entry(
            "Learning rate, momentum and sampling set how often gradients change sign",
            ("X-FLIP", "C-ZIG", "C-GSC"),
            "Schneider, Section 6",
        ),
        "table-1": Entry(
            "Table 1 is off in every cell, and cell (C) grows like (A), not like (B)",
            ("C-T1C", "C-T1A", "C-T1B", "C-T1D", "C-E14", "C-E16", "C-SQ"),
            "Schneider, Table 1",
        ),
        "variance-plane": Entry(
            "Variance grows where weights and inputs are both correlated, with depth also in cell (C)",
            ("X-VAR", "C-T1C", "C-SQ"),
            "Schneider, Section 4",
        ),
        "signal-propagation": Entry(
            "Correlated filters with He's variance explode, and make all positions alike",
            ("X-NNGP", "C-E17", "C-ALG1"),
            "Schneider, Section 5",
        ),
        "critical-variance": Entry(
            "The more weights and inputs are correlated, the smaller weights must start",
            ("C-RNG", "X-NNGP"),
            "Schneider, Section 4",
        ),
        "mode-learning": Entry(
            "Directions are learned one after another, each along a sigmoid known in closed form",
            ("X-SAXE", "S-E5", "S-E9"),
            "Jia et al., Section 4.1",
        ),
        "spectra-training": Entry(
            "Training leaves uneven spectra uneven and is slow; bounding evens them out and learns",
            ("S-UNEVEN", "S-ALG1"),
            "Jia et al., Fig. 1, for deep linear networks",
        ),
        "kernel-operator": Entry(
            "A kernel that is orthogonal as a matrix is far from orthogonal as a layer on images",
            ("S-CONV", "X-OPER"),
            "Jia et al., footnote 2",
        ),
        "reachable-sigma": Entry(
            "Layers in the band reach an interval of sigma, and training outside it stops at its end",
            ("X-REACH", "S-REACH", "S-NEC", "S-SUF"),
            "Jia et al., Section 4.1",
        ),
        "bn-conditioning": Entry(
            "One pass of bounded batch norm tames conditioning but misses the band around the new mean",
            ("S-BBN", "S-LEM1A"),
            "Jia et al., Section 5",
        ),
        "training-curves": Entry(
            "At a small rate the curves part by the scale of the first weights, hardly by correlation",
            ("C-CIII", "C-CI", "C-CII", "X-SCALE"),
            "Schneider, Figs. 4, 5",
        ),
        "trained-correlation": Entry(
            "Weights of neighbouring pixels come out correlated, in deeper layers less so",
            ("C-FIG1", "C-CV"),
            "Schneider, Fig. 1",
        ),
        "trained-spectra": Entry(
            "Under SGD most singular values leave the band; SVB keeps kernels inside, but not their layers",
            ("S-FIG1", "X-BAND", "S-CONV"),
            "Jia et al., Fig. 1",
        ),
        "bounding-curves": Entry(
            "Bounding lowers the error of the residual network a little, of the plain one not for certain",
            ("S-T1",),
            "Jia et al., Fig. 2, Table 1",
        ),
        "measured-effects": Entry(
            "What small trainings can tell of the gains, beside what the papers print",
            ("C-CI", "C-INIT", "C-CIV", "C-CV", "S-T1"),
            "Schneider, Tables 2, 3; Jia et al., Table 1",
        ),
    }
)

TITLES: Mapping[str, str] = MappingProxyType({name: entry.title for name, entry in FIGURES.items()})


def module_of(name: str) -> str:
    """The module that draws a figure."""
    return f"figures.{name.replace('-', '_')}"


def figures_of(claim: str) -> list[str]:
    """The figures that show a claim, those that it is foremost in first."""
    return sorted(
        (name for name, entry in FIGURES.items() if claim in entry.claims),
        key=lambda name: FIGURES[name].claims.index(claim) > 0,
    )
