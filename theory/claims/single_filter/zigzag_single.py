"""X-FLIP, one sample per update: which coordinates of the gradient change sign, and how often in each order."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.single_filter.sample_orders import (
    pairs_of_any_samples,
    pairs_of_grid_samples,
    random_orders,
    samples_in_index_order,
)
from theory.claims.observe.single_filter.sample_pairs import two_samples
from theory.claims.single_filter.zigzag_regimes import ACTIVE, GRID, LINEAR, THEOREM, wrong
from theory.derive.single_filter import zigzag_samples as single
from theory.derive.single_filter.zigzag import flip
from theory.derive.single_filter.zigzag_pair import per_sample
from theory.ledger import Clause, Control, Hypothesis
from theory.symbols import X, i, j

ONE_EACH = Hypothesis("one sample per update", per_sample)
FROZEN = Hypothesis("no update changes the sign of a residual e.X (small learning rate)", single.FROZEN)
NO_TIES = Hypothesis("no coordinate of any sample's gradient is zero", single.no_ties)

chance = single.flip_probability(single.q[j])
half = sp.Rational(1, 2)


def _changes_iff(product: sp.Expr) -> sp.Basic:
    return sp.Equivalent(sp.Eq(flip[j], 1), product < 0)


_frozen, _moved = single.dot(single.e, single.X_next), single.TRUE_RESIDUAL_NEXT.rhs

SAMPLE_BY_SAMPLE = (
    Clause(
        name="one sample, then another",
        text="g_j changes sign iff r X_j and r' X'_j differ in sign, r and r' the residuals at the two updates",
        printed=single.TRUE_PAIR_FLIP,
        experiment=two_samples,
        derivation=single.consecutive_samples,
        hypotheses=(LINEAR, ACTIVE, ONE_EACH),
        controls=(
            Control("the first residual at both", _changes_iff(X[j] * single.X_next[j])),
            Control("the residuals alone", _changes_iff(single.residual * single.residual_next)),
        ),
    ),
    Clause(
        name="the second residual",
        text="r' = e.X' - 2 lam (e.X)(X.X'), e = w - w*",
        printed=single.TRUE_RESIDUAL_NEXT,
        experiment=two_samples,
        derivation=single.consecutive_samples,
        hypotheses=(LINEAR, ACTIVE, ONE_EACH),
        controls=(
            wrong("the error of the first update", single.residual_next, _frozen),
            wrong("lam for 2 lam", single.residual_next, (_moved + _frozen) / 2),
            wrong("plus", single.residual_next, 2 * _frozen - _moved),
        ),
    ),
    Clause(
        name="positive samples",
        text="if all samples have positive coordinates, all coordinates change sign together, iff the residuals do",
        printed=single.TRUE_TOGETHER,
        experiment=two_samples,
        derivation=single.consecutive_samples,
        hypotheses=(LINEAR, ACTIVE, ONE_EACH),
        controls=(
            Control("any samples", _changes_iff(single.residual * single.residual_next)),
            Control(
                "iff they agree", sp.Implies(single.POSITIVE, _changes_iff(-single.residual * single.residual_next))
            ),
        ),
    ),
    Clause(
        name="drawn with replacement",
        text="two independent samples change the sign of g_j with probability 2 q_j (1 - q_j), q_j = P((e.X) X_j > 0)",
        printed=sp.Eq(single.flip_rate[j], chance),
        experiment=pairs_of_any_samples,
        derivation=single.random_order,
        hypotheses=(LINEAR, ACTIVE, FROZEN, NO_TIES),
        controls=(
            wrong("q (1 - q)", single.flip_rate[j], chance / 2),
            wrong("2 q", single.flip_rate[j], 2 * single.q[j]),
            wrong("different samples", single.flip_rate[j], chance * single.n_samples / (single.n_samples - 1)),
        ),
    ),
    Clause(
        name="drawn without replacement",
        text="two different samples do so with probability 2 q_j (1 - q_j) N/(N - 1)",
        printed=sp.Eq(single.flip_rate_distinct[j], chance * single.n_samples / (single.n_samples - 1)),
        experiment=pairs_of_any_samples,
        derivation=single.random_order,
        hypotheses=(LINEAR, ACTIVE, FROZEN, NO_TIES),
        controls=(
            wrong("as with replacement", single.flip_rate_distinct[j], chance),
            wrong("N/(N + 1)", single.flip_rate_distinct[j], chance * single.n_samples / (single.n_samples + 1)),
        ),
    ),
    Clause(
        name="random order",
        text="the share of sign changes in a long run with replacement is 2 q_j (1 - q_j)",
        printed=sp.Eq(single.random_rate[j], chance),
        experiment=random_orders,
        derivation=single.random_order,
        hypotheses=(GRID, LINEAR, ACTIVE, Hypothesis("the error is frozen (small learning rate)")),
        controls=(wrong("q (1 - q)", single.random_rate[j], chance / 2),),
    ),
    Clause(
        name="a new permutation each epoch",
        text="the share of sign changes in a long run of shuffled epochs is 2 q_j (1 - q_j)(1 + 1/N)",
        printed=sp.Eq(single.shuffled_rate[j], chance * (1 + 1 / single.n_samples)),
        experiment=random_orders,
        derivation=single.random_order,
        hypotheses=(GRID, LINEAR, ACTIVE, Hypothesis("the error is frozen (small learning rate)")),
        controls=(wrong("as with replacement", single.shuffled_rate[j], chance),),
    ),
    Clause(
        name="far from w*",
        text="|e_0| (1 - d0) > sum |e_i| di: g_0 never changes sign, every other g_i in half of the updates",
        printed=sp.Implies(single.FAR, sp.And(sp.Eq(single.flip_rate[0], 0), sp.Eq(single.flip_rate[i], half))),
        experiment=pairs_of_grid_samples,
        derivation=single.grid_regimes,
        hypotheses=(*THEOREM, NO_TIES),
        controls=(
            Control("g_0 as well", sp.Implies(single.FAR, sp.Eq(single.flip_rate[0], half))),
            Control("a quarter", sp.Implies(single.FAR, sp.Eq(single.flip_rate[i], half / 2))),
            Control("everywhere", sp.And(sp.Eq(single.flip_rate[0], 0), sp.Eq(single.flip_rate[i], half))),
        ),
    ),
    Clause(
        name="GradientSignChanges, far from w*",
        text="so its mean is (p - 1)/(2p), whatever the correlation of the initial weights",
        printed=sp.Implies(single.FAR, sp.Eq(single.gsc_rate, single.FAR_GSC)),
        experiment=pairs_of_grid_samples,
        derivation=single.grid_regimes,
        hypotheses=(*THEOREM, NO_TIES),
        controls=(
            Control("1/2", sp.Implies(single.FAR, sp.Eq(single.gsc_rate, half))),
            Control("(p - 1)/p", sp.Implies(single.FAR, sp.Eq(single.gsc_rate, 2 * single.FAR_GSC))),
        ),
    ),
    Clause(
        name="an error along one coordinate",
        text="if only e_i is nonzero, i > 0, then g_i never changes sign and g_0 in half of the updates",
        printed=sp.Implies(single.LONE, sp.And(sp.Eq(single.flip_rate[0], half), sp.Eq(single.flip_rate[i], 0))),
        experiment=pairs_of_grid_samples,
        derivation=single.grid_regimes,
        hypotheses=(*THEOREM, FROZEN, NO_TIES),
        controls=(
            Control("the other way round", sp.Implies(single.LONE, sp.Eq(single.flip_rate[i], half))),
            Control("g_0 never", sp.Implies(single.LONE, sp.Eq(single.flip_rate[0], 0))),
        ),
    ),
    Clause(
        name="in turn, along w*",
        text="the grid in the order of its index, far from w*: g_0 never changes sign",
        printed=sp.Eq(single.cyclic_rate[0], 0),
        experiment=samples_in_index_order,
        derivation=single.grid_regimes,
        hypotheses=(*THEOREM, Hypothesis("all residuals keep one sign during the run", single.same_side)),
        controls=(wrong("half of the updates", single.cyclic_rate[0], half),),
    ),
    Clause(
        name="in turn, across w*",
        text="and g_i in 2^-i of the updates: GradientSignChanges depends on the order, (1 - 2^-(p-1))/p here",
        printed=sp.Eq(single.cyclic_rate[i], half**i),
        experiment=samples_in_index_order,
        derivation=single.grid_regimes,
        hypotheses=(*THEOREM, Hypothesis("all residuals keep one sign during the run", single.same_side)),
        controls=(
            wrong("half of the updates, as in random order", single.cyclic_rate[i], half),
            wrong("2^-(i-1)", single.cyclic_rate[i], half ** (i - 1)),
        ),
    ),
)
