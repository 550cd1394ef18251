"""The generator: reproducible, diverse, runnable, and about as often wrong as right."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from tools.truth.generate import generate, programs, topics
from tools.truth.generate.base import TOPICS
from tools.truth.oracle import Oracle


def test_a_seed_is_a_program() -> None:
    for topic in (None, *topics()):
        assert generate(7, topic) == generate(7, topic)
        assert generate(7, topic).source != generate(8, topic).source


def test_unknown_topic() -> None:
    with pytest.raises(KeyError):
        generate(0, "no such topic")


@pytest.mark.parametrize("topic", topics())
def test_every_producer_is_reached_and_compiles(topic: str) -> None:
    made = list(programs(0, 150, topic))
    assert {program.producer for program in made} == {name for name, _, _ in TOPICS[topic]}
    for program in made:
        ast.parse(program.source)


def test_programs_are_diverse() -> None:
    sources = [program.source for program in programs(0, 300)]
    assert len(set(sources)) == len(sources)
    assert any("def main" in source for source in sources)
    assert any("class " in source for source in sources)
    assert any("functional as F" in source for source in sources)


def test_torch_finds_fault_with_a_good_part() -> None:
    with Oracle() as oracle:
        kinds = Counter(verdict.kind for verdict in oracle.judge_all(program.source for program in programs(500, 240)))
    assert kinds["invalid"] <= 12
    assert kinds["clean"] >= 90
    assert kinds["raises"] >= 45
    assert kinds["wrong-gradients"] + kinds["warns"] >= 3
