"""What may be taken to follow from what is known, and near misses that do not."""

from __future__ import annotations

from itertools import pairwise

import pytest
import sympy as sp

from theory.entailment import follows

x, y, z = sp.symbols("x y z", real=True)
a, b = sp.symbols("a b", positive=True)
c = sp.Symbol("c", nonnegative=True)
i, k = sp.symbols("i k", integer=True)
w, d = sp.IndexedBase("w"), sp.IndexedBase("d")
M, N = sp.MatrixSymbol("M", 3, 3), sp.MatrixSymbol("N", 3, 3)
P, Q, R = x > 0, y > 0, z > 0
FOLLOWS = [
    ([], sp.true),
    ([P], P),
    ([sp.And(P, Q)], P),
    ([P, Q], sp.And(P, Q)),
    ([P], sp.Or(P, Q)),
    ([sp.Eq(x, 2 * y + z)], sp.Eq(x - z, 2 * y)),
    ([sp.Eq(x, y)], sp.Eq(y, x)),
    ([sp.Eq(x, (1 + y) ** 2)], sp.Eq(x, 1 + 2 * y + y**2)),
    ([sp.Eq(x, y)], sp.Eq(3 * x, 3 * y)),
    ([sp.Eq(x, (1 + y) ** 2)], sp.Eq(-2 * x + 2, -4 * y - 2 * y**2)),
    ([sp.Eq(x, sp.acos(y))], sp.Eq(3 * x, 3 * sp.acos(y))),
    ([sp.Eq(x, sp.Trace(M * N))], sp.Eq(x / 2, sp.Trace(M * N) / 2)),
    ([sp.Eq(x, sp.Sum(w[i], (i, 0, b)))], sp.Eq(x, sp.Sum(w[k], (k, 0, b)))),
    ([sp.Eq(x, y)], x >= y),
    ([sp.Eq(x, y)], x <= y),
    ([sp.Eq(x, y)], y - x + a > 0),
    ([sp.Eq(x, 2 * y)], y >= x / 2),
    ([x > y], x >= y),
    ([x > y], y < x),
    ([x > y], 3 * x > 3 * y),
    ([x >= y], -x / 2 <= -y / 2),
    ([x > y + a], x > y),
    ([x >= y + a], x > y),
    ([x >= y + c], x >= y),
    ([sp.Ne(x, y)], sp.Ne(y, x)),
    ([sp.Ne(x, y)], sp.Ne(3 * y - 3 * x, 0)),
    ([x < y], sp.Ne(y, x)),
    ([sp.Implies(P, Q), P], Q),
    ([sp.Implies(P, Q)], sp.Implies(P, sp.Or(Q, R))),
    ([sp.Implies(P, Q), sp.Implies(Q, R)], sp.Implies(P, R)),
    ([sp.Implies(P, Q)], sp.Implies(sp.And(P, R), Q)),
    ([Q], sp.Implies(P, Q)),
    ([sp.Equivalent(P, Q)], sp.Equivalent(Q, P)),
    ([sp.Equivalent(x > y, Q)], sp.Equivalent(y < x, Q)),
]
DOES_NOT_FOLLOW = [
    ([], P),
    ([P], Q),
    ([P], sp.And(P, Q)),
    ([sp.Or(P, Q)], P),
    ([sp.Eq(x, 2 * y + z)], sp.Eq(x, 2 * y - z)),
    ([sp.Eq(x, y)], sp.Eq(x, -y)),
    ([sp.Eq(w[i], d[i])], sp.Eq(w[i], d[0])),
    ([sp.Eq(x, y)], sp.Eq(3 * x, 2 * y)),
    ([sp.Eq(x, sp.acos(y))], sp.Eq(3 * x, 2 * sp.acos(y))),
    ([sp.Eq(x, sp.Trace(M * N))], sp.Eq(x / 2, sp.Trace(M * N))),
    ([sp.Eq(x, sp.Sum(w[i], (i, 0, b)))], sp.Eq(x, sp.Sum(w[k], (k, 1, b)))),
    ([sp.Eq(x, sp.Sum(w[i], (i, 0, b)))], sp.Eq(x, sp.Sum(w[i], (k, 0, b)))),
    ([sp.Eq(x, y)], sp.Eq(z * x, z * x * y)),
    ([sp.Eq(x, y)], x > y),
    ([sp.Eq(x, y)], x >= y + a),
    ([x >= y], sp.Eq(x, y)),
    ([x > y], -3 * x > -3 * y),
    ([x >= y], 3 * x > 3 * y),
    ([x >= y], 3 * x >= 2 * y),
    ([x > y], x * z > y * z),
    ([x >= y], x > y),
    ([x > y], y > x),
    ([x > y], x > y + a),
    ([x > y], x >= y + c),
    ([x > y + z], x > y),
    ([sp.Ne(x, y)], sp.Ne(x, -y)),
    ([sp.Ne(x, y)], sp.Ne(0 * x, z)),
    ([x <= y], sp.Ne(y, x)),
    ([sp.Ne(x, y)], x > y),
    ([sp.Ne(x, y)], sp.Eq(x, y)),
    ([sp.Implies(P, Q), Q], P),
    ([sp.Implies(P, Q)], Q),
    ([sp.Implies(P, Q)], sp.Implies(Q, P)),
    ([sp.Implies(sp.And(P, R), Q)], sp.Implies(P, Q)),
    ([sp.Implies(P, sp.Or(Q, R))], sp.Implies(P, Q)),
    ([sp.Implies(P, Q)], sp.Equivalent(P, Q)),
    ([sp.Equivalent(P, Q)], sp.Equivalent(P, R)),
    ([sp.Equivalent(P, Q)], sp.Equivalent(P, Q, R)),
    ([sp.Equivalent(x > y, Q)], sp.Equivalent(x >= y, Q)),
    ([sp.Implies(P, Q), sp.Implies(Q, P)], P),
]


def named(case):
    return f"{[str(s) for s in case[0]]} |- {case[1]}"


@pytest.mark.parametrize("case", FOLLOWS, ids=named)
def test_what_follows_is_accepted(case):
    assert follows(*case)


@pytest.mark.parametrize("case", DOES_NOT_FOLLOW, ids=named)
def test_what_does_not_follow_is_not(case):
    assert not follows(*case)


@pytest.mark.timeout(60)
def test_many_implications_are_no_more_work_than_few() -> None:
    """A chain of twelve: to try every rule for every premise would take 12! attempts."""
    links = sp.symbols("n0:13", real=True)
    chain = [sp.Implies(first > 0, second > 0) for first, second in pairwise(links)]
    assert follows([*chain[::-1], links[0] > 0], links[-1] > 0)
    assert not follows([*chain, links[0] > 0], R)
    assert not follows(chain, links[-1] > 0)
    assert not follows([*chain[:-1], links[0] > 0], links[-1] > 0)
