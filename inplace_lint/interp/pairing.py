"""What belongs together though it lies in different collections: a network, the optimizer that holds it, the loss that it gave.

``nets``, ``opts = [Adam(net.parameters()) for net in nets]`` and ``losses = [net(x).mean() for net in nets]`` are three lists of
one length that nobody knows, and one object stands for all elements of each. Each optimizer holds the parameters of one
network, that of its own round; so does each loss. A loop over ``zip(opts, losses)`` therefore meets, with an element, the
*generation* that it belongs to: what one round of an earlier loop made. Meeting a generation is a seat like another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inplace_lint.domain.conditions import TRUE, Cond, Fact, both
from inplace_lint.domain.objects import Container, Instance, Node, Place, Tensor, contents
from inplace_lint.domain.sequences import Order
from inplace_lint.domain.state import State
from inplace_lint.domain.values import NOTHING, Atom, Unknown, Value
from inplace_lint.interp import counters
from inplace_lint.interp.autograd import reach
from inplace_lint.interp.generations import Generation
from inplace_lint.interp.keys import NOW, SLOT, VISIT, seats
from inplace_lint.interp.machine import Machine

MOST_MEMBERS = 300
"""Objects that something may lead to, for it to be looked at whether they are of one generation."""


def tell_apart(m: Machine, parameters: Iterable[int]) -> None:
    """Tell the generations apart to which parameters belong that more than their network leads to: an optimizer, a loss."""
    m.generations.made.update(loops for parameter in parameters if (loops := m.loops_of.get(abs(parameter))))


def note(m: Machine, state: State, value: Value) -> None:
    """Note of what a round puts into a collection whether all parameters that it leads to are of one generation.

    Those are the ones that the round has made, and those of an object of an earlier loop that the round has met. Networks that
    are put into a collection are told apart, but for the layers of one that is being made.
    """
    if m.loops and not m.generations.constructing:
        for atom in value:
            if isinstance(atom, int) and isinstance(state.heap.get(atom), Instance):
                tell_apart(m, (member for member, _ in _members(state, atom, TRUE)))
    if not m.generations.made:
        return
    for atom, cond in value.items():
        if not isinstance(atom, int):
            continue
        number = m.of_this_round(atom)
        known = m.generations.leads_to.setdefault(number, {})
        for member, own in _members(state, atom, seats(cond)):
            generation = generation_of(m, member)
            if generation is not None:
                known[generation] = known.get(generation, True) and _of_this_round(m, member, generation, own)


def met_with(m: Machine, atom: Atom, loop: Place, visit: int | None = None) -> Cond:
    """The facts that a running loop meets, with an element, the generations to which it belongs."""
    if not m.generations.made or not isinstance(atom, int):
        return TRUE
    pure = [g for g, whole in m.generations.leads_to.get(m.of_this_round(atom), {}).items() if whole]
    own = generation_of(m, atom)
    return frozenset(_seat(m, g, loop, visit) for g in dict.fromkeys((*pure, *([] if own is None else [own]))))


def written_with(m: Machine, parameter: int, given: Cond) -> Cond:
    """The facts of a write to what an object holds that was met under a condition: those about the parameter's generation."""
    generation = generation_of(m, parameter) if given else None
    if generation is None:
        return TRUE
    name = m.number_of(generation)
    return frozenset(fact for fact in given if fact.key.startswith(f"{SLOT}{name} "))


def pointing(m: Machine, index: Value) -> tuple[Place | None, int | None]:
    """The running loop whose counter, or element, is the index itself rather than something that is counted from it, and the
    number of its visit where it goes from one element to the next."""
    (atom,) = index if len(index) == 1 else (None,)
    if not isinstance(atom, Unknown):
        return None, None
    loop = m.generations.picks.get(atom.tag)
    for part in m.ctx if loop is not None else ():
        if isinstance(part, tuple) and part[:1] == (loop,):
            return loop, part[1]
    key = counters.slot(m, index, by_element=True)
    return (None if key is None or " " in key.partition("@")[2] else m.loop_of(key)), None


def latest(m: Machine, order: Order, index: Value) -> Value:
    """What lies at a loop's counter where each round has added one element to a list that was empty: the latest one.

    Nothing where it is not known to be so.
    """
    loop, _ = pointing(m, index)
    (counter,) = index if len(index) == 1 else (None,)
    found = order.lasts()
    if (
        loop is None
        or m.loops[-1:] != (loop,)
        or not isinstance(counter, Unknown)
        or m.first_numbers.get(counter.tag) != 0
    ):
        return NOTHING
    by_loop = all(isinstance(a, int) and loop in m.loops_of.get(abs(a), ()) for a in order.elements())
    new = [a for a in order.elements() if isinstance(a, int) and a > 0 and m.of_this_round(a) == a]
    return found if by_loop and all(a in new for a in found) and len(new) == len(found) else NOTHING


def generation_of(m: Machine, oid: int) -> Generation | None:
    """The loops of which each round makes one such object; None for what no loop made, or nothing that is told apart."""
    loops = m.loops_of.get(abs(oid), ())
    return loops if loops in m.generations.made else None


def _seat(m: Machine, generation: Generation, loop: Place, visit: int | None) -> Fact:
    fact = m.seat(m.number_of(generation), loop, False, visit)
    m.generations.met.add(fact.key)
    return fact


def _of_this_round(m: Machine, oid: int, generation: Generation, cond: Cond) -> bool:
    """Whether a member of a generation is the running round's own: made by it, or of an object that it met."""
    if generation == m.loops[: len(generation)]:
        return oid > 0 and m.of_this_round(oid) == oid
    return any(is_running(m, fact) for fact in cond)


def is_running(m: Machine, fact: Fact) -> bool:
    """Whether a seat is that of a running loop's round."""
    if fact.value == NOW:
        return m.loop_of(fact.key) in m.loops
    return fact.value >= VISIT and (m.generations.seated_in.get(fact.key), fact.value - VISIT) in m.ctx


def _members(state: State, oid: int, cond: Cond) -> Iterator[tuple[int, Cond]]:
    """The leaves that something leads to, each with the seats under which it does."""
    seen: set[tuple[int, Cond]] = set()
    todo = [(oid, cond)]
    while todo and len(seen) < MOST_MEMBERS:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        number, own = here
        thing = state.heap.get(number)
        if isinstance(thing, Tensor):
            if thing.status.leaf is not None:
                yield number, own
            yield from _differentiated(state, number, own)
            continue
        if isinstance(thing, Container):
            todo.extend(_inner(contents(thing), own))
        elif isinstance(thing, Instance):
            for held in thing.attrs.values():
                todo.extend(_inner(held, own))


def _inner(held: Value, cond: Cond) -> Iterator[tuple[int, Cond]]:
    for atom, own in held.items():
        together = both(cond, seats(own))
        if isinstance(atom, int) and together is not None:
            yield atom, together


def _differentiated(state: State, oid: int, cond: Cond) -> Iterator[tuple[int, Cond]]:
    """The leaves on which a tensor's graph depends, or that it keeps."""
    for key, alternatives in reach(state, [(oid, cond)]).items():
        passed = state.heap.get(key)
        for own in alternatives:
            if isinstance(passed, Tensor):
                yield key, seats(own)
            elif isinstance(passed, Node):
                for saved in passed.saved:
                    together = both(own, saved.cond)
                    if saved.leaf is not None and together is not None:
                        yield saved.tensor, seats(together)
