"""Formulas as pieces of MathML: `piece` sets any SymPy expression that the claims use."""

from figures.report.pieces import functions, names, powers, relations, sums
from figures.report.pieces.piece import Piece, piece

__all__ = ["Piece", "functions", "names", "piece", "powers", "relations", "sums"]
