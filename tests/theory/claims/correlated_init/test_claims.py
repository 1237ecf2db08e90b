from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from theory.claims.correlated_init import initialiser, shrinkage, sign_changes, wide_limit
from theory.claims.observe.correlated_init import conv_moments, lags, shrunk_filters, sign_laws, strengths
from theory.ledger import Claim, Clause, Verdict
from theory.verify import simulated, verify

CLAIMS = (*initialiser.CLAIMS, *sign_changes.CLAIMS, *wide_limit.CLAIMS, *shrinkage.CLAIMS)
CASES = [(claim, clause) for claim in CLAIMS for clause in claim.clauses]
FALSE = {
    ("C-E17", "layer variance"): Verdict.CORRECTED,
    ("C-ALG1", "shapes"): Verdict.CORRECTED,
    ("C-ALG1", "line 4"): Verdict.CORRECTED,
    ("C-ALG1", "real root"): Verdict.CORRECTED,
    ("C-ALG1", "returned"): Verdict.CORRECTED,
    ("C-ALG1", "constant variance"): Verdict.CORRECTED,
    ("C-ALPHA", "a correlation matrix"): Verdict.CONDITIONAL,
    ("C-GSC", "one"): Verdict.CONDITIONAL,
    ("C-GSC", "percentage"): Verdict.CORRECTED,
    ("X-KERN", "more uniform"): Verdict.CONDITIONAL,
    ("X-KERN", "correlated inputs"): Verdict.CONDITIONAL,
}
ONE, HALF = Fraction(1), Fraction(1, 2)


def name(value: object) -> str:
    return value.name if isinstance(value, Clause) else value.id if isinstance(value, Claim) else str(value)


@pytest.mark.parametrize("claim", CLAIMS, ids=name)
def test_verdicts(claim: Claim) -> None:
    report = verify(claim, level="simulation", seed=1)
    found = {clause.clause.name: clause.verdict for clause in report.clauses}
    assert found == {clause.name: FALSE.get((claim.id, clause.name), Verdict.HOLDS) for clause in claim.clauses}
    rejected, tried = report.controls_rejected
    assert rejected == tried > 0
    for clause in report.clauses:
        counterexample = clause.counterexample
        assert (counterexample is not None) is ((claim.id, clause.clause.name) in FALSE)
        if counterexample is not None:
            assert counterexample.reproduced
            assert counterexample.excluded is (None if clause.clause.condition is None else True)
            assert not any("." in text for _, text in counterexample.instance)


@pytest.mark.parametrize(
    ("claim", "clause", "instance"),
    [
        ("C-ALG1", "shapes", (("k", "2"),)),
        ("C-ALG1", "line 4", (("C", "(1)"),)),
        ("C-ALG1", "real root", (("C", "(1)"),)),
        ("C-GSC", "percentage", (("first gradient", "(1)"), ("second gradient", "(0)"))),
        ("C-E17", "layer variance", (("pixels", "2"), ("r", "1"), ("correlation of inputs", "0"))),
        ("C-ALPHA", "a correlation matrix", (("pixels", "2"), ("r", "1"), ("alpha", "3/2"))),
        ("X-KERN", "more uniform", (("pixels", "2"), ("r", "-1/2"), ("mu", "1"), ("smaller mu", "0"))),
        ("X-KERN", "correlated inputs", (("neighbours", "1/2"), ("ends", "0"), ("mu", "1"), ("i", "2"), ("j", "0"))),
    ],
)
def test_smallest_counterexamples(claim: str, clause: str, instance: tuple[tuple[str, str], ...]) -> None:
    whole, part = next((a, b) for a, b in CASES if (a.id, b.name) == (claim, clause))
    (report,) = verify(replace(whole, clauses=(part,)), level="symbolic").clauses
    assert report.counterexample is not None
    assert report.counterexample.instance == instance


def negated(statement: sp.Basic) -> sp.Basic:
    """An equation off by one, an inequality turned round, a part of a conjunction or an equivalence negated."""
    if isinstance(statement, sp.Implies):
        return sp.Implies(statement.args[0], negated(statement.args[1]))
    if isinstance(statement, sp.And):
        return sp.And(negated(statement.args[0]), *statement.args[1:])
    if isinstance(statement, sp.Equality):
        return sp.Eq(statement.lhs, statement.rhs + 1)
    if isinstance(statement, sp.Equivalent):
        return sp.Equivalent(statement.args[0], sp.Not(statement.args[1]))
    return sp.Not(statement)


