"""README and docs/ as the code would write them now; `python -m tests.docs [NAME...]` writes them so.

A document is read from top to bottom, in an empty folder and with one namespace:
- a ```python block is run, and the ```text block right below it, if there is one, is what it prints;
- a ```console block holds commands, each after `$ `, and what each of them prints;
- a fenced block right below <!-- ledger: ID... -->, <!-- counterexample: ID -->, <!-- recorded --> or <!-- pages -->
  is what the function of that name below returns;
- what stands between <!-- attack: NAME --> and <!-- end of attack --> is what was kept of the attack.
Any other block is left as it is.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from textwrap import wrap
from types import CodeType
from typing import Any
from unittest.mock import patch

import filterlaw
from figures.catalogue import TITLES, module_of
from figures.explore import PAGES, open_page
from figures.style import encode
from sim.files import atomic_write
from tests.attack.findings import kept
from theory.claims import all_claims
from theory.intervals import CONFIDENCE
from theory.ledger import Report
from theory.verify import verify

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    *(f"docs/{name}.md" for name in ("findings", "parts", "experiments", "explore", "your-own-claim", "attacks")),
)
PICTURES = ROOT / "docs" / "pictures"

_FENCED = r"```{}\n(?P<{}>(?:(?!```).*\n)*?)```\n"
_PART = re.compile(
    "|".join(
        (
            rf"^(?P<python>{_FENCED.format('python', 'code')})(?P<below>\n```text\n(?:(?!```).*\n)*?```\n)?",
            f"^{_FENCED.format('console', 'session')}",
            r"^(?P<marker><!-- (?P<maker>ledger|counterexample|recorded|pages)(?:: (?P<ids>.*?))? -->\n)"
            + _FENCED.format("", "made"),
            r"^<!-- attack: (?P<attack>\w+) -->\n[\s\S]*?^<!-- end of attack -->\n",
        )
    ),
    re.MULTILINE,
)


def renewed(text: str) -> str:
    """A document with everything in it that is computed computed anew."""
    namespace: dict[str, Any] = {"__name__": "document"}
    with tempfile.TemporaryDirectory() as folder, chdir(folder), patch.dict(os.environ, COLUMNS="80"):
        return _PART.sub(partial(_renewed_part, namespace), text)


def _renewed_part(namespace: dict[str, Any], part: re.Match[str]) -> str:
    if part["python"] is not None:
        printed = _printed(lambda: exec(_compiled(part["code"]), namespace))
        if part["below"] is None and printed:
            raise ValueError(f"a block that prints must have a ```text block below it, got none for {part['code']!r}")
        return part["python"] + ("" if part["below"] is None else f"\n```text\n{printed}```\n")
    if part["session"] is not None:
        return f"```console\n{_session(part['session'])}```\n"
    if part["attack"] is not None:
        return f"<!-- attack: {part['attack']} -->\n{attack(part['attack'])}\n<!-- end of attack -->\n"
    makers: dict[str, Callable[..., str]] = {
        "ledger": ledger,
        "counterexample": counterexample,
        "recorded": recorded,
        "pages": pages,
    }
    made = makers[part["maker"]](*(part["ids"] or "").split())
    return f"{part['marker']}```\n{made}\n```\n"


def _compiled(code: str) -> CodeType:
    # without what this file itself imports from the future
    return compile(code, "<document>", "exec", dont_inherit=True)


def _printed(run: Callable[[], object]) -> str:
    stream = io.StringIO()
    with redirect_stdout(stream), redirect_stderr(stream):
        run()
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def _session(text: str) -> str:
    commands = [line for line in text.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{_printed(partial(filterlaw.run, words(line)))}" for line in commands)


def words(line: str) -> list[str]:
    """The arguments of a line `filterlaw ...`, without the prompt and a comment."""
    name, *arguments = shlex.split(line.removeprefix("$ "), comments=True)
    if name != "filterlaw":
        raise ValueError(f"commands must begin with filterlaw, got {line!r}")
    return arguments


_HEAD = ("id", "verdict", "what")


@lru_cache
def _report(id_: str, level: str) -> Report:
    return verify(all_claims()[id_], level=level)  # type: ignore[arg-type]


def ledger(*ids: str) -> str:
    """The verdicts on some claims, checked as far as the simulator."""
    rows = [(id_, str(_report(id_, "simulation").verdict), all_claims()[id_].statement) for id_ in ids]
    return "\n".join(f"{id_:<7}  {verdict:<12}  {statement}" for id_, verdict, statement in [_HEAD, *rows])


def counterexample(id_: str, *name: str) -> str:
    """The counterexample to a claim, or to the clause of it with this name, as the exact search finds it."""
    wanted = " ".join(name)
    clauses = _report(id_, "symbolic").clauses
    clause = next(c for c in clauses if c.counterexample is not None and wanted in ("", c.clause.name))
    found = clause.counterexample
    assert found is not None
    assert found.reproduced
    lines = [
        ("at", ", ".join(f"{name} = {value}" for name, value in found.instance)),
        ("printed", found.printed),
        ("actual", found.actual),
    ]
    return "\n".join(f"{name:<10} {text}" for name, text in lines)


def recorded() -> str:
    """Every empirical claim judged by the tables of runs that come with the package, clause by clause."""
    claims = [claim for claim in all_claims().values() if claim.empirical]
    if not claims:
        return "no recorded runs come with this version"
    head = f"intervals at a confidence of {CONFIDENCE:.0%} for all effects of a clause together"
    return "\n".join([head, *(line for claim in claims for line in _recorded_lines(_report(claim.id, "cnn")))])


def _recorded_lines(report: Report) -> Iterator[str]:
    yield f"{report.claim.id:<7}  {report.verdict:<12}  {report.claim.statement}"
    known = ""
    for clause in report.clauses:
        effects = [effect for evidence in clause.evidence if evidence.kind == "data" for effect in evidence.measured]
        for data in dict.fromkeys(effect.data for effect in effects if effect.data != known):
            yield f"{'':<9}on {data}:"
            known = data
        name = f"{clause.clause.name}: " if clause.clause.name else ""
        yield f"{'':<11}{clause.verdict:<12}  {name}{clause.clause.text}"
        for effect in effects:
            interval = f"{effect.estimate:+.3g} in [{effect.low:+.3g}, {effect.high:+.3g}]"
            yield f"{'':<25}{effect.symbol} {interval}, {effect.n} {effect.units}"


def pages() -> str:
    """The pages of the explorer: the key that --page takes, the title, the presets."""
    lines = []
    for key, (title, _) in PAGES.items():
        presets = "; ".join(preset.name for preset in open_page(key).presets)
        lines += [f"{key:<20} {title}", *wrap(presets, 110, initial_indent=" " * 21, subsequent_indent=" " * 21)]
    return "\n".join(lines)


LONG = 12
"""Lines of a list that are shown at once; a longer one is folded up."""
MOST, WIDEST = 60, 320
"""Lines of a folded list, and characters of a line; what is longer stands in docs/attacks/."""


def attack(name: str) -> str:
    """The figures of an attack as they were kept, and what is to be read beside them."""
    findings, record = kept(name)
    about = record["environment"]
    whole = "a sample of it only, " if record.get("sample") else ""
    lines = [f"{whole}seed {record['seed']}; Python {about['python']}, {about['platform']}", findings.table]
    folded = []
    for listing in findings.listings:
        shown = [line if len(line) <= WIDEST else f"{line[: WIDEST - 4]} ..." for line in listing.lines]
        if len(shown) > LONG:
            head = f"<details><summary>{listing.title} ({len(shown):,})</summary>"
            if len(shown) > MOST:
                shown = [*shown[:MOST], f"... and {len(shown) - MOST:,} more in docs/attacks/{name}.json"]
            folded += ["", head, "", "```", *shown, "```", "", "</details>"]
        elif shown:
            lines += ["", f"{listing.title}:", *(f"  {line}" for line in shown)]
    return "\n".join(("```", *lines, "```", *folded))


def picture_names() -> list[str]:
    """The figures that the documents show."""
    shown = [
        re.findall(r"\]\((?:docs/)?pictures/([\w-]+)\.svg\)", (ROOT / name).read_text("utf-8")) for name in DOCUMENTS
    ]
    return sorted({name for names in shown for name in names})


def metadata(svg: str) -> tuple[str, str]:
    """Title and description of a picture, without the versions of what drew it."""
    title, about = (re.search(rf"<dc:{tag}>(.*?)</dc:{tag}>", svg, re.DOTALL) for tag in ("title", "description"))
    if title is None or about is None:
        raise ValueError("a picture must say what it shows and what it was made from, got none of that")
    return title[1], about[1].split("; made by ")[0]


def drawn(name: str, figure: Any) -> bytes:
    """A figure as SVG, with what it is made from."""
    module = import_module(module_of(name))
    return encode(figure, "svg", TITLES[name], module.PARAMETERS, module.SEED)


def main(names: Sequence[str]) -> None:
    """Write the documents with these names (none: all) and their pictures."""
    for name in names or DOCUMENTS:
        path = ROOT / name
        atomic_write(path, renewed(path.read_text("utf-8")))
        print(name)
    for name in picture_names() if not names else ():
        atomic_write(PICTURES / f"{name}.svg", drawn(name, import_module(module_of(name)).draw()))
        print(f"docs/pictures/{name}.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
