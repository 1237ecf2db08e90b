"""The pages of the explorer: each a pure function from the values of its controls to what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from figures.explore.page import Page

PAGES: Mapping[str, tuple[str, str]] = {
    "one-filter": ("One filter", "one_filter"),
    "loosened": ("Loosened assumptions", "loosened"),
    "layer-variance": ("Layer variance", "layer_variance"),
    "correlated-filters": ("Correlated filters", "correlated_filters"),
    "deep-linear": ("Deep linear networks and bounding", "deep_linear"),
    "conv-spectrum": ("A convolution's true spectrum", "conv_spectrum"),
}
"""Key of each page, in the order of the tabs: its title and its module, which is imported when the page is opened."""


def open_page(key: str) -> Page:
    """The page with this key. Raises ValueError if there is none."""
    if key not in PAGES:
        raise ValueError(f"page must be one of {', '.join(PAGES)}, got {key!r}")
    found: Page = import_module(f"{__name__}.{PAGES[key][1]}").PAGE
    return found
