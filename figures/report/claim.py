"""One claim as HTML: statement, formulas, counterexample, hypotheses, figures, derivation, evidence."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence

import sympy as sp

from figures.report.contents import Entry, Part, Picture
from figures.report.markup import Markup, join, tag
from figures.report.mathml import mathml
from figures.report.prose import prose
from figures.report.reading import as_formula
from figures.report.tables import MARKS, ROADS, Table, controls, counterexample, evidence, measured
from theory.derivation import Step
from theory.ledger import Control, Verdict

NARROW = 30.0
"""Ems that a formula has inside a table."""


def badge(verdict: Verdict) -> Markup:
    """A verdict as a mark and a word, in its colour."""
    return tag(
        "span",
        tag("span", MARKS[verdict], class_="mark", aria_hidden="true"),
        str(verdict),
        class_=f"verdict {verdict}",
    )


def article(entry: Entry, pictures: Mapping[str, Picture]) -> Markup:
    """The claim; pictures: the figures of the report by name."""
    id_ = entry.claim.id
    parts = [_part(part, f"{n} of {len(entry.parts)}", len(entry.parts) > 1) for n, part in enumerate(entry.parts, 1)]
    return tag(
        "article",
        tag(
            "header",
            tag("h3", tag("a", id_, href=f"#{id_}"), id=f"{id_}-title"),
            tag("p", badge(entry.verdict)),
            tag("p", entry.claim.source, class_="source"),
        ),
        tag(
            "div",
            tag("p", prose(entry.claim.statement), class_="statement"),
            tag("p", prose(entry.claim.note), class_="note") if entry.claim.note else Markup(""),
            *(
                _figure(pictures[name], id_)
                for name in entry.figures
                if name in pictures and pictures[name].beside == id_
            ),
            *parts,
            _elsewhere(entry, pictures),
            class_="body",
        ),
        id=id_,
        class_="claim",
        aria_labelledby=f"{id_}-title",
        data_paper=entry.paper,
        data_verdict=str(entry.verdict),
        data_kinds=" ".join(entry.kinds),
    )


def _part(part: Part, which: str, several: bool) -> Markup:
    name = f": {part.clause.name}" if part.clause.name else ""
    heading = tag("h4", f"Clause {which}", prose(f"{name} "), badge(part.verdict)) if several else Markup("")
    return tag(
        "section" if several else "div",
        heading,
        tag("p", prose(part.clause.text), class_="what") if part.clause.text else Markup(""),
        _formulas(part),
        _counterexample(part),
        _effects(part),
        _hypotheses(part),
        _derivation(part),
        _evidence(part),
        class_="part",
    )


def _formulas(part: Part) -> Markup:
    clause, wrong = part.clause, part.record["counterexample"] is not None
    rows = [("as printed", "false" if wrong else "true", clause.printed)]
    if clause.corrected is not None:
        rows.append(("correct", "true", clause.corrected))
    if clause.condition is not None:
        rows.append(("holds if", "true", clause.condition))
    return tag(
        "dl",
        *(join(tag("dt", label), tag("dd", mathml(formula), class_=kind)) for label, kind, formula in rows),
        class_="formulas",
    )


def _counterexample(part: Part) -> Markup:
    found = counterexample(part)
    if found is None:
        return Markup("")
    instance = part.record["counterexample"]["instance"]
    at = [tag("div", as_formula(f"{name} = {value}"), class_="item") for name, value in instance.items()]
    rows = (
        tag("tr", tag("th", label, scope="row"), tag("td", *(at if label == "at" else [as_formula(text)])))
        for label, text in found.rows
    )
    return _scrolling(tag("table", tag("caption", "Counterexample, in exact numbers"), *rows, class_="counterexample"))


def _effects(part: Part) -> Markup:
    found = measured(part)
    return Markup("") if found is None else _table(found, "Effects, with their confidence intervals")


def _hypotheses(part: Part) -> Markup:
    stated, used = [h.text for h in part.clause.hypotheses], part.derivation.used
    if not stated and not used:
        return Markup("")
    return tag("div", _list("Hypotheses as stated", stated), _list("Used by the derivation", used), class_="hypotheses")


def _list(title: str, texts: Sequence[str]) -> Markup:
    return tag(
        "div", tag("p", title, class_="label"), tag("ul", *(tag("li", prose(text)) for text in texts or ("none",)))
    )


def _derivation(part: Part) -> Markup:
    steps = part.derivation.steps
    if not steps:
        return Markup("")
    missing = len(steps) - sum(part.proven)
    told = "each proven anew" if not missing else f"{missing} NOT PROVEN"
    count = f"{len(steps)} steps" if len(steps) > 1 else "one step"
    return _folded(
        f"Derivation, {count}, {told if len(steps) > 1 or missing else 'proven anew'}",
        tag("ol", *(_step(step, proven) for step, proven in zip(steps, part.proven, strict=True)), class_="steps"),
    )


def _step(step: Step, proven: bool) -> Markup:
    words, value = step.shown()
    claim = tag("p", words) if value is None else _remark(words, value) if words else mathml(value)
    more = [_remark("since the difference is", step.certificate), _remark("in print", step.printed)]
    failed = Markup("") if proven else tag("strong", " not proven", class_="verdict inconclusive")
    return tag("li", tag("p", prose(step.text), failed), claim, *more)


def _remark(words: str, formula: sp.Basic | None) -> Markup:
    return (
        Markup("")
        if formula is None
        else tag("div", tag("span", words, class_="label"), mathml(formula), class_="remark")
    )


def _evidence(part: Part) -> Markup:
    rejected = [line["passed"] is True for line in part.record["controls"]]
    roads = dict.fromkeys(ROADS.get(line["kind"], line["kind"]) for line in part.record["evidence"])
    return _folded(
        f"Evidence: {', '.join(roads) or 'none'}; {sum(rejected)} of {len(rejected)} controls rejected",
        _table(evidence(part), "What each check found"),
        _table(
            controls(part),
            "Controls: statements that are wrong on purpose, which every check must reject",
            part.clause.controls,
        ),
    )


def _folded(title: str, *content: Markup) -> Markup:
    return tag("details", tag("summary", title), *content, open=True, class_="fold")


def _table(table: Table, caption: str, wrong: Sequence[Control] = ()) -> Markup:
    """A table with its first column as row headers, under which the formulas of controls stand."""
    head = tag(
        "tr",
        *(
            tag("th", text, scope="col", class_="number" if n in table.numbers else None)
            for n, text in enumerate(table.header)
        ),
    )
    rows = []
    for n, row in enumerate(table.rows):
        formula = mathml(wrong[n].statement, NARROW) if wrong else Markup("")
        cells = (
            tag("td", text, class_="number" if k in table.numbers else None, data_found=_tone(text))
            for k, text in enumerate(row[1:], 1)
        )
        rows.append(tag("tr", tag("th", prose(row[0]), formula, scope="row"), *cells))
    return _scrolling(tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *rows)))


def _tone(text: str) -> str | None:
    """What a cell's colour goes by."""
    return text.split()[0].lower() if text in ("rejected", "passes", "fails", "undecided", "FOOLED THE CHECK") else None


