"""MathML read back: fractions and scripts spelled out in brackets, the rest as it stands, for SymPy to parse.

An exponent goes to what is shown before it: (x + y) in brackets as a whole, x y without brackets to the y only.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import sympy as sp

_SIGNS = {"−": "-", "\u2062": "*", "⋅": "*", "\u2061": "", "=": "=", "π": "pi"}


def read(markup: str) -> sp.Expr:
    """The expression that arithmetic MathML shows; a line break continues the line before."""
    return sp.parse_expr("".join(_spelled(line) for line in ET.fromstring(f"<all>{markup}</all>").iter("math")))


def _spelled(element: ET.Element) -> str:
    parts = [_spelled(child) for child in element]
    text = element.text or ""
    match element.tag:
        case "mi" | "mn" | "mo":
            return _SIGNS.get(text, text)
        case "mfrac":
            return f"(({parts[0]})/({parts[1]}))"
        case "msup":
            return f"({parts[0]}**({parts[1]}))"
        case "msqrt":
            return f"sqrt({''.join(parts)})"
        case "mroot":
            return f"(({parts[0]})**(1/({parts[1]})))"
        case "math" | "mrow":
            return "".join(parts)
    raise AssertionError(f"{element.tag} is no arithmetic")
