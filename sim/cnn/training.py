"""Training a network, epoch by epoch, from a state that can be stored and taken up again bit by bit."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from sim.cnn.bbn import BoundedBatchNorm
from sim.cnn.data import SIDE, Images, Labels, Pixels
from sim.cnn.init import initialize_
from sim.cnn.layers import layer_records
from sim.cnn.networks import build
from sim.cnn.settings import Settings
from sim.cnn.svb import SingularValueBounding

SHIFT = 4
"""By how many pixels augmented images are shifted at most, in each direction."""
EVALUATED = 1000
"""Images in one batch of the evaluation."""
FORMAT = 1


class Diverged(RuntimeError):
    """The loss is no longer finite."""


@dataclass
class Run:
    """A training run in progress: `step through epochs` with `epoch()`, store `state()`, read `record()`.

    images: train and test images, already cut to the settings' numbers. device: where the network lives.
    Two runs of equal settings, images, device and number of threads give the same bits.
    """

    settings: Settings
    images: Images
    device: torch.device
    done: int = 0
    epochs: list[dict[str, float]] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=lambda: {"loss": [], "sign_changes": [], "mean_gradient": []})
    timing: dict[str, list[float]] = field(
        default_factory=lambda: {"epoch_seconds": [], "svb_seconds": [], "bbn_seconds": []}
    )

    def __post_init__(self) -> None:
        s = self.settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(s.seed)
            model = build(s.network, classes=len(self.images.classes), width=s.width, batch_norm=s.batch_norm)
        self.generator = torch.Generator().manual_seed(s.seed)
        initialise(model, s, torch.Generator().manual_seed(s.seed))
        # on a CPU, too, convolutions are faster with channels last
        self.model = model.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=s.learning_rate, momentum=s.momentum, weight_decay=s.l2
        )
        self.bound = None if s.svb is None else SingularValueBounding(self.model, eps=s.svb, every=None)
        # Jia et al. bound pre-activation networks too, of which Lemma 1 says nothing
        self.norm = None if s.bbn is None else BoundedBatchNorm(self.model, eps=s.bbn, every=None, order="after")
        self.signs: torch.Tensor | None = None
        self.x, self.y = _tensors(self.images.train, self.images.train_labels, self.device)
        self.test_x, self.test_y = _tensors(self.images.test, self.images.test_labels, self.device)
        mean, deviation = self.x.mean(dim=(0, 2, 3), keepdim=True), self.x.std(dim=(0, 2, 3), keepdim=True)
        self.x, self.test_x = (self.x - mean) / deviation, (self.test_x - mean) / deviation
        self.layers = layer_records(self.model, SIDE, epoch=0)

    def epoch(self) -> dict[str, float]:
        """Train one epoch, bound what is to be bounded, evaluate; returns what the record says of the epoch.

        train_loss and train_accuracy are means over the epoch's images, each seen before the update that it causes;
        sign_changes and mean_gradient (of the loss without L2) are means over the epoch's updates.
        Raises Diverged if the loss is no longer finite.
        """
        start, first = time.perf_counter(), len(self.steps["loss"])
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate(self.done)
        self.model.train()
        order = torch.randperm(len(self.x), generator=self.generator)
        loss_sum, right = 0.0, 0
        with _reproducible():
            for first_of_batch in range(0, len(order), self.settings.batch_size):
                chosen = order[first_of_batch : first_of_batch + self.settings.batch_size]
                images, labels = self.x[chosen], self.y[chosen]
                if self.settings.augment:
                    images = _augmented(images, self.generator)
                loss, correct = self._update(images, labels)
                loss_sum += loss * len(chosen)
                right += correct
        self.timing["epoch_seconds"].append(time.perf_counter() - start)
        self._bound()
        test_loss, test_accuracy = self.evaluate()
        changes = [value for value in self.steps["sign_changes"][first:] if value >= 0]
        outcome = {
            "train_loss": loss_sum / len(self.x),
            "train_accuracy": right / len(self.x),
            "test_loss": test_loss,
            "test_accuracy": test_accuracy,
            "sign_changes": sum(changes) / max(len(changes), 1),
            "mean_gradient": sum(self.steps["mean_gradient"][first:]) / (len(self.steps["loss"]) - first),
        }
        self.epochs.append(outcome)
        self.done += 1
        if self.done == self.settings.epochs:
            self.layers += layer_records(self.model, SIDE, epoch=self.done)
        return outcome

    def _update(self, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, int]:
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.model(images)
        loss = nn.functional.cross_entropy(logits, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        value = float(loss.detach())
        if not math.isfinite(value):
            raise Diverged(
                f"the loss is {value} in epoch {self.done + 1}, update {len(self.steps['loss']) + 1}; "
                f"a smaller learning rate than {self.settings.rate(self.done):g} may help"
            )
        gradient = torch.cat([p.grad.reshape(-1) for p in self.model.parameters() if p.grad is not None])
        signs = gradient.sign().to(torch.int8)
        self.steps["loss"].append(value)
        self.steps["mean_gradient"].append(float(gradient.abs().mean(dtype=torch.float64)))
        self.steps["sign_changes"].append(-1.0 if self.signs is None else sign_changes(self.signs, signs))
        self.signs = signs
        self.optimizer.step()
        return value, int((logits.argmax(dim=1) == labels).sum())

    def _bound(self) -> None:
        for method, times in ((self.bound, "svb_seconds"), (self.norm, "bbn_seconds")):
            start = time.perf_counter()
            if method is not None:
                method.apply()
                self.timing[times].append(time.perf_counter() - start)

    def evaluate(self) -> tuple[float, float]:
        """Mean cross-entropy and accuracy on the test images."""
        self.model.eval()
        loss, right = 0.0, 0
        with torch.inference_mode():
            for first in range(0, len(self.test_x), EVALUATED):
                images, labels = self.test_x[first : first + EVALUATED], self.test_y[first : first + EVALUATED]
                logits = self.model(images)
                loss += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
                right += int((logits.argmax(dim=1) == labels).sum())
        return loss / len(self.test_x), right / len(self.test_x)

    def state(self) -> dict[str, Any]:
        """All that the rest of the run depends on, in types that `torch.load(weights_only=True)` reads."""
        return {
            "settings": json.dumps(asdict(self.settings), sort_keys=True),
            "done": self.done,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "signs": self.signs,
            "progress": json.dumps(
                {"epochs": self.epochs, "steps": self.steps, "timing": self.timing, "layers": self.layers}
            ),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a stored state. ValueError if it is of another run."""
        if json.loads(state["settings"]) != asdict(self.settings):
            raise ValueError(f"the stored state must be of the run with these settings, got {state['settings']}")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.signs = None if state["signs"] is None else state["signs"].to(self.device)
        self.done = int(state["done"])
        progress = json.loads(state["progress"])
        self.epochs, self.steps = progress["epochs"], progress["steps"]
        self.timing, self.layers = progress["timing"], progress["layers"]

    def record(self, environment: dict[str, Any]) -> dict[str, Any]:
        """What is kept of a finished run, JSON-ready. The first update has no sign changes; there they are -1."""
        return {
            "format": FORMAT,
            "settings": asdict(self.settings),
            "environment": environment,
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "epochs": self.epochs,
            "layers": self.layers,
            "steps": self.steps,
            "timing": self.timing,
        }


