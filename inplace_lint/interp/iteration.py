"""What a value gives when it is iterated: exact elements where they are known, any of them otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from inplace_lint import ir
from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.objects import Container, Instance, Obj, Place, Tensor, contents
from inplace_lint.domain.sequences import Order, Walk
from inplace_lint.domain.state import State, join_all
from inplace_lint.domain.values import ANYTHING, Atom, Const, Sym, Unknown, Value, const, known, one, under, union
from inplace_lint.interp import belonging, calls, classes, counters, pairing, suspended, walking
from inplace_lint.interp.binding import Arguments
from inplace_lint.interp.engine import Engine, handles
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.functions import Call
from inplace_lint.interp.keys import COUNTER, seats
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.ops import OpCall, call_op

MOST_VISITS = 48
"""Elements of an ordered sequence that are visited one after another."""
MOST_PARTS = 64
"""Modules or parameters of a model that a loop goes through one by one, whatever it does to each."""
MOST_PARTS_WORK = 6_000
"""Instructions that a loop over more of them may take: switching a flag of each is cheap."""
MOST_ROWS = 12
"""Rows of a tensor that are kept apart when it is iterated."""


@dataclass(slots=True)
class Elements:
    """``exact``: the elements in order, None where only ``any``, their union, is known, and perhaps their ``order``."""

    exact: list[Value] | None
    any: Value
    order: Order | None = None

    def ordered(self) -> Order | None:
        """What may follow what, also where the elements are exact."""
        return self.order if self.exact is None else sequences.of(self.exact)

    def numbered(self, engine: Engine, number: int) -> Value:
        """The element at a position; distinct unknowns for distinct positions."""
        if self.exact is not None and number < len(self.exact):
            return self.exact[number]
        if len(self.any) == 1:
            (atom,) = self.any
            if isinstance(atom, Unknown) and atom.tag:
                return {engine.m.derived(atom, f"[{number}]"): self.any[atom]}
        return self.any


def elements(
    engine: Engine, state: State, flow: Flow, value: Value, place: Place, wanted: int | None = None
) -> Elements:
    """The elements of a value. ``wanted``: how many an unpacking takes, which settles how many there are."""
    if wanted is not None and len(value) > 1:
        value = _of_length(state, value, wanted)
    found = [_atom_elements(engine, state, flow, atom, place, wanted) for atom in value]
    if len(found) == 1:
        return _seated(found[0], next(iter(value.values())))
    joined = union([under(e.any, cond) for e, cond in zip(found, value.values(), strict=True)])
    if found and all(e.exact is not None for e in found) and len({len(e.exact or ()) for e in found}) == 1:
        columns = zip(*(e.exact or () for e in found), strict=True)
        conds = list(value.values())
        return Elements([union([under(v, c) for v, c in zip(col, conds, strict=True)]) for col in columns], joined)
    return Elements(None, joined or ANYTHING, _either_order(found, list(value.values())))


def pairs(engine: Engine, state: State, flow: Flow, atom: Atom, place: Place) -> list[tuple[Const | None, Value]]:
    """The values of a sequence of pairs, each with its key where that is known: what a dict is made of or updated with."""
    inner = elements(engine, state, flow, one(atom), place)
    found: list[tuple[Const | None, Value]] = []
    for pair in inner.exact if inner.exact is not None else [inner.any]:
        parts = elements(engine, state, flow, pair, place, 2)
        key = known(parts.numbered(engine, 0)) if inner.exact is not None else None
        found.append((key, parts.numbered(engine, 1)))
    return found


def _of_length(state: State, value: Value, wanted: int) -> Value:
    """What can be unpacked, where a tuple of the length is among it: a function that gives a tensor or a pair gave the pair."""
    kept: dict[Atom, Cond] = {}
    fits = False
    for atom, cond in value.items():
        obj = state.heap.get(atom) if isinstance(atom, int) else None
        length = len(obj.items) if isinstance(obj, Container) and obj.items is not None else None
        fits = fits or length == wanted
        if not isinstance(obj, Tensor) and length in (None, wanted) and not isinstance(atom, Const):
            kept[atom] = cond
    return kept if fits else value


def _seated(inner: Elements, cond: Cond) -> Elements:
    """The elements of a list that is met in one round of a loop are met in that round as well."""
    met = seats(cond)
    if not met:
        return inner
    exact = None if inner.exact is None else [under(item, met) for item in inner.exact]
    order = None if inner.order is None else sequences.under(inner.order, met)
    return Elements(exact, under(inner.any, met), order)


def _either_order(found: list[Elements], conds: list[Cond]) -> Order | None:
    """The order of one of several sequences, each under its condition."""
    orders = [e.ordered() for e in found]
    known = [sequences.under(o, cond) for o, cond in zip(orders, conds, strict=True) if o is not None]
    order: Order | None = known[0] if known and len(known) == len(found) else None
    for other in known[1:]:
        order = sequences.joined(order, TRUE, other, TRUE)
    return order


def _atom_elements(
    engine: Engine, state: State, flow: Flow, atom: object, place: Place, wanted: int | None
) -> Elements:
    m = engine.m
    if isinstance(atom, Const):
        if isinstance(atom.value, (str, tuple)) and len(atom.value) <= 64:
            parts = [const(part) for part in atom.value]
            return Elements(parts, union(parts))
        return Elements(None, ANYTHING)
    if isinstance(atom, Unknown):
        if not atom.tag:
            return Elements(None, ANYTHING)
        if wanted is not None:
            parts = [one(m.derived(atom, f"[{n}]", tensor=True)) for n in range(wanted)]
            return Elements(parts, union(parts))
        item = m.fresh(state, place[1], "element", atom.grad, atom.tensor)
        return Elements(None, one(item))
    if isinstance(atom, Sym):
        return Elements(None, one(m.fresh(state, place[1], "element", "no")))
    if not isinstance(atom, int):
        return Elements(None, ANYTHING)
    obj = state.heap.get(atom)
    if isinstance(obj, Container):
        pieces = _pieces(engine, state, obj, place, wanted)
        return pieces if pieces is not None else _of_container(obj)
    if isinstance(obj, Tensor):
        return rows(engine, state, atom, obj, place, wanted)
    if isinstance(obj, Instance):
        called = calls.special_method(engine, state, flow, atom, "__iter__", [], place)
        if called is not None and atom not in called:
            return elements(engine, state, flow, called, place, wanted)
        given = calls.special_method(engine, state, flow.apart(), atom, "__next__", [], place)
        if given is not None:
            return Elements(None, given)
        inner = calls.module_items(state, obj)
        if inner is not None:
            return _of_container(inner)
        fields = obj.attrs.get("*fields")
        if fields is not None and any(a == Sym("typing.NamedTuple") for a in classes.order(state, obj.cls)):
            return elements(engine, state, flow, fields, place, wanted)
        return Elements(None, one(m.fresh(state, place[1], "element", "no")))
    return Elements(None, ANYTHING)


def _is_dict(state: State, atom: Atom) -> bool:
    box = state.heap.get(atom) if isinstance(atom, int) else None
    return isinstance(box, Container) and box.kind == "dict"


def _of_container(box: Container) -> Elements:
    if box.kind == "dict":
        if box.entries is not None and not box.rest:
            keys = [const(key) for key in box.entries]
            return Elements(keys, union(keys))
        return Elements(None, ANYTHING)
    if box.items is not None:
        return Elements(list(box.items), union(box.items))
    return Elements(None, box.rest or ANYTHING, box.order)


def _pieces(engine: Engine, state: State, box: Container, place: Place, wanted: int | None) -> Elements | None:
    """Several outputs of one op of which only the unpacking says how many there are: ``out, (h, c) = lstm(x)``."""
    (atom,) = box.rest if len(box.rest) == 1 else (None,)
    tensor = state.tensor(atom) if isinstance(atom, int) and atom < 0 else None
    if wanted is None or box.kind != "tuple" or box.items is not None or tensor is None:
        return None
    exact: list[Value] = []
    for number in range(wanted):
        region = () if tensor.bases else (*tensor.region, number)
        oid = engine.m.oid(place[1], f"piece {number} of {atom}")
        exact.append(one(state.allocate(oid, replace(tensor, region=region))))
    return Elements(exact, union(exact))


def rows(engine: Engine, state: State, oid: int, tensor: Tensor, place: Place, wanted: int | None) -> Elements:
    """Iterating a tensor is ``unbind``: several outputs of one op, none of which may be written in grad mode."""
    count = wanted
    if tensor.shape:
        count = tensor.shape[0]
    row = engine.m.model.method("unbind")
    if row is None:
        return Elements(None, ANYTHING)
    call = OpCall(place, "unbind", "operator", "iteration", None, tag=f"iterate {engine.m.alternative}")
    few = count is not None and count <= MOST_ROWS
    value = call_op(engine, state, row.variants, Arguments([one(oid)], named=None), call)
    for atom in value or {}:
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container):
            if few and count is not None:
                shape = tensor.shape[1:] if tensor.shape else None
                return _numbered_rows(engine, state, box, count, place, shape)
            return Elements(list(box.items) if box.items is not None else None, contents(box))
    return Elements(None, value or ANYTHING)


def _numbered_rows(
    engine: Engine, state: State, box: Container, count: int, place: Place, shape: tuple[int | None, ...] | None
) -> Elements:
    exact: list[Value] = []
    for number in range(count):
        parts: list[Value] = []
        for atom, cond in contents(box).items():
            piece = state.tensor(atom) if isinstance(atom, int) else None
            if piece is None:
                continue
            oid = engine.m.oid(place[1], f"row {number} of {atom}")
            region = (*piece.region, number) if not piece.bases or piece.region or len(piece.bases) == 1 else ()
            parts.append({state.allocate(oid, replace(piece, shape=shape, region=region)): cond})
        exact.append(union(parts))
    return Elements(exact, union(exact))


def _of_modules(state: State, iterable: Value) -> bool:
    """Whether a loop goes over modules or parameters, alone or beside something else: nobody builds a model of none."""

    def module(value: Value) -> bool:
        return bool(value) and all(isinstance(a, int) and is_part(state.heap.get(a)) for a in value)

    def is_part(thing: Obj | None) -> bool:
        return isinstance(thing, Instance) or (isinstance(thing, Tensor) and thing.made_by == "parameters")

    for atom in iterable:
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Instance):
            box = calls.module_items(state, box)
        if not isinstance(box, Container) or box.items is not None:
            return False
        rows = [state.heap.get(a) if isinstance(a, int) else None for a in box.rest]
        pairs = [row.items for row in rows if isinstance(row, Container) and row.kind == "tuple" and row.items]
        if not module(box.rest) and not (pairs and all(any(module(v) for v in pair) for pair in pairs)):
            return False
    return bool(iterable)


def _all_parts(engine: Engine, state: State, iterable: Value, inner: Elements, body: ir.Region) -> list[Value] | None:
    """The parts of a model that ``modules()`` or ``parameters()`` lists; each may stand for several, all of which are there."""
    parts = next((engine.m.complete.get(atom) for atom in iterable if isinstance(atom, int)), None)
    if parts is None or union(parts).keys() != union(inner.exact or [inner.any]).keys():
        return None
    if len(parts) > MOST_PARTS and len(parts) * sum(1 for _ in ir.walk(body)) > MOST_PARTS_WORK:
        return None
    return parts


@handles(ir.For)
def run_for(engine: Engine, instr: ir.For, state: State, flow: Flow) -> State | None:
    """A for loop: round by round over known elements, to a fixpoint otherwise."""
    iterable = state.registers[-1].get(instr.iterable, ANYTHING)
    place = engine.m.place(instr.origin)
    waiting, iterable = suspended.taken_up(engine, state, flow, suspended.iterator_of(engine, state, iterable, place))
    if waiting is not None:
        after, iterable = _take_up(engine, instr, state, flow, waiting)
        if not iterable:
            return after
    inner = elements(engine, state, flow, iterable, place)
    if len(iterable) == 1:
        parts = _all_parts(engine, state, iterable, inner, instr.body)
        if parts is not None and (engine.m.unrolled == 1 or engine.may_unroll(len(parts))):
            return engine.unroll(instr, state, flow, parts, True)
        if inner.exact is not None and engine.may_unroll(len(inner.exact), instr.body):
            return engine.unroll(instr, state, flow, inner.exact)
    visits = walking.walk_of(inner.ordered(), MOST_VISITS)
    if visits is not None and engine.may_unroll(len(visits.steps), instr.body):
        return _follow(engine, instr, state, flow, visits, _stands_for_several(engine, iterable))
    spot = -1 - instr.item
    state.registers[-1][spot] = iterable

    def start(state: State, flow: Flow) -> State | None:
        values = state.registers[-1].get(spot, ANYTHING)
        inner = elements(engine, state, flow, values, place)
        element = counters.counted(engine.m, state, place[1], inner.exact) or inner.any or ANYTHING
        if element == ANYTHING and all(_is_dict(state, atom) for atom in values):
            element = one(engine.m.fresh(state, place[1], "element", "no", False))  # a key, another one each time
        element = _of_this_round(engine, state, element, place, "", _stands_for_several(engine, values))
        counters.start_round(engine.m, state, element, place)
        state.registers[-1][instr.item] = element
        return state

    # Within another loop, what one that runs no round leaves behind is of the round before: nobody means that.
    never_empty = _of_modules(state, iterable) or bool(engine.m.loops)
    after = engine.loop(instr, state, flow, start, never_empty)
    if after is not None:
        after.registers[-1].pop(spot, None)
        if not any(isinstance(part, ir.Break) for part in ir.walk(instr.body)):
            belonging.all_met(engine.m, after, place)
    return after


def _take_up(engine: Engine, instr: ir.For, state: State, flow: Flow, waiting: Call) -> tuple[State | None, Value]:
    """Run a loop over a generator that has not begun: a round where it yields. The state after it, or what stands for it."""
    m = engine.m
    dead = engine.liveness.assigned(instr.body) | {instr.item}

    def body(here: State, left: Flow, value: Value) -> State | None:
        engine.overwritten.forget(m, instr, here, flow, False)
        here.registers[-1][instr.item] = value
        after = engine.run(instr.body, here, left)
        ended = join_all([*([after] if after is not None else []), *left.continues])
        left.continues.clear()
        if ended is not None:
            ended.drop_registers(dead)
            engine.overwritten.end_round(m, instr, ended, flow)
        return ended

    end, broken, standing = suspended.run_through(engine, state, flow, waiting, body, False)
    if standing:
        return None, standing
    if end is not None:
        end = engine.run(instr.orelse, end, flow)
    return join_all([*([end] if end is not None else []), *broken]), standing


def _follow(engine: Engine, instr: ir.For, state: State, flow: Flow, visits: Walk, several: bool) -> State | None:
    """Run a loop over elements of which the order is known, but not how many there are."""
    m = engine.m
    place = m.place(instr.origin)
    outer_ctx, outer_product = m.ctx, m.unrolled
    m.unrolled = outer_product * max(1, len(visits.steps))
    inner = flow.in_loop()

    def visit(here: State, element: Atom, number: int, last: tuple[Cond | None, Cond | None]) -> State | None:
        m.ctx = (*outer_ctx, (place, number))
        m.last_visit[place] = last
        m.first_visit[place] = _is_first(visits, number)
        counters.start_round(m, here, one(element), place)
        here.registers[-1][instr.item] = of_this_visit(engine, here, element, place, number, several)
        inner.continues = []
        after = engine.run(instr.body, here, inner)
        ended = join_all([*([after] if after is not None else []), *inner.continues])
        if ended is not None:
            engine.overwritten.end_round(m, instr, ended, flow)
        return ended

    elements = dict.fromkeys((step.element for step in visits.steps), TRUE)
    modules = all(isinstance(a, int) and isinstance(state.heap.get(a), Instance) for a in elements)
    current = walking.follow(m, state, visits, visit, place, may_be_empty=not modules)
    m.last_visit.pop(place, None)
    m.first_visit.pop(place, None)
    m.ctx, m.unrolled = outer_ctx, outer_product
    if current is not None and not inner.breaks:
        belonging.all_met(m, current, place)
    if current is not None:
        current = engine.run(instr.orelse, current, flow)
    return join_all([*([current] if current is not None else []), *inner.breaks])


def _is_first(visits: Walk, number: int) -> bool | None:
    """Whether a visit is the first of all; None where it may be."""
    starts = {source is None for source, _ in visits.steps[number].before}
    return starts.pop() if len(starts) == 1 else None


def of_this_visit(engine: Engine, state: State, element: Atom, place: Place, number: int, several: bool) -> Value:
    """The element of a visit, or the row of elements: tensors are met in this visit alone."""
    box = state.heap.get(element) if isinstance(element, int) else None
    if isinstance(box, Container) and box.kind == "tuple" and box.items is not None:
        parts = [
            union([under(of_this_visit(engine, state, atom, place, number, several), c) for atom, c in part.items()])
            for part in box.items
        ]
        return one(state.allocate(engine.m.oid(place[1], f"items of {element}"), Container("tuple", tuple(parts))))
    if isinstance(element, Unknown) and element.tag:
        engine.m.generations.picks[element.tag] = place
    if not isinstance(element, int) or not may_differ(state, element):
        return one(element)
    return {
        element: pairing.met_with(engine.m, element, place, number) | {engine.m.seat(element, place, several, number)}
    }


def _stands_for_several(engine: Engine, iterable: Value) -> bool:
    """Whether what a loop goes over is another object in each round of a loop around it, for all that is known."""
    return len(iterable) > 1 or any(isinstance(a, int) and (a < 0 or a in engine.m.several) for a in iterable)


def note_several(engine: Engine, made: Value, sources: Iterable[Value]) -> None:
    """What ``zip`` and its kin make of such things is another object each time as well."""
    if any(_stands_for_several(engine, source) for source in sources):
        engine.m.several.update(atom for atom in made if isinstance(atom, int))


def may_differ(state: State, oid: int) -> bool:
    """Whether a loop over several such things is known to meet another one in each round: a tensor, or a list of them."""
    met = state.heap.get(oid)
    return isinstance(met, (Tensor, Instance)) or (
        isinstance(met, Container) and (met.items is None or met.kind == "list")
    )


def _made_before(m: Machine, atom: Unknown) -> str | None:
    """What texts look like that a loop made which is over, so that each round of another one has one of them."""
    pattern = m.patterns.get(atom.tag.rstrip("~"))
    return None if pattern is None or m.loop_of(atom.tag) in m.loops else pattern


def _of_this_round(engine: Engine, state: State, value: Value, place: Place, path: str, inner: bool) -> Value:
    """What ``range``, ``enumerate`` and ``zip`` hand out was named when they were called; each round gets another one.

    A tensor of a list is met in one round, which becomes a fact. inner: as ``_stands_for_several`` says.
    """
    fresh: dict[Atom, Cond] = {}
    for atom, cond in value.items():
        new: Atom = atom
        if isinstance(atom, int) and may_differ(state, atom):
            fresh[atom] = cond | pairing.met_with(engine.m, atom, place) | {engine.m.seat(atom, place, inner)}
            continue
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(atom, Unknown) and atom.tag.startswith(("#range@", "#count@")):
            new = engine.m.fresh(state, place[1], f"{COUNTER}{path}", "no", False)
            counters.renamed(engine.m, atom, new)
        elif isinstance(atom, Unknown) and atom.tag.startswith("#element@") and path:
            new = engine.m.fresh(state, place[1], f"element{path}", atom.grad, atom.tensor)
        elif isinstance(atom, Unknown) and (pattern := _made_before(engine.m, atom)) is not None:
            new = engine.m.fresh(state, place[1], f"element{path}", "no", False)
            engine.m.patterns[new.tag] = pattern
        elif isinstance(box, Container) and box.kind == "tuple" and box.items is not None and len(path) < 6:
            parts = [_of_this_round(engine, state, v, place, f"{path} {n}", inner) for n, v in enumerate(box.items)]
            if any(a is not b for a, b in zip(parts, box.items, strict=True)):
                new = state.allocate(engine.m.oid(place[1], f"items{path}"), Container("tuple", tuple(parts)))
        fresh[new] = cond
    return value if fresh == value else fresh


__all__ = ["TRUE", "Elements", "elements", "rows", "run_for"]
