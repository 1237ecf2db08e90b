"""GradientSignChanges of pairs of gradients with zeros among their entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.samples import SampleSet
from sim.zigzag import gradient_sign_changes
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values


def observe(gradients: np.ndarray) -> Observation:
    """The metric, and a count of sign changes of each kind, for two gradients (2, B, p)."""
    first, second = np.sign(gradients)
    return _counted(first != second, first * second < 0, gradient_sign_changes(gradients)[0])


def _counted(differ: np.ndarray, flip: np.ndarray, gsc: np.ndarray) -> Observation:
    """Which entries (B, p) differ in sign, which of them have opposite signs, and the metric (B,)."""
    values = {
        "p": differ.shape[-1],
        "gsc": gsc,
        "changes": differ.sum(axis=-1).astype(float),
        "flips": flip.sum(axis=-1).astype(float),
        "touches": (differ & ~flip).sum(axis=-1).astype(float),
        "none_change": ~differ.any(axis=-1),
        "all_change": differ.all(axis=-1),
    }
    return Observation(values, 1e-12)


def batches(rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Gradients with and without zeros; pairs that flip everywhere, or nowhere, are common."""
    for p in range(1, 7):
        first, second = rng.normal(size=(2, 80, p))
        second[:20] = np.abs(second[:20]) * -np.sign(first[:20])
        second[20:40] = np.abs(second[20:40]) * np.sign(first[20:40])
        zeros = rng.random((2, 80, p)) < np.where(np.arange(80) % 2, 0.4, 0.0)[:, None]
        yield np.where(zeros, 0.0, np.stack([first, second]))


@dataclass(frozen=True, eq=False)
class Updates:
    """A filter w (4,), and two samples (2, 4) with targets, used one after the other."""

    samples: SampleSet
    w: np.ndarray


def layer_updates(rng: np.random.Generator) -> Iterator[list[Updates]]:
    """Samples with zeros among their pixels; equal, opposite and any signs; filters to which both are active."""
    updates = []
    for number in range(90):
        first, other = rng.uniform(0.2, 1.0, (2, 4)) * rng.choice([-1.0, 1.0], (2, 4))
        second = (other, first + 0.1 * np.abs(first) * rng.uniform(0, 1, 4), first)[number % 3]
        X = np.stack([first, second]) * (rng.random((2, 4)) < (0.6 if number % 2 else 1.0))
        w = np.linalg.pinv(X) @ np.ones(2)
        if (X @ w > 0.5).all():
            updates.append(Updates(SampleSet(X, rng.choice([0.0, 2.0], 2)), w))
    yield updates


@on_layers
def observe_layer(updates: Sequence[Updates]) -> Observation:
    """Gradients by autograd through `torch.nn.Conv2d` and ReLU, of one sample and then of the other."""
    from sim.cnn.conv_filter import sample_descend
    from sim.cnn.measured import sign_changes

    runs = [sample_descend(x.samples, x.w, learning_rate=1e-3, steps=2, order=[0, 1]) for x in updates]
    changes = sign_changes(np.stack([run.gradients for run in runs], axis=1))[0]
    return _counted(changes > 0, changes == 1, changes.sum(axis=-1) / changes.shape[-1])


Pair = tuple[tuple[Fraction, ...], tuple[Fraction, ...]]


def candidates() -> Iterator[Pair]:
    """Every pair of gradients with one or two entries 1, -1, 0."""
    numbers = (Fraction(1), Fraction(-1), Fraction(0))
    for p in (1, 2):
        vectors = list(product(numbers, repeat=p))
        yield from product(vectors, vectors)


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


def observe_exact(pair: Pair) -> Values:
    """The printed sum, and the same counts, in fractions."""
    p, signs = len(pair[0]), [(_sign(a), _sign(b)) for a, b in zip(*pair, strict=True)]
    differ, flip = sum(a != b for a, b in signs), sum(a * b < 0 for a, b in signs)
    return {
        "p": Fraction(p),
        "gsc": Fraction(sum(abs(a - b) for a, b in signs), 2 * p),
        "changes": Fraction(differ),
        "flips": Fraction(flip),
        "touches": Fraction(differ - flip),
        "none_change": differ == 0,
        "all_change": differ == p,
    }


@cache
def gradient_pairs() -> Experiment:
    """Two gradients in a row."""
    return Experiment(
        name="two gradients",
        sample=batches,
        observe=observe,
        exact=ExactRoute(
            candidates,
            observe_exact,
            lambda x: (("first gradient", text(x[0])), ("second gradient", text(x[1]))),
            lambda x: np.array(x, dtype=float)[:, None],
        ),
        layer=observe_layer,
        layer_sample=layer_updates,
    )
