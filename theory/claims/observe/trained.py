"""Studies of recorded training runs: which arms are compared, and what each symbol is measured by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from sim import run_statistics as stat
from sim.paired import Above, Arm, Below, by_seed
from sim.records import NotRecorded, TrainingRun, read_folder, read_table
from theory.experiment import Measured, NotMeasured, Sample, Study

INITIALIZATION, SCALE, BOUNDING = "initialization", "scale", "bounding"
SLOW, FAST = 0.005, 0.1
"""The two learning rates of Schneider, Section 6."""
L2 = 0.001
PLAIN = "convnet20"
RESIDUAL = ("preresnet20", "preresnet68")
"""The small one, and that of Jia et al., Section 6.2: whichever was trained."""
NAMES = {
    "vgg8": "VGG-8",
    "convnet20": "ConvNet-20",
    "preresnet20": "pre-activation ResNet-20",
    "preresnet68": "pre-activation ResNet-68",
    "cifar10": "CIFAR-10",
}

Rows = Sequence[tuple[TrainingRun, ...]]
Quantity = tuple[str, Callable[..., float]]
"""What a symbol is, in words, and its value from one run of each arm, in the arms' order."""

UNCORRELATED = Arm("uncorrelated", {"network": "vgg8", "init": "kaiming", "gain": 1.0})
CORRELATED = Arm(
    "correlated, the gain of uncorrelated", {"network": "vgg8", "init": "correlated", "scale": "sum", "alpha": 1.0}
)
SAME_VARIANCE = Arm("correlated, the variance of uncorrelated", {**CORRELATED.having, "scale": "he"})
LARGER_GAIN = Arm("uncorrelated, larger gain", {"network": "vgg8", "init": "kaiming", "gain": Above(1.0)})
SMALLER_VARIANCE = Arm("uncorrelated, smaller variance", {"network": "vgg8", "init": "kaiming", "gain": Below(1.0)})
ORTHOGONAL = Arm("orthogonal", {"network": "vgg8", "init": "orthogonal"})
XAVIER = Arm("Xavier", {"network": "vgg8", "init": "xavier"})


def at(arm: Arm, rate: float, l2: float = 0.0) -> Arm:
    """The runs of an arm at one learning rate, without L2 or with it."""
    return arm.but(learning_rate=rate, l2=l2)


def bounded(network: str | tuple[str, ...], *, svb: bool, bbn: bool) -> Arm:
    """The runs of a network (or of one of several) from an orthogonal start, with or without bounds."""
    which = network if isinstance(network, str) else " or ".join(network)
    name = f"{which}, {'SVB' if svb else 'SGD'} + {'BBN' if bbn else 'BN'}"
    without = {method: None for method, used in (("svb", svb), ("bbn", bbn)) if not used}
    with_ = {method: None for method, used in (("svb", svb), ("bbn", bbn)) if used}
    return Arm(name, {"network": network, "init": "orthogonal", **without}, with_)


def study(
    name: str, preset: str, arms: Sequence[Arm], quantities: Mapping[str, Quantity], *, free: Sequence[str] = ()
) -> Callable[[], Study]:
    """The study that gives each symbol one number for each seed, from one run of each arm with it.

    free: settings in which arms may differ besides those that define them.
    """

    def measure(records: str | None) -> Measured:
        try:
            rows = by_seed(_runs(preset, records), *arms, free=free)
            samples = {
                symbol: Sample(tuple(value(*row) for row in rows), what) for symbol, (what, value) in quantities.items()
            }
        except NotRecorded as missing:
            raise NotMeasured(str(missing)) from missing
        return Measured(samples, described(rows))

    return cache(lambda: Study(name, measure))


def _runs(preset: str, records: str | None) -> tuple[TrainingRun, ...]:
    if records is not None:
        return _own(records)
    runs = read_table(preset)
    if not runs:
        raise NotRecorded(f"the package has no table of runs of the preset {preset!r}; --records DIR judges one's own")
    return runs


# a folder holds many runs, and every study of a verification asks for it
_own = lru_cache(maxsize=2)(read_folder)


