"""Every claim without one of its hypotheses, one at a time, wherever the hypothesis is needed.

Only hypotheses that an instance can be tested against are dropped: words alone bind no check. `NOT_NEEDED` are those
without which the statement remains true, and why; these are no falsehoods.
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy.logic.boolalg import Boolean

from tests.attack.soundness.falsehood import Falsehood, Role
from theory.claims import all_claims
from theory.ledger import Clause

_SLOW = "the condition is exact at every rate"
_AT_1 = "at d0 = 1 both sides are 0"
NOT_NEEDED: dict[tuple[str, str, int], str] = {
    ("C-SLOW", "w0 converges faster than wi", 3): "lam (1 + d0^2 + d_i^2) <= 1 gives it, or equality at d_i = 0",
    ("C-L4B", "on the grid", 1): "for w0 <= 0 both sides are false",
    ("X-ACT", "stays all active", 0): "the region lies within the all-active one",
    ("C-ONE", "straight line", 0): "a sample moves w along itself at any rate",
    ("C-CONV", "convergence", 0): "without span the rate is 1, and the distance does not grow",
    ("C-CONV", "convergence", 1): "beyond it the rate is 1 or more, and bounds any subset of samples",
    ("C-ALIGN", "linear rule", 4): _SLOW,
    ("C-ALIGN", "ReLU rule", 3): "all starts stay active, at whatever rate",
    ("C-ALIGN", "length and direction: distance", 2): "the condition gives it, or equality at d_i = 0",
    ("C-ALIGN", "length and direction: loss", 2): _SLOW,
    ("X-DEAD", "p = 2", 2): _AT_1,
    ("X-DEAD", "p = 3", 2): _AT_1,
    ("C-ZIG", "zig-zag is slow, full batch", 3): "an error of zero stays zero: 0 <= 0",
    ("C-ZIG", "least along w*", 3): "along an eigenvector no coordinate ever changes sign, positive or not",
    ("C-L2", "distance, first update", 3): "an identity in lam",
    ("C-E10", "roughly proportional", 1): "the condition bounds the radius",
    ("C-E10", "roughly proportional", 2): "the condition is homogeneous in the error",
    ("C-E10", "fewer active, slower", 1): "the condition holds the radius in its margin",
    ("C-HALF", "as in Eqs. (13) to (16)", 2): "symmetric weights halve the first response as well",
    ("X-KERN", "correlated inputs", 1): "inputs with an M-matrix for H^-1 are not negatively correlated",
    ("S-BBN", "signs", 0): "the condition mean gamma > 0 gives it",
    ("C-CIII", "from Theorem 1", 4): "any two starts have equally many sign changes",
}

WHERE: dict[tuple[str, str, int], str] = {
    ("C-ALPHA", "at 3/2", 1): "alpha = 1",
    ("C-E12", "independent", 0): "Y = X in {0, 1}: Var(X^2) = Var(X)",
    ("C-E13", "Eq. (11)", 1): "different weights",
    ("C-E13", "Eq. (12)", 2): "different inputs",
    ("C-E15", "equation", 2): "correlated weights",
    ("C-E3", "", 2): "without all-active: a dead filter does not move",
    ("C-E5", "", 1): "without w.X > 0 the gradient is 0, at the kink too",
    ("C-GAP", "", 2): "a dead filter does not move",
    ("C-L2", "distance, long run", 2): "mean_1 = 0: no shift, no change",
    ("C-L3", "gradient", 0): "an inactive sample",
    ("C-L4A", "", 0): "a filter that lives",
    ("C-SLOW", "small d_i", 2): "inactive samples",
    ("S-E15", "affine", 0): "batch statistics",
    ("S-REACH", "one direction", 1): "sigma above the band of the product",
    ("X-ACT", "invariant at any stable rate", 0): "lam (1 + d0^2) = 2 throws w0 out",
    ("X-ACT", "invariant at slow rates", 0): "at 1/2 < lam (1 + d0^2) < 1, w0 overshoots",
    ("X-ACT", "leaves", 1): "a dead filter stays dead; it never was in the trap",
    ("X-ACT", "never comes back", 1): "too large a rate throws it back",
    ("X-ANY", "fewer samples", 0): "samples that are off",
    ("X-DEAD", "mirror", 1): "w = 0: dead, and so is -w",
    ("X-FLIP", "coordinate 0 first", 3): "w0 = w0* already",
    ("X-FLIP", "drawn with replacement", 2): "a large rate turns residuals round",
    ("X-FLIP", "independent of the start", 3): "g_j = 0 at one",
    ("X-FLIP", "one sample, then another", 2): "full batch",
    ("X-LOSS", "crossing", 4): "r = 0",
    ("X-VAR", "equal correlations", 1): "correlations that differ",
}
"""At which instance, or for what reason, where it is worth saying."""


def _reading(clause: Clause) -> tuple[Boolean, Role]:
    if clause.corrected is not None:
        return clause.corrected, "correction"
    return (clause.printed, "printed") if clause.condition is None else (clause.condition, "condition")


def _dropped() -> Iterator[Falsehood]:
    for claim in all_claims().values():
        for clause in claim.clauses:
            for place, hypothesis in enumerate(clause.hypotheses):
                if hypothesis.statement is None or (claim.id, clause.name, place) in NOT_NEEDED:
                    continue
                statement, as_ = _reading(clause)
                where = WHERE.get((claim.id, clause.name, place), "nothing says so")
                why = f"without that {hypothesis.text}: {where}"
                yield Falsehood(claim.id, clause.name, "hypothesis", statement, why, as_, (place,))


FALSEHOODS = tuple(_dropped())
