"""Every claim of the project: what was printed, what was derived, and how to observe it.

Each module of this package offers `CLAIMS`, a tuple of `theory.ledger.Claim`; this is the one room that knows both
`theory.derive` and `sim`. To add a claim, add it to a module's tuple, or add a module here.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cache
from importlib import import_module

from theory.ledger import Claim

MODULES: tuple[str, ...] = (
    "single_filter.theorem_1",
    "single_filter.activity",
    "single_filter.trajectory",
    "single_filter.convergence",
    "single_filter.initialisation",
    "single_filter.zigzag",
    "single_filter.loosened",
    "layer_variance.laws",
    "layer_variance.equations",
    "layer_variance.table",
    "layer_variance.critical",
    "layer_variance.plane",
    "correlated_init.initialiser",
    "correlated_init.sign_changes",
    "correlated_init.wide_limit",
    "correlated_init.shrinkage",
    "deep_linear.gradients",
    "deep_linear.modes",
    "deep_linear.depth",
    "deep_linear.uneven",
    "deep_linear.saxe",
    "deep_linear.reach",
    "spectra.bounding",
    "spectra.mixing",
    "spectra.backward",
    "spectra.operators",
    "batch_norm.affine",
    "batch_norm.lemma_1",
    "batch_norm.bounded",
    "batch_norm.rescaling",
    "trained.filters",
    "trained.correlated",
    "trained.bounded",
)


@cache
def all_claims() -> dict[str, Claim]:
    """Every claim by id, in the order of the modules. Raises ValueError if two claims share an id."""
    claims: dict[str, Claim] = {}
    for name in MODULES:
        for claim in import_module(f"{__name__}.{name}").CLAIMS:
            if claim.id in claims:
                raise ValueError(f"claim id {claim.id} is used twice")
            claims[claim.id] = claim
    return claims


@cache
def _homes() -> dict[str, str]:
    return {claim.id: name for name in MODULES for claim in import_module(f"{__name__}.{name}").CLAIMS}


def home(id_: str) -> str:
    """The module of a claim, such as "single_filter.theorem_1"; empty for a claim that no module has."""
    return _homes().get(id_, "")


def together(ids: Sequence[str]) -> list[list[str]]:
    """The ids grouped by the module of their claims, in order: claims of a module share experiments."""
    groups: dict[str, list[str]] = {}
    for id_ in ids:
        groups.setdefault(home(id_), []).append(id_)
    return list(groups.values())


def find(ids: Sequence[str]) -> list[Claim]:
    """The claims with these ids (case-insensitive), or all of them if none is given.

    Raises ValueError for an unknown id, with the nearest known ones.
    """
    claims = all_claims()
    if not ids:
        return list(claims.values())
    found = []
    for asked in ids:
        key = asked.strip().upper()
        if key not in claims:
            near = difflib.get_close_matches(key[:60], claims, n=3, cutoff=0.4)
            shown = repr(asked) if len(asked) < 60 else f"{asked[:56]!r}..."
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise ValueError(f"unknown claim id {shown}{hint} (`filterlaw claims` lists all {len(claims)})")
        found.append(claims[key])
    return list(dict.fromkeys(found))
