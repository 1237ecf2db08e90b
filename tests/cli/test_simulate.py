"""`filterlaw simulate ...` as a user meets it."""

from __future__ import annotations

import json
import math

import pytest

from commands.simulate import ORDERS
from tests.cli.conftest import command


def test_simulate_prints_and_writes_a_trajectory(run, tmp_path):
    target = tmp_path / "t.json"
    status, out, err = run(
        "simulate",
        "filter",
        "--d",
        "0.5,0.5",
        "--w",
        "1,0.25",
        "--learning-rate",
        "0.1",
        "--steps",
        "10",
        "--json",
        target,
    )
    assert (status, err) == (0, "")
    steps = [line.split()[0] for line in out.splitlines() if line.strip()[:1].isdigit()]
    assert steps == ["0", "1", "2", "4", "8", "10"]
    record = json.loads(target.read_text())
    assert len(record["weights"]) == len(record["loss"]) == len(record["active_fraction"]) == 11
    assert len(record["sign_changes"]) == 9
    assert record["weights"][0] == [1.0, 0.25]
    # all samples active: w1 shrinks by 1 - 2 lam d1^2 a step
    assert record["weights"][10][1] == pytest.approx(0.25 * (1 - 0.05) ** 10, rel=1e-12)
    assert record["diverged"] is False


@pytest.mark.parametrize("order", ORDERS)
def test_simulate_every_order(run, order):
    extra = ["--batch-size", "2"] if order == "minibatch" else []
    arguments = [
        "simulate",
        "filter",
        "--d",
        "0.3,0.4",
        "--order",
        order,
        "--momentum",
        "0.5",
        "--l2",
        "0.01",
        "--steps",
        "3",
        *extra,
    ]
    first, second = run(*arguments), run(*arguments)
    assert first == second
    assert first[0] == 0
    assert run(*arguments, "--seed", "1")[1] != first[1]


def test_a_learning_rate_beyond_stability_is_one_line_of_warning():
    done = command("simulate", "filter", "--d", "0,0", "--w", "2,0", "--learning-rate", "1.5", "--steps", "400")
    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == (
        "filterlaw: warning: learning_rate must be below the stability limit of gradient descent, "
        "1/lambda_max = 1, got 1.5"
    )


def test_simulate_modes_prints_products_and_the_reach_of_the_band(run, tmp_path):
    target = tmp_path / "m.json"
    status, out, err = run("simulate", "modes", "--sigma", "4,1", "--layers", "2", "--eps", "0.5", "--json", target)
    assert (status, err) == (0, "")
    last = out.split("\n\n")[0].splitlines()[-1].split()
    assert [float(v) for v in last] == [1000, 2.25, 1]
    assert "the products reach 0.444444 to 2.25" in out
    record = json.loads(target.read_text())
    assert record["settings"]["band"] == 0.5
    assert len(record["products"]) == 1001
    assert record["products"][-1] == pytest.approx([2.25, 1.0])


def test_simulate_modes_says_when_a_mode_diverges(run, tmp_path):
    target = tmp_path / "m.json"
    status, out, err = run("simulate", "modes", "--sigma", "4,1", "--learning-rate", "10", "--json", target)
    assert status == 0
    assert out.split("\n\n")[0].splitlines()[-1].split() == ["1000", "diverged", "1"]
    assert err == "filterlaw: warning: a mode diverged; try a smaller learning rate\n"
    assert json.loads(target.read_text())["products"][-1] == [None, 1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--eps", "0"), "eps must be positive and finite, got 0"),
        (("--eps", "nan"), "eps must be positive and finite, got nan"),
        (("--start", "1,2"), "start must be one number or 3, one per layer, got 2"),
        (("--learning-rate", "-1"), "learning_rate must be positive, got -1.0"),
        (("--sigma", "1,inf"), "sigma must be finite, got sigma[1] = inf"),
    ],
)
def test_simulate_modes_refuses_bad_input(run, arguments, message):
    status, out, err = run("simulate", "modes", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"filterlaw: error: {message}")


