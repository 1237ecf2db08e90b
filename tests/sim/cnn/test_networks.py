"""The networks of the papers' experiments."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sim.cnn.networks import NETWORKS, PreActivationBlock, build


def weight_layers(model: nn.Module) -> list[nn.Module]:
    """Convolutions with filters of more than a pixel, and linear layers: what the papers count as layers."""
    return [
        m for m in model.modules() if isinstance(m, nn.Linear) or (isinstance(m, nn.Conv2d) and max(m.kernel_size) > 1)
    ]


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("name", list(NETWORKS))
def test_logits_for_each_class_and_a_gradient_for_each_weight(name, batch_norm):
    model = build(name, classes=7, width=0.125, batch_norm=batch_norm)
    logits = model(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 7)
    logits.sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert any(isinstance(m, nn.BatchNorm2d) for m in model.modules()) is batch_norm


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("vgg16", 14),
        ("resnet10", 10),
        ("resnet18", 18),
        ("resnet34", 34),
        ("convnet20", 20),
        ("convnet38", 38),
        ("preresnet20", 20),
        ("preresnet68", 68),
    ],
)
def test_depth_is_what_the_name_says(name, layers):
    # VGG's three linear layers are one here, so VGG-16 has 13 + 1
    assert len(weight_layers(build(name, width=0.125))) == layers


def test_width_scales_every_number_of_channels():
    half = [m.out_channels for m in build("vgg8", width=0.5).modules() if isinstance(m, nn.Conv2d)]
    assert half == [32, 64, 128, 256, 256]
    assert [m.out_channels for m in build("convnet20").modules() if isinstance(m, nn.Conv2d)][::6] == [16, 16, 32, 64]


def test_jia_convnet_has_feature_maps_of_32_16_and_8_pixels():
    sizes: list[int] = []
    model = build("convnet20", width=0.25)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _m, _i, out: sizes.append(out.shape[-1]))
    model(torch.randn(1, 3, 32, 32))
    assert sizes == [32] * 7 + [16] * 6 + [8] * 6


def test_preactivation_blocks_add_their_input_unchanged():
    block = PreActivationBlock(4, 4, batch_norm=True)
    with torch.no_grad():
        block.conv2.weight.zero_()
        x = torch.randn(2, 4, 8, 8)
        assert torch.equal(block(x), x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "vgg9"}, "network must be one of vgg8, .*got 'vgg9'"),
        ({"name": "vgg8", "width": 0.0}, "width must be positive"),
        ({"name": "vgg8", "classes": 0}, "classes must be"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        build(**arguments)
