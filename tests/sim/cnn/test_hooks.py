"""What the hooks share: they act when they should, save what they promise, resume bit by bit, and leave no trace."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from sim.cnn import BoundedBatchNorm, SingularValueBounding
from sim.svb import band
from tests.reference.spectra import naive_bound
from tests.sim.cnn.models import mobile, train

BAND = 0.05
OPTIMISERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True),
    "sgd, one tensor at a time": lambda p: torch.optim.SGD(p, lr=0.1, foreach=False),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "fused adamw": lambda p: torch.optim.AdamW(p, lr=0.01, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "lbfgs": lambda p: torch.optim.LBFGS(p, lr=0.1, max_iter=2),
}
pytestmark = pytest.mark.usefixtures("one_thread")


def weights_of(model: Any) -> Iterator[tuple[Tensor, int]]:
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            yield module.weight, getattr(module, "groups", 1)


def outside(model: nn.Module, eps: float = BAND) -> float:
    """By what share of its end the worst singular value misses the band; 0 if none does."""
    low, high = band(eps)
    worst = 1.0
    for weight, groups in weights_of(model):
        stack = weight.detach().double().numpy().reshape(groups, len(weight) // groups, -1)
        values = np.linalg.svd(stack, compute_uv=False)
        worst = max(worst, float(values.max()) / high, low / float(values.min()))
    return worst - 1.0


ROUNDING = 1e-6
"""Far above that of float32 weights of this size, far below what one step of training does."""


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.8)


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("every", [1, 3])
def test_training_with_the_hook_is_training_and_bounding_by_hand(name, every):
    hooked, plain = mobile().double(), mobile().double()
    optimizer, other = OPTIMISERS[name](hooked.parameters()), OPTIMISERS[name](plain.parameters())
    bound = SingularValueBounding(hooked, BAND, every=every).attach(optimizer)
    inputs = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        for step in range(5):
            train(hooked, optimizer, 1, first=step)
            train(plain, other, 1, first=step)
            if (step + 1) % every == 0:
                for weight, groups in weights_of(plain):
                    with torch.no_grad():
                        for rows in weight.chunk(groups):
                            rows.copy_(torch.from_numpy(naive_bound(rows.flatten(1).numpy(), BAND)).reshape(rows.shape))
            for ours, theirs in zip(hooked.parameters(), plain.parameters(), strict=True):
                assert (ours - theirs).abs().max() <= 1e-8
    finally:
        torch.set_default_dtype(inputs)
    assert bound.steps == 5


def test_only_every_so_many_steps():
    model = mobile()
    optimizer = sgd(model)
    bound = SingularValueBounding(model, BAND, every=3).attach(optimizer)
    inside = []
    for step in range(7):
        train(model, optimizer, 1, first=step)
        inside.append(outside(model) <= ROUNDING)
    assert inside == [False, False, True, False, False, True, False]
    assert bound.steps == 7
    assert len(bound.last) == 9


def test_never_by_itself_if_every_is_none():
    model = mobile()
    optimizer = sgd(model)
    bound = SingularValueBounding(model, BAND, every=None).attach(optimizer)
    train(model, optimizer, 3)
    assert bound.last == ()
    assert outside(model) > 0.01
    bound.apply()
    assert outside(model) <= ROUNDING


def test_steps_that_a_grad_scaler_skips_do_not_count():
    model = nn.Linear(3, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    bound = SingularValueBounding(model, BAND, every=100).attach(optimizer)
    scaler = torch.amp.GradScaler("cpu")
    for factor in (1.0, float("inf"), 1.0):
        optimizer.zero_grad()
        scaler.scale(model(torch.ones(1, 3)).sum() * factor).backward()
        scaler.step(optimizer)
        scaler.update()
    assert bound.steps == 2


@pytest.mark.parametrize("part", ["model", "a layer", "compiled", "wrapped"])
def test_what_is_saved_is_in_the_band(part):
    model = mobile()
    optimizer = sgd(model)
    SingularValueBounding(model, BAND, every=100).attach(optimizer)
    train(model, optimizer, 2)
    assert outside(model) > 0.01
    saving: Any = {
        "model": lambda: model,
        "a layer": lambda: model[5],
        "compiled": lambda: torch.compile(model, backend="eager"),
        "wrapped": lambda: nn.ModuleDict({"inner": model}),
    }[part]()
    saved = saving.state_dict()
    fresh = {"a layer": lambda: nn.Linear(12, 5), "wrapped": lambda: nn.ModuleDict({"inner": mobile(1)})}
    target = fresh.get(part, lambda: mobile(1))()
    target.load_state_dict({key.removeprefix("_orig_mod."): value for key, value in saved.items()})
    assert outside(target) <= ROUNDING
    # a part that is saved alone leaves the others as they are
    assert (outside(model) <= ROUNDING) == (part != "a layer")


def test_training_goes_on_from_what_was_saved():
    model = mobile()
    optimizer = sgd(model)
    bound = SingularValueBounding(model, BAND, every=100).attach(optimizer)
    train(model, optimizer, 2)
    saved = copy.deepcopy(model.state_dict())
    assert all(torch.equal(value, saved[key]) for key, value in dict(model.named_parameters()).items())
    assert bound.steps == 2


def test_saving_twice_saves_the_same_and_bounds_once(monkeypatch):
    model = mobile()
    optimizer = sgd(model)
    bound = SingularValueBounding(model, BAND, every=100).attach(optimizer)
    norm = BoundedBatchNorm(model, 0.01, every=100, order="after").attach(optimizer)
    train(model, optimizer, 2)
    first = copy.deepcopy(model.state_dict())
    assert len(bound.last) == 9
    assert len(norm.last) == 8
    monkeypatch.setattr(SingularValueBounding, "_bound", None)
    monkeypatch.setattr(BoundedBatchNorm, "_bound", None)
    bound.state_dict()
    norm.state_dict()
    assert all(torch.equal(value, first[key]) for key, value in model.state_dict().items())


class Doubling(torch.optim.Optimizer):
    """Doubles its parameters behind autograd's back, as older optimisers write."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for parameter in self.param_groups[0]["params"]:
            parameter.data.mul_(2.0)


