"""The route through real layers: every observation here comes out of `torch.nn.Conv2d`, autograd and `torch.optim`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sim.instance import FilterBatch

if TYPE_CHECKING:
    from sim.cnn.conv_filter import LayerStep

FILTERS = ("blur", "edge", "gabor")
"""The filters that the optimum is rotated to, in turn."""

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread: the layers are small, and idle threads cost more than they do."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def on_layers(observe: Callable[P, T]) -> Callable[P, T]:
    """An observation through layers, run on one thread."""

    @wraps(observe)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with one_thread():
            return observe(*args, **kwargs)

    return run


def grid_steps(batch: FilterBatch) -> Sequence[LayerStep]:
    """One update of a layer for each row of the batch, its grid rotated so that w* is a blur, an edge or a Gabor."""
    from sim.cnn.conv_filter import grid_step

    return [grid_step(batch[row], filter=FILTERS[row % len(FILTERS)]) for row in range(len(batch))]
