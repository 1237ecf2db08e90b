"""Addresses of the explorer with values that no control has: each is answered by a remark and a value that one has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from figures.explore import PAGES, markup, open_page
from figures.explore.address import read_values
from figures.explore.page import Control, Page

BAD = (
    "",
    " ",
    "x",
    "nan",
    "-inf",
    "1e999",
    "-1e308",
    "1e308",
    "9" * 400,
    "0x10",
    "1,5",
    "None",
    "\0",
    "\u202e7",
    "\ud800",
    "\u0661\u0662\u0663.\u0664",
    "x" * 10_000,
    "<script>harm</script>",
    "' onerror=harm '",
    "__import__('os').system('touch harm')",
    "9**9**9",
    "../../etc/passwd",
    "/dev/zero",
)


@dataclass(frozen=True)
class Address:
    """A page's key, and what its query says."""

    page: str
    query: Mapping[str, str | list[str]]

    @property
    def label(self) -> str:
        shown = ", ".join(f"{name} = {str(value)[:40]!r}" for name, value in self.query.items())
        return f"page {self.page}, {shown}"


def bad_addresses() -> list[Address]:
    """Each bad value for each control of each page, by itself; and all controls at once."""
    found = []
    for key in PAGES:
        controls = [control.name for control in open_page(key).controls]
        found += [Address(key, {name: value}) for name in controls for value in BAD]
        found += [Address(key, {name: ["1", value]}) for name in controls for value in BAD[:3]]
        found += [Address(key, dict.fromkeys(controls, value)) for value in BAD]
    return found


def judge_address(address: Address, seen: set[tuple[Any, ...]]) -> str | None:
    """What is wrong with how an address is read and shown, None if nothing is. seen: values that were shown before."""
    page = open_page(address.page)
    try:
        values, remarks = read_values(page, address.query)
        wrong = _wrong_values(page, values) or _wrong_remarks(address, remarks)
        key = (address.page, *values.values())
        if wrong or key in seen:
            return wrong
        seen.add(key)
        html = markup.shown(page.view(values)) + str(markup.remarks(remarks))
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:200]
    told = [word for word in ("nan", "inf", "NaN", "Infinity") if f">{word}<" in html or f'"{word}"' in html]
    if told or "<script>harm" in html or "' onerror" in html:
        return f"shows {told or 'markup of its own'}"
    return None


def _wrong_values(page: Page, values: Mapping[str, Any]) -> str | None:
    for control in page.controls:
        value = values[control.name]
        if not _allowed(control, value):
            return f"{control.name} became {value!r}"
    return None


def _allowed(control: Control, value: Any) -> bool:
    if control.kind == "choice":
        return value in control.choices
    if control.kind == "switch":
        return isinstance(value, bool)
    kind = int if control.kind == "integer" else float
    return isinstance(value, kind | int) and math.isfinite(value) and control.low <= value <= control.high


def _wrong_remarks(address: Address, remarks: tuple[str, ...]) -> str | None:
    if len(remarks) != len(address.query):
        return f"{len(remarks)} remarks on {len(address.query)} bad values"
    for name, remark in zip(address.query, remarks, strict=True):
        if not remark.startswith(f"{name} = ") or not remark.isprintable() or len(remark) > 300:
            return f"no clear remark: {remark[:200]!r}"
    return None