@pytest.mark.parametrize(("claim", "clause"), CASES, ids=name)
def test_a_wrong_derivation_is_noticed(claim: Claim, clause: Clause) -> None:
    """A slip in the derivation's result and in what is said to be true: the simulator and the search must object."""
    proof = clause.derivation()
    wrong = replace(proof, result=tuple(negated(part) for part in proof.result), definitions=())
    twisted = replace(clause, derivation=lambda: wrong)
    twisted = (
        replace(twisted, corrected=negated(clause.corrected))
        if clause.corrected is not None
        else replace(twisted, printed=negated(clause.printed), condition=clause.condition)
    )
    verdict = verify(replace(claim, clauses=(twisted,)), level="simulation").verdict
    assert verdict in (Verdict.INCONCLUSIVE, Verdict.REFUTED)


@pytest.mark.parametrize(("p", "r"), [(1, 0), (2, HALF), (2, -HALF), (2, -1), (4, HALF), (4, 1), (3, 0)])
def test_sign_laws_have_the_correlation_asked_for(p: int, r: Fraction) -> None:
    law = sign_laws.sign_law(p, Fraction(r))
    assert sum(weight for weight, _ in law) == 1
    assert {abs(v) for _, x in law for v in x} == {1}
    assert all(any(w == u and tuple(-v for v in y) == x for u, y in law) for w, x in law)
    moments = sign_laws.second_moments(law)
    assert all(moments[t][u] == (1 if t == u else r) for t in range(p) for u in range(p))


def test_sign_laws_refuse_what_they_cannot_make() -> None:
    with pytest.raises(ValueError, match="r must not be negative for p > 2, got -1/2"):
        sign_laws.sign_law(3, -HALF)


@pytest.mark.parametrize("padding", ["circular", "zero"])
def test_windows_are_those_of_a_convolution(padding: str) -> None:
    """sum_tu w_t w_u M_tu is the product of the two responses of the filter w."""
    rng = np.random.default_rng(0)
    images, w = rng.normal(size=(2, 1, 3, 4)), rng.normal(size=(3, 3))
    pairs = conv_moments.random_pairs(rng, images.shape, 6)
    net = conv_moments.Net(images, np.eye(9), 1.0, padding, (3, 3), pairs)
    padded = np.pad(images[:, 0], ((0, 0), (1, 1), (1, 1)), mode="wrap" if padding == "circular" else "constant")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    y = np.einsum("bhwij,ij->bhw", windows, w)
    Q = np.einsum("bcij,xckl->bxijkl", images, images)
    found = np.einsum("t,u,tun->n", w.ravel(), w.ravel(), net.window_products(Q))
    assert found == pytest.approx([y[b, *a] * y[c, *d] for b, a, c, d in pairs], abs=1e-12)


def test_instances_reach_the_corners() -> None:
    (rows,) = (o for o in simulated(lags.critical_variance(), 0) if o.values["p"] == 9)
    assert {0.0, 1.0} <= set(rows.values["rho_w"]) & set(rows.values["between"])
    valid = np.concatenate([o.values["valid"] for o in simulated(strengths.strengths(), 0)])
    assert 0.2 < valid.mean() < 0.9
    precision = np.concatenate([o.values["precision"] for o in simulated(shrunk_filters.any_inputs(), 0)])
    assert 0.2 < (precision <= 0).mean() < 0.9


def test_principal_minors_decide_definiteness() -> None:
    assert strengths.determinant([[Fraction(2), ONE], [ONE, Fraction(3)]]) == 5
    for r, valid in ((ONE, True), (-HALF, True), (Fraction(-51, 100), False), (Fraction(101, 100), False)):
        matrix = [[ONE if a == b else r for b in range(3)] for a in range(3)]
        assert strengths.has_no_negative_eigenvalue(matrix) is valid


def test_training_that_switches_samples_off_is_reported() -> None:
    """Very strong L2 moves w along H w0, on which a sample may have another sign."""
    H = np.array([[1.0, -0.9, 0.5], [-0.9, 1.0, -0.6], [0.5, -0.6, 1.0]])
    with pytest.raises(RuntimeError, match=r"a sample became inactive for mu = 50.0: training is not affine"):
        shrunk_filters.trained_covariance(H, 50.0, shrunk_filters.by_descent)


def test_exact_matrices() -> None:
    matrix = [[Fraction(2), ONE], [ONE, Fraction(3)]]
    inverse = shrunk_filters.exact_inverse(matrix)
    assert shrunk_filters.exact_product(matrix, inverse) == [[1, 0], [0, 1]]
    H = np.array([[1.0, 0.5], [0.5, 1.0]])
    exact = shrunk_filters.exact_covariance([[ONE, HALF], [HALF, ONE]], ONE)
    trained = shrunk_filters.trained_covariance(H, 1.0, shrunk_filters.by_descent)
    assert np.abs(trained - np.array(exact, dtype=float)).max() < 1e-9
