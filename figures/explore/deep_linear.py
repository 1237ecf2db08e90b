"""Page 5, deep linear networks and Singular Value Bounding: strengths of directions over training (Jia et al., 4.1)."""

from __future__ import annotations

import numpy as np

from figures.explore.clipped_training import (
    FINE,
    MOST_TRIED,
    REACHED,
    Found,
    differences,
    find,
    finer,
    flow_product,
    in_least_band,
    settled,
    spread,
)
from figures.explore.judge import decided, judged, listed, not_applicable, shown
from figures.explore.page import Control, Page, Picture, Preset, Standing, Values, View
from figures.explore.plot import plot
from figures.explore.series import Series, band, rule
from theory.derive.deep_linear import depth as needs
from theory.derive.deep_linear.reach import HIGH, LOW
from theory.evaluate import value

MOST_DEPTH = 12

CONTROLS = (
    Control("sigma", "First goal sigma", "number", 4.0, high=8.0, step=0.05, help="What the product has to become."),
    Control("other", "Second goal", "number", 1.5, high=8.0, step=0.05, help="Another direction of the same network."),
    Control("layers", "Layers L", "integer", 3, low=2, high=8, step=1, help="Matrices that are multiplied."),
    Control(
        "eps",
        "Width of the band eps",
        "number",
        0.2,
        low=0.01,
        high=1.0,
        step=0.01,
        help="Singular Value Bounding clips strengths to [1/(1+eps), 1+eps].",
    ),
    Control(
        "start",
        "Strength at the start",
        "number",
        0.5,
        low=0.1,
        high=1.5,
        step=0.05,
        help="Geometric mean over layers.",
    ),
    Control(
        "unbalance",
        "Unbalance of the layers",
        "number",
        1.0,
        low=1.0,
        high=20.0,
        step=0.5,
        help="The strength of the first layer over that of the last one, at the start.",
    ),
    Control(
        "every",
        "Clip every n updates",
        "integer",
        1,
        low=1,
        high=50,
        step=1,
        help="Singular Value Bounding now and then.",
    ),
    Control("updates", "Updates", "integer", 200, low=50, high=4000, step=50, help="Steps of gradient descent."),
)

PRESETS = (
    Preset(
        "All strengths above 1",
        "The paper says that reaching a minimum takes strengths below 1 as well as above. Here all layers end above 1, "
        "and the goal is reached.",
        {"start": 0.8},
    ),
    Preset(
        "A band too narrow",
        "With eps = 0.2 three layers multiply to at most 1.728: clipped training stops there, for good. Widen the "
        "band to 0.59 or add layers.",
        {"start": 1.0, "other": 0.4, "updates": 300},
    ),
    Preset(
        "Just wide enough",
        "eps = 4^(1/3) - 1, rounded up: clipping no longer costs anything.",
        {"start": 1.0, "eps": 0.59, "other": 0.5},
    ),
    Preset(
        "sigma = 0",
        "No band reaches zero: the least product is (1+eps)^-L.",
        {"sigma": 0.0, "start": 1.0, "eps": 0.3, "updates": 400},
    ),
    Preset(
        "Uneven layers stay uneven",
        "Differences of squared strengths are kept by training, so that unevenness is inherited, not produced.",
        {"unbalance": 8.0, "layers": 2},
    ),
    Preset(
        "Clipped now and then",
        "Between two clippings strengths leave the band: a sawtooth, and what is measured depends on when.",
        {"every": 40, "start": 1.0, "updates": 400},
    ),
    Preset(
        "Strong first",
        "The larger goal is learned first, after a plateau that is the longer the smaller the start.",
        {"sigma": 4.0, "other": 0.8, "start": 0.1, "layers": 2, "eps": 1.0, "updates": 400},
    ),
)


def view(values: Values) -> View:
    """The page for the values of its controls."""
    found = find(values)
    pictures = (_products(found), _strengths(found), _interval(found))
    return View(pictures, standings(found), _rows(found), _command(found), _python(found))


def _products(found: Found) -> Picture:
    free, bounded = found.free, found.bounded
    ends = np.array([0.0, float(found.steps)])
    low, high = found.reachable
    top = 1.12 * max(float(found.goals.max()), float(free.products.max()), float(bounded.products.max()), 0.1)
    lines = [
        band(ends, np.full(2, low), np.full(2, min(high, 2 * top)), "in reach of the band", look=2),
        Series(free.times, free.products[:, 0], "gradient descent", look=0),
        Series(bounded.times, bounded.products[:, 0], "with clipping", look=1, dash=0),
        Series(free.times, free.products[:, 1], "the second direction", look=0, dash=3),
        Series(bounded.times, bounded.products[:, 1], "", look=1, dash=3),
        *(rule(float(goal), "", look=7, dash=1) for goal in found.goals),
    ]
    svg = plot(
        lines, title="What the network does", x_label="update", y_label="product of all strengths", y_range=(0.0, top)
    )
    return Picture(
        svg,
        "The product of the strengths of all layers, for two directions (full and dotted). Grey dashes: the goals. "
        "Clipped layers can only make products inside the shaded interval.",
    )


