"""Weights read from a file that may come from anyone: nothing in it is run, and no more memory taken than it is large.

Two formats: safetensors, and what `torch.save` writes of a state dict. Of the latter the pickle is first followed
without being carried out (`sim.cnn.pickled_weights`), and the archive held to the form in which every reader of zip
files sees the same; then PyTorch's restricted unpickler (`weights_only=True`) reads it.
"""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import re
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from sim.cnn.pickled_weights import MoreThanWeights, read_pickle
from sim.errors import printable

KEYS = ("model", "state_dict", "model_state_dict")
"""Where a checkpoint keeps its state dict."""

LARGEST_HEADER = 4 * 2**20
"""Bytes of the names and shapes in a safetensors file; a network of ten thousand tensors takes one million."""
MOST_ENTRIES = 2**17
MOST_SIDES = 64
"""Of a tensor: PyTorch's own limit for what it can calculate with."""

_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""A pickle of torch's magic number, by which files from before its zip format begin."""
_DAMAGED = (
    zipfile.BadZipFile,
    UnicodeDecodeError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    struct.error,
)
"""What Python's reader of zip files raises of damaged ones."""
_HOW = "save model.state_dict() instead, with torch.save or safetensors"


@dataclass(frozen=True, eq=False)
class WeightsFile:
    """A state dict, name -> tensor on the CPU, with the name of its file and the SHA-256 of its bytes."""

    name: str
    sha256: str
    tensors: Mapping[str, Tensor]


