"""Python's functions that make iterators: ``range``, ``enumerate``, ``zip``, ``reversed``, ``map``, ``chain`` and their kin."""

from __future__ import annotations

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE
from inplace_lint.domain.objects import Container
from inplace_lint.domain.sequences import Order
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NOTHING, Atom, Value, const, constant_of, one, union
from inplace_lint.interp import calls, counters, iteration
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.iteration import Elements
from inplace_lint.interp.registry import CallSite, symbol

LONGEST = 64
"""Elements that are told apart."""


def elements_of(engine: Engine, state: State, site: CallSite, position: int = 0) -> Elements:
    """The elements of an argument."""
    value = site.positional[position] if position < len(site.positional) else ANYTHING
    engine.m.alternative = position
    return iteration.elements(engine, state, site.flow, value, site.place)


def boxed(engine: Engine, state: State, site: CallSite, kind: str, inner: Elements, word: str) -> Value:
    """A container with those elements."""
    items = None if inner.exact is None else tuple(inner.exact)
    order = inner.order if items is None else None
    box = Container(kind, items, None, NOTHING if items is not None else inner.any, None, order)  # type: ignore[arg-type]
    made = one(state.allocate(engine.m.oid(site.place[1], word), box))
    iteration.note_several(engine, made, site.positional)
    return made


@symbol("builtins.range")
def range_(engine: Engine, state: State, site: CallSite) -> Value:
    """``range``: exact where its bounds are known and it is short."""
    given = [constant_of(v) for v in site.positional]
    numbers = [n for n in given if isinstance(n, int)]
    if numbers and len(numbers) == len(given):
        try:
            values = range(*numbers)
        except (TypeError, ValueError):
            values = range(0)
        if len(values) <= LONGEST:
            return boxed(engine, state, site, "generator", Elements([const(n) for n in values], ANYTHING), "range")
    upwards = len(given) < 3 or (isinstance(given[2], int) and given[2] > 0)
    if upwards:
        start = 0 if len(given) < 2 else given[0]
        number = counters.counter(engine.m, state, site.place[1], "range", start)
        if len(given) < 3 or given[2] == 1:
            counters.end_before(engine.m, number, site.positional[min(len(given), 2) - 1] if given else ANYTHING)
    else:
        number = engine.m.fresh(state, site.place[1], "range", "no", False)
    return boxed(engine, state, site, "generator", Elements(None, one(number)), "range")


@symbol("builtins.enumerate")
def enumerate_(engine: Engine, state: State, site: CallSite) -> Value:
    """``enumerate``."""
    inner = elements_of(engine, state, site)
    start = constant_of(site.argument(1, "start"), 0)
    m = engine.m

    def pair(index: Value, item: Value, word: str) -> Value:
        return one(state.allocate(m.oid(site.place[1], word), Container("tuple", (index, item))))

    if inner.exact is not None and isinstance(start, int):
        pairs = [pair(const(start + n), item, f"pair {n}") for n, item in enumerate(inner.exact)]
        return boxed(engine, state, site, "generator", Elements(pairs, ANYTHING), "enumerate")
    number = counters.counter(m, state, site.place[1], "count", start)
    order: Order | None = None
    if inner.order is not None:
        # What nothing precedes is the first; the others are counted one by one.
        follows, firsts = {b for a, b in inner.order.edges if a is not None}, inner.order.firsts()
        counts = {
            atom: const(start)
            if atom not in follows and isinstance(start, int)
            else one(counters.counter(m, state, site.place[1], f"count {n}", start if atom in firsts else None))
            for n, atom in enumerate(inner.order.elements())
        }
        words = {atom: f"pair of {n}" for n, atom in enumerate(inner.order.elements())}
        order = sequences.mapped(inner.order, lambda atom: pair(counts[atom], one(atom), words[atom]))
    some = pair(one(number), inner.any, "pair") if order is None else _any_of(order)
    return boxed(engine, state, site, "generator", Elements(None, some, order), "enumerate")


def _any_of(order: Order) -> Value:
    return dict.fromkeys(order.elements(), TRUE)


