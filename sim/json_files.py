"""JSON from a file that may come from anyone: strict, finite, of bounded size, and one clear error if it is not.

Python's own reader takes NaN, overflows 1e999 to infinity, keeps the last of two equal keys, passes half a character
on, and makes some thirty bytes of each two of a list of empty lists.
"""

from __future__ import annotations

import json
import math
import os
import re
from typing import Any, NoReturn

from sim.errors import printable

LARGEST = 16 * 2**20
"""Bytes of a file; R of 23 x 23 filters with its errors takes some 12 MB."""
MOST_VALUES = 2**21
MOST_CONTAINERS = 2**18
LONGEST_INTEGER = 300
"""Digits: what is longer is beyond the range of floating point numbers, and slow to read."""

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


def read_json(path: str | os.PathLike[str], what: str = "") -> Any:
    """The value in a JSON file. Raises ValueError, with the path, for a file that cannot be read or is no strict JSON.

    Only regular files are read, of at most `LARGEST` bytes. what: a word for the file in messages.
    """
    name = f"{what} {os.fspath(path)!r}".lstrip()
    return parse_json(_read(os.fspath(path), name), name)


def _read(path: str, name: str) -> bytes:
    if os.path.isdir(path):
        raise ValueError(f"cannot read {name}: it is a folder")
    if os.path.exists(path) and not os.path.isfile(path):
        # a pipe would wait for ever, a device never end
        raise ValueError(f"cannot read {name}: it is not a regular file")
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ValueError(f"cannot read {name}: {reason[:1].lower()}{reason[1:]}") from error
    if len(content) > LARGEST:
        raise ValueError(f"cannot read {name}: it is larger than {LARGEST / 2**20:g} MiB")
    return content


def parse_json(content: bytes, name: str) -> Any:
    """The value of strict JSON in UTF-8; ValueError, with the name as it is given, for anything else.

    Refused are NaN, infinities, numbers beyond the range of float64, a key twice in one object, halves of characters,
    and more values than any file of ours has.
    """
    try:
        _require_few(content)
        value = json.loads(
            content.decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_integer,
            object_pairs_hook=_object,
        )
        if _HALF.search(content):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise ValueError(f"cannot use {name}: it is no strict JSON (its text is not in UTF-8)") from error
    except RecursionError as error:
        raise ValueError(f"cannot use {name}: it is no strict JSON (it is nested too deep)") from error
    except ValueError as error:
        raise ValueError(f"cannot use {name}: it is no strict JSON ({printable(str(error), 120)})") from error
    return value


def _require_few(content: bytes) -> None:
    containers = content.count(b"[") + content.count(b"{")
    if containers > MOST_CONTAINERS or containers + content.count(b",") > MOST_VALUES:
        raise ValueError(f"it holds more than {MOST_CONTAINERS:,} lists and objects or {MOST_VALUES:,} values")


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{printable(text)} is beyond the range of floating point numbers")
    return number


def _integer(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise ValueError(f"an integer has {len(text)} digits")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} is there twice")
    return made
