"""Compiled functions work where the compiled code cannot be stored, or what is stored is damaged."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numba
import pytest
from numba.core import caching

from sim.compiled import njit

SOURCE = "from sim.compiled import njit\n\n\n@njit(cache=True)\ndef twice(x):\n    return 2 * x\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module that has a compiled function; its code is stored beside it."""
    monkeypatch.setattr("numba.core.config.CACHE_DIR", "")
    (tmp_path / "kernels.py").write_text(SOURCE)
    return tmp_path


def imported(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("kernels", folder / "kernels.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stored(folder: Path) -> list[Path]:
    return sorted((folder / "__pycache__").glob("*.nb*"))


def test_code_is_stored_and_taken_up(folder: Path) -> None:
    assert imported(folder).twice(2) == 4
    assert len(stored(folder)) == 2
    again = imported(folder)
    assert again.twice(2) == 4
    assert sum(again.twice.stats.cache_hits.values()) == 1


@pytest.mark.parametrize("name", ["nbi", "nbc"])
def test_a_damaged_store_is_passed_over(folder: Path, name: str) -> None:
    imported(folder).twice(2)
    for path in stored(folder):
        if path.suffix == f".{name}":
            path.write_bytes(path.read_bytes()[:5])
    assert imported(folder).twice(2) == 4


def test_a_full_disk_is_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)
    assert imported(folder).twice(2) == 4
    assert stored(folder) == []


def test_no_folder_for_it_is_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a package that only root may write to, run by one without a home."""
    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator available"):
        numba.njit(cache=True)(lambda x: x)
    assert imported(folder).twice(2) == 4


def test_other_errors_are_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("of another kind")

    monkeypatch.setattr(numba, "njit", broken)
    with pytest.raises(RuntimeError, match="of another kind"):
        njit(cache=True)(lambda x: x)
