"""The judges of bad calls notice what they are there for; what they are given covers every option and every page."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer

import filterlaw
from figures.explore import open_page
from figures.explore.address import read_values
from sim.svb import band
from tests.attack.hostile import addresses, attack, commands, doors, functions
from tests.attack.hostile.addresses import Address, bad_addresses, judge_address
from tests.attack.hostile.commands import Call, bad_calls, judge_bad, judge_extreme, playground

CALL = Call(("verify", "--seed=x"), ("seed",), "x")


@pytest.fixture
def ends(tmp_path, monkeypatch):
    """What a command line is made to end in: status, output, errors, and a file that it leaves."""

    def make(status: int, out: str, err: str, leaves: str = "") -> None:
        def run(arguments):
            print(out, end="")
            print(err, end="", file=sys.stderr)
            if leaves:
                Path(leaves).write_text('{"loss": NaN}')
            return status

        monkeypatch.setattr(filterlaw, "run", run)

    with playground(tmp_path):
        yield make


GOOD = "filterlaw: error: seed must be an integer >= 0, got 'x'\n"


@pytest.mark.parametrize(
    ("ending", "wrong"),
    [
        ((2, "", GOOD), None),
        ((1, "", GOOD), "status 1"),
        ((0, "done\n", ""), "status 0"),
        ((2, "loss nan\n", GOOD), "printed 'loss nan"),
        ((2, "", GOOD + "more\n"), "not one clear line"),
        ((2, "", "Traceback\n"), "not one clear line"),
        ((2, "", "filterlaw: error: it is 'x'\n"), "does not name seed"),
        ((2, "", "filterlaw: error: seed is wrong\n"), "does not show 'x'"),
        ((2, "", GOOD.replace("'x'", "x" * 999)), "a message of"),
        ((2, "", GOOD, "left"), "left ['left: 13']"),
    ],
)
def test_a_bad_call_that_ends_otherwise_is_noticed(ends, ending, wrong):
    ends(*ending)
    found = judge_bad(CALL)
    assert found is None if wrong is None else wrong in str(found)


@pytest.mark.parametrize(
    ("ending", "wrong"),
    [
        ((0, "loss 1e308\n", ""), None),
        ((2, "", GOOD), None),
        ((0, "loss nan\n", ""), "printed 'loss nan"),
        ((0, "loss 1\n", "", "out.json"), "printed"),
        ((0, "", "RuntimeWarning: overflow\n"), "said 'RuntimeWarning"),
        ((2, "half a table\n", GOOD), "status 2"),
    ],
)
def test_an_extreme_call_that_says_nan_is_noticed(ends, ending, wrong):
    ends(*ending)
    found = judge_extreme(CALL)
    assert found is None if wrong is None else wrong in str(found)


def test_a_traceback_is_noticed(ends, monkeypatch):
    monkeypatch.setattr(filterlaw, "run", dict[str, str]().__getitem__)
    assert "TypeError" in str(judge_bad(CALL))


def test_every_option_of_every_command_is_called_in_a_wrong_way():
    lines = {call.arguments for call in bad_calls()}
    assert len(lines) > 800
    for name, command in commands._commands(typer.main.get_command(filterlaw.app)):
        of = [line for line in lines if " ".join(line).startswith(name)]
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "images":
                assert any(word.startswith(parameter.opts[0]) for line in of for word in line), (name, parameter.name)


def test_a_few_bad_calls_end_as_they_should(tmp_path):
    quick = [call for call in bad_calls() if call.arguments[0] == "simulate"][::40]
    with playground(tmp_path):
        assert [judge_bad(call) for call in quick] == [None] * len(quick)


def test_bad_arguments_are_refused_and_what_is_accepted_is_noticed():
    calls = functions.bad_function_calls()
    assert len(calls) > 700
    assert [functions.judge_function_call(call) for call in calls[::25]] == [None] * len(calls[::25])
    right = functions.Right(band, lambda: {"eps": 0.1}, {})
    assert functions.judge_function_call(functions.BadCall(right, "eps", 0.2)) == "was accepted"
    loose = functions.Right(lambda eps: dict[float, int]()[eps], lambda: {"eps": 0.1}, {})
    assert "KeyError" in str(functions.judge_function_call(functions.BadCall(loose, "eps", 0.2)))
    vague = functions.Right(lambda eps: int("x"), lambda: {"eps": 0.1}, {})
    assert "does not name eps" in str(functions.judge_function_call(functions.BadCall(vague, "eps", 0.2)))


def test_addresses_that_are_read_in_a_wrong_way_are_noticed(monkeypatch):
    some = bad_addresses()
    assert len(some) > 1000
    name = next(c.name for c in open_page("one-filter").controls if c.kind == "number")
    address = Address("one-filter", {name: "nan"})
    assert judge_address(address, set()) is None
    values, remarks = read_values(open_page("one-filter"), address.query)
    monkeypatch.setattr(addresses, "read_values", lambda *_: ({**values, name: float("nan")}, remarks))
    assert judge_address(address, set()) == f"{name} became nan"
    monkeypatch.setattr(addresses, "read_values", lambda *_: (values, ()))
    assert judge_address(address, set()) == "0 remarks on 1 bad values"


def test_requests_that_are_let_in_are_noticed(monkeypatch):
    door = doors.Door(1, "key", "filterlaw-1=pass", 0)
    for status, seen in ((403, False), (400, False), (200, True), (404, True), (101, True)):
        monkeypatch.setattr(doors, "_answer", lambda *_, status=status, **__: (status, {}))
        assert (doors.let_in(door, "/", doors.KNOCKS[0], upgrade=False) is not None) is seen
    monkeypatch.setattr(doors, "_answer", lambda *_, **__: (403, {}))
    assert doors.let_down(door, "/") == "GET / with all in order: 403"
    assert doors.let_down(door, "/terminal/ws") == "GET /terminal/ws with all in order: 403"


def test_names_that_run_code_are_counted(tmp_path):
    (tmp_path / "a.py").write_text("from sympy import sympify as s, sympify\nx = sympify('1')\ny = eval('2')\n")
    assert attack._unsafe([tmp_path / "a.py"]) == 3
