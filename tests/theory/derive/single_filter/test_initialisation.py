"""Expected losses over random starts, in closed form, against exact rational twins and against Gaussian draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.correlation import equicorrelation, exponential_correlation, sample_filters
from sim.exact import exact_grid
from sim.grid import grid_samples, pixel_frame
from tests.strategies.single_filter import correlation_matrices, fractions_in
from theory.derivation import Derivation
from theory.derive.single_filter import initialisation as derive
from theory.evaluate import residual, truth, value
from theory.symbols import w

DERIVATIONS = (
    derive.expected_loss_of_starts,
    derive.aligned_losses,
    derive.aligned_starts,
    derive.edge_losses,
    derive.steps_to_precision,
)


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().failing_steps() == []
    assert derivation().ungrounded() == []


def test_mean_over_starts_refuses_a_third_moment() -> None:
    with pytest.raises(ValueError, match="at most quadratic in w, got degree 3"):
        derive.start_mean(w[0] ** 2 * w[1])


def exact_loss_after(d: Sequence[Fraction], lam: Fraction, w0_star: Fraction, steps: int, start: Any) -> Fraction:
    """The loss under the linear rule, sample by sample."""
    samples, weights = exact_grid(d), list(start)

    def errors() -> list[Fraction]:
        return [w0_star * x[0] - sum(a * b for a, b in zip(weights, x, strict=True)) for x in samples]

    for _ in range(steps):
        pull = [sum(e * x[k] for e, x in zip(errors(), samples, strict=True)) for k in range(len(d))]
        weights = [v + 2 * lam * g / len(samples) for v, g in zip(weights, pull, strict=True)]
    return sum((e * e for e in errors()), Fraction(0)) / len(samples)


def exact_mean(loss: Callable[[list[Fraction]], Fraction], mean: list[Fraction], covariance: Any) -> Fraction:
    """E of a quadratic function of a start: its second differences times the covariance, plus its value at the mean."""
    p = len(mean)

    def at(*axes: int) -> Fraction:
        return loss([v + axes.count(k) for k, v in enumerate(mean)])

    second = ((at(a, b) - at(a) - at(b) + at()) * covariance[a][b] for a in range(p) for b in range(p))
    return at() + sum(second, Fraction(0)) / 2


@st.composite
def exact_settings(draw: st.DrawFn) -> dict[str, Any]:
    p = draw(st.integers(1, 4))
    rows = [draw(st.lists(fractions_in(-1, 1), min_size=p, max_size=p)) for _ in range(p)]
    return {
        "p": p,
        "d": draw(st.lists(fractions_in(0, 1), min_size=p, max_size=p)),
        "lam": draw(fractions_in(0, 1).filter(bool)),
        "w0_star": draw(fractions_in(-2, 2)),
        "mu": draw(fractions_in(-1, 1)),
        "variance": draw(fractions_in(0, 2).filter(bool)),
        "steps": draw(st.integers(0, 3)),
        # any covariance: a Gram matrix
        "C": [[sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0)) for y in rows] for x in rows],
    }


@settings(max_examples=60)
@given(exact_settings())
def test_expected_loss_is_the_exact_mean_of_a_quadratic(s: dict[str, Any]) -> None:
    def loss(start: list[Fraction]) -> Fraction:
        return exact_loss_after(s["d"], s["lam"], s["w0_star"], s["steps"], start)

    mean = [s["mu"], *[Fraction(0)] * (s["p"] - 1)]
    covariance = [[s["variance"] * entry for entry in row] for row in s["C"]]
    assert value(derive.GENERAL_LOSS.rhs, s, exact=True) == exact_mean(loss, mean, covariance)


@settings(max_examples=60)
@given(exact_settings(), fractions_in(0, 1))
@example(
    {
        "p": 2,
        "d": [Fraction(0), Fraction(1, 2)],
        "lam": Fraction(1, 2),
        "w0_star": Fraction(1),
        "mu": Fraction(0),
        "variance": Fraction(1, 2),
        "steps": 0,
    },
    Fraction(1),
)
def test_equal_correlations_are_the_general_law_with_their_covariance(s: dict[str, Any], r: Fraction) -> None:
    p = s["p"]

    def loss(variances: list[Fraction]) -> Fraction:
        C = [[variances[a] if a == b else Fraction(0) for b in range(p)] for a in range(p)]
        return Fraction(value(derive.GENERAL_LOSS.rhs, {**s, "C": C}, exact=True))

    unc = loss([Fraction(1)] * p)
    corr = loss([1 + (p - 1) * r, *[1 - r] * (p - 1)])
    seen = {**s, "r": r, "loss_corr": corr, "loss_unc": unc}
    assert truth(derive.ALIGNED_LOSS, seen)
    assert truth(derive.ALIGNED_GAP, seen)
    if r > 0:
        assert truth(sp.Equivalent(derive.LEADS, derive.CROSSED), seen)
    if p > 1:
        corr = loss([1 - r, 1 + (p - 1) * r, *[1 - r] * (p - 2)])
        assert truth(sp.And(derive.EDGE_LOSS, derive.EDGE_GAP), {**seen, "loss_corr": corr})


@pytest.mark.parametrize("p", range(1, 9))
@pytest.mark.parametrize("centred", [True, False])
def test_expected_loss_of_gaussian_draws(p: int, centred: bool) -> None:
    rng = np.random.default_rng([p, centred])
    d, n = rng.uniform(0.0, 1.0, p), 20_000
    lam, w0_star, sigma = 0.7 / (1 + d[0] ** 2), 1.3, 0.8
    mu = 0.0 if centred else -0.4
    Q = pixel_frame(rng.normal(size=p))
    side = int(np.sqrt(p))
    R = exponential_correlation(side, 0.6) if side * side == p else equicorrelation(p, 0.4)
    starts = sample_filters(R, n, sigma=sigma, rng=rng) @ Q + mu * np.eye(p)[0]
    samples = grid_samples(d)
    parameters = {"p": p, "d": d, "lam": lam, "w0_star": w0_star, "mu": mu, "variance": sigma**2, "C": Q.T @ R @ Q}
    for k in range(4):
        error = w0_star * samples[:, 0] - starts @ samples.T
        losses = np.square(error).mean(axis=1)
        expected = value(derive.GENERAL_LOSS.rhs, {**parameters, "steps": k}, exact=False)
        assert abs(losses.mean() - expected) < 5 * losses.std() / np.sqrt(n)
        starts = starts + 2 * lam / len(samples) * error @ samples


@given(correlation_matrices(), st.integers(0, 2**32 - 1))
def test_turning_the_frame_keeps_the_total_variance(R: np.ndarray, seed: int) -> None:
    p = len(R)
    Q = pixel_frame(np.random.default_rng(seed).normal(size=p))
    assert np.trace(Q.T @ R @ Q) == pytest.approx(p, rel=1e-13)


@given(st.integers(2, 8), fractions_in(0, 1), fractions_in(0, 2).filter(bool), st.data())
def test_a_lead_is_never_lost(p: int, first: Fraction, lam: Fraction, data: st.DataObject) -> None:
    d = [first, *data.draw(st.lists(fractions_in(0, 1), min_size=p - 1, max_size=p - 1))]
    lead = [value(derive.aligned_lead(sp.Integer(k)), {"p": p, "d": d, "lam": lam}, exact=True) for k in range(8)]
    assert all(after >= 0 for now, after in pairwise(lead) if now >= 0)
    assert lead[0] <= 0


def test_at_a_large_learning_rate_the_correlated_start_need_never_lead() -> None:
    # rho_0 = -7/8 and rho_1 = -1/2: the error along w* is the slow one
    seen = {"p": 2, "d": [Fraction(1, 2), Fraction(1)], "lam": Fraction(3, 4)}
    assert all(value(derive.aligned_lead(sp.Integer(k)), seen, exact=True) < 0 for k in range(30))


@pytest.mark.parametrize("r", [0.26, 0.5, 0.9])
def test_updates_saved_do_not_depend_on_the_precision(r: float) -> None:
    d, lam = [0.0, 0.25], 0.56
    decay = -np.log(1 - 2 * lam * d[1] ** 2)
    seen = {"p": 2, "d": d, "lam": lam, "r": r, "rate": [0.0, decay], "log_gain": [0.0, -np.log(1 - r)]}
    for precision in 10.0 ** -np.arange(1, 12):
        unc, corr = (np.ceil(np.log(share / precision) / (2 * decay)) for share in (1.0, 1 - r))
        at = {**seen, "i": 1, "steps_unc": [0.0, unc], "steps_corr": [0.0, corr]}
        assert residual(derive.ALIGNED_STEPS, at, 1e-9) < 1e-9
        # half the updates saved, or a factor in place of a difference, is told apart
        wrong = {**at, "steps_corr": [0.0, unc * (1 - r)]}
        assert precision > 1e-3 or residual(derive.ALIGNED_STEPS, wrong, 1e-9) > 1
