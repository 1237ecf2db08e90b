"""Table 1 of Schneider, cell by cell, and what is squared in it (Section 4)."""

from __future__ import annotations

import sympy as sp

from theory.claims.layer_variance.equations import CELL_A, MEAN, SYMMETRIC
from theory.claims.observe.layer_variance.overlapping import square_filters
from theory.claims.observe.layer_variance.pairs import side_by_side
from theory.claims.observe.layer_variance.stacks import cell
from theory.derive.layer_variance import cell_c, depth
from theory.derive.layer_variance.cell_c import growth, share
from theory.derive.layer_variance.depth import ETA_0, GAIN_A, GAIN_B, var_A, var_B, var_C, var_D
from theory.derive.layer_variance.symbols import k, l, v, var_1, var_l
from theory.ledger import Claim, Clause, Control, Hypothesis

INDEPENDENT_WEIGHTS = Hypothesis("weights are independent and symmetric around zero")
PERFECT_INPUTS = Hypothesis("inputs are perfectly correlated; circular padding or none (C-PERF)")
WHITE = Hypothesis("inputs of the network are independent of each other and symmetric around zero")
PERFECT_WEIGHTS = Hypothesis("the weights of a filter are equal, symmetric around zero")
APART = Hypothesis("windows share no input, as in the analysis of He et al.")
SAME = Hypothesis("Var[w] and E[x_0^2] are the same in the cells compared")

_CONTROLS_B = (
    Control("l + 1", sp.Eq(var_l, var_1 * GAIN_B ** (l + 1))),
    Control("k^4, cell (A)", sp.Eq(var_l, var_1 * GAIN_A ** (l - 1))),
    Control("k", sp.Eq(var_l, var_1 * (k * v / 2) ** (l - 1))),
)
_CONSISTENT_B = (
    Control("k for k^2", sp.Eq(var_l, ETA_0 * k**l)),
    Control("l - 1", sp.Eq(var_l, ETA_0 * (k**2) ** (l - 1))),
    Control("2 l, cell (A)", sp.Eq(var_l, ETA_0 * (k**2) ** (2 * l))),
)


T1A = Claim(
    id="C-T1A",
    source="Schneider, Table 1 (A)",
    statement="Var[y_l] = eta k^(2l), eta = Var[y_1] (Var[w]/2)^l: inputs and weights perfectly correlated",
    note="The table has k where Eq. (14) has k^2, and its exponent. It is consistent with the equations if k is the "
    "number of weights, k^2, and Var[y_1] for Var[y_0] = 2 E[x_0^2]. As printed it fails at k = 1, l = 1, where it "
    "says that Var[y_1] is Var[y_1] Var[w]/2.",
    clauses=(
        Clause(
            name="as printed",
            text="eta k^(2l); true is Var[y_1] (k^4 v/2)^(l-1)",
            printed=depth.PRINTED_T1A,
            corrected=depth.DEPTH_A,
            experiment=lambda: cell("A"),
            derivation=depth.depth_a,
            hypotheses=(MEAN, SYMMETRIC, CELL_A),
            controls=(
                Control("Eq. (14)", depth.PRINTED_E14),
                Control("k^2 for k^4", sp.Eq(var_l, var_1 * GAIN_B ** (l - 1))),
                Control("k^(2l)", sp.Eq(var_l, var_1 * (v / 2) ** (l - 1) * k ** (2 * l))),
            ),
        ),
        Clause(
            name="made consistent",
            text="eta K^(2l) for K = k^2 weights and eta = Var[y_0] (v/2)^l",
            printed=depth.TABLE_A,
            experiment=lambda: cell("A"),
            derivation=depth.depth_a,
            hypotheses=(MEAN, SYMMETRIC, CELL_A),
            controls=(
                Control("k for k^2", sp.Eq(var_l, ETA_0 * k ** (2 * l))),
                Control("2 (l - 1)", sp.Eq(var_l, ETA_0 * (k**2) ** (2 * (l - 1)))),
                Control("l, cell (B)", depth.TABLE_B),
            ),
        ),
    ),
)