@pytest.mark.parametrize("how", ["in place", "loaded", "by a step through .data"])
@pytest.mark.parametrize("saved", ["model", "bound"])
def test_what_was_changed_since_is_bounded_before_saving(how, saved):
    model = mobile()
    optimizer = Doubling(model.parameters(), {})
    bound = SingularValueBounding(model, BAND, every=100).attach(optimizer)
    bound.apply()
    if how == "in place":
        with torch.no_grad():
            model[5].weight.mul_(3.0)
    elif how == "loaded":
        model.load_state_dict(mobile(3).state_dict())
    else:
        optimizer.step()
    assert outside(model) > 0.01
    {"model": model, "bound": bound}[saved].state_dict()
    assert outside(model) <= ROUNDING


@pytest.mark.parametrize("mode", ["published", "settled"])
@pytest.mark.parametrize("bound_first", [False, True])
@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_a_run_that_resumes_is_the_run_that_went_on(mode, bound_first, name):
    def start(seed: int) -> tuple[Any, torch.optim.Optimizer, SingularValueBounding, BoundedBatchNorm]:
        model = mobile(seed)
        optimizer = OPTIMISERS[name](model.parameters())
        bound = SingularValueBounding(model, BAND, every=3).attach(optimizer)
        norm = BoundedBatchNorm(model, 0.02, every=3, mode=mode, order="after").attach(optimizer)
        return model, optimizer, bound, norm

    model, optimizer, bound, norm = start(0)
    train(model, optimizer, 4)
    file = io.BytesIO()
    parts: dict[str, Any] = {"model": model, "bound": bound, "norm": norm, "optimizer": optimizer}
    names = ("bound", "norm", "model", "optimizer") if bound_first else tuple(parts)
    torch.save({part: parts[part].state_dict() for part in names}, file)
    train(model, optimizer, 4, first=4)
    went_on = copy.deepcopy(model.state_dict())

    other, optimizer, bound, norm = start(7)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    other.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    bound.load_state_dict(saved["bound"])
    norm.load_state_dict(saved["norm"])
    # saving at once must not make another pass
    assert all(torch.equal(value, saved["model"][key]) for key, value in other.state_dict().items())
    train(other, optimizer, 4, first=4)
    assert bound.steps == norm.steps == 8
    resumed = other.state_dict()
    assert all(torch.equal(value, resumed[key]) for key, value in went_on.items())


