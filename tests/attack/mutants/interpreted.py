"""The compiled kernels run by Python itself, as they would run compiled."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any


def interpret() -> None:
    """Let numba compile nothing that is imported from now on.

    Two things would differ: what `overload` offers is for compiled code alone, and Python's `ldexp` refuses what in C
    is infinite. This changes both for the whole process.
    """
    from numba.core import config
    from numba.core.types import UniTuple, int64

    extending: Any = import_module("numba.extending")
    setattr(config, "DISABLE_JIT", True)  # noqa: B010 - numba sets its settings by name

    def overload(function: Any, **_: Any) -> Callable[[Any], Any]:
        def decorate(maker: Callable[..., Any]) -> Callable[..., Any]:
            def called(*arguments: Any) -> Any:
                # all that a maker here asks about a type is the length of a tuple
                kinds = (UniTuple(int64, len(one)) if isinstance(one, tuple) else None for one in arguments)
                return maker(*kinds)(*arguments)

            function.__globals__[function.__name__] = called
            return maker

        return decorate

    extending.overload = overload
    exact = math.ldexp

    @wraps(exact)
    def ldexp(x: float, i: int) -> float:
        try:
            return exact(x, i)
        except OverflowError:
            return math.copysign(math.inf, x)

    setattr(math, "ldexp", ldexp)  # noqa: B010 - typed as a function that nobody replaces
