"""``torch.autograd.Function``: ``apply`` runs ``forward`` without grad and makes one node of the author's own saves."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain.conditions import TRUE, Cond, add_to, both, maybe_both, maybe_either
from inplace_lint.domain.objects import Class, Container, Function, Instance, Node, Saved, Status
from inplace_lint.domain.state import NO_GRAD, State
from inplace_lint.domain.values import ANYTHING, NONE, NOTHING, Sym, Value, one, union
from inplace_lint.interp import classes, functions
from inplace_lint.interp.autograd import edges_of, grad_mode, rebase, requires, save
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.graph_methods import listed_tensors
from inplace_lint.interp.registry import CallSite, method

CONTEXT = "torch.autograd.FunctionCtx"
BASE = "torch.autograd.Function"


def is_custom_function(state: State, cls: int) -> bool:
    """Whether a class of the source derives from ``torch.autograd.Function``."""
    return any(isinstance(atom, Sym) and atom.path == BASE for atom in classes.order(state, cls))


@method(CONTEXT, "save_for_backward")
def save_for_backward(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """What the author's backward will want."""
    return _remember(engine, state, oid, "*saved", site)


@method(CONTEXT, "mark_dirty")
def mark_dirty(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """Inputs that forward changed in place."""
    return _remember(engine, state, oid, "*dirty", site)


def _remember(engine: Engine, state: State, oid: int, name: str, site: CallSite) -> Value:
    context = state.heap.get(oid)
    if isinstance(context, Instance):
        held = union((context.attrs.get(name, NOTHING), *site.positional))
        state.put(oid, replace(context, attrs={**context.attrs, name: held}))
    return NONE


def apply(engine: Engine, state: State, cls: int, made: Class, site: CallSite) -> Value | None:
    """``SomeFunction.apply(*args)``."""
    m = engine.m
    forward = _method(state, cls, "forward")
    if forward is None:
        return ANYTHING
    context = state.allocate(m.oid(site.place[1], "function context"), Instance(Sym(CONTEXT), {}, site.place))
    oid, function = forward
    mode, state.mode = state.mode, {NO_GRAD: TRUE}
    setup = _method(state, cls, "setup_context")
    first: list[Value] = [] if setup is not None else [one(context)]
    value = functions.call(engine, state, site.flow, oid, function, [*first, *site.positional], site.named, site.place)
    if value is not None and setup is not None:
        inputs = one(state.allocate(m.oid(site.place[1], "inputs"), Container("tuple", tuple(site.positional))))
        functions.call(engine, state, site.flow, setup[0], setup[1], [one(context), inputs, value], {}, site.place)
    state.mode = mode
    if value is None:
        return None
    return _record(engine, state, made, context, value, site)


def _method(state: State, cls: int, name: str) -> tuple[int, Function] | None:
    for atom in classes.lookup(state, cls, name) or ():
        function = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(function, Function) and isinstance(atom, int):
            return atom, function
    return None


def _record(engine: Engine, state: State, made: Class, context: int, value: Value, site: CallSite) -> Value:
    m = engine.m
    inputs = [(oid, cond) for arg in site.positional for oid, _, cond in m.tensors(state, arg)]
    wanted: Cond | None = None
    edges: dict[int, Cond] = {}
    for oid, cond in inputs:
        tensor = state.tensor(oid)
        if tensor is None:
            continue
        wanted = maybe_either(wanted, maybe_both(requires(state, tensor), cond))
        for edge, own in edges_of(state, oid, tensor).items():
            together = both(own, cond)
            if together is not None:
                add_to(edges, edge, together)
    wanted = maybe_both(wanted, grad_mode(state))
    if wanted is None:
        return value
    kept = state.heap.get(context)
    attrs = kept.attrs if isinstance(kept, Instance) else {}
    outputs = {oid for oid, _ in listed_tensors(engine, state, value, site)}
    given = {oid for oid, _ in inputs}
    saved: list[Saved] = []
    for oid, tensor, cond in m.tensors(state, attrs.get("*saved", NOTHING)):
        when = both(cond, wanted)
        if when is not None:
            result = oid in outputs and oid not in given
            role = "result" if result else "input"
            saved.append(save(m, state, oid, tensor, role, result, when, made.name, site.place))
    node = Node(
        site.place,
        made.name,
        f"{made.name}Backward",
        edges,
        tuple(saved),
        bool(saved),
        m.calls,
        frozenset(code.qualname + "@" + code.file for code in m.codes),
    )
    number = state.allocate(m.oid(site.place[1], "function node"), node)
    dirty = {oid for oid, _, _ in m.tensors(state, attrs.get("*dirty", NOTHING))}
    for oid in outputs:
        if oid in dirty:
            rebase(m, state, oid, TRUE, number, wanted)
            continue
        tensor = state.tensor(oid)
        if tensor is not None and oid not in given:
            constant = None if not wanted else tensor.status.constant
            state.put(
                oid,
                replace(tensor, status=Status(constant=constant, interior=wanted), nodes={number: wanted}, marks={}),
            )
    return value
