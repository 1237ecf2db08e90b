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
    mo.Html(f"<style>{markup.STYLE}</style>")
    return asked, first_key, get_start, set_start, unknown


@app.cell
def _(first_key):
    titles = {title: key for key, (title, _) in PAGES.items()}
    tabs = mo.ui.tabs(dict.fromkeys(titles, ""), value=PAGES[first_key][0])
    mo.as_html(tabs)
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
    mo.Html(markup.introduction(current))
    return current, opened, presets, refused


@app.cell
def _(current, get_start, opened):
    start = get_start()
    begin = start["values"] if start.get("page") == current.key else opened
    controls = mo.ui.dictionary({c.name: widget(c, begin[c.name]) for c in current.controls})
    return (controls,)


@app.cell
def _(controls, current, opened, presets, refused):
    values = dict(controls.value)
    view = current.view(values)
    number = address.matching(current, values)
    publish({"page": current.key, **address.write_values(current, values)})
    inputs = "".join(
        f'<div class="fl-control">{controls[c.name]}<small>{escape(c.help)}</small></div>' for c in current.controls
    )
    mo.Html(
        f"{markup.remarks(refused if values == opened else ())}"
        f'<div class="fl-presets">{"".join(f"{b}" for b in presets)}</div>'
        f"{markup.told(None if number is None else current.presets[number])}"
        f'<div class="fl-page"><div class="fl-controls">{inputs}</div>'
        f"{markup.shown(view)}</div>"
    )
    return (view,)


@app.cell
def _(view):
    mo.accordion(
        {
            "The same numbers on the command line, and in Python": mo.md(
                f"```bash\n{view.command}\n```\n\n```python\n{view.python}\n```"
            )
        }
    )
    return


if __name__ == "__main__":
    app.run()
