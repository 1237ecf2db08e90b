"""The comparison notices what depends on its surroundings."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.attack.repeat.attack import differing
from tests.attack.repeat.surroundings import ASPECTS, Surroundings, draw, prepare


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("common") / "common"
    try:
        prepare(place)
    except RuntimeError as error:
        pytest.skip(str(error))
    return place


LEAKS = {
    "the order of a set": "print(list({'weights', 'inputs', 'outputs', 'layers', 'seeds', 'rates'}))",
    "the folder": "import os; print(os.path.abspath('x'))",
    "the time zone": "import time; print(time.strftime('%H:%M', time.localtime(0)))",
    "the locale": "import locale; print(locale.format_string('%.2f', 0.5))",
    "the threads": "import numpy, threadpoolctl as t; print(t.threadpool_info()[0]['num_threads'])",
}


def test_every_aspect_is_seen_where_it_leaks(common: Path, tmp_path: Path) -> None:
    surroundings = draw(3, tmp_path, random.Random(0))
    assert len(LEAKS) == ASPECTS
    for name, code in LEAKS.items():
        printed = {each.run(["-c", code], common, 60) for each in surroundings}
        assert len(printed) > 1, name
    assert {each.run(["-c", "print(1 / 3)"], common, 60) for each in surroundings} == {f"{1 / 3}\n"}


def test_a_failing_build_is_an_error(common: Path, tmp_path: Path) -> None:
    one: Surroundings = draw(2, tmp_path, random.Random(0))[0]
    with pytest.raises(RuntimeError, match="ended with 3: broken"):
        one.run(["-c", "import sys; print('broken', file=sys.stderr); sys.exit(3)"], common, 60)


@pytest.mark.parametrize(
    ("builds", "expected"),
    [
        ([{"a": "1", "b": "2"}, {"a": "1", "b": "2"}], set()),
        ([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}], {"b"}),
        ([{"a": "1", "b": "2"}, {"a": "1"}], {"b"}),
        ([{"a": "1"}, {"a": "1"}, {"a": "1", "c": "4"}], {"c"}),
    ],
)
def test_files_that_differ_or_are_missing(builds: list[dict[str, str]], expected: set[str]) -> None:
    assert differing(builds) == expected


def test_surroundings_are_drawn_from_the_seed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="count must be between 2 and 5, got 6"):
        draw(6, tmp_path, random.Random(0))
    first, second = (
        [(s.hash_seed, s.zone, s.locale) for s in draw(5, tmp_path / name, random.Random(3))] for name in "ab"
    )
    assert first == second
    assert all(len({line[k] for line in first}) == 5 for k in range(3))