def read_weights(path: str | os.PathLike[str]) -> WeightsFile:
    """The state dict in a file, or under "model", "state_dict" or "model_state_dict" in it.

    Raises ValueError that says what is wrong: no such file, a folder, empty, damaged, another format, code instead of
    weights, more numbers declared than the file holds, NaN or infinity, no state dict.
    """
    name = os.fspath(path)
    start, size = _examine(name)
    if start[:4] == b"PK\x03\x04":
        content = _unpickled(name, _require_plain_archive(name, size), size)
    elif start.startswith(_LEGACY):
        content = _unpickled(name, _legacy_storages(name), size)
    elif start[8:9] == b"{" and (start[:1] != b"\x80" or 8 + int.from_bytes(start[:8], "little") <= size):
        content = _safetensors(name, start)
    elif start[:1] == b"\x80":
        raise ValueError(f"cannot use {name!r}: it is a Python pickle, which could run code when read; {_HOW}")
    else:
        raise ValueError(f"cannot use {name!r}: it is neither a safetensors file nor one that torch.save wrote")
    tensors = _state_dict(content, name)
    _require_bounded(tensors, name, size)
    _require_finite(tensors, name)
    with open(name, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return WeightsFile(os.path.basename(name), digest, tensors)


def is_plain(tensor: Tensor) -> bool:
    """Whether a tensor holds its real numbers one by one: not sparse, packed, quantised, complex or without any."""
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_nested or tensor.dtype == torch.float4_e2m1fn_x2:
        return False
    return not tensor.is_quantized and not tensor.is_complex()


def _examine(name: str) -> tuple[bytes, int]:
    """First bytes and size."""
    if os.path.isdir(name):
        raise ValueError(f"cannot read {name!r}: it is a folder, not a file of weights")
    if os.path.exists(name) and not os.path.isfile(name):
        # a pipe would wait for ever
        raise ValueError(f"cannot read {name!r}: it is not a regular file")
    try:
        with open(name, "rb") as file:
            start = file.read(512)
            size = file.seek(0, os.SEEK_END)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ValueError(f"cannot read {name!r}: {reason[:1].lower()}{reason[1:]}") from error
    if not start:
        raise ValueError(f"cannot use {name!r}: it is empty")
    return start, size


def _require_plain_archive(name: str, size: int) -> dict[str, int]:
    """The storages that an archive's pickle refers to.

    torch stores entries as they are: a compressed or overlapping one would unfold to more than the file holds.
    """
    try:
        _require_one_directory(name, size)
        with zipfile.ZipFile(name) as archive:
            entries = archive.infolist()
            names = [entry.filename.lower() for entry in entries]
            kept = {other.rpartition("/")[2] for other in names}
            pickles = [entry for entry in entries if entry.filename.lower().endswith("data.pkl")]
            if "constants.pkl" in kept:
                raise ValueError(f"cannot use {name!r}: it is a TorchScript program, not weights; {_HOW}")
            if not pickles:
                raise ValueError(f"cannot use {name!r}: it is a zip archive that torch.save did not write")
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
            if not stored or sum(max(entry.file_size, entry.compress_size) for entry in entries) > size:
                raise ValueError(
                    f"cannot use {name!r}: its entries are compressed or overlap, which torch.save does not do, and "
                    "would unfold to more than the file holds"
                )
            if len(pickles) > 1 or len({*names}) < len(names) or len({other.split("/")[0] for other in names}) > 1:
                raise ValueError(f"cannot use {name!r}: its entries are not in one folder, each once, as of torch.save")
            content = archive.read(pickles[0])
    except _DAMAGED as error:
        raise ValueError(
            f"cannot use {name!r}: it is damaged, probably truncated ({printable(str(error) or 'no memory')})"
        ) from error
    return _followed(io.BytesIO(content), name)[1]


def _require_one_directory(name: str, size: int) -> None:
    """Another reader could find another directory, and other entries, unless it is at the end and in one piece."""
    with open(name, "rb") as file:
        file.seek(max(0, size - 98))
        tail = file.read(98).rjust(98, b"\0")
    signature, entries, length, start, comment = struct.unpack("<4s6xHIIH", tail[-22:])
    end = size - 22
    if tail[-42:-38] == b"PK\x06\x07":
        end = size - 98
        at, record = struct.unpack("<8xQ4x", tail[-42:-22])[0], tail[:56]
        signature = signature if record[:4] == b"PK\x06\x06" and at == end else b""
        entries, length, start = struct.unpack("<32xQQQ", record)
    if signature != b"PK\x05\x06" or comment or start + length != end:
        raise zipfile.BadZipFile("no directory of its entries at its end")
    if entries > MOST_ENTRIES:
        raise zipfile.BadZipFile(f"{entries:,} entries are more than {MOST_ENTRIES:,}")


def _legacy_storages(name: str) -> dict[str, int]:
    """The storages that a file from before the zip format refers to, all of which follow after its pickles."""
    with open(name, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        with suppress(tarfile.HeaderError):
            tarfile.TarInfo.frombuf(content[:512], "ascii", "surrogateescape")
            raise ValueError(f"cannot use {name!r}: it is a tar archive; {_HOW}")
        for _ in range(3):
            _followed(content, name)
        _, storages = _followed(content, name)
        keys, _ = _followed(content, name)
        if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages):
            raise ValueError(f"cannot use {name!r}: it is damaged: storages that it refers to are not in it")
    return storages


def _followed(stream: io.BytesIO | mmap.mmap, name: str) -> tuple[object, dict[str, int]]:
    try:
        return read_pickle(stream)
    except MoreThanWeights as error:
        what = f"to read it would be to run {printable(error.called)}" if error.called else str(error)
        raise ValueError(f"cannot use {name!r}: it holds more than weights: {what}; {_HOW}") from error
    except ValueError as error:
        raise ValueError(f"cannot use {name!r}: it is damaged, probably truncated ({printable(str(error))})") from error


def _unpickled(name: str, storages: Mapping[str, int], size: int) -> object:
    if sum(storages.values()) > size:
        raise ValueError(f"cannot use {name!r}: it is damaged: it declares more numbers than the file holds")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(name, map_location="cpu", weights_only=True)
    except Exception as error:
        # what a hostile or damaged file can raise in there has no bound
        raise ValueError(f"cannot use {name!r}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    text = str(error)
    if "WeightsUnpickler" in text or "weights_only" in text or "Weights only" in text:
        return f"it holds more than weights, which is not read since it could run code; {_HOW}"
    what = printable(text.splitlines()[0] if text else type(error).__name__)
    return f"it is damaged, probably truncated ({type(error).__name__}: {what})"


def _safetensors(name: str, start: bytes) -> dict[str, Tensor]:
    length = int.from_bytes(start[:8], "little")
    if length > LARGEST_HEADER:
        raise ValueError(
            f"cannot use {name!r}: it is no whole safetensors file (a header of {length:,} bytes is longer than "
            f"{LARGEST_HEADER:,})"
        )
    try:
        with safe_open(name, framework="pt", device="cpu") as file:
            # the format sorts by dtype and then as text, layer 10 before layer 2
            names = sorted(file.keys(), key=_natural)
            for key in names:
                if len(file.get_slice(key).get_shape()) > MOST_SIDES:
                    raise RuntimeError(f"{key!r} has more than {MOST_SIDES} sides")
            return {key: file.get_tensor(key) for key in names}
    except (SafetensorError, OSError, RuntimeError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"cannot use {name!r}: it is no whole safetensors file ({printable(str(error))})") from error


def _natural(name: str) -> list[int | str]:
    """Text and numbers of a name in turn, so that numbers sort by their size."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"(\d{1,9})", name))]


def _state_dict(content: object, name: str) -> dict[str, Tensor]:
    candidates = [*(content[key] for key in KEYS if key in content), content] if isinstance(content, Mapping) else []
    for candidate in candidates:
        if isinstance(candidate, Mapping):
            # a pickle can put something else in the place of a dict's own method
            items = dict.items(candidate) if isinstance(candidate, dict) else candidate.items()
            tensors = {k: v for k, v in items if isinstance(k, str) and isinstance(v, Tensor)}
            if tensors:
                return tensors
    if isinstance(content, Mapping):
        held = ", ".join(printable(str(key), 20) for key in list(content)[:6])
        held = f"a mapping with {held or 'nothing'}"
    else:
        held = f"a {type(content).__name__}"
    raise ValueError(
        f"cannot use {name!r}: it must hold a state dict (name -> tensor), by itself or under "
        f"{', '.join(map(repr, KEYS))}, got {held}"
    )


def _require_bounded(tensors: Mapping[str, Tensor], name: str, size: int) -> None:
    """Strides of zero make a few numbers look like many, and a tensor may be made without any."""
    for key, tensor in tensors.items():
        if not is_plain(tensor):
            continue
        if tensor.ndim > MOST_SIDES:
            raise ValueError(f"cannot use {name!r}: {printable(key)!r} has more than {MOST_SIDES} sides")
        held = tensor.untyped_storage().nbytes()
        if tensor.numel() * tensor.element_size() > held or held > size:
            raise ValueError(
                f"cannot use {name!r}: {printable(key)!r} of shape {tuple(tensor.shape)} declares more numbers than "
                "the file holds"
            )


def _require_finite(tensors: Mapping[str, Tensor], name: str) -> None:
    for key, tensor in tensors.items():
        if not is_plain(tensor) or not tensor.is_floating_point():
            continue
        # in float64, since PyTorch cannot tell for every dtype of eight bits
        numbers = tensor.detach().reshape(-1)
        for start in range(0, len(numbers), 2**20):
            if not bool(torch.isfinite(numbers[start : start + 2**20].to(torch.float64)).all()):
                raise ValueError(
                    f"cannot use {name!r}: weights must be finite, got NaN or infinity in {printable(key)!r}"
                )
