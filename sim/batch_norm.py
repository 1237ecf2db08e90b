"""A linear layer with batch normalisation behind it, in inference and in training (Jia et al., Eq. 14)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.arrays import FloatArray
from sim.bbn import layer_scales
from sim.errors import require_finite, require_shape


@dataclass(frozen=True, eq=False)
class NormedLayer:
    """BN(W x + bias): W (M, N), everything else (M,), eps a number >= 0. `create` checks all of them."""

    W: FloatArray
    bias: FloatArray
    gamma: FloatArray
    beta: FloatArray
    running_mean: FloatArray
    running_var: FloatArray
    eps: float

    @classmethod
    def create(
        cls,
        W: object,
        gamma: object,
        running_var: object,
        *,
        bias: object = None,
        beta: object = None,
        running_mean: object = None,
        eps: float = 1e-5,
    ) -> NormedLayer:
        """The layer with these parameters; what is not given is 0.

        Raises ValueError for shapes that do not fit, NaN or infinities, a negative variance, or variance + eps = 0.
        """
        weights = require_shape(require_finite(W, "W"), "W", (None, None))
        shape = (len(weights),)
        given = {"gamma": gamma, "bias": bias, "beta": beta, "running_mean": running_mean}
        parts = {
            name: np.zeros(shape) if part is None else require_shape(require_finite(part, name), name, shape)
            for name, part in given.items()
        }
        layer_scales(parts["gamma"], running_var, eps=eps)
        return cls(weights, running_var=np.asarray(running_var, dtype=np.float64), eps=float(eps), **parts)

    @property
    def scales(self) -> FloatArray:
        """gamma/std, (M,): the diagonal of Gamma Sigma."""
        return layer_scales(self.gamma, self.running_var, eps=self.eps)

    def respond(self, X: FloatArray) -> FloatArray:
        """Responses (K, M) to inputs (K, N) in inference: Gamma Sigma (W x + bias - running_mean) + beta."""
        deviation = np.sqrt(self.running_var + self.eps)
        return np.asarray((X @ self.W.T + self.bias - self.running_mean) / deviation * self.gamma + self.beta)

    def respond_in_training(self, X: FloatArray) -> FloatArray:
        """The same with the mean and the (biased) variance of the batch."""
        z = X @ self.W.T + self.bias
        return np.asarray((z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + self.eps) * self.gamma + self.beta)