def _scrolling(table: Markup) -> Markup:
    return tag("div", table, class_="scroll")


def _figure(picture: Picture, claim: str) -> Markup:
    data = f"data:{picture.media};base64,{b64encode(picture.image).decode()}"
    seed = "nothing is drawn at random" if picture.seed is None else f"seed {picture.seed}"
    others = [id_ for id_ in picture.claims if id_ != claim]
    return tag(
        "figure",
        tag("img", src=data, alt=picture.text, decoding="async"),
        tag(
            "figcaption",
            tag("strong", f"{picture.title}. "),
            f"{picture.text} After {picture.source}. " if picture.source != "of our own" else f"{picture.text} ",
            tag("span", f"{picture.parameters}; {seed}. ", class_="small"),
            tag("span", "See also ", *_links(others), ".", class_="small") if others else Markup(""),
        ),
        id=f"figure-{picture.name}",
    )


def _links(ids: Sequence[str]) -> list[Markup]:
    return [join(", " if n else "", tag("a", id_, href=f"#{id_}")) for n, id_ in enumerate(ids)]


def _elsewhere(entry: Entry, pictures: Mapping[str, Picture]) -> Markup:
    """Links to the figures that show the claim and are printed beside another."""
    names = [name for name in entry.figures if name in pictures and pictures[name].beside != entry.claim.id]
    if not names:
        return Markup("")
    links = (
        tag("li", tag("a", pictures[name].title, href=f"#figure-{name}"), f", beside {pictures[name].beside}")
        for name in names
    )
    return tag("div", tag("p", "Figures elsewhere", class_="label"), tag("ul", *links), class_="elsewhere")
