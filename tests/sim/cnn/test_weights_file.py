from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from sim.cnn.weights_file import read_weights
from tests.sim.cnn.hostile import Room, plain_pickle, rewritten, safetensors_header, with_code

ROOT = Path(__file__).parents[3]


def state() -> dict[str, torch.Tensor]:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1).bfloat16())
    return dict(model.state_dict())


def saved(path: Path, content: Any, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


@pytest.mark.parametrize("key", [None, "model", "state_dict", "model_state_dict"])
@pytest.mark.parametrize("legacy", [False, True])
def test_what_torch_saves_is_read(tmp_path: Path, key: str | None, legacy: bool) -> None:
    weights = state()
    content = weights if key is None else {key: weights, "epoch": 3, "step": torch.tensor(1.0)}
    path = saved(tmp_path / "w.pt", content, _use_new_zipfile_serialization=not legacy)
    found = read_weights(path)
    assert found.name == "w.pt"
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert list(found.tensors) == list(weights)
    assert all(torch.equal(found.tensors[name], weights[name]) for name in weights)


def test_safetensors_are_read_in_the_order_of_numbers(tmp_path: Path) -> None:
    names = [f"block.{n}.conv{m}.weight" for n in (0, 2, 10) for m in (1, 2)]
    weights = {name: torch.full((2, 2), float(n)) for n, name in enumerate(names)}
    save_file(weights, tmp_path / "w.safetensors")
    found = read_weights(str(tmp_path / "w.safetensors"))
    assert list(found.tensors) == names
    assert all(torch.equal(found.tensors[name], weights[name]) for name in names)


@pytest.mark.parametrize("legacy", [False, True])
def test_code_is_named_and_not_run(tmp_path: Path, legacy: bool) -> None:
    path = with_code(tmp_path / "evil.pt", tmp_path / "trace", legacy=legacy)
    with pytest.raises(
        ValueError, match=r"to read it would be to run posix\.mkdir; save model\.state_dict\(\) instead"
    ):
        read_weights(path)
    assert not (tmp_path / "trace").exists()
    assert b"mkdir" in path.read_bytes()


def test_a_bare_pickle_is_not_run(tmp_path: Path) -> None:
    path = plain_pickle(tmp_path / "w.pkl", tmp_path / "trace")
    with pytest.raises(ValueError, match="it is a Python pickle, which could run code when read"):
        read_weights(path)
    assert not (tmp_path / "trace").exists()


def test_a_pickled_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = saved(tmp_path / "model.pt", nn.Conv2d(1, 1, 1))
    with pytest.raises(
        ValueError, match=r"to run torch\.nn\.modules\.conv\.Conv2d; save model\.state_dict\(\) instead"
    ):
        read_weights(path)


@pytest.mark.parametrize("share", [0.001, 0.2, 0.6, 0.99])
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_truncated_files_are_refused(tmp_path: Path, kind: str, share: float) -> None:
    whole = tmp_path / "whole"
    weights = {"conv.weight": torch.ones(64, 3, 3, 3), "bn.running_var": torch.ones(64)}
    if kind == "safetensors":
        save_file(weights, whole)
    else:
        saved(whole, weights, _use_new_zipfile_serialization=kind == "zip")
    content = whole.read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(content[: max(int(share * len(content)), 1)])
    with pytest.raises(ValueError, match=r"cannot use .*(damaged|no whole safetensors|neither|Python pickle)"):
        read_weights(cut)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"hello, this is some text and no weights", "neither a safetensors file nor one that torch.save wrote"),
        (b"\x00" * 300, "neither a safetensors file nor one"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "neither a safetensors file nor one"),
        (b"PK\x03\x04" + bytes(100), "damaged, probably truncated"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "given"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_weights(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*no such file or directory"):
        read_weights(tmp_path / "missing")
    with pytest.raises(ValueError, match="it is a folder, not a file of weights"):
        read_weights(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="it is not a regular file"):
        read_weights(tmp_path / "pipe")
    with pytest.raises(ValueError, match="cannot read"):
        read_weights("nul\0byte")


def test_archives_that_unfold_are_refused(tmp_path: Path) -> None:
    source = saved(tmp_path / "w.pt", state())
    for name, compression in (("deflated", zipfile.ZIP_DEFLATED), ("lzma", zipfile.ZIP_LZMA)):
        path = rewritten(source, tmp_path / name, lambda _, content: content, compression=compression)
        with pytest.raises(ValueError, match="its entries are compressed or overlap"):
            read_weights(path)
    plain = rewritten(source, tmp_path / "plain", lambda _, content: content)
    assert list(read_weights(plain).tensors) == list(state())


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    source = saved(tmp_path / "w.pt", {"conv.weight": torch.ones(64, 3, 3, 3)})
    with zipfile.ZipFile(source) as archive:
        entries = archive.infolist()
    path = tmp_path / "overlap"
    path.write_bytes(source.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        (data,) = (entry for entry in entries if entry.filename.endswith("data/0"))
        for n in range(50):
            again = zipfile.ZipInfo(f"w/data/{n + 1}")
            again.header_offset, again.CRC = data.header_offset, data.CRC
            again.file_size = again.compress_size = data.file_size
            archive.filelist.append(again)
        archive._didModify = True  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="its entries are compressed or overlap"):
        read_weights(path)


def test_archives_of_others_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("holiday.txt", "sun")
    with pytest.raises(ValueError, match=r"a zip archive that torch\.save did not write"):
        read_weights(tmp_path / "photos.zip")
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        archive.writestr("script/data.pkl", b"")
        archive.writestr("script/constants.pkl", b"")
    with pytest.raises(ValueError, match="it is a TorchScript program"):
        read_weights(tmp_path / "script.pt")


def test_a_storage_shorter_than_it_says_is_refused(tmp_path: Path) -> None:
    source = saved(tmp_path / "w.pt", {"conv.weight": torch.ones(64, 3, 3, 3)})
    path = rewritten(source, tmp_path / "lie", lambda name, old: old[:8] if name.endswith("data/0") else old)
    with pytest.raises(ValueError, match="it is damaged"):
        read_weights(path)


def test_strides_that_make_few_numbers_many_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.pt", {"conv.weight": torch.zeros(1).expand(10**6, 10**3, 9, 9)})
    with pytest.raises(ValueError, match=r"'conv\.weight' of shape \(1000000, 1000, 9, 9\) declares more numbers"):
        read_weights(path)


def test_numbers_that_are_not_in_the_file_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.pt", {"conv.weight": torch.zeros(1, 1, 3, 3), "fc.weight": Room()})
    with pytest.raises(ValueError, match=r"to read it would be to run torch\.FloatTensor"):
        read_weights(path)


def test_storages_that_a_legacy_file_leaves_out_are_refused(tmp_path: Path) -> None:
    # torch would hand out whatever lay in memory there
    path = saved(tmp_path / "w.pt", {"w": torch.ones(1000)}, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    keys = content.rindex(b"\x80\x02]")
    path.write_bytes(content[:keys] + b"\x80\x02]." + bytes(4100))
    with pytest.raises(ValueError, match="it is damaged: storages that it refers to are not in it"):
        read_weights(path)


def test_a_tar_archive_in_disguise_is_refused(tmp_path: Path) -> None:
    magic = saved(tmp_path / "w.pt", {"w": torch.ones(3)}, _use_new_zipfile_serialization=False).read_bytes()[:15]
    head = bytearray(tarfile.TarInfo("storages").tobuf())
    head[:15], head[148:156] = magic, 8 * b" "
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    path = tmp_path / "tar"
    path.write_bytes(head + bytes(1024))
    with pytest.raises(ValueError, match="it is a tar archive"):
        read_weights(path)


def test_an_archive_has_one_directory_at_its_end(tmp_path: Path) -> None:
    content = saved(tmp_path / "w.pt", {"w": torch.ones(3)}).read_bytes()
    for other in (content + content, content + b"\0", content[: len(content) // 2] + content):
        (tmp_path / "other").write_bytes(other)
        with pytest.raises(ValueError, match="no directory of its entries at its end"):
            read_weights(tmp_path / "other")
    (tmp_path / "named").write_bytes(
        content[: content.rindex(b"/version")] + b"\xff" + content[content.rindex(b"/version") + 1 :]
    )
    with pytest.raises(ValueError, match="it is damaged, probably truncated"):
        read_weights(tmp_path / "named")
    with zipfile.ZipFile(tmp_path / "w.pt", "a") as archive:
        archive.writestr("other/DATA.PKL", b"\x80\x02cos\nsystem\n.")
    with pytest.raises(ValueError, match="its entries are not in one folder, each once"):
        read_weights(tmp_path / "w.pt")


def test_a_dict_with_something_else_in_the_place_of_its_methods_is_read_as_a_dict(tmp_path: Path) -> None:
    pickle = b"\x80\x02ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsK\x05sb."
    source = saved(tmp_path / "w.pt", {})
    path = rewritten(source, tmp_path / "odd", lambda name, old: pickle if name.endswith("data.pkl") else old)
    with pytest.raises(ValueError, match=r"must hold a state dict .* got a mapping with nothing"):
        read_weights(path)


@pytest.mark.parametrize(
    ("bad", "dtype"),
    [
        (math.nan, torch.float16),
        (math.inf, torch.float32),
        (-math.inf, torch.bfloat16),
        (math.nan, torch.float8_e4m3fn),
    ],
)
def test_weights_are_finite(tmp_path: Path, bad: float, dtype: torch.dtype) -> None:
    path = saved(tmp_path / "w.pt", {"a": torch.ones(3), "b\x1b": torch.tensor([1.0, bad]).to(dtype)})
    with pytest.raises(ValueError, match=r"w\.pt': weights must be finite, got NaN or infinity in 'b.+x1b'"):
        read_weights(path)


def test_tensors_have_at_most_64_sides(tmp_path: Path) -> None:
    content = torch.ones(1).as_strided([1] * 65, [0] * 65)
    with pytest.raises(ValueError, match="'w' has more than 64 sides"):
        read_weights(saved(tmp_path / "w.pt", {"w": content}))
    entry = {"w": {"dtype": "F32", "shape": [1] * 65, "data_offsets": [0, 4]}}
    with pytest.raises(ValueError, match=r"no whole safetensors file .*'w' has more than 64 sides"):
        read_weights(safetensors_header(tmp_path / "w.safetensors", entry, bytes(4)))


def test_a_header_may_be_as_long_as_the_first_byte_of_a_pickle(tmp_path: Path) -> None:
    text = json.dumps({"w": ENTRY}).encode().ljust(0x80)
    assert list(read_weights(safetensors_header(tmp_path / "w", text, bytes(16))).tensors) == ["w"]


ENTRY = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}


@pytest.mark.parametrize(
    ("header", "length"),
    [
        ({"w": {**ENTRY, "shape": [10**6, 10**6]}}, None),
        ({"w": {**ENTRY, "data_offsets": [0, 10**12]}}, None),
        ({"w": {**ENTRY, "dtype": "F31"}}, None),
        ({"w": ENTRY, "v": ENTRY}, None),
        ({"w": ENTRY}, 2**62),
        (b"{" * 100, None),
        (b'{"w": ' + b"[" * 10_000, None),
    ],
)
def test_safetensors_headers_that_lie_are_refused(tmp_path: Path, header: Any, length: int | None) -> None:
    path = safetensors_header(tmp_path / "w.safetensors", header, bytes(16), length=length)
    with pytest.raises(ValueError, match="it is no whole safetensors file"):
        read_weights(path)
    good = safetensors_header(tmp_path / "good.safetensors", {"w": ENTRY}, bytes(16))
    assert read_weights(good).tensors["w"].shape == (2, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.zeros(3), "must hold a state dict .* got a Tensor"),
        ([torch.zeros(3)], "got a list"),
        ({}, "got a mapping with nothing"),
        ({"epoch": 3, "model": {"step": 4}}, "got a mapping with epoch, model"),
        ({"a\x1b[31mred": 1}, r"got a mapping with a\\x1b\[31mred"),
        ({1: torch.zeros(3)}, "got a mapping with 1"),
    ],
)
def test_files_without_a_state_dict_are_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_weights(saved(tmp_path / "w.pt", content))


def test_memory_stays_in_proportion_to_the_file(tmp_path: Path) -> None:
    # legacy files say the size of a storage in their pickle: 2^40 numbers in a file of some hundred bytes
    path = saved(tmp_path / "w.pt", {"w": torch.zeros(1000)}, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    assert content.count(b"M\xe8\x03") >= 1
    path.write_bytes(content.replace(b"M\xe8\x03", b"\x8a\x06\x00\x00\x00\x00\x00\x01"))
    code = (
        "import resource, sys; from sim.cnn.weights_file import read_weights\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    read_weights(sys.argv[1])\n"
        "except ValueError as error:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, timeout=100)
    grown, _, message = done.stdout.partition(" ")
    assert "it is damaged" in message, done.stderr
    assert int(grown) < 100_000
