"""Drop graphs that a backward freed and that nothing leads to any more, from a heap's layer as well as from its own objects.

``State.collect`` looks at a heap's own objects alone. What is left of a loop's last round may lie in the layer, where the nodes
of the next round would be taken for it. So this starts at the freed nodes, goes up to whatever mentions them, and back down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace

from inplace_lint.domain.conditions import TRUE, Cond, add_alternative, both
from inplace_lint.domain.heap import Heap
from inplace_lint.domain.objects import Container, Frame, Instance, Node, Obj, Tensor, contents, mentions, nodes_of
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Value, references, unknown_tags

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


def drop_contradicted(
    state: State, frames: Iterable[int], stands_for: Callable[[int], str | None], frame: int, overwritten: Set[str]
) -> None:
    """Drop what backwards did to nodes under conditions in which nothing leads to them any more.

    ``if q: loss.backward(); loss = 0``: where the graph was freed, nothing holds it, and where it is held, it was not freed. Once
    the answer to ``q`` is open again, in the next round, the two can no longer be told apart.

    frame, overwritten: names that the next round binds before it reads them, which hold nothing for it.
    """
    heap = state.heap
    freed = {oid for oid in heap.every_freed() if all(_node(heap, oid).freed.values())}
    above, frontier = set(freed), set(freed)
    while frontier:
        frontier = {oid for oid in heap.users(frontier) if oid not in above and oid in heap}
        above |= frontier
        if len(above) > MOST:
            return
    reached = _reached(state, frames, stands_for, frame, overwritten, above) if freed else {}
    for oid in freed:
        node, ways = _node(heap, oid), reached.get(oid, ())

        def possible(cond: Cond, ways: tuple[Cond, ...] = ways) -> bool:
            return any(both(cond, way) is not None for way in ways)

        kept = {place: cond for place, cond in node.freed.items() if possible(cond)}
        if ways and len(kept) < len(node.freed):
            saved = tuple(
                replace(
                    one,
                    writes={record: cond for record, cond in one.writes.items() if possible(cond)},
                    silent={record: cond for record, cond in one.silent.items() if possible(cond)},
                )
                for one in node.saved
            )
            heap[oid] = replace(node, freed=kept, saved=saved)


def _node(heap: Heap, oid: int) -> Node:
    node = heap[oid]
    assert isinstance(node, Node)
    return node


def _reached(
    state: State,
    frames: Iterable[int],
    stands_for: Callable[[int], str | None],
    frame: int,
    overwritten: Set[str],
    above: Set[int],
) -> dict[int, tuple[Cond, ...]]:
    """The objects of ``above`` to which registers and frames lead, each with the alternative conditions under which they do."""
    heap = state.heap
    todo: list[tuple[int, Cond]] = [(oid, TRUE) for oid in above if stands_for(oid) is not None]
    running = set(frames)
    values = [value for registers in state.registers for value in registers.values()]
    for number in running:
        called = heap.get(number)
        if isinstance(called, Frame):
            skipped = overwritten if number == frame else ()
            values.extend(value for name, value in called.names.items() if name not in skipped)
    for value in values:
        for atom, cond in value.items():
            todo.extend((oid, cond) for oid in references({atom: cond}) if oid in above)
    reached: dict[int, tuple[Cond, ...]] = {}
    while todo:
        oid, cond = todo.pop()
        known = reached.get(oid, ())
        wider = add_alternative(known, cond)
        if wider == known:
            continue
        reached[oid] = wider
        for inner, own in _held(heap[oid]) if oid not in running else ():
            together = both(cond, own) if inner in above else None
            if together is not None:
                todo.append((inner, together))
    return reached


def _values(obj: Container | Instance | Frame) -> Iterable[Value]:
    if isinstance(obj, Container):
        return (contents(obj),)
    return obj.attrs.values() if isinstance(obj, Instance) else obj.names.values()


def _held(obj: Obj) -> Iterator[tuple[int, Cond]]:
    """What an object leads to: graphs through the nodes that made a tensor, whatever it holds otherwise."""
    if isinstance(obj, Node):
        yield from obj.edges.items()
    elif isinstance(obj, Tensor):
        yield from nodes_of(obj)
        yield from obj.bases.items()
        for atom, cond in (obj.grad or {}).items():
            yield from ((oid, cond) for oid in references({atom: cond}))
    elif isinstance(obj, (Container, Instance, Frame)):
        for value in _values(obj):
            for atom, cond in value.items():
                yield from ((oid, cond) for oid in references({atom: cond}))
    else:
        yield from ((oid, TRUE) for oid in mentions(obj).ids)
