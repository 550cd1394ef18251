"""Methods of Python's containers."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE
from inplace_lint.domain.objects import Container, contents, order_of, sequence
from inplace_lint.domain.sequences import Order
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NONE, NOTHING, Value, const, constant_of, known, one, under, union
from inplace_lint.interp import belonging, iteration, pairing
from inplace_lint.interp import items as subscripts
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.registry import CallSite, Symbol, method

LONGEST = 64


def _box(state: State, oid: int) -> Container:
    box = state.heap.get(oid)
    return box if isinstance(box, Container) else Container("list", None)


def _put_in(m: Machine, state: State, oid: int, site: CallSite, value: Value) -> Value:
    """What is put into a list that may stand for several, of which a round of a loop meets one."""
    pairing.note(m, state, value)
    return under(value, belonging.met(m, state, oid, site.given))


def _grown(box: Container, items: list[Value]) -> Container:
    if box.items is None or len(box.items) + len(items) > LONGEST:
        return _extended(box, sequences.of(items), union(items))
    return Container(box.kind, (*box.items, *items))


def _extended(box: Container, order: Order | None, rest: Value) -> Container:
    before = order_of(box)
    after = None if before is None or order is None else sequences.concatenated(before, order)
    return sequence(box.kind, after, union((contents(box), rest)))


def _preceded(box: Container, item: Value) -> Container:
    before, order = sequences.of([item]), order_of(box)
    after = None if before is None or order is None else sequences.concatenated(before, order)
    return sequence(box.kind, after, union((contents(box), item)))


@method("list", "append", "add")
def append(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``append``."""
    state.put(
        oid, _grown(_box(state, oid), [_put_in(engine.m, state, oid, site, site.argument(0, "object") or ANYTHING)])
    )
    return NONE


