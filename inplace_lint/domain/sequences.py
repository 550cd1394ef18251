"""The order of a sequence whose length is not known: what may come first, what may follow what, what may come last.

A list that is built under conditions or in a loop has no exact elements, but its order is seldom lost altogether:
``[linear, relu] * n`` ends in ``relu``, and no ``linear`` follows a ``linear``. An ``Order`` keeps the pairs of neighbours
that may occur, each with its condition. Elements are atoms, of which there are finitely many, so orders end their loops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from inplace_lint.domain.conditions import TRUE, Cond, add_to, both, join_maps
from inplace_lint.domain.values import Atom, Renaming, Value

Spot = Optional[Atom]  # noqa: UP045
"""An element, or None for the border: what precedes the first and follows the last."""
Edges = dict[tuple[Spot, Spot], Cond]

MOST_EDGES = 64
"""Pairs of neighbours that one order keeps."""


@dataclass(frozen=True, slots=True)
class Order:
    """``edges``: the pairs (an element, one that may follow it at once). The pair of two borders is the empty sequence."""

    edges: Mapping[tuple[Spot, Spot], Cond]

    def firsts(self) -> Value:
        """The elements that may come first."""
        return {b: cond for (a, b), cond in self.edges.items() if a is None and b is not None}

    def lasts(self) -> Value:
        """The elements that may come last."""
        return {a: cond for (a, b), cond in self.edges.items() if b is None and a is not None}

    def elements(self) -> list[Atom]:
        """Every element, in the order in which they were met."""
        return list(dict.fromkeys(spot for edge in self.edges for spot in edge if spot is not None))

    def empty(self) -> Cond | None:
        """When the sequence has no elements; None where it never is empty."""
        return self.edges.get((None, None))


EMPTY = Order({(None, None): TRUE})


def _limited(edges: Edges) -> Order | None:
    return Order(edges) if len(edges) <= MOST_EDGES else None


def of(items: Iterable[Value]) -> Order | None:
    """The order of exact elements."""
    items = list(items)
    if len(items) > MOST_EDGES:
        return None
    order: Order | None = EMPTY
    for item in items:
        order = None if order is None else appended(order, item)
    return order


def appended(order: Order, item: Value) -> Order | None:
    """The order with one more element at the end."""
    single: Edges = {}
    for atom, cond in item.items():
        single[(None, atom)] = cond
        single[(atom, None)] = TRUE
    return concatenated(order, Order(single))


def concatenated(a: Order, b: Order) -> Order | None:
    """One sequence after the other."""
    edges: Edges = {}
    for (x, y), cond in a.edges.items():
        if y is not None:
            add_to(edges, (x, y), cond)
            continue
        for (u, v), own in b.edges.items():
            if u is None and (together := both(cond, own)) is not None:
                add_to(edges, (x, v), together)
    for (u, v), cond in b.edges.items():
        if u is not None:
            add_to(edges, (u, v), cond)
    return _limited(edges)


def joined(a: Order | None, a_path: Cond, b: Order | None, b_path: Cond) -> Order | None:
    """Either order; pairs of one path only carry that path's facts."""
    if a is None or b is None:
        return None
    if a is b or a == b:
        return a
    return _limited(join_maps(a.edges, a_path, b.edges, b_path))


def under(order: Order, cond: Cond) -> Order:
    """The order where ``cond`` holds as well."""
    edges: Edges = {}
    for edge, own in order.edges.items():
        together = both(own, cond)
        if together is not None:
            edges[edge] = together
    return Order(edges)


def backwards(order: Order) -> Order:
    """The sequence from its end."""
    return Order({(b, a): cond for (a, b), cond in order.edges.items()})


def beheaded(order: Order) -> Order:
    """The sequence without its first element."""
    edges: Edges = {}
    for first, cond in order.firsts().items():
        for (a, b), own in order.edges.items():
            if a == first and (together := both(cond, own)) is not None:
                add_to(edges, (None, b), together)
    if (none := order.empty()) is not None:
        add_to(edges, (None, None), none)
    inner = {(a, b): cond for (a, b), cond in order.edges.items() if a is not None}
    reached: set[Spot] = {b for _, b in edges} - {None}
    todo = list(reached)
    while todo:
        spot = todo.pop()
        for a, b in inner:
            if a == spot and b is not None and b not in reached:
                reached.add(b)
                todo.append(b)
    edges.update({edge: cond for edge, cond in inner.items() if edge[0] in reached})
    return Order(edges)


def curtailed(order: Order) -> Order:
    """The sequence without its last element."""
    return backwards(beheaded(backwards(order)))


def part(order: Order, head: bool, tail: bool) -> Order | None:
    """A run of neighbours: any element may come first where ``head`` is cut off somewhere, last where ``tail`` is."""
    edges: Edges = dict(order.edges)
    for (a, b), cond in order.edges.items():
        if head and b is not None:
            add_to(edges, (None, b), cond)
        if tail and a is not None:
            add_to(edges, (a, None), cond)
    if head or tail:
        edges[None, None] = TRUE
    return _limited(edges)


def mapped(order: Order, change: Callable[[Atom], Value]) -> Order | None:
    """The order of what each element becomes."""
    values: dict[Spot, Value] = {atom: change(atom) for atom in order.elements()}
    edges: Edges = {}
    for (a, b), cond in order.edges.items():
        for x, own in ((None, TRUE),) if a is None else tuple(values[a].items()):
            for y, other in ((None, TRUE),) if b is None else tuple(values[b].items()):
                if (one := both(cond, own)) is not None and (two := both(one, other)) is not None:
                    add_to(edges, (x, y), two)
    return _limited(edges)


