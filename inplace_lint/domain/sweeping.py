"""Drop graphs that a backward freed and that nothing leads to any more, from a heap's layer as well as from its own objects.

``State.collect`` looks at a heap's own objects alone. What is left of a loop's last round may lie in the layer, where the nodes
of the next round would be taken for it. So this starts at the freed nodes, goes up to whatever mentions them, and back down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set

from inplace_lint.domain.objects import mentions
from inplace_lint.domain.state import State
from inplace_lint.domain.values import references, unknown_tags

MOST = 5_000
"""Objects that are looked at before a heap is left as it is."""


def drop_freed(
    state: State,
    frames: Iterable[int],
    stands_for: Callable[[int], str | None],
    parts: Callable[[], Mapping[str, Set[str]]],
) -> None:
    """Drop the freed nodes, and what is made of them, that no register and no frame leads to.

    frames: the frames that are running. stands_for: the tag of the unknown for which an object stands. parts: by tag, those
    of what was taken out of its unknown; who holds a part holds the whole.
    """
    heap = state.heap
    frontier = set(heap.every_freed())
    if not frontier:
        return
    roots = set(frames)
    tags: set[str] = set()
    for registers in state.registers:
        for value in registers.values():
            for atom in value:
                if isinstance(atom, int):
                    roots.add(atom)
                else:
                    roots.update(references({atom: frozenset()}))
                    tags.update(unknown_tags(atom))
    above = set(frontier)
    held: set[int] = set()
    standing: dict[str, list[int]] = {}
    parts_of: Mapping[str, Set[str]] | None = None
    while frontier:
        asked: set[str] = set()
        for oid in frontier:
            tag = stands_for(oid)
            if tag is not None:
                parts_of = parts() if parts_of is None else parts_of
                names = {tag, *parts_of.get(tag, ())}
                asked |= names
                for name in names:
                    standing.setdefault(name, []).append(oid)
                if not tags.isdisjoint(names):
                    held.add(oid)
            if oid in roots:
                held.add(oid)
        users = heap.users(frontier - held)
        if asked:
            users |= heap.tagged(asked)
        frontier = {oid for oid in users if oid not in above and oid in heap}
        above |= frontier
        if len(above) > MOST:
            return
    todo = list(held)
    while todo:
        found = mentions(heap[todo.pop()])
        named = [oid for tag in found.tags & standing.keys() for oid in standing[tag]] if standing else []
        for oid in (*found.ids, *named):
            if oid in above and oid not in held:
                held.add(oid)
                todo.append(oid)
    for oid in above - held:
        del heap[oid]
