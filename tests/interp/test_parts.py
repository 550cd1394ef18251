"""Unknowns that a loop takes out of one another end, however their tags go round."""

from __future__ import annotations

from inplace_lint.domain.state import State
from inplace_lint.domain.values import Unknown
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.networks import is_part
from inplace_lint.interp.parts import outwards
from inplace_lint.opmodel import lookup


def unknown(tag: str) -> Unknown:
    return Unknown(tag, "no", True)


def test_wholes_are_told_from_the_inside_out() -> None:
    part_of = {"x.a.b": unknown("x.a"), "x.a": unknown("x")}
    assert [it.tag for it in outwards(part_of, unknown("x.a.b"))] == ["x.a.b", "x.a", "x"]


def test_wholes_that_go_round_are_told_once() -> None:
    part_of = {"a~": unknown("b~"), "b~": unknown("a~")}
    assert [it.tag for it in outwards(part_of, unknown("a~"))] == ["a~", "b~"]


def test_what_is_a_part_of_a_network_is_found_out_in_a_circle_too() -> None:
    m, state = Machine(lookup.load()), State()
    m.part_of = {"a": unknown("b~"), "b": unknown("a~")}
    assert not is_part(m, state, unknown("a~"))