def _bounded(handler: Symbol, kept: slice | None = None) -> Symbol:
    """A method of ``deque``, which keeps its ``maxlen`` and has no more elements than that.

    kept: those that stay of one element too many.
    """

    def run(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
        most = _box(state, oid).default
        value: Value = handler(engine, state, oid, site)
        after = _box(state, oid)
        if most is not None and oid > 0:
            limit, items = constant_of(most), after.items
            while items and kept is not None and isinstance(limit, int) and len(items) > limit:
                items = items[kept]
            state.put(oid, replace(after, items=items, default=most))
        return value

    return run


_WITHOUT_FIRST, _WITHOUT_LAST = slice(1, None), slice(None, -1)

method("deque", "append")(_bounded(append, _WITHOUT_FIRST))
method("set", "add")(append)


@method("list", "extend")
def extend(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``extend``."""
    inner = iteration.elements(engine, state, site.flow, site.argument(0, "iterable") or ANYTHING, site.place)
    box = _box(state, oid)
    if inner.exact is not None:
        state.put(oid, _grown(box, [_put_in(engine.m, state, oid, site, item) for item in inner.exact]))
    else:
        order = (
            None
            if inner.order is None
            else sequences.under(inner.order, belonging.met(engine.m, state, oid, site.given))
        )
        state.put(oid, _extended(box, order, _put_in(engine.m, state, oid, site, inner.any)))
    return NONE


method("deque", "extend")(_bounded(extend, _WITHOUT_FIRST))
method("set", "update")(extend)


@method("list", "insert")
def insert(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``insert``."""
    box = _box(state, oid)
    position = constant_of(site.argument(0, "index"))
    item = _put_in(engine.m, state, oid, site, site.argument(1, "object") or ANYTHING)
    if box.items is not None and isinstance(position, int):
        items = list(box.items)
        items.insert(position, item)
        state.put(oid, Container(box.kind, tuple(items)))
    elif position == 0:
        state.put(oid, _preceded(box, item))
    else:
        state.put(oid, Container(box.kind, None, None, union((contents(box), item))))
    return NONE


def appendleft(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``appendleft``."""
    box = _box(state, oid)
    item = _put_in(engine.m, state, oid, site, site.argument(0, "x") or ANYTHING)
    if box.items is not None:
        state.put(oid, Container(box.kind, (item, *box.items)))
    else:
        state.put(oid, _preceded(box, item))
    return NONE


method("deque", "appendleft")(_bounded(appendleft, _WITHOUT_LAST))


@method("list", "pop")
def pop(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``pop``."""
    box = _box(state, oid)
    given = site.argument(0, "index")
    position = -1 if given is None else constant_of(given)
    if box.items and isinstance(position, int) and -len(box.items) <= position < len(box.items) and not box.rest:
        items = list(box.items)
        value = items.pop(position)
        state.put(oid, Container(box.kind, tuple(items)))
        return value
    order = order_of(box)
    if order is not None and position in (0, -1):
        left = sequences.beheaded(order) if position == 0 else sequences.curtailed(order)
        state.put(oid, sequence(box.kind, left, contents(box)))
        found = (order.firsts() if position == 0 else order.lasts()) or contents(box)
        return _taken_out(engine, state, oid, found)
    if box.kind != "dict":
        state.put(oid, sequence(box.kind, None, contents(box)))
    return _taken_out(engine, state, oid, contents(box))


def _taken_out(engine: Engine, state: State, oid: int, held: Value) -> Value:
    """What is taken out of a list is met in this round of a loop alone."""
    m = engine.m
    loop = m.loops[-1] if m.loops and ("loop", m.loops[-1]) in m.ctx else None
    if loop is None:
        return held or ANYTHING
    each = oid < 0 or oid in m.several
    return {
        atom: cond | pairing.met_with(m, atom, loop) | {m.seat(atom, loop, each)}
        if isinstance(atom, int) and iteration.may_differ(state, atom)
        else cond
        for atom, cond in held.items()
    } or ANYTHING


method("deque", "pop")(_bounded(pop))
method("set", "pop")(pop)


def popleft(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``popleft``."""
    box = _box(state, oid)
    if box.items and not box.rest:
        state.put(oid, Container(box.kind, box.items[1:]))
        return box.items[0]
    order = order_of(box)
    if order is not None:
        state.put(oid, sequence(box.kind, sequences.beheaded(order), contents(box)))
        return _taken_out(engine, state, oid, order.firsts() or contents(box))
    return _taken_out(engine, state, oid, contents(box))


method("deque", "popleft")(_bounded(popleft))


@method("list", "clear")
def clear(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``clear``."""
    box = _box(state, oid)
    m = engine.m
    met = belonging.met(m, state, oid, site.given)
    left = belonging.others(m, oid, None, contents(box), met) if oid < 0 else None
    if left is not None and box.kind != "dict":
        state.heap[oid] = Container(box.kind, None, None, left)
        return NONE
    state.put(oid, Container("dict", (), {}) if box.kind == "dict" else Container(box.kind, ()))
    return NONE


method("deque", "clear")(_bounded(clear))
method("dict", "clear")(clear)
method("set", "clear")(clear)


@method("list", "reverse")
def reverse(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``reverse``."""
    box = _box(state, oid)
    if box.items is not None:
        state.put(oid, Container(box.kind, box.items[::-1]))
    elif box.order is not None:
        state.put(oid, sequence(box.kind, sequences.backwards(box.order), contents(box)))
    return NONE


@method("list", "sort", "remove")
def sort(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``sort`` and ``remove``: which element is where is not known any more."""
    box = _box(state, oid)
    state.put(oid, Container(box.kind, None, None, contents(box)))
    return NONE


@method("list", "copy")
def copy(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``copy``."""
    return one(state.allocate(engine.m.oid(site.place[1], "copy"), _box(state, oid)))


method("dict", "copy")(copy)


@method("dict", "get", "setdefault", "pop")
def get(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``get``, ``pop`` and ``setdefault``."""
    box = _box(state, oid)
    key = known(site.argument(0, "key") or ANYTHING)
    default = site.argument(1, "default")
    name = (site.target or "").rsplit(".", 1)[-1]
    if key is not None and box.entries is not None:
        if key.value in box.entries:
            value = box.entries[key.value]
            if name == "pop":
                entries = {k: v for k, v in box.entries.items() if k != key.value}
                state.put(oid, Container("dict", (), entries, box.rest, box.default))
            return value
        if not box.rest:
            value = NONE if default is None else default
            if name == "setdefault":
                state.put(oid, Container("dict", (), {**box.entries, key.value: value}, box.rest, box.default))
            return value
    elif name == "setdefault" and default is not None:
        state.put(oid, Container("dict", (), box.entries, union((box.rest, default)), box.default))
    held = contents(box) if box.entries is None or key is None else box.rest
    held = held if key is None else subscripts.under_literal(engine, held, key.value)
    return union((held, NONE if default is None else default))


@method("dict", "update")
def update(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``update``."""
    box = _box(state, oid)
    entries = None if box.entries is None else dict(box.entries)
    rest = box.rest
    for value in site.positional:
        for atom in value:
            other = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(other, Container) and other.entries is not None and entries is not None:
                entries.update(other.entries)
                rest = union((rest, other.rest))
            elif (
                isinstance(other, Container) and isinstance(atom, int) and other.kind != "dict" and entries is not None
            ):
                for key, item in iteration.pairs(engine, state, site.flow, atom, site.place):
                    if key is not None:
                        entries[key.value] = item
                    else:
                        rest = union((rest, item))
            else:
                rest = union((rest, ANYTHING))
    if entries is not None:
        entries.update(site.named)
    state.put(oid, Container("dict", (), entries, rest, box.default))
    return NONE


def _view(
    engine: Engine,
    state: State,
    site: CallSite,
    values: list[Value] | None,
    rest: Value,
    word: str,
    order: Order | None = None,
) -> Value:
    box = Container("generator", tuple(values)) if values is not None else sequence("generator", order, rest)
    return one(state.allocate(engine.m.oid(site.place[1], word), box))


@method("dict", "values")
def values(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``values``."""
    box = _box(state, oid)
    exact = list(box.entries.values()) if box.entries is not None and not box.rest else None
    return _view(engine, state, site, exact, contents(box), "values", box.order)


@method("dict", "keys")
def keys(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``keys``."""
    box = _box(state, oid)
    exact = [const(k) for k in box.entries] if box.entries is not None and not box.rest else None
    return _view(engine, state, site, exact, ANYTHING, "keys")


@method("dict", "items")
def items(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``items``."""
    box = _box(state, oid)
    m = engine.m
    if box.entries is not None and not box.rest:
        pairs = [
            one(state.allocate(m.oid(site.place[1], f"item {n}"), Container("tuple", (const(key), value))))
            for n, (key, value) in enumerate(box.entries.items())
        ]
        return _view(engine, state, site, pairs, NOTHING, "items")

    def pair(value: Value, word: str) -> Value:
        key = m.fresh(state, site.place[1], f"element of {word}", "no", False)
        return one(state.allocate(m.oid(site.place[1], word), Container("tuple", (one(key), value))))

    if box.order is not None and len(box.order.elements()) > 1:
        words = {atom: f"item of {n}" for n, atom in enumerate(box.order.elements())}
        order = sequences.mapped(box.order, lambda atom: pair(one(atom), words[atom]))
        if order is not None:
            return _view(engine, state, site, None, dict.fromkeys(order.elements(), TRUE), "items", order)
    return _view(engine, state, site, None, pair(contents(box), "item"), "items")


@method("dict", "__getitem__")
def getitem(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``box.__getitem__(key)``, as ``super()`` calls it."""
    index = site.argument(0, "key") or ANYTHING
    return subscripts.get(engine, state, site.flow, one(oid), index, site.place, None)


@method("dict", "__setitem__")
def setitem(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``box.__setitem__(key, value)``."""
    index, value = site.argument(0, "key") or ANYTHING, site.argument(1, "value") or ANYTHING
    subscripts.put(engine, state, site.flow, one(oid), index, value, site.place, None)
    return NONE


for _kind in ("list", "deque", "tuple"):
    method(_kind, "__getitem__")(getitem)
    method(_kind, "__setitem__")(setitem)


@method("dict", "move_to_end", "__delitem__")
def disorder(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """What an ordered dict does to its order, and what it forgets, changes nothing that is looked at."""
    return NONE


@method("deque", "rotate")
def rotate(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``rotate``: the last become the first."""
    box = _box(state, oid)
    given = site.argument(0, "n")
    steps = 1 if given is None else constant_of(given)
    if box.items and isinstance(steps, int):
        cut = steps % len(box.items)
        state.put(oid, Container(box.kind, box.items[len(box.items) - cut :] + box.items[: len(box.items) - cut]))
    return NONE
