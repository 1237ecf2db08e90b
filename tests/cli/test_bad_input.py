"""What cannot be used is refused in one clear line, before any work; a defect of ours is not passed off as that."""

from __future__ import annotations

import pytest

import filterlaw
from tests.cli.conftest import ROOT, command

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
