"""Indexing, reading and writing: tensors make views or copies, containers give their elements."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import LOST, TRUE, Cond, Fact, both
from inplace_lint.domain.objects import Class, Container, Function, Instance, Place, contents, order_of, sequence
from inplace_lint.domain.sequences import Order
from inplace_lint.domain.state import State
from inplace_lint.domain.values import (
    ANYTHING,
    NOTHING,
    Atom,
    Const,
    SliceAtom,
    Sym,
    Unknown,
    Value,
    const,
    constant_of,
    known,
    one,
    under,
    union,
)
from inplace_lint.interp import attributes, belonging, calls, classes, counters, denial, ends, layout, pairing, put_into
from inplace_lint.interp.binding import Arguments, classify_index
from inplace_lint.interp.detection import kept_by_nms
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.keys import ELEMENT
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.operators import split
from inplace_lint.interp.ops import OpCall, call_op
from inplace_lint.opmodel.schema import Output


def get(engine: Engine, state: State, flow: Flow, obj: Value, index: Value, place: Place, target: str | None) -> Value:
    """``obj[index]``."""
    denial.by_key(engine.m, state, obj, index)
    tensors, others = split(engine, state, obj)
    if denial.is_name(index):
        tensors, others = NOTHING, _named_parts(state, tensors, others)
    values: list[Value] = []
    if tensors:
        values.append(_tensor_item(engine, state, tensors, index, place, target))
    for atom, cond in others.items():
        values.append(under(_atom_item(engine, state, flow, atom, index, place), cond))
    return union(values) if values else ANYTHING


def _named_parts(state: State, tensors: Value, others: Value) -> Value:
    """What has elements with names is no tensor: unknowns that were taken for tensors have parts, real ones are not met here."""
    found: dict[Atom, Cond] = dict(others)
    for atom, cond in tensors.items():
        tensor = state.tensor(atom) if isinstance(atom, int) else None
        if isinstance(atom, Unknown):
            found[atom] = cond
        elif tensor is not None and tensor.assumed:
            found[Unknown(tensor.assumed, "likely" if tensor.status.interior == TRUE else "assume")] = cond
    return found


def _tensor_item(engine: Engine, state: State, tensors: Value, index: Value, place: Place, target: str | None) -> Value:
    row = engine.m.model.method("__getitem__")
    if row is None:
        return ANYTHING
    either = _of_either_kind(engine, state, index)
    kept = kept_by_nms(engine.m, either[0]) if len(either) == 1 else None
    unknown = next((atom for atom in either if not _is_many(engine, atom)), None)
    many = kept is not None or (bool(either) and unknown is None)
    kind = "advanced" if many else classify_index(state, index)
    if unknown is not None and all(isinstance(a, int) and _is_leaf(state, a) for a in tensors):
        kind = "advanced"  # a number would make a view of a leaf, which nobody could write: nothing hangs on that one
    call = OpCall(place, "indexing", "item", "[...]", target, tag="getitem")
    arguments = Arguments([tensors, index], settings={"index": kind})
    value = call_op(engine, state, row.variants, arguments, call)
    if value is None:
        return ANYTHING
    if kept is not None:
        return under(value, kept)
    if unknown is None or kind != "basic":
        return value
    copy = replace(arguments, settings={"index": "advanced"})
    other = call_op(engine, state, row.variants, copy, replace(call, tag="getitem of many"))
    question = engine.m.derived(unknown, " as a number", False, "no").tag
    # Whether what nobody knows is a number, which makes a view, or a mask or a list, which makes a copy, is an assumption.
    number, others = LOST, TRUE
    if unknown.tag and question:
        number = frozenset({Fact(question, True, f"{engine.m.describe(unknown.tag)} is a number", True)})
        others = frozenset({Fact(question, False)})
    return union([under(value, number), under(ANYTHING if other is None else other, others)])


def _is_leaf(state: State, oid: int) -> bool:
    tensor = state.tensor(oid)
    return tensor is not None and tensor.status.leaf is not None


def _of_either_kind(engine: Engine, state: State, index: Value) -> list[Unknown]:
    """What the index, or the first such item of a tuple, may be, where it may be a number as well as a mask or a list."""
    for item in layout.index_items(state, index):
        unknown = [a for a in item if isinstance(a, Unknown) and (not a.tag or a.tensor or _is_argument(engine, a))]
        if unknown and len(unknown) == len(item):
            return unknown
    return []


def _is_argument(engine: Engine, atom: Unknown) -> bool:
    """Whether an unknown that is no tensor is an argument as it was given: a number or a list, where it says nothing else."""
    tag = atom.tag.rstrip("~")
    return tag[:1] != "#" and tag not in engine.m.part_of and tag not in engine.m.grounds.numbers


def _is_many(engine: Engine, index: Unknown) -> bool:
    """Whether what indexes is annotated as a list, or is an array of NumPy."""
    tag = index.tag.rstrip("~")
    return tag in engine.m.grounds.lists or tag in engine.m.grounds.arrays


def _atom_item(engine: Engine, state: State, flow: Flow, atom: Atom, index: Value, place: Place) -> Value:
    m = engine.m
    if isinstance(atom, Const):
        key = constant_of(index)
        if isinstance(atom.value, (str, tuple, bytes)) and isinstance(key, int):
            try:
                return const(atom.value[key])
            except IndexError:
                return ANYTHING
        return ANYTHING
    if isinstance(atom, Unknown):
        key_atom = known(index)
        if key_atom is not None:
            suffix = f"[{key_atom.value!r}]"
            hope = atom.grad if atom.grad == "likely" else ("no" if isinstance(key_atom.value, str) else atom.grad)
            part = m.derived(atom, suffix, tensor=True, grad=hope)
            return put_into.read(m, state, atom, suffix, part) or {part: TRUE}
        if len(index) == 1 and isinstance(next(iter(index)), SliceAtom):
            return {m.derived(atom, "[...]"): TRUE}
        if not atom.tag:
            return ANYTHING
        element = m.fresh(state, place[1], "element", atom.grad)
        m.part_of.setdefault(element.tag, atom)
        return {element: TRUE}
    if isinstance(atom, int):
        box = state.heap.get(atom)
        if isinstance(box, Container):
            return _container_item(engine, state, flow, atom, box, index, place)
        if isinstance(box, Instance):
            called = calls.special_method(engine, state, flow, atom, "__getitem__", [index], place)
            if called is not None:
                return called
            for name in ("*items", "*fields"):
                for inside in box.attrs.get(name, NOTHING):
                    inner = state.heap.get(inside) if isinstance(inside, int) else None
                    if isinstance(inner, Container) and isinstance(inside, int):
                        like = box if classes.is_module(state, box.cls) else None
                        return _container_item(engine, state, flow, inside, inner, index, place, like=like)
            return {m.fresh(state, place[1], "element", "no"): TRUE}
        if isinstance(box, Class):
            return one(atom)
    if isinstance(atom, Sym):
        return one(atom)
    return ANYTHING


def _container_item(
    engine: Engine,
    state: State,
    flow: Flow,
    oid: int,
    box: Container,
    index: Value,
    place: Place,
    like: Instance | None = None,
) -> Value:
    atom = next(iter(index)) if len(index) == 1 else None
    if box.kind == "dict":
        key = known(index)
        if key is not None and box.entries is not None:
            hit = box.entries.get(key.value)
            if hit is not None:
                return hit
            if box.default is not None:
                made = _made_by_default(engine, state, flow, box.default, place)
                state.put(oid, Container("dict", (), {**box.entries, key.value: made}, box.rest, box.default))
                return union((made, box.rest))
            return under_literal(engine, box.rest, key.value) or ANYTHING
        held = counters.under_key(engine.m, _at(engine, contents(box), index), index)
        held = held if key is None else under_literal(engine, held, key.value)
        if not held and box.default is not None:
            held = _made_by_default(engine, state, flow, box.default, place)
            state.put(oid, Container("dict", (), box.entries, held, box.default))
        return _one_entry(engine, state, held, place) or ANYTHING
    if isinstance(atom, SliceAtom):
        part: tuple[Value, ...] | None = None
        bounds = layout.python_slice(atom)
        if box.items is not None and bounds is not None:
            part = box.items[bounds]
        if part is not None:
            cut = Container(box.kind, part)
        else:
            order, told = _sliced(order_of(box), atom), ends.within(engine.m, oid, contents(box), atom)
            order = (
                None if order is None else sequences.mapped(order, lambda element: {element: told.get(element, TRUE)})
            )
            held = {element: cond | told.get(element, TRUE) for element, cond in contents(box).items()}
            cut = sequence(box.kind, order, held)
        sliced = state.allocate(engine.m.oid(place[1], "slice"), cut)
        if like is not None:
            rebuilt = Instance(like.cls, {**like.attrs, "*items": one(sliced)}, like.made, like.config, like.tag)
            return one(state.allocate(engine.m.oid(place[1], "slice of modules"), rebuilt))
        return one(sliced)
    literal = known(index)
    if literal is not None and isinstance(literal.value, int) and box.items is not None:
        position = int(literal.value)
        if -len(box.items) <= position < len(box.items):
            return box.items[position]
        return box.rest or ANYTHING
    order = order_of(box)
    if literal is not None and literal.value in (0, -1) and order is not None:
        found = (order.lasts() if literal.value else order.firsts()) or contents(box)
        return ends.at(engine.m, oid, found, index, order) or ANYTHING
    if order is not None and (latest := pairing.latest(engine.m, order, index)):
        return latest
    by_round = counters.element(engine.m, box.order, index)
    held = contents(box) if by_round is None else by_round
    return ends.at(engine.m, oid, _at(engine, held, index), index, order) or ANYTHING


def _at(engine: Engine, held: Value, index: Value) -> Value:
    """What of a sequence or a dict may lie at an index, and with whom it is met there."""
    found = counters.at_slot(engine.m, held, index, by_element=True)
    loop, visit = pairing.pointing(engine.m, index)
    return (
        found if loop is None else {a: cond | pairing.met_with(engine.m, a, loop, visit) for a, cond in found.items()}
    )


def under_literal(engine: Engine, held: Value, key: object) -> Value:
    """What of a dict's values lies under a literal key: of unknown ones that a loop put there, each key has another."""
    each = [atom for atom in held if isinstance(atom, Unknown) and atom.tag.startswith(ELEMENT)]
    if not each:
        return held
    return {
        (engine.m.derived(a, f"[{key!r}]") if isinstance(a, Unknown) and a in each else a): c for a, c in held.items()
    }


