"""What a page shows, as HTML and a style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from figures.explore.job import Job, Progress
from figures.explore.page import LongRun, Page, Preset, Standing, View
from figures.explore.svg import COLOURS

_SIGNS = {"holds here": ("holds", "✓"), "fails here": ("fails", "✗"), "not applicable here": ("apart", "–")}


def remarks(texts: Sequence[str]) -> str:
    """Messages, each in a paragraph that a screen reader says at once; nothing for none."""
    said = "".join(f"<p>{escape(text)}</p>" for text in texts if text)
    return f'<div class="fl-remark" role="status">{said}</div>' if said else ""


def introduction(page: Page) -> str:
    """The page's title and what it is about."""
    return f'<div class="fl-intro"><h1>{escape(page.title)}</h1><p>{escape(page.text)}</p></div>'


def told(preset: Preset | None) -> str:
    """What there is to see in a preset."""
    if preset is None:
        return '<p class="fl-told">Settings of your own. The buttons above lead back to the telling cases.</p>'
    return f'<p class="fl-told"><strong>{escape(preset.name)}.</strong> {escape(preset.text)}</p>'


def shown(view: View) -> str:
    """Pictures, the verdicts of the claims concerned, and the table."""
    pictures = "".join(
        f'<figure class="fl-picture">{picture.svg}<figcaption>{escape(picture.caption)}</figcaption></figure>'
        for picture in view.pictures
    )
    return (
        f'<div class="fl-pictures">{remarks([view.message])}{pictures}</div>'
        f'<div class="fl-verdicts"><section class="fl-claims" aria-live="polite"><h2>What the claims say here</h2>'
        f"<ul>{''.join(_standing(s) for s in view.standings)}</ul></section>{_table(view.table)}</div>"
    )


def long_run(long: LongRun, job: Job | None, progress: Progress | None) -> str:
    """Where long work stands, or what it came to."""
    if job is None or progress is None:
        return ""
    if progress.state == "finished":
        return f'<div class="fl-page fl-wide">{shown(long.show(job.values, progress.outcome))}</div>'
    if progress.state != "running":
        reason = f": {progress.outcome}" if progress.outcome else ""
        return remarks([f"The run {progress.state} after {progress.done} of {progress.total} updates{reason}."])
    return (
        f'<p role="status">Update {progress.done} of {progress.total or "…"} '
        f'<progress max="{progress.total or 1}" value="{progress.done}"></progress></p>'
    )


def code(view: View) -> str:
    """What gives the same numbers outside of the explorer, as Markdown; code blocks have a button that copies them."""
    blocks = [("bash", view.command), ("python", view.python)]
    return "\n\n".join(f"```{language}\n{text}\n```" for language, text in blocks if text)


def _standing(standing: Standing) -> str:
    kind, sign = _SIGNS[standing.says]
    return (
        f'<li class="fl-claim" data-claim="{escape(standing.claim)}" data-says="{kind}">'
        f'<span class="fl-badge fl-{kind}"><span aria-hidden="true">{sign}</span> {escape(standing.says)}</span>'
        f'<span class="fl-id">{escape(standing.claim)}</span>'
        f'<span class="fl-statement">{escape(standing.statement)}</span>'
        f'<span class="fl-why">{escape(standing.why)}</span></li>'
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head, *rest = rows
    header = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rest
    )
    return (
        f'<section class="fl-numbers"><h2>In numbers</h2><div class="fl-scroll"><table><thead><tr>{header}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div></section>"
    )


_LIGHT = COLOURS[0] + (
    "--fl-soft:#f5f6f7;--fl-quiet:#57606a;--fl-yes:#0b6e4f;--fl-yes-soft:#e3f4ec;--fl-no:#a8320a;--fl-no-soft:#fdeae2;"
    "--fl-note:#7a5200;--fl-note-soft:#fff4d6;"
)
_DARK = COLOURS[1] + (
    "--fl-soft:#1f2227;--fl-quiet:#a9b1ba;--fl-yes:#5fd6ab;--fl-yes-soft:#12352a;--fl-no:#ff9d73;--fl-no-soft:#412014;"
    "--fl-note:#f3cd6d;--fl-note-soft:#3a2f12;"
)

