"""The ends of a sequence of unknown length: its first element is none of the later ones, and its last none of the earlier ones.

One object stands for all elements that a loop has made. ``out = xs[0]`` and ``for x in xs[1:]: out += f(x)`` meet it both, but
never the same element of it.
"""

from __future__ import annotations

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE, Cond, Fact
from inplace_lint.domain.sequences import Order
from inplace_lint.domain.values import Atom, SliceAtom, Unknown, Value, known
from inplace_lint.interp import counters
from inplace_lint.interp.machine import Machine

_FIRST, _LAST = "#first of ", "#last of "


def at(m: Machine, sequence: int, held: Value, index: Value, order: Order | None = None) -> Value:
    """What may lie at an index of a sequence, with what the index says of the ends."""
    first, last = _said_by(m, index)
    if first is None and last is None:
        return held
    if order is not None and first is False:
        later = sequences.beheaded(order).elements()
        held = {atom: cond for atom, cond in held.items() if atom in later} or held
    once = set() if order is None else {atom for atom in held if (atom, atom) not in order.edges}
    return {atom: cond | _told(m, sequence, atom, first, last, atom in once) for atom, cond in held.items()}


def within(m: Machine, sequence: int, held: Value, bounds: SliceAtom) -> dict[Atom, Cond]:
    """What of a sequence's elements lies in a part of it, each with what the bounds say of the ends."""
    lower, upper = bounds.lower, bounds.upper
    if bounds.step not in (None, 1):
        return {}
    first = True if (lower in (None, 0) and upper == 1) else False if isinstance(lower, int) and lower > 0 else None
    last = True if (upper is None and lower == -1) else False if isinstance(upper, int) and upper < 0 else None
    if first is None and last is None:
        return {}
    return {atom: _told(m, sequence, atom, first, last) for atom in held}


def _said_by(m: Machine, index: Value) -> tuple[bool | None, bool | None]:
    literal = known(index)
    if literal is not None and type(literal.value) is int:
        number = literal.value
        return (number == 0, None) if number >= 0 else (None, number == -1)
    (atom,) = index if len(index) == 1 else (None,)
    start = m.first_numbers.get(atom.tag) if isinstance(atom, Unknown) else None
    if not isinstance(atom, Unknown) or start is None:
        return None, None
    return (False if start > 0 else counters.is_first(m, atom) if start == 0 else None), None


def _told(m: Machine, sequence: int, atom: Atom, first: bool | None, last: bool | None, once: bool = False) -> Cond:
    """The facts about an element, if it may be one of several that one object stands for, or lies at one place (``once``)."""
    if isinstance(atom, Unknown):
        known, name = atom.tag.endswith("~"), atom.tag
    else:
        several = isinstance(atom, int) and (atom < 0 or m.of_this_round(atom) != atom)
        known, name = several or (once and isinstance(atom, int)), str(atom)
    if not known:
        return TRUE
    facts = []
    for word, answer in ((_FIRST, first), (_LAST, last)):
        if answer is not None:
            key = f"{word}{sequence}: {name}"
            m.note_tag(key)
            facts.append(Fact(key, answer))
    return frozenset(facts)
