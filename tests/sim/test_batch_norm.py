"""A linear layer with batch normalisation, by NumPy, by hand and by torch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.batch_norm import NormedLayer
from sim.bbn import bounded_gamma
from tests.reference.batch_norm import naive_normalised

EPS = float(np.finfo(float).eps)


def random_layer(seed: int, rows: int, columns: int) -> NormedLayer:
    rng = np.random.default_rng(seed)
    return NormedLayer.create(
        rng.normal(size=(rows, columns)),
        rng.uniform(0.5, 2.0, rows),
        rng.uniform(0.1, 3.0, rows),
        bias=rng.normal(size=rows),
        beta=rng.normal(size=rows),
        running_mean=rng.normal(size=rows),
        eps=1e-3,
    )


def test_eps_is_that_of_batch_norm_unless_another_is_given() -> None:
    assert NormedLayer.create([[1.0]], [1.0], [1.0]).eps == 1e-5


layers = st.builds(random_layer, st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5))


@given(layers, st.integers(0, 2**32 - 1))
def test_inference_is_eq_14_neuron_by_neuron(layer: NormedLayer, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(layer.W.shape[1],))
    parts = (layer.bias, layer.gamma, layer.beta, layer.running_mean, layer.running_var)
    bias, gamma, beta, mean, variance = (part.tolist() for part in parts)
    expected = naive_normalised(layer.W.tolist(), x.tolist(), bias, gamma, beta, mean, variance, layer.eps)
    assert layer.respond(x[None])[0] == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(layers, st.integers(0, 2**32 - 1))
def test_training_normalises_the_batch(layer: NormedLayer, seed: int) -> None:
    X = np.random.default_rng(seed).normal(size=(40, layer.W.shape[1]))
    z = layer.respond_in_training(X)
    assert z.mean(axis=0) == pytest.approx(layer.beta, abs=1e-12)
    raw = (X @ layer.W.T).var(axis=0)
    assert z.var(axis=0) == pytest.approx(layer.gamma**2 * raw / (raw + layer.eps), rel=1e-10)


def test_torch_gives_the_same() -> None:
    torch = pytest.importorskip("torch")
    from sim.cnn.batch_norm import bound_norm, conv_respond, jacobian, layer_respond, pre_activation_jacobian

    layer, X = random_layer(7, 4, 9), np.random.default_rng(8).normal(size=(6, 9))
    assert layer_respond(layer, X) == pytest.approx(layer.respond(X), abs=64 * EPS)
    assert conv_respond(layer, X, 3) == pytest.approx(layer.respond(X), abs=64 * EPS)
    assert layer_respond(layer, X, training=True) == pytest.approx(layer.respond_in_training(X), abs=256 * EPS)
    assert jacobian(layer) == pytest.approx(layer.scales[:, None] * layer.W, abs=64 * EPS)
    bounded = bounded_gamma(layer.gamma, layer.running_var, 0.2, eps=layer.eps)
    scales = bounded / np.sqrt(layer.running_var + layer.eps)
    assert jacobian(layer, band=0.2) == pytest.approx(scales[:, None] * layer.W, abs=64 * EPS)
    assert not np.allclose(scales, layer.scales)

    W = np.random.default_rng(9).normal(size=(2, 4))
    norm = random_layer(10, 4, 4)
    z = np.random.default_rng(11).normal(size=4)
    on = (z - norm.running_mean) * norm.scales + norm.beta > 0
    assert 0 < on.sum() < 4
    assert pre_activation_jacobian(W, norm, z) == pytest.approx(W * (on * norm.scales), abs=64 * EPS)

    plain = torch.nn.BatchNorm1d(3, dtype=torch.float64)
    bound_norm(plain, 0.5)
    assert plain.weight.tolist() == pytest.approx([1.0, 1.0, 1.0], rel=8 * EPS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W": [1.0]}, r"^W must have shape \(n, n\), got \(1,\)$"),
        ({"gamma": [1.0, 1.0]}, r"^gamma must have shape \(1,\), got \(2,\)$"),
        ({"beta": [np.nan]}, r"^beta must be finite, got beta\[0\] = nan$"),
        ({"running_mean": [1.0, 2.0]}, r"^running_mean must have shape \(1,\), got \(2,\)$"),
        ({"running_var": [-1.0]}, r"^running_var must be non-negative, got running_var\[0\] = -1.0$"),
        ({"running_var": [0.0], "eps": 0.0}, r"^running_var \+ eps must be positive"),
    ],
)
def test_bad_layers(change: dict, message: str) -> None:
    arguments = {"W": [[1.0]], "gamma": [1.0], "running_var": [1.0], **change}
    with pytest.raises(ValueError, match=message):
        NormedLayer.create(**arguments)
