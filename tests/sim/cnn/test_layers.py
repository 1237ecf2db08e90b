"""What records say of a network's layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from sim.cnn.layers import layer_records
from sim.cnn.networks import build
from tests.reference.spectra import naive_operator


def test_each_convolution_has_a_record_in_order():
    records = layer_records(build("resnet10", width=0.125), 32, epoch=4)
    assert [r["depth"] for r in records] == list(range(9))
    assert {r["epoch"] for r in records} == {4}
    assert records[0]["shape"] == [8, 3, 3, 3]


def test_numbers_are_those_of_the_layer():
    torch.manual_seed(0)
    second = nn.Conv2d(2, 4, 3, padding=1, stride=2)
    model = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.ReLU(), second)
    last = layer_records(model, 8, epoch=0)[1]
    kernel = second.weight.detach().double().numpy()
    matrix = np.linalg.svd(kernel.reshape(4, -1), compute_uv=False)
    np.testing.assert_allclose(last["singular_values"], matrix, rtol=1e-5)
    operator = np.linalg.svd(naive_operator(kernel, (8, 8), stride=2), compute_uv=False)
    np.testing.assert_allclose(last["operator"], [operator[0], operator[-1]], rtol=1e-4, atol=1e-6)
    filters = kernel.reshape(-1, 9)
    R = filters.T @ filters
    R = R / np.sqrt(np.outer(np.diag(R), np.diag(R)))
    assert last["mean_correlation"] == pytest.approx((R.sum() - 9) / 72, rel=1e-4)
    assert len(last["by_distance"]) == 5


def test_equal_filters_are_perfectly_correlated_and_images_smaller_than_filters_have_no_operator():
    layer = nn.Conv2d(3, 2, 3, padding=1)
    with torch.no_grad():
        layer.weight.fill_(0.5)
    (record,) = layer_records(nn.Sequential(layer), 2, epoch=0)
    assert record["by_distance"] == [1.0] * 5
    assert record["operator"] is None


def test_the_network_is_left_in_its_mode():
    model = build("vgg8", width=0.125).train()
    layer_records(model, 32, epoch=0)
    assert model.training
