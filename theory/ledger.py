"""Claims, evidence and verdicts, and the one rule that turns evidence into a verdict.

A claim is data. It has one or more clauses; a clause is a SymPy statement over the parameters of an instance and
the quantities observed on it, as printed, with (where the printed one fails) the corrected statement or the further
condition under which it holds. Nothing here knows how a statement is derived or observed: `theory.verify` runs the
checks, and `judge` reads nothing but the evidence that they return.

An empirical clause is judged from recorded runs instead: its symbols are samples over seeds, and its statement is
true or false where it is so for every value in their confidence intervals (`theory.intervals`), else undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sympy import Basic
    from sympy.logic.boolalg import Boolean

    from theory.derivation import Derivation
    from theory.experiment import Experiment, Study

Kind = Literal["symbolic", "simulation", "counterexample", "cnn", "control", "data"]
Reading = Literal["printed", "corrected", "conditional"]
Level = Literal["symbolic", "simulation", "cnn"]
LEVELS: tuple[Level, ...] = ("symbolic", "simulation", "cnn")


class Verdict(StrEnum):
    """What the evidence says of a claim (DESIGN, "The ledger"), worst first: a claim is as good as its worst clause."""

    INCONCLUSIVE = "inconclusive"
    REFUTED = "refuted"
    UNSUPPORTED = "unsupported"
    CORRECTED = "corrected"
    CONDITIONAL = "conditional"
    SUPPORTED = "supported"
    HOLDS = "holds"


@dataclass(frozen=True)
class Counterexample:
    """An exact instance at which the printed statement is false.

    `instance` names the parameters and the exact values (rationals as strings); `printed` and `actual` are what the
    statement says there and what exact arithmetic gives; `reproduced` is whether the float64 simulator shows the same
    failure; `excluded` whether the further condition of a `conditional` clause rules the instance out.
    """

    instance: tuple[tuple[str, str], ...]
    printed: str
    actual: str
    reproduced: bool
    excluded: bool | None = None


@dataclass(frozen=True)
class Measurement:
    """An effect with its interval: what recorded runs say of one symbol.

    estimate: the mean over n units (seeds); low, high: its confidence interval; data: which runs.
    """

    symbol: str
    what: str
    estimate: float
    low: float
    high: float
    confidence: float
    n: int
    units: str
    data: str


@dataclass(frozen=True)
class Evidence:
    """What one check found. `passed` is None where the check could not decide.

    For `counterexample`, `passed` says that one was found; for `control`, that the check rejected the wrong statement
    (None: that it could not be tried). `measured`, for `data`: the effects that the statement was judged by.
    """

    kind: Kind
    passed: bool | None
    trials: int
    max_error: float | None
    tolerance: float | None
    seed: int | None
    detail: str
    check: str = ""
    about: Reading = "printed"
    counterexample: Counterexample | None = None
    measured: tuple[Measurement, ...] = ()


@dataclass(frozen=True)
class Control:
    """A statement that is wrong on purpose; every check of its clause must reject it.

    placebo: the statement is judged on samples in which what is compared was exchanged in every other pair, so that
    there is nothing to find. It need not be refuted, but must not be certified.
    """

    name: str
    statement: Boolean
    placebo: bool = False


@dataclass(frozen=True)
class Hypothesis:
    """A hypothesis in words, and as a SymPy statement where an instance can be tested against it."""

    text: str
    statement: Boolean | None = None


def nothing_derived() -> Derivation:
    """The derivation of an empirical clause: no result, no steps."""
    from theory.derivation import Derivation

    return Derivation((), (), ())


@dataclass(frozen=True)
class Clause:
    """One checkable statement of a claim.

    `printed` is a SymPy statement that must hold at every instance which satisfies `hypotheses`. Free symbols `i` and
    `j` are indices and are read as "for every i in 1..p-1" and "for every j in 0..p-1". `corrected` replaces a printed
    statement that is false; `condition` is a further hypothesis under which it is true; a clause declares at most one
    of the two, and neither where the statement is expected to hold or fail.

    A clause is either derived, and has an `experiment` and a `derivation`, or empirical, and has a `study`. One
    control of an empirical clause at least is no placebo: it claims an effect so large that the study must refute it
    outright, which no empty and no noisy study can.
    Raises ValueError for a clause that is put together in another way.
    """

    text: str
    printed: Boolean
    experiment: Callable[[], Experiment] | None = None
    derivation: Callable[[], Derivation] = nothing_derived
    controls: tuple[Control, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    corrected: Boolean | None = None
    condition: Boolean | None = None
    name: str = ""
    study: Callable[[], Study] | None = None

    def __post_init__(self) -> None:
        who = f"clause {self.name or self.text!r}"
        if self.corrected is not None and self.condition is not None:
            raise ValueError(f"{who} must declare `corrected` or `condition`, not both")
        if not self.controls:
            raise ValueError(f"{who} must have at least one control")
        derived = self.experiment is not None and self.derivation is not nothing_derived
        if self.study is None and not derived:
            raise ValueError(f"{who} must have an `experiment` and a `derivation`, or a `study`")
        if self.study is None and any(control.placebo for control in self.controls):
            raise ValueError(f"{who} must have a `study` to have a placebo")
        if self.study is None:
            return
        if self.experiment is not None or self.derivation is not nothing_derived:
            raise ValueError(f"{who} must have a `study` or a `derivation`, not both; a claim may have clauses of both")
        if self.corrected is not None or self.condition is not None or self.needed:
            raise ValueError(f"{who} must go without correction, condition and formal hypotheses: data judge the print")
        if all(control.placebo for control in self.controls):
            raise ValueError(f"{who} must have a control that is no placebo")

    @property
    def empirical(self) -> bool:
        """Whether recorded runs judge this clause, not a derivation."""
        return self.study is not None

    @property
    def true_statement(self) -> Boolean:
        """What the derivation says is true: the corrected statement if there is one, else the printed one."""
        return self.printed if self.corrected is None else self.corrected

    @property
    def needed(self) -> tuple[Boolean, ...]:
        """The hypotheses that can be tested on an instance."""
        return tuple(h.statement for h in self.hypotheses if h.statement is not None)


@dataclass(frozen=True)
class Claim:
    """A statement of a paper, with its id, where it is printed, and the clauses that make it checkable."""

    id: str
    source: str
    statement: str
    clauses: tuple[Clause, ...]
    note: str = ""

    @property
    def hypotheses(self) -> tuple[str, ...]:
        """The hypotheses of all clauses, as stated, without repetition."""
        return tuple(dict.fromkeys(h.text for clause in self.clauses for h in clause.hypotheses))

    @property
    def empirical(self) -> bool:
        """Whether some clause needs recorded runs to be judged."""
        return any(clause.empirical for clause in self.clauses)


@dataclass(frozen=True)
class ClauseReport:
    """A clause with the evidence that was gathered for it."""

    clause: Clause
    evidence: tuple[Evidence, ...]
    used: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return judge(self.evidence)

    @property
    def counterexample(self) -> Counterexample | None:
        return next((e.counterexample for e in self.evidence if e.kind == "counterexample" and e.passed), None)


@dataclass(frozen=True)
class Report:
    """A claim with its clauses' evidence; the verdict is computed, never stored."""

    claim: Claim
    clauses: tuple[ClauseReport, ...]
    level: Level
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        return combine(report.verdict for report in self.clauses)

    @property
    def controls_rejected(self) -> tuple[int, int]:
        """How many controls were rejected, and how many were tried."""
        controls = [e for report in self.clauses for e in report.evidence if e.kind == "control"]
        return sum(e.passed is True for e in controls), len(controls)


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on a conjunction: the worst of its clauses' verdicts; no clause at all is inconclusive."""
    order = list(Verdict)
    return min(verdicts, key=order.index, default=Verdict.INCONCLUSIVE)


