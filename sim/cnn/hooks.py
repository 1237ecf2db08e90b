"""What the parts that act on a model after steps of an optimiser share: counting, saving, resuming, reporting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from sim.errors import require_int, require_positive_int


class BoundWarning(UserWarning):
    """A layer that a bounding method cannot bring where its promise says, or for which the promise means nothing."""


class Record(Protocol):
    """What was done to one layer: the columns of a report, by name."""

    @property
    def name(self) -> str: ...

    def row(self) -> dict[str, str]: ...


R = TypeVar("R", bound=Record)


class StepHook(ABC, Generic[R]):
    """Acts on layers of a model after every `every` steps of an optimiser, before they are saved, and by `apply()`.

    A step that is not taken (a GradScaler skips those with infinite gradients) does not count; accumulating gradients
    over several batches is one step. Saving means `state_dict()` of the model, of any part of it or of a wrapper around
    it: a layer that has changed since it was last bounded is bounded first, *in the model*, so that training goes on
    from the weights that were saved. A run that resumes from them therefore goes the same way, bit by bit, as the one
    that saved and went on. Where only one of several replicas saves, call `apply()` on all of them before.
    """

    def __init__(self, layers: Mapping[str, nn.Module], every: int | None) -> None:
        self._layers = dict(layers)
        self._every = None if every is None else require_positive_int(every, "every")
        self._steps = 0
        self._records: dict[str, R] = {}
        self._seen: dict[str, tuple[int, ...]] = {}
        self._handles: list[RemovableHandle] = []

    @property
    def steps(self) -> int:
        """How many steps of the optimiser have been counted."""
        return self._steps

    @property
    def last(self) -> tuple[R, ...]:
        """What was done to each layer when it was last bounded, in the order of the model; empty before that."""
        return tuple(self._records[name] for name in self._layers if name in self._records)

    def report(self) -> str:
        """`last` as a table."""
        return table([record.row() for record in self.last]) if self.last else "nothing has been bounded yet"

    def apply(self) -> tuple[R, ...]:
        """Bound every layer now; returns what was done. Meant for before validation, and for once an epoch.

        Raises ValueError, naming the layer, for weights that are not finite.
        """
        for name in self._layers:
            self._act(name)
        return self.last

    def attach(self, optimizer: torch.optim.Optimizer) -> Self:
        """Count the steps of this optimiser from now on, and act before saving; returns itself.

        Any `torch.optim.Optimizer` will do. Its own state (momentum, Adam's moments) is left as it is: the gradients
        that it averages were taken at unbounded weights, and the projection is no step of the optimiser.
        Raises TypeError for anything else, ValueError if it holds none of the weights, or if already attached.
        """
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(f"optimizer must be a torch.optim.Optimizer, got {type(optimizer).__name__}")
        if self._handles:
            raise ValueError(f"{type(self).__name__} must be attached to one optimizer at a time; call detach() first")
        held = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
        if held.isdisjoint(id(own_parameter(layer, "weight", name)) for name, layer in self._layers.items()):
            raise ValueError(
                f"optimizer must hold a weight of {', '.join(map(repr, self._layers))}, got one that holds none of "
                "them; make it from the parameters of the same model"
            )
        self._handles.append(optimizer.register_step_post_hook(self._after_step))
        for name, layer in self._layers.items():
            handle = layer.register_state_dict_pre_hook(_BeforeSaving(self, name))  # type: ignore[no-untyped-call]
            self._handles.append(handle)
        return self

    def detach(self) -> None:
        """Remove every hook; the count stays. Nothing happens if none was attached."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def state_dict(self) -> dict[str, Any]:
        """The count and the settings, of plain types; to be saved beside the model's, in either order.

        While attached, what has changed since it was last bounded is bounded first.
        """
        if self._handles:
            self._act_on_changed(*self._layers)
        return {"steps": self._steps, **self._settings()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a count. Load the model first: its weights are taken for those that were saved.

        Raises ValueError if the state is of other settings, or is none.
        """
        settings = self._settings()
        missing = [key for key in ("steps", *settings) if not isinstance(state, Mapping) or key not in state]
        if missing:
            raise ValueError(f"state must be what {type(self).__name__}.state_dict() returned, got no {missing[0]!r}")
        for key, value in settings.items():
            if state[key] != value:
                raise ValueError(
                    f"state must be of the same settings, got {key} = {state[key]!r}, not {value!r}; to go on with "
                    "others, do not load it: the count then starts anew"
                )
        self._steps = require_int(state["steps"], "steps", 0)
        self._seen = {name: self._marks(name) for name in self._layers}

    @abstractmethod
    def _bound(self, name: str, layer: nn.Module) -> R:
        """Bound one layer."""

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """What a resumed run must agree on."""

    @abstractmethod
    def _watched(self, name: str, layer: nn.Module) -> Sequence[Tensor]:
        """The tensors of a layer that the bound depends on."""

    def _after_step(self, *_: object) -> None:
        self._steps += 1
        if self._every is not None and self._steps % self._every == 0:
            self.apply()

    def _act(self, name: str) -> None:
        with torch.no_grad():
            self._records[name] = self._bound(name, self._layers[name])
        self._seen[name] = self._marks(name)

    def _act_on_changed(self, *names: str) -> None:
        for name in names:
            if self._seen.get(name) != self._marks(name):
                self._act(name)

    def _marks(self, name: str) -> tuple[int, ...]:
        # the count as well: optimisers that write through `.data` leave no trace in a tensor's version
        return self._steps, *(tensor._version for tensor in self._watched(name, self._layers[name]))


class _BeforeSaving:
    """The hook on a layer. A copy or a pickle of the layer is not the one that is bounded, so it has no owner."""

    def __init__(self, owner: StepHook[Any] | None, name: str) -> None:
        self._owner, self._name = owner, name

    def __call__(self, *_: object) -> None:
        if self._owner is not None:
            self._owner._act_on_changed(self._name)

    def __deepcopy__(self, memo: object) -> _BeforeSaving:
        return _BeforeSaving(None, self._name)

    def __reduce__(self) -> tuple[type[_BeforeSaving], tuple[None, str]]:
        return _BeforeSaving, (None, self._name)


def find_layers(
    model: nn.Module, kinds: tuple[type[nn.Module], ...], layers: Iterable[str] | None, what: str
) -> dict[str, nn.Module]:
    """The modules of these kinds by name, each weight once, in the order of the model; only those named if any are.

    Names are those of `model.named_modules()`, "" for the model itself. Raises TypeError for what is no model,
    ValueError for a name that is none, or is of another kind, and if nothing is left.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    if isinstance(layers, str):
        raise TypeError(f"layers must be several names, got the one string {layers!r}; put it in a list")
    found = {name: module for name, module in model.named_modules() if isinstance(module, kinds)}
    if layers is not None:
        wanted = tuple(layers)
        for name in wanted:
            if name not in found:
                raise ValueError(f"layers must name {what} of the model ({', '.join(found)}), got {name!r}")
        found = {name: module for name, module in found.items() if name in wanted}
    if not found:
        raise ValueError(f"model must have {what} to bound, got none")
    return found


def own_parameter(layer: nn.Module, parameter: str, name: str) -> nn.Parameter:
    """The parameter of a layer. ValueError if it is computed from others, or has no values yet."""
    held = dict(layer.named_parameters(recurse=False)).get(parameter)
    if held is None:
        raise ValueError(
            f"layer {name!r} must hold its {parameter} as a parameter, got one that is computed from others "
            "(weight_norm, spectral_norm, pruning); take that off first, or leave the layer out by layers=[...]"
        )
    if isinstance(held, nn.parameter.UninitializedParameter) or held.is_meta:
        raise ValueError(
            f"layer {name!r} must hold values in its {parameter}, got none yet; run one forward pass first"
        )
    return held


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows with the same keys as left-aligned columns under these keys."""
    columns = {key: [key, *(row[key] for row in rows)] for key in rows[0]}
    widths = {key: max(map(len, cells)) for key, cells in columns.items()}
    lines = zip(*([cell.ljust(widths[key]) for cell in cells] for key, cells in columns.items()), strict=True)
    return "\n".join("  ".join(line).rstrip() for line in lines)
