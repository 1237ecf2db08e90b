"""The report as one HTML file that asks for nothing outside itself, and needs scripts for filtering only."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files

from figures.report.claim import article, badge
from figures.report.contents import PAPERS, Contents, Entry, count
from figures.report.markup import Markup, join, tag
from figures.report.prose import prose
from figures.report.tables import MARKS, MEANINGS, ROADS
from theory.ledger import Verdict

TITLE = "The laws of how filters learn"


def page(contents: Contents) -> str:
    """The whole document; the same contents give the same bytes."""
    style, script = (Markup(_asset(name)) for name in ("report.css", "report.js"))
    early = Markup("document.documentElement.classList.add('js')")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(early)}' '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content=f"filterlaw {_version(contents)}"),
        tag("title", f"filterlaw: {TITLE}"),
        # before the claims are laid out, so that what the other script folds up never is
        tag("script", early),
        tag("style", style),
    )
    body = tag(
        "body",
        tag("a", "Skip to the ledger", href="#ledger", class_="skip"),
        _masthead(contents),
        _navigation(contents),
        tag("main", _ledger(contents), *_chapters(contents), _environment(contents)),
        tag("script", script),
    )
    return "<!DOCTYPE html>\n" + tag("html", head, body, lang="en") + "\n"


def _masthead(contents: Contents) -> Markup:
    verdicts = [entry.verdict for entry in contents.entries]
    rejected, tried = (sum(pair) for pair in zip(*(entry.controls for entry in contents.entries), strict=True))
    return tag(
        "header",
        tag("p", f"filterlaw {_version(contents)}", class_="over"),
        tag("h1", TITLE),
        tag(
            "p",
            "Every checkable statement of two papers, derived afresh for general sizes, searched for exact "
            "counterexamples, simulated, and confirmed on real layers. No verdict is written by hand: each is computed "
            "from the evidence shown here.",
            class_="lede",
        ),
        tag(
            "ul",
            *(
                tag(
                    "li",
                    tag("span", str(n), class_="many"),
                    badge(verdict),
                    tag("span", MEANINGS[verdict], class_="small"),
                )
                for verdict, n in count(verdicts).items()
            ),
            class_="tally",
            aria_label="Verdicts",
        ),
        _by_paper(contents.entries),
        tag(
            "p",
            f"{_plural(len(verdicts), 'claim')}. Every check was also given statements that are wrong on purpose: "
            f"{rejected} of {tried} such controls were rejected.",
            class_="small",
        ),
        class_="masthead",
    )


def _by_paper(entries: Sequence[Entry]) -> Markup:
    verdicts = list(count([entry.verdict for entry in entries]))
    rows = []
    for paper, title in PAPERS.items():
        ours = [entry.verdict for entry in entries if entry.paper == paper]
        if ours:
            name = tag("th", tag("b", paper), f" {title}", scope="row")
            rows.append(tag("tr", name, *(tag("td", str(ours.count(v)), class_="number") for v in verdicts)))
    head = tag("tr", tag("td"), *(tag("th", badge(v), scope="col", class_="number") for v in verdicts))
    table = tag(
        "table", tag("caption", "Verdicts by where the statement comes from"), tag("thead", head), tag("tbody", *rows)
    )
    return tag("div", table, class_="scroll papers")


def _navigation(contents: Contents) -> Markup:
    chapters = []
    for title, entries in contents.chapters().items():
        links = (
            tag(
                "a",
                tag("span", MARKS[e.verdict], class_=f"mark {e.verdict}", aria_hidden="true"),
                e.claim.id,
                href=f"#{e.claim.id}",
                title=f"{e.verdict}: {e.claim.statement}",
            )
            for e in entries
        )
        chapters.append(tag("li", tag("a", title, href=f"#{_anchor(title)}"), tag("div", *links, class_="ids")))
    ends = [tag("li", tag("a", "Environment and seeds", href="#environment"))]
    start = tag("li", tag("a", "The ledger", href="#ledger"))
    theme = tag("button", "Theme: automatic", type="button", id="theme", class_="scripted")
    return tag("nav", tag("h2", "Contents"), theme, tag("ul", start, *chapters, *ends), aria_label="Contents")


def _ledger(contents: Contents) -> Markup:
    head = tag(
        "tr",
        *(tag("th", text, scope="col") for text in ("id", "verdict", "what is stated", "where", "roads", "controls")),
    )
    table = tag(
        "table",
        tag(
            "caption",
            "The ids lead to the claims below. The four roads are derivation, exact search, simulator and "
            "layers; controls are statements that are wrong on purpose, rejected and tried.",
        ),
        tag("thead", head),
        tag("tbody", *(_row(entry) for entry in contents.entries)),
    )
    return tag(
        "section",
        tag("h2", "The ledger", id="ledger-title"),
        _filters(contents.entries),
        tag("div", table, class_="scroll"),
        id="ledger",
        aria_labelledby="ledger-title",
    )


def _row(entry: Entry) -> Markup:
    derived = [kind for kind in ROADS if kind != "data"]
    roads = "all four" if entry.kinds == derived else ", ".join(ROADS.get(kind, kind) for kind in entry.kinds)
    rejected, tried = entry.controls
    return tag(
        "tr",
        tag("th", tag("a", entry.claim.id, href=f"#{entry.claim.id}"), scope="row"),
        tag("td", badge(entry.verdict)),
        tag("td", prose(entry.claim.statement)),
        tag("td", entry.claim.source, class_="wide"),
        tag("td", roads, class_="wide"),
        tag("td", f"{rejected}/{tried}", class_="wide number"),
        data_for=entry.claim.id,
    )


def _filters(entries: Sequence[Entry]) -> Markup:
    papers = {paper: f"{paper}: {title}" for paper, title in PAPERS.items() if any(e.paper == paper for e in entries)}
    verdicts = {str(v): f"{v} ({n})" for v, n in count([entry.verdict for entry in entries]).items()}
    seen = {kind for entry in entries for kind in entry.kinds}
    kinds = {kind: road for kind, road in ROADS.items() if kind in seen}
    return tag(
        "search",
        tag(
            "form",
            _choice("paper", "From", papers),
            _choice("verdict", "Verdict", verdicts),
            _choice("kind", "Evidence by", kinds),
            tag("label", "Search", tag("input", type="search", name="text", autocomplete="off", spellcheck="false")),
            tag("button", "Show all", type="reset"),
            tag("p", f"{_plural(len(entries), 'claim')} shown", role="status", id="count"),
            tag("button", "Open all details", type="button", id="fold", aria_pressed="false"),
        ),
        class_="scripted",
        aria_label="Filter the claims",
    )


def _choice(name: str, label: str, options: dict[str, str]) -> Markup:
    choices = (tag("option", text, value=value) for value, text in {"": "all", **options}.items())
    return tag("label", label, tag("select", *choices, name=name))


def _chapters(contents: Contents) -> list[Markup]:
    pictures = {picture.name: picture for picture in contents.pictures}
    return [
        tag(
            "section",
            tag("h2", title, id=f"{_anchor(title)}-title"),
            *(article(entry, pictures) for entry in entries),
            id=_anchor(title),
            class_="chapter",
            aria_labelledby=f"{_anchor(title)}-title",
        )
        for title, entries in contents.chapters().items()
    ]


def _environment(contents: Contents) -> Markup:
    given = {key: value for key, value in contents.environment.items() if key != "packages"}
    packages = {name: version or "not installed" for name, version in contents.environment["packages"].items()}
    seeds = {f"figure {p.name}": "no random draws" if p.seed is None else f"seed {p.seed}" for p in contents.pictures}
    return tag(
        "section",
        tag("h2", "Environment and seeds", id="environment-title"),
        tag(
            "p",
            "The same versions, level and seed give the same ledger, and this file again, byte for byte: ",
            tag("code", f"filterlaw report --level {given.get('level')} --seed {given.get('seed')}"),
            ".",
        ),
        tag(
            "div",
            *(
                tag(
                    "div",
                    tag(
                        "table",
                        tag("caption", caption),
                        *(tag("tr", tag("th", key, scope="row"), tag("td", str(value))) for key, value in rows.items()),
                    ),
                    class_="scroll",
                )
                for caption, rows in (("Run", given), ("Versions", packages), ("Figures", seeds))
                if rows
            ),
            class_="tables",
        ),
        tag("h3", "What the verdicts mean"),
        tag("dl", *(join(tag("dt", badge(v)), tag("dd", MEANINGS[v])) for v in reversed(Verdict)), class_="meanings"),
        id="environment",
        aria_labelledby="environment-title",
    )


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _plural(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _version(contents: Contents) -> str:
    return str(contents.environment["packages"].get("filterlaw") or "")


def _asset(name: str) -> str:
    return files("figures.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
