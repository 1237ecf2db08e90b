"""Layers with batch normalisation from PyTorch: responses, and the Jacobian by autograd, in float64 on the CPU."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from sim.arrays import FloatArray
from sim.batch_norm import NormedLayer
from sim.cnn.linear_chain import linear_chain

Norm = TypeVar("Norm", nn.BatchNorm1d, nn.BatchNorm2d)


def layer_respond(layer: NormedLayer, X: FloatArray, *, training: bool = False) -> FloatArray:
    """What `torch.nn.Linear` followed by `torch.nn.BatchNorm1d` gives for inputs (K, N): (K, M)."""
    with torch.no_grad():
        return _array(_linear(layer).train(training)(torch.from_numpy(X)))


def conv_respond(layer: NormedLayer, X: FloatArray, side: int) -> FloatArray:
    """The same by `torch.nn.Conv2d` and `BatchNorm2d` in inference: each input (N,) is an image of side x side pixels.

    N must be channels * side^2; the kernel covers the image, so that there is one response (K, M).
    """
    rows, columns = layer.W.shape
    channels = columns // side**2
    conv = nn.Conv2d(channels, rows, side, dtype=torch.float64)
    model = nn.Sequential(conv, _fill(nn.BatchNorm2d(rows, eps=layer.eps, dtype=torch.float64), layer)).eval()
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(layer.W).reshape(rows, channels, side, side))
        _copy(conv.bias, layer.bias)
        return _array(model(torch.from_numpy(X).reshape(len(X), channels, side, side)).flatten(1))


def jacobian(layer: NormedLayer, *, band: float | None = None, passes: int = 1) -> FloatArray:
    """d BN(W x)/dx in inference, (M, N); with a band, after so many passes of `bound_norm` on its BN layer."""
    linear, norm = _parts(layer)
    if band is not None:
        for _ in range(passes):
            bound_norm(norm, band)
    return _jacobian(nn.Sequential(linear, norm).eval(), torch.zeros(layer.W.shape[1], dtype=torch.float64))


def bound_norm(norm: nn.BatchNorm1d | nn.BatchNorm2d, band: float) -> None:
    """One pass of bounded batch norm on a layer's `weight`, as the authors publish it; see `sim.bbn`, "published"."""
    assert norm.running_var is not None
    with torch.no_grad():
        deviation = torch.sqrt(norm.running_var + norm.eps)
        mean = (norm.weight / deviation).mean()
        ratios = (norm.weight / (deviation * mean)).clamp(1 / (1 + band), 1 + band)
        norm.weight.copy_(ratios * deviation * mean)


def pre_activation_jacobian(W: FloatArray, layer: NormedLayer, z: FloatArray) -> FloatArray:
    """d W relu(BN(z))/dz in inference, (M, N), at z (N,), for W (M, N) behind a BN layer of N neurons.

    Only the BN of `layer` is used.
    """
    norm = _fill(nn.BatchNorm1d(W.shape[1], eps=layer.eps, dtype=torch.float64), layer)
    return _jacobian(nn.Sequential(norm, nn.ReLU(), linear_chain([W])).eval(), torch.from_numpy(z))


def _jacobian(model: nn.Module, point: Tensor) -> FloatArray:
    """The rows are the gradients of the responses (M,) at a point (N,)."""
    x = point[None].clone().requires_grad_()
    responses = model(x)[0]
    rows = [torch.autograd.grad(response, x, retain_graph=True)[0][0] for response in responses]
    return _array(torch.stack(rows))


def _linear(layer: NormedLayer) -> nn.Sequential:
    return nn.Sequential(*_parts(layer))


def _parts(layer: NormedLayer) -> tuple[nn.Linear, nn.BatchNorm1d]:
    rows, columns = layer.W.shape
    linear = nn.Linear(columns, rows, dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(layer.W))
        _copy(linear.bias, layer.bias)
    return linear, _fill(nn.BatchNorm1d(rows, eps=layer.eps, dtype=torch.float64), layer)


def _fill(norm: Norm, layer: NormedLayer) -> Norm:
    with torch.no_grad():
        _copy(norm.weight, layer.gamma)
        _copy(norm.bias, layer.beta)
        _copy(norm.running_mean, layer.running_mean)
        _copy(norm.running_var, layer.running_var)
    return norm


def _copy(target: Tensor | None, values: FloatArray) -> None:
    assert target is not None
    target.copy_(torch.from_numpy(values))


def _array(tensor: Tensor) -> FloatArray:
    return tensor.detach().numpy()