def _one_entry(engine: Engine, state: State, held: Value, place: Place) -> Value:
    """What a look-up in a registry gave stays the same function or class wherever it is used."""
    if len(held) < 2 or not all(
        isinstance(a, Sym) or (isinstance(a, int) and isinstance(state.heap.get(a), (Function, Class))) for a in held
    ):
        return held
    chosen = {a: both(cond, engine.m.choice(place, engine.m.number_of(a), False)) for a, cond in held.items()}
    return {atom: cond for atom, cond in chosen.items() if cond is not None}


def _made_by_default(engine: Engine, state: State, flow: Flow, factory: Value, place: Place) -> Value:
    """What a default dict puts in for a key that it does not have."""
    made = calls.call_value(engine, state, flow, factory, [], {}, place)
    return ANYTHING if made is None else made


def _sliced(order: Order | None, atom: SliceAtom) -> Order | None:
    """What is left of an order: a run of it, exactly where the slice takes one element off an end at most."""
    if order is None or atom.step not in (None, 1, -1):
        return None
    lower, upper = atom.lower, atom.upper
    if atom.step == -1:
        order = sequences.backwards(order)
        lower, upper = (bound if bound is None else ... for bound in (lower, upper))
    if lower == 1:
        order = sequences.beheaded(order)
    if upper == -1:
        order = sequences.curtailed(order)
    return sequences.part(order, lower not in (None, 0, 1), upper not in (None, -1))


