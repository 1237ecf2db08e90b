"""C-ZIG, the zig-zag of Schneider's Fig. 3, sentence by sentence; and X-FLIP, the laws of sign changes behind it."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.single_filter.full_batch_runs import full_batch
from theory.claims.observe.single_filter.sample_angles import two_angles
from theory.claims.observe.single_filter.sample_pairs import along_and_elsewhere, equal_distances, two_samples
from theory.claims.single_filter.zigzag_regimes import (
    ACTIVE,
    FULL_BATCH,
    GENERIC,
    HEAVY_BALL,
    LINEAR,
    OTHER_FRAMES,
    THEOREM,
)
from theory.claims.single_filter.zigzag_single import SAMPLE_BY_SAMPLE
from theory.derive.single_filter import zigzag_pair as pair
from theory.derive.single_filter.zigzag import flips
from theory.derive.single_filter.zigzag_samples import POSITIVE, same_side
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import j, steps

ADEQUATE = Hypothesis(
    "an adequate learning rate, 2 lam |X|^2 < 1 for both samples",
    pair.ADEQUATE,
)
POSITIVE_SAMPLES = Hypothesis("samples have positive coordinates (assumption 1)", POSITIVE)
TWO_IN_THE_PLANE = Hypothesis("two samples, two weights (Fig. 3)")
SAME_DISTANCE = Hypothesis("both starts have the same distance to w*", pair.SAME_DISTANCE)
ALONG = Hypothesis("the first start is w0 = alpha w*", pair.ALONG)

_slow = pair.ZIGZAG_SLOWER.args

ZIG = Claim(
    id="C-ZIG",
    source="Schneider, Section 3.2, Fig. 3",
    statement="coordinates first move straight, then zig-zag once w crosses the normal of a sample; zig-zag means slow "
    "convergence; it is least when w0 points along w* and samples are at a large angle to w*",
    note="The picture is right for one sample per update, positive samples and the pixel frame. That is not the "
    "setting of Theorem 1 (full batch, frame of w*), where no sign changes at all while 2 lam h_j < 1 (X-FLIP).",
    clauses=(
        Clause(
            name="straight at first",
            text="until w crosses the normal of a sample, no coordinate of the gradient changes sign",
            printed=pair.STRAIGHT,
            condition=POSITIVE,
            experiment=two_samples,
            derivation=pair.straight_before_crossing,
            hypotheses=(LINEAR, ACTIVE),
            controls=(
                Control("always, not only until then", sp.Eq(flips[j], 0)),
                Control("it does from the start", sp.Implies(same_side, sp.Eq(flips[j], steps - 1))),
            ),
        ),
        Clause(
            name="zig-zag after crossing",
            text="once w lies between the normals, every coordinate changes sign at every update",
            printed=pair.ZIGZAG,
            condition=pair.per_sample,
            experiment=two_samples,
            derivation=pair.zigzag_between_normals,
            hypotheses=(LINEAR, ACTIVE, POSITIVE_SAMPLES, ADEQUATE),
            controls=(
                Control("from the start", sp.Eq(flips[j], steps - 1)),
                Control("only once", sp.Implies(pair.CROSSED, sp.Eq(flips[j], 1))),
                Control("on the same side", sp.Implies(sp.Not(pair.CROSSED), sp.Eq(flips[j], steps - 1))),
            ),
        ),
        Clause(
            name="zig-zag is slow, full batch",
            text="a coordinate that changes sign converges no faster than one that does not",
            printed=pair.ZIGZAG_SLOWER,
            condition=pair.RATE_ABOVE_BEST,
            experiment=full_batch,
            derivation=pair.sign_and_speed,
            hypotheses=(*THEOREM, GENERIC),
            controls=(
                Control("faster", sp.Implies(_slow[0], _slow[1].lhs >= _slow[1].rhs)),
                Control("at most half as fast", sp.Implies(_slow[0], 2 * _slow[1].lhs <= _slow[1].rhs)),
            ),
        ),
        Clause(
            name="zig-zag is slow, one sample per update",
            text="at one distance from w*, a random update makes no more progress between the normals than outside",
            printed=pair.PROGRESS_LESS,
            condition=pair.EQUAL_LENGTH,
            experiment=equal_distances,
            derivation=pair.progress_between_normals,
            hypotheses=(LINEAR, ACTIVE, TWO_IN_THE_PLANE, POSITIVE_SAMPLES, ADEQUATE, SAME_DISTANCE),
            controls=(
                Control("more", sp.Implies(pair.PROGRESS_LESS.args[0], pair.progress >= pair.progress_other)),
                Control("anywhere", pair.progress <= pair.progress_other),
                Control("a third", sp.Implies(pair.PROGRESS_LESS.args[0], 3 * pair.progress <= pair.progress_other)),
            ),
        ),
        Clause(
            name="least along w*",
            text="no start has fewer sign changes than w0 = alpha w*",
            printed=pair.FEWEST,
            condition=sp.And(sp.Not(pair.per_sample), pair.EIGENVECTOR),
            experiment=along_and_elsewhere,
            derivation=pair.along_the_optimum,
            hypotheses=(LINEAR, ACTIVE, TWO_IN_THE_PLANE, POSITIVE_SAMPLES, ADEQUATE, ALONG),
            controls=(
                Control("one fewer", pair.changes + 1 <= pair.changes_other),
                Control("no fewer than elsewhere", pair.changes >= pair.changes_other),
            ),
        ),
        Clause(
            name="a large angle",
            text="of two pairs of unit samples around w*, the one at the larger angle converges at least as fast, "
            "each at its best learning rate; true while the two angles make at most 90 degrees",
            printed=pair.WIDER_IS_FASTER,
            condition=pair.cos_phi >= pair.sin_psi,
            experiment=two_angles,
            derivation=pair.wide_angles,
            hypotheses=(LINEAR, TWO_IN_THE_PLANE, Hypothesis("unit samples at +-phi, +-psi to w*")),
            controls=(
                Control("slower", sp.Implies(pair.sin_psi > pair.sin_phi, pair.contraction_wide >= pair.contraction)),
                Control("whatever the angles", pair.contraction_wide <= pair.contraction),
            ),
        ),
    ),
)

FLIP = Claim(
    id="X-FLIP",
    source="own; for Schneider, Section 3.2 and conjectures (iii), (iv) of Section 6",
    statement="when a gradient coordinate changes sign between updates, and GradientSignChanges in each regime",
    note="At momentum 0.8, Schneider's own, the curvature 2 lam h from which a mode oscillates falls from 1 to "
    "(1 - sqrt 0.8)^2 = 1/(45 + 20 sqrt 5), about 90 times; it changes sign at every update only from 3.59 on. One "
    "sample per update changes signs at any learning rate, however small; how often depends on the frame and on the "
    "side of the samples' normals on which w lies, and only in this way on the initial weights.",
    clauses=(*FULL_BATCH, *OTHER_FRAMES, *HEAVY_BALL, *SAMPLE_BY_SAMPLE),
)

CLAIMS = (ZIG, FLIP)
