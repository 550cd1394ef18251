"""Planted faults: where they can go, that they change nothing else, and the linter against torch on a fixed budget of them."""

from __future__ import annotations

import ast

from tools.truth.compare import run
from tools.truth.fixtures import load
from tools.truth.oracle import Oracle
from tools.truth.planted import WRITES, places, plant, planted

SOURCE = """def f(a):
    b = a
    if a:
        return b
    return [b]


class C:
    def g(self, x):
        for k in x:
            self.y = k


z = f(1)
"""


def test_places_are_after_statements_that_go_on_with_the_names_of_their_function() -> None:
    assert set(places(SOURCE)) == {
        (2, 4, "a"),
        (2, 4, "b"),
        (11, 12, "k"),
        (11, 12, "self.y"),
        (11, 12, "x"),
        (14, 0, "z"),
    }


def test_each_place_takes_a_write_and_leaves_the_rest() -> None:
    for place in places(SOURCE):
        source = plant(SOURCE, place, WRITES[0].format(place[2]))
        ast.parse(source)
        lines = source.splitlines()
        assert lines.pop(place[0]).strip() == f"{place[2]}.mul_(1)"
        assert lines == SOURCE.splitlines()


def test_linter_agrees_with_torch_on_planted_faults() -> None:
    """A fixed budget; `python -m tools.truth planted` runs more, and shows what disagrees."""
    with Oracle() as oracle:
        report = run(planted(load(), 90_000, 120, oracle), oracle)
    assert not [one.crash for one in report.comparisons if one.crash], report.text()
    assert report.recall >= 0.94, report.text()
    assert report.specificity >= 0.98, report.text()
    assert report.line_share >= 0.96, report.text()