@symbol("builtins.zip", "itertools.zip_longest")
def zip_(engine: Engine, state: State, site: CallSite) -> Value:
    """``zip``."""
    columns = [elements_of(engine, state, site, n) for n in range(len(site.positional))]
    m = engine.m
    exact = [c.exact for c in columns if c.exact is not None]
    if len(exact) == len(columns) and columns:
        rows = [
            one(state.allocate(m.oid(site.place[1], f"row {n}"), Container("tuple", row)))
            for n, row in enumerate(zip(*exact, strict=False))
        ]
        return boxed(engine, state, site, "generator", Elements(rows, ANYTHING), "zip")
    orders = [c.ordered() for c in columns]
    if any(o is not None and len(o.elements()) > 1 for o in orders):
        known = [o for o in orders if o is not None]

        def tuple_of(atoms: tuple[Atom, ...]) -> Atom:
            # What stands beside an order and has none of its own is taken to be as long.
            ordered = iter(atoms)
            row = [c.any if o is None else one(next(ordered)) for c, o in zip(columns, orders, strict=True)]
            return state.allocate(m.oid(site.place[1], f"row of {len(rows_made)}"), Container("tuple", tuple(row)))

        rows_made: list[Atom] = []

        def noted(atoms: tuple[Atom, ...]) -> Atom:
            rows_made.append(tuple_of(atoms))
            return rows_made[-1]

        order = sequences.side_by_side(known, noted)
        if order is not None:
            return boxed(engine, state, site, "generator", Elements(None, _any_of(order), order), "zip")
    row = one(state.allocate(m.oid(site.place[1], "row"), Container("tuple", tuple(c.any for c in columns))))
    return boxed(engine, state, site, "generator", Elements(None, row), "zip")


@symbol("builtins.reversed")
def reversed_(engine: Engine, state: State, site: CallSite) -> Value:
    """``reversed``."""
    inner = elements_of(engine, state, site)
    exact = None if inner.exact is None else inner.exact[::-1]
    if exact is None and counters.is_counter(engine.m, inner.any):
        inner = Elements(None, one(engine.m.fresh(state, site.place[1], "range", "no", False)))
    order = None if inner.order is None else sequences.backwards(inner.order)
    return boxed(engine, state, site, "generator", Elements(exact, inner.any, order), "reversed")


@symbol("functools.reduce")
def reduce_(engine: Engine, state: State, site: CallSite) -> Value | None:
    """``functools.reduce``."""
    inner = elements_of(engine, state, site, 1)
    func = site.positional[0] if site.positional else ANYTHING
    parts = inner.exact if inner.exact is not None else [inner.any, inner.any, inner.any]
    if len(site.positional) > 2:
        parts = [site.positional[2], *parts]
    if not parts:
        return ANYTHING
    total = parts[0]
    m = engine.m
    outer = m.ctx
    for number, part in enumerate(parts[1:LONGEST]):
        m.ctx = (*outer, ("reduce", site.place, number))
        result = calls.call_value(engine, state, site.flow, func, [total, part], {}, site.place)
        if result is None:
            m.ctx = outer
            return None
        total = result
    m.ctx = outer
    return total


@symbol("builtins.map")
def map_(engine: Engine, state: State, site: CallSite) -> Value | None:
    """``map``: the function is called with every element."""
    columns = [elements_of(engine, state, site, n) for n in range(1, len(site.positional))]
    func = site.positional[0] if site.positional else ANYTHING
    m = engine.m
    outer = m.ctx
    exact = [c.exact for c in columns if c.exact is not None]
    sure = len(exact) == len(columns) and bool(columns)
    rows = list(zip(*exact, strict=False)) if sure else [tuple(c.any for c in columns)]
    results: list[Value] = []
    for number, row in enumerate(rows[:LONGEST]):
        m.ctx = (*outer, ("map", site.place, number))
        value = calls.call_value(engine, state, site.flow, func, list(row), {}, site.place)
        if value is None:
            m.ctx = outer
            return None
        results.append(value)
    m.ctx = outer
    return boxed(engine, state, site, "generator", Elements(results if sure else None, union(results)), "map")


@symbol("builtins.filter")
def filter_(engine: Engine, state: State, site: CallSite) -> Value:
    """``filter``: elements for which the function is surely false are left out."""
    inner = elements_of(engine, state, site, 1)
    func = site.positional[0] if site.positional else ANYTHING
    if inner.exact is None:
        return boxed(engine, state, site, "generator", inner, "filter")
    kept: list[Value] = []
    for element in inner.exact:
        answer = calls.call_value(engine, state, site.flow, func, [element], {}, site.place)
        if answer is None or engine.truth(state, answer)[0] is not None:
            kept.append(element)
    return boxed(engine, state, site, "generator", Elements(kept, union(kept)), "filter")


@symbol("itertools.chain", "itertools.chain.from_iterable")
def chain_(engine: Engine, state: State, site: CallSite) -> Value:
    """``itertools.chain``; ``from_iterable`` over one iterable of iterables."""
    nested = site.target is not None and site.target.endswith("from_iterable")
    sources = list(site.positional)
    if nested and sources:
        first = elements_of(engine, state, site)
        sources = first.exact if first.exact is not None else [first.any]
    parts = [iteration.elements(engine, state, site.flow, source, site.place) for source in sources]
    exact: list[Value] | None = []
    for part in parts:
        exact = None if exact is None or part.exact is None else [*exact, *part.exact]
    order: Order | None = sequences.EMPTY
    for part in parts:
        more = part.ordered()
        order = None if order is None or more is None else sequences.concatenated(order, more)
    return boxed(engine, state, site, "generator", Elements(exact, union([p.any for p in parts]), order), "chain")
