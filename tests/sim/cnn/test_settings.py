"""Settings of a training run."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from sim.cnn.settings import Settings, settings_from


def test_the_key_depends_on_every_setting_and_on_nothing_else():
    base = Settings()
    assert base.key == Settings().key == settings_from(asdict(base)).key
    changed: dict[str, Any] = {
        "network": "vgg16",
        "width": 0.25,
        "batch_norm": False,
        "data": "cifar100",
        "train": 5,
        "test": 5,
        "epochs": 3,
        "batch_size": 8,
        "learning_rate": 0.3,
        "final_learning_rate": 0.01,
        "decay_every": 2,
        "momentum": 0.1,
        "l2": 0.1,
        "augment": True,
        "init": "xavier",
        "R": "other",
        "alpha": 0.5,
        "scale": "he",
        "gain": 2.0,
        "svb": 0.1,
        "bbn": 0.1,
        "seed": 1,
    }
    assert set(changed) == set(asdict(base))
    keys = {replace(base, **{name: value}).key for name, value in changed.items()}
    assert len(keys | {base.key}) == len(changed) + 1


def test_rates_fall_by_one_factor_and_end_where_they_should():
    schedule = Settings(epochs=10, learning_rate=0.5, final_learning_rate=0.001, decay_every=2)
    rates = [schedule.rate(epoch) for epoch in range(10)]
    assert rates[0] == rates[1] == 0.5
    assert rates[8] == rates[9] == pytest.approx(0.001)
    factors = [after / before for before, after in zip(rates[::2], rates[2::2], strict=False)]
    assert factors == pytest.approx([(0.001 / 0.5) ** 0.25] * 4)
    assert {Settings(learning_rate=0.3).rate(epoch) for epoch in range(40)} == {0.3}
    assert Settings(epochs=1, final_learning_rate=0.01).rate(0) == 0.1


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"init": "he"}, ValueError, "init must be one of kaiming, correlated, orthogonal, xavier, got 'he'"),
        ({"data": "mnist"}, ValueError, "data must be one of"),
        ({"epochs": 0}, ValueError, "epochs must be"),
        ({"batch_size": 2.5}, TypeError, "batch_size must be an integer"),
        ({"seed": -1}, ValueError, "seed must be"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be positive"),
        ({"learning_rate": float("nan")}, ValueError, "learning_rate must be finite"),
        ({"svb": 0.0}, ValueError, "svb must be positive"),
        ({"momentum": 1.0}, ValueError, "momentum must be below 1, got 1.0"),
        ({"l2": -1.0}, ValueError, "l2 must be non-negative"),
        ({"train": 0}, ValueError, "train must be"),
    ],
)
def test_bad_settings(bad, error, message):
    with pytest.raises(error, match=message):
        Settings(**bad)


def test_a_record_with_an_unknown_setting_is_refused():
    with pytest.raises(ValueError, match=r"settings must be among .*, got 'colour'"):
        settings_from({"colour": "red"})
