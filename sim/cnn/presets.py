"""Named sets of training runs: small ones for two cores, and the papers' own settings for a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

from sim.cnn.settings import Settings
from sim.errors import printable
from sim.known import find_correlation

RATES = (0.005, 0.1)
L2 = 0.001
R = "resnet10-cifar10"


@dataclass(frozen=True)
class Preset:
    """Runs that belong together. text: what they are for, in a line."""

    name: str
    text: str
    runs: tuple[Settings, ...]


@cache
def presets() -> dict[str, Preset]:
    """Every preset by name."""
    listed = (
        Preset("demo", "two networks on patches of photographs, without any download", tuple(_demo())),
        Preset(R, "the ResNet-10 from whose filters the packaged R is estimated", (CORRELATION_SOURCE,)),
        Preset(
            "initialization",
            "Schneider, Section 6, small: VGG-8 at width 0.25, 10,000 images, 5 seeds; correlation apart from scale",
            tuple(_initialization(SMALL, seeds=5, networks=("vgg8",), l2_epochs=SMALL.epochs)),
        ),
        Preset(
            "scale",
            "what Algorithm 1's smaller weights do without correlation, on fresh seeds: VGG-8 as above, 20 runs",
            tuple(_scale(SMALL, seeds=range(5, 10))),
        ),
        Preset(
            "initialization-paper",
            "Schneider, Section 6, at the paper's size: VGG-8 and ResNet-10, all images, 40 epochs; for a GPU",
            tuple(_initialization(Settings(), seeds=5, networks=("vgg8", "resnet10"), l2_epochs=80)),
        ),
        Preset(
            "bounding",
            "Jia et al., Section 6, small: ConvNet-20 and pre-activation ResNet-20 of half width, 4 seeds",
            tuple(_bounding(SMALL_BOUNDING, seeds=4, networks=(("convnet20", 0.05, 0.2), ("preresnet20", 0.5, 1.0)))),
        ),
        Preset(
            "bounding-paper",
            "the same at the paper's size: ConvNet-20/38 and pre-activation ResNet-68, 160 epochs; for a GPU",
            tuple(
                _bounding(
                    BOUNDING,
                    seeds=5,
                    networks=(("convnet20", 0.05, 0.2), ("convnet38", 0.05, 0.2), ("preresnet68", 0.5, 1.0)),
                )
            ),
        ),
    )
    return {preset.name: preset for preset in listed}


def find_preset(name: str) -> Preset:
    """The preset of this name. ValueError for a name that is none, with those that are."""
    known = presets()
    if name not in known:
        raise ValueError(f"preset must be one of {', '.join(known)}, got {printable(repr(name))}")
    return known[name]


CORRELATION_SOURCE = Settings(network="resnet10", width=0.25, epochs=16, learning_rate=0.1, test=10_000)
"""Schneider's has width 0.5 and 40 epochs; this one is what two cores can do."""
SMALL = Settings(width=0.25, train=10_000, test=5_000, epochs=8)
BOUNDING = Settings(
    width=1.0,
    epochs=160,
    batch_size=128,
    learning_rate=0.5,
    final_learning_rate=0.001,
    decay_every=2,
    momentum=0.9,
    l2=1e-4,
    augment=True,
    init="orthogonal",
)
"""Jia et al., Section 6; they leave images as they are, here each channel is standardised."""
SMALL_BOUNDING = replace(BOUNDING, width=0.5, train=4_000, test=4_000, epochs=8)


def _initialization(base: Settings, *, seeds: int, networks: tuple[str, ...], l2_epochs: int) -> Iterator[Settings]:
    """The 2 x 2 of correlation and variance, both rates; then L2, and the other initialisations of Table 3.

    With g = 1'R1/k^2: kaiming has R = I; correlated "he" its weight variance, so g times its gain on equal inputs;
    correlated "sum" its gain, so 1/g of its weight variance (the paper's comparison); kaiming with gain g is iid with
    the gain of the first of them; kaiming with gain 1/g, at the small rate, is iid with the weights of the second.
    """
    g = _gain_of_correlation()
    arms = (
        {"init": "kaiming"},
        {"init": "correlated", "scale": "he"},
        {"init": "correlated", "scale": "sum"},
        {"init": "kaiming", "gain": g},
    )
    for seed, network in product(range(seeds), networks):
        own = replace(base, network=network, seed=seed)
        for rate, arm in product(RATES, arms):
            yield replace(own, learning_rate=rate, **arm)  # type: ignore[arg-type]
        yield replace(own, learning_rate=RATES[0], gain=float(f"{1 / g:.6g}"))
        for arm in (arms[0], arms[2]):
            yield replace(own, learning_rate=RATES[1], l2=L2, epochs=l2_epochs, **arm)  # type: ignore[arg-type]
        for init in ("orthogonal", "xavier"):
            yield replace(own, learning_rate=RATES[1], init=init)


def _scale(base: Settings, *, seeds: range) -> Iterator[Settings]:
    """At the small rate: iid and correlated filters, each of He's weight variance and of 1/g of it."""
    g = _gain_of_correlation()
    for seed in seeds:
        own = replace(base, network="vgg8", learning_rate=RATES[0], seed=seed)
        yield own
        yield replace(own, gain=float(f"{1 / g:.6g}"))
        yield replace(own, init="correlated", scale="he")
        yield replace(own, init="correlated", scale="sum")


def _gain_of_correlation() -> float:
    """g = 1'R1/k^2: by how much filters with R answer more to equal inputs than iid ones of their variance."""
    matrix = find_correlation(R).R
    return float(f"{matrix.sum() / len(matrix):.6g}")


def _bounding(base: Settings, *, seeds: int, networks: tuple[tuple[str, float, float], ...]) -> Iterator[Settings]:
    """Without bounds, with SVB, with SVB and BBN, from the same orthogonal start; eps of both per network."""
    for seed, (network, svb, bbn) in product(range(seeds), networks):
        own = replace(base, network=network, seed=seed)
        yield own
        yield replace(own, svb=svb)
        yield replace(own, svb=svb, bbn=bbn)


def _demo() -> Iterator[Settings]:
    base = Settings(width=0.125, data="photo-patches", train=2_000, test=1_000, epochs=4, learning_rate=0.05)
    yield base
    yield replace(base, init="correlated")
