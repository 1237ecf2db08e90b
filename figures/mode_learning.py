"""How directions of a deep linear network are learned (after Saxe et al.): closed forms against whole networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.style import BLACK, BLUE, GREEN, GREY, LOOKS, heading, note, panels, styled
from sim.arrays import FloatArray
from sim.deep_linear import LinearTask, aligned_weights, descend_chain
from sim.linear_modes import flow_modes
from theory.derive.deep_linear.flows import DEEP_TIME, elapsed, kappa, riccati
from theory.derive.deep_linear.modes import s, sigma, t
from theory.evaluate import value

SEED = 0
SIGMAS = (3.0, 1.8, 1.0, 0.5)
BALANCED, SMALLEST = 0.1, 0.02
"""Strengths at the start: s = t = BALANCED, or t = SMALLEST beside s = LOPSIDED."""
LOPSIDED = 0.6
RATE, UPDATES, EVERY = 0.01, 700, 25
DEPTHS = (2, 3, 4)
START = 0.05
PARAMETERS = {
    "sigma": SIGMAS,
    "s, t": ((BALANCED, BALANCED), (LOPSIDED, SMALLEST)),
    "learning rate": RATE,
    "L": DEPTHS,
    "u_0 for L layers": START,
}


@dataclass(frozen=True, eq=False)
class Data:
    """Products s t of every direction.

    times: (T,) and exact (2, T, M), for the balanced and the lopsided start; seen_at (N,) and seen (2, N, M) from
    descent on whole networks. products (P,), scaled_times: L x time of L equal layers by closed form, (P,) for each
    depth; the key 0 is the limit; points: the flow followed numerically, depth -> (L x time, product).
    """

    times: FloatArray
    exact: FloatArray
    seen_at: FloatArray
    seen: FloatArray
    products: FloatArray
    scaled_times: dict[int, FloatArray]
    points: dict[int, tuple[FloatArray, FloatArray]]


def data() -> Data:
    """Evaluate the closed forms, and train."""
    rng = np.random.default_rng(SEED)
    size = len(SIGMAS)
    frames = [np.linalg.qr(rng.normal(size=(size, size)))[0] for _ in range(3)]
    task = LinearTask.whitened(frames[-1] * np.array(SIGMAS) @ frames[0].T, rng, noise=0.3)
    times = np.linspace(0.0, RATE * UPDATES, 400)
    exact, seen = [], []
    for first, second in ((BALANCED, BALANCED), (LOPSIDED, SMALLEST)):
        exact.append(np.stack([_exact(first, second, target, times) for target in SIGMAS], axis=1))
        start = aligned_weights(frames, [np.full(size, first), np.full(size, second)])
        run = descend_chain(start, task, learning_rate=RATE, steps=UPDATES, record_every=EVERY)
        maps = run.weights[1] @ run.weights[0]
        seen.append(np.einsum("am,nab,bm->nm", frames[-1], maps, frames[0]))
        seen_at = RATE * run.times

    products = np.linspace(START, 0.985, 300)
    scaled = {L: L * _time(elapsed(L), products) for L in DEPTHS}
    scaled[0] = _time(DEEP_TIME, products)
    points = {L: _flow(L, float(scaled[L][-1]) / L) for L in DEPTHS}
    return Data(times, np.array(exact), seen_at, np.array(seen), products, scaled, points)


def _exact(first: float, second: float, target: float, times: FloatArray) -> FloatArray:
    """s t along the flow of two layers, from (s + t)^2 and (s - t)^2."""
    given = {"s": first, "t": second, "sigma": target, "time": times}
    plus = value(riccati((s + t) ** 2, sigma), given, exact=False)
    if first == second:
        return np.asarray(plus / 4)
    minus = value(riccati((s - t) ** 2, -sigma, kappa), given, exact=False)
    return np.asarray((plus - minus) / 4)


def _time(formula: sp.Expr, products: FloatArray) -> FloatArray:
    given = {"sigma": 1.0, "u_start": START, "u_end": products}
    return np.asarray(value(formula, given, exact=False))


def _flow(depth: int, until: float) -> tuple[FloatArray, FloatArray]:
    at = np.linspace(0.0, until, 14)
    run = flow_modes(np.full((depth, 1), START ** (1 / depth)), 1.0, at)
    return depth * at, run.products[:, 0]


@styled
def draw(shown: Data | None = None) -> Figure:
    """Left two layers, four directions; right one direction, several depths."""
    numbers = shown or data()
    figure, axes = panels(TITLES["mode-learning"], [["a", "b"]], 3.3, width_ratios=(1.125, 1.0))
    _directions(axes["a"], numbers)
    _depths(axes["b"], numbers)
    note(
        figure,
        f"(a) lines: closed form; markers: updates of whole 4 x 4 networks in random frames (rate {RATE:g}).\n"
        f"(b) lines: closed form; markers: the flow followed numerically; all layers equal, product {START:g} at the "
        "start, $\\sigma=1$.",
    )
    return figure


def _directions(axes: Axes, numbers: Data) -> None:
    heading(axes, "a", "two layers, four directions")
    for m, target in enumerate(SIGMAS):
        axes.axhline(target, color=GREY, lw=0.6, ls="dotted")
        axes.annotate(
            rf"$\sigma={target:g}$", (numbers.times[-1], target), (-2, 3), textcoords="offset points", ha="right"
        )
        for start, (color, marker, style) in enumerate(((BLUE, "o", "solid"), (GREEN, "^", (0, (5, 1.5))))):
            label = (f"$s=t={BALANCED:g}$", f"$s={LOPSIDED:g},\\ t={SMALLEST:g}$")[start] if m == 0 else None
            axes.plot(numbers.times, numbers.exact[start, :, m], color=color, ls=style, lw=1.1)
            axes.plot(
                numbers.seen_at,
                numbers.seen[start, :, m],
                color=color,
                marker=marker,
                ms=3.0,
                ls="none",
                markerfacecolor="white",
                markeredgewidth=0.8,
                label=label,
            )
    axes.legend(loc="upper left", bbox_to_anchor=(0.47, 0.56), handletextpad=0.3)
    axes.set(
        xlabel=r"time (updates $\times$ learning rate)", ylabel=r"product $s_m t_m$", xlim=(0, None), ylim=(0, 3.35)
    )


def _depths(axes: Axes, numbers: Data) -> None:
    heading(axes, "b", "one direction, $L$ equal layers")
    for look, depth in zip(LOOKS, DEPTHS, strict=False):
        axes.plot(numbers.scaled_times[depth], numbers.products, **look.line, label=f"$L={depth}$")
        axes.plot(*numbers.points[depth], **{**look.points, "markersize": 3.2, "markeredgewidth": 0.8})
    axes.plot(numbers.scaled_times[0], numbers.products, color=BLACK, lw=1.0, ls=(0, (1, 1)), label=r"$L\to\infty$")
    axes.legend(loc="lower right")
    axes.set(xlabel=r"$L\,\times$ time", ylabel=r"product $u=s^L$", xlim=(0, None), ylim=(0, 1.04))
