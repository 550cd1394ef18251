"""Running something for each element of a sequence of which only the order is known (``domain.sequences``)."""

from __future__ import annotations

from collections.abc import Callable

from inplace_lint.domain.conditions import TRUE, Cond, Fact, both
from inplace_lint.domain.objects import Place
from inplace_lint.domain.sequences import Order, Walk, walk
from inplace_lint.domain.state import State, join_all
from inplace_lint.domain.values import Atom
from inplace_lint.interp.machine import Machine

Visit = Callable[[State, Atom, int, "tuple[Cond | None, Cond | None]"], "State | None"]
"""What is done at an element: the state, the element, the number of the visit, and when it is the last and when it is not;
None where it does not return."""


def walk_of(order: Order | None, most: int) -> Walk | None:
    """The visits of a sequence whose order says more than its elements, unless they are too many."""
    if order is None or len(order.elements()) < 2:
        return None
    found = walk(order)
    return found if found.ends and len(found.steps) <= most else None


def follow(
    m: Machine, state: State, visits: Walk, visit: Visit, place: Place, may_be_empty: bool = False
) -> State | None:
    """The state after the visits, joined where ways meet; None where no way leads to the end.

    may_be_empty: whether a sequence counts as empty that, for all that is known, need not be (a loop made no round).
    """
    outer = state.path
    key = m.question_here("way", place)
    parting = _parting(visits)
    for source in parting:
        m.note_tag(f"{key}:{source}")
    after: list[State | None] = []
    lost = False

    def come(ways: tuple[tuple[int | None, Cond], ...], to: int) -> State | None:
        arrivals: list[State] = []
        for source, cond in ways:
            before = state if source is None else after[source]
            # Ways that part exclude each other, whatever else is known of them.
            own = cond | {Fact(f"{key}:{source}", to)} if source in parting else cond
            path = None if before is None else both(before.path, own)
            if before is None or path is None:
                continue
            arrival = before.copy()
            arrival.path = path
            arrivals.append(arrival)
        return join_all(arrivals)

    for number, step in enumerate(visits.steps):
        here = come(step.before, number)
        done = None if here is None else visit(here, step.element, number, _is_last(visits, number, key))
        lost = lost or (here is not None and done is None)
        after.append(done)
    ends = visits.ends
    if not may_be_empty:
        starts = [cond for step in visits.steps for source, cond in step.before if source is None]
        ends = tuple(
            (source, cond)
            for source, cond in ends
            if source is not None or all(both(cond, start) is None for start in starts)
        )
    end = come(ends, -1)
    if end is not None and not lost:
        end.path = outer
    return end


def _parting(visits: Walk) -> set[int | None]:
    """The visits (and the start) after which there is more than one way to go on."""
    targets = [source for step in visits.steps for source, _ in step.before] + [source for source, _ in visits.ends]
    return {source for source in targets if targets.count(source) > 1}


def _is_last(visits: Walk, number: int, key: str) -> tuple[Cond | None, Cond | None]:
    """When a visit is the last one, and when another follows it; None for never."""
    others = [to for to, step in enumerate(visits.steps) for source, _ in step.before if source == number]
    if all(source != number for source, _ in visits.ends):
        return None, TRUE
    if not others:
        return TRUE, None
    another: Cond = frozenset({Fact(f"{key}:{number}", others[0])}) if len(others) == 1 else TRUE
    return frozenset({Fact(f"{key}:{number}", -1)}), another
