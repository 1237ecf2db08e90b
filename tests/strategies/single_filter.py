"""Hypothesis strategies: filters with their sample grids, sample sets, correlation matrices, with known properties."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from sim.arrays import FloatArray
from sim.instance import FilterInstance
from sim.samples import SampleSet


def fractions_in(low: int, high: int, denominators: tuple[int, ...] = (1, 2, 3, 4)) -> st.SearchStrategy[Fraction]:
    """Rationals in [low, high] with a small denominator; integers, zero among them, are common."""
    return st.sampled_from(denominators).flatmap(
        lambda den: st.integers(low * den, high * den).map(lambda num: Fraction(num, den))
    )


def floats_in(low: float, high: float) -> st.SearchStrategy[float]:
    """Floats in [low, high], free of subnormals; both ends, and zero if it is inside, are common."""
    special = [float(v) for v in (low, 0.0, high) if low <= v <= high]
    return st.one_of(st.sampled_from(special), st.floats(low, high, allow_subnormal=False))


@st.composite
def exact_instances(draw: st.DrawFn, min_p: int = 1, max_p: int = 4, dyadic: bool = False) -> FilterInstance:
    """Exact instances with any activity, ties included, w* = e0 or any; a stable learning rate.

    With `dyadic`, all of d, w, w* have denominators 1, 2, 4, so that floats hold every pre-activation exactly.
    """
    p = draw(st.integers(min_p, max_p))
    denominators = (1, 2, 4) if dyadic else (1, 2, 3, 4, 5)
    d = draw(st.lists(fractions_in(0, 1, denominators), min_size=p, max_size=p))
    w = draw(st.lists(fractions_in(-2, 2, denominators), min_size=p, max_size=p))
    w_star = draw(st.none() | st.lists(fractions_in(-2, 2, denominators), min_size=p, max_size=p))
    return FilterInstance(d, w, draw(stable_rates(d[0])), w_star)


@st.composite
def float_instances(draw: st.DrawFn, min_p: int = 1, max_p: int = 8) -> FilterInstance:
    """Instances of floats with any activity; zero and one half-widths, zero and negative weights are common."""
    p = draw(st.integers(min_p, max_p))
    d = draw(st.lists(floats_in(0.0, 1.0), min_size=p, max_size=p))
    w = draw(st.lists(floats_in(-2.0, 2.0), min_size=p, max_size=p))
    w_star = draw(st.none() | st.lists(floats_in(-2.0, 2.0), min_size=p, max_size=p))
    return FilterInstance(d, w, float(draw(stable_rates(Fraction(d[0])))), w_star)


@st.composite
def all_active_instances(draw: st.DrawFn, min_p: int = 1, max_p: int = 8) -> FilterInstance:
    """Exact instances on which every sample is active: w_0 (1 - d_0) > sum_(i>0) |w_i| d_i."""
    p = draw(st.integers(min_p, max_p))
    first = draw(fractions_in(0, 1).filter(lambda v: v < 1))
    d = [first, *draw(st.lists(fractions_in(0, 1), min_size=p - 1, max_size=p - 1))]
    rest = draw(st.lists(fractions_in(-1, 1), min_size=p - 1, max_size=p - 1))
    margin = draw(fractions_in(0, 2).filter(bool))
    spread = sum((abs(a) * b for a, b in zip(rest, d[1:], strict=True)), Fraction(0))
    return FilterInstance(d, [(spread + margin) / (1 - first), *rest], draw(stable_rates(first)))


@st.composite
def dead_instances(draw: st.DrawFn, min_p: int = 1, max_p: int = 8) -> FilterInstance:
    """Exact instances on which no sample is active: w_0 (1 - d_0) <= -sum_(i>0) |w_i| d_i; equality is common."""
    p = draw(st.integers(min_p, max_p))
    first = draw(fractions_in(0, 1).filter(lambda v: v < 1))
    d = [first, *draw(st.lists(fractions_in(0, 1), min_size=p - 1, max_size=p - 1))]
    rest = draw(st.lists(fractions_in(-1, 1), min_size=p - 1, max_size=p - 1))
    margin = draw(st.just(Fraction(0)) | fractions_in(0, 2))
    spread = sum((abs(a) * b for a, b in zip(rest, d[1:], strict=True)), Fraction(0))
    return FilterInstance(d, [-(spread + margin) / (1 - first), *rest], draw(stable_rates(first)))


def stable_rates(d_0: Fraction | float) -> st.SearchStrategy[Fraction]:
    """Learning rates below the limit 1/(1 + d_0^2) of full-batch descent: it times 1/8, ..., 7/8."""
    limit = 1 / (1 + Fraction(d_0) ** 2)
    return st.integers(1, 7).map(lambda eighths: Fraction(eighths, 8) * limit)


@st.composite
def sample_sets(draw: st.DrawFn, min_n: int = 1, max_n: int = 8, max_p: int = 5) -> SampleSet:
    """Any samples with any targets; fewer samples than weights, repeated and zero samples occur."""
    n, p = draw(st.integers(min_n, max_n)), draw(st.integers(1, max_p))
    row = st.lists(floats_in(-2.0, 2.0), min_size=p, max_size=p)
    X = draw(st.lists(row, min_size=n, max_size=n))
    y = draw(st.lists(floats_in(-2.0, 2.0), min_size=n, max_size=n))
    return SampleSet(np.array(X), np.array(y))


@st.composite
def correlation_matrices(draw: st.DrawFn, max_p: int = 6, rank: int | None = None) -> FloatArray:
    """Correlation matrices (p, p) of the given rank (or any), as Gram matrices of unit vectors."""
    p = draw(st.integers(1 if rank is None else rank, max_p))
    r = draw(st.integers(1, p)) if rank is None else rank
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = rng.standard_normal((p, r))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    R = vectors @ vectors.T
    np.fill_diagonal(R, 1.0)
    return R
