"""Tracebacks of real torch: the write that is to blame is ranked first, with and without anomaly mode."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.truth.fixtures import FIXTURES, Fixture, load
from tools.truth.tracebacks import Tracebacks, explain, failing

FAMILIES = (
    "classic", "expanded", "gradmode", "inference", "leaf", "lifetime", "loops", "saved_input", "saved_result", "step", "views",
)  # fmt: skip
CASES = list(failing(load([FIXTURES / family for family in FAMILIES])))


@pytest.fixture(scope="module")
def runs() -> Iterator[Tracebacks]:
    with Tracebacks() as worker:
        yield worker


@pytest.mark.parametrize("anomaly", [False, True], ids=["plain", "anomaly"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_culprit_is_ranked_first(case: Fixture, anomaly: bool, runs: Tracebacks) -> None:
    text = runs.of(case.path, anomaly)
    answer = explain(case, text)
    if answer.kind is None:  # a fixture that catches what it raises, to show one error after the other
        assert "Traceback (most recent call last)" not in text
        return
    assert answer.first, answer.ranked
