"""Hand-made hostile files in the safetensors format: a length, a header in JSON, and numbers."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

from tests.attack.hostile.made import Expected, Made, of_bytes, truncated

ENTRY = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
DATA = struct.pack("<4f", 1, 2, 3, 4)


def safetensors(header: Any, data: bytes = DATA, *, length: int | None = None) -> bytes:
    """A file with this header, and the length that it says it has."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def _entry(**changes: Any) -> dict[str, Any]:
    return {"w": {**ENTRY, **changes}}


FILES: dict[str, tuple[Callable[[], bytes], Expected]] = {
    "written by hand, and sound": (lambda: safetensors({"w": ENTRY}), "accepted"),
    "a header of no bytes": (lambda: struct.pack("<Q", 0) + b"{}", "refused"),
    "a header of 2^62 bytes": (lambda: safetensors({"w": ENTRY}, length=2**62), "refused"),
    "a header of 2^64 - 1 bytes": (lambda: safetensors({"w": ENTRY}, length=2**64 - 1), "refused"),
    "a header one byte short": (lambda: safetensors({"w": ENTRY}, length=len(json.dumps({"w": ENTRY})) - 1), "refused"),
    "a header of ninety million blanks": (lambda: safetensors(b"{}" + b" " * 90_000_000, b""), "refused"),
    "a header that is no JSON": (lambda: safetensors(b"{w: 1}"), "refused"),
    "a header nested a hundred thousand times": (lambda: safetensors(b'{"w":' + b"[" * 100_000), "refused"),
    "a header of objects nested a hundred thousand times": (lambda: safetensors(b'{"w":' * 100_000), "refused"),
    "a header in UTF-16": (lambda: safetensors(b"{\0" + json.dumps({"w": ENTRY}).encode("utf-16-le")), "refused"),
    "half a character for a name": (
        lambda: safetensors(b'{"\\ud800": ' + json.dumps(ENTRY).encode() + b"}"), "refused",
    ),
    "a name twice": (
        lambda: safetensors(b'{"w": %b, "w": %b}' % (2 * (json.dumps(ENTRY).encode(),))),
        None,
    ),
    "two names for the same numbers": (lambda: safetensors({"w": ENTRY, "v": ENTRY}), "refused"),
    "numbers that overlap": (
        lambda: safetensors({**_entry(), "v": {**ENTRY, "data_offsets": [8, 24]}}, DATA + DATA), "refused",
    ),
    "a gap between numbers": (
        lambda: safetensors({**_entry(), "v": {**ENTRY, "data_offsets": [20, 36]}}, DATA + DATA + DATA[:4]), "refused",
    ),
    "offsets in the wrong order": (lambda: safetensors(_entry(data_offsets=[16, 0])), "refused"),
    "an offset below zero": (lambda: safetensors(_entry(data_offsets=[-16, 0])), "refused"),
    "offsets beyond the end": (lambda: safetensors(_entry(data_offsets=[0, 10**12])), "refused"),
    "offsets whose difference overflows": (lambda: safetensors(_entry(data_offsets=[2**64 - 8, 8])), "refused"),
    "three offsets": (lambda: safetensors(_entry(data_offsets=[0, 8, 16])), "refused"),
    "more numbers than bytes": (lambda: safetensors(_entry(shape=[10**6, 10**6])), "refused"),
    "a shape whose product overflows to its size": (lambda: safetensors(_entry(shape=[2**33, 2**33, 4])), "refused"),
    "a side below zero": (lambda: safetensors(_entry(shape=[-2, -2])), "refused"),
    "a side that is a fraction": (lambda: safetensors(_entry(shape=[1.6, 2.5])), "refused"),
    "a side of 2^70": (lambda: safetensors(_entry(shape=[2**70])), "refused"),
    "a shape that is text": (lambda: safetensors(_entry(shape="2x2")), "refused"),
    "no numbers in a vast shape": (lambda: safetensors(_entry(shape=[0, 2**62], data_offsets=[0, 0]), b""), None),
    "a header whose length begins as a pickle does": (
        lambda: safetensors(json.dumps({"w": ENTRY}).encode().ljust(128)), "accepted",
    ),
    "sixty thousand sides": (lambda: safetensors(_entry(shape=[1] * 60_000, data_offsets=[0, 4]), DATA[:4]), None),
    "a dtype that nobody knows": (lambda: safetensors(_entry(dtype="F31")), "refused"),
    "a dtype of half a byte": (lambda: safetensors(_entry(dtype="F4", shape=[32])), None),
    "a dtype that is null": (lambda: safetensors(_entry(dtype=None)), "refused"),
    "metadata that is no text": (lambda: safetensors({"__metadata__": {"a": 1}, "w": ENTRY}), "refused"),
    "metadata for a megabyte": (lambda: safetensors({"__metadata__": {"a": "x" * 10**6}, "w": ENTRY}), "accepted"),
    "no tensors": (lambda: safetensors({}, b""), "refused"),
    "numbers that no name has": (lambda: safetensors({"w": ENTRY}, DATA + b"more"), "refused"),
    "a number that is none": (lambda: safetensors({"w": ENTRY}, struct.pack("<4f", 1, float("nan"), 1, 1)), "refused"),
    "an infinite number": (lambda: safetensors({"w": ENTRY}, struct.pack("<4f", 1, 1, float("inf"), 1)), "refused"),
    "numbers in the other order of bytes, which nobody can know": (
        lambda: safetensors({"w": ENTRY}, struct.pack(">4f", 1, 2, 3, 4)), "accepted",
    ),
    "an infinite number of eight bits": (
        lambda: safetensors(_entry(dtype="F8_E5M2", shape=[16]), b"\x7c" * 16), "refused",
    ),
    "a name that clears the screen": (lambda: safetensors({"\x1b[2J": {**ENTRY, "shape": [3]}}), "refused"),
    "a name of a megabyte": (lambda: safetensors({"w" * 10**6: ENTRY}), "accepted"),
    "a hundred thousand tensors without numbers": (
        lambda: safetensors({str(n): {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for n in range(10**5)}, b""),
        None,
    ),
}  # fmt: skip


def made_safetensors() -> Iterator[Made]:
    """Every hand-made safetensors file."""
    for label, (content, expected) in FILES.items():
        yield of_bytes("weights, safetensors", label, content, expected)
    yield from truncated("weights, safetensors", 8)
