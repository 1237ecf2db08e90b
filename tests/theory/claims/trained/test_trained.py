"""The claims on trained networks, on records with planted effects: found, not found, turned round, incomplete."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.reference import training
from theory.claims.trained import bounded, correlated, filters
from theory.display import row
from theory.ledger import Claim, Clause, Report, Verdict
from theory.serialise import report_record
from theory.verify import verify

CLAIMS: tuple[Claim, ...] = (*filters.CLAIMS, *correlated.CLAIMS, *bounded.CLAIMS)
CLAUSES = [(claim, clause) for claim in CLAIMS for clause in claim.clauses if clause.empirical]
IDS = [f"{claim.id} {clause.name}" for claim, clause in CLAUSES]
DERIVED = {"from Theorem 1": Verdict.CORRECTED}


def folder(tmp_path_factory, effect, **more):
    place = tmp_path_factory.mktemp("runs")
    every = itertools.chain(training.initialization(effect, **more), training.bounding(effect, **more))
    return training.stored(place, every)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return folder(tmp_path_factory, 1.0)


@pytest.fixture(scope="module")
def reversed_(tmp_path_factory):
    return folder(tmp_path_factory, -1.0)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory):
    return folder(tmp_path_factory, 0.0)


@pytest.fixture(scope="module")
def two_seeds(tmp_path_factory):
    return folder(tmp_path_factory, 1.0, seeds=2)


def of(claim: Claim, clause: Clause, records: str) -> Report:
    return verify(Claim(claim.id, claim.source, claim.statement, (clause,)), records=records)


@pytest.mark.parametrize(("claim", "clause"), CLAUSES, ids=IDS)
def test_planted_effects_are_found(claim, clause, planted):
    report = of(claim, clause, planted)
    assert report.verdict == Verdict.SUPPORTED, report.clauses[0].evidence
    rejected, tried = report.controls_rejected
    assert rejected == tried >= 2


# what holds whatever the effect: the kernel's bound is planted, and BBN's effect in a plain network is its absence
EITHER_WAY = {"ConvNet, BBN", "too large", "too small"}


@pytest.mark.parametrize(("claim", "clause"), CLAUSES, ids=IDS)
def test_reversed_effects_are_not_supported(claim, clause, reversed_):
    if clause.name in EITHER_WAY:
        return
    verdict = of(claim, clause, reversed_).verdict
    # a control may hold where everything is turned round; then nothing is certified
    assert verdict in (Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE)
    if claim.id.startswith("C-") and not clause.name.startswith("positive"):
        assert verdict == Verdict.UNSUPPORTED


PAIRED = [(c, k) for c, k in CLAUSES if any(control.placebo for control in k.controls) and k.name not in EITHER_WAY]


def test_without_effects_nearly_nothing_is_found(nothing):
    # the false alarms of one statement are five in a hundred, either way
    verdicts = [of(claim, clause, nothing).verdict for claim, clause in PAIRED]
    assert len(PAIRED) > 20
    assert sum(verdict != Verdict.INCONCLUSIVE for verdict in verdicts) <= 4


@pytest.mark.parametrize(("claim", "clause"), CLAUSES, ids=IDS)
def test_two_seeds_decide_nothing(claim, clause, two_seeds):
    report = of(claim, clause, two_seeds)
    assert report.verdict == Verdict.INCONCLUSIVE
    assert "needs 3 seeds or more, got 2" in report.clauses[0].evidence[0].detail
    assert not row(report_record(report), 0.0).undecided


@pytest.mark.parametrize(("claim", "clause"), CLAUSES, ids=IDS)
def test_missing_arms_are_named(claim, clause, tmp_path):
    lonely = training.stored(tmp_path, iter([training.record(init="kaiming", learning_rate=0.7)]))
    report = of(claim, clause, lonely)
    assert report.verdict == Verdict.INCONCLUSIVE
    assert report.clauses[0].evidence[0].detail.startswith("not measured: no run of '")


def test_nan_is_refused(tmp_path):
    spoiled = training.record()
    spoiled["epochs"][-1]["test_accuracy"] = float("nan")
    (tmp_path / "run.json").write_text(json.dumps(spoiled))
    with pytest.raises(ValueError, match=r"run\.json': it is no strict JSON \(NaN is no number\)"):
        verify(correlated.CI, records=str(tmp_path))


def gains_of_scale(folder, helped):
    """What the clauses of C-CI measure where accuracy depends on the scale of the weights, never on correlation."""

    def scaled(each):
        for epoch in each["epochs"]:
            epoch["test_accuracy"] += 0.05 * helped(each["settings"])
        return each

    records = training.stored(folder, map(scaled, training.initialization(0.0, noise=0.001)))
    return {part.clause.name: part.evidence[0].measured[0] for part in verify(correlated.CI, records=records).clauses}


def test_correlation_is_told_apart_from_gain(tmp_path):
    """Accuracy that comes of a larger gain shows in equal variance, not in equal gain."""
    gains = gains_of_scale(tmp_path, lambda settings: settings["scale"] == "he" or settings["gain"] > 1)
    assert gains["small rate, equal variance"].low > 0.045
    for name in ("small rate", "large rate", "small rate, equal larger gain"):
        assert gains[name].high < 0.005


def test_correlation_is_told_apart_from_variance(tmp_path):
    """Accuracy that comes of smaller weights shows in equal gain, not in equal variance."""

    def small(settings):
        sampled = settings["init"] == "correlated" and settings["scale"] == "sum"
        return sampled or settings["gain"] < 1

    gains = gains_of_scale(tmp_path, small)
    for name in ("small rate", "large rate"):
        assert gains[name].low > 0.045
    for name in ("small rate, equal variance", "small rate, equal smaller variance"):
        assert gains[name].high < 0.005


@pytest.mark.parametrize("level", ["symbolic", "simulation"])
def test_zig_zag_does_not_follow_from_theorem_1(level):
    report = verify(correlated.CIII, level=level)
    (part,) = (part for part in report.clauses if part.clause.name == "from Theorem 1")
    assert part.verdict == Verdict.CORRECTED
    found = part.counterexample
    assert found is not None
    assert found.reproduced
    assert dict(found.instance)["lam"] == "1/4"
    assert found.actual == "gsc_other = 0, gsc + 1/(2*p) = 1/4"


def test_effects_say_on_what_data(planted):
    (part, *_) = verify(correlated.CI, records=planted).clauses
    (effect,) = part.evidence[0].measured
    assert effect.data == "VGG-8 at width 0.25, 1,000 images of CIFAR-10, 5 epochs"
    assert (effect.n, effect.units) == (5, "seeds")
    assert effect.estimate == pytest.approx(0.13, abs=0.02)
