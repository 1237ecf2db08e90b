"""Sentences with formulas typed into them, set with Greek letters, scripts and arrows: wi di^2 lam becomes wᵢ dᵢ² λ."""

from __future__ import annotations

import re

from figures.report.markup import Markup, join, tag
from figures.report.names import GREEK

_SIGNS = {
    "->": "→",
    "=>": "⇒",
    "<=": "≤",
    ">=": "≥",
    "...": "…",
    "+-": "±",
    "!=": "≠",
    "sum_": "∑_",
    "prod_": "∏_",
}
_WORDS = {**GREEK, "Sigma": "Σ", "Gamma": "Γ", "pi": "π", "inf": "∞"}
_GREEK = "|".join(sorted(_WORDS, key=len, reverse=True))
_BASE = r"[A-Za-zα-ωΣΓ]"
_SCRIPT = r"\{[^{}]{1,20}\}|\((?:[^()]|\([^()]*\)){1,20}\)|[A-Za-z]{1,8}\d?\b|\d+[a-z]?\b|\d+|[∗*]"
_TOKEN = re.compile(
    rf"(?P<mark>[\^_])(?P<script>{_SCRIPT})"
    rf"|(?<![\w\-.])(?P<letter>[wdXhseavxyα-ω])(?P<index>[0ijkm]|[1-9](?![\dx]))(?=[\W_]|$)"
)


def prose(text: str) -> Markup:
    """The text with its formulas set; everything else in it is escaped."""
    for typed, sign in _SIGNS.items():
        text = text.replace(typed, sign)
    text = re.sub(rf"(?<![A-Za-z])({_GREEK})(?![a-z])", lambda word: _WORDS[word[1]], text)
    parts: list[str] = []
    last = 0
    for found in _TOKEN.finditer(text):
        if found["mark"] and not re.search(rf"({_BASE}|[\d)\]|∑∏∗*'′])$", text[: found.start()]):
            continue
        parts.append(text[last : found.start()])
        last = found.end()
        if found["mark"]:
            script = found["script"]
            inner = script[1:-1] if script[0] in "{(" and len(script) > 2 else script
            parts.append(tag("sup" if found["mark"] == "^" else "sub", inner))
        else:
            parts += [found["letter"], tag("sub", found["index"])]
        if text[last : last + 1] == "'":
            parts.append("′")
            last += 1
    return join(*parts, text[last:])