def _cell_b(name: str, statement: str, note: str, hypotheses: tuple[Hypothesis, ...]) -> Claim:
    """Cells (B) and (D): the same formula, printed and true."""
    return Claim(
        id=f"C-T1{name}",
        source=f"Schneider, Table 1 ({name})",
        statement=statement,
        note=note,
        clauses=(
            Clause(
                name="as printed",
                text="eta k^l; true is Var[y_1] (k^2 v/2)^(l-1)",
                printed=depth.PRINTED_T1B,
                corrected=depth.DEPTH_B,
                experiment=lambda: cell(name),
                derivation=depth.depth_b,
                hypotheses=hypotheses,
                controls=_CONTROLS_B,
            ),
            Clause(
                name="made consistent",
                text="eta K^l for K = k^2 weights and eta = Var[y_0] (v/2)^l",
                printed=depth.TABLE_B,
                experiment=lambda: cell(name),
                derivation=depth.depth_b,
                hypotheses=hypotheses,
                controls=_CONSISTENT_B,
            ),
        ),
    )


T1B = _cell_b(
    "B",
    "Var[y_l] = eta k^l: inputs perfectly correlated, weights independent",
    "As in (A), k for k^2 and l for l - 1. Table 1 and Eq. (16), on the same case, contradict each other.",
    (INDEPENDENT_WEIGHTS, PERFECT_INPUTS),
)

T1D = _cell_b(
    "D",
    "Var[y_l] = eta k^l: neither correlated, identical to He et al.",
    "He et al. have Var[y_1] times the product over layers 2..l of n_i Var[w_i]/2, n_i = k^2 c: that is the corrected "
    "formula, with l - 1 factors. Exact for real convolutions too: independent weights remove every cross term, "
    "however windows overlap.",
    (INDEPENDENT_WEIGHTS, WHITE),
)

T1C = Claim(
    id="C-T1C",
    source="Schneider, Table 1 (C)",
    statement="Var[y_l] = eta k^l: inputs uncorrelated, weights perfectly correlated; analogous to (B)",
    note="Not analogous: only the first layer is. Outputs of a ReLU are positive, and what they have in common, their "
    "mean, adds up under equal weights as perfectly correlated inputs do: E[x_t x_u] = share E[x^2] where windows "
    "share no input, share = 1/pi for Gaussian inputs, 9/32 for signs and k = 2. Var[y_l] is the mixture "
    "(1 - share) (D) + share (A); it grows by k^4 v/2 per layer in the end, as (A) does, not by k^2 v/2. The Gaussian "
    "closed forms, also for overlapping windows, are under X-VAR.",
    clauses=(
        Clause(
            name="as printed",
            text="eta k^l; true is Var[y_1] (v/2)^(l-1) ((1 - share) k^(2(l-1)) + share k^(4(l-1)))",
            printed=depth.PRINTED_T1B,
            corrected=cell_c.INDEPENDENT,
            experiment=lambda: cell("C"),
            derivation=cell_c.independent_windows,
            hypotheses=(PERFECT_WEIGHTS, WHITE, APART),
            controls=(
                Control("cell (A)", depth.DEPTH_A),
                Control("shares exchanged", sp.Eq(var_l, var_1 * (v / 2) ** (l - 1) * growth(k**2, 1 - share))),
                Control("l for l - 1", sp.Eq(var_l, (var_1 * (v / 2) ** (l - 1) * growth(k**2, share)).subs(l, l + 1))),
                Control("k for k^2", sp.Eq(var_l, var_1 * (v / 2) ** (l - 1) * growth(k, share))),
            ),
        ),
        Clause(
            name="analogous to (B)",
            text="Eq. (16) with its exponent put right",
            printed=depth.DEPTH_B,
            corrected=cell_c.INDEPENDENT,
            experiment=lambda: cell("C"),
            derivation=cell_c.independent_windows,
            hypotheses=(PERFECT_WEIGHTS, WHITE, APART),
            controls=(
                Control("cell (A)", depth.DEPTH_A),
                Control("half the share", sp.Eq(var_l, var_1 * (v / 2) ** (l - 1) * growth(k**2, share / 2))),
                Control("without the half", sp.Eq(var_l, var_1 * v ** (l - 1) * growth(k**2, share))),
            ),
        ),
        Clause(
            name="as a convolution",
            text="stride 1, windows overlap: sum over offsets of pairs of paths times E[relu(S_0) relu(S_d)]",
            printed=depth.DEPTH_B,
            corrected=cell_c.OVERLAPPING,
            experiment=square_filters,
            derivation=cell_c.overlapping_windows,
            hypotheses=(PERFECT_WEIGHTS, WHITE),
            controls=(
                Control("cell (A)", depth.DEPTH_A),
                Control("twice", sp.Eq(var_l, 2 * cell_c.OVERLAPPING.rhs)),
                Control("v for v/2", sp.Eq(var_l, 2 ** (l - 1) * cell_c.OVERLAPPING.rhs)),
            ),
        ),
    ),
)

