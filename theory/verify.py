"""Running a claim's checks: the same few checks for every clause, each with its controls.

symbolic: the derivation's steps are proven anew and the statement must follow from its result.
exact search: exact instances, smallest first, until one violates the statement; the simulator must reproduce it.
simulation, layer: the statement must hold within tolerance on random instances observed by that route.
recorded runs, for an empirical clause: the statement is judged on confidence intervals over seeds (level cnn).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

from theory.derivation import Derivation
from theory.experiment import Experiment, Measured, NotMeasured, Observation, Study
from theory.intervals import CONFIDENCE, PLACEBO_CONFIDENCE, decide, measurements
from theory.ledger import (
    LEVELS,
    Claim,
    Clause,
    ClauseReport,
    Control,
    Evidence,
    Kind,
    Level,
    Reading,
    Report,
)
from theory.search import Outcome, agreement, exact_search

FEWEST = 3
"""Seeds without which nothing is decided: two have no spread to speak of."""


@dataclass(frozen=True)
class Check:
    """A check of a clause: `run` judges a statement under premises; `rejects` reads from its outcome a rejection.

    `placebo`, on recorded runs: the same where there is nothing to find.
    """

    name: str
    kind: Kind
    run: Callable[[Boolean, tuple[Boolean, ...]], Outcome]
    seed: int | None = None
    placebo: Callable[[Boolean, tuple[Boolean, ...]], Outcome] | None = None

    def judge(self, control: Control, premises: tuple[Boolean, ...]) -> Outcome:
        """What the check says of a control."""
        run = self.placebo if control.placebo and self.placebo is not None else self.run
        return run(control.statement, premises)

    def rejects(self, control: Control, outcome: Outcome) -> bool | None:
        """Whether the check rejects a control; None if there were no recorded runs to try it on.

        A placebo must not be certified; anything else must be found false.
        """
        if self.kind == "data" and not outcome.measured:
            return None
        if control.placebo:
            return outcome.passed is not True
        return outcome.passed is (self.kind == "counterexample")


def verify(claim: Claim, *, level: Level = "cnn", seed: int = 0, records: str | None = None) -> Report:
    """Gather the evidence on every clause of a claim.

    level: "symbolic" (derivation and exact search), "simulation" (also the simulator), "cnn" (also real layers, and
    recorded runs for empirical clauses, which the other levels leave undecided).
    seed: non-negative; each experiment and route draws from its own stream of it.
    records: the folder with the recorded runs of one's own; without, the tables of the package are judged.
    Raises ValueError for an unknown level or a negative seed.
    """
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, got {level!r}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be an integer >= 0, got {seed!r}")
    start = time.perf_counter()
    clauses = tuple(
        clause_report(clause, checks_of(clause, level=level, seed=seed, records=records)) for clause in claim.clauses
    )
    return Report(claim, clauses, level, time.perf_counter() - start)


def checks_of(clause: Clause, *, level: Level, seed: int, records: str | None = None) -> list[Check]:
    """The checks that a level asks of a clause."""
    if clause.study is not None:
        return [recorded(clause.study(), records) if level == "cnn" else NOT_ASKED]
    assert clause.experiment is not None
    experiment, derivation = clause.experiment(), clause.derivation()
    checks = [Check("derivation", "symbolic", lambda s, premises: _symbolic(derivation, s, premises))]
    if experiment.exact is not None:
        route = experiment.exact
        checks.append(
            Check(
                "exact search",
                "counterexample",
                lambda s, premises: exact_search(route, experiment.observe, s, premises, clause.condition),
            )
        )
    if level != "symbolic":
        checks.append(Check("simulator", "simulation", _bound(simulated(experiment, seed)), seed))
    if level == "cnn" and experiment.layer is not None:
        checks.append(Check("layer", "cnn", _bound(layered(experiment, seed)), seed))
    return checks


def recorded(study: Study, records: str | None) -> Check:
    """The check of an empirical clause on recorded runs."""
    measured = study_of(study, records)

    def run(statement: Boolean, _: tuple[Boolean, ...]) -> Outcome:
        return measured if isinstance(measured, Outcome) else on_intervals(measured, statement, CONFIDENCE)

    def placebo(statement: Boolean, _: tuple[Boolean, ...]) -> Outcome:
        if isinstance(measured, Outcome):
            return measured
        exchanged = {name: sample.exchanged() for name, sample in measured.samples.items()}
        return on_intervals(replace(measured, samples=exchanged), statement, PLACEBO_CONFIDENCE)

    return Check("recorded runs", "data", run, placebo=placebo)


_NOT_ASKED = Outcome(None, 0, None, None, "not checked at this level: recorded training runs judge it (--level cnn)")
NOT_ASKED = Check("recorded runs", "data", lambda statement, premises: _NOT_ASKED)
"""What a level below cnn says of an empirical clause."""


def study_of(study: Study, records: str | None) -> Measured | Outcome:
    """What a study measures on recorded runs; an undecided outcome that says why if they do not hold what it needs."""
    try:
        return study.measure(records)
    except NotMeasured as missing:
        return Outcome(None, 0, None, None, f"not measured: {missing}")


def on_intervals(measured: Measured, statement: Boolean, confidence: float) -> Outcome:
    """A statement judged on the intervals of its symbols; never decided by fewer than `FEWEST` seeds."""
    # a control may be a plain false: it too is judged on all that was measured
    asked = statement if statement.free_symbols else sp.And(*(sp.Ge(sp.Symbol(n), 0) for n in measured.samples))
    sizes = [len(measured.samples[str(symbol)].values) for symbol in asked.free_symbols]
    fewest = min(sizes, default=0)
    if fewest < FEWEST:
        return Outcome(None, fewest, None, None, f"needs {FEWEST} {measured.units} or more, got {fewest}")
    effects = measurements(asked, measured, confidence=confidence)
    passed = decide(statement, {effect.symbol: (effect.low, effect.high) for effect in effects})
    shown = "; ".join(f"{e.symbol} = {e.estimate:.3g} in [{e.low:.3g}, {e.high:.3g}]" for e in effects)
    detail = f"{shown} at {confidence:.0%} together, {fewest} {measured.units}; {measured.data}"
    return Outcome(passed, fewest, None, None, detail, measured=effects)


@lru_cache(maxsize=64)
def simulated(experiment: Experiment, seed: int) -> tuple[Observation, ...]:
    """What the simulator shows on the experiment's random instances; the same for every statement judged on them."""
    rng = np.random.default_rng([seed, 0, *experiment.name.encode()])
    return tuple(experiment.observe(batch) for batch in experiment.sample(rng))


