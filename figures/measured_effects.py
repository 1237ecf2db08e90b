"""The accuracies gained that both papers speak of, with their confidence intervals, beside what the papers print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.recorded import about
from figures.style import BLACK, BLUE, GREY, VERMILION, heading, legend_below, note, panels, styled
from theory.claims.observe.trained import BOUNDING, FAST, INITIALIZATION, SCALE, SLOW, UNCORRELATED, at, bounded
from theory.claims.trained import bounded as bounds
from theory.claims.trained import correlated
from theory.ledger import Claim, Verdict
from theory.verify import verify

PRINTED = {
    ("C-CI", "large rate"): 0.012,
    ("C-CV", "gain"): 0.010,
    ("C-INIT", "uncorrelated Kaiming"): 0.012,
    ("C-INIT", "orthogonal"): 0.011,
    ("C-INIT", "Xavier"): 0.010,
    ("S-T1", "ResNet, SVB"): 0.0043,
    ("S-T1", "ResNet, BBN"): 0.0030,
}
"""From the means of Tables 2 and 3 (VGG-8, CIFAR-10), and of Table 1 of Jia et al."""
LOOKS = {
    Verdict.SUPPORTED: (BLUE, "o", "supported"),
    Verdict.UNSUPPORTED: (VERMILION, "s", "unsupported"),
    Verdict.INCONCLUSIVE: (GREY, "D", "undecided"),
}
SEED = 0
PARAMETERS = {
    "initialization": about(INITIALIZATION, at(UNCORRELATED, SLOW), at(UNCORRELATED, FAST)),
    "scale": about(SCALE, at(UNCORRELATED, SLOW)),
    "bounding": about(
        BOUNDING, bounded("convnet20", svb=False, bbn=False), bounded("preresnet20", svb=False, bbn=False)
    ),
}


@dataclass(frozen=True)
class Effect:
    """A gain in test accuracy with its interval, what the ledger says of it, and what is printed, if anything."""

    claim: str
    clause: str
    estimate: float
    low: float
    high: float
    verdict: Verdict
    printed: float | None


@dataclass(frozen=True)
class Data:
    """initial: of correlated initialisation; bounding: of SVB and BBN."""

    initial: tuple[Effect, ...]
    bounding: tuple[Effect, ...]


def data() -> Data:
    """Judge the claims on accuracy anew."""
    return Data(
        _effects((correlated.CI, correlated.SCALE, correlated.INIT, correlated.CIV, correlated.CV)),
        _effects((bounds.T1,)),
    )


def _effects(claims: Sequence[Claim]) -> tuple[Effect, ...]:
    found = []
    for claim in claims:
        for part in verify(claim).clauses:
            (effect,) = next(line.measured for line in part.evidence if line.kind == "data") or (None,)
            if effect is not None and effect.symbol in ("gain", "gain_lost"):
                name = part.clause.name
                found.append(
                    Effect(
                        claim.id, name, effect.estimate, effect.low, effect.high, part.verdict,
                        PRINTED.get((claim.id, name)),
                    )
                )  # fmt: skip
    return tuple(found)


@styled
def draw(shown: Data | None = None) -> Figure:
    """Left correlated initialisation, right bounding; a row for each clause."""
    numbers = shown or data()
    figure, axes = panels(TITLES["measured-effects"], [["a"], ["b"]], 5.2, height_ratios=(2.0, 1.0))
    _forest(axes["a"], numbers.initial)
    heading(axes["a"], "a", "correlated initialisation: points of test accuracy gained, VGG-8")
    _forest(axes["b"], numbers.bounding)
    heading(axes["b"], "b", "bounding: points of test accuracy gained")
    handles = [
        axes["a"].plot([], [], color=color, marker=marker, label=words)[0] for color, marker, words in LOOKS.values()
    ]
    handles += axes["a"].plot([], [], color=BLACK, marker="|", ls="none", ms=9.0, label="printed, at full size")
    legend_below(axes["b"], columns=4, handles=handles)
    note(
        figure,
        "Paired over seeds, 95 % Student intervals. C-CIV: gain at rate 0.005 less gain at 0.1; C-CV: gain "
        "without\nL2 less gain with it; else gain of one method over the other.",
    )
    return figure


def _forest(axes: Axes, effects: Sequence[Effect]) -> None:
    axes.axvline(0.0, color=GREY, lw=0.6)
    rows = np.arange(len(effects))[::-1]
    for row, effect in zip(rows, effects, strict=True):
        color, marker, _ = LOOKS[effect.verdict]
        axes.plot([100 * effect.low, 100 * effect.high], [row, row], color=color, lw=1.3)
        axes.plot(100 * effect.estimate, row, color=color, marker=marker, ls="none")
        if effect.printed is not None:
            axes.plot(100 * effect.printed, row, color=BLACK, marker="|", ls="none", ms=9.0)
    axes.set_yticks(rows, [f"{effect.claim}, {effect.clause}".rstrip(", ") for effect in effects])
    axes.set(xlabel="points", ylim=(-0.6, len(effects) - 0.4))