def put(
    engine: Engine,
    state: State,
    flow: Flow,
    obj: Value,
    index: Value,
    value: Value,
    place: Place,
    target: str | None,
) -> None:
    """``obj[index] = value``."""
    denial.by_key(engine.m, state, obj, index)
    tensors, others = split(engine, state, obj)
    if denial.is_name(index):
        tensors, others = NOTHING, _named_parts(state, tensors, others)
    elif isinstance(number := constant_of(index), int) and not isinstance(number, bool):
        tensors = {atom: cond | _is_no_list(engine.m, state, atom) for atom, cond in tensors.items()}
    if tensors:
        row = engine.m.model.method("__setitem__")
        if row is not None:
            kind = classify_index(state, index)
            partial = kind == "basic" and not layout.whole(state, index)
            fills = partial and _single_elements(state, tensors, index)
            call = OpCall(
                place,
                "item assignment",
                "item",
                "[...] =",
                target,
                tag="setitem",
                partial=partial,
                fills=fills,
            )
            call_op(engine, state, row.variants, Arguments([tensors, index, value], settings={"index": kind}), call)
    for atom, cond in others.items():
        if not isinstance(atom, int):
            key = known(index)
            suffix = None if key is None else f"[{key.value!r}]"
            put_into.put(engine.m, state, atom, value, suffix, cond)
            continue
        box = state.heap.get(atom)
        if isinstance(box, Container):
            owner = engine.m.registries.get(atom)
            if owner is not None and isinstance(name := constant_of(index), str):
                attributes.put(engine, state, flow, {owner: cond}, name, value, place, target)
            pairing.note(engine.m, state, value)
            sure = not cond or not both(cond, state.path) or cond <= state.path
            slot = counters.slot(engine.m, index)
            if slot is None and box.kind == "dict":
                slot = counters.key_to_put(engine.m, state, index)
            if sure and slot is not None and box.kind != "dict":
                belonging.set_by_each_round(engine.m, state, atom, index, slot)
            state.put(atom, _replaced(box, index, value, sure and atom > 0, slot if sure else None))
        elif isinstance(box, Instance):
            if calls.special_method(engine, state, flow, atom, "__setitem__", [index, value], place) is not None:
                continue
            inner = calls.module_items(state, box)
            items_atom = next(iter(box.attrs.get("*items", NOTHING)), None)
            if inner is not None and isinstance(items_atom, int):
                slot = counters.slot(engine.m, index)
                state.put(items_atom, _replaced(inner, index, value, items_atom > 0, slot))