def _strengths(found: Found) -> Picture:
    ends = np.array([0.0, float(found.steps)])
    inside = band(ends, np.full(2, 1 / (1 + found.eps)), np.full(2, 1 + found.eps), "the band", look=2)
    lines = [inside, rule(1.0, "", look=7, dash=1)]
    for layer in range(found.layers):
        label = ("gradient descent", "with clipping") if layer == 0 else ("", "")
        lines.append(Series(found.free.times, found.free.strengths[:, layer, 0], label[0], look=0, dash=0))
        lines.append(Series(found.bounded.times, found.bounded.strengths[:, layer, 0], label[1], look=1, dash=1))
    svg = plot(lines, title="Strength of each layer, first direction", x_label="update", y_label="strength s")
    return Picture(
        svg,
        "A line for each layer. Layers that begin equal stay equal; layers that do not keep the differences of their "
        "squares, unless clipping forces them together.",
    )


def _interval(found: Found) -> Picture:
    depths = np.arange(1.0, MOST_DEPTH + 1)
    low, high = (value(end, {"eps": found.eps, "depth": depths}, exact=False) for end in (LOW, HIGH))
    within = (found.goals >= found.reachable[0]) & (found.goals <= found.reachable[1])
    at = np.full(2, float(found.layers))
    drawn = np.maximum(found.goals, 1e-3)
    lines = [band(depths, low, high, f"in reach, eps = {found.eps:g}", look=2), rule(1.0, "", look=7, dash=1)]
    if within.any():
        lines.append(Series(at[within], drawn[within], "a goal in reach", "points", look=0))
    if not within.all():
        lines.append(Series(at[~within], drawn[~within], "a goal out of reach", "points", look=4))
    svg = plot(
        lines,
        title="What L layers in the band reach",
        x_label="layers L",
        y_label="product",
        log_y=True,
        x_range=(0.7, MOST_DEPTH + 0.3),
        y_range=(8e-4, 1e2),
    )
    return Picture(
        svg,
        "Products of L strengths in the band: (1+eps)^−L to (1+eps)^L. More layers, or a wider band, reach more; zero "
        "is never reached (it is drawn at the lower edge).",
    )


def standings(found: Found) -> tuple[Standing, ...]:
    """How the claims of Section 4.1 fare at these settings."""
    return (*_infinite_depth(found), _reach(found), _ends(found), _uneven(found), _flow(found))


def _infinite_depth(found: Found) -> tuple[Standing, ...]:
    """S-NEC and S-SUF, on the first direction after gradient descent without a band."""
    nec = "reaching the minimum needs a strength above 1 and one below 1"
    suf = "strengths all below 1, or all above 1, suffice for not reaching it"
    final, goal = found.free.final[:, 0], float(found.goals[0])
    end, most, least = float(found.ends(found.free)[0]), float(final.max()), float(final.min())
    reached = goal > 0 and abs(end - goal) <= REACHED * goal
    seen = f"strengths end at {shown(least)} to {shown(most)}, the product at {shown(end)} of {shown(goal)}"
    at_minimum = {"p": found.layers, "s_max": most, "s_min": least, "sigma": goal, "reached": goal if reached else end}
    necessary = (
        judged("S-NEC", nec, needs.PRINTED_NEEDED, at_minimum, 1e-9, seen)
        if reached
        else not_applicable("S-NEC", nec, f"not reached in {found.steps} updates: {seen}")
    )
    if least <= 1 <= most:
        return necessary, not_applicable("S-SUF", suf, f"strengths lie on both sides of 1: {seen}")
    return necessary, decided("S-SUF", suf, not reached, seen)


def _reach(found: Found) -> Standing:
    statement = "for any finite sigma, a suitable eps lets clipped training reach the minimum"
    if not found.goals.all():
        low = shown(found.reachable[0])
        return decided("S-REACH", statement, False, f"sigma = 0, but no product is below (1+eps)^−L, here {low}")
    ends = [in_least_band(float(goal), found.layers) for goal in found.goals]
    if None in ends:
        return not_applicable("S-REACH", statement, f"not at its end after {MOST_TRIED} updates")
    off = max(abs(end - goal) / goal for end, goal in zip(ends, found.goals, strict=True) if end is not None)
    wanted = float(found.least_eps.max())
    here = "wide enough" if found.eps >= wanted * (1 - 1e-9) else "too narrow"
    return decided(
        "S-REACH", statement, off <= REACHED, f"eps = {shown(wanted)} does, tried; the band chosen here is {here}"
    )


