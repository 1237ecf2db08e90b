"""Deep linear networks with batch normalisation in inference: layers diag(g^l) W^l, g = gamma/std, both trained.

Singular Value Bounding acts on the W^l and, right after it, bounded batch norm on the g^l (Jia et al., Algorithms 1
and 2). Layout, samples and loss as in `sim.deep_linear`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.arrays import FloatArray
from sim.bbn import MODES, bounded_scales
from sim.deep_linear import DIVERGENCE_BOUND, LinearTask, Weights, chain_gradients, chain_loss
from sim.errors import require_choice, require_finite, require_int, require_positive, require_positive_int
from sim.svb import bound_singular_values

Scales = tuple[FloatArray, ...]
"""g^l (N_l,) from the first layer on."""


@dataclass(frozen=True, eq=False)
class ScaledTrajectory:
    """Weights and scales along training.

    times: (T,) updates. weights: for each layer (T, N_l, N_{l-1}); scales: for each layer (T, N_l). loss: (T,).
    diverged: whether an update left the finite range; the trajectory then ends before it.
    """

    times: FloatArray
    weights: Weights
    scales: Scales
    loss: FloatArray
    diverged: bool

    @property
    def layers(self) -> Weights:
        """diag(g^l) W^l, the maps that the layers are, for each layer (T, N_l, N_{l-1})."""
        return scaled_layers(self.weights, self.scales)

    @property
    def spectra(self) -> tuple[FloatArray, ...]:
        """Singular values of diag(g^l) W^l, for each layer (T, min(N_l, N_{l-1})), descending."""
        return tuple(np.asarray(np.linalg.svd(layer, compute_uv=False)) for layer in self.layers)


def scaled_layers(weights: Sequence[FloatArray], scales: Sequence[FloatArray]) -> Weights:
    """diag(g^l) W^l for weights (..., N_l, N_{l-1}) and scales (..., N_l)."""
    return tuple(np.asarray(g[..., :, None] * W) for W, g in zip(weights, scales, strict=True))


def scaled_gradients(
    weights: Sequence[FloatArray], scales: Sequence[FloatArray], task: LinearTask
) -> tuple[Weights, Scales]:
    """The gradients of the loss by every W^l and every g^l."""
    by_layer = chain_gradients(scaled_layers(weights, scales), task)
    by_weights = tuple(g[:, None] * G for g, G in zip(scales, by_layer, strict=True))
    return by_weights, tuple(np.sum(G * W, axis=1) for W, G in zip(weights, by_layer, strict=True))


def descend_scaled_chain(
    weights: Sequence[object],
    task: LinearTask,
    *,
    learning_rate: float,
    steps: int,
    scales: Sequence[object] | None = None,
    record_every: int = 1,
    every: int = 1,
    band: float | None = None,
    scale_band: float | None = None,
    mode: str = "published",
) -> ScaledTrajectory:
    """Gradient descent on all W^l and g^l for `steps` updates.

    scales: at the start (default: ones). After every `every` updates the singular values of the W^l are bounded to
    [1/(1+band), 1+band] and then the g^l by bounded batch norm with `scale_band` in the mode of `sim.bbn`; None for
    either leaves it out. Raises ValueError or TypeError for arguments out of range, naming the argument, and for a
    layer whose mean scale is 0 in mode "published".
    """
    rate = float(require_positive(learning_rate, "learning_rate"))
    steps = require_int(steps, "steps", 0)
    keep, bound = require_positive_int(record_every, "record_every"), require_positive_int(every, "every")
    for name, width in (("band", band), ("scale_band", scale_band)):
        if width is not None:
            require_positive(width, name)
    require_choice(mode, "mode", MODES)
    W = tuple(require_finite(layer, f"weights[{n}]") for n, layer in enumerate(weights))
    chain_loss(W, task)
    g = _start(scales, W)
    kept, times, diverged = [(W, g)], [0], False
    for update in range(1, steps + 1):
        down_W, down_g = scaled_gradients(W, g, task)
        moved_W = tuple(a - rate * b for a, b in zip(W, down_W, strict=True))
        moved_g = tuple(a - rate * b for a, b in zip(g, down_g, strict=True))
        if not all(np.abs(a).max() <= DIVERGENCE_BOUND for a in (*moved_W, *moved_g)):
            diverged = True
            break
        if update % bound == 0:
            if band is not None:
                moved_W = tuple(np.asarray(bound_singular_values(a, band)) for a in moved_W)
            if scale_band is not None:
                moved_g = tuple(bounded_scales(a, scale_band, mode=mode) for a in moved_g)
        W, g = moved_W, moved_g
        if update % keep == 0:
            kept.append((W, g))
            times.append(update)
    found_W, found_g = zip(*kept, strict=True)
    return ScaledTrajectory(
        np.array(times, dtype=np.float64),
        tuple(np.stack(layer) for layer in zip(*found_W, strict=True)),
        tuple(np.stack(layer) for layer in zip(*found_g, strict=True)),
        np.array([chain_loss(scaled_layers(a, b), task) for a, b in kept]),
        diverged,
    )


def _start(scales: Sequence[object] | None, weights: Weights) -> Scales:
    if scales is None:
        return tuple(np.ones(len(layer)) for layer in weights)
    given = tuple(require_finite(g, f"scales[{n}]") for n, g in enumerate(scales))
    if len(given) != len(weights):
        raise ValueError(f"scales must be as many as weights, got {len(given)} and {len(weights)}")
    for n, (g, layer) in enumerate(zip(given, weights, strict=True)):
        if g.shape != layer.shape[:1]:
            raise ValueError(f"scales[{n}] must have shape ({len(layer)},), one per row of weights[{n}], got {g.shape}")
    return given
