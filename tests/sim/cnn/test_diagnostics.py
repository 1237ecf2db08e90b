from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sim.bbn import bounded_scales
from sim.cnn import diagnose, diagnostics, initialize_
from sim.conv_spectrum import circular_singular_values, kernel_singular_values
from sim.correlation import exponential_correlation
from sim.diagnosis import Diagnosis, findings
from sim.filter_statistics import filter_correlation, pooled_correlation
from sim.svb import bound_singular_values
from tests.sim.rounding import EPS

R3 = exponential_correlation(3, 0.7)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3),
        nn.BatchNorm2d(16),
        nn.Conv2d(16, 24, 3, groups=4, dtype=torch.bfloat16),
        nn.Conv2d(24, 24, 3, groups=24, dtype=torch.float64),
        nn.Conv2d(24, 8, 1),
        nn.Conv2d(8, 8, (1, 3)),
        nn.Flatten(),
        nn.Linear(8, 5),
    )
    initialize_(model, R=R3, other="kaiming", generator=torch.Generator().manual_seed(1))
    return model


def array(tensor: torch.Tensor) -> Any:
    return tensor.detach().double().numpy()


def by_name(found: Diagnosis) -> dict[str, Any]:
    return {layer.name: layer for layer in found.layers}


def test_layers_are_diagnosed_as_the_simulator_would() -> None:
    model, image = network(), (6, 7)
    found = diagnose(model, image=image, eps=0.3)
    layers = by_name(found)
    assert list(layers) == ["0", "2", "3", "4", "5", "7"]
    assert [layer.groups for layer in found.layers] == [1, 4, 24, 1, 1, 1]
    for name in ("0", "2", "3"):
        kernel = array(model.state_dict()[f"{name}.weight"])
        assert np.abs(layers[name].correlation.R - filter_correlation(kernel)).max() <= 256 * EPS
        parts = np.split(kernel, layers[name].groups)
        expected = np.concatenate([kernel_singular_values(part) for part in parts])
        assert layers[name].kernel.count == len(expected)
        assert (layers[name].kernel.smallest, layers[name].kernel.largest) == (expected.min(), expected.max())
        assert layers[name].kernel.in_band == np.mean((expected >= 1 / 1.3) & (expected <= 1.3))
        expected = np.concatenate([circular_singular_values(part, image) for part in parts])
        assert (layers[name].operator.smallest, layers[name].operator.largest) == (expected.min(), expected.max())
        assert layers[name].left_out == {}
    assert layers["4"].left_out == {"correlation": "one pixel", "operator": "one pixel: that of the kernel"}
    assert layers["5"].left_out == {"correlation": "filters are not square"}
    assert layers["7"].shape == (5, 8)
    assert found.unread == {"1.num_batches_tracked": "no floating point numbers"}


def test_the_change_is_the_size_of_the_projection() -> None:
    model = network()
    layer = by_name(diagnose(model, eps=0.05))["0"]
    matrix = array(model.state_dict()["0.weight"]).reshape(16, -1)
    expected = np.linalg.norm(bound_singular_values(matrix, 0.05) - matrix) / np.linalg.norm(matrix)
    assert layer.kernel.change == pytest.approx(expected, rel=1e-9)


def _middle(matrix: Any) -> Any:
    return np.median(np.linalg.svd(matrix, compute_uv=False))


def test_a_bounded_network_has_nothing_to_change() -> None:
    model = network()
    state = model.state_dict()
    for name in ("0.weight", "2.weight", "7.weight"):
        weight = state[name]
        parts = np.split(array(weight).reshape(len(weight), -1), 4 if name[0] == "2" else 1)
        # about as many singular values are lowered as raised
        bounded = np.concatenate([bound_singular_values(part / _middle(part), 0.05) for part in parts])
        weight.copy_(torch.from_numpy(bounded).reshape(weight.shape))
    state["1.running_var"].uniform_(0.1, 4)
    scale = torch.sqrt(state["1.running_var"].double() + 1e-5)
    scales = torch.linspace(0.2, 3, 16, dtype=torch.float64).numpy()
    state["1.weight"].copy_(torch.from_numpy(bounded_scales(scales, 0.2, mode="settled")) * scale)
    found = diagnose(model)
    for name in ("0", "2", "7"):
        assert by_name(found)[name].kernel.in_band == 1.0
        assert by_name(found)[name].kernel.change == 0.0
    (norm,) = found.norms
    assert norm.in_band
    assert norm.change == 0.0
    # what a tenth of a percent beyond rounding is, counts
    state["0.weight"].mul_(1.001)
    assert by_name(diagnose(model))["0"].kernel.in_band < 1.0