SQ = Claim(
    id="C-SQ",
    source="Schneider, Section 4",
    statement="with inputs and weights perfectly correlated the variance is the squared value of the other cases",
    note="What is squared is the factor that grows with k: Var_A/eta = (Var_B/eta)^2 with one eta = 2 E[x_0^2] (v/2)^l "
    "for both. With the printed eta it is not even that: Var[y_1] itself is k^2 times larger in (A). The variance is "
    "squared only if eta = 1. Against (C) nothing is squared: (A) stays below k^2/share times (C) at every depth.",
    clauses=(
        Clause(
            name="what grows with k",
            text="Var_A eta = Var_B^2 and Var_A eta = Var_D^2, eta = 2 E[x_0^2] (v/2)^l",
            printed=depth.SQUARED_GROWTH,
            experiment=lambda: side_by_side("squared"),
            derivation=depth.squares,
            hypotheses=(SAME, PERFECT_INPUTS),
            controls=(
                Control("cubed", sp.Eq(var_A, var_B**3 / ETA_0**2)),
                Control("the same", sp.Eq(var_A, var_D)),
                Control("half of eta", sp.Eq(var_A, 2 * var_B**2 / ETA_0)),
            ),
        ),
        Clause(
            name="the variance",
            text="Var_A = Var_B^2; true is Var_B^2/eta",
            printed=depth.PRINTED_SQUARE,
            corrected=depth.TRUE_SQUARE,
            experiment=lambda: side_by_side("squared"),
            derivation=depth.squares,
            hypotheses=(SAME, PERFECT_INPUTS),
            controls=(
                Control("times eta", sp.Eq(var_A, var_B**2 * ETA_0)),
                Control("k^2 times as large", sp.Eq(var_A, k**2 * var_B)),
            ),
        ),
        Clause(
            name="against (C)",
            text="Var_A eta = Var_C^2; true is Var_A/Var_C = k^(2l)/(1 - share + share k^(2(l-1)))",
            printed=cell_c.SQUARE_OF_C,
            corrected=cell_c.RATIO_TO_C,
            experiment=lambda: side_by_side("ratio"),
            derivation=cell_c.against_a,
            hypotheses=(SAME, WHITE, APART),
            controls=(
                Control("k^2/share", sp.Eq(var_A, var_C * k**2 / share)),
                Control("k^(2l)", sp.Eq(var_A, var_C * k ** (2 * l))),
                Control("shares exchanged", sp.Eq(var_A, var_C * cell_c.RATIO.subs(share, 1 - share))),
            ),
        ),
        Clause(
            name="largest",
            text="(A) is the largest of the four",
            printed=depth.LARGEST,
            experiment=lambda: side_by_side("ratio"),
            derivation=depth.largest,
            hypotheses=(SAME,),
            controls=(
                Control("(C) is", sp.And(sp.Ge(var_C, var_A), sp.Ge(var_C, var_B))),
                Control("no larger than (C)", sp.Le(var_A, var_C)),
                Control("half as large", sp.Ge(var_B, 2 * var_A)),
            ),
        ),
    ),
)

CLAIMS = (T1A, T1B, T1C, T1D, SQ)
