"""Weights read from a file that may come from anyone: nothing in it is run, and no more memory taken than it is large.

Two formats: safetensors, and what `torch.save` writes of a state dict, read by PyTorch's restricted unpickler
(`weights_only=True`), which knows tensors and plain containers and refuses everything else.
"""

from __future__ import annotations

import hashlib
import os
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from sim.errors import printable

KEYS = ("model", "state_dict", "model_state_dict")
"""Where a checkpoint keeps its state dict."""

_LEGACY = b"\xfc\x9cF\xf9 j\xa8P\x19"
"""torch's magic number, by which files from before its zip format begin."""
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
    weights, more numbers declared than the file holds, no state dict.
    """
    name = os.fspath(path)
    digest, start, size = _examine(name)
    if start[:4] == b"PK\x03\x04":
        _require_plain_archive(name, size)
        content = _unpickled(name)
    elif _LEGACY in start:
        content = _unpickled(name)
    elif start[:1] == b"\x80":
        raise ValueError(f"cannot use {name!r}: it is a Python pickle, which could run code when read; {_HOW}")
    elif len(start) > 8 and start[8:9] == b"{":
        content = _safetensors(name)
    else:
        raise ValueError(f"cannot use {name!r}: it is neither a safetensors file nor one that torch.save wrote")
    tensors = _state_dict(content, name)
    _require_bounded(tensors, name, size)
    return WeightsFile(os.path.basename(name), digest, tensors)


def is_plain(tensor: Tensor) -> bool:
    """Whether a tensor holds its real numbers one by one: not sparse, nested, quantised, complex or without any."""
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_nested:
        return False
    return not tensor.is_quantized and not tensor.is_complex()


def _examine(name: str) -> tuple[str, bytes, int]:
    """SHA-256, first bytes and size."""
    if Path(name).is_dir():
        raise ValueError(f"cannot read {name!r}: it is a folder, not a file of weights")
    if Path(name).exists() and not Path(name).is_file():
        # a pipe would wait for ever
        raise ValueError(f"cannot read {name!r}: it is not a regular file")
    try:
        with open(name, "rb") as file:
            start = file.read(64)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ValueError(f"cannot read {name!r}: {reason[:1].lower()}{reason[1:]}") from error
    if not start:
        raise ValueError(f"cannot use {name!r}: it is empty")
    return digest, start, size


def _require_plain_archive(name: str, size: int) -> None:
    """torch stores entries as they are: a compressed or overlapping one would unfold to more than the file holds."""
    try:
        with zipfile.ZipFile(name) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ValueError(f"cannot use {name!r}: it is damaged, probably truncated ({error})") from error
    if any(Path(entry.filename).name == "constants.pkl" for entry in entries):
        raise ValueError(f"cannot use {name!r}: it is a TorchScript program, not weights; {_HOW}")
    if not any(Path(entry.filename).name == "data.pkl" for entry in entries):
        raise ValueError(f"cannot use {name!r}: it is a zip archive that torch.save did not write")
    stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
    if not stored or sum(max(entry.file_size, entry.compress_size) for entry in entries) > size:
        raise ValueError(
            f"cannot use {name!r}: its entries are compressed or overlap, which torch.save does not do, and would "
            "unfold to more than the file holds"
        )


def _unpickled(name: str) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(name, map_location="cpu", weights_only=True)
    except Exception as error:
        # what a hostile or damaged file can raise in there has no bound
        raise ValueError(f"cannot use {name!r}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    text = str(error)
    found = re.search(r"GLOBAL\s+(\S+)", text)
    if found:
        called = printable(found.group(1).rstrip(".,`'"))
        return f"it holds more than weights: to read it would be to run {called}; {_HOW}"
    if "WeightsUnpickler" in text or "weights_only" in text or "Weights only" in text:
        return f"it holds more than weights, which is not read since it could run code; {_HOW}"
    what = printable(text.splitlines()[0] if text else type(error).__name__)
    return f"it is damaged, probably truncated ({type(error).__name__}: {what})"


def _safetensors(name: str) -> dict[str, Tensor]:
    try:
        with safe_open(name, framework="pt", device="cpu") as file:
            # the format sorts by dtype and then as text, layer 10 before layer 2
            return {key: file.get_tensor(key) for key in sorted(file.keys(), key=_natural)}
    except (SafetensorError, OSError, RuntimeError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"cannot use {name!r}: it is no whole safetensors file ({printable(str(error))})") from error


def _natural(name: str) -> list[int | str]:
    """Text and numbers of a name in turn, so that numbers sort by their size."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"(\d{1,9})", name))]


def _state_dict(content: object, name: str) -> dict[str, Tensor]:
    candidates = [*(content[key] for key in KEYS if key in content), content] if isinstance(content, Mapping) else []
    for candidate in candidates:
        if isinstance(candidate, Mapping):
            tensors = {k: v for k, v in candidate.items() if isinstance(k, str) and isinstance(v, Tensor)}
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
        held = tensor.untyped_storage().nbytes()
        if tensor.numel() * tensor.element_size() > held or held > size:
            raise ValueError(
                f"cannot use {name!r}: {printable(key)!r} of shape {tuple(tensor.shape)} declares more numbers than "
                "the file holds"
            )
