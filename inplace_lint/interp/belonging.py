"""Which of several objects is changed, where a loop of unknown length meets one of them in each round.

``particle = self.particles[i]``: one number stands for all particles, and one for the lists that each of them keeps. What a round
puts into the list of its particle is in no other's, and what it takes out of it stays in the others.
"""

from __future__ import annotations

import re

from inplace_lint.domain.conditions import Cond, Fact, add_to
from inplace_lint.domain.objects import Instance
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Atom, Value
from inplace_lint.interp.keys import ELSEWHERE, NOW, seats

_OBJECT = re.compile(r" of (-?\d+)$|^#slot (?:of each )?(-?\d+) \d+$")
"""The object that a seat is about, in the key of its fact."""


def met(state: State, oid: int, given: Cond) -> Cond:
    """The facts that an object which may stand for several is the one that a round met, or belongs to that one.

    given: what holds, beyond the path, for the object to be there.
    """
    return seats(given) | frozenset(fact for fact in seats(state.path) if _is_about(state, fact, oid))


def _is_about(state: State, fact: Fact, oid: int) -> bool:
    found = _OBJECT.search(fact.key)
    number = int(found[1] or found[2]) if found else None
    if number is None or number == oid:
        return number == oid
    owner = state.heap.get(number)
    return isinstance(owner, Instance) and any(oid in value for value in owner.attrs.values())


def others(held: Value, seat: Cond) -> Value | None:
    """What several objects hold after the one that a round met was emptied; None where it is not known to be one of them."""
    if len(seat) != 1:
        return None
    (fact,) = seat
    if fact.value != NOW:
        return None
    left: dict[Atom, Cond] = {}
    for atom, cond in held.items():
        if not any(own.key == fact.key for own in cond):
            add_to(left, atom, cond | {Fact(fact.key, ELSEWHERE)})
        elif fact not in cond:
            add_to(left, atom, cond)
    return left