def layers_of(run, *arguments):
    """The columns of `simulate layers`, by name, and what is said below them."""
    status, out, err = run("simulate", "layers", "--seed", "1", *arguments)
    assert (status, err) == (0, "")
    table, said = out.split("\n\n")
    head, *rows = (line.split("  ") for line in table.splitlines())
    names = [name.strip() for name in head if name.strip()]
    columns = zip(*([float(v) for v in row if v.strip()] for row in rows), strict=True)
    return dict(zip(names, columns, strict=True)), said


CORNERS = {"A": (1, 1), "B": (0, 1), "C": (1, 0), "D": (0, 0)}


@pytest.mark.parametrize("cell", CORNERS)
def test_simulate_layers_measures_what_is_derived_and_not_what_is_printed(run, cell):
    weights, inputs = CORNERS[cell]
    shown, _ = layers_of(
        run, "--k", 2, "--depth", 2, "--weight-correlation", weights, "--input-correlation", inputs, "--draws", 40_000
    )
    for measured, error, derived in zip(shown["measured"], shown["+-"], shown["derived"], strict=True):
        assert abs(measured - derived) < 4 * error
    assert abs(shown["measured"][-1] - shown["Table 1"][-1]) > 8 * shown["+-"][-1]


def test_simulate_layers_of_many_channels(run):
    shown, said = layers_of(
        run, "--k", 2, "--depth", 3, "--border", "disjoint", "--channels", 64, "--weight-correlation", 1, "--draws", 400
    )
    assert "the limit of many channels" in said
    assert "Table 1" not in shown
    # 4 weights of variance 1/2; the correlation handed on is 1/pi, then that of disjoint windows through arc-cosine
    second = 1 + 3 / math.pi
    c = 4 / math.pi / second
    third = 1 + 3 * (math.sqrt(1 - c**2) + c * (math.pi - math.acos(c))) / math.pi
    assert shown["derived"] == pytest.approx([2, 2 * second, 2 * second * third], rel=1e-3)
    assert shown["measured"][2] == pytest.approx(shown["derived"][2], rel=0.15)


def test_simulate_layers_says_where_no_closed_form_is_known(run, tmp_path):
    target = tmp_path / "l.json"
    shown, said = layers_of(run, "--border", "zero", "--draws", "100", "--json", target)
    assert "derived" not in shown
    assert "no closed form is derived" in said
    record = json.loads(target.read_text())
    assert record["derived"] is None
    assert record["stack"]["border"] == "zero"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--depth", "0"), "depth must be an integer >= 1, got '0'"),
        (("--weight-correlation", "2"), "weight_correlation must lie in [0, 1], got 2.0"),
        (("--size", "2"), "size must be at least 3, got 2"),
        (("--border", "disjoint", "--size", "9"), "size must be left out for disjoint windows (it is k^depth), got 9"),
        (("--draws", "1"), "draws must be at least 2, got 1"),
    ],
)
def test_simulate_layers_refuses_bad_input(run, arguments, message):
    assert run("simulate", "layers", *arguments) == (2, "", f"filterlaw: error: {message}\n")


@pytest.mark.parametrize("simulator", ["filter", "modes"])
def test_what_does_not_fit_into_memory_is_one_line(run, simulator):
    status, out, err = run("simulate", simulator, "--steps", 10**13)
    assert (status, out) == (1, "")
    assert err.startswith("filterlaw: error: not enough memory for what was asked: ")
    assert err.count("\n") == 1


def test_simulate_modes_of_many_layers(run):
    status, out, err = run("simulate", "modes", "--layers", "100", "--steps", "50", "--learning-rate", "0.001")
    assert (status, err) == (0, "")
    assert out.split("\n\n")[0].splitlines()[-1].split()[0] == "50"