def _ends(found: Found) -> Standing:
    statement = "clipped training stays in [(1+eps)^−L, (1+eps)^L] and ends at what is nearest to sigma there"
    end, nearest = found.ends(found.bounded), found.nearest()
    low, high = found.reachable
    inside = bool(np.all((end >= low * (1 - 1e-9)) & (end <= high * (1 + 1e-9))))
    arrived = bool(np.all(np.abs(end - nearest) <= 10 * REACHED * nearest))
    why = f"ends at {shown(end[0])} and {shown(end[1])}, nearest are {shown(nearest[0])} and {shown(nearest[1])}"
    if inside and not arrived and not settled(found):
        return not_applicable("X-REACH", statement, f"not at its end after {found.steps} updates: {why}")
    return decided("X-REACH", statement, inside and arrived, why)


def _uneven(found: Found) -> Standing:
    statement = "training without a band makes magnitudes more uneven: differences of squares grow"
    before, after = spread(found.free.strengths[0]), spread(found.free.final)
    # equal layers stay equal to rounding
    grown = after > before * (1 + 1e-9) + 1e-12
    if before == 0:
        return decided("S-UNEVEN", statement, grown, "layers that begin equal are equal at the end")
    return decided(
        "S-UNEVEN",
        statement,
        grown,
        f"the largest between two layers was {shown(before)} and is {shown(after)}; it is inherited from the start",
    )


def _flow(found: Found) -> Standing:
    """X-SAXE on a finer descent, by its closed form for two layers, else by what it conserves."""
    fine, coarse = (finer(found, times) for times in (FINE, FINE // 2))
    if found.layers == 2 and found.goals.all():
        statement = "s t along the flow of two layers, in closed form"
        first, second = (float(v) for v in found.strengths)
        exact = np.stack(
            [flow_product(first, second, float(goal), found.rate * coarse.times * 2 / FINE) for goal in found.goals],
            axis=1,
        )
        off = np.abs(fine.products - exact)
        # halving the updates halves what they depart from the flow
        slack = 2 * np.abs(fine.products - coarse.products).max() + 1e-9
        return decided("X-SAXE", statement, float(off.max()) <= slack, f"off by {shown(float(off.max()))} at most")
    statement = "differences of squared strengths are kept along the flow"
    begun = np.square(fine.strengths[0])
    drift = [float(np.abs(differences(run.final) - differences(np.sqrt(begun))).max()) for run in (fine, coarse)]
    return decided(
        "X-SAXE",
        statement,
        drift[0] <= 0.6 * drift[1] + 1e-10,
        f"they drift by {shown(drift[0])} with updates {FINE} times smaller, by {shown(drift[1])} with {FINE // 2}",
    )


def _rows(found: Found) -> tuple[tuple[str, ...], ...]:
    header = ("direction", "sigma", "least eps", "nearest in the band", "ends with clipping", "ends without")
    columns = (found.goals, found.least_eps, found.nearest(), found.ends(found.bounded), found.ends(found.free))
    rows = [(name, *(shown(float(c[n])) for c in columns)) for n, name in enumerate(("first", "second"))]
    return (header, *rows)


def _command(found: Found) -> str:
    return (
        f"filterlaw simulate modes --sigma {listed(found.goals)} --layers {found.layers} "
        f"--start {listed(found.strengths)} --learning-rate {found.rate!r} --steps {found.steps} "
        f"--eps {found.eps!r} --every {found.every}"
    )


def _python(found: Found) -> str:
    return (
        "import numpy as np\n"
        "from sim.linear_modes import descend_modes\n\n"
        f"start = np.array([{', '.join(listed(found.strengths).split(','))}])\n"
        f"settings = dict(learning_rate={found.rate!r}, steps={found.steps})\n"
        f"goals = [{', '.join(listed(found.goals).split(','))}]\n"
        "for clipped in ({}, dict(band=%r, band_every=%d)):\n"
        % (found.eps, found.every)
        + "    run = descend_modes(np.repeat(start[:, None], 2, axis=1), goals, **settings, **clipped)\n"
        "    print(run.products[-1])\n"
    )


PAGE = Page(
    key="deep-linear",
    title="Deep linear networks and bounding",
    text="In a deep linear network each direction of the data has a strength in every layer, and what the network does "
    "along it is their product, to become sigma. Singular Value Bounding keeps every strength near 1 by clipping it to "
    "a narrow band. The paper argues that training needs this; see what training does without, what the band costs, "
    "and which of the paper's conditions hold.",
    controls=CONTROLS,
    presets=PRESETS,
    view=view,
)
