"""What Schneider, Section 6, says of correlated initialisation: conjectures (i) to (v), and Table 3."""

from __future__ import annotations

import sympy as sp

from sim.paired import Arm
from theory.claims.observe.single_filter.aligned_starts import aligned_starts
from theory.claims.observe.trained import (
    CORRELATED,
    FAST,
    L2,
    LARGER_GAIN,
    ORTHOGONAL,
    SAME_VARIANCE,
    SLOW,
    SMALLER_VARIANCE,
    UNCORRELATED,
    XAVIER,
    accuracy_gain,
    at,
    convergence,
    gain_lost,
    l2_correlation,
    scale_gain,
    sign_changes,
)
from theory.claims.single_filter.zigzag_regimes import GENERIC, THEOREM
from theory.derive.single_filter import zigzag as runs
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import p

gain, gain_lost_, loss_gap, ahead, more_early, more, larger, rise = sp.symbols(
    "gain gain_lost loss_gap ahead more_early more larger rise", real=True
)
cos2, cos2_other = sp.symbols("cos2 cos2_other", real=True)
"""cos^2 of the angles between w* and two starts."""

quarter, half = sp.Rational(1, 4), sp.Rational(1, 2)
SETTING = Hypothesis("VGG-8 with batch norm, SGD with momentum 0.8, batches of 256, no augmentation; size as measured")
SAME_GAIN = Hypothesis("equal gain: correlated weights have 1/g of the variance, g = 1'R1/9, as Algorithm 1 means it")
HIGH_RATE = Hypothesis("learning rate 0.1")


def _controls(symbol: sp.Symbol, most: sp.Expr, words: str) -> tuple[Control, ...]:
    """Effects far beyond what can be, either way, and the same with arms exchanged in every other seed."""
    return (
        Control(f"{words} more", symbol > most),
        Control(f"{words} less", symbol < -most),
        Control("arms exchanged in every other seed", symbol > 0, placebo=True),
    )


def _gain(name: str, text: str, first: Arm, second: Arm, words: str, *stated: Hypothesis) -> Clause:
    return Clause(
        name=name,
        text=text,
        printed=gain > 0,
        study=accuracy_gain(first, second, words),
        hypotheses=(SETTING, *stated),
        controls=_controls(gain, quarter, "25 points"),
    )


CI = Claim(
    id="C-CI",
    source="Schneider, Section 6 (i), Figs. 4, 5",
    statement="generalization is better for correlated initialization",
    note="Correlation and scale are told apart: correlated filters of the uncorrelated ones' gain (the paper's "
    "comparison) and of their weight variance, and uncorrelated filters given the larger gain of the latter, or "
    "the smaller weight variance of the former.",
    clauses=tuple(
        _gain(
            name,
            f"test accuracy is higher for correlated filters{alike}, learning rate {rate:g}",
            at(first, rate),
            at(second, rate),
            f"correlated - uncorrelated{alike}",
            *stated,
        )
        for name, alike, first, second, rate, stated in (
            ("small rate", " of equal gain", CORRELATED, UNCORRELATED, SLOW, (SAME_GAIN,)),
            ("large rate", " of equal gain", CORRELATED, UNCORRELATED, FAST, (SAME_GAIN,)),
            ("small rate, equal variance", " of equal weight variance", SAME_VARIANCE, UNCORRELATED, SLOW, ()),
            ("small rate, equal larger gain", ", both of the larger gain", SAME_VARIANCE, LARGER_GAIN, SLOW, ()),
            ("small rate, equal smaller variance", ", both of the smaller weight variance", CORRELATED,
             SMALLER_VARIANCE, SLOW, (SAME_GAIN,)),
        )
    ),
)  # fmt: skip

CII = Claim(
    id="C-CII",
    source="Schneider, Section 6 (ii)",
    statement="convergence is slower for uncorrelated initialization",
    note="Convergence is that of the training loss, as the mean over the course and as the epochs to a common loss.",
    clauses=tuple(
        Clause(
            name=f"{words}, rate {rate}",
            text=text,
            printed=symbol > 0,
            study=convergence(rate),
            hypotheses=(SETTING, SAME_GAIN),
            controls=_controls(symbol, most, unit),
        )
        for rate in (SLOW, FAST)
        for symbol, words, text, most, unit in (
            (loss_gap, "mean loss", "the mean training loss over all epochs is higher for uncorrelated filters",
             sp.Rational(23, 10), "2.3, which is what guessing costs,"),
            (ahead, "epochs", "correlated filters reach a common training loss in fewer epochs",
             sp.Integer(40), "40 epochs"),
        )
    ),
)  # fmt: skip

