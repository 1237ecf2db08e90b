"""Bounded batch normalisation of a model's BN layers as a hook on its optimiser (Jia et al., Algorithm 2)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from sim.arrays import FloatArray
from sim.bbn import MODES, bounded_gamma, layer_scales
from sim.cnn.hooks import BoundWarning, StepHook, find_layers, own_parameter
from sim.errors import require_choice, require_positive, require_shape

NO_MEAN = "the mean of gamma/std is 0"
SHOWN = 5
"""How many layers a warning names."""


@dataclass(frozen=True)
class NormBounding:
    """What was done to one BN layer of n neurons.

    raised, lowered: how many scales |gamma/std| grew and shrank; flipped: how many changed their sign (only in mode
    "published"). condition: max over min of |gamma/std| before and after; infinite where one is 0. skipped: why nothing
    was done, "" if it was.
    """

    name: str
    n: int
    raised: int
    lowered: int
    flipped: int
    condition: tuple[float, float]
    skipped: str = ""

    def row(self) -> dict[str, str]:
        """The cells of a report."""
        return {
            "layer": self.name or "(model)",
            "neurons": str(self.n),
            "raised": str(self.raised),
            "lowered": str(self.lowered),
            "flipped": str(self.flipped),
            "condition before": f"{self.condition[0]:.4g}",
            "after": f"{self.condition[1]:.4g}",
            "": self.skipped,
        }


class BoundedBatchNorm(StepHook[NormBounding]):
    """Keeps the scales gamma/std of every batch norm layer near each other: within 1 + eps of their mean, either way.

    ```
    norm = BoundedBatchNorm(model, eps=0.2, every=100).attach(optimizer)
    ```
    std = sqrt(running_var + the layer's own eps). Works with Singular Value Bounding (attach that first, as in Jia et
    al., Algorithm 1) or without it. `StepHook` says what saving does. Modes, see `sim.bbn`:
    "published": one signed pass, as the authors' code has it. A negative gamma in a layer of positive mean jumps to the
    positive end of the band. Where the mean is 0 (all gammas 0, as for residual blocks that start as the identity) a
    pass has no meaning: the layer is skipped, with a BoundWarning.
    "magnitude": one pass on |gamma/std|; signs stay, a scale of 0 counts as positive, a layer of zeros stays.
    "settled": the limit of such passes. Only this one reaches its band, and only this one changes nothing if repeated.

    `skipped` lists the BN layers that have nothing to bound: no gamma (affine=False), or no variance of their own
    (track_running_stats=False). A gamma with requires_grad False is left alone while that is so.

    order: Lemma 1, on which the method rests, is about a BN layer right behind a linear or convolutional one. With
    "detect" a BoundWarning names the layers for which this does not look so: the module registered directly before them
    in the same parent is none with as many outputs. It is a guess from the order of registration, not of execution;
    pre-activation blocks, BN behind a sum, and models that register their parts apart from their order are reported.
    "after" is the user's word that all is well. Bounded are all layers either way, or those named by `layers`.

    Raises ValueError for eps that is not positive, an unknown mode or order, unknown layers, layers named that have
    nothing to bound, and a model without any; TypeError for what is no model.
    """

    def __init__(
        self,
        model: nn.Module,
        eps: float,
        *,
        every: int | None = 100,
        mode: Literal["published", "magnitude", "settled"] = "published",
        order: Literal["detect", "after"] = "detect",
        layers: Iterable[str] | None = None,
    ) -> None:
        self._eps = float(require_shape(require_positive(eps, "eps"), "eps", ()))
        self._mode = require_choice(mode, "mode", MODES)
        require_choice(order, "order", ("detect", "after"))
        named = None if layers is None or isinstance(layers, str) else tuple(layers)
        found = find_layers(model, (_BatchNorm,), named if named is not None else layers, "batch norm layers")
        reasons = {name: reason for name, layer in found.items() if (reason := _nothing_to_bound(layer))}
        if reasons and (named is not None or len(reasons) == len(found)):
            name, reason = next(iter(reasons.items()))
            raise ValueError(f"batch norm layers must have a scale to bound, got {name!r} with {reason}")
        super().__init__({name: layer for name, layer in found.items() if name not in reasons}, every)
        for name, layer in self._layers.items():
            own_parameter(layer, "weight", name)
        self._skipped = reasons
        self._warned: set[str] = set()
        if order == "detect":
            _warn_of_order(model, tuple(self._layers))

    @property
    def skipped(self) -> dict[str, str]:
        """The BN layers that have nothing to bound, and why."""
        return dict(self._skipped)

    def _settings(self) -> dict[str, Any]:
        return {"eps": self._eps, "every": self._every, "mode": self._mode, "layers": list(self._layers)}

    def _watched(self, name: str, layer: nn.Module) -> tuple[Tensor, Tensor]:
        return own_parameter(layer, "weight", name), _variance(layer)

    def _bound(self, name: str, layer: nn.Module) -> NormBounding:
        weight, variance = self._watched(name, layer)
        gamma, var, extra = _array(weight), _array(variance), _norm(layer).eps
        try:
            scales = layer_scales(gamma, var, eps=extra)
            why = self._why_not(weight, scales)
            bounded = gamma if why else bounded_gamma(gamma, var, self._eps, eps=extra, mode=self._mode)
        except ValueError as error:
            raise ValueError(f"layer {name!r} cannot be bounded: {error}") from error
        if why == NO_MEAN and name not in self._warned:
            self._warned.add(name)
            warnings.warn(
                f"layer {name!r} is left as it is: {NO_MEAN}, and mode 'published' divides by it; modes 'magnitude' "
                "and 'settled' do not",
                BoundWarning,
                stacklevel=2,
            )
        if not np.array_equal(gamma, bounded):
            weight.copy_(torch.from_numpy(bounded))
        return NormBounding(
            name=name,
            n=len(gamma),
            raised=int((np.abs(bounded) > np.abs(gamma)).sum()),
            lowered=int((np.abs(bounded) < np.abs(gamma)).sum()),
            flipped=int((np.sign(bounded) * np.sign(gamma) < 0).sum()),
            condition=(_condition(scales), _condition(layer_scales(bounded, var, eps=extra))),
            skipped=why,
        )

    def _why_not(self, weight: Tensor, scales: FloatArray) -> str:
        if not weight.requires_grad:
            return "not trained"
        return NO_MEAN if self._mode == "published" and scales.mean() == 0 else ""


def lemma_applies(model: nn.Module) -> dict[str, bool]:
    """For each batch norm layer by name, whether Lemma 1 seems to apply: the guess of `BoundedBatchNorm`."""
    found = {}
    for prefix, parent in model.named_modules():
        before: nn.Module | None = None
        for name, child in parent.named_children():
            if isinstance(child, _BatchNorm):
                found[f"{prefix}.{name}" if prefix else name] = _outputs(before) == child.num_features
            before = child
    return found


def _outputs(layer: nn.Module | None) -> int | None:
    if isinstance(layer, _ConvNd):
        return layer.out_channels
    return layer.out_features if isinstance(layer, nn.Linear) else None


def _warn_of_order(model: nn.Module, names: tuple[str, ...]) -> None:
    applies = lemma_applies(model)
    doubtful = [name for name in names if not applies.get(name, False)]
    if doubtful:
        more = f" and {len(doubtful) - SHOWN} more" if len(doubtful) > SHOWN else ""
        warnings.warn(
            f"batch norm layers {', '.join(map(repr, doubtful[:SHOWN]))}{more} do not seem to follow a linear or "
            "convolutional layer directly, as in pre-activation blocks; Lemma 1 of Jia et al. is not about these. "
            "They are bounded nevertheless: choose with layers=[...], or say order='after' if the guess is wrong",
            BoundWarning,
            stacklevel=3,
        )


def _nothing_to_bound(layer: nn.Module) -> str:
    if not _norm(layer).affine:
        return "no gamma (affine=False)"
    return "" if _norm(layer).track_running_stats else "no running variance (track_running_stats=False)"


def _norm(layer: nn.Module) -> _BatchNorm:
    assert isinstance(layer, _BatchNorm)
    return layer


def _variance(layer: nn.Module) -> Tensor:
    variance = _norm(layer).running_var
    assert variance is not None
    return variance


def _array(tensor: Tensor) -> FloatArray:
    return np.array(tensor.detach().to("cpu", torch.float64).numpy())


def _condition(scales: FloatArray) -> float:
    size = np.abs(scales)
    return float(size.max() / size.min()) if size.min() > 0 else np.inf
