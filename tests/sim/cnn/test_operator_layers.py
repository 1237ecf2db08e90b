"""`matrices="operator"` on real layers: their matrices by autograd, with every kind of padding, stride and dilation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from sim.arrays import FloatArray
from sim.cnn.hooks import BoundWarning
from sim.cnn.image_sizes import operator_geometry
from sim.cnn.svb import SingularValueBounding
from sim.operator_band import Geometry, operator_extremes
from sim.svb import band

pytestmark = pytest.mark.filterwarnings("ignore::sim.cnn.hooks.BoundWarning")


def layer_values(layer: Any, image: tuple[int, ...]) -> FloatArray:
    """The singular values of a layer without bias as a map of images, from its Jacobian."""
    inputs = torch.zeros(1, layer.in_channels, *image, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(layer, inputs)
    matrix = jacobian.reshape(-1, inputs.numel()).numpy()
    return np.asarray(np.linalg.svd(matrix, compute_uv=False))


def made(kind: type[nn.Module], n_in: int, n_out: int, kernel: Any, **options: Any) -> Any:
    torch.manual_seed(0)
    layer: Any = kind(n_in, n_out, kernel, bias=False, dtype=torch.float64, **options)
    with torch.no_grad():
        layer.weight.normal_(0.0, 0.7)
    return layer


ZERO_PADDED = [
    (nn.Conv2d, 3, 5, 3, {"padding": 1}, (6, 7)),
    (nn.Conv2d, 4, 4, 3, {"padding": "same", "dilation": 2}, (6, 6)),
    (nn.Conv2d, 3, 4, 3, {"padding": 1, "stride": 2}, (7, 6)),
    (nn.Conv2d, 2, 3, (3, 1), {"stride": (2, 1), "padding": (2, 0)}, (5, 4)),
    (nn.Conv1d, 4, 6, 5, {"groups": 2}, (9,)),
    (nn.Conv3d, 2, 3, 2, {"padding": 1}, (3, 3, 2)),
    (nn.ConvTranspose2d, 4, 3, 3, {"stride": 2, "padding": 1, "output_padding": 1}, (3, 4)),
    (nn.ConvTranspose1d, 3, 2, 4, {"dilation": 2}, (6,)),
]


@pytest.mark.parametrize(("kind", "n_in", "n_out", "kernel", "options", "image"), ZERO_PADDED)
def test_the_upper_end_holds_for_zero_padded_layers(kind, n_in, n_out, kernel, options, image):
    layer = made(kind, n_in, n_out, kernel, **options)
    assert layer_values(layer, image)[0] > 1.5
    example = torch.zeros(1, n_in, *image, dtype=torch.float64)
    (done,) = SingularValueBounding(layer, 0.1, matrices="operator", example=example).apply()
    assert layer_values(layer, image)[0] <= 1.1 * (1 + 1e-12)
    # the bound is worth something: margins lose little
    assert layer_values(layer, image)[0] >= 0.6
    assert done.left is not None
    assert done.left[1] <= 1.1 * (1 + 1e-12)


CIRCULAR = [
    (nn.Conv2d, 4, 2, 3, {"padding": 1}, (6, 5)),
    (nn.Conv2d, 2, 3, 3, {"padding": 1, "stride": 2}, (6, 8)),
    (nn.Conv2d, 4, 6, 3, {"padding": 2, "dilation": 2, "groups": 2}, (6, 6)),
    (nn.Conv1d, 2, 4, 3, {"padding": "same"}, (7,)),
]


@pytest.mark.parametrize(("kind", "n_in", "n_out", "kernel", "options", "image"), CIRCULAR)
def test_both_ends_are_exact_for_circular_layers(kind, n_in, n_out, kernel, options, image):
    layer = made(kind, n_in, n_out, kernel, padding_mode="circular", **options)
    example = torch.zeros(1, n_in, *image, dtype=torch.float64)
    (done,) = SingularValueBounding(layer, 0.2, matrices="operator", example=example).apply()
    values = layer_values(layer, image)
    low, high = band(0.2)
    assert done.left == pytest.approx((values[-1], values[0]), abs=1e-10)
    assert done.reached
    assert low * (1 - 1e-12) <= values[-1]
    assert values[0] <= high * (1 + 1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_stored_weights_are_what_the_report_is_about(dtype):
    layer = made(nn.Conv2d, 4, 4, 3, padding=1).to(dtype)
    (done,) = SingularValueBounding(layer, 0.1, matrices="operator", example=torch.zeros(1, 4, 6, 6).to(dtype)).apply()
    stored = layer.weight.detach().double().numpy()
    assert done.left == pytest.approx(operator_extremes(stored, Geometry((8, 8), (1, 1), (1, 1))), abs=1e-10)
    assert done.left is not None
    assert done.left[1] <= 1.1 * (1 + 1e-12)


def test_what_is_not_reached_is_warned_of_once_and_reported():
    layer = made(nn.Conv2d, 4, 4, 3)
    bound = SingularValueBounding(layer, 0.1, matrices="operator", example=torch.zeros(1, 4, 9, 9).double())
    with pytest.warns(BoundWarning, match=r"layer '' is left with singular values from 0\..*; see sim\.operator_band"):
        (done,) = bound.apply()
    assert not done.reached
    assert done.left is not None
    assert done.left[0] < 1 / 1.1
    assert "(outside)" in bound.report()


def test_linear_layers_are_bounded_as_matrices_and_the_model_is_left_as_it_was():
    model: Any = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
    model[1].eval()
    mean = model[2].running_mean.clone()
    bound = SingularValueBounding(model, 0.3, matrices="operator", example=torch.randn(2, 3, 6, 6))
    assert torch.equal(model[2].running_mean, mean)
    assert [module.training for module in model] == [True, False, True, True, True, True]
    assert not any(module._forward_hooks for module in model.modules())
    first, second = bound.apply()
    assert second.route != "operator"
    assert first.size == (4, 27)
    values = np.linalg.svd(model[5].weight.detach().numpy(), compute_uv=False)
    assert 1 / 1.3 - 1e-6 <= values.min() <= values.max() <= 1.3 + 1e-6


def test_the_padded_image_is_enlarged_until_the_stride_divides_it():
    layer = nn.Conv2d(1, 1, 3, stride=(2, 3), padding=1)
    geometry = operator_geometry(layer, {"": layer}, torch.zeros(1, 1, 7, 8))
    assert geometry == {"": Geometry((10, 12), (2, 3), (1, 1))}


class Twice(nn.Module):
    """One convolution on images of two sizes, and one on none."""

    def __init__(self) -> None:
        super().__init__()
        self.used = nn.Conv2d(2, 2, 3)
        self.idle = nn.Conv2d(2, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.used(self.used(x))


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (
            Twice(),
            {"layers": ["used"]},
            r"layer 'used' must be given images of one size by the example, got \(7, 7\) an",
        ),
        (
            Twice(),
            {"layers": ["idle"]},
            "layer 'idle' must be given images of one size by the example, got none; leave",
        ),
        (
            nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"),
            {},
            r"got padding \(1, 1\) of mode 'reflect' on images",
        ),
        (nn.Conv2d(2, 2, 3, padding=2, padding_mode="circular"), {}, "or circular padding that keeps the size of its"),
        (
            nn.Conv2d(2, 2, 3, 2, 1, padding_mode="circular"),
            {},
            r"mode 'circular' on images \(9, 9\) with stride \(2, 2\)",
        ),
    ],
)
def test_layers_that_no_circular_convolution_stands_for(model, options, message):
    with pytest.raises(ValueError, match=message):
        SingularValueBounding(model, 0.1, matrices="operator", example=torch.zeros(1, 2, 9, 9), **options)


def test_several_inputs():
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 3)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.conv(x + y)

    model = Sum()
    images = torch.zeros(1, 2, 5, 6)
    assert operator_geometry(model, {"conv": model.conv}, (images, images)) == {
        "conv": Geometry((5, 6), (1, 1), (1, 1))
    }
