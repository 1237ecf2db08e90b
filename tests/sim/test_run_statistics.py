"""Numbers of training runs, against what was planted and against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import run_statistics as stat
from sim.records import NotRecorded, parse_run
from tests.reference import training


def run_of(**planted):
    return parse_run(training.record(**planted))


def with_losses(losses):
    record = training.record(epochs=len(losses))
    for epoch, loss in zip(record["epochs"], losses, strict=True):
        epoch["train_loss"] = loss
    return parse_run(record)


def test_measures_of_one_run():
    record = training.record(epochs=11)
    for n, epoch in enumerate(record["epochs"]):
        epoch["sign_changes"] = n / 10
    run = parse_run(record)
    assert stat.final(run, "sign_changes") == 1.0
    assert stat.over_all(run, "sign_changes") == pytest.approx(0.5)
    # a fifth of eleven epochs, rounded up, is three
    assert stat.early(run, "sign_changes") == pytest.approx(0.1)
    assert stat.early(run_of(epochs=1), "sign_changes") == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("first", "second", "ahead"),
    [
        ([2.0, 1.0, 0.5], [2.0, 1.5, 1.0], 1.0),
        ([2.0, 1.0, 0.5], [2.0, 1.0, 0.5], 0.0),
        # 0.8 is reached between the second and the third epoch of the first, at 2.4
        ([2.0, 1.0, 0.5], [2.0, 1.8, 0.8], 0.6),
        # in the first epoch already
        ([0.5, 0.4, 0.3], [2.0, 1.5, 1.0], 2.0),
        # the lowest loss counts, not the last
        ([2.0, 0.5, 1.5], [2.0, 1.0, 0.5], 1.0),
    ],
)
def test_epochs_ahead_by_hand(first, second, ahead):
    assert stat.epochs_ahead(with_losses(first), with_losses(second)) == pytest.approx(ahead)
    assert stat.epochs_ahead(with_losses(second), with_losses(first)) == pytest.approx(-ahead)


LOSSES = st.lists(st.integers(1, 20).map(float), min_size=3, max_size=8)


@given(LOSSES, LOSSES)
def test_epochs_ahead_against_a_fine_search(first, second):
    # the naive twin: walk both broken lines in small steps
    level = max(min(first), min(second))

    def when(losses):
        times = np.linspace(1, len(losses), 840 * (len(losses) - 1) + 1)
        return times[(np.interp(times, np.arange(1, len(losses) + 1), losses) <= level + 1e-9).argmax()]

    expected = when(second) - when(first)
    assert stat.epochs_ahead(with_losses(first), with_losses(second)) == pytest.approx(expected, abs=2.5e-3)


def test_correlations_are_those_planted_behind_the_first_layer():
    run = run_of(correlation=0.3, fall=0.05, slope=0.04)
    # depths 1 to 3 have correlations 0.26, 0.3, 0.34
    assert stat.mean_correlation(run) == pytest.approx(0.3)
    assert stat.correlation_slope(run) == pytest.approx(0.04)
    assert np.diff(stat.correlation_by_distance(run)) == pytest.approx([-0.05] * 4)
    assert stat.mean_correlation(run, trained=False) == 0.0
    assert [layer.depth for layer in stat.spatial(run)] == [1, 2, 3]


def test_other_filter_sizes_are_left_out():
    record = training.record()
    for layer in record["layers"]:
        if layer["depth"] == 3:
            layer["shape"] = [8, 4, 5, 5]
    assert [layer.depth for layer in stat.spatial(parse_run(record))] == [1, 2]
    record["layers"] = [layer for layer in record["layers"] if layer["depth"] in (0, 1)]
    with pytest.raises(NotRecorded, match="two layers with 3 x 3 filters or more are needed behind the first, got 1"):
        stat.spatial(parse_run(record))


def test_the_ends_of_the_band_are_inside_it(monkeypatch):
    monkeypatch.setattr(stat, "RECORDED", 0.0)
    assert stat.outside_band(run_of(spread=2.0), 1.0) == 0.0


def test_shares_outside_the_band():
    spectrum = np.geomspace(2.0, 0.5, 8)
    outside = np.mean((spectrum > 1.5) | (spectrum < 1 / 1.5))
    assert stat.outside_band(run_of(spread=2.0), 0.5) == pytest.approx(outside)
    assert stat.outside_band(run_of(spread=2.0), 0.5, trained=False) == 0.0
    # six digits are kept: the ends themselves are inside, what is a ten-thousandth beyond is not
    assert stat.outside_band(run_of(spread=round(1.05, 6)), 0.05) == 0.0
    assert stat.outside_band(run_of(spread=1.05 * 1.0001), 0.05) == pytest.approx(0.25)


def test_operators_and_times():
    run = run_of(operator=3.0, svb=0.05, svb_seconds=0.5)
    assert stat.operator_extremes(run) == (3.0, 1 / 3)
    assert stat.time_share(run) == pytest.approx(0.05)
    with pytest.raises(NotRecorded, match="timing must have svb_seconds and epoch_seconds, got none"):
        stat.time_share(run_of())
    record = training.record()
    for layer in record["layers"]:
        layer["operator"] = None
    with pytest.raises(NotRecorded, match="singular values of their operators"):
        stat.operator_extremes(parse_run(record))
