"""Bounded batch norm of layers: the same as `sim.bbn` on each, which layers, and when it warns."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

import torch
from torch import nn

from sim.bbn import MODES, bounded_gamma, in_own_band
from sim.cnn.bbn import BoundedBatchNorm, lemma_applies
from sim.cnn.hooks import BoundWarning
from tests.sim.cnn.models import Bottleneck, PreActivation, mobile, train
from tests.strategies.spectra import seeds

KINDS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def filled(layer: Any, rng: np.random.Generator, *, signs: bool = True) -> Any:
    """A BN layer as training might leave it."""
    gamma = rng.lognormal(0.0, 0.7, layer.num_features)
    if signs:
        gamma *= rng.choice([-1.0, 0.0, 1.0], layer.num_features, p=[0.2, 0.1, 0.7])
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(gamma))
        layer.running_var.copy_(torch.from_numpy(rng.lognormal(0.0, 1.0, layer.num_features)))
    return layer


def array(tensor: Any) -> np.ndarray:
    return np.array(tensor.detach().double().numpy())


@given(seeds(), st.sampled_from(KINDS), st.integers(1, 9), st.sampled_from(MODES), st.sampled_from([0.05, 0.5]))
def test_every_layer_is_bounded_as_the_simulator_bounds_it(rng, kind, n, mode, eps):
    layer = filled(kind(n, eps=0.01, dtype=torch.float64), rng)
    gamma, variance, beta = array(layer.weight), array(layer.running_var), array(layer.bias)
    if mode == "published" and (gamma == 0).all():
        return
    (done,) = BoundedBatchNorm(layer, eps, mode=mode, order="after").apply()
    expected = bounded_gamma(gamma, variance, eps, eps=0.01, mode=mode)
    assert np.abs(array(layer.weight) - expected).max() <= 1e-10
    assert (array(layer.running_var) == variance).all()
    assert (array(layer.bias) == beta).all()
    assert done.n == n
    assert done.raised == (np.abs(expected) > np.abs(gamma)).sum()
    assert done.lowered == (np.abs(expected) < np.abs(gamma)).sum()
    assert done.flipped == (expected * gamma < 0).sum()
    for condition, g in zip(done.condition, (gamma, expected), strict=True):
        size = np.abs(g) / np.sqrt(variance + 0.01)
        if size.min() > 0:
            assert condition == pytest.approx(size.max() / size.min())
        else:
            assert condition == np.inf


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_other_dtypes_differ_by_their_rounding(dtype):
    layer = filled(nn.BatchNorm2d(50), np.random.default_rng(0)).to(dtype)
    expected = bounded_gamma(array(layer.weight), array(layer.running_var), 0.1, eps=1e-5)
    BoundedBatchNorm(layer, 0.1, order="after").apply()
    assert layer.weight.dtype == dtype
    assert (np.abs(array(layer.weight) - expected) <= torch.finfo(dtype).eps * np.abs(expected)).all()


def test_settled_reaches_its_band_and_published_bounds_the_condition():
    layers = [filled(nn.BatchNorm2d(40, dtype=torch.float64), np.random.default_rng(1), signs=False) for _ in "ab"]
    (settled,) = BoundedBatchNorm(layers[0], 0.1, mode="settled", order="after").apply()
    scales = array(layers[0].weight) / np.sqrt(array(layers[0].running_var) + 1e-5)
    assert in_own_band(scales, 0.1 * (1 + 1e-12))
    assert settled.condition[1] <= 1.1**2 * (1 + 1e-12)
    (published,) = BoundedBatchNorm(layers[1], 0.1, order="after").apply()
    assert published.condition[0] > 10
    assert published.condition[1] == pytest.approx(1.1**2)
    scales = array(layers[1].weight) / np.sqrt(array(layers[1].running_var) + 1e-5)
    assert not in_own_band(scales, 0.1)


def test_signs_and_zeros_by_mode():
    ends = {}
    modes: tuple[Any, ...] = MODES
    for mode in modes:
        layer = nn.BatchNorm1d(4, eps=0.0, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor([4.0, -1.0, 0.0, 1.0]))
        (done,) = BoundedBatchNorm(layer, 1.0, mode=mode, order="after").apply()
        ends[mode] = (array(layer.weight).tolist(), done.flipped)
    # mean 1 and mean magnitude 3/2
    assert ends["published"] == ([2.0, 0.5, 0.5, 1.0], 1)
    assert ends["magnitude"] == ([3.0, -1.0, 0.75, 1.0], 0)
    assert ends["settled"][1] == 0
    assert np.sign(ends["settled"][0]).tolist() == [1, -1, 1, 1]


def test_a_mean_of_zero_is_skipped_with_one_warning():
    layer = nn.BatchNorm2d(3)
    nn.init.zeros_(layer.weight)
    norm = BoundedBatchNorm(layer, 0.1, order="after")
    with pytest.warns(
        BoundWarning, match=r"layer '' is left as it is: the mean of gamma/std is 0, and mode 'published'"
    ):
        (done,) = norm.apply()
    assert done.skipped == "the mean of gamma/std is 0"
    assert array(layer.weight).tolist() == [0.0, 0.0, 0.0]
    assert "the mean of gamma/std is 0" in norm.report()
    norm.apply()
    for mode in ("magnitude", "settled"):
        (done,) = BoundedBatchNorm(layer, 0.1, mode=mode, order="after").apply()
        assert done.skipped == ""
        assert array(layer.weight).tolist() == [0.0, 0.0, 0.0]


def test_without_singular_value_bounding_every_so_many_steps():
    model = mobile()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    norm = BoundedBatchNorm(model, 0.01, every=2, mode="settled", order="after").attach(optimizer)
    inside = []
    for step in range(4):
        train(model, optimizer, 1, first=step)
        layers = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
        scales = [array(layer.weight) / np.sqrt(array(layer.running_var) + layer.eps) for layer in layers]
        inside.append(all(in_own_band(x, 0.01 * (1 + 1e-4)) for x in scales))
    assert inside == [False, True, False, True]
    assert norm.steps == 4
    assert len(norm.last) == 8


def test_layers_with_nothing_to_bound_are_listed():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 1),
        nn.BatchNorm2d(4, affine=False),
        nn.Conv2d(4, 4, 1),
        nn.BatchNorm2d(4, track_running_stats=False),
        nn.Conv2d(4, 4, 1),
        nn.BatchNorm2d(4),
        nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
    )
    norm = BoundedBatchNorm(model, 0.1)
    assert norm.skipped == {
        "1": "no gamma (affine=False)",
        "3": "no running variance (track_running_stats=False)",
    }
    assert [record.name for record in norm.apply()] == ["5"]
    with pytest.raises(ValueError, match=r"must have a scale to bound, got '1' with no gamma \(affine=False\)"):
        BoundedBatchNorm(model, 0.1, layers=["1", "5"])
    with pytest.raises(ValueError, match=r"must have a scale to bound, got '' with no running variance"):
        BoundedBatchNorm(model[3], 0.1)


def test_what_is_not_trained_is_left_alone():
    layer = filled(nn.BatchNorm2d(5), np.random.default_rng(0))
    before = array(layer.weight)
    layer.weight.requires_grad_(False)
    (done,) = BoundedBatchNorm(layer, 0.1, order="after").apply()
    assert done.skipped == "not trained"
    assert (array(layer.weight) == before).all()


def test_the_usual_orders_pass_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BoundedBatchNorm(mobile(), 0.1)
        BoundedBatchNorm(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), 0.1)
        BoundedBatchNorm(nn.Sequential(nn.ConvTranspose2d(3, 4, 2), nn.BatchNorm2d(4)), 0.1)
        BoundedBatchNorm(Bottleneck(4, 4, 4, groups=2), 0.1)


def test_pre_activation_blocks_are_reported_and_bounded():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), PreActivation(4), PreActivation(4), nn.BatchNorm2d(4))
    assert lemma_applies(model) == {"1.bn1": False, "1.bn2": True, "2.bn1": False, "2.bn2": True, "3": False}
    with pytest.warns(BoundWarning, match=r"layers '1\.bn1', '2\.bn1', '3' do not seem to follow .* Lemma 1 of Jia"):
        norm = BoundedBatchNorm(model, 0.1)
    assert len(norm.apply()) == 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BoundedBatchNorm(model, 0.1, order="after")
        assert [one.name for one in BoundedBatchNorm(model, 0.1, layers=["1.bn2", "2.bn2"]).apply()] == [
            "1.bn2",
            "2.bn2",
        ]


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(8)),
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.BatchNorm1d(4)),
        nn.BatchNorm2d(3),
    ],
    ids=["behind a ReLU", "other width", "behind another", "alone"],
)
def test_other_orders_are_reported(model):
    with pytest.warns(BoundWarning, match="Lemma 1"):
        BoundedBatchNorm(model, 0.1)


def test_a_long_list_is_cut():
    model = nn.Sequential(*(nn.BatchNorm2d(3) for _ in range(8)))
    with pytest.warns(BoundWarning, match="layers '0', '1', '2', '3', '4' and 3 more do not seem"):
        BoundedBatchNorm(model, 0.1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"eps": 0.0}, ValueError, r"eps must be positive, got 0\.0"),
        ({"mode": "signed"}, ValueError, "mode must be one of published, magnitude, settled, got 'signed'"),
        ({"order": "before"}, ValueError, "order must be one of detect, after, got 'before'"),
        ({"every": -1}, ValueError, "every must be at least 1, got -1"),
        ({"layers": ["0"]}, ValueError, r"layers must name batch norm layers of the model \(1\), got '0'"),
        ({"layers": "1"}, TypeError, "layers must be several names, got the one string '1'"),
    ],
)
def test_options_that_make_no_sense(options, error, message):
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    with pytest.raises(error, match=message):
        BoundedBatchNorm(model, **{"eps": 0.1, **options})


def test_models_without_batch_norm_and_layers_without_values_are_refused():
    with pytest.raises(ValueError, match="model must have batch norm layers to bound, got none"):
        BoundedBatchNorm(nn.Linear(2, 2), 0.1)
    with pytest.raises(ValueError, match="layer '0' must hold values in its weight, got none yet"):
        BoundedBatchNorm(nn.Sequential(nn.LazyBatchNorm2d()), 0.1)


def test_numbers_that_are_not_finite_are_reported_by_layer():
    model: Any = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    model[1].running_var[1] = float("nan")
    with pytest.raises(
        ValueError, match=r"layer '1' cannot be bounded: running_var must be finite, got running_var\[1\] = nan"
    ):
        BoundedBatchNorm(model, 0.1).apply()