def test_batch_norm_is_read_with_its_own_eps() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, eps=0.5), nn.BatchNorm2d(4, affine=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([1.0, -2.0, 0.5, 1.0]))  # type: ignore[operator]
    state = model.state_dict()
    state["1.running_var"].copy_(torch.tensor([0.5, 1.5, 3.5, 0.5]))
    scales = np.array([1.0, 2**0.5, 0.25, 1.0])
    uneven, plain = diagnose(model, bn_eps=0.3).norms
    assert (uneven.name, uneven.width, uneven.in_band) == ("1", 4, False)
    assert (uneven.smallest, uneven.largest) == pytest.approx((0.25, 2**0.5), rel=1e-6)
    settled = bounded_scales(scales, 0.3, mode="settled")
    assert uneven.change == pytest.approx(np.linalg.norm(settled - scales) / np.linalg.norm(scales), rel=1e-6)
    assert plain.condition == 1.0
    assert diagnose(state).norms[0].largest == pytest.approx(2 / np.sqrt(1.5 + 1e-5), rel=1e-6)
    state["1.weight"].zero_()
    (dead, _) = diagnose(model).norms
    assert (dead.condition, dead.change, dead.in_band) == (1.0, 0.0, True)


def test_filters_are_pooled_without_the_layer_that_sees_the_images() -> None:
    model = network()
    found = diagnose(model)
    assert found.first == "0"
    kernels = [array(model.state_dict()[f"{name}.weight"]) for name in ("2", "3")]
    assert found.pooled[3].layers == ("2", "3")
    assert found.pooled[3].filters == 24 * 4 + 24
    assert np.abs(found.pooled[3].R - pooled_correlation(kernels)).max() <= 256 * EPS
    # in a file the first layer need not come first; three channels tell it
    state = model.state_dict()
    shuffled = {name: state[name] for name in sorted(state, reverse=True)}
    assert diagnose(shuffled).first == "0"
    alone = diagnose(nn.Conv2d(1, 8, 5))
    assert (alone.first, alone.pooled[5].layers) == ("(model)", ("(model)",))


def test_a_state_dict_alone_tells_depthwise_layers_only() -> None:
    state = network().state_dict()
    assert [layer.groups for layer in diagnose(state).layers] == [1, 1, 24, 1, 1, 1]
    assert by_name(diagnose(state, groups={"2": 4}))["2"].groups == 4
    # the first layer of grey images is not depthwise
    assert [layer.groups for layer in diagnose(nn.Sequential(nn.Conv2d(1, 8, 3)).state_dict()).layers] == [1]
    with pytest.raises(ValueError, match="groups must name layers with a kernel, got 'conv9'"):
        diagnose(state, groups={"conv9": 4})
    with pytest.raises(ValueError, match="groups must divide the 24 channels out of layer '2', got 5"):
        diagnose(state, groups={"2": 5})


def test_the_same_weights_give_the_same_diagnosis() -> None:
    model = network()
    first, again = (diagnose(model).pooled[3] for _ in range(2))
    other = diagnose(model, rng=np.random.default_rng(1)).pooled[3]
    assert (first.mean, first.mean_error) == (again.mean, again.mean_error)
    assert first.mean == other.mean
    assert first.mean_error != other.mean_error


def test_what_is_too_large_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 7))
    layers = by_name(diagnose(model, image=(4, 9)))
    assert layers["1"].left_out == {"operator": "filters larger than images of 4 x 9"}
    # 8 x 27: 3^2 8 products at each of 8 * 8/2 + 2 frequencies, more than the matrix takes
    monkeypatch.setattr(diagnostics, "LARGEST_WORK", 8**2 * 27)
    layers = by_name(diagnose(model))
    assert layers["0"].left_out == {"operator": "too large to decompose here on images of 8 x 8"}
    assert layers["1"].left_out["kernel"] == "too large to decompose here: 8 x 392"
    assert layers["1"].kernel is None
    monkeypatch.undo()
    monkeypatch.setattr(diagnostics, "LARGEST_SPECTRUM", 10)
    assert by_name(diagnose(model))["0"].left_out == {"operator": "too large to hold here on images of 8 x 8"}


