"""The control: a state that lacks any one of its parts goes on to other numbers. So the equality sees each of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch

from sim.cnn.data import Images
from sim.cnn.settings import Settings
from sim.cnn.training import Run
from sim.descent import Snapshot, Trajectory, descend
from sim.problem import GridProblem
from tests.attack.kills.settings import tiny

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
D, W = [0.5, 0.25, 0.75], [[0.2, 1.0, -0.5], [-0.5, 1.6, 0.5]]


def without(rng: np.random.Generator | None = None) -> Iterator[tuple[str, bool]]:
    """Each part of the two kinds of state, and whether leaving it out is noticed; and that a whole state is equal.

    rng: draws two parts of the state of a training, instead of all.
    """
    yield from _training(rng)
    yield from _descent()


def _training(rng: np.random.Generator | None) -> Iterator[tuple[str, bool]]:
    settings, images = tiny(4), _images()
    whole, begun = _run(settings, images, 4), _run(settings, images, 2)
    expected, state = _outcome(whole), begun.state()
    fresh = Run(settings, images, torch.device("cpu")).state()
    parts = _parts(fresh)
    for name in parts if rng is None else rng.choice(list(parts), 2, replace=False):
        yield f"training: {name}", _outcome(_gone_on(settings, images, parts[name](state))) != expected
    yield "nothing left out of a training", _outcome(_gone_on(settings, images, state)) == expected
    if rng is not None:
        return
    torch.manual_seed(99)
    yield "PyTorch's own generator, of which nothing depends", _outcome(_gone_on(settings, images, state)) == expected


def _parts(fresh: Mapping[str, Any]) -> dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
    """What is taken from a run that has not begun, instead of from the state."""

    def entire(*names: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        return lambda state: {**state, **{name: fresh[name] for name in names}}

    def model(statistics: bool) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        def change(state: Mapping[str, Any]) -> dict[str, Any]:
            kept = state["model"]
            taken = {name: fresh["model"][name] for name in kept if name.endswith(STATISTICS) == statistics}
            return {**state, "model": {**kept, **taken}}

        return change

    def progress(name: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        def change(state: Mapping[str, Any]) -> dict[str, Any]:
            old, new = json.loads(state["progress"]), json.loads(fresh["progress"])
            return {**state, "progress": json.dumps({**old, name: new[name]})}

        return change

    return {
        "weights": model(statistics=False),
        "running statistics of batch norm": model(statistics=True),
        "momentum": entire("optimizer"),
        "generator of shuffling and augmentation": entire("generator"),
        "number of epochs done, and with it the learning rate": entire("done"),
        "signs of the last gradient": entire("signs"),
        "outcomes of the epochs": progress("epochs"),
        "losses of the updates": progress("steps"),
        "spectra of the first layers": lambda state: {
            **state, "progress": json.dumps({**json.loads(state["progress"]), "layers": []})
        },
    }  # fmt: skip


def _run(settings: Settings, images: Images, epochs: int) -> Run:
    run = Run(settings, images, torch.device("cpu"))
    for _ in range(epochs):
        run.epoch()
    return run


def _gone_on(settings: Settings, images: Images, state: Mapping[str, Any]) -> Run:
    run = Run(settings, images, torch.device("cpu"))
    run.load_state({name: _copy(value) for name, value in state.items()})
    while run.done < settings.epochs:
        run.epoch()
    return run


def _copy(value: Any) -> Any:
    """A state dict shares its tensors with its network."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    return {name: _copy(entry) for name, entry in value.items()} if isinstance(value, dict) else value


def _outcome(run: Run) -> str:
    record = run.record({})
    del record["timing"]
    weights = {name: tensor.tolist() for name, tensor in run.model.state_dict().items()}
    return json.dumps([record, weights], sort_keys=True)


def _images() -> Images:
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (120, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, 120)
    return Images("cifar10", tuple("0123456789"), pixels[:100], labels[:100], pixels[100:], labels[100:])


def _descent() -> Iterator[tuple[str, bool]]:
    """The second filter diverges at the first sample that it answers to, of which there are none after the stop."""

    def run(
        steps: int, resume: Snapshot | None = None, kept: list[Snapshot] | None = None, seed: int = 14
    ) -> Trajectory:
        return descend(
            GridProblem(D), W, learning_rate=[0.2, 1e200], steps=steps, order="shuffled", momentum=0.9,
            rng=np.random.default_rng(seed), check_stability=False, resume=resume,
            on_step=None if kept is None else lambda snapshot: kept.append(_copied(snapshot)),
        )  # fmt: skip

    kept: list[Snapshot] = []
    whole = run(12, kept=kept)
    first, middle = kept[0], kept[6]
    for field in fields(Snapshot):
        lacking = replace(middle, **{field.name: _blank(getattr(first, field.name), getattr(middle, field.name))})
        yield f"trajectory: {field.name.replace('_', ' ')}", not _equal(run(12, lacking), whole)
    early = replace(first, velocity=middle.velocity, diverged=middle.diverged)
    yield "trajectory: number of updates done", not _equal(run(12, early), whole)
    yield "trajectory: generator of the order of samples", not _equal(run(12, middle, seed=2), whole)
    yield "nothing left out of a trajectory", _equal(run(12, middle), whole)


def _blank(first: Any, middle: Any) -> Any:
    """An array of the shape of `middle` that knows only what was there at first."""
    blank = np.zeros_like(middle)
    if blank.ndim > 1 and len(first) != len(middle):
        blank[: len(first)] = first
    return blank


def _copied(snapshot: Snapshot) -> Snapshot:
    return Snapshot(**{field.name: getattr(snapshot, field.name).copy() for field in fields(Snapshot)})


def _equal(one: Trajectory, other: Trajectory) -> bool:
    return all(np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(Trajectory))
