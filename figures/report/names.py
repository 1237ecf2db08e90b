"""How the symbols of the claims are set: w0_star as w with subscript 0 and a star, op_max2 as the square of op_max.

One letter (Latin or Greek) is a variable, set in italics; a word is set upright.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from figures.report.markup import Markup, join, tag

GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "eps": "ε",
    "eta": "η",
    "theta": "θ",
    "kappa": "κ",
    "lam": "λ",
    "lambda": "λ",
    "mu": "μ",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "psi": "ψ",
    "omega": "ω",
}
_ABOVE = {"star": "∗", "plus": "+", "minus": "−"}
_ENDS = ("min", "max")


@dataclass(frozen=True)
class Name:
    """A symbol taken apart: its core (with its primes), what stands below it and what above it.

    word: the core is not one letter; primed: it ends in a prime, so that no exponent may follow.
    """

    core: Markup
    below: tuple[Markup, ...]
    above: tuple[Markup, ...]
    word: bool
    primed: bool
    width: float

    def markup(self) -> Markup:
        """The symbol with its scripts."""
        return scripts(self.core, self.below, self.above)


def scripts(core: Markup, below: Sequence[Markup], above: Sequence[Markup]) -> Markup:
    """A core with what stands below and above it."""
    under, over = _row(below, ","), _row(above, "")
    if below and above:
        return tag("msubsup", core, under, over)
    if below:
        return tag("msub", core, under)
    return tag("msup", core, over) if above else core


def named(name: str, indices: Sequence[Markup] = ()) -> Name:
    """The symbol of this name, with indices below it if there are any; a word then stands above them."""
    if name == "size":
        bars = [tag("mo", "|", form=form, stretchy="false") for form in ("prefix", "postfix")]
        return Name(tag("mrow", bars[0], tag("mi", "S"), bars[1]), (), (), False, False, 1.6)
    plain, primes = name.rstrip("'"), name.count("'")
    if plain.endswith("_next"):
        plain, primes = plain.removesuffix("_next"), primes + 1
    above: list[Markup] = []
    squared = re.fullmatch(r"(.*[A-Za-z]{2,})2", plain)
    if squared:
        plain = squared.group(1)
        above.append(tag("mn", "2"))
    head, *rest = plain.split("_")
    below: list[Markup] = []
    numbered = re.fullmatch(r"([A-Za-z]+?)(\d+)", head)
    if numbered:
        head = numbered.group(1)
        below.append(tag("mn", numbered.group(2)))
    while rest and rest[-1] in _ABOVE:
        above.insert(0, tag("mo", _ABOVE[rest.pop()]))
    word = len(head) > 1 and head not in GREEK
    if word and not all(_is_script(part) for part in rest):
        head, rest = " ".join([head, *rest]), []
    for part in rest:
        if indices and len(part) > 1 and part not in GREEK and not above:
            above.append(tag("mi", part))
        else:
            below += _script(part)
    below += indices
    core = tag("mi", GREEK.get(head, head).replace(" ", "\u00a0"))
    if primes:
        # a prime is raised as it is: above the core it would be tiny
        core = tag("mrow", core, tag("mo", "′" * primes, lspace="0", rspace="0"))
    width = (0.52 * len(head) if word else 0.6) + 0.4 * sum(map(_letters, (*below, *above)))
    return Name(core, tuple(below), tuple(above), word, primes > 0, width)


def _is_script(part: str) -> bool:
    return len(part) == 1 or part.isupper() or part in _ENDS or bool(re.fullmatch(r"[a-z][A-Z0-9]", part))


def _script(part: str) -> list[Markup]:
    """l1 stands for l + 1, k0 for k, 0."""
    one_more = re.fullmatch(r"([a-z])([01])", part)
    if not one_more:
        return [tag("mn" if part.isdigit() else "mi", GREEK.get(part, part))]
    letter, digit = tag("mi", one_more.group(1)), tag("mn", one_more.group(2))
    return [join(letter, tag("mo", "+"), digit)] if digit == tag("mn", "1") else [letter, digit]


def _row(parts: Sequence[Markup], separator: str) -> Markup:
    if len(parts) == 1 and parts[0].count("<m") == 1:
        return parts[0]
    between = tag("mo", separator, separator="true") if separator else Markup("")
    return tag("mrow", *(join(between if n else Markup(""), part) for n, part in enumerate(parts)))


def _letters(markup: Markup) -> int:
    return len(re.sub(r"<[^>]*>", "", markup))
