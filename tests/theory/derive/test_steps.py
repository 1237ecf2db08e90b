"""Steps say something: none compares a thing with itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

DERIVATIONS = Path(__file__).parents[3] / "theory" / "derive"
RELATIONS = ("equal", "at_least", "at_most", "greater", "less")


def empty_steps(source: str) -> list[str]:
    """Relations whose two sides are written alike, or of which one is a thing less itself."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RELATIONS:
            left, right = map(ast.unparse, node.args)
            nothing = [
                side
                for side in node.args
                if isinstance(side, ast.BinOp)
                and isinstance(side.op, ast.Sub | ast.Div)
                and ast.unparse(side.left) == ast.unparse(side.right)
            ]
            if left == right or nothing:
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", sorted(DERIVATIONS.rglob("*.py")), ids=lambda path: path.stem)
def test_no_step_compares_a_thing_with_itself(path: Path) -> None:
    assert empty_steps(path.read_text(encoding="utf-8")) == []


def test_empty_steps_are_found() -> None:
    assert empty_steps("equal(x, x)\nequal(x - x, 0)\nequal(x / x, 1)\nat_least(2 * x, 2*x)\n") == [
        "equal(x, x)", "equal(x - x, 0)", "equal(x / x, 1)", "at_least(2 * x, 2 * x)"
    ]  # fmt: skip
    assert empty_steps("equal(x + x, 2 * x)\nequal(x.subs(x, y), y)\n") == []
