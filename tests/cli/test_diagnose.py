"""`filterlaw diagnose` on real files, good and hostile."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from sim.cnn import correlated_normal_, initialize_
from sim.correlation import exponential_correlation
from sim.diagnosis import findings
from sim.known import read_correlation
from tests.sim.cnn.hostile import plain_pickle, with_code

R = exponential_correlation(3, 0.6)


def model() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.Conv2d(16, 24, 3, groups=2), nn.Conv2d(24, 8, 3), nn.Conv2d(8, 8, 1)
    )
    initialize_(layers, R=R, generator=torch.Generator().manual_seed(1))
    return layers


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save({"model": model().state_dict(), "epoch": 3}, tmp_path / "w.pt")
    return tmp_path / "w.pt"


def finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def test_the_table_and_the_findings_are_printed(run: Any, weights: Path) -> None:
    status, out, err = run("diagnose", weights, "--groups", "2=2")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    columns = " ".join(lines[0].split())
    assert columns == "# layer shape neighbours kernel condition in band change on images"
    assert lines[1].split()[:3] == ["1", "0", "16x3x3x3"]
    assert lines[2].split()[:4] == ["2", "2", "24x8x3x3", "/2"]
    words = " ".join(out.split())
    for start in (
        "Filters: positively correlated: neighbouring pixels 0.",
        "SVB with eps = 0.05 would",
        "BBN with eps = 0.2 would",
    ):
        assert start in words
    assert "(384 filters of 3 x 3 in 2 layers, without '0'; filters taken as independent)" in words
    assert "circular convolution with stride 1 on images of 8 x 8" in words


def test_json_is_strict_and_says_the_same(run: Any, weights: Path, tmp_path: Path) -> None:
    arguments = ["--json", tmp_path / "d.json", "--image", "6x5", "--eps", "0.3", "--seed", "4", "--groups", "2=2"]
    status, _, _ = run("diagnose", weights, *arguments)
    assert status == 0
    record = json.loads((tmp_path / "d.json").read_text())
    from sim.cnn import diagnose

    found = diagnose(model(), image=(6, 5), eps=0.3, rng=np.random.default_rng(4))
    assert record["findings"] == list(findings(found))
    assert record["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert (record["image"], record["eps"], record["bn_eps"], record["first"]) == ([6, 5], 0.3, 0.2, "0")
    for layer, expected in zip(record["layers"], found.layers, strict=True):
        assert (layer["name"], tuple(layer["shape"]), layer["groups"]) == (
            expected.name,
            expected.shape,
            expected.groups,
        )
        assert layer["kernel"]["largest"] == expected.kernel.largest  # type: ignore[union-attr]
    assert record["layers"][3]["correlation"] is None
    assert record["norms"][0]["in_band"] is True
    assert record["pooled"]["3"]["R"] == found.pooled[3].R.tolist()
    assert record["environment"]["seed"] == 4
    assert finite(record)


def test_what_is_infinite_is_a_word_in_json(run: Any, tmp_path: Path) -> None:
    state = model().state_dict()
    state["4.weight"].zero_()
    state["1.weight"][0] = 0.0
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, tmp_path / "w.safetensors")
    status, out, _ = run("diagnose", tmp_path / "w.safetensors", "--json", tmp_path / "d.json")
    assert status == 0
    record = json.loads((tmp_path / "d.json").read_text())
    assert record["layers"][3]["kernel"]["condition"] == "inf"
    assert record["layers"][3]["kernel"]["change"] == "inf"
    assert record["norms"][0]["condition"] == "inf"
    assert finite(record)
    assert "some scales are 0 in '1', others are not" in " ".join(out.split())


def test_the_correlation_file_initialises_other_networks(run: Any, weights: Path, tmp_path: Path) -> None:
    record = {
        "settings": {"network": "small"},
        "environment": {"python": "3"},
        "epochs": [{"test_accuracy": 0.1}, {"test_accuracy": 0.7}],
    }
    (tmp_path / "record.json").write_text(json.dumps(record))
    path = tmp_path / "R.json"
    arguments = ["--correlation", path, "--record", tmp_path / "record.json", "--note", "by hand"]
    status, _, err = run("diagnose", weights, *arguments)
    assert (status, err) == (0, "")
    found = read_correlation(path)
    # 384 + 0 filters of the true R; five standard errors
    assert (np.abs(found.R - R) <= 5 * (1 - R**2) / np.sqrt(384) + 1e-12).all()
    off = ~np.eye(9, dtype=bool)
    assert (found.bootstrap_error[off] > 0).all()
    provenance = dict(found.provenance)
    assert provenance.pop("versions")["packages"]["torch"]
    assert provenance == {
        "weights": "w.pt",
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "filters": 384,
        "layers": ["2", "3"],
        "left_out": "0",
        "resamples": 200,
        "seed": 0,
        "training": {
            "settings": {"network": "small"},
            "environment": {"python": "3"},
            "epochs": 2,
            "test_accuracy": 0.7,
        },
        "note": "by hand",
    }
    named, given = (
        correlated_normal_(torch.empty(4, 4, 3, 3), R=r, generator=np.random.default_rng(0)) for r in (path, found.R)
    )
    assert torch.equal(named, given)


@pytest.mark.parametrize(
    ("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("PNG", b"\x89PNG")]
)
def test_a_picture_is_drawn(run: Any, weights: Path, tmp_path: Path, kind: str, start: bytes) -> None:
    assert run("diagnose", weights, "--picture", tmp_path / f"p.{kind}")[0] == 0
    content = (tmp_path / f"p.{kind}").read_bytes()
    assert content.startswith(start)
    if kind == "svg":
        # the file's own name and its hash are in the picture's description
        assert b"w.pt" in content


def test_names_from_a_file_do_not_steer_the_terminal(run: Any, tmp_path: Path) -> None:
    state = {"\x1b[2Jred [bold]\n.weight": torch.randn(4, 3, 3, 3), "x" * 500 + ".weight": torch.randn(4, 4, 3, 3)}
    torch.save(state, tmp_path / "w.pt")
    status, out, _ = run("diagnose", tmp_path / "w.pt", "--picture", tmp_path / "p.svg")
    assert status == 0
    assert "\x1b" not in out
    assert "\\x1b[2Jred [bold]" in out
    assert "x" * 60 not in out.replace("\n", "").replace(" ", "")


def hostile(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / kind
    if kind == "code":
        return with_code(path, tmp_path / "trace")
    if kind == "old code":
        return with_code(path, tmp_path / "trace", legacy=True)
    if kind == "pickle":
        return plain_pickle(path, tmp_path / "trace")
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("weights? none here")
    elif kind == "empty":
        path.touch()
    elif kind == "truncated":
        torch.save(model().state_dict(), path)
        path.write_bytes(path.read_bytes()[:-700])
    elif kind == "nan":
        state = model().state_dict()
        state["2.weight"][0, 0, 0, 0] = math.nan
        torch.save(state, path)
    elif kind == "inf":
        save_file({"a.weight": torch.full((2, 2, 3, 3), math.inf)}, path)
    elif kind == "linear":
        torch.save(nn.Linear(3, 4).state_dict(), path)
    elif kind == "huge":
        torch.save({"a.weight": torch.zeros(1).expand(10**5, 10**5, 3, 3)}, path)
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("code", "to read it would be to run posix.mkdir"),
        ("old code", "to read it would be to run posix.mkdir"),
        ("pickle", "it is a Python pickle, which could run code"),
        ("folder", "it is a folder, not a file of weights"),
        ("missing", "no such file or directory"),
        ("text", "neither a safetensors file nor one that torch.save wrote"),
        ("empty", "it is empty"),
        ("truncated", "it is damaged, probably truncated"),
        ("nan", "weights must be finite, got NaN or infinity in '2.weight'"),
        ("inf", "weights must be finite, got NaN or infinity in 'a.weight'"),
        ("linear", "named '...weight' and of shape (N_out, N_in, height, width), got weight (4, 3)"),
        ("huge", "declares more numbers than the file holds"),
    ],
)  # fmt: skip
def test_files_that_are_no_weights_are_refused_in_one_line(run: Any, tmp_path: Path, kind: str, message: str) -> None:
    path = hostile(tmp_path, kind)
    targets = ["--json", tmp_path / "d.json", "--picture", tmp_path / "p.png", "--correlation", tmp_path / "R.json"]
    status, out, err = run("diagnose", path, *targets)
    assert (status, out) == (2, "")
    assert err.startswith("filterlaw: error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "trace").exists()
    assert not any((tmp_path / name).exists() for name in ("d.json", "p.png", "R.json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--picture", "p.gif"], "picture must end in .png, .svg, .pdf, got 'p.gif'"),
        (["--image", "0"], "image must be N or HxW, pixels, got '0'"),
        (["--image", "3x4x5"], "image must be N or HxW, pixels, got '3x4x5'"),
        (["--groups", "2"], "groups must be LAYER=N, N >= 1, got '2'"),
        (["--groups", "2=0"], "groups must be LAYER=N, N >= 1, got '2=0'"),
        (["--groups", "9=2"], "groups must name layers with a kernel, got '9'"),
        (["--eps", "0"], "eps must be positive"),
        (["--bn-eps", "nan"], "bn_eps must be finite"),
        (["--note", "x"], "record and note must come with --correlation FILE, got none"),
        (["--correlation", "R.json", "--record", "missing.json"], "cannot read 'missing.json': no such file"),
        (["--correlation", "R.json", "--record", "w.pt"], "cannot use 'w.pt': it is no strict JSON"),
        (["--json", "/dev/null/x"], "cannot write '/dev/null/x'"),
    ],
)
def test_bad_options_are_one_line(
    run: Any, weights: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(weights.parent)
    status, out, err = run("diagnose", "w.pt", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in weights.parent.iterdir()) == ["w.pt"]


def test_a_correlation_needs_filters_beside_the_first_layer(run: Any, tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 5)).state_dict(), tmp_path / "w.pt")
    status, _, err = run("diagnose", tmp_path / "w.pt", "--correlation", tmp_path / "R.json")
    assert status == 2
    assert "correlation needs 3 x 3 filters, some of them not zero, in a layer beside the first, '0', got none" in err
