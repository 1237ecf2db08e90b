"""The compiled update of aligned modes: one pass per block of modes through all updates, specialised for each depth.

A depth is passed as a tuple of that length, so that numba compiles straight-line code in which prefix and suffix
products stay in registers; a block of modes stays in the first-level cache for as many updates as are asked for.
Compiling takes longer the deeper the network, so beyond `UNROLLED` layers one loop serves every depth. It also serves a
few modes, which would leave most of a block empty, and be long done while code for their depth is still compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from sim.arrays import FloatArray
from sim.compiled import njit

LANES = 128
"""Modes of a block: 8 layers of it take 8 KiB."""
UNROLLED = 12
"""Depths up to this one have code of their own."""
FEW = 4
"""Up to so many modes one loop serves every depth."""


def advance(
    s: FloatArray, sigma: FloatArray, rate: float, start: int, stop: int, high: float, clip_every: int
) -> FloatArray:
    """Strengths (L, N) after updates start+1, ..., stop of s <- s + rate (sigma - prod s) prod_{k != l} s^k.

    clip_every: clip |s| to [1/high, high] after each update whose number it divides; 0: never. sigma (N,).
    """
    if len(s) > UNROLLED or s.shape[1] <= FEW:
        modes_first = np.ascontiguousarray(s.T)
        _advance_deep(modes_first, sigma, rate, start, stop, 1.0 / high, high, clip_every)
        return np.ascontiguousarray(modes_first.T)
    return np.asarray(_advance(s, sigma, rate, start, stop, 1.0 / high, high, clip_every, (0,) * len(s)))


@njit(cache=True)
def _advance_deep(s, sigma, rate, start, stop, low, high, clip_every):  # type: ignore[no-untyped-def]
    """In place, for strengths (N, L) of any depth."""
    modes, layers = s.shape
    before = np.empty(layers)
    for n in range(modes):
        for update in range(start, stop):
            product = 1.0
            for layer in range(layers):
                before[layer] = product
                product *= s[n, layer]
            pull = rate * (sigma[n] - product)
            for layer in range(layers - 1, -1, -1):
                strength = s[n, layer]
                s[n, layer] = strength + pull * before[layer]
                pull *= strength
            if clip_every > 0 and (update + 1) % clip_every == 0:
                for layer in range(layers):
                    s[n, layer] = np.copysign(min(max(abs(s[n, layer]), low), high), s[n, layer])


@njit(cache=True, fastmath={"contract"})
def _advance(s, sigma, rate, start, stop, low, high, clip_every, depth):  # type: ignore[no-untyped-def]
    layers, modes = s.shape
    out = np.empty_like(s)
    block, goal = np.ones(layers * LANES), np.ones(LANES)
    for first in range(0, modes, LANES):
        width = min(LANES, modes - first)
        goal[:width] = sigma[first : first + width]
        for layer in range(layers):
            block[layer * LANES : layer * LANES + width] = s[layer, first : first + width]
        for update in range(start, stop):
            for k in range(LANES):
                strengths = _load(block, k, depth)
                before = _before(1.0, strengths)
                step = rate * (goal[k] - before[-1] * strengths[-1])
                _store(block, k, step, strengths, before)
            if clip_every > 0 and (update + 1) % clip_every == 0:
                for n in range(len(block)):
                    block[n] = np.copysign(min(max(abs(block[n]), low), high), block[n])
        for layer in range(layers):
            out[layer, first : first + width] = block[layer * LANES : layer * LANES + width]
    return out


def _load(block: FloatArray, k: int, depth: tuple[int, ...]) -> tuple[float, ...]:
    """The strengths of lane k in every layer."""
    raise NotImplementedError


def _before(product: float, strengths: tuple[float, ...]) -> tuple[float, ...]:
    """For each layer the product of those below it."""
    raise NotImplementedError


def _store(block: FloatArray, k: int, pull: float, strengths: tuple[float, ...], before: tuple[float, ...]) -> None:
    """Update lane k from the top layer down; `pull` is the step times the product of the layers already done."""
    raise NotImplementedError


# numba types tuples by their length, so these recursions end when it compiles; it knows no star in a tuple
@overload(_load, strict=False)
def _load_typed(block: Any, k: Any, depth: types.UniTuple) -> Callable[..., Any]:
    if depth.count == 1:
        return lambda block, k, depth: (block[k],)
    return lambda block, k, depth: (block[k],) + _load(block, k + LANES, depth[1:])  # noqa: RUF005


@overload(_before, strict=False)
def _before_typed(product: Any, strengths: types.UniTuple) -> Callable[..., Any]:
    if strengths.count == 1:
        return lambda product, strengths: (product,)
    return lambda product, strengths: (product,) + _before(product * strengths[0], strengths[1:])  # noqa: RUF005


@overload(_store, strict=False)
def _store_typed(
    block: Any, k: Any, pull: Any, strengths: types.UniTuple, before: types.UniTuple
) -> Callable[..., Any]:
    top = (strengths.count - 1) * LANES
    if strengths.count == 1:

        def last(block, k, pull, strengths, before):  # type: ignore[no-untyped-def]
            block[k + top] = strengths[-1] + pull * before[-1]

        return last

    def rest(block, k, pull, strengths, before):  # type: ignore[no-untyped-def]
        block[k + top] = strengths[-1] + pull * before[-1]
        _store(block, k, pull * strengths[-1], strengths[:-1], before[:-1])

    return rest
