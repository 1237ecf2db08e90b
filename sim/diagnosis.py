"""What was found in the weights of a network, as records, and what that amounts to, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.arrays import FloatArray
from sim.errors import printable

CERTAIN = 4.0
"""Standard errors beyond which a correlation counts as real: a convention."""
MUCH = 0.1
"""Relative size of a step beyond which a projection counts as changing a layer much: a convention."""
NAMED = 4
"""Layers named in a sentence."""


@dataclass(frozen=True, eq=False)
class FilterCorrelation:
    """Correlation R (k^2, k^2) of the pixels of k x k filters, with bootstrap standard errors over filters.

    filters: how many; layers: of which layers. by_distance: the mean of R over pairs of pixels at each of `distances`,
    ascending; neighbours: at distance 1; mean: over all pairs of different pixels. The errors are None where there are
    too few filters to tell.
    """

    k: int
    layers: tuple[str, ...]
    filters: int
    R: FloatArray
    distances: FloatArray
    by_distance: FloatArray
    mean: float
    R_error: FloatArray | None
    by_distance_error: FloatArray | None
    mean_error: float | None

    @property
    def neighbours(self) -> float:
        """Mean correlation of pixels next to each other."""
        return float(self.by_distance[0])

    @property
    def neighbours_error(self) -> float | None:
        """Standard error of `neighbours`."""
        return None if self.by_distance_error is None else float(self.by_distance_error[0])


@dataclass(frozen=True)
class Spectrum:
    """Singular values of a layer: how many, the extreme ones, and what Singular Value Bounding would do to them.

    in_band: share of them in [1/(1 + eps), 1 + eps]. change: the size of the projection's step over that of the matrix,
    in the Frobenius norm: 0 for a layer in the band, inf for a layer of zeros. Rounding of the dtype in which weights
    are stored counts as in the band.
    """

    count: int
    smallest: float
    largest: float
    in_band: float
    change: float

    @property
    def condition(self) -> float:
        """largest/smallest; inf for a singular layer."""
        return self.largest / self.smallest if self.smallest > 0 else math.inf


@dataclass(frozen=True, eq=False)
class LayerDiagnosis:
    """One layer with a kernel (N_out, N_in / groups, kh, kw), or a matrix (N_out, N_in).

    kernel: of the kernel reshaped to (N_out, N_in kh kw), which SVB bounds, each group by itself. operator: of the
    circular convolution with stride 1 on images of the size asked for. Where one of these is None, `left_out` says why,
    under "correlation", "kernel" or "operator".
    """

    name: str
    shape: tuple[int, ...]
    groups: int
    correlation: FilterCorrelation | None
    kernel: Spectrum | None
    operator: Spectrum | None
    left_out: Mapping[str, str]


@dataclass(frozen=True)
class NormDiagnosis:
    """One BN layer: its scales |gamma|/sqrt(running_var + eps), and what bounding them would do.

    in_band: whether they lie in [c/(1 + bn_eps), c (1 + bn_eps)], c their mean. change: the size of the step that takes
    them there (mode "settled" of `sim.bbn`), over theirs. Rounding counts as in the band.
    """

    name: str
    width: int
    smallest: float
    largest: float
    in_band: bool
    change: float

    @property
    def condition(self) -> float:
        """largest/smallest; inf where only some scales are 0, 1 where all are."""
        if self.largest == 0:
            return 1.0
        return self.largest / self.smallest if self.smallest > 0 else math.inf


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """A network's layers and BN layers in the order of its state dict, and the correlation over all filters, by k.

    pooled: for each k > 1, over all k x k filters but those of `first`, the layer that sees the images; over those if
    there are no others. unread: other tensors, and why they were left out.
    """

    eps: float
    bn_eps: float
    image: tuple[int, int]
    first: str
    layers: tuple[LayerDiagnosis, ...]
    norms: tuple[NormDiagnosis, ...]
    pooled: Mapping[int, FilterCorrelation]
    unread: Mapping[str, str]

    @property
    def main(self) -> FilterCorrelation | None:
        """The pooled correlation of the size that most filters have."""
        return max(self.pooled.values(), key=lambda found: found.filters, default=None)


def findings(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Three sentences or more: on the correlation of filters, on SVB, on bounded batch norm."""
    return (*_on_correlation(diagnosis), *_on_kernels(diagnosis), *_on_norms(diagnosis))


