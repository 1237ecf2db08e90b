"""JSON of strangers: what is strict and finite is read, and everything else is one clear error."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from sim import json_files
from sim.json_files import parse_json, read_json


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": [1, -2.5e3, null, true], "\\u00e9": "\\ud83d\\ude00"}', {"a": [1, -2500.0, None, True], "é": "😀"}),
        ("\ufeff[1]".encode(), [1]),
        (b"9" * json_files.LONGEST_INTEGER, 10**json_files.LONGEST_INTEGER - 1),
        (b"[" * 500 + b"]" * 500, None),
    ],
)
def test_strict_json_is_read(content: bytes, value: object) -> None:
    found = parse_json(content, "x")
    assert value is None or found == value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Expecting value"),
        (b"[1,]", "Expecting value"),
        (b'{"a": NaN}', "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"[1e999]", "1e999 is beyond the range of floating point numbers"),
        (b"[" + b"9" * 5000 + b"]", "an integer has 5000 digits"),
        (b'{"a": 1, "b": 2, "a": 1}', "the key 'a' is there twice"),
        (b'["\\ud800"]', "its text is not in UTF-8"),
        (b'["\xff"]', "its text is not in UTF-8"),
        ("[1]".encode("utf-16"), "its text is not in UTF-8"),
        (b"[" * 100_000, "it is nested too deep"),
        (b"[" + b"[]," * 2**18 + b"[]]", "it holds more than 262,144 lists and objects"),
        (b"[" + b"[],{}," * 2**17 + b"[]]", "it holds more than 262,144 lists and objects"),
        (b"[" + b"1," * 2**21 + b"1]", "or 2,097,152 values"),
    ],
)
def test_anything_else_is_refused_by_name(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^cannot use x: it is no strict JSON \(.*{re.escape(message)}.*\)$"):
        parse_json(content, "x")


@pytest.mark.parametrize(("most", "allowed"), [((2, 9), "[{}]"), ((9, 4), "[1, [2, 3]]")])
def test_as_much_as_may_be_is_read(most: tuple[int, int], allowed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(("MOST_CONTAINERS", "MOST_VALUES"), most, strict=True):
        monkeypatch.setattr(json_files, name, value)
    assert parse_json(allowed.encode(), "x") is not None
    with pytest.raises(ValueError, match=f"it holds more than {most[0]} lists and objects or {most[1]} values"):
        parse_json(f"{allowed[:-1]}, []]".encode(), "x")


def test_only_regular_files_of_bounded_size_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    os.mkfifo(tmp_path / "pipe")
    for other, message in (
        (tmp_path / "none", "no such file or directory"),
        (tmp_path, "it is a folder"),
        (tmp_path / "pipe", "it is not a regular file"),
        ("/dev/zero", "it is not a regular file"),
        (tmp_path / ("x" * 300), "file name too long"),
        ("nul\0byte", "embedded null byte"),
    ):
        with pytest.raises(ValueError, match=rf"^cannot read thing {re.escape(repr(str(other)))}: {message}$"):
            read_json(other, "thing")
    path.write_bytes(b"[1, 2]")
    assert read_json(path) == [1, 2]
    monkeypatch.setattr(json_files, "LARGEST", 2**18)
    path.write_bytes(b"1" + b" " * (2**18 - 1))
    assert read_json(path) == 1
    path.write_bytes(b"1" + b" " * 2**18)
    with pytest.raises(ValueError, match=r"^cannot read '.*x\.json': it is larger than 0\.25 MiB$"):
        read_json(path)