def test_odd_tensors_are_left_out_and_named() -> None:
    dense = torch.zeros(4, 4)
    state = {
        **nn.Conv2d(2, 4, 3).state_dict(prefix="conv."),
        "sparse.weight": dense.to_sparse(),
        "complex.weight": dense.to(torch.complex64),
        "meta.weight": torch.empty(4, 4, 3, 3, device="meta"),
        "indices.weight": torch.zeros(4, 4, 3, 3, dtype=torch.int8),
        "step": torch.tensor(3.0),
        "embedding": torch.zeros(2, 3, 4),
        "empty.weight": torch.zeros(0, 3, 3, 3),
    }
    found = diagnose(state)
    assert [layer.name for layer in found.layers] == ["conv"]
    strange = "sparse, quantised, complex, nested or without numbers"
    assert found.unread == {
        "sparse.weight": strange,
        "complex.weight": strange,
        "meta.weight": strange,
        "indices.weight": "no floating point numbers",
        "step": "no kernel or matrix by its name and shape ()",
        "embedding": "no kernel or matrix by its name and shape (2, 3, 4)",
        "empty.weight": "no kernel or matrix by its name and shape (0, 3, 3, 3)",
    }


def test_a_layer_of_zeros_is_singular() -> None:
    state = {"a.weight": torch.randn(4, 3, 3, 3), "b.weight": torch.zeros(4, 4, 3, 3)}
    found = diagnose(state)
    zero = by_name(found)["b"]
    assert zero.left_out["correlation"] == "pixel (0, 0) is zero in every filter"
    assert (zero.kernel.condition, zero.kernel.change, zero.kernel.in_band) == (math.inf, math.inf, 0.0)
    assert found.pooled[3].layers == ("a",)
    assert findings(found)


def test_huge_weights_do_not_overflow() -> None:
    found = diagnose({"a.weight": 1e200 * torch.randn(4, 3, 3, 3, dtype=torch.float64)})
    assert by_name(found)["a"].kernel.change == pytest.approx(1.0)
    assert by_name(found)["a"].kernel.condition < 1e3


def test_correlated_networks_are_told_from_uncorrelated_ones() -> None:
    model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.Conv2d(16, 32, 3), nn.Conv2d(32, 32, 3))
    for R, words in ((np.eye(9), "not correlated beyond chance"), (R3, "positively correlated")):
        initialize_(model, R=R, generator=torch.Generator().manual_seed(0))
        assert findings(diagnose(model))[0].startswith(f"Filters: {words}")


def test_layers_are_announced() -> None:
    seen: list[tuple[str, int, int]] = []
    diagnose(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1)), on_layer=lambda *news: seen.append(news))
    assert seen == [("0", 0, 2), ("1", 1, 2)]


CONV = {"a.weight": torch.ones(2, 2, 3, 3)}
CONV_LAYER = nn.Conv2d(3, 4, 3)


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        ([1, 2], {}, "weights must be a model or a state dict, name -> tensor, got list"),
        ({"a.weight": 3}, {}, "weights must be a model or a state dict, name -> tensor, got dict"),
        ({}, {}, r"weights must hold a convolution, .* got no tensor of floating point numbers"),
        ({"fc.weight": torch.zeros(2, 3)}, {}, r"weights must hold a convolution, .* got fc\.weight \(2, 3\)"),
        ({**CONV, "a.weight": torch.full((2, 2, 3, 3), math.nan)}, {}, r"NaN or infinity in 'a\.weight'"),
        ({**CONV, "b": torch.tensor(math.inf)}, {}, "weights must be finite, got NaN or infinity in 'b'"),
        ({**CONV, "n.running_var": -torch.ones(2)}, {}, "BN layer 'n': running_var must be non-negative"),
        (
            {**CONV, "n.running_var": torch.ones(2), "n.weight": torch.ones(3)},
            {},
            "BN layer 'n': running_var must have",
        ),
        (CONV_LAYER, {"eps": 0.0}, "^eps must be positive"),
        (CONV_LAYER, {"bn_eps": -1.0}, "bn_eps must be positive"),
        (CONV_LAYER, {"image": (0, 3)}, "image must be at least 1, got 0"),
        (CONV_LAYER, {"resamples": 1}, "resamples must be at least 2, got 1"),
        (CONV_LAYER, {"groups": {"(model)": 0}}, "groups must be at least 1, got 0"),
    ],
)
def test_bad_input_is_refused(weights: Any, options: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        diagnose(weights, **options)
