"""The numbers of the figure on kernels and operators."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from figures import kernel_operator


@pytest.mark.parametrize("taps", [2, 4, 9])
def test_limit_law_is_a_density_with_the_derived_moments(taps: int) -> None:
    end = 2 * np.sqrt(1 - 1 / taps)

    def moment(power: int) -> float:
        return quad(lambda s: s**power * float(kernel_operator.free_density(np.array(s), taps)), 0, end)[0]

    assert moment(0) == pytest.approx(1.0, rel=1e-6)
    assert moment(2) == pytest.approx(1.0, rel=1e-6)
    assert moment(4) == pytest.approx(2 - 1 / taps, rel=1e-6)


def test_one_layer_follows_the_limit_law_while_its_kernel_is_orthogonal() -> None:
    shown = kernel_operator.data()
    assert np.abs(shown.kernel - 1).max() < 1e-12
    counts, edges = np.histogram(shown.operator, np.linspace(0, 2, 21), density=True)
    middles = (edges[1:] + edges[:-1]) / 2
    assert np.abs(counts - kernel_operator.free_density(middles, kernel_operator.TAPS**2)).max() < 0.05
    assert (np.diff(shown.conditions[:, 1]) > 0).all()
