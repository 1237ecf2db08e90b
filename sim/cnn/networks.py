"""The networks of both papers' experiments, for 32 x 32 images, at any width, with or without batch normalisation.

Schneider (Section 6, width factor 0.5) names VGG-8/16 and ResNet-10/18 and leaves their details to code that is no
longer to be had; here they are the usual ones for CIFAR: VGG with batch normalisation and one linear layer, ResNet
with basic blocks and a stem of stride 1. Jia et al. (Sections 6.1, 6.2) describe theirs in full.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from types import MappingProxyType

import torch
from torch import nn

from sim.errors import require_choice, require_positive, require_positive_int, require_shape

VGG_STAGES = MappingProxyType(
    {8: (1, 1, 1, 1, 1), 11: (1, 1, 2, 2, 2), 16: (2, 2, 3, 3, 3)},
)
"""Convolutions in each of the five stages. VGG-8 is VGG-11 cut to one each."""
RESNET_STAGES = MappingProxyType({10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3)})
"""Basic blocks in each of the four stages."""


def build(name: str, *, classes: int = 10, width: float = 1.0, batch_norm: bool = True) -> nn.Module:
    """The network of this name, for images (B, 3, 32, 32), giving (B, classes) logits; `NETWORKS` lists the names.

    width: factor on every number of channels (Schneider: 0.5), at least one channel each. Weights are PyTorch's
    default ones, drawn from its global generator: initialise them before use.
    Raises ValueError for an unknown name, width <= 0 or classes < 1.
    """
    make = NETWORKS[require_choice(name, "network", tuple(NETWORKS))]
    factor = float(require_shape(require_positive(width, "width"), "width", ()))
    return make(require_positive_int(classes, "classes"), factor, batch_norm)


def conv(channels_in: int, channels_out: int, *, stride: int = 1, kernel: int = 3, bias: bool = False) -> nn.Conv2d:
    """A convolution that keeps the size of the image, or halves it at stride 2."""
    return nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=bias)


def norm(channels: int, batch_norm: bool) -> nn.Module:
    """Batch normalisation, or nothing."""
    return nn.BatchNorm2d(channels) if batch_norm else nn.Identity()


class Block(nn.Module):
    """Conv, norm, ReLU; what VGG and the plain ConvNets are stacked of."""

    def __init__(self, channels_in: int, channels_out: int, *, stride: int = 1, batch_norm: bool) -> None:
        super().__init__()
        self.conv = conv(channels_in, channels_out, stride=stride, bias=not batch_norm)
        self.norm = norm(channels_out, batch_norm)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norm(self.conv(x)))


class BasicBlock(nn.Module):
    """y = ReLU(F(x) + x), F = conv, norm, ReLU, conv, norm; the shortcut is a 1 x 1 convolution where sizes differ."""

    def __init__(self, channels_in: int, channels_out: int, *, stride: int = 1, batch_norm: bool) -> None:
        super().__init__()
        self.first = Block(channels_in, channels_out, stride=stride, batch_norm=batch_norm)
        self.conv = conv(channels_out, channels_out, bias=not batch_norm)
        self.norm = norm(channels_out, batch_norm)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            projection = conv(channels_in, channels_out, stride=stride, kernel=1, bias=not batch_norm)
            self.shortcut = nn.Sequential(projection, norm(channels_out, batch_norm))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norm(self.conv(self.first(x))) + self.shortcut(x))


class PreActivationBlock(nn.Module):
    """y = F(x) + x, F = norm, ReLU, conv, norm, ReLU, conv (He et al., 2016, as Jia et al., Section 6.2, use it)."""

    def __init__(self, channels_in: int, channels_out: int, *, stride: int = 1, batch_norm: bool) -> None:
        super().__init__()
        self.norm1 = norm(channels_in, batch_norm)
        self.conv1 = conv(channels_in, channels_out, stride=stride, bias=not batch_norm)
        self.norm2 = norm(channels_out, batch_norm)
        self.conv2 = conv(channels_out, channels_out, bias=not batch_norm)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = conv(channels_in, channels_out, stride=stride, kernel=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.conv1(torch.relu(self.norm1(x)))
        inner = self.conv2(torch.relu(self.norm2(inner)))
        return torch.as_tensor(inner + self.shortcut(x))


class Pool(nn.Module):
    """The mean over all pixels, (B, n, H, W) -> (B, n)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3))


