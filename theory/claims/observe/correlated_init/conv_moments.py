"""Second moments of convolutions with correlated filters: by FFT, on layers, and by enumeration of sign filters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.correlation import equicorrelation, exponential_correlation, sample_weights
from sim.mean_field import PADDINGS, input_moments, kernels, layer_moments
from theory.claims.observe.correlated_init.filter_draws import STANDARD_ERRORS
from theory.claims.observe.correlated_init.sign_laws import second_moments, sign_law
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import text
from theory.derive.correlated_init.wide_limit import limit_kernels
from theory.experiment import ExactRoute, Experiment, Observation, Values

ROUNDING = 1e-11
"""Sums of some hundred terms of order one, and FFTs of some thousand."""

Pixel = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Net:
    """Images (B, C, H, W), filters of correlation R (kernel: height and width), v = n_in Var[w], what lies outside.

    pairs: positions and inputs (b, a, b', a') whose second moments are looked at.
    """

    images: np.ndarray
    R: np.ndarray
    v: float
    padding: str
    kernel: Pixel
    pairs: tuple[tuple[int, Pixel, int, Pixel], ...]
    depth: int = 1
    seed: int = 0

    def at_pairs(self, K: np.ndarray) -> np.ndarray:
        """K (..., B, B, H, W, H, W) at the pairs, (..., N)."""
        return np.stack([K[..., b, c, a[0], a[1], d[0], d[1]] for b, a, c, d in self.pairs], axis=-1)

    def window_products(self, Q: np.ndarray) -> np.ndarray:
        """M (p, p, N): second moments Q (B, B, H, W, H, W) of the pixels of the two windows of each pair."""
        (height, width), (rows, columns) = self.images.shape[2:], self.kernel

        def window(a: Pixel) -> list[Pixel | None]:
            found: list[Pixel | None] = []
            for d, e in product(range(rows), range(columns)):
                r, c = a[0] + d - (rows - 1) // 2, a[1] + e - (columns - 1) // 2
                inside = 0 <= r < height and 0 <= c < width
                found.append((r % height, c % width) if inside or self.padding == "circular" else None)
            return found

        return np.array([
            [[0.0 if s is None or t is None else Q[b, c, *s, *t] for b, a, c, d in self.pairs
              for s, t in [(window(a)[m], window(d)[n])]] for n in range(len(self.R))]
            for m in range(len(self.R))
        ])  # fmt: skip


def random_pairs(
    rng: np.random.Generator, shape: Sequence[int], count: int
) -> tuple[tuple[int, Pixel, int, Pixel], ...]:
    """Any two positions of any two inputs, and one position with itself."""
    batch, _, height, width = shape

    def position() -> Pixel:
        return int(rng.integers(height)), int(rng.integers(width))

    found = [(int(rng.integers(batch)), position(), int(rng.integers(batch)), position()) for _ in range(count - 1)]
    b, a, *_ = found[0]
    return (*found, (b, a, b, a))


def observe_layer_moments(net: Net) -> Observation:
    """One layer by FFT, with the second moments of its windows gathered one by one."""
    Q = input_moments(net.images)
    K = layer_moments(Q, net.R, net.v, padding=net.padding, kernel=net.kernel)
    return _one_layer(net, net.at_pairs(K), Q, ROUNDING)


def _one_layer(net: Net, K: np.ndarray, Q: np.ndarray, tolerance: np.ndarray | float) -> Observation:
    M = net.window_products(Q)
    return Observation({"p": len(net.R), "R": net.R[..., None], "M": M, "v": net.v, "K": K}, tolerance)


@on_layers
def observe_layer_on_layers(net: Net) -> Observation:
    """The same as the mean over `torch.nn.Conv2d` layers with random weights."""
    from sim.cnn.measured import channel_moments

    networks, out = 300, 8
    seen = pair_products(net, torch_responses(net, networks, (out,)))
    return _one_layer(net, seen.mean(axis=0), channel_moments(net.images), STANDARD_ERRORS * _error(seen))


def _error(seen: np.ndarray) -> np.ndarray:
    return np.asarray(seen.std(axis=0, ddof=1) / np.sqrt(len(seen)) + 1e-12)


def torch_responses(net: Net, networks: int, widths: Sequence[int]) -> np.ndarray:
    """Responses of the last layer, (networks, B, channels, H, W), of random networks of these widths."""
    import torch

    from sim.cnn import relu_stack

    rng = np.random.default_rng([net.seed, *net.images.shape])
    found = []
    with torch.no_grad():
        for _ in range(networks):
            y = torch.from_numpy(net.images)
            for depth, width in enumerate(widths):
                x = torch.relu(y) if depth else y
                n_in = x.shape[1]
                W = sample_weights(net.R, (width, n_in, *net.kernel), sigma=np.sqrt(net.v / n_in), rng=rng)
                y = relu_stack.conv_layer(W[None], net.padding)(x)
            found.append(y.numpy())
    return np.stack(found)


def pair_products(net: Net, responses: np.ndarray) -> np.ndarray:
    """The channel mean of y(a) y'(a') for each network and pair, (networks, N)."""
    return np.stack(
        [(responses[:, b, :, a[0], a[1]] * responses[:, c, :, d[0], d[1]]).mean(axis=1) for b, a, c, d in net.pairs],
        axis=1,
    )


def correlations(rng: np.random.Generator, side: int) -> list[np.ndarray]:
    """Correlations of square filters: by distance, equal, any."""
    p = side**2
    vectors = rng.normal(size=(p, p)) + 0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    any_ = np.clip(vectors @ vectors.T, -1.0, 1.0)
    np.fill_diagonal(any_, 1.0)
    return [exponential_correlation(side, rng.uniform(0.5, 0.9)), equicorrelation(p, rng.uniform(0.3, 1.0)), any_]


def nets(
    rng: np.random.Generator, *, side: int = 3, depth: int = 1, correlated: bool = True, count: int = 12
) -> Iterator[Net]:
    """Two random images of 3 x 4 pixels and two channels, any borders."""
    for padding in PADDINGS:
        for R in correlations(rng, side):
            images = rng.normal(size=(2, 2, 3, 4)) + 0.3
            pairs = random_pairs(rng, images.shape, count)
            matrix = R if correlated else np.eye(side**2)
            seed = int(rng.integers(2**31))
            yield Net(images, matrix, float(rng.uniform(0.1, 0.3)), padding, (side, side), pairs, depth, seed)


@dataclass(frozen=True)
class SignNet:
    """One channel, images (B, W) of one row, filters of two signs with correlation r, and one pair (b, a, b', a')."""

    r: Fraction
    images: tuple[tuple[Fraction, ...], ...]
    pair: tuple[int, int, int, int]

    @property
    def respond(self) -> list[tuple[Fraction, tuple[tuple[Fraction, ...], ...]]]:
        """Probabilities and responses (B, W) of every filter, circular."""
        width = len(self.images[0])
        return [
            (w, tuple(tuple(f[0] * x[a] + f[1] * x[(a + 1) % width] for a in range(width)) for x in self.images))
            for w, f in sign_law(2, self.r)
        ]


def candidates(*, correlated: bool = True) -> Iterator[SignNet]:
    """Images of two pixels."""
    zero, one, half = Fraction(0), Fraction(1), Fraction(1, 2)
    rs = (zero, one, half, -half, Fraction(1, 4)) if correlated else (zero,)
    images = (((one, zero), (one, one)), ((one, one), (one, -one)), ((one, half), (zero, one)))
    for x, r in product(images, rs):
        for b, a, c, d in product((0, 1), repeat=4):
            yield SignNet(r, x, (b, a, c, d))


def observe_exact(net: SignNet) -> Values:
    """Every filter, in fractions; v = 1."""
    b, a, c, d = net.pair
    width = len(net.images[0])
    first = [net.images[b][(a + t) % width] for t in (0, 1)]
    second = [net.images[c][(d + t) % width] for t in (0, 1)]
    return {
        "p": Fraction(2),
        "R": second_moments(sign_law(2, net.r)),
        "M": [[x * z for z in second] for x in first],
        "v": Fraction(1),
        "K": sum((w * y[b][a] * y[c][d] for w, y in net.respond), Fraction(0)),
    }


def describe(net: SignNet) -> tuple[tuple[str, str], ...]:
    """Its parameters."""
    return ("r", text(net.r)), ("images", "; ".join(text(x) for x in net.images)), ("pair", str(net.pair))


def lower(net: SignNet) -> Net:
    """As floats, with filters that have the same correlation."""
    b, a, c, d = net.pair
    images = np.array(net.images, dtype=float)[:, None, None, :]
    return Net(images, equicorrelation(2, float(net.r)), 1.0, "circular", (1, 2), ((b, (0, a), c, (0, d)),))


@cache
def one_layer(*, correlated: bool = True) -> Experiment:
    """One layer; filters with any correlation, or with none."""
    return Experiment(
        name="one layer" if correlated else "one layer, uncorrelated filters",
        sample=lambda rng: nets(rng, correlated=correlated),
        observe=observe_layer_moments,
        exact=ExactRoute(lambda: candidates(correlated=correlated), observe_exact, describe, lower),
        layer=observe_layer_on_layers,
    )


WIDTHS = (256, 256, 64)
NETWORKS = 40


def observe_deep(net: Net) -> Observation:
    """The recursion by FFT, against offsets summed one by one."""
    *_, K = kernels(net.images, net.R, net.v, depth=net.depth, padding=net.padding)
    return _deep(net, net.at_pairs(K), ROUNDING)


def _deep(net: Net, seen: np.ndarray, tolerance: np.ndarray | float) -> Observation:
    batch, _, height, width = net.images.shape

    def limit(correlated: bool) -> np.ndarray:
        last = limit_kernels(net.images, net.R, net.v, depth=net.depth, padding=net.padding, correlated=correlated)[-1]
        return net.at_pairs(last.reshape(batch, batch, height, width, height, width))

    values = {"p": 1, "K_seen": seen, "K_limit": limit(True), "K_untied": limit(False)}
    return Observation(values, tolerance)


@on_layers
def observe_deep_on_layers(net: Net) -> Observation:
    """The mean over wide networks of `torch.nn.Conv2d` and ReLU: 256 channels leave a bias of some 1/256.

    That is a tenth of the standard error of 40 networks, whose own second moments spread by some sqrt(5/256).
    """
    seen = pair_products(net, torch_responses(net, NETWORKS, WIDTHS[: net.depth]))
    return _deep(net, seen.mean(axis=0), STANDARD_ERRORS * _error(seen))


@cache
def deep() -> Experiment:
    """Three layers."""
    return Experiment(
        name="three wide layers",
        sample=lambda rng: nets(rng, depth=3),
        observe=observe_deep,
        layer=observe_deep_on_layers,
        layer_sample=lambda rng: (net for n, net in enumerate(nets(rng, depth=3, count=8)) if n in (0, 4)),
    )