@lru_cache(maxsize=64)
def layered(experiment: Experiment, seed: int) -> tuple[Observation, ...]:
    """What the layers show on random instances of their own."""
    if experiment.layer is None:
        raise ValueError(f"experiment {experiment.name!r} has no route through a layer")
    rng = np.random.default_rng([seed, 1, *experiment.name.encode()])
    return tuple(experiment.layer(batch) for batch in (experiment.layer_sample or experiment.sample)(rng))


def _bound(observations: Sequence[Observation]) -> Callable[[Boolean, tuple[Boolean, ...]], Outcome]:
    return lambda statement, premises: agreement(observations, statement, premises)


def clause_report(clause: Clause, checks: Sequence[Check]) -> ClauseReport:
    """The evidence that these checks find on a clause: on each reading that it offers, and on every control."""
    readings: list[tuple[Reading, Boolean, tuple[Boolean, ...]]] = [("printed", clause.printed, clause.needed)]
    if clause.corrected is not None:
        readings.append(("corrected", clause.corrected, clause.needed))
    if clause.condition is not None:
        readings.append(("conditional", clause.printed, (*clause.needed, clause.condition)))
    evidence = [
        _evidence(check, check.run(statement, premises), about)
        for about, statement, premises in readings
        for check in checks
    ]
    premises = clause.needed if clause.condition is None else (*clause.needed, clause.condition)
    controls = [
        _control(check, control, premises) for check in checks if check is not NOT_ASKED for control in clause.controls
    ]
    return ClauseReport(clause, (*evidence, *controls), clause.derivation().used)


def _evidence(check: Check, outcome: Outcome, about: Reading) -> Evidence:
    return Evidence(
        kind=check.kind,
        passed=outcome.passed,
        trials=outcome.trials,
        max_error=outcome.max_error,
        tolerance=outcome.tolerance,
        seed=check.seed,
        detail=outcome.detail,
        check=check.name,
        about=about,
        counterexample=outcome.counterexample,
        measured=outcome.measured,
    )


def _control(check: Check, control: Control, premises: tuple[Boolean, ...]) -> Evidence:
    outcome = check.judge(control, premises)
    rejected = check.rejects(control, outcome)
    found = "not tried" if rejected is None else "rejected" if rejected else "FOOLED THE CHECK"
    return Evidence(
        kind="control",
        passed=rejected,
        trials=outcome.trials,
        max_error=outcome.max_error,
        tolerance=outcome.tolerance,
        seed=check.seed,
        detail=f"{control.name}: {found}",
        check=check.name,
    )


def _symbolic(derivation: Derivation, statement: Boolean, premises: tuple[Boolean, ...]) -> Outcome:
    count = len(derivation.steps)
    if count == 0:
        return Outcome(False, 0, None, None, "the derivation has no steps")
    failing = _unconfirmed(derivation)
    if failing:
        return Outcome(False, count, None, None, failing[0])
    passed = derivation.entails(statement, premises)
    way = "substituted from its definitions" if derivation.definitions else "argued from them"
    detail = f"{count} steps proven, the result {way}; the statement {'follows' if passed else 'does not follow'}"
    return Outcome(passed, count, None, None, detail)


@lru_cache(maxsize=256)
def _unconfirmed(derivation: Derivation) -> tuple[str, ...]:
    """What algebra does not confirm of a derivation, whatever statement is to follow from it."""
    steps = [f"step not confirmed: {step.text}" for step in derivation.failing_steps()]
    return (*steps, *(f"result not confirmed: {part}" for part in derivation.ungrounded()))
