"""Single numbers of a training run, or of two runs of one seed, that statements on training speak of."""

from __future__ import annotations

import math

import numpy as np

from sim.arrays import FloatArray
from sim.records import LayerState, NotRecorded, TrainingRun

EARLY = 0.2
"""The first epochs: this share of all, rounded up."""
RECORDED = 1e-5
"""Relative; records keep six digits of a singular value."""


def final(run: TrainingRun, measure: str) -> float:
    """A measure in the last epoch."""
    return float(run.measures[measure][-1])


def over_all(run: TrainingRun, measure: str) -> float:
    """The mean of a measure over all epochs."""
    return float(run.measures[measure].mean())


def early(run: TrainingRun, measure: str) -> float:
    """The mean of a measure over the first fifth of the epochs."""
    return float(run.measures[measure][: math.ceil(EARLY * run.epochs)].mean())


def epochs_ahead(first: TrainingRun, second: TrainingRun) -> float:
    """How many epochs earlier the first run reaches a training loss that both reach; negative: later.

    The loss is the larger one of the lowest losses of the two; epochs, whose loss is their mean, are joined by straight
    lines. Exchanging the runs changes the sign.
    """
    losses = [run.measures["train_loss"] for run in (first, second)]
    level = max(float(loss.min()) for loss in losses)
    when = [_first_time(loss, level) for loss in losses]
    return when[1] - when[0]


def _first_time(loss: FloatArray, level: float) -> float:
    """The epoch, from 1 on, at which a loss first falls to a level that it reaches."""
    n = int((loss <= level).argmax())
    if n == 0:
        return 1.0
    return float(n + (loss[n - 1] - level) / (loss[n - 1] - loss[n]))


def spatial(run: TrainingRun, *, trained: bool = True) -> list[LayerState]:
    """The layers with 3 x 3 filters but for the first, at the end (not `trained`: before training), by depth.

    Raises NotRecorded for fewer than two of them.
    """
    layers = run.layers_at(run.epochs if trained else 0)
    found = [layer for layer in layers if layer.depth > 0 and layer.shape[-2:] == (3, 3)]
    if len(found) < 2:
        raise NotRecorded(f"two layers with 3 x 3 filters or more are needed behind the first, got {len(found)}")
    return found


def mean_correlation(run: TrainingRun, *, trained: bool = True) -> float:
    """The correlation of two pixels of a filter, mean over pairs and over the layers of `spatial`."""
    return float(np.mean([layer.mean_correlation for layer in spatial(run, trained=trained)]))


def correlation_by_distance(run: TrainingRun, *, trained: bool = True) -> FloatArray:
    """(5,) the correlation of pixels at distances 1, sqrt 2, 2, sqrt 5, sqrt 8, mean over the layers of `spatial`."""
    return np.asarray(np.mean([layer.by_distance for layer in spatial(run, trained=trained)], axis=0))


def correlation_slope(run: TrainingRun, *, trained: bool = True) -> float:
    """The least-squares slope of a layer's mean correlation over its depth, per layer, over the layers of `spatial`."""
    layers = spatial(run, trained=trained)
    depth = np.array([layer.depth for layer in layers], dtype=np.float64)
    found = np.array([layer.mean_correlation for layer in layers])
    depth -= depth.mean()
    return float(depth @ found / (depth @ depth))


def outside_band(run: TrainingRun, eps: float, *, trained: bool = True) -> float:
    """The share of the kernels' singular values, all layers together, that lie outside [1/(1+eps), 1+eps]."""
    spectra = np.concatenate([layer.singular_values for layer in run.layers_at(run.epochs if trained else 0)])
    outside = (spectra < (1 - RECORDED) / (1 + eps)) | (spectra > (1 + RECORDED) * (1 + eps))
    return float(outside.mean())


def operator_extremes(run: TrainingRun) -> tuple[float, float]:
    """The largest and the smallest singular value of any trained layer's convolution on its images.

    Raises NotRecorded if no layer's was.
    """
    found = [layer.operator for layer in run.layers_at(run.epochs) if layer.operator is not None]
    if not found:
        raise NotRecorded("layers must have the singular values of their operators, got none that has")
    return max(pair[0] for pair in found), min(pair[1] for pair in found)


def time_share(run: TrainingRun, measure: str = "svb_seconds") -> float:
    """Seconds that a method took over seconds that the updates took, both over all epochs. NotRecorded if not timed."""
    own, updates = run.seconds[measure].sum(), run.seconds["epoch_seconds"].sum()
    if not run.seconds[measure].size or updates == 0:
        raise NotRecorded(f"timing must have {measure} and epoch_seconds, got none")
    return float(own / updates)
