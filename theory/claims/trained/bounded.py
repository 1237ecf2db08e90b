"""What Jia et al. say of networks trained with singular value bounding and bounded batch norm; and X-BAND."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.trained import PLAIN, RESIDUAL, bounding_gain, cost, spectra
from theory.ledger import Claim, Clause, Control, Hypothesis

gain, share, outside_sgd, outside_start, outside_svb, largest, smallest = sp.symbols(
    "gain share outside_sgd outside_start outside_svb largest smallest", real=True
)
half, quarter = sp.Rational(1, 2), sp.Rational(1, 4)
LITTLE, SIMILAR = sp.Rational(1, 20), sp.Rational(1, 50)
SETTING = Hypothesis("settings of Section 6, size as measured; from orthogonal kernels")
CONVNET = Hypothesis("ConvNet-20 (printed: 38), eps = 0.05, 0.2 for BBN")
RESNET = Hypothesis("pre-activation ResNet-20 (printed: 68), eps = 0.5, 1 for BBN")

FIG1 = Claim(
    id="S-FIG1",
    source="Jia et al., Fig. 1 and Section 3",
    statement="from orthogonal initialization, training drives singular value spectra away from 1; SVB keeps them",
    clauses=(
        Clause(
            name="SGD leaves 1",
            text="after SGD most singular values of the reshaped kernels lie outside the band of SVB",
            printed=outside_sgd > half,
            study=spectra(PLAIN),
            hypotheses=(SETTING, CONVNET),
            controls=(
                Control("before training too", outside_start > half),
                Control("with SVB too", outside_svb > half),
            ),
        ),
        Clause(
            name="SVB keeps them",
            text="after training with SVB none does",
            printed=outside_svb <= 0,
            study=spectra(PLAIN),
            hypotheses=(SETTING, CONVNET),
            controls=(
                Control("without SVB too", outside_sgd <= 0),
                Control("less than none", outside_svb < 0),
            ),
        ),
    ),
)


def _cost(name: str, network: str | tuple[str, ...], stated: Hypothesis) -> Clause:
    return Clause(
        name=name,
        text="SVB once an epoch takes less than 5 % of the time of the epoch's updates",
        printed=share < LITTLE,
        study=cost(network),
        hypotheses=(SETTING, stated, Hypothesis("practically negligible is read as less than 5 %")),
        controls=(
            Control("ten times the updates", share > 10),
            Control("no time or less", share <= 0),
        ),
    )


COST = Claim(
    id="S-COST",
    source="Jia et al., Section 3",
    statement="the wall-clock time caused by SVB once every epoch is practically negligible",
    note="An epoch is short here; one of all 50,000 images takes longer, and the share is smaller in proportion.",
    clauses=(_cost("ConvNet", PLAIN, CONVNET), _cost("ResNet", RESIDUAL, RESNET)),
)


def _falls(name: str, text: str, network: str | tuple[str, ...], stated: Hypothesis, *, bbn: bool) -> Clause:
    return Clause(
        name=name,
        text=text,
        printed=gain > 0,
        study=bounding_gain(network, bbn=bbn),
        hypotheses=(SETTING, stated),
        controls=(
            Control("50 points less", gain > half),
            Control("50 points more", gain < -half),
            Control("methods exchanged in every other seed", gain > 0, placebo=True),
        ),
    )


T1 = Claim(
    id="S-T1",
    source="Jia et al., Section 6, Table 1 and Fig. 2",
    statement="error falls from SGD + BN to SVB + BN to SVB + BBN; in plain ConvNets BBN gives similar performance",
    clauses=(
        _falls("ResNet, SVB", "error falls from SGD + BN to SVB + BN", RESIDUAL, RESNET, bbn=False),
        _falls("ResNet, BBN", "error falls from SVB + BN to SVB + BBN", RESIDUAL, RESNET, bbn=True),
        _falls("ConvNet, SVB", "error falls from SGD + BN to SVB + BN", PLAIN, CONVNET, bbn=False),
        Clause(
            name="ConvNet, BBN",
            text="SVB + BBN gives an error similar to that of SVB + BN",
            printed=sp.And(gain > -SIMILAR, gain < SIMILAR),
            study=bounding_gain(PLAIN, bbn=True),
            hypotheses=(SETTING, CONVNET, Hypothesis("similar is read as within 2 points")),
            controls=(
                Control("50 points less", gain > half),
                Control("50 points more", gain < -half),
            ),
        ),
    ),
)

BAND = Claim(
    id="X-BAND",
    source="this project; after Jia et al., Section 6, footnote 2",
    statement="networks trained under SVB have every kernel in the band, but convolutions on both sides of it",
    note="S-CONV and X-OPER say how far a bounded kernel's convolution can leave the band; this is what training does.",
    clauses=(
        Clause(
            name="too large",
            text="some layer's convolution on its images has a singular value above the band",
            printed=largest > 1,
            study=spectra(PLAIN),
            hypotheses=(SETTING, CONVNET),
            controls=(
                Control("by more than sqrt(9) times, which X-OPER rules out", largest > 3),
                Control("more singular values outside before training", outside_start > half),
            ),
        ),
        Clause(
            name="too small",
            text="some layer's convolution on its images has a singular value below the band",
            printed=smallest < 1,
            study=spectra(PLAIN),
            hypotheses=(SETTING, CONVNET),
            controls=(
                Control("negative", smallest < 0),
                Control("larger than a kernel's can be", smallest > 3),
            ),
        ),
    ),
)

CLAIMS = (FIG1, COST, T1, BAND)
