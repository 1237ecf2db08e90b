"""The command line as a user meets it: what help, verify, show, claims and figures say and write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing

import pytest

import figures
import theory.claims
from commands import layers, options, simulate
from sim import descent, layer_variance
from tests.cli.conftest import ROOT
from theory.claims import all_claims
from theory.display import claim_page, plain
from theory.ledger import LEVELS
from theory.verify import verify

HEAVY = ("numpy", "scipy", "sympy", "matplotlib", "torch", "numba", "marimo", "joblib", "skimage", "sklearn", "pandas")


@pytest.mark.parametrize(
    "arguments", [["--help"], [], ["verify", "--help"], ["simulate", "filter", "--help"], ["simulate"]]
)
def test_help_imports_nothing_heavy(arguments):
    script = f"import sys, filterlaw\ncode = filterlaw.run({arguments!r})\nprint(code, *sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    code, *modules = done.stderr.split()
    assert code == "0"
    assert "Usage: filterlaw" in done.stdout
    assert not {m.split(".")[0] for m in modules} & {*HEAVY, "sim", "theory", "figures"}


def test_help_lists_the_commands_and_version_says_it(run):
    status, out, _ = run("--help")
    assert status == 0
    for name in ("verify", "show", "claims", "simulate", "figures"):
        assert name in out
    assert run("--version")[1].startswith("filterlaw ")


def test_choices_are_those_of_the_libraries():
    assert options.LEVELS == LEVELS == typing.get_args(typing.get_args(options.LevelOption)[0])
    assert simulate.ORDERS == descent.ORDERS
    assert {*layers.BORDERS} <= {*layer_variance.BORDERS}


def test_verify_prints_the_ledger_and_succeeds(run, toys):
    status, out, err = run("verify", "T-GOOD", "t-fix", "T-IF")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["id", "verdict", "source", "what", "controls", "seconds"]
    assert lines[1].split()[:2] == ["T-GOOD", "holds"]
    assert "statement of T-GOOD" in lines[1]
    assert "8/8" in lines[1]
    assert lines[-1] == "3 claims: 1 holds, 1 conditional, 1 corrected; controls 24/24 rejected"
    assert "\x1b" not in out
    assert max(map(len, lines)) <= 120


def test_verify_fails_if_one_claim_is_inconclusive(run, toys):
    status, out, _ = run("verify")
    assert status == 1
    assert "T-BAD" in out
    assert "1 inconclusive; controls 24/28 rejected" in out


def test_verify_of_nothing_is_no_success(run, monkeypatch):
    monkeypatch.setattr(theory.claims, "all_claims", dict)
    assert run("verify") == (1, "0 claims; controls 0/0 rejected\n", "")


def test_json_is_as_designed(run, toys, tmp_path):
    status, _, _ = run(
        "verify",
        "T-FIX",
        "--level",
        "simulation",
        "--seed",
        "3",
        "--json",
        tmp_path / "a" / "l.json",
        "--output",
        tmp_path,
    )
    assert status == 0
    text = (tmp_path / "ledger.json").read_text()
    assert (tmp_path / "a" / "l.json").read_text() == text
    assert sorted(os.listdir(tmp_path)) == ["a", "ledger.json"]
    ledger = json.loads(text)
    assert ledger.keys() == {"environment", "claims"}
    assert ledger["environment"]["seed"] == 3
    assert ledger["environment"]["level"] == "simulation"
    assert {"numpy", "sympy", "torch"} <= ledger["environment"]["packages"].keys()
    (record,) = ledger["claims"]
    assert (record["id"], record["verdict"]) == ("T-FIX", "corrected")
    assert (record["printed"], record["corrected"]) == ("Eq(y, 2*x)", "Eq(y, x**2)")
    assert record["counterexample"]["instance"] == {"x": "1"}
    assert {line["kind"] for line in record["evidence"]} == {"symbolic", "counterexample", "simulation"}
    assert all(line["passed"] for line in record["controls"])
    run("verify", "T-FIX", "--level", "simulation", "--seed", "3", "--json", tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == text


def test_show_tells_the_whole_story(run, toys):
    status, out, _ = run("show", "t-if", "--level", "simulation")
    assert status == 0
    for part in (
        "T-IF  conditional",
        "statement of T-IF",
        "used by the derivation",
        "x is real",
        "holds if",
        "(x >= 1) | (x <= 0)",
        "beyond 1, with x = 1 + t  proven",
        "the difference is t**2 + t",
        "Counterexample, in exact numbers",
        "x = 1/2",
        "shows the same",
        "excludes it",
        "simulator",
        "Controls",
        "rejected",
    ):
        assert part in out, part


def test_show_marks_what_is_wrong(toys):
    page = plain(claim_page(verify(toys["T-BAD"])))
    assert "T-BAD  inconclusive" in page
    assert "FOOLED" in page


def test_claims_lists_them_all(run):
    status, out, _ = run("claims")
    assert status == 0
    for id_ in all_claims():
        assert f"\n{id_} " in out


def test_figures_follow_their_contract(run, tmp_path, monkeypatch):
    drawn = []

    def render(names, output):
        drawn.extend(names)
        assert output.is_dir()
        return [output / f"{name}.svg" for name in names]

    monkeypatch.setattr(figures, "available", lambda: {"fig2": "the line", "fig3": "the zig-zag"})
    monkeypatch.setattr(figures, "render", render)
    assert run("figures", "--list") == (0, f"{'fig2':<24} the line\n{'fig3':<24} the zig-zag\n", "")
    monkeypatch.setattr(figures, "about", {"fig2": "", "fig3": "C-ZIG (Fig. 3)"}.get)
    assert run("figures", "--list")[1].splitlines()[-1] == f"{'':<24} C-ZIG (Fig. 3)"
    status, out, _ = run("figures", "fig3", "--output", tmp_path / "f")
    assert (status, out, drawn) == (0, f"{tmp_path / 'f' / 'fig3.svg'}\n", ["fig3"])
    run("figures", "--output", tmp_path / "f")
    assert drawn == ["fig3", "fig2", "fig3"]
    status, out, err = run("figures", "fig4")
    assert (status, out) == (2, "")
    assert "unknown figure 'fig4'; did you mean fig3, fig2? (`filterlaw figures --list` lists them)" in err


def test_a_ledger_that_cannot_be_written_is_shown_all_the_same(toys, run, tmp_path, monkeypatch):
    """The disk is full when the work is done; what fits is written."""
    synced, fsync = [], os.fsync

    def full(descriptor):
        synced.append(descriptor)
        if len(synced) == 1:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    target, folder = tmp_path / "a.json", tmp_path / "out"
    status, out, err = run("verify", "T-GOOD", "--json", target, "--output", folder)
    assert (status, err) == (2, f"filterlaw: error: cannot write '{target}': no space left on device\n")
    assert "T-GOOD" in out
    assert not target.exists()
    assert json.loads((folder / "ledger.json").read_text())["claims"][0]["id"] == "T-GOOD"


def test_a_figure_that_cannot_be_written_is_one_line(run, tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    status, out, err = run("figures", "reachable-sigma", "--output", tmp_path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "reachable-sigma.png': no space left on device" in err
    assert os.listdir(tmp_path) == []
