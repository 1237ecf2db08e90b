"""How a claim's statement fares on what was observed at the settings of a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp

from figures.explore.page import Standing, Values
from sim.arrays import FloatArray
from theory.evaluate import residual


def judged(
    claim: str, statement: str, formula: sp.Basic, observed: Mapping[str, Any], tolerance: Any, why: str
) -> Standing:
    """Whether `formula`, as the ledger knows it, holds within the tolerance on every one of the observed instances.

    observed: values of its symbols by name, as for `theory.evaluate.value`. NaN never holds.
    """
    holds = bool(np.all(residual(formula, observed, tolerance) <= tolerance))
    return decided(claim, statement, holds, why)


def decided(claim: str, statement: str, holds: bool, why: str) -> Standing:
    """A statement that was found true or false."""
    return Standing(claim, statement, "holds here" if holds else "fails here", why)


def not_applicable(claim: str, statement: str, why: str) -> Standing:
    """A statement that says nothing at these settings; why says what it would take."""
    return Standing(claim, statement, "not applicable here", why)


def setting(values: Values, name: str) -> float:
    """The number that a control is set to, without the rounding of sliders: 0.30000000000000004 is 0.3."""
    return round(float(values[name]), 9)


def shown(value: float) -> str:
    """A number for a table: four digits, a true minus sign, a dash for what there is not."""
    return f"{value:.4g}".replace("-", "−") if np.isfinite(value) else "–"


def listed(values: FloatArray) -> str:
    """Numbers as Python or a command line reads them back exactly."""
    return ",".join(repr(float(value)) for value in values)
