"""Traces of products of matrices, symbolic in the size: one normal form, so that algebra can decide identities.

tr(A B) = tr(B A), tr(A) = tr(A^T), sums and scalars come out, and Q^T Q = Q Q^T = I for orthogonal Q. Words of matrices
that differ after that are linearly independent as functions of the matrices, once these are large enough.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import sympy as sp

Word = tuple[sp.MatrixExpr, ...]
"""Matrix symbols and their transposes, in the order of the product."""


class OrthogonalSymbol(sp.MatrixSymbol):
    """A square matrix symbol Q with Q^T Q = Q Q^T = I, known to the normal form only."""


def collected(expression: sp.Expr) -> sp.Expr:
    """An expression that is linear in traces, with every trace in normal form and equal ones collected.

    Raises ValueError for traces that do not occur linearly, or of anything but sums and products of matrix symbols,
    their transposes, identities and scalars.
    """
    total = sp.Integer(0)
    coefficients: dict[Word, sp.Expr] = {}
    sizes: dict[Word, sp.Expr] = {}
    names = {trace: sp.Dummy("trace") for trace in expression.atoms(sp.Trace)}
    replaced = sp.expand(expression.xreplace(names))
    for trace, name in names.items():
        factor = replaced.coeff(name, 1)
        if any(factor.has(other) for other in names.values()):
            raise ValueError(f"traces must occur linearly, got {expression}")
        replaced = sp.expand(replaced - factor * name)
        for scalar, word in _words(trace.arg):
            canonical = _canonical(word)
            coefficients[canonical] = coefficients.get(canonical, sp.Integer(0)) + factor * scalar
            sizes[canonical] = trace.arg.rows if not word else word[0].rows
    if any(replaced.has(name) for name in names.values()):
        raise ValueError(f"traces must occur linearly, got {expression}")
    for word, coefficient in coefficients.items():
        scale = sp.factor(coefficient)
        total += scale * (sp.Trace(sp.MatMul(*word, evaluate=False)) if word else sizes[word])
    return total + replaced


def _words(matrix: Any) -> list[tuple[sp.Expr, Word]]:
    """A matrix expression as a sum of scalars times words."""
    if isinstance(matrix, sp.MatAdd):
        return [part for term in matrix.args for part in _words(term)]
    if isinstance(matrix, sp.MatMul):
        factors = [_words(f) if getattr(f, "is_Matrix", False) else [(f, ())] for f in matrix.args]
        return [
            (sp.Mul(*(scalar for scalar, _ in choice)), tuple(letter for _, word in choice for letter in word))
            for choice in product(*factors)
        ]
    if isinstance(matrix, sp.Transpose):
        return [(scalar, tuple(_flip(letter) for letter in reversed(word))) for scalar, word in _words(matrix.arg)]
    if isinstance(matrix, sp.MatPow) and matrix.exp.is_Integer and matrix.exp > 0:
        return _words(sp.MatMul(*[matrix.base] * int(matrix.exp), evaluate=False))
    if isinstance(matrix, sp.Identity):
        return [(sp.Integer(1), ())]
    if isinstance(matrix, sp.ZeroMatrix):
        return []
    if isinstance(matrix, sp.MatrixSymbol):
        return [(sp.Integer(1), (matrix,))]
    raise ValueError(f"traces must be of sums and products of matrix symbols, got {matrix}")


def _flip(letter: sp.MatrixExpr) -> sp.MatrixExpr:
    return letter.arg if isinstance(letter, sp.Transpose) else sp.Transpose(letter)


def _canonical(word: Word) -> Word:
    """The first in alphabetical order of the rotations of a word and of its transpose, orthogonal pairs cancelled."""
    reduced = list(word)
    while (at := next((k for k in range(len(reduced)) if _cancels(reduced, k)), None)) is not None:
        pair = {at, (at + 1) % len(reduced)}
        reduced = [letter for k, letter in enumerate(reduced) if k not in pair]
    flipped = [_flip(letter) for letter in reversed(reduced)]
    turns = [tuple(w[k:] + w[:k]) for w in (reduced, flipped) for k in range(len(w))]
    return min(turns, key=str, default=())


def _cancels(word: list[sp.MatrixExpr], k: int) -> bool:
    """Whether letter k and the next one around the trace are an orthogonal matrix and its transpose."""
    first, second = word[k], word[(k + 1) % len(word)]
    symbol = first.arg if isinstance(first, sp.Transpose) else first
    return len(word) > 1 and isinstance(symbol, OrthogonalSymbol) and second == _flip(first)
