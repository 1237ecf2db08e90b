"""The command line as a user meets it: each command, each error in one clear line, and interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing
from pathlib import Path

import pytest

import figures
import filterlaw
import theory.claims
from commands import options
from tests.cli.conftest import ROOT, command
from tests.theory.toy import ABOVE_OUTSIDE, DOUBLE_CORRECTED, NON_NEGATIVE, claim, y
from theory.claims import all_claims
from theory.display import claim_page, plain
from theory.ledger import LEVELS, Claim, Control
from theory.verify import verify

HEAVY = ("numpy", "scipy", "sympy", "matplotlib", "torch", "numba", "marimo", "joblib", "skimage", "sklearn", "pandas")
FOOLED = claim(y >= 0, controls=(Control("true", y >= -1),))


@pytest.fixture
def toys(monkeypatch):
    """A registry of toy claims in place of the real ones."""
    made = {
        id_: Claim(id_, "this test", f"statement of {id_}", toy.clauses)
        for id_, toy in {
            "T-GOOD": NON_NEGATIVE,
            "T-FIX": DOUBLE_CORRECTED,
            "T-IF": ABOVE_OUTSIDE,
            "T-BAD": FOOLED,
        }.items()
    }
    monkeypatch.setattr(theory.claims, "all_claims", lambda: made)
    return made


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
    from sim.descent import ORDERS

    assert options.LEVELS == LEVELS == typing.get_args(typing.get_args(options.LevelOption)[0])
    assert ORDERS == ORDERS


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


BAD = {
    "verfy": "No such command 'verfy'. Did you mean 'verify'?",
    "verify --nope": "No such option: --nope",
    "verify --level all": "level must be one of symbolic, simulation, cnn, got 'all'",
    "verify --seed -1": "seed must be an integer >= 0, got '-1'",
    "verify --seed x": "seed must be an integer >= 0, got 'x'",
    "verify T-GOD": "unknown claim id 'T-GOD'; did you mean T-GOOD",
    "verify T-GOOD nothing": "unknown claim id 'nothing'",
    "verify --json /dev/null": "cannot write '/dev/null': it is not a regular file",
    "verify --output LICENSE": "cannot write 'LICENSE/ledger.json': part of the path is a file, not a folder",
    "verify --json tests": "cannot write 'tests': it is a folder",
    "verify --output=": "output must name a folder, got ''",
    "verify --jobs 10000000000001": "jobs must be at most 10,000,000,000,000, got '10000000000001'",
    "verify --level " + "x" * 99: "level must be one of symbolic, simulation, cnn, got 'xxxxxxxxxxxxxxxxxxxx",
    "verify " + "x" * 99: "unknown claim id 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'... (`filterlaw",
    "show": "Missing argument 'ID'.",
    "show T-GOD": "unknown claim id 'T-GOD'; did you mean T-GOOD",
    "claims x": "unexpected extra argument",
    "simulate flter": "No such command 'flter'. Did you mean 'filter'?",
    "simulate filter --d 0.2,x": "d must be comma-separated numbers, got '0.2,x'",
    "simulate filter --d=": "d must be comma-separated numbers, got ''",
    "simulate filter --d 0.2,1.5": "d must lie in [0, 1], got d[1] = 1.5",
    "simulate filter --d nan": "d must be finite, got d[0] = nan",
    "simulate filter --w inf,1": "w must be finite, got w[0] = inf",
    "simulate filter --w 1": "w must have as many entries as d (2), got 1",
    "simulate filter --w-star 1,0,0": "w_star must have as many entries as d (2), got 3",
    "simulate filter --learning-rate 0": "learning_rate must be positive, got 0.0",
    "simulate filter --learning-rate fast": "learning_rate must be a number, got 'fast'",
    "simulate filter --momentum 1": "momentum must lie in [0, 1), got 1.0",
    "simulate filter --l2 -1": "l2 must be non-negative, got -1.0",
    "simulate filter --steps 0": "steps must be an integer >= 1, got '0'",
    "simulate filter --order up": "order must be one of full, cyclic, random, shuffled, minibatch, got 'up'",
    "simulate filter --order minibatch": "batch_size must be given for order='minibatch', got None",
    "simulate filter --order minibatch --batch-size 5": "batch_size must be at most the number of samples 4, got 5",
    "simulate filter --json tests": "cannot write 'tests': it is a folder",
    "simulate modes --start inf": "start must be finite, got start[0] = inf",
    "simulate modes --eps 1e308": "eps must be small enough for (1 + eps)^layers to stay finite, got 1e+308",
    "simulate filter --steps 2 --w-star 1e308,0": "w and w_star must be small enough for gradients to stay finite",
    "simulate layers --draws 9 --v 1e308": "v must be small enough for variances to stay finite, got 1e+308",
    "figures --output=": "output must name a folder, got ''",
    "figures --output LICENSE": "cannot write 'LICENSE': part of the path is a file, not a folder",
}


@pytest.mark.parametrize("line", BAD)
def test_bad_input_is_one_clear_line(run, toys, monkeypatch, line):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("theory.claims.run.verify", lambda *_, **__: pytest.fail("work began before the check"))
    status, out, err = run(*line.split())
    assert (status, out) == (2, "")
    assert err.startswith("filterlaw: error: ")
    assert BAD[line] in err
    assert err.count("\n") == 1


def test_bad_input_through_the_real_command():
    done = command("verify", "NO-SUCH-CLAIM")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("filterlaw: error: unknown claim id 'NO-SUCH-CLAIM'")
    assert "Traceback" not in done.stderr


def test_level_cnn_without_torch_says_what_to_do(run, toys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    status, _, err = run("verify", "T-GOOD")
    assert status == 2
    assert (
        err
        == "filterlaw: error: level cnn needs torch: pip install 'filterlaw[torch]', or ask for --level simulation\n"
    )
    assert run("verify", "T-GOOD", "--level", "simulation")[0] == 0


def test_a_defect_is_not_passed_off_as_bad_input(toys, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a bug in a claim")

    monkeypatch.setattr("theory.claims.run.verify", broken)
    with pytest.raises(ValueError, match="a bug in a claim"):
        filterlaw.run(["verify", "T-GOOD"])


@pytest.mark.parametrize("whole_group", [True, False], ids=["terminal", "kill"])
def test_interrupted_workers_are_gone_at_once(tmp_path, whole_group):
    command = [sys.executable, str(ROOT / "filterlaw.py"), "verify", "--jobs", "2", "--output", str(tmp_path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    _wait_for_workers(child.pid)
    (os.killpg if whole_group else os.kill)(child.pid, signal.SIGINT)
    # the pipes close only when every worker has ended, so this would time out if one went on
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (130, "", "filterlaw: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_worker_is_one_line_and_leaves_no_file(tmp_path):
    command = [sys.executable, str(ROOT / "filterlaw.py"), "verify", "--jobs", "2", "--output", str(tmp_path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.kill(_wait_for_workers(child.pid)[0], signal.SIGKILL)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (1, "")
    assert err.startswith("filterlaw: error: a process that verified claims was killed")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_workers_of_a_killed_process_end_with_it(tmp_path):
    command = [sys.executable, str(ROOT / "filterlaw.py"), "verify", "--jobs", "2", "--output", str(tmp_path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _wait_for_workers(child.pid)
    # workers that are still importing do not watch yet
    time.sleep(2.0)
    child.kill()
    # the pipes close only when every worker has ended
    child.communicate(timeout=10)
    assert child.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def _wait_for_workers(parent: int) -> list[int]:
    deadline = time.monotonic() + 90
    while len(workers := _workers(parent)) < 2:
        assert time.monotonic() < deadline, "no workers were started"
        time.sleep(0.1)
    return workers


def _workers(parent: int) -> list[int]:
    """The processes that a pool has spawned."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ours = f"PPid:\t{parent}\n" in (folder / "status").read_text()
            if ours and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_interruption_is_one_line_and_leaves_no_file(run, toys, monkeypatch, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("theory.claims.run.verify", interrupted)
    assert run("verify", "--output", tmp_path) == (130, "", "filterlaw: interrupted\n")
    assert os.listdir(tmp_path) == []


def test_ctrl_c_on_the_real_command(tmp_path):
    target = tmp_path / "t.json"
    arguments = ["simulate", "filter", "--d", ",".join(["0.1"] * 18), "--steps", "100000", "--json", str(target)]
    with subprocess.Popen(
        [sys.executable, "-m", "filterlaw", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "filterlaw: interrupted\n")
    assert os.listdir(tmp_path) == []


def test_a_closed_pipe_is_no_error():
    script = f"{sys.executable} -m filterlaw simulate filter --steps 5 | true"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
