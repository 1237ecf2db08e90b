from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim import json_files
from sim.correlation import exponential_correlation
from sim.known import KnownCorrelation, find_correlation, known_correlations, read_correlation

R = exponential_correlation(3, 0.6)
ERROR = np.where(np.eye(9) > 0, 0.0, 0.01)


def record(**changed: Any) -> dict[str, Any]:
    whole = {"format": 1, "R": R.tolist(), "bootstrap_error": ERROR.tolist(), "provenance": {"network": "none"}}
    return {**whole, **changed}


def written(folder: Path, content: object) -> Path:
    path = folder / "given.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_what_is_written_is_read_to_the_last_bit(tmp_path: Path) -> None:
    path = written(tmp_path, KnownCorrelation(R, ERROR, {"network": "none", "data": "ü"}).to_json())
    found = read_correlation(path)
    assert np.array_equal(found.R, R)
    assert np.array_equal(found.bootstrap_error, ERROR)
    assert found.provenance == {"network": "none", "data": "ü"}
    assert found.k == 3
    assert not found.R.flags.writeable
    assert np.array_equal(find_correlation(path).R, find_correlation(str(path)).R)


def test_names_are_those_of_the_packaged_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "blurred.json").write_text(KnownCorrelation(R, ERROR, {}).to_json())
    (tmp_path / "data" / "readme.txt").write_text("")
    monkeypatch.setattr("sim.known.resources.files", lambda package: tmp_path)
    assert known_correlations() == ("blurred",)
    assert np.array_equal(find_correlation("blurred").R, R)
    with pytest.raises(
        ValueError, match=r"known correlation \('blurred'\) or a file .* got 'blured'; did you mean 'blurred'\?"
    ):
        find_correlation("blured")


def test_no_name_is_known_where_nothing_is_packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.known.resources.files", lambda package: tmp_path)
    assert known_correlations() == ()
    with pytest.raises(ValueError, match="none in this installation"):
        find_correlation("any")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it is no strict JSON"),
        ("{", "it is no strict JSON"),
        ("[" * 100_000, "it is no strict JSON"),
        ([1, 2], "must hold format, R, bootstrap_error and provenance"),
        ({"R": R.tolist()}, "must hold format, R, bootstrap_error and provenance"),
        (record(format=2), "format must be 1, got 2"),
        (record(R=(2 * R).tolist()), "R must have ones on its diagonal"),
        (record(R=np.eye(8).tolist(), bootstrap_error=np.zeros((8, 8)).tolist()), r"R must be k\^2 x k\^2"),
        (record(R=[[1, "a"], ["a", 1]]), "R must hold real numbers"),
        (record(R={}), "R must hold real numbers"),
        (record(R=[[10**299]]), "R must have ones on its diagonal"),
        (record(format=True), "format must be 1, got True"),
        (record(bootstrap_error=np.zeros((4, 4)).tolist()), r"bootstrap_error must have shape \(9, 9\), got \(4, 4\)"),
        (record(bootstrap_error=(-ERROR).tolist()), "bootstrap_error must be non-negative"),
        (record(provenance="me"), "provenance must be a mapping, got str"),
        (json.dumps(record()).replace("0.01", "NaN", 1), "NaN is no number"),
    ],
)  # fmt: skip
def test_other_files_are_refused_with_their_name(tmp_path: Path, content: object, message: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ValueError, match=message) as refusal:
        read_correlation(path)
    assert repr(str(path)) in str(refusal.value)


def test_what_is_no_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="no such file"):
        read_correlation(tmp_path / "missing.json")
    with pytest.raises(ValueError, match="it is a folder"):
        read_correlation(tmp_path)
    monkeypatch.setattr(json_files, "LARGEST", 100)
    with pytest.raises(ValueError, match="it is larger than"):
        read_correlation(written(tmp_path, record()))


def test_a_provenance_with_nan_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        KnownCorrelation(R, ERROR, {"accuracy": float("nan")}).to_json()