CIII = Claim(
    id="C-CIII",
    source="Schneider, Section 6 (iii), Figs. 4, 5",
    statement="zig-zag is more profound for uncorrelated than for correlated initialization; it follows from Theorem 1",
    note="Under Theorem 1 the signs that change are those with 2 lam h > 1, whatever the start (X-FLIP). What networks "
    "show is measured: batches, momentum and several layers are not in the theorem.",
    clauses=(
        Clause(
            name="from Theorem 1",
            text="of two starts on one grid, that which points less along w* has more sign changes (a half or more)",
            printed=runs.gsc_other >= runs.gsc + 1 / (2 * p),
            corrected=sp.Eq(runs.gsc_other, runs.gsc),
            experiment=aligned_starts,
            derivation=runs.full_batch,
            hypotheses=(*THEOREM, GENERIC, Hypothesis("the other start points less along w*", cos2_other < cos2)),
            controls=(
                Control("fewer", runs.gsc_other <= runs.gsc - 1 / (2 * p)),
                Control("complementary", sp.Eq(runs.gsc_other, 1 - runs.gsc)),
            ),
        ),
        *(
            Clause(
                name=f"{words}, rate {rate}",
                text=text,
                printed=symbol > 0,
                study=sign_changes(rate),
                hypotheses=(SETTING, SAME_GAIN),
                controls=_controls(symbol, most, unit),
            )
            for rate in (SLOW, FAST)
            for symbol, words, text, most, unit in (
                (more_early, "first epochs", "more signs change for uncorrelated filters, first fifth of the epochs",
                 half, "half of all signs"),
                (more, "all epochs", "more signs change for uncorrelated filters, all epochs",
                 half, "half of all signs"),
                (larger, "gradients", "gradients are larger for correlated filters, first fifth of the epochs",
                 sp.Integer(10), "a factor 1024"),
            )
        ),
    ),
)  # fmt: skip

CIV = Claim(
    id="C-CIV",
    source="Schneider, Section 6 (iv)",
    statement="large learning rates diminish returns of correlated initialization",
    clauses=(
        Clause(
            text="the gain in test accuracy is larger at learning rate 0.005 than at 0.1",
            printed=gain_lost_ > 0,
            study=gain_lost(
                (at(CORRELATED, SLOW), at(UNCORRELATED, SLOW)),
                (at(CORRELATED, FAST), at(UNCORRELATED, FAST)),
                "gain at rate 0.005 - gain at rate 0.1",
            ),
            hypotheses=(SETTING, SAME_GAIN),
            controls=_controls(gain_lost_, quarter, "25 points"),
        ),
    ),
)

CV = Claim(
    id="C-CV",
    source="Schneider, Section 6 (v), Table 2",
    statement="L2 regularization diminishes returns of correlated initialization, as it increases correlation",
    note="By itself it does not (X-KERN): with correlated inputs it passes their correlation on.",
    clauses=(
        Clause(
            name="gain",
            text="the gain in test accuracy is larger without L2 than with it",
            printed=gain_lost_ > 0,
            study=gain_lost(
                (at(CORRELATED, FAST), at(UNCORRELATED, FAST)),
                (at(CORRELATED, FAST, L2), at(UNCORRELATED, FAST, L2)),
                "gain without L2 - gain with L2",
                free=("epochs",),
            ),
            hypotheses=(SETTING, SAME_GAIN, HIGH_RATE, Hypothesis("L2 of 0.001, PyTorch's weight decay")),
            controls=_controls(gain_lost_, quarter, "25 points"),
        ),
        Clause(
            name="mechanism",
            text="with L2, filters trained from an uncorrelated start are more correlated than without",
            printed=rise > 0,
            study=l2_correlation(),
            hypotheses=(SETTING, HIGH_RATE, Hypothesis("L2 of 0.001, PyTorch's weight decay")),
            controls=_controls(rise, sp.Rational(9, 10), "a correlation 0.9"),
        ),
    ),
)

INIT = Claim(
    id="C-INIT",
    source="Schneider, Section 6, Table 3",
    statement="correlated Kaiming performs better than uncorrelated Kaiming, orthogonal and Xavier initialization",
    clauses=tuple(
        _gain(
            name, f"test accuracy is higher than for {name} initialisation",
            at(CORRELATED, FAST), at(arm, FAST), f"correlated Kaiming - {name}", HIGH_RATE,
        )
        for name, arm in (("uncorrelated Kaiming", UNCORRELATED), ("orthogonal", ORTHOGONAL), ("Xavier", XAVIER))
    ),
)  # fmt: skip

SCALE = Claim(
    id="X-SCALE",
    source="this project; after Schneider, Section 6 (i)",
    statement="under batch norm smaller initial weights raise accuracy at a small rate, correlated or not",
    note="Behind batch norm the size of a layer's weights does not show, and gradients go with its inverse: "
    "weights divided by c learn as with c^2 times the rate. Algorithm 1 gives correlated filters 1/g of the variance. "
    "The conjecture came from the runs of C-CI; it is judged on other seeds.",
    clauses=tuple(
        Clause(
            name=name,
            text=f"test accuracy is higher for {name} filters with 1/g of He's weight variance, learning rate {SLOW}",
            printed=gain > 0,
            study=scale_gain(at(small, SLOW), at(large, SLOW), f"1/g of the variance - He's, {name} filters"),
            hypotheses=(SETTING,),
            controls=_controls(gain, quarter, "25 points"),
        )
        for name, small, large in (
            ("uncorrelated", SMALLER_VARIANCE, UNCORRELATED),
            ("correlated", CORRELATED, SAME_VARIANCE),
        )
    ),
)

CLAIMS = (CI, CII, CIII, CIV, CV, INIT, SCALE)
