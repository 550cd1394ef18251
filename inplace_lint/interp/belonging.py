"""Which of several objects is changed, where a loop of unknown length meets one of them in each round.

``particle = self.particles[i]``: one number stands for all particles, and one for the lists that each of them keeps. What a round
puts into the list of its particle is in no other's, and what it takes out of it stays in the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from inplace_lint.domain.conditions import TRUE, Cond, Fact, add_to
from inplace_lint.domain.objects import Container, Instance, Place, contents, reachable_from
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Atom, Const, Unknown, Value, under, union
from inplace_lint.interp.keys import EARLIER, ELSEWHERE, LAST, SLOT, seats
from inplace_lint.interp.machine import Machine

_OBJECT = re.compile(r" of (-?\d+)$|^#slot (?:of each )?(-?\d+) \d+$")
"""The object that a seat is about, in the key of its fact."""
MOST_PARTS = 300
"""Parts of an object among which one is looked for."""


def met(m: Machine, state: State, oid: int, given: Cond) -> Cond:
    """The facts that an object which may stand for several is the one that a round met, or belongs to that one.

    given: what holds, beyond the path, for the object to be there.
    """
    return seats(given) | frozenset(fact for fact in seats(state.path) if _is_about(m, state, fact, oid))


def receiver(m: Machine, state: State, oid: int) -> Value:
    """An object as the ``self`` of a method: one of several is the one that a round of the path met, or belongs to that one."""
    return {oid: met(m, state, oid, TRUE) if m.loops_of.get(abs(oid)) else TRUE}


def held_by(m: Machine, owner: Atom, value: Value, cond: Cond) -> Value:
    """What an object holds that is there under a condition: what was made for all such objects is met in any round."""
    here = seats(cond)
    if not here or not isinstance(owner, int):
        return under(value, cond)
    always = cond - here
    own = [not isinstance(atom, int) or _made_with(m, atom, owner) for atom in value]
    return union([under({a: c}, cond if mine else always) for (a, c), mine in zip(value.items(), own, strict=True)])


def _made_with(m: Machine, oid: int, owner: int) -> bool:
    """Whether every round that makes the owner makes the object anew."""
    loops = m.loops_of.get(abs(owner), ())
    return m.loops_of.get(abs(oid), ())[: len(loops)] == loops


def _is_about(m: Machine, state: State, fact: Fact, oid: int) -> bool:
    found = _OBJECT.search(fact.key)
    number = int(found[1] or found[2]) if found else None
    if number is None:
        return False
    seen, todo = {number}, [number]
    while todo:
        if oid in seen:
            return True
        if len(seen) > MOST_PARTS:
            return False
        owner = state.heap.get(todo.pop())
        if isinstance(owner, (Instance, Container)):
            inner = {n for n in reachable_from(owner) if _made_with(m, n, number)} - seen
            seen |= inner
            todo.extend(inner)
    return oid in seen


def others(
    m: Machine, holder: int, attr: str | None, held: Value, seat: Cond, given: Iterable[Atom] = ()
) -> Value | None:
    """What several objects hold after the one that a round met was emptied; None where it is not known to be one of them.

    holder, attr: what held it, for the end of the loop: by then each was met. given: what the one holds instead.
    """
    live = [f for f in seat if f.value not in (EARLIER, ELSEWHERE) and f.key not in m.generations.met]
    if len(live) != 1:
        return None
    (fact,) = live
    loop = m.generations.seated_in.get(fact.key)
    if loop is not None:
        instead = m.emptied.setdefault(loop, {}).setdefault((holder, attr, fact.key), set())
        instead.update(atom for atom in given if isinstance(atom, Const))
    left: dict[Atom, Cond] = {}
    for atom, cond in held.items():
        if not any(own.key == fact.key for own in cond):
            add_to(left, atom, cond | {Fact(fact.key, ELSEWHERE)})
        elif fact not in cond:
            add_to(left, atom, cond)
    return left


def set_by_each_round(m: Machine, state: State, holder: int, index: Value, key: str) -> None:
    """Note that a loop which counts from zero sets an element in each round: when it ends, it has set them all."""
    loop = m.loop_of(key)
    counts = next(iter(index))
    if loop is None or not isinstance(counts, Unknown) or m.first_numbers.get(counts.tag) != 0:
        return
    since = state.path - m.round_path.get(loop, TRUE)
    if all(fact.key.startswith((SLOT, LAST)) for fact in since):
        m.emptied.setdefault(loop, {}).setdefault((holder, None, key), set())


def all_met(m: Machine, state: State, loop: Place) -> None:
    """A loop over several objects has come to its end: what it took from each that it met is left in none of them."""
    # In another round of a loop around it, it meets each of them again.
    for (holder, attr, key), instead in m.emptied.pop(loop, {}).items():
        owner = state.heap.get(holder)
        if isinstance(owner, Instance) and attr is not None and attr in owner.attrs:
            kept = _of_those_met(owner.attrs[attr], key, instead)
            if kept and len(kept) < len(owner.attrs[attr]):
                state.heap.pop(holder)
                state.put(holder, replace(owner, attrs={**owner.attrs, attr: kept}))
        elif isinstance(owner, Container) and attr is None and owner.kind != "dict":
            state.heap[holder] = Container(owner.kind, None, None, _of_those_met(contents(owner), key, instead))


def _of_those_met(held: Value, key: str, instead: set[Atom]) -> Value:
    return {
        atom: cond
        for atom, cond in held.items()
        if atom in instead or any(fact.key == key and fact.value != ELSEWHERE for fact in cond)
    }
