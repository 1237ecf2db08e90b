"""Training: what it records is what happened, and a stored state goes on bit by bit."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from sim.cnn.data import Images
from sim.cnn.networks import build
from sim.cnn.settings import Settings
from sim.cnn.training import Diverged, Run, _augmented, initialise, sign_changes
from sim.zigzag import gradient_sign_changes, mean_absolute_gradient

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def blobs():
    """Images whose class is the colour that is bright, or none: learned in a few updates."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 120, (240, 3, 32, 32), dtype=np.uint8)
    labels = rng.integers(0, 4, 240)
    for image, label in zip(pixels, labels, strict=True):
        image[label : label + 1] += 100
    return Images("photo-patches", tuple("abcd"), pixels[:160], labels[:160], pixels[160:], labels[160:])


def settings(**changes):
    given = {"network": "vgg8", "width": 0.125, "data": "photo-patches", "epochs": 3, "batch_size": 32}
    return Settings(**{**given, "learning_rate": 0.05, **changes})


def run(images, epochs, **changes):
    one = Run(settings(**changes), images, CPU)
    for _ in range(epochs):
        one.epoch()
    return one


def test_it_learns(blobs):
    record = run(blobs, 3).record({})
    assert record["epochs"][-1]["test_accuracy"] > 0.9
    assert record["epochs"][0]["train_loss"] > record["epochs"][-1]["train_loss"]
    assert [len(record["steps"][name]) for name in ("loss", "sign_changes", "mean_gradient")] == [15] * 3
    assert {layer["epoch"] for layer in record["layers"]} == {0, 3}
    assert len(record["layers"]) == 2 * 5


def test_images_that_may_not_be_written_to_are_as_good(blobs):
    """As a file's bytes are, viewed as an array; PyTorch warns of them, once in a process."""
    pixels = [np.frombuffer(a.tobytes(), np.uint8).reshape(a.shape) for a in (blobs.train, blobs.test)]
    images = Images(blobs.name, blobs.classes, pixels[0], blobs.train_labels, pixels[1], blobs.test_labels)
    torch.set_warn_always(True)
    try:
        assert run(images, 1).steps == run(blobs, 1).steps
    finally:
        torch.set_warn_always(False)


def test_equal_settings_give_equal_bits_and_another_seed_does_not(blobs):
    one, two, other = run(blobs, 1), run(blobs, 1), run(blobs, 1, seed=1)
    assert one.steps == two.steps
    assert one.steps != other.steps


@pytest.mark.parametrize("changes", [{}, {"augment": True, "l2": 1e-4, "svb": 0.3, "bbn": 0.5, "init": "orthogonal"}])
def test_a_state_taken_up_goes_on_bit_by_bit(blobs, changes):
    whole = run(blobs, 3, **changes)
    buffer = io.BytesIO()
    torch.save(run(blobs, 1, **changes).state(), buffer)
    buffer.seek(0)
    taken_up = Run(settings(**changes), blobs, CPU)
    taken_up.load_state(torch.load(buffer, weights_only=True))
    taken_up.epoch()
    taken_up.epoch()
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, taken_up.model.state_dict()[name]), name
    assert (whole.steps, whole.epochs, whole.layers) == (taken_up.steps, taken_up.epochs, taken_up.layers)


@pytest.mark.parametrize("lost", ["optimizer", "generator", "signs", "model"])
def test_without_any_one_part_of_the_state_it_does_not(blobs, lost):
    whole, part, fresh = run(blobs, 2), run(blobs, 1).state(), Run(settings(), blobs, CPU)
    taken_up = Run(settings(), blobs, CPU)
    taken_up.load_state({**part, lost: fresh.state()[lost]})
    taken_up.epoch()
    assert whole.steps != taken_up.steps


def test_a_state_of_another_run_is_refused(blobs):
    with pytest.raises(ValueError, match="stored state must be of the run with these settings"):
        Run(settings(seed=1), blobs, CPU).load_state(run(blobs, 1).state())