def side_by_side(orders: Sequence[Order], pair: Callable[[tuple[Atom, ...]], Atom]) -> Order | None:
    """The order of the tuples that ``zip`` makes: a step is a step in each.

    What is gone through side by side is as long, if it can be: that one ends before another counts only where they
    cannot end together.
    """
    edges: Edges = {}
    early: Edges = {}
    names: dict[tuple[Atom, ...], Atom] = {}
    todo: list[tuple[Spot, ...]] = [(None,) * len(orders)]
    seen = set(todo)
    while todo:
        spots = todo.pop()
        steps: list[tuple[tuple[Spot, ...], Cond]] = [((), TRUE)]
        for order, spot in zip(orders, spots, strict=True):
            following = [(b, cond) for (a, b), cond in order.edges.items() if a == spot]
            steps = [
                ((*done, b), together)
                for done, cond in steps
                for b, own in following
                if (together := both(cond, own)) is not None
            ]
            if len(steps) > MOST_EDGES:
                return None
        source = None if None in spots else names[tuple(s for s in spots if s is not None)]
        for target, cond in steps:
            known = tuple(s for s in target if s is not None)
            if len(known) < len(target):
                add_to(early if known else edges, (source, None), cond)
                continue
            if known not in names:
                names[known] = pair(known)
            add_to(edges, (source, names[known]), cond)
            if target not in seen:
                seen.add(target)
                todo.append(target)
        if len(edges) > MOST_EDGES:
            return None
    if not any(b is None and a is not None for a, b in edges):
        edges.update(early)
    return Order(edges)


def renamed(order: Order, names: Renaming) -> Order:
    """The order under new names; elements that get the same name become one."""
    edges: Edges = {}
    changed = False
    for (a, b), cond in order.edges.items():
        new = (None if a is None else names.atom(a), None if b is None else names.atom(b))
        changed = changed or new != (a, b)
        add_to(edges, new, cond)
    return Order(edges) if changed else order


def conditioned(order: Order, change: Callable[[Cond], Cond]) -> Order:
    """The order with every condition rewritten."""
    if not any(order.edges.values()):
        return order
    edges: Edges = {}
    for edge, cond in order.edges.items():
        add_to(edges, edge, change(cond))
    return Order(edges)


@dataclass(frozen=True, slots=True)
class Step:
    """One visit of an element: ``before`` are the visits (or None, the start) from which one comes here."""

    element: Atom
    before: tuple[tuple[int | None, Cond], ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """An order as visits without cycles: what may repeat is visited twice. ``ends``: visits after which it may end."""

    steps: tuple[Step, ...]
    ends: tuple[tuple[int | None, Cond], ...]


def walk(order: Order) -> Walk:
    """How to go through a sequence. Two rounds of what repeats show what one round does to the next."""
    following: dict[Spot, list[tuple[Spot, Cond]]] = {}
    for (a, b), cond in order.edges.items():
        following.setdefault(a, []).append((b, cond))
    rank = _ranks(following)
    lap = _repeating(following, rank)
    numbers: dict[tuple[Atom, int], int] = {}
    visits = [(lap_number, rank[atom], atom) for atom in rank for lap_number in ((0, 1) if atom in lap else (0,))]
    # First rounds come before second ones of the same cycle; a cycle's visits stay together.
    visits.sort(key=lambda visit: (lap.get(visit[2], visit[1]), visit[0], visit[1]))
    for lap_number, _, atom in visits:
        numbers[(atom, lap_number)] = len(numbers)
    before: dict[int, list[tuple[int | None, Cond]]] = {}
    ends: list[tuple[int | None, Cond]] = []

    def connect(source: int | None, a: Spot, lap_number: int) -> None:
        for b, cond in following.get(a, ()):
            if b is None:
                ends.append((source, cond))
                continue
            same = a is not None and a in lap and lap.get(b) == lap[a]
            to = lap_number if same else 0
            if same and a is not None and rank[b] <= rank[a]:
                to = lap_number + 1
            number = numbers.get((b, to))
            if number is not None:
                before.setdefault(number, []).append((source, cond))

    connect(None, None, 0)
    for (atom, lap_number), number in numbers.items():
        connect(number, atom, lap_number)
    steps = tuple(Step(atom, tuple(before.get(number, ()))) for (atom, _), number in numbers.items())
    return Walk(steps, tuple(ends))


def _ranks(following: Mapping[Spot, list[tuple[Spot, Cond]]]) -> dict[Atom, int]:
    """Elements numbered so that, but for cycles, what follows has the greater number."""
    finished: list[Atom] = []
    seen: set[Spot] = {None}

    def visit(spot: Spot) -> None:
        todo: list[tuple[Spot, list[Spot]]] = [(spot, [b for b, _ in following.get(spot, ())])]
        while todo:
            here, rest = todo[-1]
            while rest and rest[0] in seen:
                rest.pop(0)
            if rest:
                seen.add(rest[0])
                todo.append((rest[0], [b for b, _ in following.get(rest[0], ())]))
                continue
            todo.pop()
            if here is not None:
                finished.append(here)

    visit(None)
    return {atom: number for number, atom in enumerate(reversed(finished))}


def _repeating(following: Mapping[Spot, list[tuple[Spot, Cond]]], rank: Mapping[Atom, int]) -> dict[Atom, int]:
    """The elements that lie on a cycle, each with the least rank on its cycle, which names the cycle."""
    reach: dict[Atom, set[Atom]] = {}
    for atom in rank:
        found: set[Atom] = set()
        todo = [b for b, _ in following.get(atom, ()) if b is not None]
        while todo:
            spot = todo.pop()
            if spot not in found:
                found.add(spot)
                todo.extend(b for b, _ in following.get(spot, ()) if b is not None)
        reach[atom] = found
    return {
        atom: min(rank[other] for other in reach[atom] if atom in reach[other]) for atom in rank if atom in reach[atom]
    }