def vgg(depth: int) -> Callable[[int, float, bool], nn.Module]:
    """VGG with 64, 128, 256, 512, 512 channels times the width, a maximum over 2 x 2 pixels after each stage."""

    def make(classes: int, width: float, batch_norm: bool) -> nn.Module:
        widths = _scaled((64, 128, 256, 512, 512), width)
        stages: list[nn.Module] = []
        for n_in, n_out, count in zip((3, *widths), widths, VGG_STAGES[depth], strict=False):
            blocks = [Block(n_in if i == 0 else n_out, n_out, batch_norm=batch_norm) for i in range(count)]
            stages += [*blocks, nn.MaxPool2d(2)]
        return nn.Sequential(*stages, nn.Flatten(), nn.Linear(widths[-1], classes))

    return make


def resnet(depth: int) -> Callable[[int, float, bool], nn.Module]:
    """ResNet with 64, 128, 256, 512 channels times the width, and a stem of 3 x 3 filters at stride 1."""

    def make(classes: int, width: float, batch_norm: bool) -> nn.Module:
        widths = _scaled((64, 128, 256, 512), width)
        stem = Block(3, widths[0], batch_norm=batch_norm)
        return nn.Sequential(
            stem,
            *_stages(BasicBlock, (widths[0], *widths), RESNET_STAGES[depth], batch_norm),
            Pool(),
            nn.Linear(widths[-1], classes),
        )

    return make


def convnet(depth: int) -> Callable[[int, float, bool], nn.Module]:
    """A plain ConvNet of 6X + 2 weight layers: 3 x 3 filters, 16, 32, 64 channels (Jia et al., Section 6.1)."""
    per_stage = (depth - 2) // 3

    def make(classes: int, width: float, batch_norm: bool) -> nn.Module:
        widths = _scaled((16, 32, 64), width)
        stem = Block(3, widths[0], batch_norm=batch_norm)
        stages = _stages(Block, (widths[0], *widths), (per_stage,) * 3, batch_norm)
        return nn.Sequential(stem, *stages, Pool(), nn.Linear(widths[-1], classes))

    return make


def preactivation_resnet(depth: int) -> Callable[[int, float, bool], nn.Module]:
    """The pre-activation ResNet of 6X + 2 weight layers on the same plan (Jia et al., Section 6.2, with X = 11)."""
    per_stage = (depth - 2) // 6

    def make(classes: int, width: float, batch_norm: bool) -> nn.Module:
        widths = _scaled((16, 32, 64), width)
        return nn.Sequential(
            conv(3, widths[0], bias=not batch_norm),
            *_stages(PreActivationBlock, (widths[0], *widths), (per_stage,) * 3, batch_norm),
            norm(widths[-1], batch_norm),
            nn.ReLU(),
            Pool(),
            nn.Linear(widths[-1], classes),
        )

    return make


NETWORKS: MappingProxyType[str, Callable[[int, float, bool], nn.Module]] = MappingProxyType(
    {
        **{f"vgg{depth}": vgg(depth) for depth in VGG_STAGES},
        **{f"resnet{depth}": resnet(depth) for depth in RESNET_STAGES},
        **{f"convnet{depth}": convnet(depth) for depth in (20, 38)},
        **{f"preresnet{depth}": preactivation_resnet(depth) for depth in (20, 38, 68)},
    }
)


def _scaled(channels: Sequence[int], width: float) -> tuple[int, ...]:
    return tuple(max(1, round(width * n)) for n in channels)


def _stages(
    block: Callable[..., nn.Module], widths: Sequence[int], counts: Sequence[int], batch_norm: bool
) -> list[nn.Module]:
    """Stages of blocks, each but the first starting at stride 2; widths has one entry before the first stage."""
    layers: list[nn.Module] = []
    for stage, ((n_in, n_out), count) in enumerate(zip(pairwise(widths), counts, strict=True)):
        for index in range(count):
            stride = 2 if stage > 0 and index == 0 else 1
            layers.append(block(n_in if index == 0 else n_out, n_out, stride=stride, batch_norm=batch_norm))
    return layers
