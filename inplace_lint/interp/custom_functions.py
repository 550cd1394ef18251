"""``torch.autograd.Function``: ``apply`` runs ``forward`` without grad and makes one node of the author's own saves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inplace_lint import ir
from inplace_lint.domain.conditions import TRUE, Cond, add_to, both, maybe_both, maybe_either, negate
from inplace_lint.domain.objects import (
    Class,
    Container,
    Function,
    Instance,
    Node,
    Place,
    Saved,
    Status,
    Tensor,
    ViewMark,
)
from inplace_lint.domain.state import NO_GRAD, State
from inplace_lint.domain.values import ANYTHING, NONE, NOTHING, Atom, Sym, Value, one, union
from inplace_lint.interp import classes, functions, gradients
from inplace_lint.interp.autograd import WriteInfo, check_write, edges_of, grad_mode, rebase, requires, save
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.graph_methods import listed_tensors
from inplace_lint.interp.layout import may_require_grad
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.parts import DEEPEST
from inplace_lint.interp.registry import CallSite, method

CONTEXT = "torch.autograd.FunctionCtx"
RUN_BY_PYTORCH = frozenset({"forward", "setup_context", "backward", "vjp", "jvp"})
"""Methods of a custom Function that PyTorch runs, with grad mode off."""
BASES = ("torch.autograd.Function", "torch.autograd.function.InplaceFunction")


def is_custom_function(state: State, cls: int) -> bool:
    """Whether a class of the source derives from ``torch.autograd.Function``."""
    return any(isinstance(atom, Sym) and atom.path in BASES for atom in classes.order(state, cls))


@method(CONTEXT, "save_for_backward")
def save_for_backward(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """What the author's backward will want, and finds as ``saved_tensors``."""
    kept = state.allocate(engine.m.oid(site.place[1], "saved tensors"), Container("tuple", tuple(site.positional)))
    context = state.heap.get(oid)
    if isinstance(context, Instance):
        state.put(oid, replace(context, attrs={**context.attrs, "saved_tensors": one(kept)}))
    return _remember(engine, state, oid, "*saved", site)


