"""The model of Schneider, Section 3.2, in exact rational arithmetic: plain Python, small p, every tie decided exactly.

Written apart from the NumPy simulators, which counterexamples are checked against. All numbers are int or Fraction; a
float is refused with TypeError, since 0.1 is not 1/10 (convert with Fraction(value) to mean the float itself).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from numbers import Rational

# float only so that fields of an instance type-check; it is refused at run time
Exact = float | Fraction
Vector = tuple[Fraction, ...]


def exact_grid(d: Sequence[Exact]) -> list[Vector]:
    """The 2^p samples (1 + a_0, a_1, ...), a_i = +-d_i, as a multiset.

    In the order of `sim.grid`: the sign of coordinate i of sample n is plus where bit i of n is set.
    """
    half_widths = _vector(d, "d")
    for i, entry in enumerate(half_widths):
        if not 0 <= entry <= 1:
            raise ValueError(f"d must lie in [0, 1], got d[{i}] = {entry}")
    samples = []
    for reversed_signs in product((-1, 1), repeat=len(half_widths)):
        signs = reversed_signs[::-1]
        deviation = [sign * entry for sign, entry in zip(signs, half_widths, strict=True)]
        samples.append((1 + deviation[0], *deviation[1:]))
    return samples


def exact_targets(samples: Sequence[Sequence[Exact]], w_star: Sequence[Exact]) -> list[Fraction]:
    """y = w*.X of every sample."""
    return [_dot(_vector(w_star, "w_star"), _vector(X, "X")) for X in samples]


def exact_active(X: Sequence[Exact], w: Sequence[Exact]) -> bool:
    """Whether w.X > 0; a tie is inactive. Schneider, Eq. (2)."""
    return _dot(_vector(w, "w"), _vector(X, "X")) > 0


def exact_sample_gradient(X: Sequence[Exact], y: Exact, w: Sequence[Exact]) -> Vector:
    """-2 (y - w.X) X if w.X > 0, else 0. Schneider, Eq. (2)."""
    sample, weights = _vector(X, "X"), _vector(w, "w")
    (target,) = _vector((y,), "y")
    preactivation = _dot(weights, sample)
    if preactivation <= 0:
        return (Fraction(0),) * len(weights)
    return tuple(-2 * (target - preactivation) * x for x in sample)


def exact_gradient(samples: Sequence[Sequence[Exact]], targets: Sequence[Exact], w: Sequence[Exact]) -> Vector:
    """Mean over all samples of the gradient of Eq. (2)."""
    _require_pairs(samples, targets)
    gradients = [exact_sample_gradient(X, y, w) for X, y in zip(samples, targets, strict=True)]
    return tuple(sum(column, Fraction(0)) / len(samples) for column in zip(*gradients, strict=True))


def exact_loss(samples: Sequence[Sequence[Exact]], targets: Sequence[Exact], w: Sequence[Exact]) -> Fraction:
    """Mean over all samples of (y - max(w.X, 0))^2."""
    _require_pairs(samples, targets)
    weights, values = _vector(w, "w"), _vector(targets, "targets")
    outputs = [max(_dot(weights, _vector(X, "X")), Fraction(0)) for X in samples]
    return sum(((y - out) ** 2 for y, out in zip(values, outputs, strict=True)), Fraction(0)) / len(samples)


def exact_step(
    samples: Sequence[Sequence[Exact]], targets: Sequence[Exact], w: Sequence[Exact], learning_rate: Exact
) -> Vector:
    """One full-batch update w - learning_rate * mean gradient. Schneider, Eq. (1)."""
    return exact_descend(samples, targets, w, learning_rate, 1)[-1]


def exact_descend(
    samples: Sequence[Sequence[Exact]],
    targets: Sequence[Exact],
    w: Sequence[Exact],
    learning_rate: Exact,
    steps: int,
    order: str = "full",
    momentum: Exact = 0,
) -> list[Vector]:
    """The weights before and after each of `steps` updates; see `exact_trajectory`."""
    return exact_trajectory(samples, targets, w, learning_rate, steps, order, momentum)[0]


def exact_trajectory(
    samples: Sequence[Sequence[Exact]],
    targets: Sequence[Exact],
    w: Sequence[Exact],
    learning_rate: Exact,
    steps: int,
    order: str = "full",
    momentum: Exact = 0,
) -> tuple[list[Vector], list[Vector]]:
    """Weights (steps + 1 vectors) and gradients (steps vectors) of v <- momentum v + g, w <- w - learning_rate v.

    g is the mean gradient over all samples (order "full") or the gradient of one sample per update, in turn
    ("cyclic"). Raises ValueError for any other order, learning_rate <= 0, steps < 0 or lengths that differ.
    """
    _require_pairs(samples, targets)
    if order not in ("full", "cyclic"):
        raise ValueError(f"order must be one of full, cyclic, got {order!r}")
    if steps < 0:
        raise ValueError(f"steps must be at least 0, got {steps}")
    (rate,), (beta,) = _vector((learning_rate,), "learning_rate"), _vector((momentum,), "momentum")
    if rate <= 0:
        raise ValueError(f"learning_rate must be positive, got {rate}")
    if not 0 <= beta < 1:
        raise ValueError(f"momentum must lie in [0, 1), got {beta}")
    current = _vector(w, "w")
    velocity: Vector = (Fraction(0),) * len(current)
    weights, gradients = [current], []
    for t in range(steps):
        if order == "full":
            gradient = exact_gradient(samples, targets, current)
        else:
            turn = t % len(samples)
            gradient = exact_sample_gradient(samples[turn], targets[turn], current)
        velocity = tuple(beta * v + g for v, g in zip(velocity, gradient, strict=True))
        current = tuple(entry - rate * v for entry, v in zip(current, velocity, strict=True))
        gradients.append(gradient)
        weights.append(current)
    return weights, gradients


def _dot(a: Vector, b: Vector) -> Fraction:
    if len(a) != len(b):
        raise ValueError(f"weights and samples must have the same length, got {len(a)} and {len(b)}")
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def _vector(values: Sequence[Exact], name: str) -> Vector:
    if values and all(type(entry) is Fraction for entry in values):
        return tuple(values)  # type: ignore[arg-type]  # checked just now; the conversion below is slow
    for i, entry in enumerate(values):
        if not isinstance(entry, Rational) or isinstance(entry, bool):
            raise TypeError(f"{name} must hold int or Fraction for exact arithmetic, got {name}[{i}] = {entry!r}")
    if len(values) == 0:
        raise ValueError(f"{name} must have at least one entry, got none")
    return tuple(Fraction(entry) for entry in values)


def _require_pairs(samples: Sequence[Sequence[Exact]], targets: Sequence[Exact]) -> None:
    if len(samples) != len(targets) or len(samples) == 0:
        raise ValueError(
            f"samples and targets must be equally many, at least one, got {len(samples)} and {len(targets)}"
        )
