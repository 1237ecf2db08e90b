"""Sentences with formulas in them, and formulas read back from text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figures.report.markup import Markup, join, tag
from figures.report.prose import prose
from figures.report.reading import LONGEST, as_formula


def test_text_is_escaped_and_markup_is_not():
    assert tag("p", "a < b", Markup("<br>"), class_="x", data_of='"', hidden=True, lang=None) == (
        '<p class="x" data-of="&quot;" hidden>a &lt; b<br></p>'
    )
    assert tag("br") == "<br>"
    assert join("&", Markup("&amp;")) == "&amp;&amp;"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("w0' = w0 + 2 lam (1 + d0^2)", "w{0}′ = w{0} + 2 λ (1 + d{0}[2])"),
        ("wi di for i > 0", "w{i} d{i} for i &gt; 0"),
        ("as L -> inf, s_max^L <= sigma", "as L → ∞, s{max}[L] ≤ σ"),
        ("sum_{i>0} wi Xi, v^(2(l-1))", "∑{i&gt;0} w{i} X{i}, v[2(l-1)]"),
        ("see C-E4, X-ACT and a 3x3 filter; samples' own", "see C-E4, X-ACT and a 3x3 filter; samples&#x27; own"),
        ("information on the minus sign, delta, epsilon", "information on the minus sign, δ, epsilon"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ],
)
def test_formulas_in_sentences_are_set(typed, shown):
    marks = {"<sub>": "{", "</sub>": "}", "<sup>": "[", "</sup>": "]"}
    assert re.sub(r"</?su[bp]>", lambda found: marks[found[0]], prose(typed)) == shown


@given(st.text(alphabet="wdXi0^_{}()<>&\"' lam->=123*", max_size=40))
def test_prose_is_always_balanced_and_escaped(text):
    markup = prose(text)
    stripped = re.sub(r"</?(sub|sup)>", "", markup)
    assert "<" not in stripped
    assert ">" not in stripped
    for name in ("sub", "sup"):
        assert markup.count(f"<{name}>") == markup.count(f"</{name}>")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("w_next[i] = 1/4", "w′i=14"),
        ("lam*total_descent[i]/size + w[i] = 0", "wi+λ⋅total\u00a0descenti|S|=0"),
        ("least[j] = -1/4, 0 = 0", "leastj=−140=0"),
        ("smallest >= (eps + 1)**(-2)", "smallest≥1(1+ε)2"),
        ("Abs(w[0])*Sum(w[m], (m, 0, p - 1)) = 2", "|w0|∑m=0p−1wm=2"),
        ("d = (0, 1)", "d=(0,1)"),
        ("diag(1) = 1", "diag(1)=1"),
    ],
)
def test_counterexamples_are_read_as_formulas(text, shown):
    markup = as_formula(text)
    assert "<math" in markup
    assert re.sub(r"<[^>]*>", "", markup).replace("\u2062", "").replace("\u2061", "") == shown


@pytest.mark.parametrize(
    "text",
    [
        "independent, +-1",
        "all_active is False; nonnegative is True",
        "__import__('os').system('true')",
        "().__class__",
        "f(x=1)",
        "lambda: 1",
        "1 if x else 2",
        "x < y < z",
        "x in y",
        "9" * (LONGEST + 1),
        "(" * 300,
        "<script>",
        "True",
        "",
    ],
)
def test_everything_else_is_left_as_text(text):
    markup = as_formula(text)
    assert "<math" not in markup or text == ""
    assert "<script>" not in markup


@pytest.mark.parametrize(
    "text",
    ["sqrt(9**9**9)", "sqrt(1/(9**9**9))", "log(9**9**9)", "Sum(k, (k, 1, 9**9**9))", "Product(k, (k, 1, 10**9))"],
)
def test_nothing_is_calculated(text):
    # nor would it end
    assert "<math" in as_formula(text)


@pytest.mark.parametrize("text", ["(1, 2) + 1", "(1, 2)**2", "-(1, 2)", "2*(x, y)"])
def test_tuples_are_not_calculated_with(text):
    assert "<math" not in as_formula(text)


@given(st.text(alphabet="wxi01[](),*/+-= <>.'\"", max_size=30))
def test_reading_never_fails(text):
    assert isinstance(as_formula(text), Markup)