def _is_no_list(m: Machine, state: State, atom: Atom) -> Cond:
    """The assumption that a result of which nobody knows what it is has rows that are set by number, and no elements."""
    tensor = state.tensor(atom) if isinstance(atom, int) else None
    tag = tensor.assumed if tensor is not None else atom.tag if isinstance(atom, Unknown) else None
    if not tag or not tag.startswith("#"):
        return TRUE
    return frozenset({Fact(f"{tag} is a torch.Tensor", True, f"{m.describe(tag)} is a tensor", True)})


def _replaced(box: Container, index: Value, value: Value, sure: bool, slot: str | None = None) -> Container:
    literal = known(index)
    if box.kind == "dict":
        if literal is not None and box.entries is not None:
            old = box.entries.get(literal.value)
            new = value if sure or old is None else union((old, value))
            order = sequences.appended(box.order, value) if box.order is not None and old is None else None
            return Container("dict", (), {**box.entries, literal.value: new}, box.rest, box.default, order)
        before = order_of(box)
        order = None if before is None else sequences.appended(before, value)
        rest = union((box.rest, value)) if slot is None else counters.put_at_slot(box.rest, slot, value)
        return Container("dict", (), box.entries, rest, box.default, order)
    if literal is not None and isinstance(literal.value, int) and box.items is not None:
        position = int(literal.value)
        if -len(box.items) <= position < len(box.items):
            items = list(box.items)
            items[position] = value if sure else union((items[position], value))
            return Container(box.kind, tuple(items), None, box.rest)
    if box.items is not None:
        return Container(box.kind, tuple(union((item, value)) for item in box.items), None, union((box.rest, value)))
    end = literal.value if literal is not None and sure else None
    order = None if box.order is None else _with_end(box.order, end, value)
    if order is None and slot is not None:
        return Container(box.kind, None, None, counters.put_at_slot(contents(box), slot, value))
    return sequence(box.kind, order, union((box.rest, value)))


def _with_end(order: Order, position: object, value: Value) -> Order | None:
    """An order after its first or last element was replaced."""
    first = sequences.of([value])
    if position == 0 and first is not None:
        return sequences.concatenated(first, sequences.beheaded(order))
    return sequences.appended(sequences.curtailed(order), value) if position == -1 else None


def _single_elements(state: State, tensors: Value, index: Value) -> bool:
    """Whether an index leaves none of the repeated dimensions of expanded memory."""
    for atom in tensors:
        tensor = state.tensor(atom) if isinstance(atom, int) else None
        if tensor is None or tensor.expanded is None:
            continue
        dims = layout.expanded_dims(state, tensor, Output(kind="view"), {"index": index})
        if dims is None:
            dims = frozenset()
            if not all(_is_number(item) for item in layout.index_items(state, index)):
                return False
        if dims:
            return False
    return True


def _is_number(item: Value) -> bool:
    return all(
        (isinstance(atom, Const) and isinstance(atom.value, int)) or (isinstance(atom, Unknown) and not atom.tensor)
        for atom in item
    )