def with_error(value: float, error: float | None) -> str:
    """A correlation and its standard error, where it is known."""
    digits = 3 if not error else min(max(3, 1 - math.floor(math.log10(error))), 6)
    # a rounded zero keeps no sign
    shown = f"{round(value, digits) + 0.0:.{digits}f}"
    return shown if error is None else f"{shown} +- {error:.{digits}f}"


def _on_correlation(diagnosis: Diagnosis) -> tuple[str, ...]:
    found = diagnosis.main
    if found is None:
        return ("Filters: none of more than one pixel, so nothing to correlate.",)
    measured = (
        f"neighbouring pixels {with_error(found.neighbours, found.neighbours_error)}, all pairs "
        f"{with_error(found.mean, found.mean_error)} ({found.filters:,} filters of {found.k} x {found.k} in "
        f"{_count(len(found.layers), 'layer')}{_without(found, diagnosis.first)}; filters taken as independent)"
    )
    if found.neighbours_error is None or found.mean_error is None:
        return (f"Filters: too few to tell whether they are correlated: {measured}.",)
    if not _certain(found.neighbours, found.neighbours_error) and not _certain(found.mean, found.mean_error):
        return (f"Filters: not correlated beyond chance, as after an uncorrelated initialisation: {measured}.",)
    pairs = ((found.neighbours, found.neighbours_error), (found.mean, found.mean_error))
    clearest = max(pairs, key=lambda pair: abs(pair[0]) / (pair[1] or math.inf))[0]
    own = {layer.name: layer.correlation for layer in diagnosis.layers if layer.correlation is not None}
    certain = [name for name in own if _certain(own[name].neighbours, own[name].neighbours_error)]
    certain.sort(key=lambda name: -abs(own[name].neighbours))
    return (
        f"Filters: {'positively' if clearest > 0 else 'negatively'} correlated: {measured}.",
        *([f"Neighbouring pixels are most correlated in {_names(certain)}."] if certain else []),
    )


def _on_kernels(diagnosis: Diagnosis) -> tuple[str, ...]:
    spectra = {layer.name: layer.kernel for layer in diagnosis.layers if layer.kernel is not None}
    if not spectra:
        return ("SVB: no kernel is small enough to decompose here.",)
    sentence = _on_band("SVB", diagnosis.eps, spectra, "layer")
    worst = max(spectra, key=lambda name: spectra[name].condition)
    found = spectra[worst]
    return (
        f"{sentence}; singular values go from {found.smallest:.3g} to {found.largest:.3g} in {printable(worst)!r}, "
        "the worst conditioned.",
    )


def _on_norms(diagnosis: Diagnosis) -> tuple[str, ...]:
    if not diagnosis.norms:
        return ("BBN: there are no BN layers with running variances.",)
    norms = {norm.name: norm for norm in diagnosis.norms}
    worst = max(diagnosis.norms, key=lambda norm: norm.condition)
    most = (1 + diagnosis.bn_eps) ** 2
    if math.isfinite(worst.condition):
        spread = (
            f"scales differ by a factor of up to {worst.condition:.3g} in {printable(worst.name)!r}, "
            f"where the band allows {most:.3g}"
        )
    else:
        spread = f"some scales are 0 in {printable(worst.name)!r}, others are not"
    return (f"{_on_band('BBN', diagnosis.bn_eps, norms, 'BN layer')}; {spread}.",)


def _on_band(what: str, eps: float, found: Mapping[str, Spectrum] | Mapping[str, NormDiagnosis], kind: str) -> str:
    much = sorted((name for name in found if found[name].change > MUCH), key=lambda name: -found[name].change)
    outside = [name for name in found if found[name].change > 0]
    if not outside:
        return f"{what} with eps = {eps:g} would change nothing: {_count(len(found), kind)} in the band"
    if not much:
        return (
            f"{what} with eps = {eps:g} would change little: {len(outside)} of {_count(len(found), kind)}, none by "
            f"more than {MUCH:.0%}"
        )
    return (
        f"{what} with eps = {eps:g} would change {len(much)} of {_count(len(found), kind)} by more than {MUCH:.0%}: "
        f"{_names(much)}"
    )


def _certain(value: float, error: float | None) -> bool:
    return error is not None and abs(value) > CERTAIN * error


def _without(found: FilterCorrelation, first: str) -> str:
    return "" if first in found.layers else f", without {printable(first)!r}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _names(names: Sequence[str]) -> str:
    listed = ", ".join(repr(printable(name, 40)) for name in names[:NAMED])
    return listed if len(names) <= NAMED else f"{listed} and {len(names) - NAMED} more"