def initialise(model: nn.Module, settings: Settings, generator: torch.Generator) -> None:
    """Draw the weights of the convolutions (orthogonal: of linear layers too) as the settings say, in place."""
    if settings.init == "correlated":
        initialize_(model, R=settings.R, alpha=settings.alpha, scale=settings.scale, generator=generator)
    else:
        draws: dict[str, Callable[[torch.Tensor], object]] = {
            "kaiming": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu", generator=generator),
            "orthogonal": lambda w: nn.init.orthogonal_(w, generator=generator),
            "xavier": lambda w: nn.init.xavier_normal_(w, generator=generator),
        }
        kinds = (nn.Conv2d, nn.Linear) if settings.init == "orthogonal" else (nn.Conv2d,)
        for module in model.modules():
            if isinstance(module, kinds):
                draws[settings.init](module.weight)
    if settings.gain != 1.0:
        with torch.no_grad():
            for module in model.modules():
                if isinstance(module, nn.Conv2d):
                    module.weight.mul_(math.sqrt(settings.gain))


def sign_changes(before: torch.Tensor, after: torch.Tensor) -> float:
    """GradientSignChanges of two updates from the signs (d,) of their gradients, int8 (Schneider, Section 6)."""
    return float((after - before).abs().sum(dtype=torch.int64)) / (2 * len(after))


def _tensors(pixels: Pixels, labels: Labels, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    # PyTorch warns of arrays that may not be written to, as views of a file's bytes are
    pixels = np.require(pixels, requirements="W")
    images = torch.from_numpy(pixels).to(device, torch.float32, memory_format=torch.channels_last) / 255.0
    return images, torch.from_numpy(labels).to(device)


def _augmented(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image shifted by up to SHIFT pixels, zeros coming in, and flipped half of the time (Jia et al., 6.1)."""
    count, _, height, width = images.shape
    shift = torch.randint(0, 2 * SHIFT + 1, (2, count), generator=generator)
    flip = torch.randint(0, 2, (count,), generator=generator).bool()
    padded = nn.functional.pad(images, (SHIFT,) * 4)
    rows = shift[0][:, None] + torch.arange(height)
    columns = shift[1][:, None] + torch.arange(width)
    columns = torch.where(flip[:, None], columns.flip(1), columns)
    index = torch.arange(count)[:, None, None]
    cut = padded.permute(0, 2, 3, 1)[
        index.to(images.device), rows[:, :, None].to(images.device), columns[:, None, :].to(images.device)
    ]
    return cut.permute(0, 3, 1, 2)


@contextmanager
def _reproducible() -> Iterator[None]:
    """On a GPU: algorithms whose sums have one order."""
    before = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    try:
        yield
    finally:
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = before
