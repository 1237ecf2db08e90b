"""C-FIG1: how the weights of trained filters are correlated (Schneider, Fig. 1)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.trained import trained_filters
from theory.ledger import Claim, Clause, Control, Hypothesis

adjacent, adjacent_before, correlation, before, fall, slope = sp.symbols(
    "adjacent adjacent_before correlation before fall slope", real=True
)
drops = sp.symbols("drop_1:5", real=True)
SETTING = Hypothesis(
    "3 x 3 filters behind the first layer of VGG-8, trained on CIFAR-10 from an uncorrelated start at learning rate "
    "0.1; the figure shows a ResNet-50 trained on ImageNet"
)
BEYOND = sp.Rational(9, 10)

FIG1 = Claim(
    id="C-FIG1",
    source="Schneider, Fig. 1 and Section 1",
    statement="in trained networks correlation between adjacent filter weights is clearly positive, decreases with "
    "distance and increases with layers",
    clauses=(
        *(
            Clause(
                name=name,
                text=text,
                printed=symbol > 0,
                study=trained_filters(),
                hypotheses=(SETTING,),
                controls=(
                    Control("more than 0.05 before training too", start > sp.Rational(1, 20)),
                    Control("0.9 or more", symbol >= BEYOND),
                    Control("-0.9 or less", symbol <= -BEYOND),
                ),
            )
            for symbol, start, name, text in (
                (adjacent, adjacent_before, "positive", "adjacent pixels of trained filters are positively correlated"),
                (
                    correlation,
                    before,
                    "positive, all pairs",
                    "the correlation of two pixels of trained filters, mean over all pairs, is positive",
                ),
            )
        ),
        Clause(
            name="falls from neighbours to corners",
            text="neighbouring pixels are more correlated than opposite corners",
            printed=fall > 0,
            study=trained_filters(),
            hypotheses=(SETTING,),
            controls=(
                Control("by 1.8 or more", fall >= 2 * BEYOND),
                Control("less, by 1.8 or more", fall <= -2 * BEYOND),
                Control("near and far exchanged in every other seed", fall > 0, placebo=True),
            ),
        ),
        Clause(
            name="falls at every distance",
            text="correlation falls from each of the distances 1, sqrt 2, 2, sqrt 5, sqrt 8 to the next",
            printed=sp.And(*(drop > 0 for drop in drops)),
            study=trained_filters(),
            hypotheses=(SETTING,),
            controls=(
                Control("by 0.9 each", sp.And(*(drop > BEYOND for drop in drops))),
                Control("near and far exchanged in every other seed", sp.And(*(d > 0 for d in drops)), placebo=True),
            ),
        ),
        Clause(
            name="grows with depth",
            text="the mean correlation of a layer's filters rises with its depth (slope of the regression line)",
            printed=slope > 0,
            study=trained_filters(),
            hypotheses=(SETTING,),
            controls=(
                Control("by 1 for each layer", slope > 1),
                Control("falls by 1 for each layer", slope < -1),
                Control("layers in reverse order in every other seed", slope > 0, placebo=True),
            ),
        ),
    ),
)

CLAIMS = (FIG1,)
