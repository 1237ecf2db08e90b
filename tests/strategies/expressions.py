"""Arithmetic expressions of SymPy, some kept as they were written."""

from __future__ import annotations

import sympy as sp
from hypothesis import strategies as st

X, Y, Z = sp.symbols("x y z", positive=True)


def expressions(*, evaluated: bool) -> st.SearchStrategy[sp.Expr]:
    """Sums, products, quotients and powers of x, y, z and small rationals; unevaluated ones nest in any way."""
    leaves = st.one_of(
        st.sampled_from((X, Y, Z)), st.builds(sp.Rational, st.integers(-4, 4), st.integers(1, 4)).filter(bool)
    )

    def grown(inner: st.SearchStrategy[sp.Expr]) -> st.SearchStrategy[sp.Expr]:
        return st.one_of(
            st.builds(lambda a, b: sp.Add(a, b, evaluate=evaluated), inner, inner),
            st.builds(lambda a, b: sp.Mul(a, b, evaluate=evaluated), inner, inner),
            st.builds(lambda a: sp.Mul(-1, a, evaluate=evaluated), inner),
            st.builds(
                lambda a, n: sp.Pow(a, n, evaluate=evaluated),
                # a tower of numbers alone is more than SymPy can evaluate
                inner.filter(lambda a: bool(a.free_symbols)),
                st.sampled_from((2, 3, -1, -2, sp.Rational(1, 2), sp.Rational(1, 3), X)),
            ),
        )

    return st.recursive(leaves, grown, max_leaves=6)