def described(rows: Rows) -> str:
    """The network, the images and the length of training, in words."""
    settings = rows[0][0].settings
    images = "all" if settings.get("train") is None else f"{settings['train']:,}"
    lengths = sorted({run.epochs for row in rows for run in row})
    return (
        f"{_name(settings['network'])} at width {settings.get('width', 1)}, {images} images of "
        f"{_name(settings['data'])}, {' or '.join(map(str, lengths))} epochs"
    )


def _name(key: Any) -> str:
    return NAMES.get(str(key), str(key))


def difference(what: str, statistic: Callable[..., float], *arguments: Any) -> Quantity:
    """The first arm's statistic less the second's."""
    return what, lambda first, second, *_: statistic(first, *arguments) - statistic(second, *arguments)


def second_difference(what: str, statistic: Callable[..., float], *arguments: Any) -> Quantity:
    """(first - second) - (third - fourth) of a statistic: by how much a difference is larger here than there."""

    def value(a: TrainingRun, b: TrainingRun, c: TrainingRun, d: TrainingRun) -> float:
        first, second, third, fourth = (statistic(run, *arguments) for run in (a, b, c, d))
        return float((first - second) - (third - fourth))

    return what, value


ACCURACY = "final test accuracy, {}"


def accuracy_gain(first: Arm, second: Arm, words: str) -> Callable[[], Study]:
    """gain: final test accuracy of one arm less that of the other."""
    quantity = difference(f"{ACCURACY.format(words)}", stat.final, "test_accuracy")
    return study(f"accuracy: {first.name} - {second.name}", INITIALIZATION, (first, second), {"gain": quantity})


def scale_gain(first: Arm, second: Arm, words: str) -> Callable[[], Study]:
    """gain: final test accuracy of one arm less that of the other, on the fresh seeds of the preset for scale."""
    quantity = difference(ACCURACY.format(words), stat.final, "test_accuracy")
    return study(f"scale: {first.name} - {second.name}", SCALE, (first, second), {"gain": quantity})


def gain_lost(
    first: Sequence[Arm], then: Sequence[Arm], words: str, *, free: Sequence[str] = ()
) -> Callable[[], Study]:
    """gain_lost: the accuracy gained by correlation in the first pair of arms less that in the second."""
    quantity = second_difference(ACCURACY.format(words), stat.final, "test_accuracy")
    return study(f"gain lost: {words}", INITIALIZATION, (*first, *then), {"gain_lost": quantity}, free=free)


def convergence(rate: float) -> Callable[[], Study]:
    """loss_gap: mean training loss over all epochs, uncorrelated less correlated; ahead: epochs by which it leads."""
    return study(
        f"convergence at {rate}",
        INITIALIZATION,
        (at(UNCORRELATED, rate), at(CORRELATED, rate)),
        {
            "loss_gap": difference("mean training loss, uncorrelated - correlated", stat.over_all, "train_loss"),
            "ahead": (
                "epochs by which correlated reaches a common training loss earlier",
                lambda uncorrelated, correlated: stat.epochs_ahead(correlated, uncorrelated),
            ),
        },
    )


def sign_changes(rate: float) -> Callable[[], Study]:
    """more_early, more: GradientSignChanges of uncorrelated less correlated, in the first fifth and in all epochs.

    larger: log2 of the mean absolute gradient in the first fifth, correlated over uncorrelated.
    """

    def ratio(uncorrelated: TrainingRun, correlated: TrainingRun) -> float:
        first, second = (stat.early(run, "mean_gradient") for run in (correlated, uncorrelated))
        return float(np.log2(first / second))

    words = "GradientSignChanges, uncorrelated - correlated, {}"
    return study(
        f"sign changes at {rate}",
        INITIALIZATION,
        (at(UNCORRELATED, rate), at(CORRELATED, rate)),
        {
            "more_early": difference(words.format("first fifth of the epochs"), stat.early, "sign_changes"),
            "more": difference(words.format("all epochs"), stat.over_all, "sign_changes"),
            "larger": ("log2 of mean |gradient|, correlated/uncorrelated, first fifth of the epochs", ratio),
        },
    )