STYLE = f"""
:root {{ {_LIGHT} }}
.dark, .dark-theme {{ {_DARK} }}
.fl-intro h1 {{ font-size: 1.5rem; font-weight: 650; margin: 0 0 .3rem; color: var(--fl-ink); }}
.fl-intro p, .fl-told {{ max-width: 76ch; margin: 0; line-height: 1.5; color: var(--fl-ink); }}
.fl-told {{ padding: .1rem 0 .5rem; }}
.fl-page {{ display: grid; grid-template-columns: minmax(230px, 270px) minmax(0, 1.2fr) minmax(0, 1fr); gap: 1.8rem; }}
.fl-controls {{ display: flex; flex-direction: column; gap: .55rem; min-width: 0; }}
.fl-control small {{ display: block; color: var(--fl-quiet); font-size: .78rem; line-height: 1.3; margin-top: .1rem; }}
.fl-presets {{ display: flex; flex-wrap: wrap; gap: .4rem; margin: .7rem 0 .5rem; }}
.fl-pictures {{ display: flex; flex-direction: column; gap: 1rem; min-width: 0; }}
.fl-picture {{ margin: 0; }}
.fl-picture figcaption {{ color: var(--fl-quiet); font-size: .82rem; line-height: 1.4; max-width: 60ch; }}
.fl-verdicts {{ min-width: 0; }}
.fl-verdicts h2 {{ font-size: 1.02rem; font-weight: 650; margin: .2rem 0 .4rem; color: var(--fl-ink); }}
.fl-numbers {{ margin-top: 1.4rem; }}
.fl-claims ul {{ list-style: none; margin: 0; padding: 0; }}
.fl-claim {{ display: grid; grid-template-columns: auto 1fr; gap: .1rem .6rem; padding: .45rem 0; margin: 0;
  border-top: 1px solid var(--fl-faint); font-size: .88rem; line-height: 1.4; }}
.fl-badge {{ border-radius: 999px; padding: 0 .6rem; font-weight: 600; font-size: .8rem; white-space: nowrap;
  align-self: start; }}
.fl-holds {{ color: var(--fl-yes); background: var(--fl-yes-soft); }}
.fl-fails {{ color: var(--fl-no); background: var(--fl-no-soft); }}
.fl-apart {{ color: var(--fl-quiet); background: var(--fl-soft); }}
.fl-id {{ font-weight: 600; }}
.fl-statement, .fl-why {{ grid-column: 1 / -1; overflow-wrap: anywhere; }}
.fl-why {{ color: var(--fl-quiet); }}
.fl-numbers table {{ border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; width: auto; }}
.fl-numbers th, .fl-numbers td {{ padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--fl-faint);
  text-align: right; font-weight: 400; }}
.fl-numbers thead th {{ font-weight: 600; }}
.fl-numbers tr > :first-child {{ text-align: left; }}
.fl-scroll {{ overflow-x: auto; }}
.fl-remark {{ background: var(--fl-note-soft); color: var(--fl-note); border-radius: 6px; padding: .4rem .8rem;
  margin: 0 0 .7rem; font-size: .88rem; }}
.fl-remark p {{ margin: .1rem 0; }}
.fl-code h2 {{ font-size: 1.02rem; font-weight: 650; margin: 0 0 .2rem; color: var(--fl-ink); }}
.fl-code p {{ color: var(--fl-quiet); font-size: .88rem; margin: 0 0 .4rem; }}
.fl-code .codehilite-wrapper > div:last-child {{ opacity: 1; }}
.fl-long {{ border-top: 1px solid var(--fl-faint); padding-top: .8rem; color: var(--fl-ink); }}
.fl-long p {{ max-width: 76ch; margin: 0 0 .5rem; }}
.fl-wide {{ grid-template-columns: minmax(0, 1.2fr) minmax(0, 1fr); }}
.fl-tick {{ display: none; }}
@media (max-width: 1150px) {{
  .fl-page {{ grid-template-columns: minmax(230px, 270px) minmax(0, 1fr); }}
  .fl-verdicts {{ grid-column: 2; }}
}}
@media (max-width: 760px) {{
  .fl-page {{ grid-template-columns: minmax(0, 1fr); }}
  .fl-verdicts {{ grid-column: 1; }}
}}
"""
"""The style sheet of all pages; dark where marimo's theme is."""
