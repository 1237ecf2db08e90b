"""A toy for the machinery of the ledger: y = x^2, observed by squaring. Statements speak of x and y."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import sympy as sp

from theory.derivation import Derivation, Step
from theory.experiment import ExactRoute, Experiment, Observation
from theory.ledger import Claim, Clause, Control

x, y = sp.symbols("x y", real=True)
t = sp.Symbol("t", nonnegative=True)
TOLERANCE = 1e-12
EXACT = [Fraction(n, d) for d in (1, 2) for n in (0, 1, -1, 3, -3)]
OUTSIDE = sp.Or(x <= 0, x >= 1)


def sample(rng):
    yield rng.uniform(-2.0, 2.0, size=200)
    yield rng.uniform(1.0, 3.0, size=50)


def square(x_values):
    return x_values**2


def experiment(observed=square, exact=square, *, tolerance=TOLERANCE, draw=sample, candidates=EXACT, layer=square):
    """The toy's experiment, with any of its routes replaced by a stub."""

    def route(f):
        return lambda batch: Observation({"p": 1, "x": batch, "y": f(batch)}, tolerance)

    rational = ExactRoute(
        candidates=lambda: candidates,
        observe=lambda v: {} if exact(v) is None else {"p": 1, "x": v, "y": exact(v)},
        describe=lambda v: (("x", str(v)),),
        lower=lambda v: np.array([float(v)]),
    )
    return Experiment("toy", draw, route(observed), rational, route(layer))


def derivation(*steps, result=None):
    """What is true of the toy."""
    given = (
        Step("a square", x**2 >= 0),
        Step("beyond 1, with x = 1 + t", (1 + t) ** 2 - (1 + t) >= 0, certificate=t + t**2),
        Step("below 0, with x = -t", (-t) ** 2 - (-t) >= 0, certificate=t + t**2),
    )
    true = (sp.Eq(y, x**2), y >= 0, sp.Implies(OUTSIDE, y >= x))
    return Derivation(true if result is None else result, ("x is real",), steps or given)


WRONG = (Control("half", sp.Eq(y, x**2 / 2)), Control("sign", y <= -1))


def claim(printed, *, run=None, derive=None, controls=WRONG, **changes):
    """A claim on the toy, with the rest of its clause as given."""
    made, proof = run or experiment(), derive or derivation()
    clause = Clause("the toy", printed, lambda: made, lambda: proof, controls, **changes)
    return Claim("T-TOY", "this test", "a statement on squares", (clause,))


NON_NEGATIVE = claim(y >= 0)
ABOVE = claim(y >= x)
ABOVE_OUTSIDE = claim(y >= x, condition=OUTSIDE)
FALSE_CLAIM = sp.Eq(y, 2 * x)
DOUBLE = claim(FALSE_CLAIM)
DOUBLE_CORRECTED = claim(FALSE_CLAIM, corrected=sp.Eq(y, x**2))


def told(result, *steps):
    """A derivation that just says so, or by these steps."""
    return derivation(*steps, result=result)
