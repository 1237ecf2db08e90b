"""Correlation matrices of trained filters, by name where they ship with the package, and as JSON files anywhere.

A file holds `{"format": 1, "R": ..., "bootstrap_error": ..., "provenance": {...}}`: R (k^2, k^2) over the pixels of
k x k filters, row by row, the standard error of each entry, and where it comes from. `filterlaw diagnose WEIGHTS
--correlation FILE` writes such files.
"""

from __future__ import annotations

import difflib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from sim.arrays import FloatArray, frozen_copy
from sim.errors import printable, require_correlation_matrix, require_non_negative, require_shape
from sim.json_files import parse_json, read_json

FORMAT = 1


@dataclass(frozen=True, eq=False)
class KnownCorrelation:
    """R (k^2, k^2) of k x k filters, the bootstrap standard error of each entry (k^2, k^2), and where R comes from.

    Raises ValueError unless R is a correlation matrix of square filters and the errors fit it.
    """

    R: FloatArray
    bootstrap_error: FloatArray
    provenance: Mapping[str, Any]

    def __post_init__(self) -> None:
        matrix = require_correlation_matrix(self.R, "R")
        if math.isqrt(len(matrix)) ** 2 != len(matrix):
            raise ValueError(f"R must be k^2 x k^2 for the pixels of k x k filters, got {matrix.shape}")
        errors = require_shape(
            require_non_negative(self.bootstrap_error, "bootstrap_error"), "bootstrap_error", matrix.shape
        )
        if not isinstance(self.provenance, Mapping):
            raise TypeError(f"provenance must be a mapping, got {type(self.provenance).__name__}")
        object.__setattr__(self, "R", frozen_copy(matrix))
        object.__setattr__(self, "bootstrap_error", frozen_copy(errors))

    @property
    def k(self) -> int:
        """Width of the filters."""
        return math.isqrt(len(self.R))

    def to_json(self) -> str:
        """The text of a file that `read_correlation` reads. Raises ValueError if the provenance holds NaN."""
        record = {
            "format": FORMAT,
            "R": self.R.tolist(),
            "bootstrap_error": self.bootstrap_error.tolist(),
            "provenance": dict(self.provenance),
        }
        return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def known_correlations() -> tuple[str, ...]:
    """The names of the matrices that ship with the package, in alphabetical order."""
    folder = resources.files("sim") / "data"
    if not folder.is_dir():
        return ()
    return tuple(sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")))


def find_correlation(source: str | os.PathLike[str]) -> KnownCorrelation:
    """The matrix of this name, or in this file, if it is a path or ends in ".json".

    Raises ValueError for a name that is not known, with those that are, and for a file that `read_correlation` refuses.
    """
    if not isinstance(source, str) or source.endswith(".json"):
        return read_correlation(source)
    names = known_correlations()
    if source not in names:
        near = difflib.get_close_matches(source, names, n=1, cutoff=0.4)
        listed = ", ".join(map(repr, names)) or "none in this installation"
        raise ValueError(
            f"R must be the name of a known correlation ({listed}) or a file ending in .json, got {source!r}"
            + (f"; did you mean {near[0]!r}?" if near else "")
        )
    content = (resources.files("sim") / "data" / f"{source}.json").read_bytes()
    return _correlation(parse_json(content, repr(source)), source)


def read_correlation(path: str | os.PathLike[str]) -> KnownCorrelation:
    """The matrix in a JSON file. Raises ValueError, with the path, for a missing file and for one that holds none."""
    return _correlation(read_json(path), os.fspath(path))


def _correlation(record: Any, name: str) -> KnownCorrelation:
    if not isinstance(record, dict) or not {"format", "R", "bootstrap_error", "provenance"} <= record.keys():
        raise ValueError(
            f"cannot use {name!r}: it must hold format, R, bootstrap_error and provenance, as `filterlaw diagnose "
            "--correlation` writes them"
        )
    if record["format"] is True or record["format"] != FORMAT:
        raise ValueError(f"cannot use {name!r}: its format must be {FORMAT}, got {printable(repr(record['format']))}")
    try:
        return KnownCorrelation(record["R"], record["bootstrap_error"], record["provenance"])
    except (ValueError, TypeError) as error:
        raise ValueError(f"cannot use {name!r}: {error}") from error