def judge(evidence: Sequence[Evidence]) -> Verdict:
    """The rule: from the evidence on one clause to its verdict.

    Inconclusive unless every check has a control and every control was rejected. Then, without a counterexample,
    `holds` if every check of the printed statement passed, one of them symbolic (empirical data alone can only make it
    `supported` or `unsupported`, and leave it inconclusive where their intervals do not decide). With a counterexample
    (exact, reproduced by the simulator) the printed statement must also have failed a check, and must not have been
    derived: two routes of our own that disagree decide nothing.
    It is `corrected` or `conditional` if the corrected statement, or the printed one under a condition that excludes
    the counterexample, passed every check, and `refuted` if neither was proposed.
    """
    if not _controls_reject(evidence):
        return Verdict.INCONCLUSIVE
    readings = {reading: _checks(evidence, reading) for reading in ("printed", "corrected", "conditional")}
    printed = readings["printed"]
    found = [e for e in evidence if e.kind == "counterexample" and e.passed]
    if any(e.about != "printed" for e in found):
        return Verdict.INCONCLUSIVE
    if not found:
        if printed and all(e.kind == "data" for e in printed):
            return _empirical(printed)
        return Verdict.HOLDS if _all_pass(printed) else Verdict.INCONCLUSIVE
    if any(e.counterexample is None or not e.counterexample.reproduced for e in found):
        return Verdict.INCONCLUSIVE
    if not any(e.passed is False for e in printed) or any(e.kind == "symbolic" and e.passed for e in printed):
        return Verdict.INCONCLUSIVE
    if readings["corrected"]:
        return Verdict.CORRECTED if _all_pass(readings["corrected"]) else Verdict.INCONCLUSIVE
    if readings["conditional"]:
        excluded = all(e.counterexample is not None and e.counterexample.excluded for e in found)
        return Verdict.CONDITIONAL if excluded and _all_pass(readings["conditional"]) else Verdict.INCONCLUSIVE
    return Verdict.REFUTED


def _checks(evidence: Sequence[Evidence], reading: str) -> list[Evidence]:
    return [e for e in evidence if e.about == reading and e.kind not in ("control", "counterexample")]


def _controls_reject(evidence: Sequence[Evidence]) -> bool:
    controls = [e for e in evidence if e.kind == "control"]
    checks = {e.check for e in evidence if e.kind != "control"}
    return bool(checks) and checks <= {e.check for e in controls} and all(e.passed is True for e in controls)


def _all_pass(checks: Sequence[Evidence]) -> bool:
    return any(e.kind == "symbolic" for e in checks) and all(e.passed is True for e in checks)


def _empirical(data: Sequence[Evidence]) -> Verdict:
    if any(e.passed is None for e in data):
        return Verdict.INCONCLUSIVE
    return Verdict.SUPPORTED if all(e.passed for e in data) else Verdict.UNSUPPORTED


def formula(expression: Basic | None) -> str | None:
    """A formula as the string that SymPy reads back, or None."""
    return None if expression is None else str(expression)
