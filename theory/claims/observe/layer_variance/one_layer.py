"""One layer with finite laws of filters and of windows: every moment by enumeration, in floats and in fractions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from sim.arrays import FloatArray
from sim.finite_law import (
    FiniteLaw,
    equal_law,
    independent_law,
    mirrored_law,
    mixed_law,
    response_moments,
    shifted_law,
    uniform_law,
)
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import HALF
from theory.experiment import ExactRoute, Experiment, Observation, Values

EPS = float(np.finfo(np.float64).eps)
WIDTHS = (1, 2, 3)


@dataclass(frozen=True, eq=False)
class Layer:
    """Filters of width k and the windows that they meet; with `rectified`, the windows are those of max(y, 0).

    symmetric: whether w and -w have the same law.
    """

    k: int
    filters: FiniteLaw
    windows: FiniteLaw
    symmetric: bool
    rectified: bool = False

    @property
    def inputs(self) -> FiniteLaw:
        """The law of the windows x that the filters meet."""
        return self.windows.relu if self.rectified else self.windows


Vectors = tuple[tuple[Fraction, tuple[Fraction, ...]], ...]
"""A finite law in rationals: (probability, vector)."""


@dataclass(frozen=True)
class ExactLayer:
    """The same in rationals; the names say which laws these are."""

    k: int
    names: tuple[str, str]
    filters: Vectors
    windows: Vectors
    symmetric: bool
    rectified: bool = False


Respond = Callable[[FiniteLaw, FiniteLaw], tuple[float, float]]
"""Laws of filters and of windows to Var[y] and E[max(y, 0)^2] of their responses."""
Seconds = Callable[[FiniteLaw], FloatArray]
"""A law to E[v v^T]."""


def _observe(layers: Sequence[Layer], respond: Respond, seconds: Seconds) -> Observation:
    rows = [_values(layer, respond, seconds) for layer in layers]
    values = {name: np.stack([np.asarray(row[name]) for row in rows], axis=-1) for name in rows[0]}
    largest = [np.abs(x.filters.atoms).max() * np.abs(x.inputs.atoms).max() * x.filters.n for x in layers]
    ratio = np.square(largest) / np.maximum(values["var_next"], EPS)
    tolerance = 512 * EPS * (1.0 + np.square(largest)) * (1.0 + values["v_star"] * ratio)
    scalars = {"p": 1, "k": layers[0].k, "n": layers[0].k ** 2}
    return Observation({**values, **scalars}, tolerance)


def _values(layer: Layer, respond: Respond, seconds: Seconds) -> dict[str, Any]:
    filters, inputs, n = layer.filters, layer.inputs, layer.filters.n
    variance, half_second = respond(filters, inputs)
    one_weight, one_input = (FiniteLaw(law.atoms[:, :1], law.probability) for law in (filters, inputs))
    products, M = seconds(filters), seconds(inputs)
    before = seconds(layer.windows)[0, 0]
    v = products[0, 0]
    return {
        "v": v,
        "R": products / v,
        "M": M,
        "second_x": M[0, 0],
        "rho_w": products[0, -1] / v if n > 1 else 0.0,
        "rho_x": M[0, -1] / M[0, 0] if n > 1 else 0.0,
        "equicorrelated": _two_valued(products) and _two_valued(M),
        "equal_weights": _constant(filters.atoms),
        "equal_inputs": _constant(inputs.atoms),
        "uncorrelated": _off(products) <= 64 * EPS * v,
        "symmetric": layer.symmetric,
        "var_next": variance,
        "half_second": half_second,
        "var_xw": respond(one_weight, one_input)[0],
        "v_star": v * before / variance if layer.rectified and variance > 64 * EPS else 0.0,
    }


def _constant(atoms: FloatArray) -> bool:
    return bool(np.all(atoms == atoms[:, :1]))


def _off(square: FloatArray) -> float:
    return float(np.abs(square - np.diag(np.diag(square))).max())


def _two_valued(square: FloatArray) -> bool:
    n = len(square)
    entries = [np.diag(square), square[~np.eye(n, dtype=bool)]]
    return all(np.ptp(part) <= 64 * EPS * np.abs(square).max() for part in entries if part.size)


def by_enumeration(filters: FiniteLaw, windows: FiniteLaw) -> tuple[float, float]:
    """Var[y] and E[max(y, 0)^2], in NumPy."""
    y = response_moments(filters, windows)
    return y.variance, y.positive_second


def observe(layers: Sequence[Layer]) -> Observation:
    """The NumPy route."""
    return _observe(layers, by_enumeration, lambda law: law.second_moments)


@on_layers
def observe_layer(layers: Sequence[Layer]) -> Observation:
    """The PyTorch route: a convolution with one output channel for each filter, over one image for each window."""
    from sim.cnn.measured import law_moments, law_second_moments

    return _observe(layers, law_moments, law_second_moments)


def observe_exact(layer: ExactLayer) -> Values:
    """The rational route. Empty where a zero variance leaves v* undefined."""
    windows = layer.windows
    inputs = (
        tuple((p, tuple(max(x, Fraction(0)) for x in vector)) for p, vector in windows) if layer.rectified else windows
    )
    n = layer.k**2
    responses = [
        (p * r, sum((a * b for a, b in zip(w, x, strict=True)), Fraction(0)))
        for p, w in layer.filters
        for r, x in inputs
    ]
    singles = [(p * r, w[0] * x[0]) for p, w in layer.filters for r, x in inputs]
    products, M = _second(layer.filters, n), _second(inputs, n)
    v, after = products[0][0], _variance(responses)
    if layer.rectified and after == 0:
        return {}
    return {
        "p": 1,
        "k": layer.k,
        "n": n,
        "v": v,
        "R": [[entry / v for entry in row] for row in products],
        "M": M,
        "second_x": M[0][0],
        "rho_w": products[0][-1] / v if n > 1 else Fraction(0),
        "rho_x": M[0][-1] / M[0][0] if n > 1 else Fraction(0),
        "equicorrelated": _exactly_two_valued(products) and _exactly_two_valued(M),
        "equal_weights": all(len({*vector}) == 1 for _, vector in layer.filters),
        "equal_inputs": all(len({*vector}) == 1 for _, vector in inputs),
        "uncorrelated": all(products[a][b] == 0 for a in range(n) for b in range(n) if a != b),
        "symmetric": layer.symmetric,
        "var_next": after,
        "half_second": sum((p * max(y, Fraction(0)) ** 2 for p, y in responses), Fraction(0)),
        "var_xw": _variance(singles),
        "v_star": v * _second(windows, n)[0][0] / after if layer.rectified else Fraction(0),
    }


def _second(law: Vectors, n: int) -> list[list[Fraction]]:
    return [[sum((p * x[a] * x[b] for p, x in law), Fraction(0)) for b in range(n)] for a in range(n)]


def _variance(law: Iterable[tuple[Fraction, Fraction]]) -> Fraction:
    entries = list(law)
    mean = sum((p * y for p, y in entries), Fraction(0))
    return sum((p * y**2 for p, y in entries), Fraction(0)) - mean**2


def _exactly_two_valued(square: list[list[Fraction]]) -> bool:
    n = len(square)
    return all(
        len({square[a][b] for a in range(n) for b in range(n) if (a == b) is same}) <= 1 for same in (True, False)
    )


def describe(layer: ExactLayer) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    inputs = f"positive parts of {layer.names[1]}" if layer.rectified else layer.names[1]
    return (("k", str(layer.k)), ("filters", layer.names[0]), ("inputs", inputs))


def lower(layer: ExactLayer) -> list[Layer]:
    """An exact instance as a float batch of one."""
    filters, windows = (
        FiniteLaw(np.array([x for _, x in law], dtype=np.float64), np.array([p for p, _ in law], dtype=np.float64))
        for law in (layer.filters, layer.windows)
    )
    return [Layer(layer.k, filters, windows, layer.symmetric, layer.rectified)]


def _sign_words(n: int) -> FloatArray:
    """Uncorrelated signs that are not symmetric as a whole: products of the non-empty subsets of independent signs."""
    generators = max(1, int(n).bit_length())
    signs = np.array(list(product((1.0, -1.0), repeat=generators)))
    words = [np.prod(signs[:, [b for b in range(generators) if (t + 1) >> b & 1]], axis=1) for t in range(n)]
    return np.stack(words, axis=1)


def _filters(kind: str, n: int, rng: np.random.Generator) -> tuple[FiniteLaw, bool]:
    """A law of filters with equal variances, and whether it is symmetric as a whole."""
    s = rng.uniform(0.3, 2.0)
    if kind == "equal":
        return mirrored_law(equal_law(rng.uniform(0.2, 2.0, 3), n)), True
    if kind == "independent":
        return independent_law((s, -s), n), True
    if kind == "words":
        return uniform_law(s * _sign_words(n)), n == 1
    if kind == "mixed":
        both = [mirrored_law(equal_law([s], n)), independent_law((s, -s), n)]
        part = rng.uniform(0.1, 0.9)
        return mixed_law(both, [part, 1 - part]), True
    return mirrored_law(shifted_law(uniform_law(rng.normal(size=(2, n))))), True


def _windows(kind: str, n: int, rng: np.random.Generator) -> FiniteLaw:
    s = rng.uniform(0.3, 2.0)
    if kind == "equal":
        return equal_law(rng.normal(0.5, 1.0, 3), n)
    if kind == "independent":
        return independent_law((s, -s), n)
    if kind == "positive":
        return independent_law((s, 0.0), n)
    if kind == "mixed":
        part = rng.uniform(0.1, 0.9)
        return mixed_law([equal_law((s, -s), n), independent_law((s, -s), n)], [part, 1 - part])
    return uniform_law(rng.normal(0.3, 1.0, (3, n)))


FILTERS = ("equal", "independent", "words", "mixed", "shifted")
WINDOWS = ("equal", "independent", "positive", "mixed", "any")


def random_layers(rng: np.random.Generator) -> Iterator[list[Layer]]:
    """Every kind of filters with every kind of windows, for every width."""
    for k in WIDTHS:
        layers = []
        for kind in FILTERS:
            for other in WINDOWS:
                filters, symmetric = _filters(kind, k * k, rng)
                layers.append(Layer(k, filters, _windows(other, k * k, rng), symmetric))
        yield layers


def random_rectified(rng: np.random.Generator) -> Iterator[list[Layer]]:
    """Symmetric filters that meet the positive parts of symmetric responses, equally distributed at all positions."""
    kinds = product(("equal", "independent", "mixed", "shifted", "contrast"), WINDOWS_BEFORE)
    pairs = (*kinds, *(("opposed", other) for other in ("independent", "grouped")), ("contrast", "grouped"))
    for k in WIDTHS:
        layers = []
        for kind, other in pairs:
            filters, windows = _rectified_filters(kind, k * k, rng), _windows_before(other, k * k, rng)
            layers.append(Layer(k, filters, windows, True, rectified=True))
        yield layers


WINDOWS_BEFORE = ("equal", "independent", "mixed", "shifted")


def _rectified_filters(kind: str, n: int, rng: np.random.Generator) -> FiniteLaw:
    if kind == "contrast":
        return _contrast(n, rng)
    if kind == "opposed":
        s = rng.uniform(0.3, 2.0)
        return uniform_law(s * np.array([[float(v) for v in word] for word in _opposed(n)]))
    return _filters(kind, n, rng)[0]


def _windows_before(kind: str, n: int, rng: np.random.Generator) -> FiniteLaw:
    """The law of the responses whose positive parts are the windows."""
    if kind == "shifted":
        return mirrored_law(shifted_law(uniform_law(rng.normal(size=(2, n)))))
    if kind == "grouped":
        atoms, zero = np.array(_grouped(n, (1, 0, -1)), dtype=np.float64), rng.uniform(0.6, 0.75)
        free = atoms[:, max(_group(n) - 1, 0) :]
        chances = np.where(free == 0.0, zero, (1.0 - zero) / 2.0).prod(axis=1)
        return FiniteLaw(rng.uniform(0.3, 2.0) * atoms, chances / chances.sum())
    return mirrored_law(_windows(kind, n, rng))


def _group(n: int) -> int:
    """How many of n positions `_opposed` and `_grouped` join: an even number."""
    return 2 * (n // 4)


def _opposed(n: int) -> list[tuple[int, ...]]:
    """Weights a, -a, a, -a, ... on the first positions and b, ..., b on the others, a and b independent signs.

    On windows that are `_grouped`, weights are negatively correlated where inputs are most positively so: the sum of
    their correlations is at least n, that of their products with the inputs' below n.
    """
    g = _group(n)
    return [(*((a, -a) * (g // 2)), *(b,) * (n - g)) for a in (1, -1) for b in (1, -1)]


def _grouped(n: int, values: Sequence[int]) -> list[tuple[int, ...]]:
    """Every window with these values of which the first ones are equal."""
    again = max(_group(n) - 1, 0)
    return [(word[0],) * again + word for word in product(values, repeat=n - again)]


def _contrast(n: int, rng: np.random.Generator) -> FiniteLaw:
    """Filters whose weights nearly cancel: pairs of them are negatively correlated."""
    rows = rng.normal(size=(2, n))
    return mirrored_law(shifted_law(uniform_law(rows - 0.8 * rows.mean(axis=1, keepdims=True))))


def _exact_filters(k: int, s: Fraction) -> Iterator[tuple[str, Vectors, bool]]:
    n = k * k
    signs = [tuple(s * b for b in word) for word in product((1, -1), repeat=n)]
    yield f"all weights {s} or all -{s}", tuple((HALF, (b * s,) * n) for b in (1, -1)), True
    yield f"independent weights +-{s}", tuple((Fraction(1, len(signs)), word) for word in signs), True
    if k == 1:
        return
    words = [tuple(Fraction(int(b)) * s for b in word) for word in _sign_words(n)]
    name = f"{s} (a, b, ab, c), a, b, c independent signs"
    yield name, tuple((Fraction(1, len(words)), word) for word in words), False
    mixed = (*((HALF / 2, (b * s,) * n) for b in (1, -1)), *((HALF / len(signs), word) for word in signs))
    yield f"all weights equal to +-{s} half the time, independent +-{s} otherwise", tuple(mixed), True
    contrasts = [(one, sign) for one in ((1, 1, 1, -1), (1, 1, -1, -1)) for sign in (1, -1)]
    rows = tuple((HALF / 2, tuple(Fraction(sign * b) * s for b in word)) for word, sign in contrasts)
    yield f"+-{s} (1, 1, 1, -1) or +-{s} (1, 1, -1, -1)", rows, True


def _exact_windows(k: int) -> Iterator[tuple[str, Vectors]]:
    n = k * k
    yield "all 1", ((Fraction(1), (Fraction(1),) * n),)
    yield "all 1 or all -1", tuple((HALF, (Fraction(b),) * n) for b in (1, -1))
    for name, values in (("independent +-1", (1, -1)), ("independent 0 or 1", (1, 0))):
        rows = list(product(values, repeat=n))
        yield name, tuple((Fraction(1, len(rows)), tuple(Fraction(b) for b in row)) for row in rows)


def _exact_layers() -> Iterator[ExactLayer]:
    for k in (1, 2):
        for s in (Fraction(1), Fraction(2)):
            for filters, law, symmetric in _exact_filters(k, s):
                for windows, other in _exact_windows(k):
                    yield ExactLayer(k, (filters, windows), law, other, symmetric)


def _exact_rectified() -> Iterator[ExactLayer]:
    for k in (1, 2):
        for filters, law, symmetric in _exact_filters(k, Fraction(1)):
            for windows, other in list(_exact_windows(k))[1:3]:
                if symmetric:
                    yield ExactLayer(k, (filters, windows), law, other, symmetric, rectified=True)
    names = "+-1 (1, -1, 0, 0) +-1 (0, 0, 1, 1), independent", "+-1 (1, 1, 0, 0) and two more signs, independent"
    yield ExactLayer(
        2, names, _equally_likely(_opposed(4)), _equally_likely(_grouped(4, (1, -1))), True, rectified=True
    )


def _equally_likely(words: Sequence[Sequence[int]]) -> Vectors:
    return tuple((Fraction(1, len(words)), tuple(Fraction(v) for v in word)) for word in words)


@cache
def one_layer() -> Experiment:
    """Any filters on any windows."""
    route = ExactRoute(_exact_layers, observe_exact, describe, lower)
    return Experiment("one layer with finite laws", random_layers, observe, route, observe_layer)


@cache
def rectified() -> Experiment:
    """Filters on the positive parts of responses."""
    route = ExactRoute(_exact_rectified, observe_exact, describe, lower)
    return Experiment("one layer after ReLU", random_rectified, observe, route, observe_layer)
