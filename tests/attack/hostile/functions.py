"""Bad calls of the functions that documents show and commands use: each argument in turn, with what it cannot be.

Every call starts from a right one. Each bad argument must end in one ValueError or TypeError that names it.
"""

from __future__ import annotations

import inspect
import json
import math
import re
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sim.bbn import bounded_scales, layer_scales
from sim.cnn import BoundedBatchNorm, SingularValueBounding, correlated_normal_, diagnose, initialize_
from sim.cnn.data import images
from sim.cnn.settings import Settings
from sim.conv_spectrum import circular_singular_values, kernel_singular_values
from sim.correlation import equicorrelation, exponential_correlation, weight_std
from sim.descent import descend
from sim.instance import FilterInstance
from sim.known import KnownCorrelation, find_correlation
from sim.layer_variance import Stack, measure
from sim.linear_modes import descend_modes
from sim.nearest import nearest_correlation
from sim.problem import GridProblem
from sim.records import parse_run, read_folder
from sim.svb import band
from tests.attack.hostile.loaders import LOADERS, whole_record
from theory.claims import all_claims, find
from theory.verify import verify

NUMBER: tuple[Any, ...] = (math.nan, math.inf, -math.inf, "x", "0.5", None, 1j, [], {}, object(), 10**400)
POSITIVE = (*NUMBER, 0.0, -1.0)
COUNT: tuple[Any, ...] = (math.nan, 0.5, "3", None, -1, 1.0, [], object(), True)
ARRAY: tuple[Any, ...] = (
    math.nan,
    "x",
    None,
    object(),
    {},
    [[1.0], [1.0, 2.0]],
    ["a", "b"],
    [math.nan, 1.0],
    [math.inf, 1.0],
    [1j, 1.0],
)
ARRAYS = (*ARRAY, np.zeros(0), np.zeros((2, 0)), np.zeros((1,) * 9), np.array([object(), 1.0]), np.array([True, False]))
WORD = ("", "x", None, 3, object(), "\0")
TEXTS = ("", "x", None, 3, object(), ["x"], "\0")


@cache
def _network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))


