"""numba's compiler, whose store of compiled code is a convenience: where it fails, it is done without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def njit(*, cache: bool = False, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """As `numba.njit`, but that with `cache` a folder that cannot be written to, a full disk, or a stored file that is
    damaged costs the time to compile, and nothing else."""

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            compiled = numba.njit(cache=cache, **options)(function)
        except RuntimeError as error:
            if "cannot cache function" not in str(error):
                raise
            compiled = numba.njit(**options)(function)
        # numba has no public way to the store; without it (NUMBA_DISABLE_JIT) there is nothing to guard
        store = getattr(compiled, "_cache", None)
        for name in ("load_overload", "save_overload"):
            if hasattr(store, name):
                setattr(store, name, _or_none(getattr(store, name)))
        return compiled

    return decorate


def _or_none(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        try:
            return function(*given, **named)
        except Exception:
            # a file of pickles that is cut off can raise anything
            return None

    return call
