"""Mistakes that a derivation and a statement may share: an experiment sees each, since its instances reach the edge."""

from __future__ import annotations

import pytest
import sympy as sp

from tests.attack.soundness.judging import clause_of
from theory.derive.layer_variance.one_layer import v_star
from theory.derive.layer_variance.symbols import R, over_window, t, u, v, var_before, var_l
from theory.derive.layer_variance.symbols import k as width
from theory.derive.single_filter import alignment, zigzag_pair
from theory.derive.single_filter.initialisation import weight
from theory.derive.single_filter.loosened_active import PROPORTIONAL, error_squared, fraction, radius
from theory.derive.single_filter.theorem_1 import w_next as after
from theory.derive.single_filter.zigzag import flips
from theory.derive.single_filter.zigzag_samples import X_next, dot, e
from theory.search import agreement, exact_search
from theory.symbols import X, i, j, lam, m, over, p, steps, w
from theory.verify import simulated

_BESIDE = X[0] * e[0] + over(X[m] ** 2 * e[m])
_OTHER = zigzag_pair.e_other
_ALONG_FIRST = X_next[0] * _OTHER[0] + sp.Sum(X_next[m] * _OTHER[m], (m, 0, p - 1))
_ROOM = 4 * (2 * radius) ** 2 * error_squared(w) <= (1 - w[0]) ** 2
_LENGTHS = dot(e, X) * dot(e, X_next) < 0

SIMULATOR = (
    (
        "C-ALIGN",
        "length and direction: loss",
        sp.Implies(weight(0) <= weight(i), alignment.loss_length**2 <= alignment.loss_direction[i]),
        "units",
    ),
    (
        "C-ALIGN",
        "ReLU rule",
        sp.Implies(alignment.stay_active, alignment.relu_corr**2 < alignment.relu_unc),
        "units",
    ),
    ("C-E14", "recursion", sp.Eq(var_l, width**4 * v / 2 * var_before), "l = 1"),
    ("C-ALIGN", "reaches w*", sp.Implies(alignment.w_first > 0, alignment.REACHES), "turned over"),
    (
        "C-ZIG",
        "zig-zag after crossing",
        sp.Implies(zigzag_pair.per_sample & (_BESIDE * dot(e, X_next) < 0), sp.Eq(flips[j], steps - 1)),
        "beside the normal",
    ),
    (
        "C-ZIG",
        "zig-zag is slow, one sample per update",
        sp.Implies(
            zigzag_pair.EQUAL_LENGTH & _LENGTHS & (dot(_OTHER, X) * _ALONG_FIRST > 0), zigzag_pair.PROGRESS_LESS.args[1]
        ),
        "beside the other normal",
    ),
    ("C-ZIG", "least along w*", sp.Implies(~zigzag_pair.per_sample, zigzag_pair.FEWEST), "no eigenvector"),
    ("C-E10", "roughly proportional", sp.Implies(_ROOM, PROPORTIONAL), "the edge of the margin"),
    (
        "C-E10",
        "roughly proportional",
        sp.Implies(
            4 * (2 * radius + radius**2) ** 2 * error_squared(w) <= (1 - w[0]) ** 2,
            4 * ((after[0] - w[0] - 2 * lam * fraction * (1 - w[0])) ** 2 + over((after[m] - w[m]) ** 2))
            <= (2 * fraction / lam * (1 - w[0])) ** 2,
        ),
        "rates above 1",
    ),
    (
        "C-RNG",
        "range",
        sp.Implies(over_window(R[t, u]) >= width**2, v_star <= 2 / width**2),
        "R and M of opposite order",
    ),
)


@pytest.mark.parametrize(
    ("claim", "name", "slip"), [case[:3] for case in SIMULATOR], ids=[f"{c[0]}: {c[1]}, {c[3]}" for c in SIMULATOR]
)
def test_the_simulator_sees_it(claim: str, name: str, slip: sp.Basic) -> None:
    clause = clause_of(claim, name)[1]
    assert clause.experiment is not None
    kept = () if name == "recursion" else clause.needed
    outcome = agreement(simulated(clause.experiment(), 0), slip, kept)
    assert outcome.passed is False, outcome.detail


EXACT = (
    ("C-ALIGN", "reaches w*", sp.Implies((alignment.w_first >= 0) & alignment.POSITIVE.args[1], alignment.REACHES)),
    (
        "C-ZIG",
        "zig-zag is slow, one sample per update",
        sp.Implies(
            zigzag_pair.EQUAL_LENGTH & zigzag_pair.PROGRESS_LESS.args[0],
            zigzag_pair.progress**2 <= zigzag_pair.progress_other,
        ),
    ),
    ("C-ZIG", "zig-zag is slow, one sample per update", zigzag_pair.progress_other > 0),
    ("C-ZIG", "least along w*", sp.Implies(~zigzag_pair.per_sample, zigzag_pair.FEWEST)),
)


@pytest.mark.parametrize(("claim", "name", "slip"), EXACT, ids=[f"{c[0]}: {c[1]} {n}" for n, c in enumerate(EXACT)])
def test_exact_search_sees_it(claim: str, name: str, slip: sp.Basic) -> None:
    clause = clause_of(claim, name)[1]
    assert clause.experiment is not None
    experiment = clause.experiment()
    assert experiment.exact is not None
    assert exact_search(experiment.exact, experiment.observe, slip, clause.needed).counterexample is not None