def test_sign_changes_and_gradients_are_those_of_the_definition(blobs, monkeypatch):
    """Gradients recorded by hooks, and judged by the NumPy twins."""
    one, seen = Run(settings(momentum=0.0), blobs, CPU), []
    before = one.optimizer.step

    def step(*arguments):
        seen.append(torch.cat([p.grad.reshape(-1) for p in one.model.parameters()]).double().numpy().copy())
        return before(*arguments)

    monkeypatch.setattr(one.optimizer, "step", step)
    outcome = one.epoch()
    gradients = np.array(seen)
    np.testing.assert_allclose(one.steps["sign_changes"][1:], gradient_sign_changes(gradients), rtol=1e-12)
    np.testing.assert_allclose(one.steps["mean_gradient"], mean_absolute_gradient(gradients), rtol=1e-6)
    assert one.steps["sign_changes"][0] == -1
    assert outcome["sign_changes"] == pytest.approx(float(gradient_sign_changes(gradients).mean()), rel=1e-12)


def test_sign_changes_of_signs():
    before, after = torch.tensor([1, -1, 0, 1], dtype=torch.int8), torch.tensor([-1, -1, 1, 1], dtype=torch.int8)
    assert sign_changes(before, after) == (2 + 0 + 1 + 0) / 8


def test_svb_and_bbn_leave_every_layer_in_its_band(blobs):
    one = run(blobs, 1, svb=0.01, bbn=0.2, init="orthogonal")
    for module in one.model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            values = torch.linalg.svdvals(module.weight.detach().reshape(len(module.weight), -1).double())
            assert values.max() <= 1.01 * (1 + 1e-6)
            assert values.min() >= (1 - 1e-6) / 1.01
    assert len(one.timing["svb_seconds"]) == len(one.timing["bbn_seconds"]) == 1
    free = run(blobs, 1, init="orthogonal")
    assert free.timing["svb_seconds"] == []
    assert free.record({})["epochs"] != one.record({})["epochs"]


def test_a_loss_that_is_no_longer_finite_ends_the_run_with_its_place(blobs):
    one = Run(settings(batch_norm=False, learning_rate=1e6), blobs, CPU)
    with pytest.raises(Diverged, match=r"the loss is (nan|inf) in epoch 1, update \d+; a smaller learning rate"):
        one.epoch()


def test_augmentation_moves_and_mirrors_but_invents_nothing():
    images = torch.arange(1, 1 + 50 * 3 * 32 * 32, dtype=torch.float32).reshape(50, 3, 32, 32)
    moved = _augmented(images, torch.Generator().manual_seed(0))
    assert moved.shape == images.shape
    mirrored = 0
    for image, original in zip(moved, images, strict=True):
        values = image[image > 0]
        assert set(values.tolist()) <= set(original.reshape(-1).tolist())
        row = image[0, 16]
        row = row[row > 0]
        steps = row.diff().unique().tolist()
        assert steps in ([1.0], [-1.0])
        mirrored += steps == [-1.0]
    assert 10 < mirrored < 40
    assert (moved == 0).any()


@pytest.mark.parametrize(
    ("changes", "variance"),
    [
        ({"init": "kaiming"}, 2 / (9 * 64)),
        ({"init": "kaiming", "gain": 3.0}, 6 / (9 * 64)),
        ({"init": "xavier"}, 2 / (9 * (64 + 64))),
    ],
)
def test_variance_of_what_is_drawn(changes, variance):
    model = build("resnet10")
    initialise(model, settings(**changes), torch.Generator().manual_seed(0))
    weight = next(m for m in model.modules() if isinstance(m, nn.Conv2d) and m.in_channels == 64).weight
    # relative standard error of a variance over n draws: sqrt(2/n)
    assert float(weight.detach().var()) == pytest.approx(variance, rel=5 * (2 / weight.numel()) ** 0.5)


def test_orthogonal_starts_have_singular_values_of_one():
    model = build("convnet20", width=0.5)
    initialise(model, settings(init="orthogonal"), torch.Generator().manual_seed(0))
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            values = torch.linalg.svdvals(module.weight.detach().reshape(len(module.weight), -1))
            assert torch.allclose(values, torch.ones_like(values), atol=1e-5)


def test_building_a_run_leaves_the_global_generator_alone(blobs):
    before = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Run(settings(), blobs, CPU)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.gpu
def test_a_gpu_gives_the_same_first_losses(blobs):
    one, two = run(blobs, 1), Run(settings(), blobs, torch.device("cuda"))
    two.epoch()
    np.testing.assert_allclose(one.steps["loss"][:2], two.steps["loss"][:2], rtol=1e-3)
