"""Whole files damaged at random: bits, bytes, lengths, pieces; each mutation is drawn from a seed of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

TELLING = (0, 1, 0x7F, 0x80, 0xFF, 0x2E, 0x30, 0x52, 0x65, 0x7D)
"""Bytes that mean much: ends of ranges, a pickle's stop, call and exponent, a closing brace."""
NUMBERS = (b"-1", b"NaN", b"1e999", b"-0.0", b"1e-999", b"9" * 400, b"null", b"true", b"[]", b"{}", b'""', b'"\\ud800"')


def damaged(whole: bytes, rng: np.random.Generator) -> bytes:
    """The file with one to four mutations."""
    content = whole
    for _ in range(rng.integers(1, 5)):
        content = MUTATIONS[rng.integers(len(MUTATIONS))](content, rng)
    return content


def _flipped(content: bytes, rng: np.random.Generator) -> bytes:
    """One to eight bits turned over."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 9) if changed else 0):
        changed[rng.integers(len(changed))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _written_over(content: bytes, rng: np.random.Generator) -> bytes:
    """A few bytes in a row put in the place of others."""
    start, count = _place(content, rng), int(rng.integers(1, 9))
    new = rng.integers(0, 256, count, dtype=np.uint8).tobytes() if rng.random() < 0.5 else _telling(rng) * count
    return content[:start] + new + content[start + count :]


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    """The end gone, or the beginning."""
    place = _place(content, rng)
    return content[:place] if rng.random() < 0.8 else content[place:]


def _removed(content: bytes, rng: np.random.Generator) -> bytes:
    """A piece taken out."""
    start = _place(content, rng)
    return content[:start] + content[start + int(rng.integers(1, 65)) :]


def _repeated(content: bytes, rng: np.random.Generator) -> bytes:
    """A piece put in again, somewhere, up to 200 times."""
    start, at = _place(content, rng), _place(content, rng)
    piece = content[start : start + int(rng.integers(1, 65))]
    return content[:at] + piece * int(rng.choice([1, 1, 2, 200])) + content[at:]


def _exchanged(content: bytes, rng: np.random.Generator) -> bytes:
    """Two pieces in each other's place."""
    first, second = sorted((_place(content, rng), _place(content, rng)))
    length = int(rng.integers(1, 33))
    a, b = content[first : first + length], content[second : second + length]
    if second < first + length:
        return content
    return content[:first] + b + content[first + length : second] + a + content[second + length :]


def _length_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """A field of two, four or eight bytes, as lengths and offsets are, made small, huge, or one off."""
    width = int(rng.choice([2, 4, 8]))
    start = _place(content, rng)
    field = int.from_bytes(content[start : start + width], "little")
    most = 2 ** (8 * width)
    new = [field + 1, field - 1, 2 * field, 0, most - 1, most // 2, field + 2**16, len(content)][rng.integers(8)]
    return content[:start] + (new % most).to_bytes(width, "little") + content[start + width :]


def _number_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """What stands between two separators of JSON exchanged for something else."""
    start = content.find(b" ", _place(content, rng)) + 1
    end = min((found for mark in b",\n]}" if (found := content.find(mark, start)) >= 0), default=len(content))
    return content[:start] + NUMBERS[rng.integers(len(NUMBERS))] + content[end:]


def _place(content: bytes, rng: np.random.Generator) -> int:
    return int(rng.integers(len(content) + 1))


def _telling(rng: np.random.Generator) -> bytes:
    return bytes([TELLING[rng.integers(len(TELLING))]])


MUTATIONS: tuple[Callable[[bytes, np.random.Generator], bytes], ...] = (
    _flipped,
    _flipped,
    _written_over,
    _cut,
    _removed,
    _repeated,
    _exchanged,
    _length_changed,
    _length_changed,
    _number_changed,
)