@cache
def _records() -> str:
    """A folder with a record in it, which is gone when this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="hostile-")
    _KEPT.append(folder)
    LOADERS["records"].put(Path(folder.name), whole_record())
    return folder.name


_KEPT: list[Any] = []


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


@dataclass(frozen=True)
class Right:
    """A right call of a function, and for some of its arguments values that it must refuse."""

    function: Callable[..., Any]
    arguments: Callable[[], Mapping[str, Any]]
    bad: Mapping[str, tuple[Any, ...]]


def rights() -> tuple[Right, ...]:
    """Every function with its right call."""
    problem = GridProblem([0.2, 0.5], [1.0, 0.0])
    stack = Stack(3, 2, border="circular", size=6, v=0.2)
    R = equicorrelation(9, 0.5)
    return (
        Right(
            FilterInstance,
            lambda: {"d": [0.2, 0.5], "w": [1.0, 2.0], "learning_rate": 0.1, "w_star": [1.0, 0.0]},
            {"d": ARRAYS, "w": ARRAYS, "learning_rate": POSITIVE, "w_star": tuple(v for v in ARRAYS if v is not None)},
        ),
        Right(GridProblem, lambda: {"d": [0.2, 0.5]}, {"d": ARRAYS}),
        Right(
            descend,
            lambda: {"problem": problem, "w": [1.0, 2.0], "learning_rate": 0.1, "steps": 2, "rng": _rng()},
            {
                "w": ARRAYS,
                "learning_rate": POSITIVE,
                "steps": COUNT,
                "momentum": (*NUMBER, 1.0, -0.1),
                "l2": (*NUMBER, -1.0),
                "order": WORD,
            },
        ),
        Right(
            Stack,
            lambda: {"k": 3, "depth": 2, "border": "circular", "size": 6, "v": 0.2},
            {
                "k": (*COUNT, 0),
                "depth": (*COUNT, 0),
                "v": (*NUMBER, -1.0),
                "weight_correlation": (*NUMBER, 1.5, -0.1),
                "input_correlation": (*NUMBER, 1.5, -0.1),
                "border": WORD,
                "channels": (*COUNT, 0),
            },
        ),
        Right(
            measure, lambda: {"stack": stack, "draws": 10, "rng": _rng()}, {"draws": (*COUNT, 0), "rng": (None, 3, "x")}
        ),
        Right(
            descend_modes,
            lambda: {"s": [[1.0, 1.0]] * 2, "sigma": [2.0, 1.0], "learning_rate": 0.01, "steps": 2},
            {"s": ARRAYS, "sigma": ARRAYS, "learning_rate": POSITIVE, "steps": COUNT},
        ),
        Right(band, lambda: {"eps": 0.1}, {"eps": POSITIVE}),
        Right(bounded_scales, lambda: {"scales": [1.0, 2.0], "band": 0.1}, {"scales": ARRAYS, "band": POSITIVE}),
        Right(
            layer_scales,
            lambda: {"gamma": [1.0], "running_var": [1.0], "eps": 1e-5},
            {"gamma": ARRAYS, "running_var": ARRAYS},
        ),
        Right(equicorrelation, lambda: {"p": 4, "rho": 0.5}, {"p": (*COUNT, 0), "rho": (*NUMBER, 1.5)}),
        Right(
            exponential_correlation,
            lambda: {"k": 3, "rho_per_pixel": 0.5},
            {"k": (*COUNT, 0), "rho_per_pixel": (*NUMBER, 1.5)},
        ),
        Right(
            weight_std, lambda: {"R": R, "n_in": 3, "scale": "sum"}, {"scale": WORD, "R": ARRAYS, "n_in": (*COUNT, 0)}
        ),
        Right(nearest_correlation, lambda: {"A": R}, {"A": ARRAYS}),
        Right(kernel_singular_values, lambda: {"kernel": np.ones((2, 2, 3, 3))}, {"kernel": ARRAYS}),
        Right(
            circular_singular_values,
            lambda: {"kernel": np.ones((2, 2, 3, 3)), "image": (8, 8)},
            {"kernel": ARRAYS, "image": ((0, 8), (8.5, 8), "x", None, (8,), (math.nan, 8))},
        ),
        Right(
            find_correlation,
            lambda: {"source": "resnet10-cifar10"},
            {"source": ("", "x", "x.json", "\0.json", "/dev/zero.json")},
        ),
        Right(
            KnownCorrelation,
            lambda: {"R": R, "bootstrap_error": 0 * R, "provenance": {}},
            {"R": ARRAYS, "bootstrap_error": ARRAYS, "provenance": (None, 3, "x", [1])},
        ),
        Right(
            parse_run,
            lambda: {"record": json.loads(whole_record())},
            {"record": (None, 3, "x", [], {}, {"settings": {}}, {"settings": 3})},
        ),
        Right(read_folder, lambda: {"folder": _records()}, {"folder": ("", "none", "/dev/null", "\0")}),
        Right(images, lambda: {"name": "photo-patches"}, {"name": ("", "x", "mnist", "\0")}),
        Right(
            Settings,
            lambda: {},
            {
                "epochs": (*COUNT, 0),
                "batch_size": (*COUNT, 0),
                "learning_rate": POSITIVE,
                "width": POSITIVE,
                "gain": POSITIVE,
                "momentum": (*NUMBER, 1.0, -1.0),
                "l2": (*NUMBER, -1.0),
                "init": WORD,
                "data": WORD,
                "seed": COUNT,
                "svb": tuple(v for v in POSITIVE if v is not None),
            },
        ),
        Right(
            initialize_,
            lambda: {"model": _network(), "R": "resnet10-cifar10"},
            {"model": (None, 3, "x"), "R": ("x", 3, [[1.0, 2.0]], np.full((9, 9), math.nan), np.zeros((0, 0)))},
        ),
        Right(
            correlated_normal_,
            lambda: {"weight": torch.empty(2, 2, 3, 3), "R": R},
            {"weight": (None, 3, "x", np.ones(3)), "R": ("x", np.full((9, 9), math.nan), np.eye(4))},
        ),
        Right(
            SingularValueBounding,
            lambda: {"model": _network(), "eps": 0.1},
            {"model": (None, 3, "x"), "eps": POSITIVE, "every": (*(v for v in COUNT if v is not None), 0)},
        ),
        Right(
            BoundedBatchNorm,
            lambda: {"model": _network(), "eps": 0.1},
            {"model": (None, 3, "x"), "eps": POSITIVE, "every": (*(v for v in COUNT if v is not None), 0)},
        ),
        Right(
            diagnose,
            lambda: {"weights": _network()},
            {
                "weights": (None, 3, "x", {}, {"a": 3}, {"weight": torch.full((2, 2, 3, 3), math.nan)}),
                "eps": POSITIVE,
                "bn_eps": POSITIVE,
                "image": ((0, 8), (8.5, 8), (-1, 8), ("8", 8)),
            },
        ),
        Right(find, lambda: {"ids": ["C-E4"]}, {"ids": ([""], ["x"], ["C-E4", "none"], ["\0"])}),
        Right(
            verify,
            lambda: {"claim": all_claims()["C-L4A"], "level": "symbolic"},
            {"level": WORD, "seed": ("x", -1, 0.5)},
        ),
    )


def refused_rights() -> list[str]:
    """The right calls that are refused all the same: none, or nothing is learned from refusals of the bad ones."""
    refused = []
    for right in rights():
        try:
            right.function(**right.arguments())
        except Exception as error:
            refused.append(f"{right.function.__name__}: {error}"[:200])
    return refused


@dataclass(frozen=True)
class BadCall:
    """A function, and one argument with a value that it must refuse."""

    right: Right
    argument: str
    value: Any

    @property
    def label(self) -> str:
        shown = re.sub(r" at 0x\w+", "", " ".join(repr(self.value).split()))[:50]
        return f"{self.right.function.__name__}({self.argument}={shown})"


def bad_function_calls() -> list[BadCall]:
    """Every right call with each bad value of each argument."""
    return [BadCall(right, name, value) for right in rights() for name, values in right.bad.items() for value in values]


def judge_function_call(call: BadCall) -> str | None:
    """What is wrong with how a bad call ends, None if nothing is."""
    given = {**call.right.arguments(), call.argument: call.value}
    assert set(given) <= set(inspect.signature(call.right.function).parameters), call.right.function
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call.right.function(**given)
    except (ValueError, TypeError) as error:
        message = str(error)
        # a record or a list of rows is named by what is wrong in it
        names = {call.argument, "settings", "records", "folder", "claim id", *_ALSO.get(call.right.function, ())}
        named = any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) for name in names)
        if not named or not message.isprintable() or len(message) > 500:
            return f"{type(error).__name__} that does not name {call.argument}: {message[:150]!r}"
        return None
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:150]}"
    return "was accepted"


_ALSO: Mapping[Any, tuple[str, ...]] = {
    find_correlation: ("R", "cannot read"),
    images: ("data",),
    descend_modes: ("rows",),
}
"""Names by which messages call an argument, other than its own."""
