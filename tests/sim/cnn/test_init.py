from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sim.cnn import correlated_normal_, initialize_
from sim.correlation import SCALES, correlation_root, exponential_correlation, response_gain, sample_weights, weight_std
from sim.filter_statistics import filter_correlation
from sim.known import KnownCorrelation, find_correlation
from sim.nearest import scale_correlation
from tests.sim.rounding import EPS
from tests.strategies.correlated_init import filter_correlations

R3, R5 = exponential_correlation(3, 0.7), exponential_correlation(5, 0.8)
MOMENTS = exponential_correlation(3, 0.9)


class Block(nn.Module):
    """A residual block with a grouped, a depthwise, a dilated and a strided convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.grouped = nn.Conv2d(channels, channels, 3, groups=4, padding=1, bias=False)
        self.depthwise = nn.Conv2d(channels, channels, 3, groups=channels, padding=2, dilation=2)
        self.norm = nn.BatchNorm2d(channels)
        self.expand = nn.Sequential(nn.Conv2d(channels, 2 * channels, 1), nn.ReLU())
        self.down = nn.Conv2d(2 * channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(self.expand(self.norm(self.depthwise(self.grouped(x).relu()))))


class Subclassed(nn.Conv2d):
    pass


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Sequential(Subclassed(3, 16, 3, stride=2, padding=1), nn.ReLU()),
        Block(16),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 10),
    )


@given(
    R=filter_correlations(9),
    scale=st.sampled_from(("he", "printed", "sum", "mean_field")),
    shape=st.sampled_from(((4, 3, 3, 3), (8, 1, 3, 3), (2, 5, 1, 9), (1, 1, 9, 1))),
    seed=st.integers(0, 2**32 - 1),
)
def test_draws_are_those_of_the_simulator(R: Any, scale: str, shape: tuple[int, int, int, int], seed: int) -> None:
    moments = MOMENTS if scale == "mean_field" else None
    if scale != "he" and response_gain(R, np.ones((9, 9)) if moments is None else moments) < 1e-6:
        scale, moments = "he", None
    sigma = weight_std(scale, R, shape[1], moments=moments)
    weight = torch.empty(shape, dtype=torch.float64)
    result = correlated_normal_(weight, R=R, scale=scale, moments=moments, generator=np.random.default_rng(seed))
    assert result is weight
    expected = sample_weights(R, shape, sigma=sigma, rng=np.random.default_rng(seed))
    assert np.abs(weight.numpy() - expected).max() <= 1e-10 * max(1.0, np.abs(expected).max())


def test_draws_of_a_torch_generator_are_transformed_alike() -> None:
    weight = torch.empty(6, 2, 3, 3, dtype=torch.float64)
    correlated_normal_(weight, R=R3, generator=torch.Generator().manual_seed(5))
    z = torch.randn(12, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(5)).numpy()
    expected = weight_std("sum", R3, 2) * z @ correlation_root(R3).T
    assert np.abs(weight.numpy().reshape(12, 9) - expected).max() <= 64 * EPS
    torch.manual_seed(5)
    again = correlated_normal_(torch.empty_like(weight), R=R3)
    assert torch.equal(again, weight)


def test_alpha_scales_the_off_diagonals_and_sigma_follows() -> None:
    weight = torch.empty(5, 4, 3, 3, dtype=torch.float64)
    correlated_normal_(weight, R=R3, alpha=0.5, generator=np.random.default_rng(1))
    halved = scale_correlation(R3, 0.5)
    expected = sample_weights(halved, (5, 4, 3, 3), sigma=weight_std("sum", halved, 4), rng=np.random.default_rng(1))
    assert np.abs(weight.numpy() - expected).max() <= 1e-10
    layer = nn.Conv2d(4, 5, 3, dtype=torch.float64)
    initialize_(layer, R=R3, alpha=0.5, generator=np.random.default_rng(1))
    assert torch.equal(layer.weight, weight)
    with pytest.raises(ValueError, match=r"alpha must lie in \[.*got 9"):
        correlated_normal_(weight, R=R3, alpha=9.0)


@pytest.mark.parametrize("scale", SCALES)
def test_filters_have_the_correlation_and_the_size_asked_for(scale: str) -> None:
    n = 20_000
    moments = MOMENTS if scale == "mean_field" else None
    weight = torch.empty(n // 4, 4, 3, 3)
    correlated_normal_(weight, R=R3, scale=scale, moments=moments, generator=torch.Generator().manual_seed(0))
    filters = weight.double().numpy()
    # (1 - r^2)/sqrt(n) is the standard error of a correlation; five of them, for the many looked at
    assert (np.abs(filter_correlation(filters) - R3) <= 5 * (1 - R3**2) / np.sqrt(n) + 8 * EPS).all()
    sigma = weight_std(scale, R3, 4, moments=moments)
    # the filter's nine weights are correlated: their mean square has the variance 2 sum R^2/81 per filter
    error = sigma**2 * np.sqrt(2 * np.square(R3).sum() / 81 / n)
    assert abs(np.square(filters).mean() - sigma**2) <= 5 * error
    assert abs(filters.mean()) <= 5 * sigma * np.sqrt(R3.sum() / 81 / n)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_other_dtypes_get_the_same_filters_rounded(dtype: torch.dtype) -> None:
    exact = correlated_normal_(torch.empty(8, 2, 3, 3, dtype=torch.float64), R=R3, generator=np.random.default_rng(2))
    weight = torch.empty(8, 2, 3, 3, dtype=dtype).to(memory_format=torch.channels_last)
    correlated_normal_(weight, R=R3, generator=np.random.default_rng(2))
    assert weight.dtype == dtype
    assert torch.equal(weight, exact.to(dtype))


@pytest.mark.gpu
def test_a_gpu_gets_the_same_filters() -> None:
    exact = correlated_normal_(torch.empty(8, 2, 3, 3), R=R3, generator=np.random.default_rng(2))
    weight = correlated_normal_(torch.empty(8, 2, 3, 3, device="cuda"), R=R3, generator=np.random.default_rng(2))
    assert torch.equal(weight.cpu(), exact)
    drawn = correlated_normal_(weight, R=torch.tensor(R3).cuda(), generator=torch.Generator("cuda").manual_seed(1))
    assert drawn.isfinite().all()


def test_one_pixel_falls_back_to_kaiming() -> None:
    weight = torch.empty(400, 50, 1, 1, dtype=torch.float64)
    correlated_normal_(weight, R=R3, scale="printed", generator=torch.Generator().manual_seed(0))
    expected = 2 / 50
    assert abs(weight.square().mean().item() - expected) <= 5 * expected * np.sqrt(2 / weight.numel())


def test_a_network_is_initialised_layer_by_layer() -> None:
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    report = initialize_(model, R=R3, generator=torch.Generator().manual_seed(0))
    how = {layer.name: (layer.how, layer.shape) for layer in report.layers}
    assert how == {
        "0.0": ("correlated", (16, 3, 3, 3)),
        "1.grouped": ("correlated", (16, 4, 3, 3)),
        "1.depthwise": ("correlated", (16, 1, 3, 3)),
        "1.expand.0": ("kaiming", (32, 16, 1, 1)),
        "1.down": ("correlated", (16, 32, 3, 3)),
        "4": ("untouched", (10, 16)),
    }
    # the channels that one filter sees, not those of the input, set its size
    sigma = {layer.name: layer.sigma for layer in report.layers}
    for name, n_in in (("0.0", 3), ("1.grouped", 4), ("1.depthwise", 1), ("1.down", 32)):
        assert sigma[name] == pytest.approx(np.sqrt(2 / (n_in * R3.sum())), rel=64 * EPS)
    assert sigma["1.expand.0"] == pytest.approx(np.sqrt(2 / 16), rel=8 * EPS)
    assert sigma["4"] is None
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {f"{name}.weight" for name, (kind, _) in how.items() if kind != "untouched"}
    assert model(torch.zeros(2, 3, 8, 8)).shape == (2, 10)
    lines = str(report).splitlines()
    assert len(lines) == 6
    assert lines[1].split() == ["1.grouped", "16", "x", "4", "x", "3", "x", "3", *_words(report.layers[1])]
    assert lines[-1].endswith("Linear is no Conv2d")


def _words(layer: Any) -> list[str]:
    return ["correlated", "sigma", f"{layer.sigma:.4g}", "scale", "'sum'"]


def test_layers_are_drawn_in_the_order_of_the_report() -> None:
    model = network()
    report = initialize_(model, R=R3, scale="he", generator=np.random.default_rng(3))
    rng = np.random.default_rng(3)
    weights = model.state_dict()
    for layer in report.layers[:-1]:
        R = R3 if layer.shape[2] == 3 else np.ones((1, 1))
        n_out, n_in, height, width = layer.shape
        expected = sample_weights(R, (n_out, n_in, height, width), sigma=layer.sigma, rng=rng)
        assert torch.equal(weights[f"{layer.name}.weight"], torch.from_numpy(expected).float())


def test_one_correlation_for_each_kernel_size() -> None:
    line = exponential_correlation(3, 0.5)[:3, :3]
    model = nn.Sequential(nn.Conv2d(3, 4, 5), nn.Conv2d(4, 4, (1, 3)), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 2))
    report = initialize_(model, R={3: R3, 5: torch.tensor(R5), (1, 3): line}, other="kaiming")
    assert [layer.how for layer in report.layers] == ["correlated"] * 3 + ["kaiming"]
    assert report.layers[3].why == "no R for 2 x 2"
    expected = [2 / (3 * R5.sum()), 2 / (4 * line.sum()), 2 / (4 * R3.sum()), 2 / (4 * 4)]
    assert [layer.sigma for layer in report.layers] == pytest.approx(np.sqrt(expected), rel=64 * EPS)


def test_a_file_stands_for_its_matrix(tmp_path: Path) -> None:
    path = tmp_path / "R.json"
    path.write_text(KnownCorrelation(R3, np.zeros((9, 9)), {}).to_json())
    expected = correlated_normal_(torch.empty(4, 4, 3, 3), R=R3, generator=np.random.default_rng(0))
    for source in (path, str(path), {3: path}):
        found = correlated_normal_(torch.empty(4, 4, 3, 3), R=source, generator=np.random.default_rng(0))
        assert torch.equal(found, expected)
    with pytest.raises(ValueError, match="R must hold a correlation for 1 x 9 filters, got one for 3 x 3"):
        correlated_normal_(torch.empty(4, 4, 1, 9), R=path)
    with pytest.raises(ValueError, match="R must be the name of a known correlation"):
        initialize_(network(), R="resnet10cifar10!")


def test_a_name_stands_for_the_matrix_that_ships_with_the_package() -> None:
    by_name, by_matrix = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
    initialize_(by_name, R="resnet10-cifar10", generator=np.random.default_rng(0))
    initialize_(by_matrix, R=find_correlation("resnet10-cifar10").R, generator=np.random.default_rng(0))
    assert torch.equal(by_name.weight, by_matrix.weight)


def test_mean_field_needs_the_moments_of_its_kernel_size() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 5))
    R = {3: R3, 5: R5}
    with pytest.raises(ValueError, match="layer '0' with 3 x 3 filters: moments must be given for scale 'mean_field'"):
        initialize_(model, R=R, scale="mean_field")
    with pytest.raises(ValueError, match="layer '1' with 5 x 5 filters: moments must be given for scale 'mean_field'"):
        initialize_(model, R=R, scale="mean_field", moments=MOMENTS)
    wide = exponential_correlation(5, 0.9)
    report = initialize_(model, R=R, scale="mean_field", moments={3: torch.tensor(MOMENTS), 5: wide})
    expected = [2 / (3 * (R3 * MOMENTS).sum()), 2 / (4 * (R5 * wide).sum())]
    assert [layer.sigma for layer in report.layers] == pytest.approx(np.sqrt(expected), rel=64 * EPS)
    with pytest.raises(ValueError, match=r"layer '0' .* moments must be left out for scale 'he'"):
        initialize_(model, R=R, scale="he", moments=MOMENTS)


def test_other_convolutions_stay_as_they_are() -> None:
    model = nn.Sequential(
        nn.Conv1d(2, 2, 3), nn.Conv3d(2, 2, 3), nn.ConvTranspose2d(2, 2, 3), nn.LazyLinear(3), nn.Conv2d(2, 2, 3)
    )  # fmt: skip
    before = {name: value.clone() for name, value in model.state_dict().items() if name[0] in "012"}
    report = initialize_(model, R=R3)
    assert [layer.how for layer in report.layers] == ["untouched"] * 4 + ["correlated"]
    assert [layer.why for layer in report.layers[:4]] == [
        f"{kind} is no Conv2d" for kind in ("Conv1d", "Conv3d", "ConvTranspose2d", "LazyLinear")
    ]
    assert len(before) == 6
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())


def with_one(layer: nn.Module) -> nn.Module:
    return nn.ModuleDict({"good": nn.Conv2d(2, 2, 3), "bad": layer})


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.Conv2d(2, 2, 5), r"R must hold a correlation for the 5 x 5 filters of layer 'bad', got one for 3 x 3; "
                             r"give a mapping such as R=\{5: \.\.\.\}, or other='kaiming'"),
        (nn.Conv2d(2, 2, (1, 9)), r"the 1 x 9 filters of layer 'bad'.*such as R=\{\(1, 9\): \.\.\.\}"),
        (nn.LazyConv2d(2, 3), "the weight of layer 'bad' must exist, but its layer is lazy; run a batch"),
        (nn.Conv2d(2, 2, 3, device="meta"), "the weight of layer 'bad' must hold numbers, got a meta tensor"),
        (nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 2, 3)), "layer 'bad' must have its weight as a parameter"),
        (nn.Conv2d(2, 2, 3, dtype=torch.complex64), "the weight of layer 'bad' must hold floating point numbers"),
    ],
)  # fmt: skip
def test_a_layer_that_cannot_be_initialised_stops_all(layer: nn.Module, message: str) -> None:
    model = with_one(layer)
    before = model.state_dict()["good.weight"].clone()
    with pytest.raises((ValueError, TypeError), match=message):
        initialize_(model, R=R3)
    assert torch.equal(model.state_dict()["good.weight"], before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"R": R3, "scale": "xavier"}, "scale must be one of sum, he, mean_field, printed, got 'xavier'"),
        ({"R": R3, "other": "zero"}, "other must be one of error, kaiming, got 'zero'"),
        ({"R": R3, "generator": 3}, r"generator must be a torch\.Generator or a numpy\.random\.Generator, got int"),
        ({"R": R3, "alpha": float("nan")}, "alpha must be finite"),
        ({"R": 2 * R3}, "R must have ones on its diagonal"),
        ({"R": {}}, "R must hold a correlation for at least one kernel size, got an empty mapping"),
        ({"R": {"3": R3}}, r"R must have kernel sizes k or \(height, width\) as keys, got '3'"),
        ({"R": {5: R3}}, "R must be 25 x 25, one row for each pixel of a 5 x 5 filter"),
        ({"R": np.eye(8)}, r"R must be k\^2 x k\^2 .* give a mapping such as \{\(1, 8\): \.\.\.\}"),
        ({"R": np.eye(9) * 1.5 - 0.5, "scale": "sum"}, "R must have no negative eigenvalue"),
        ({"R": R3, "scale": "mean_field", "moments": np.eye(8)}, r"moments must be k\^2 x k\^2 for windows"),
    ],
)
def test_bad_arguments_change_nothing(arguments: dict[str, Any], message: str) -> None:
    model = network()
    before = [value.clone() for value in model.parameters()]
    with pytest.raises((ValueError, TypeError), match=message):
        initialize_(model, **arguments)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros((2, 2, 3, 3)), "weight must be a tensor, got ndarray"),
        (torch.zeros(2, 2, 3, 3, dtype=torch.int64), r"weight must hold floating point numbers, got torch\.int64"),
        (torch.zeros(2, 9), r"weight must have shape \(N_out, N_in / groups, height, width\), .* got \(2, 9\)"),
        (torch.zeros(0, 2, 3, 3), r"each at least 1, got \(0, 2, 3, 3\)"),
        (torch.zeros(2, 2, 5, 5), "R must be 25 x 25, one row for each pixel of a 5 x 5 filter, got 9 x 9"),
    ],
)
def test_bad_weights_are_refused(weight: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        correlated_normal_(weight, R=R3)


def test_a_model_without_convolutions_is_refused() -> None:
    with pytest.raises(ValueError, match="model must have at least one Conv2d layer, got Linear with none"):
        initialize_(nn.Linear(2, 2), R=R3)


def test_a_single_layer_is_a_model() -> None:
    (layer,) = initialize_(nn.Conv2d(2, 2, 3), R=R3).layers
    assert layer.name == "(model)"


def test_the_package_loads_torch_with_its_parts_only() -> None:
    code = "import sim.cnn, sys; assert 'torch' not in sys.modules; sim.cnn.initialize_; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
    with pytest.raises(ImportError, match="cannot import name 'initialise'"):
        from sim.cnn import initialise  # noqa: F401
