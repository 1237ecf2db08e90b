"""The numbers of the figures about large filters."""

from __future__ import annotations

import numpy as np
import pytest

from figures import cost_of_the_gradient, seven_by_seven
from sim.activity import all_active
from sim.half_space import Workspace


@pytest.fixture(scope="module")
def runs() -> dict[int, seven_by_seven.Run]:
    return dict(seven_by_seven.data())


def test_filters_become_all_active_and_stay_so(runs: dict[int, seven_by_seven.Run]) -> None:
    assert runs[7].crossing == 10  # as the title says
    for k, run in runs.items():
        crossing = run.crossing
        assert run.d.shape == (k * k,)
        assert (run.inactive[:crossing] > 0).all()
        assert (run.inactive[crossing:] == 0).all()
        assert crossing < seven_by_seven.SHOWN
        weights = run.path.weights[:, 0]
        assert [bool(all_active(run.d, w)) for w in weights] == [t >= crossing for t in range(len(weights))]
        # a share is a whole number of samples
        assert (np.mod(run.inactive * 2.0 ** (k * k), 1.0) == 0).all()
    assert runs[7].inactive[runs[7].crossing - 1] * 2**49 == 2


def test_theorem_1_holds_once_all_are_active_and_not_before(runs: dict[int, seven_by_seven.Run]) -> None:
    run = runs[7]
    ratio = run.errors[1:] / np.maximum(run.errors[:-1], 1e-300)
    curvature = np.square(run.d) + np.eye(49)[0]
    factors = np.abs(1.0 - 2.0 * seven_by_seven.LEARNING_RATE * curvature)
    later = run.errors[run.crossing : -1] > 1e-6
    assert np.abs(ratio - factors)[run.crossing :][later].max() < 1e-9
    assert np.abs(ratio - factors)[0].max() > 0.1
    assert np.abs(run.theorem[0] - run.errors[0]).max() == 0


def test_costs_are_those_recorded() -> None:
    shown = cost_of_the_gradient.data()
    for sizes, seconds in shown.measured.values():
        assert (np.diff(sizes) > 0).all()
        assert (seconds > 0).all()
    merged = dict(zip(*shown.measured["merged halves"], strict=True))
    assert 0.05 < merged[49] < 5  # a matter of a second
    beyond, extrapolated = shown.extrapolated
    assert (beyond[0], extrapolated[0]) == tuple(part[-1] for part in shown.measured["all samples"])
    # one more weight doubles the samples and lengthens each
    assert np.allclose(extrapolated[1:] / extrapolated[:-1], 2.0 * beyond[1:] / beyond[:-1])


def test_bytes_are_counted_from_the_arrays() -> None:
    shown = cost_of_the_gradient.data()
    assert shown.bytes["all samples"][19] == np.empty((2**20, 20)).nbytes
    keys, masks = Workspace().arrays(48)
    assert shown.bytes["merged halves"][48] == pytest.approx(keys.nbytes + masks.nbytes, rel=1e-6)
