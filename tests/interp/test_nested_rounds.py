"""Nested loops: what an inner loop's older rounds made is not what was there in older rounds of the loop around it."""

from __future__ import annotations

from inplace_lint.domain.state import State
from inplace_lint.domain.values import Atom, one
from inplace_lint.interp.machine import Machine
from inplace_lint.opmodel.lookup import load

OUTER, INNER = ("program.py", 1), ("program.py", 2)
NAME = 0


def in_both_loops() -> Machine:
    m = Machine(load())
    m.loops = (OUTER, INNER)
    m.ctx = (("loop", OUTER), ("loop", INNER))
    return m


def after(m: Machine, *ends: tuple[str, int]) -> Atom:
    """What an unknown that an inner round makes is called after the ends of rounds of these loops."""
    state = State()
    state.registers = [{NAME: one(m.fresh(state, 3, "result"))}]
    for loop in ends:
        m.next_round(state, loop)
    (atom,) = state.registers[-1][NAME]
    return atom


def test_each_round_makes_an_unknown_of_its_own() -> None:
    m = in_both_loops()
    assert len({after(m), after(m, INNER), after(m, INNER, OUTER)}) == 3


def test_older_rounds_of_one_loop_are_taken_together() -> None:
    m = in_both_loops()
    assert after(m, INNER) == after(m, INNER, INNER)
    assert after(m, OUTER) == after(m, INNER, OUTER) == after(m, INNER, OUTER, INNER) == after(m, OUTER, OUTER)