@method(CONTEXT, "mark_non_differentiable")
def mark_non_differentiable(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """Outputs through which no gradient flows."""
    return _remember(engine, state, oid, "*not differentiable", site)


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
    return _record(engine, state, cls, made, context, value, site)


def _lend(engine: Engine, state: State, cls: int, context: int, node: int, value: Value, site: CallSite) -> None:
    """Look at what the author's backward does with the gradients that it is given, and with what it has saved."""
    found = _method(state, cls, "backward")
    if found is None:
        return
    side = state.copy()
    count = max(1, len(listed_tensors(engine, side, value, site)))
    lent = [gradients.gradient(engine, side, site.place, "backward", n) for n in range(count)]
    gradients.lend(engine, side, site.flow, one(found[0]), [one(context), *lent], site.place)
    before, after = state.heap.get(node), side.heap.get(node)
    if isinstance(before, Node) and isinstance(after, Node) and before.saved != after.saved:
        kept = tuple(
            replace(s, own={w: c for w, c in t.writes.items() if w not in s.writes})
            for s, t in zip(before.saved, after.saved, strict=False)
        )
        state.put(node, replace(before, saved=kept))


def _method(state: State, cls: int, name: str) -> tuple[int, Function] | None:
    for atom in classes.lookup(state, cls, name) or ():
        function = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(function, Function) and isinstance(atom, int):
            return atom, function
    return None


def _record(engine: Engine, state: State, cls: int, made: Class, context: int, value: Value, site: CallSite) -> Value:
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
    listed = list(dict.fromkeys(oid for oid, _ in listed_tensors(engine, state, value, site)))
    outputs = set(listed)
    given = {oid for oid, _ in inputs}
    saved: list[Saved] = []
    for oid, tensor, cond in m.tensors(state, attrs.get("*saved", NOTHING)):
        when = both(cond, wanted)
        if when is not None:
            result = oid in outputs and oid not in given
            role = "result" if result else "input"
            saved.append(save(m, state, oid, tensor, role, result, when, made.name, site.place))
    frees = bool(saved)
    saved.extend(_kept_as_attributes(m, state, cls, attrs, outputs - given, wanted, made, site))
    node = Node(
        site.place,
        made.name,
        f"{made.name}Backward",
        edges,
        tuple(saved),
        frees,
        m.calls,
        frozenset(code.qualname + "@" + code.file for code in m.codes),
    )
    number = state.allocate(m.oid(site.place[1], "function node"), node)
    _lend(engine, state, cls, context, number, value, site)
    dirty = {oid for oid, _, _ in m.tensors(state, attrs.get("*dirty", NOTHING))}
    constant = {oid for oid, _, _ in m.tensors(state, attrs.get("*not differentiable", NOTHING))}
    info = WriteInfo(site.place, "call", f"{made.name}.apply")
    for oid in sorted(dirty & given, key=lambda n: (abs(n), n)):
        # The write was counted where it was made; whether it is allowed PyTorch asks when forward has returned.
        check_write(m, state, oid, TRUE, info, None, True)
    views: dict[Atom, Atom] = {}
    for position, oid in enumerate(listed):
        tensor = state.tensor(oid)
        if tensor is None or oid in constant or not may_require_grad(tensor.dtype):
            continue
        if oid in dirty:
            rebase(m, state, oid, TRUE, number, wanted)
        elif oid in given or tensor.bases:
            views[oid] = view_of(m, state, oid, tensor, number, wanted, site.place, "function", f"view {position}")
        else:
            status = Status(constant=negate(wanted), interior=wanted)
            state.put(oid, replace(tensor, status=status, nodes={number: wanted}, marks={}))
    return _with_views(engine, state, value, views, site)


def view_of(
    m: Machine,
    state: State,
    oid: int,
    tensor: Tensor,
    node: int,
    wanted: Cond,
    place: Place,
    kind: str,
    tag: str,
) -> int:
    """A view of a whole tensor that a custom Function returned: it must not be written, nor may its base be before it is used."""
    base = {oid: TRUE} if not tensor.bases else dict(tensor.bases)
    view = replace(
        tensor,
        made=place,
        made_by="a custom Function",
        status=Status(constant=negate(wanted), interior=wanted),
        bases=base,
        marks={ViewMark(kind, place, "a custom Function"): TRUE},
        nodes={node: wanted},
        refused={},
        grad=None,
        parameter=False,
        retains=False,
        assumed=None,
    )
    return state.allocate(m.oid(place[1], f"function {tag}"), view)


def _with_views(
    engine: Engine, state: State, value: Value, views: dict[Atom, Atom], site: CallSite, depth: int = 0
) -> Value:
    """The value with outputs replaced by the views that PyTorch makes of them."""
    if not views:
        return value
    result: dict[Atom, Cond] = {}
    for atom, cond in value.items():
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container) and box.items is not None and depth < DEEPEST:
            items = tuple(_with_views(engine, state, item, views, site, depth + 1) for item in box.items)
            made = state.allocate(engine.m.oid(site.place[1], "function outputs"), Container(box.kind, items))
            result[made] = cond
        else:
            result[views.get(atom, atom)] = cond
    return result


def _kept_as_attributes(
    m: Machine,
    state: State,
    cls: int,
    attrs: Mapping[str, Value],
    results: set[int],
    wanted: Cond,
    made: Class,
    site: CallSite,
) -> list[Saved]:
    """Tensors that forward keeps as attributes of ``ctx`` and backward reads: no version is checked there."""
    found: list[Saved] = []
    read = _read_by_backward(m, state, cls)
    for name, value in attrs.items():
        if name.startswith("*") or name == "saved_tensors" or name not in read:
            continue
        for oid, tensor, cond in m.tensors(state, value):
            when = both(cond, wanted)
            if when is not None:
                is_result = oid in results
                role = f"{'result' if is_result else 'input'} ctx.{name}"
                kept = save(m, state, oid, tensor, role, is_result, when, made.name, site.place)
                found.append(replace(kept, counters=frozenset(), attribute=True))
    return found


def _read_by_backward(m: Machine, state: State, cls: int) -> frozenset[str]:
    """Attributes of ``ctx`` of whose values backward makes use; reading what is no matter of values does not count."""
    found = _method(state, cls, "backward") or _method(state, cls, "vjp")
    code = None if found is None else found[1].code
    if not isinstance(code, ir.Code) or not code.params:
        return frozenset()
    context = code.params[0].name
    loaded: set[int] = set()
    names: dict[int, str] = {}
    used: set[str] = set()
    for instr in ir.walk(code.body):
        if isinstance(instr, ir.Load) and instr.name == context:
            loaded.add(instr.dst)
        elif isinstance(instr, ir.GetAttr) and instr.obj in loaded:
            names[instr.dst] = instr.attr
        elif isinstance(instr, ir.GetAttr) and instr.obj in names:
            row = m.model.method(instr.attr) or m.model.property(instr.attr)
            if row is not None and any(output.kind != "none" for v in row.variants for output in v.outputs):
                used.add(names[instr.obj])
        else:
            used.update(names[reg] for reg in ir.operands(instr) if reg in names)
    return frozenset(used)
