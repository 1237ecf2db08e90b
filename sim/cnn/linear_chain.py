"""Deep linear networks as chains of `torch.nn.Linear`, in float64 on the CPU: loss, gradients, steps of SGD.

Weights and samples are laid out as in `sim.deep_linear`: W^l (N_l, N_{l-1}), samples as columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sim.arrays import FloatArray
from sim.deep_linear import LinearTask, Weights
from sim.errors import require_int, require_positive, require_positive_int


@dataclass(frozen=True, eq=False)
class ChainStep:
    """Loss, gradients by every W^l, and the output (N_L, K) of a chain."""

    loss: float
    gradients: Weights
    output: FloatArray


def linear_chain(weights: Sequence[FloatArray]) -> nn.Sequential:
    """`nn.Linear` layers without bias that hold the weights. Raises ValueError if there are none."""
    if not len(weights):
        raise ValueError("weights must hold at least one layer, got none")
    layers = []
    for W in weights:
        outputs, inputs = W.shape
        layer = nn.Linear(inputs, outputs, bias=False, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(W, dtype=torch.float64))
        layers.append(layer)
    return nn.Sequential(*layers)


def chain_step(weights: Sequence[FloatArray], task: LinearTask) -> ChainStep:
    """One forward and one backward pass."""
    chain, X, Y = linear_chain(weights), *_samples(task)
    output = chain(X)
    loss = _loss(output, Y)
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = tuple(_array(weight.grad) for weight in chain.parameters())
    return ChainStep(float(loss.detach()), gradients, _array(output).T)


def chain_descend(weights: Sequence[FloatArray], task: LinearTask, *, learning_rate: float, steps: int) -> Weights:
    """The weights after `steps` updates of `torch.optim.SGD` on all samples."""
    rate, count = float(require_positive(learning_rate, "learning_rate")), require_int(steps, "steps", 0)
    chain, X, Y = linear_chain(weights), *_samples(task)
    optimiser = torch.optim.SGD(chain.parameters(), lr=rate)
    for _ in range(count):
        optimiser.zero_grad()
        _loss(chain(X), Y).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return tuple(_array(weight) for weight in chain.parameters())


def chain_flow(weights: Sequence[FloatArray], task: LinearTask, *, time: float, steps: int) -> Weights:
    """The weights after the gradient flow dW/dt = -dL/dW for a time, in `steps` steps of Runge and Kutta (order 4)."""
    duration, count = float(require_positive(time, "time")), require_positive_int(steps, "steps")
    step, W = duration / count, tuple(np.asarray(each, dtype=np.float64) for each in weights)
    for _ in range(count):
        total = [np.zeros_like(each) for each in W]
        at = W
        for reach, share in ((0.5, 1 / 6), (0.5, 1 / 3), (1.0, 1 / 3), (0.0, 1 / 6)):
            slopes = chain_step(at, task).gradients
            total = [t - share * slope for t, slope in zip(total, slopes, strict=True)]
            at = tuple(each - reach * step * slope for each, slope in zip(W, slopes, strict=True))
        W = tuple(each + step * t for each, t in zip(W, total, strict=True))
    return W


def _array(tensor: Tensor | None) -> FloatArray:
    assert tensor is not None
    return np.asarray(tensor.detach().numpy(), dtype=np.float64)


def _samples(task: LinearTask) -> tuple[Tensor, Tensor]:
    return torch.tensor(task.X.T), torch.tensor(task.Y.T)


def _loss(output: Tensor, Y: Tensor) -> Tensor:
    return nn.functional.mse_loss(output, Y, reduction="sum") / (2 * len(Y))
