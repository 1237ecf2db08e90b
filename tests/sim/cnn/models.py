"""Models as people build them, and a few steps of training on random images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def conv_norm(n_in: int, n_out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """As torchvision's Conv2dNormActivation."""
    conv = nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(n_out), nn.ReLU6(inplace=True))


class InvertedResidual(nn.Module):
    """As in MobileNet v2: expand, depthwise, project, and the input added."""

    def __init__(self, channels: int, expand: int) -> None:
        super().__init__()
        hidden = channels * expand
        self.conv = nn.Sequential(
            conv_norm(channels, hidden, 1),
            conv_norm(hidden, hidden, 3, groups=hidden),
            nn.Conv2d(hidden, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x)


class Bottleneck(nn.Module):
    """As in ResNeXt: 1 x 1, 3 x 3 in groups, 1 x 1, and a projected input added; registered as torchvision does."""

    def __init__(self, n_in: int, width: int, n_out: int, *, groups: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 2, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, n_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(n_out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(nn.Conv2d(n_in, n_out, 1, 2, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class PreActivation(nn.Module):
    """BN, ReLU, conv twice, and the input added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(torch.relu(self.bn1(x)))
        return x + self.conv2(torch.relu(self.bn2(y)))


def mobile(seed: int = 0) -> Any:
    """Groups, depthwise layers, strides, batch norm, a linear layer: for images (B, 3, n, n), 5 classes."""
    torch.manual_seed(seed)
    return nn.Sequential(
        conv_norm(3, 8, 3, stride=2),
        InvertedResidual(8, 2),
        Bottleneck(8, 8, 12, groups=4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, 5),
    )


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int, *, first: int = 0) -> None:
    """Steps first, first + 1, ...: each has a batch of its own, so that a run can be taken up."""
    loss_of = nn.CrossEntropyLoss()
    for step in range(first, first + steps):
        generator = torch.Generator().manual_seed(step)
        images = torch.randn(8, 3, 16, 16, generator=generator)
        labels = torch.randint(0, 5, (8,), generator=generator)

        def closure(images: Tensor = images, labels: Tensor = labels) -> float:
            optimizer.zero_grad()
            loss = loss_of(model(images), labels)
            loss.backward()
            return float(loss.detach())

        optimizer.step(closure)
