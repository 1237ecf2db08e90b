"""Arms compared seed by seed: nothing is paired that does not belong together, and nothing drops out unseen."""

from __future__ import annotations

import pytest

from sim.paired import Above, Arm, Below, _is, by_seed
from sim.records import NotRecorded, parse_run
from tests.reference import training

KAIMING = Arm("kaiming", {"init": "kaiming", "gain": 1.0})
LOUD = Arm("loud", {"init": "kaiming"}, {"gain": 1.0})
XAVIER = Arm("xavier", {"init": "xavier"})


def runs(*settings):
    return [parse_run(training.record(**each)) for each in settings]


def every(arm, seeds, **more):
    return runs(*({**arm, "seed": seed, **more} for seed in seeds))


def test_runs_are_paired_by_seed_whatever_their_order():
    found = by_seed([*every({"init": "xavier"}, (2, 0, 1)), *every({}, (1, 2, 0))], XAVIER, KAIMING)
    assert [[run.seed for run in row] for row in found] == [[0, 0], [1, 1], [2, 2]]
    assert [run.settings["init"] for run in found[0]] == ["xavier", "kaiming"]


def test_an_arm_is_told_by_what_it_has_and_what_it_lacks():
    mixed = [*every({}, (0,)), *every({"gain": 2.5}, (0,))]
    ((quiet, loud),) = by_seed(mixed, KAIMING, LOUD)
    assert (quiet.settings["gain"], loud.settings["gain"]) == (1.0, 2.5)
    either = Arm("either", {"gain": (2.5, 3.5)})
    assert [run.settings["gain"] for (run,) in by_seed(mixed, either)] == [2.5]
    for gain, found in ((Above(1.0), [2.5]), (Below(2.0), [1.0]), (Above(2.5), [])):
        arm = Arm("some", {"gain": gain})
        assert [run.settings["gain"] for run in mixed if arm.holds(run)] == found
    assert KAIMING.but(l2=0.5) == Arm("kaiming, l2 = 0.5", {"init": "kaiming", "gain": 1.0, "l2": 0.5})


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (every({}, (0, 1)), r"no run of 'xavier' \(init = xavier\)"),
        ([*every({}, (0, 1, 2)), *every({"init": "xavier"}, (0,))], "no run of 'xavier' with seed 1, 2, which another"),
        ([*every({}, (0,)), *every({"init": "xavier"}, (0,), epochs=6)], "must have one epochs, got 5, 6"),
        ([*every({}, (0,)), *every({"init": "xavier"}, (0,), train=9)], "must have one train, got 1000, 9"),
        (
            [*every({}, (0,)), *every({}, (0,), alpha=0.5), *every({"init": "xavier"}, (0,))],
            "two runs of 'kaiming' with seed 0; they differ in alpha",
        ),
        ([*every({}, (0,)), *every({}, (1,), width=0.5), *every({"init": "xavier"}, (0, 1))], "one width, got 0.25"),
    ],
)  # fmt: skip
def test_what_does_not_belong_together_is_not_compared(found, message):
    with pytest.raises(NotRecorded, match=message):
        by_seed(found, KAIMING, XAVIER)


def test_arms_may_differ_in_what_is_free():
    found = [*every({}, (0,)), *every({"init": "xavier"}, (0,), epochs=6)]
    ((first, second),) = by_seed(found, KAIMING, XAVIER, free=("epochs",))
    assert (first.epochs, second.epochs) == (5, 6)


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        (Above(1), 1, False), (Above(1), 1.5, True), (Above(1), "2", False), (Above(1), None, False),
        (Below(1), 1, False), (Below(1), 0.5, True), (Below(1), "0", False),
        ((1, 2), 2, True), ((1, 2), 3, False), ("x", "x", True), ("x", "y", False),
    ],
)  # fmt: skip
def test_a_setting_is_what_is_wanted(wanted: object, found: object, expected: bool) -> None:
    """A bound itself is neither above nor below it."""
    assert _is(found, wanted) is expected
