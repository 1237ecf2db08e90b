"""The explorer: a marimo app around the pages of `figures.explore`. `filterlaw explore` serves it."""

# cells are functions by name only: what they take and return is wired up by marimo
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, var-annotated"

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="filterlaw explorer")

with app.setup:
    from html import escape

    import marimo as mo

    from figures.explore import PAGES, address, markup, open_page
    from figures.explore.job import Job


@app.function
def widget(control, value):
    """The input for a control, at this value."""
    if control.kind == "switch":
        return mo.ui.switch(value=value, label=control.label)
    if control.kind == "choice":
        return mo.ui.dropdown(list(control.choices), value=value, label=control.label, full_width=True)
    low, high, step = control.low, control.high, control.step
    if control.kind == "integer":
        low, high, step = round(low), round(high), round(step)
    return mo.ui.slider(low, high, step, value=value, label=control.label, show_value=True, full_width=True)


@app.function
def publish(query):
    """Make the address of the browser say this and nothing else, without running anything again."""
    parameters = mo.query_params()
    for name in set(parameters.to_dict()) - set(query):
        parameters.remove(name)
    for name, value in query.items():
        if parameters.get(name) != value:
            parameters.set(name, value)


@app.cell
def _():
    asked = mo.query_params().to_dict()
    first_key = asked.get("page") if asked.get("page") in PAGES else next(iter(PAGES))
    unknown = "page" in asked and asked["page"] not in PAGES
    get_start, set_start = mo.state({})
    # the button that begins a job is made anew by the job
    get_job, set_job = mo.state(None, allow_self_loops=True)
    latest = {}
    mo.Html(f"<style>{markup.STYLE}</style>")
    return asked, first_key, get_job, get_start, latest, set_job, set_start, unknown


@app.cell
def _(first_key):
    titles = {title: key for key, (title, _) in PAGES.items()}
    tabs = mo.ui.tabs(dict.fromkeys(titles, ""), value=PAGES[first_key][0])
    mo.Html(f'<nav class="fl-tabs" aria-label="Pages">{tabs}</nav>')
    return tabs, titles


@app.cell
def _(asked, first_key, set_start, tabs, titles, unknown):
    current = open_page(titles[tabs.value])
    opened, refused = address.read_values(current, asked if current.key == first_key else {})
    if unknown and current.key == first_key:
        refused = (f"There is no page {asked['page']!r}; this is the first.", *refused)

    def start_from(preset):
        set_start({"page": current.key, "values": {**current.defaults(), **preset.values}})

    presets = mo.ui.array([mo.ui.button(label=p.name, on_change=lambda _, p=p: start_from(p)) for p in current.presets])
    return current, opened, presets, refused


@app.cell
def _(current, presets):
    mo.Html(f'{markup.introduction(current)}<div class="fl-presets">{"".join(f"{button}" for button in presets)}</div>')
    return


@app.cell
def _(current, get_start, opened):
    start = get_start()
    begin = start["values"] if start.get("page") == current.key else opened
    controls = mo.ui.dictionary({c.name: widget(c, begin[c.name]) for c in current.controls})
    return (controls,)


@app.cell
def _(controls, current, latest, opened, refused):
    values = dict(controls.value)
    latest["values"] = values
    view = current.view(values)
    number = address.matching(current, values)
    publish({"page": current.key, **address.write_values(current, values)})
    inputs = "".join(
        f'<div class="fl-control">{controls[c.name]}<small>{escape(c.help)}</small></div>' for c in current.controls
    )
    mo.Html(
        f"{markup.remarks(refused if values == opened else ())}"
        f"{markup.told(None if number is None else current.presets[number])}"
        f'<div class="fl-page"><div class="fl-controls">{inputs}</div>{markup.shown(view)}</div>'
    )
    return (view,)


@app.cell
def _(view):
    mo.Html(
        '<section class="fl-code"><h2>The same numbers on the command line, and in Python</h2>'
        f"<p>The address of this page holds the settings.</p>{mo.md(markup.code(view)).text}</section>"
    )
    return


@app.cell
def _(current, get_job, latest, set_job):
    job = get_job()
    if job is not None and job.page != current.key:
        job.stop()
        job = None

    def begin_job():
        if job is not None:
            job.stop()
        set_job(Job(current.long_run.work, dict(latest["values"]), page=current.key))

    buttons = mo.ui.array(
        []
        if current.long_run is None
        else [
            mo.ui.button(label=current.long_run.label, on_change=lambda _: begin_job()),
            mo.ui.button(label="Stop", on_change=lambda _: job and job.stop(), disabled=job is None),
        ]
    )
    ticking = job is not None and job.poll().state == "running"
    tick = mo.ui.refresh(default_interval="500ms") if ticking else mo.Html("")
    return buttons, job, tick


@app.cell
def _(buttons, current, job, set_job, tick):
    mo.stop(current.long_run is None)
    progress = None if job is None else job.poll()
    if progress is not None and progress.state != "running" and not isinstance(tick, mo.Html):
        set_job(job)
    mo.Html(
        f'<section class="fl-long"><p>{escape(current.long_run.text)}</p>'
        f'<div class="fl-presets">{buttons[0]}{buttons[1]}</div><div class="fl-tick">{tick}</div>'
        f"{markup.long_run(current.long_run, job, progress)}</section>"
    )
    return


@app.function
def test_every_control_has_an_input_at_its_value():
    for key in PAGES:
        shown = open_page(key)
        for name, value in address.opening(shown).items():
            control = next(control for control in shown.controls if control.name == name)
            assert widget(control, value).value == value


@app.function
def test_every_page_opens_with_pictures_and_verdicts():
    for key in PAGES:
        shown = open_page(key)
        html = markup.shown(shown.view(address.opening(shown)))
        assert html.count("<figure") >= 2
        assert 'class="fl-claim"' in html


if __name__ == "__main__":
    app.run()