def l2_correlation() -> Callable[[], Study]:
    """rise: mean filter correlation after training from uncorrelated filters, with L2 less without."""
    return study(
        "what L2 does to filters",
        INITIALIZATION,
        (at(UNCORRELATED, FAST, L2), at(UNCORRELATED, FAST)),
        {"rise": difference("mean filter correlation, with L2 - without", stat.mean_correlation)},
        free=("epochs",),
    )


def trained_filters() -> Callable[[], Study]:
    """Correlations in filters trained from an uncorrelated start: mean, by distance (drop_1 to drop_4), by depth."""

    def drop(n: int) -> Callable[[TrainingRun], float]:
        return lambda run: float(-np.diff(stat.correlation_by_distance(run))[n])

    def fall(run: TrainingRun) -> float:
        by_distance = stat.correlation_by_distance(run)
        return float(by_distance[0] - by_distance[-1])

    apart = ("1", "sqrt 2", "2", "sqrt 5", "sqrt 8")
    drops = {
        f"drop_{n + 1}": (f"correlation of pixels {apart[n]} apart - {apart[n + 1]} apart", drop(n)) for n in range(4)
    }
    return study(
        "trained filters",
        INITIALIZATION,
        (at(UNCORRELATED, FAST),),
        {
            "adjacent": (
                "correlation of adjacent filter pixels, trained",
                lambda run: float(stat.correlation_by_distance(run)[0]),
            ),
            "adjacent_before": (
                "the same before training",
                lambda run: float(stat.correlation_by_distance(run, trained=False)[0]),
            ),
            "correlation": ("mean correlation of two filter pixels, trained", stat.mean_correlation),
            "before": (
                "the same before training",
                lambda run: stat.mean_correlation(run, trained=False),
            ),
            "fall": ("correlation of neighbours - of opposite corners", fall),
            **drops,
            "slope": ("rise of the mean correlation per layer", stat.correlation_slope),
        },
    )


def spectra(network: str) -> Callable[[], Study]:
    """Shares of singular values outside the band of SVB: without it at the start and end, with it at the end.

    largest, smallest: extreme singular values of the layers' convolutions on images under SVB, over the band's ends.
    """

    def eps(run: TrainingRun) -> float:
        return float(run.settings["svb"])

    words = "share of singular values outside the band, {}"
    return study(
        f"spectra of {network}",
        BOUNDING,
        (bounded(network, svb=False, bbn=False), bounded(network, svb=True, bbn=False)),
        {
            "outside_sgd": (words.format("SGD"), lambda sgd, svb: stat.outside_band(sgd, eps(svb))),
            "outside_start": (
                words.format("before training"),
                lambda sgd, svb: stat.outside_band(sgd, eps(svb), trained=False),
            ),
            "outside_svb": (words.format("SVB"), lambda sgd, svb: stat.outside_band(svb, eps(svb))),
            "largest": (
                "largest singular value of a convolution, over the upper end of the band",
                lambda sgd, svb: stat.operator_extremes(svb)[0] / (1 + eps(svb)),
            ),
            "smallest": (
                "smallest singular value of a convolution, over the lower end of the band",
                lambda sgd, svb: stat.operator_extremes(svb)[1] * (1 + eps(svb)),
            ),
        },
    )


def cost(network: str | tuple[str, ...]) -> Callable[[], Study]:
    """share: seconds of SVB once an epoch over the seconds of the epoch's updates."""
    return study(
        f"cost of SVB in {network}",
        BOUNDING,
        (bounded(network, svb=True, bbn=False),),
        {"share": ("seconds of SVB once an epoch, over the seconds of the epoch's updates", stat.time_share)},
    )


def bounding_gain(network: str | tuple[str, ...], *, bbn: bool) -> Callable[[], Study]:
    """gain: by how much the test error falls from SGD + BN to SVB + BN, or (bbn) from there to SVB + BBN."""
    after, before = bounded(network, svb=True, bbn=bbn), bounded(network, svb=bbn, bbn=False)
    words = "test error, SVB + BN - SVB + BBN" if bbn else "test error, SGD + BN - SVB + BN"
    # accuracies: the error of one less that of the other is the difference the other way round
    quantity = difference(words, stat.final, "test_accuracy")
    return study(f"bounding {network}", BOUNDING, (after, before), {"gain": quantity})
