"""Near misses of which samples are active, and for how long: C-ASM, C-L4A, C-L4B, X-ACT."""

from __future__ import annotations

from sympy import Abs, And, Eq, Equivalent, Implies, Min, Or

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.single_filter.activity import (
    Q,
    all_active_next,
    dead,
    distance,
    least,
    least_target,
    nonnegative,
    slow_region,
    stable_region,
    trap,
)
from theory.derive.single_filter.theorem_1 import w_next
from theory.symbols import all_active, d, gap, j, m, over, w, w0_star

_NEEDED = over(Abs(w[m]) * d[m])
_NEEDED_NEXT = over(Abs(w_next[m]) * d[m])
_POSITIVE = And(least_target > 0, least[j] > 0)

FALSEHOODS = (
    # C-ASM: the assumptions together
    Falsehood("C-ASM", "", "strictness", (1 - d[0]) * Q[j, 0] >= over(Abs(Q[j, m]) * d[m]), "a tie", as_="condition"),
    Falsehood("C-ASM", "", "sign", (1 - d[0]) * Q[j, 0] > over(Q[j, m] * d[m]), "signed sum", as_="condition"),
    Falsehood("C-ASM", "", "sign", (1 + d[0]) * Q[j, 0] > over(Abs(Q[j, m]) * d[m]), "1 + d0", as_="condition"),
    Falsehood("C-ASM", "", "transpose", (1 - d[0]) * Q[0, j] > over(Abs(Q[m, j]) * d[m]), "Q^T for Q", as_="condition"),
    Falsehood("C-ASM", "", "quantity", Q[j, 0] > 0, "a positive w* is not enough for wide grids", as_="condition"),
    Falsehood(
        "C-ASM", "", "exponent", (1 - d[0]) * Q[j, 0] > over(Abs(Q[j, m]) * d[m] ** 2), "d_m^2 < d_m", as_="condition"
    ),
    # C-L4A: dead filters
    Falsehood("C-L4A", "", "bound", And(distance > 1, Eq(w_next[j], w[j])), "w = 0 is at a distance of exactly 1"),
    Falsehood("C-L4A", "", "term", And(distance > w0_star**2 + over(w[m] ** 2), Eq(w_next[j], w[j])), "w0 = 0"),
    Falsehood("C-L4A", "", "sign", And(w[0] < 0, Eq(w_next[j], w[j])), "w = 0 is dead: w0 <= 0, not w0 < 0"),
    # C-L4B: all active, on the grid
    Falsehood(
        "C-L4B",
        "on the grid",
        "strictness",
        Equivalent(all_active, w[0] * (1 - d[0]) >= _NEEDED),
        "ties are inactive: d = (0, 1), w = (1, 1)",
        as_="correction",
    ),
    Falsehood(
        "C-L4B",
        "on the grid",
        "sign",
        Equivalent(all_active, w[0] * (1 - d[0]) > over(w[m] * d[m])),
        "right for w_i >= 0 only",
        as_="correction",
    ),
    Falsehood(
        "C-L4B",
        "on the grid",
        "exponent",
        Equivalent(all_active, w[0] * (1 - d[0] ** 2) > _NEEDED),
        "right for d0 = 0 only",
        as_="correction",
    ),
    Falsehood(
        "C-L4B",
        "on the grid",
        "bound",
        And(d[0] < 1, w[0] >= _NEEDED),
        "w_1 < 0 with every sample active",
        as_="condition",
    ),
    # C-L4B: positive samples
    Falsehood(
        "C-L4B",
        "positive samples",
        "edge",
        Implies(nonnegative, And(all_active, w[0] > 0)),
        "w = (0, 1) is active on positive samples",
        as_="correction",
    ),
    Falsehood(
        "C-L4B", "positive samples", "hypothesis", w[0] > 0, "w = (1, -1/4), active at every sample", as_="condition"
    ),
    # X-ACT: which samples are active
    Falsehood("X-ACT", "all active", "strictness", Equivalent(all_active, w[0] * (1 - d[0]) >= _NEEDED), "a tie"),
    Falsehood("X-ACT", "all active", "quantity", Equivalent(all_active, w[0] > _NEEDED), "right for d0 = 0 only"),
    Falsehood(
        "X-ACT",
        "all active",
        "term",
        Equivalent(all_active, Abs(w[0]) * (1 - d[0]) > _NEEDED),
        "|w0| for w0: a dead filter counts as active",
    ),
    Falsehood(
        "X-ACT",
        "all active",
        "exponent",
        Equivalent(all_active, w[0] * (1 - d[0]) > over(Abs(w[m]) * d[m] ** 2)),
        "d^2",
    ),
    Falsehood(
        "X-ACT",
        "dead",
        "strictness",
        Equivalent(dead, And(w[0] < 0, -w[0] * (1 - d[0]) >= _NEEDED)),
        "w = 0 is dead",
    ),
    Falsehood(
        "X-ACT",
        "dead",
        "strictness",
        Equivalent(dead, And(w[0] <= 0, -w[0] * (1 - d[0]) > _NEEDED)),
        "a tie is inactive: d = (0, 1), w = (-1, 1)",
    ),
    Falsehood(
        "X-ACT",
        "dead",
        "edge",
        Equivalent(dead, Abs(w[0]) * (1 - d[0]) <= -_NEEDED),
        "only w = 0 (or d = (1, 0)) is counted as dead",
    ),
    Falsehood("X-ACT", "dead", "quantity", Equivalent(dead, And(~all_active, w[0] <= 0)), "w = (-1, 2), d = (0, 1)"),
    Falsehood(
        "X-ACT",
        "dead",
        "edge",
        Equivalent(dead, -w[0] * (1 - d[0]) >= _NEEDED),
        "w0 <= 0 dropped: d0 = 1, w = (1, 0) is active, 0 >= 0",
    ),
    # X-ACT: and after the update
    Falsehood(
        "X-ACT",
        "stays all active",
        "hypothesis",
        (1 - d[0]) * Min(w[0], w0_star) > _NEEDED,
        "the region of slow rates, at any stable rate",
        as_="condition",
    ),
    Falsehood("X-ACT", "stays all active", "term", (1 - d[0]) * w0_star > _NEEDED, "w0 may overshoot", as_="condition"),
    Falsehood(
        "X-ACT",
        "stays all active",
        "bound",
        w0_star - Abs(gap) > _NEEDED,
        "1 - d0 left out: right for d0 = 0",
        as_="condition",
    ),
    Falsehood(
        "X-ACT",
        "invariant at any stable rate",
        "strictness",
        Implies(
            (1 - d[0]) * (w0_star - Abs(gap)) >= _NEEDED,
            And(all_active_next, (1 - d[0]) * (w0_star - Abs(w0_star - w_next[0])) >= _NEEDED_NEXT),
        ),
        "on the boundary, w = 0: dead for ever",
    ),
    Falsehood(
        "X-ACT",
        "invariant at any stable rate",
        "bound",
        Implies(stable_region(w), w_next[0] * (1 - d[0]) > 2 * _NEEDED_NEXT),
        "twice the margin",
    ),
    Falsehood(
        "X-ACT",
        "invariant at slow rates",
        "quantity",
        Implies(slow_region(w), stable_region(w_next)),
        "w0 > w0* by more than w0 does",
    ),
    Falsehood(
        "X-ACT",
        "leaves",
        "strictness",
        Implies(Abs(w[1]) * d[1] * (1 - d[1] ** 2) >= w0_star, w_next[0] - Abs(w_next[1]) * d[1] < 0),
        "at the bound itself w0' = w0* is reached with a tie",
    ),
    Falsehood(
        "X-ACT",
        "leaves",
        "exponent",
        Implies(Abs(w[1]) * d[1] >= w0_star, trap(w_next)),
        "without 1 - d1^2: right for d1 = 0 only",
    ),
    Falsehood(
        "X-ACT",
        "never comes back",
        "strictness",
        Implies(trap(w), And(w_next[0] + Abs(w_next[1]) * d[1] > w0_star, w_next[0] <= Abs(w_next[1]) * d[1])),
        "an active side that is answered exactly stays on its target",
    ),
    Falsehood(
        "X-ACT",
        "never comes back",
        "bound",
        Implies(Or(trap(w), w[0] <= Abs(w[1]) * d[1]), w_next[0] <= Abs(w_next[1]) * d[1]),
        "inactive side alone: the active one pulls w0 up",
    ),
)
