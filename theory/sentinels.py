"""The gate: small claims whose verdicts are known, judged by the same machinery before anything else is.

The sentinels speak of y = x^2, observed by squaring. There is one for each verdict, and traps: a wrong correction, a
condition that is too weak, a derivation that asserts, a control that is true, a formula off by a millionth. Of each is
known what every check must find, and what the verdict must be. Machinery that is told what to say, a judge with one
answer or a simulator that returns the formula it is asked about, gets some of them wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

from theory.derivation import Derivation, Step, at_least, equal
from theory.experiment import ExactRoute, Experiment, Measured, Observation, Sample, Study
from theory.ledger import Claim, Clause, Control, Hypothesis, Reading, Verdict
from theory.verify import verify


class GateFailed(RuntimeError):
    """The machinery misjudges a claim whose verdict is known: nothing that it says can be relied on."""


Found = tuple[bool | None, ...]
"""What derivation, exact search, simulator and layer say, or recorded runs alone."""
TRUE: Found = (True, False, True, True)
FALSE: Found = (False, True, False, False)


@dataclass(frozen=True)
class Sentinel:
    """A clause, the verdict that it must get, and what each check must find of each reading.

    fooled: whether one of its controls is true on purpose, so that no check can reject it.
    """

    name: str
    verdict: Verdict
    clause: Clause
    found: Mapping[Reading, Found]
    fooled: bool = False


x, y = sp.symbols("x y", real=True)
effect = sp.Symbol("effect", real=True)
_t = sp.Symbol("t", nonnegative=True)
_OUTSIDE = sp.Or(x <= 0, x >= 1)
_SQUARE, _DOUBLE, _TRIPLE = sp.Eq(y, x**2), sp.Eq(y, 2 * x), sp.Eq(y, 3 * x)
_FALSE_STEP = Step("a square is a double", equal(x**2, 2 * x))
_WRONG = (Control("half", sp.Eq(y, x**2 / 2)), Control("sign", y <= -1))
_TOO_LARGE = (Control("too large to be true", effect > 50),)


def _sample(rng: np.random.Generator) -> Iterator[np.ndarray[Any, Any]]:
    yield rng.uniform(-2.0, 2.0, size=20)
    yield rng.uniform(1.0, 3.0, size=20)


def _simulated(values: Any) -> Observation:
    return Observation({"p": 1, "x": values, "y": values**2}, tolerance=1e-12)


def _layered(values: Any) -> Observation:
    return Observation({"p": 1, "x": values, "y": np.einsum("n,n->n", values, values)}, tolerance=1e-12)


@cache
def _squaring() -> Experiment:
    route = ExactRoute(
        candidates=lambda: [Fraction(n, d) for d in (1, 2) for n in (0, 1, -1, 3, -3)],
        observe=lambda value: {"p": 1, "x": value, "y": value * value},
        describe=lambda value: (("x", str(value)),),
        lower=lambda value: np.array([float(value)]),
    )
    return Experiment("the gate: squaring", _sample, _simulated, route, _layered)


@cache
def _lost() -> Experiment:
    def nan(values: Any) -> Observation:
        return Observation({"p": 1, "x": values, "y": values * np.nan}, tolerance=1e-12)

    return Experiment("the gate: nothing but NaN", _sample, nan, _squaring().exact, nan)


@cache
def _derived() -> Derivation:
    return Derivation((_SQUARE, y >= 0), (), (Step("a square", at_least(x**2, sp.Integer(0))),), (_SQUARE,))


@cache
def _outside() -> Derivation:
    steps = (
        Step("beyond 1, x = 1 + t", at_least((1 + _t) ** 2, 1 + _t), certificate=_t + _t**2),
        Step("below 0, x = -t", at_least(_t**2, -_t), certificate=_t + _t**2),
    )
    return Derivation((sp.Implies(_OUTSIDE, y >= x),), (), steps)


@cache
def _asserted() -> Derivation:
    return Derivation((_DOUBLE,), (), (Step("a square", at_least(x**2, sp.Integer(0))),))


@cache
def _stumbled() -> Derivation:
    return Derivation((y >= 0,), (), (_FALSE_STEP,))


@cache
def _ungrounded() -> Derivation:
    return Derivation((_DOUBLE,), (), _derived().steps, (_SQUARE,))


def _clause(printed: Boolean, derivation: Any = _derived, experiment: Any = _squaring, **more: Any) -> Clause:
    return Clause("y is the square of x", printed, experiment, derivation, **{"controls": _WRONG, **more})


def _measured(*values: float) -> Clause:
    def study() -> Study:
        return Study("the gate", lambda _: Measured({"effect": Sample(values, "an effect")}, "made up"))

    placebo = Control("nothing to find", effect > 0, placebo=True)
    return Clause("there is an effect", effect > 0, controls=(*_TOO_LARGE, placebo), study=study)


@cache
def sentinels() -> tuple[Sentinel, ...]:
    """Every sentinel."""
    open_ = Verdict.INCONCLUSIVE
    never = (Hypothesis("never met", x > 100),)
    millionth = sp.Eq(y, x**2 * (1 + sp.Rational(1, 10**6)))
    true = (*_WRONG, Control("true", _SQUARE))
    asserted = (True, True, False, False)
    return (
        Sentinel("a truth", Verdict.HOLDS, _clause(y >= 0), {"printed": TRUE}),
        Sentinel("a falsehood", Verdict.REFUTED, _clause(_DOUBLE), {"printed": FALSE}),
        Sentinel("off by a millionth", Verdict.REFUTED, _clause(millionth), {"printed": FALSE}),
        Sentinel(
            "a correction",
            Verdict.CORRECTED,
            _clause(_DOUBLE, corrected=_SQUARE),
            {"printed": FALSE, "corrected": TRUE},
        ),
        Sentinel(
            "a condition",
            Verdict.CONDITIONAL,
            _clause(y >= x, _outside, condition=_OUTSIDE),
            {"printed": FALSE, "conditional": TRUE},
        ),
        Sentinel(
            "a wrong correction",
            open_,
            _clause(_DOUBLE, corrected=_TRIPLE),
            {"printed": FALSE, "corrected": FALSE},
        ),
        Sentinel(
            "a condition that is too weak",
            open_,
            _clause(y >= x, _outside, condition=2 * x >= 1),
            {"printed": FALSE, "conditional": FALSE},
        ),
        Sentinel("false at one point", open_, _clause(y > 0), {"printed": (False, True, True, True)}),
        Sentinel("a false step", open_, _clause(y >= 0, _stumbled), {"printed": (False, False, True, True)}),
        Sentinel("a mere assertion", open_, _clause(_DOUBLE, _asserted), {"printed": asserted}),
        Sentinel("not what the definitions give", Verdict.REFUTED, _clause(_DOUBLE, _ungrounded), {"printed": FALSE}),
        Sentinel("a control that is true", open_, _clause(y >= 0, controls=true), {"printed": TRUE}, fooled=True),
        Sentinel(
            "no instance", open_, _clause(y >= 0, hypotheses=never), {"printed": (True, False, None, None)}, fooled=True
        ),
        Sentinel("nothing but NaN", open_, _clause(y >= 0, _derived, _lost), {"printed": (True, False, False, False)}),
        Sentinel("an effect", Verdict.SUPPORTED, _measured(1.0, 1.1, 0.9), {"printed": (True,)}),
        Sentinel("its opposite", Verdict.UNSUPPORTED, _measured(-1.0, -1.1, -0.9), {"printed": (False,)}),
        Sentinel("noise", open_, _measured(1.0, -1.0, 0.5, -0.5), {"printed": (None,)}),
        Sentinel("two seeds", open_, _measured(1.0, 1.1), {"printed": (None,)}, fooled=True),
    )


def astray(sentinel: Sentinel) -> str | None:
    """How the machinery misjudges a sentinel, in words; None if it does not."""
    report = verify(Claim("GATE", "this module", sentinel.name, (sentinel.clause,)))
    (part,) = report.clauses
    for reading in ("printed", "corrected", "conditional"):
        checks = [e for e in part.evidence if e.about == reading and e.kind != "control"]
        found, known = tuple(e.passed for e in checks), sentinel.found.get(reading, ())
        if found != known:
            return f"{sentinel.name}: the checks found {found} of what is {reading}, not {known}"
    rejected, tried = report.controls_rejected
    if tried == 0 or (rejected == tried) is sentinel.fooled:
        return f"{sentinel.name}: {rejected} of {tried} controls were rejected"
    if report.verdict != sentinel.verdict:
        return f"{sentinel.name}: the verdict is {report.verdict}, not {sentinel.verdict}"
    return None


@cache
def require_sound() -> None:
    """Judge every sentinel, once in a process. Raises GateFailed if one comes out otherwise than is known."""
    if wrong := next(filter(None, map(astray, sentinels())), None):
        raise GateFailed(f"the machinery misjudges a claim whose verdict is known, so nothing was verified; {wrong}")