def test_without_the_count_the_resumed_run_is_another():
    # so that the test above could fail
    ends = []
    for with_count in (True, False):
        model = mobile()
        optimizer = sgd(model)
        bound = SingularValueBounding(model, BAND, every=3).attach(optimizer)
        if with_count:
            bound.load_state_dict({**bound.state_dict(), "steps": 1})
        train(model, optimizer, 3)
        ends.append(model[5].weight.detach().clone())
    assert not torch.equal(*ends)


def test_a_state_of_other_settings_is_refused():
    model = mobile()
    bound = SingularValueBounding(model, BAND, every=100)
    state = bound.state_dict()
    with pytest.raises(ValueError, match=r"state must be of the same settings, got eps = 0\.05, not 0\.1; to go on"):
        SingularValueBounding(model, 0.1, every=100).load_state_dict(state)
    with pytest.raises(ValueError, match=r"got every = 100, not None"):
        SingularValueBounding(model, BAND, every=None).load_state_dict(state)
    with pytest.raises(ValueError, match=r"what BoundedBatchNorm\.state_dict\(\) returned, got no 'mode'"):
        BoundedBatchNorm(model, 0.1, order="after").load_state_dict(state)
    with pytest.raises(ValueError, match="got no 'steps'"):
        bound.load_state_dict({})
    with pytest.raises(ValueError, match="steps must be at least 0, got -1"):
        bound.load_state_dict({**state, "steps": -1})


def test_detached_it_does_nothing_any_more():
    model = mobile()
    optimizer = sgd(model)
    bound = SingularValueBounding(model, BAND, every=1).attach(optimizer)
    bound.detach()
    train(model, optimizer, 2)
    model.state_dict()
    bound.state_dict()
    assert bound.steps == 0
    assert outside(model) > 0.01
    assert not optimizer._optimizer_step_post_hooks
    assert not any(module._state_dict_pre_hooks for module in model.modules())
    bound.detach()
    bound.attach(optimizer)
    train(model, optimizer, 1)
    assert outside(model) <= ROUNDING


def test_it_need_not_be_kept_by_the_user():
    model = mobile()
    optimizer = sgd(model)
    SingularValueBounding(model, BAND, every=1).attach(optimizer)
    train(model, optimizer, 1)
    assert outside(model) <= ROUNDING


def test_copies_of_the_model_are_free_of_it():
    model = mobile()
    optimizer = sgd(model)
    SingularValueBounding(model, BAND, every=100).attach(optimizer)
    train(model, optimizer, 1)
    copied = copy.deepcopy(model)
    before = copied[5].weight.detach().clone()
    copied.state_dict()
    assert torch.equal(copied[5].weight, before)
    assert torch.equal(model[5].weight, before)
    whole, bare = io.BytesIO(), io.BytesIO()
    torch.save(copied, bare)
    torch.save(model, whole)
    assert len(whole.getvalue()) < 1.1 * len(bare.getvalue())


def test_an_average_of_weights_is_bounded_on_its_own():
    model = mobile()
    optimizer = sgd(model)
    SingularValueBounding(model, BAND, every=1).attach(optimizer)
    average = torch.optim.swa_utils.AveragedModel(model)
    for step in range(3):
        train(model, optimizer, 1, first=step)
        average.update_parameters(model)
    assert outside(average) > 1e-4
    SingularValueBounding(average, BAND).apply()
    assert outside(average) <= ROUNDING


def test_a_compiled_model_trains_on():
    model = mobile()
    compiled: Any = torch.compile(model, backend="eager")
    optimizer = sgd(model)
    bound = SingularValueBounding(compiled, BAND, every=2).attach(optimizer)
    train(compiled, optimizer, 2)
    assert bound.steps == 2
    assert outside(model) <= ROUNDING


def test_attaching_to_what_makes_no_sense():
    model = mobile()
    bound = SingularValueBounding(model, BAND)
    with pytest.raises(TypeError, match=r"optimizer must be a torch\.optim\.Optimizer, got list"):
        bound.attach([])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"optimizer must hold a weight of '0\.0', .* got one that holds none of them"):
        bound.attach(sgd(mobile()))
    bound.attach(sgd(model))
    with pytest.raises(ValueError, match="must be attached to one optimizer at a time; call detach"):
        bound.attach(sgd(model))
