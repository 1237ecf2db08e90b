"""Files that are not what they seem: code in a pickle, archives changed by hand, headers that promise too much."""

from __future__ import annotations

import json
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import torch


class Code:
    """An object whose pickle makes a folder when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


class Room:
    """An object whose pickle makes room for many numbers that are not in the file."""

    def __reduce__(self) -> Any:
        return torch.FloatTensor, (10**6,)


def with_code(path: Path, trace: Path, *, legacy: bool = False) -> Path:
    """A file of torch.save with code beside the weights."""
    content = {"conv.weight": torch.ones(1, 1, 1, 1), "extra": Code(trace)}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def plain_pickle(path: Path, trace: Path) -> Path:
    """A Python pickle, written by hand, that makes a folder."""
    name = str(trace).encode()
    path.write_bytes(b"\x80\x02cposix\nmkdir\nX" + struct.pack("<I", len(name)) + name + b"\x85R.")
    return path


def rewritten(source: Path, path: Path, change: Any, *, compression: int = zipfile.ZIP_STORED) -> Path:
    """An archive whose entries are change(name, content) of those of another."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", compression) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry.filename)))
    return path


def safetensors_header(path: Path, header: Any, data: bytes = b"", *, length: int | None = None) -> Path:
    """A safetensors file with this header, and the length that it says it has."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path
