"""The report: what it shows, that it needs nothing from outside, and that its three forms agree."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections import Counter
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest

from figures.catalogue import FIGURES, figures_of
from figures.report.contents import CHAPTERS, gather
from figures.report.markdown import markdown
from figures.report.page import page
from figures.report.record import report_of
from figures.report.tables import MARKS, MEANINGS, ROADS
from theory.claims import MODULES, all_claims
from theory.claims.stored import checked
from theory.ledger import Verdict
from theory.serialise import environment, report_record, to_json
from theory.verify import verify

IDS = ("C-E3", "C-E4", "C-SLOW", "C-ONE")
HOSTILE = "<script>alert('1')</script>&\"<img src=http://evil.example/x onerror=alert(1)>| `a` [b](http://evil.example)"
VOID = {"br", "hr", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """Elements with their attributes, the text of each, and whether every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append((self.open[-1] if self.open else "", data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def inside(self, *tags: str) -> str:
        return "".join(text for tag, text in self.text if tag in tags)


@pytest.fixture(scope="module")
def ledger() -> dict[str, Any]:
    records = [report_record(verify(all_claims()[id_], level="simulation")) for id_ in IDS]
    return {"environment": environment(level="simulation", seed=0), "claims": records}


@pytest.fixture(scope="module")
def contents(ledger):
    return gather(checked(ledger))


@pytest.fixture(scope="module")
def text(contents) -> str:
    return page(contents)


@pytest.fixture(scope="module")
def parsed(text) -> Page:
    return Page(text)


def test_every_claim_has_its_article_and_its_row(parsed, contents):
    articles = [a for a in parsed.of("article") if a["class"] == "claim"]
    assert [a["id"] for a in articles] == list(IDS) == [row["data-for"] for row in parsed.of("tr") if "data-for" in row]
    assert [a["data-verdict"] for a in articles] == [str(e.verdict) for e in contents.entries]
    assert [a["data-paper"] for a in articles] == ["C"] * 4
    assert articles[0]["data-kinds"] == "symbolic counterexample simulation"


def test_nothing_comes_from_outside_and_only_our_own_script_runs(parsed, text):
    policy = next(m["content"] for m in parsed.of("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    inner = re.findall(r"<(script|style)>(.*?)</\1>", text, re.DOTALL)
    assert Counter(kind for kind, _ in inner) == {"script": 2, "style": 1}
    for kind, code in inner:
        digest = base64.b64encode(sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy.split(f"{kind}-src")[1].split(";")[0]
    for _, attributes in parsed.elements:
        assert not {name for name in attributes if name.startswith("on") or name in ("style", "srcset", "action")}
        for name in ("src", "href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:image/svg+xml;base64,", "data:image/png;base64,"))
    assert "url(" not in text
    assert "@import" not in text
    assert not re.search(r"https?:", text)


def test_links_lead_somewhere_and_ids_are_unique(parsed):
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    targets = {str(a["href"])[1:] for a in parsed.of("a")}
    assert targets <= set(ids)
    labels = {str(a["aria-labelledby"]) for _, a in parsed.elements if "aria-labelledby" in a}
    assert labels <= set(ids)


def test_headings_are_in_order_and_tables_have_headers(parsed):
    levels = [int(name[1]) for name, _ in parsed.elements if re.fullmatch(r"h[1-6]", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(th.get("scope") in ("row", "col") for th in parsed.of("th"))
    names = [name for name, _ in parsed.elements]
    assert names.count("table") == names.count("caption")
    assert names.count("main") == names.count("nav") == names.count("search") == 1
    assert parsed.of("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in parsed.of("img"))
    assert [p["id"] for p in parsed.of("p") if p.get("role") == "status"] == ["count"]


def test_without_scripts_everything_is_shown(parsed):
    folds = parsed.of("details")
    assert folds
    assert all("open" in fold for fold in folds)
    assert not [tag for tag, attributes in parsed.elements if "hidden" in attributes]
    # what needs the script is shown by the script
    assert {
        attributes.get("id") or tag
        for tag, attributes in parsed.elements
        if "scripted" in (attributes.get("class") or "")
    } == {
        "theme",
        "search",
    }


def test_a_claim_tells_its_whole_story(text):
    story = text[text.index('<article id="C-SLOW"') : text.index('<article id="C-ONE"')]
    plain = " ".join(re.sub(r"<[^>]*>", " ", story.replace("Clause 2 of 2", "Clause 2 of 2 ")).split())
    for part in (
        "conditional",
        "Schneider, remark after Theorem 1",
        "The speed of a direction is the samples",
        "Clause 2 of 2 : w 0 converges faster than w i",
        "as printed",
        "holds if",
        "Counterexample, in exact numbers",
        "shows the same",
        "excludes it",
        "Hypotheses as stated",
        "Used by the derivation",
        "Derivation, 18 steps, each proven anew",
        "Evidence: derivation, exact search, simulator; 6 of 6 controls rejected",
        "the other way round",
        "rejected",
    ):
        assert part in plain, part
    assert plain.count("<") == 0
    assert story.count("<math") > 40


def test_figures_stand_beside_their_foremost_claim(parsed, contents, text):
    names = [p.name for p in contents.pictures]
    assert names == ["underdetermined", "theorem-1"]
    assert [f["id"] for f in parsed.of("figure")] == ["figure-theorem-1", "figure-underdetermined"]
    assert text.index('id="C-E4"') < text.index('id="figure-theorem-1"') < text.index('<article id="C-SLOW"')
    assert 'href="#figure-theorem-1"' in text[text.index('<article id="C-E3"') : text.index('<article id="C-E4"')]
    image = base64.b64decode(str(parsed.of("img")[0]["src"]).split(",")[1])
    assert image.startswith(b"<?xml")
    assert image == next(p.image for p in contents.pictures if p.name == "theorem-1")


def test_without_figures_there_are_none(ledger):
    bare = gather(ledger, draw=False)
    assert bare.pictures == ()
    assert "<img" not in page(bare)


def test_the_same_contents_give_the_same_bytes(ledger, contents, text):
    again = gather(checked(copy.deepcopy(ledger)))
    assert page(again) == text
    assert markdown(again) == markdown(contents)
    assert to_json(report_of(again)) == to_json(report_of(contents))


def test_json_is_the_ledger_with_derivations_and_figures(ledger, contents):
    report = json.loads(to_json(report_of(contents)))
    assert report["claims"] == ledger["claims"]
    assert report["environment"] == ledger["environment"]
    assert checked(report)["claims"] == ledger["claims"]
    (clause,) = report["derivations"]["C-E4"]
    assert clause["steps"][0]["proven"] is True
    assert clause["steps"][0]["claim"].startswith("Eq(")
    assert {figure["name"]: figure["claims"][0] for figure in report["figures"]} == {
        "underdetermined": "C-ONE",
        "theorem-1": "C-E4",
    }


def test_the_three_forms_agree(contents, text):
    report, written = report_of(contents), markdown(contents)
    for record in report["claims"]:
        assert f"### {record['id']}: {record['verdict']}" in written
        assert f'id="{record["id"]}"' in text
        clauses = record.get("clauses", [record])
        for clause, derivation in zip(clauses, report["derivations"][record["id"]], strict=True):
            assert f"`{clause['printed']}`" in written
            for step in derivation["steps"]:
                assert step["claim"] == "True" or f"`{step['shown']}`" in written
                assert step["shown"] in (step["claim"], None) or step["claim"] == "Eq({0}, {0})".format(step["shown"])
            if clause["counterexample"]:
                assert f"- actual: `{clause['counterexample']['actual']}`" in written
    assert len(re.findall("^[|] derivation [|]", written, re.MULTILINE)) == text.count(
        '<th scope="row">derivation</th>'
    )


def test_what_a_ledger_says_is_never_markup(ledger):
    hostile = copy.deepcopy(ledger)
    hostile["environment"]["platform"] = HOSTILE
    hostile["environment"]["packages"]["filterlaw"] = HOSTILE
    hostile["environment"][HOSTILE] = HOSTILE
    record = next(r for r in hostile["claims"] if r["id"] == "C-E4")
    for line in record["evidence"]:
        line["detail"] = HOSTILE
        line[HOSTILE] = [HOSTILE]
    for line in record["controls"]:
        line["check"] = {"derivation": "derivation"}.get(line["check"], line["check"])
    record["counterexample"] |= {"printed": HOSTILE, "actual": HOSTILE, "instance": {HOSTILE: HOSTILE}}
    shown = page(gather(checked(hostile), draw=False))
    parsed = Page(shown)
    assert len(parsed.of("script")) == 2
    assert not parsed.of("img")
    assert not [a for _, a in parsed.elements if "onerror" in a]
    assert parsed.inside("td").count("alert(") >= 5
    written = markdown(gather(checked(hostile), draw=False))
    outside_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"\\[\\`*_\[\]<>#]", "", written))
    assert "<script" not in outside_code
    assert "[b](" not in outside_code


def test_what_is_wrong_with_a_ledger_is_seen(ledger):
    """A control that fooled a check, an undecided check, an unproven step: none may look like success."""
    marred = copy.deepcopy(ledger)
    record = next(r for r in marred["claims"] if r["id"] == "C-E3")
    record["controls"][0]["passed"] = False
    record["evidence"][0]["passed"] = None
    record["verdict"] = "inconclusive"
    contents = gather(checked(marred), draw=False)
    entry = contents.entries[0]
    assert entry.verdict == Verdict.INCONCLUSIVE
    assert entry.controls == (len(record["controls"]) - 1, len(record["controls"]))
    shown = page(contents)
    story = shown[shown.index('<article id="C-E3"') : shown.index('<article id="C-E4"')]
    assert 'data-found="fooled">FOOLED THE CHECK<' in story
    assert 'data-found="undecided">undecided<' in story
    assert "FOOLED THE CHECK" in markdown(contents)
    object.__setattr__(entry.parts[0], "proven", (False, *entry.parts[0].proven[1:]))
    assert "1 NOT PROVEN" in page(contents)
    assert "(NOT PROVEN)" in markdown(contents)
    assert report_of(contents)["derivations"]["C-E3"][0]["steps"][0]["proven"] is False


def test_unknown_fields_and_measurements_are_shown(ledger):
    more = copy.deepcopy(ledger)
    line = more["claims"][0]["evidence"][0]
    line["power"] = 0.8
    line["measured"] = [
        {"symbol": "gain", "what": "accuracy, C less A", "estimate": 0.0123, "low": 0.004, "high": 0.02, "n": 5}
        | {"units": "seeds", "data": "CIFAR-10 subset", "confidence": 0.95}
    ]
    contents = gather(checked(more), draw=False)
    for form in (re.sub(r"<[^>]*>", " ", page(contents)), markdown(contents).replace("\\", "")):
        assert "power: 0.8" in form
        for part in ("accuracy, C less A", "1.2e-02", "4.0e-03 to 2.0e-02", "5 seeds", "CIFAR-10 subset"):
            assert part in form


def test_the_catalogue_knows_its_claims():
    for name, figure in FIGURES.items():
        assert figure.claims, name
        assert set(figure.claims) <= set(all_claims()), name
        assert len(set(figure.claims)) == len(figure.claims)
    assert figures_of("C-T1C") == ["table-1", "variance-plane"]
    assert figures_of("X-TRAJ") == ["seven-by-seven", "theorem-1"]
    assert figures_of("C-E11") == []


def test_every_package_of_claims_has_a_chapter_and_every_verdict_a_mark():
    assert {name.split(".")[0] for name in MODULES} <= set(CHAPTERS)
    assert set(MARKS) == set(MEANINGS) == set(Verdict)
    assert len(set(MARKS.values())) == len(MARKS)
    assert set(ROADS) == {"symbolic", "counterexample", "simulation", "cnn", "data"}


def test_text_stands_out_from_its_ground_in_both_themes():
    style = files("figures.report").joinpath("report.css").read_text(encoding="utf-8")
    colours = {
        name: (light, dark) for name, light, dark in re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", style)
    }
    for theme in (0, 1):
        for ground in ("paper", "panel"):
            for ink in set(colours) - {"paper", "panel", "rule"}:
                assert _contrast(colours[ink][theme], colours[ground][theme]) >= 4.5, (ink, ground, theme)
    assert set(re.findall(r"color: var\(--(\w+)\)", style)) <= set(colours)


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2)."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
