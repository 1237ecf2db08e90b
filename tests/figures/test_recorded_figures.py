"""Figures of recorded training runs, drawn from records with planted effects."""

from __future__ import annotations

import importlib
import itertools
import sys

import numpy as np
import pytest

import figures.catalogue
from figures.style import encode
from sim.records import parse_run
from tests.reference import training
from theory.ledger import Verdict

NAMES = ("training-curves", "trained-correlation", "trained-spectra", "bounding-curves", "measured-effects")


@pytest.fixture(scope="module")
def drawn():
    """Each figure's module and numbers, read from planted records: the effect is 1 and there is little noise."""
    records = itertools.chain(training.initialization(noise=0.001), training.bounding(noise=0.001))
    runs = tuple(parse_run(record) for record in records)
    names = [figures.catalogue.module_of(name) for name in NAMES]
    kept = {name: sys.modules.pop(name, None) for name in (*names, "figures.recorded")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.records.read_table", lambda preset: runs)
        patch.setattr("theory.claims.observe.trained.read_table", lambda preset: runs)
        patch.setattr(figures.catalogue, "TITLES", {name: f"what {name} finds" for name in NAMES})
        modules = {name: importlib.import_module(figures.catalogue.module_of(name)) for name in NAMES}
        yield {name: (module, module.data()) for name, module in modules.items()}
    for name, module in kept.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_drawn_twice_alike_and_say_how_runs_were_trained(drawn, name):
    module, numbers = drawn[name]
    first, second = (encode(module.draw(numbers), "svg", "title", module.PARAMETERS, module.SEED) for _ in range(2))
    assert first == second
    assert b"0, 1, 2, 3" in first
    figure = module.draw(numbers)
    assert figure.get_suptitle() == f"what {name} finds"
    assert all(axes.get_xlabel() for axes in figure.axes)


def test_curves_are_those_recorded(drawn):
    module, numbers = drawn["training-curves"]
    early = {name: values[:, 0].mean() for name, values in numbers.curves[0.005]["sign_changes"].items()}
    assert early["uncorrelated"] == pytest.approx(0.3, abs=2e-3)
    assert early["correlated, same gain"] == pytest.approx(0.2, abs=2e-3)
    assert numbers.curves[0.1]["test_accuracy"]["uncorrelated"].shape == (5, training.EPOCHS)
    assert module.PARAMETERS["learning rates"] == (0.005, 0.1)


def test_correlations_are_those_recorded(drawn):
    _, numbers = drawn["trained-correlation"]
    assert numbers.layers.tolist() == [1.0, 2.0, 3.0]
    assert numbers.distance.shape == (5, 3, 5)
    assert np.diff(numbers.distance.mean(axis=0)) == pytest.approx(np.full((3, 4), -0.05), abs=2e-3)
    assert numbers.depth["trained"].mean() == pytest.approx(0.2, abs=5e-3)
    assert numbers.depth["trained with L2 of 0.001"].mean() == pytest.approx(0.3, abs=5e-3)
    assert np.all(numbers.before == 0)


def test_spectra_are_split_into_thirds(drawn):
    _, numbers = drawn["trained-spectra"]
    # four layers of eight singular values and four seeds: two layers below, one in the middle, one above
    assert [numbers.spectra[third]["SGD"].size for third in ("lower", "middle", "higher")] == [64, 32, 32]
    assert numbers.spectra["lower"]["SVB"].max() == pytest.approx(1.05)
    assert numbers.spectra["lower"]["SGD"].max() == pytest.approx(3.0, abs=0.01)
    assert numbers.eps == 0.05
    assert numbers.ends["SVB"].shape == (4, 4, 2)


def test_errors_fall_as_planted(drawn):
    _, numbers = drawn["bounding-curves"]
    last = {name: values[:, -1].mean() for name, values in numbers.error["preresnet20"].items()}
    assert last == {
        "SGD + BN": pytest.approx(0.4, abs=1e-3),
        "SVB + BN": pytest.approx(0.3, abs=1e-3),
        "SVB + BBN": pytest.approx(0.2, abs=1e-3),
    }


def test_effects_are_those_of_the_ledger(drawn):
    module, numbers = drawn["measured-effects"]
    effects = {(e.claim, e.clause): e for e in (*numbers.initial, *numbers.bounding)}
    assert effects["C-CI", "small rate"].estimate == pytest.approx(0.13, abs=4e-3)
    assert effects["S-T1", "ResNet, BBN"].estimate == pytest.approx(0.1, abs=2e-3)
    assert all(e.low < e.estimate < e.high for e in effects.values())
    assert module.PRINTED.keys() <= effects.keys()
    assert {e.verdict for e in effects.values()} == {Verdict.SUPPORTED}
    # what the tables print: 0.827 - 0.815; (0.827 - 0.815) - (0.834 - 0.832); 6.22 % - 5.79 %
    assert effects["C-CI", "large rate"].printed == pytest.approx(0.827 - 0.815)
    assert effects["C-CV", "gain"].printed == pytest.approx((0.827 - 0.815) - (0.834 - 0.832))
    assert effects["S-T1", "ResNet, SVB"].printed == pytest.approx(0.0622 - 0.0579)
