"""The statements of `sim` on PyTorch layers, CPU or GPU; the only part of `sim` that imports `torch`.

The parts for one's own models can be had from here: `from sim.cnn import initialize_`. Importing this package alone
does not import `torch`; its modules and these parts do.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.cnn.bbn import BoundedBatchNorm as BoundedBatchNorm
    from sim.cnn.diagnostics import diagnose as diagnose
    from sim.cnn.init import correlated_normal_ as correlated_normal_
    from sim.cnn.init import initialize_ as initialize_
    from sim.cnn.svb import SingularValueBounding as SingularValueBounding

_MODULES = {
    "BoundedBatchNorm": "bbn",
    "SingularValueBounding": "svb",
    "correlated_normal_": "init",
    "diagnose": "diagnostics",
    "initialize_": "init",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
