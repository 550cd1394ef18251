"""Methods of tensors that are about the graph itself: backward, grad, requires_grad_, retain_grad, detach_."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain.conditions import TRUE, Cond, add_to, both, decisive, maybe_either
from inplace_lint.domain.objects import CONSTANT, INTERIOR, Container, Instance, Node, Status, Tensor
from inplace_lint.domain.state import State
from inplace_lint.domain.values import NONE, NOTHING, Const, Unknown, Value, const, constant_of, one
from inplace_lint.events import BadViewWritten, Write
from inplace_lint.interp import attributes, iteration, put_into
from inplace_lint.interp.autograd import Reached, backward, edges_of, grad_mode, save
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.keys import SLOT
from inplace_lint.interp.layout import dtype_kind
from inplace_lint.interp.registry import CallSite, symbol, tensor_method


def kept(engine: Engine, state: State, site: CallSite, retain: Value | None, create: Value | None) -> Cond | None:
    """When ``retain_graph`` or ``create_graph`` keeps the graph; None where neither does."""
    found: Cond | None = None
    for flag in (retain, create):
        if flag is not None:
            found = maybe_either(found, engine.truth(state, flag)[0])
    return found


def listed_tensors(engine: Engine, state: State, value: Value | None, site: CallSite) -> list[tuple[int, Cond]]:
    """The tensors of an argument that is a tensor or a sequence of tensors."""
    found: list[tuple[int, Cond]] = []
    for atom, cond in (value or NOTHING).items():
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container):
            inner = iteration.elements(engine, state, site.flow, {atom: cond}, site.place)
            for element in inner.exact if inner.exact is not None else [inner.any]:
                found.extend((oid, own) for oid, _, own in engine.m.tensors(state, element))
        else:
            found.extend((oid, own) for oid, _, own in engine.m.tensors(state, {atom: cond}))
    return found


def _is_single(state: State, value: Value | None) -> bool:
    """Whether an argument is one tensor, or a sequence with one element."""
    for atom in value or NOTHING:
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container) and (box.rest or box.items is None or len(box.items) != 1):
            return False
    return True


@tensor_method("backward")
def run_backward(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``loss.backward(gradient, retain_graph, create_graph, inputs)``."""
    tensor = state.tensor(oid)
    if tensor is not None and tensor.assumed and oid > 0 and tensor.status.constant is not None:
        # Of one that does not require grad, backward would raise.
        state.put(oid, replace(tensor, status=INTERIOR))
    create = site.argument(2, "create_graph")
    keep = kept(engine, state, site, site.argument(1, "retain_graph"), create)
    inputs_value = site.argument(3, "inputs")
    inputs = None
    if inputs_value is not None and constant_of(inputs_value) is not None:
        inputs = [t for t, _ in listed_tensors(engine, state, inputs_value, site)]
    # Of several losses in a list each frees its own graph.
    met = frozenset(fact for fact in state.path if fact.key.startswith(SLOT))
    backward(engine.m, state, [(oid, met)], site.place, keep, inputs)
    return NONE


@symbol("torch.autograd.backward")
def autograd_backward(engine: Engine, state: State, site: CallSite) -> Value:
    """``torch.autograd.backward(tensors, ...)``."""
    keep = kept(engine, state, site, site.argument(2, "retain_graph"), site.argument(3, "create_graph"))
    inputs_value = site.named.get("inputs")
    inputs = None
    if inputs_value is not None:
        inputs = [t for t, _ in listed_tensors(engine, state, inputs_value, site)]
    roots = listed_tensors(engine, state, site.argument(0, "tensors"), site)
    backward(engine.m, state, roots, site.place, keep, inputs)
    return NONE


@symbol("torch.autograd.grad")
def autograd_grad(engine: Engine, state: State, site: CallSite) -> Value:
    """``torch.autograd.grad(outputs, inputs, ...)``: a backward that fills no ``.grad``; its results may be differentiable."""
    m = engine.m
    roots = listed_tensors(engine, state, site.argument(0, "outputs"), site)
    wrt = listed_tensors(engine, state, site.argument(1, "inputs"), site)
    create = site.argument(4, "create_graph")
    created = None if create is None else engine.truth(state, create)[0]
    keep = kept(engine, state, site, site.argument(3, "retain_graph"), create)
    single = _is_single(state, site.argument(1, "inputs"))
    passed = backward(m, state, roots, site.place, keep, [oid for oid, _ in wrt], accumulate=False, single=single)
    results: list[Value] = []
    for number, (oid, _) in enumerate(wrt):
        source = state.tensor(oid)
        made = m.oid(site.place[1], f"grad {number}")
        tensor = Tensor(
            site.place,
            "autograd.grad",
            frozenset({made}),
            frozenset({made}),
            dtype=None if source is None else source.dtype,
            shape=None if source is None else source.shape,
        )
        enabled = grad_mode(state)
        if created is not None and enabled is not None:
            node = _double(engine, state, roots, passed, site, number)
            tensor = replace(tensor, status=Status(interior=TRUE), nodes={node: TRUE})
        results.append(one(state.allocate(made, tensor)))
    return one(state.allocate(m.oid(site.place[1], "grads"), Container("tuple", tuple(results))))


def _double(
    engine: Engine, state: State, roots: list[tuple[int, Cond]], passed: Reached, site: CallSite, number: int
) -> int:
    """The node of a differentiable gradient: it leads to the graph it came from and keeps what that graph kept."""
    m = engine.m
    edges: dict[int, Cond] = {}
    for oid, cond in roots:
        tensor = state.tensor(oid)
        if tensor is not None:
            for edge, own in edges_of(state, oid, tensor).items():
                together = both(own, cond)
                if together is not None:
                    add_to(edges, edge, together)
    saved = []
    for key, alternatives in passed.items():
        node = state.heap.get(key)
        cond = frozenset.intersection(*alternatives)
        if not isinstance(node, Node):
            continue
        for s in node.saved:
            tensor = state.tensor(s.tensor)
            together = both(s.cond, cond)
            if tensor is not None and together is not None and tensor.counters == s.counters:
                saved.append(save(m, state, s.tensor, tensor, s.role, s.is_result, together, node.op, node.place))
    unique = {(s.role, s.tensor): s for s in saved}
    made = Node(
        site.place,
        "autograd.grad",
        None,
        edges,
        tuple(unique.values()),
        True,
        m.calls,
        frozenset(code.qualname + "@" + code.file for code in m.codes),
    )
    return state.allocate(m.oid(site.place[1], f"double backward {number}"), made)


@tensor_method("requires_grad_")
def requires_grad_(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``requires_grad_(flag)``."""
    flag = site.argument(0, "requires_grad") or const(True)
    attributes.set_requires_grad(engine, state, oid, flag, TRUE)
    tensor = state.tensor(oid)
    if tensor is not None and tensor.status.leaf is not None and tensor.grad is None:
        state.put(oid, replace(tensor, grad=NONE))
    return one(oid)


@tensor_method("retain_grad")
def retain_grad(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``retain_grad()``."""
    tensor = state.tensor(oid)
    if tensor is not None:
        state.put(oid, replace(tensor, retains=True))
    return NONE


@tensor_method("detach_")
def detach_(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``detach_()``: cuts the tensor from its graph; views cannot be detached in place."""
    m = engine.m
    tensor = state.tensor(oid)
    if tensor is None:
        return one(oid)
    if tensor.bases:
        write = Write(m.site(site.place), "method", "detach_", site.target)
        for own in tensor.bases.values():
            cond = both(own, decisive(site.given))
            if cond is not None:
                event = BadViewWritten(write, "detach", m.site(tensor.made), tensor.made_by, None, m.context(cond))
                m.emit(event, cond, state.path)
        return one(oid)
    state.heap[oid] = replace(tensor, status=CONSTANT, nodes={})
    return one(oid)


@tensor_method("register_hook", "register_post_accumulate_grad_hook")
def register_hook(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """A hook: it sees the gradient, not the tensor."""
    if not (site.target or "").endswith("accumulate_grad_hook"):
        from inplace_lint.interp import gradients

        side = state.copy()
        lent = gradients.gradient(engine, side, site.place, "hook", 0)
        gradients.lend(engine, side, site.flow, site.argument(0, "hook") or NOTHING, [lent], site.place)
    return one(engine.m.fresh(state, site.place[1], "hook handle", "no", False))


@tensor_method("size")
def size(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``size()`` and ``size(dim)``."""
    shape = attributes.get(engine, state, site.flow, one(oid), "shape", site.place)
    dim = site.argument(0, "dim")
    if dim is None:
        return shape
    tensor = state.tensor(oid)
    number = constant_of(dim)
    if (
        tensor is not None
        and tensor.shape is not None
        and isinstance(number, int)
        and -len(tensor.shape) <= number < len(tensor.shape)
    ):
        known = tensor.shape[number]
        if known is not None:
            return const(known)
    return one(engine.m.fresh(state, site.place[1], "size", "no", False))


@tensor_method("dim", "ndimension")
def dim(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``dim()``."""
    tensor = state.tensor(oid)
    if tensor is not None and tensor.shape is not None:
        return const(len(tensor.shape))
    return one(engine.m.fresh(state, site.place[1], "dim", "no", False))


@tensor_method("is_floating_point")
def is_floating_point(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``is_floating_point()``."""
    tensor = state.tensor(oid)
    if tensor is not None and tensor.dtype is not None:
        return const(dtype_kind(tensor.dtype) == "float")
    if tensor is not None and tensor.status.constant is not None and tensor.status.requires_grad is not None:
        # Only floating tensors require grad, so where it is none it does not.
        return {Const(True, "bool"): TRUE, Const(False, "bool"): tensor.status.constant}
    return one(engine.m.fresh(state, site.place[1], "is_floating_point", "no", False))


@tensor_method("share_memory_", "pin_memory", "is_contiguous", "data_ptr", "element_size")
def bookkeeping(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """Methods that neither save nor write."""
    if site.target is not None and site.target.endswith(("share_memory_", "pin_memory")):
        return one(oid)
    return one(engine.m.fresh(state, site.place[1], "fact", "no", False))


@tensor_method("apply_", "map_")
def apply_(engine: Engine, state: State, oid: int, site: CallSite) -> object:
    """Elementwise Python functions write in place like other methods."""
    return NotImplemented


def pending_roots(engine: Engine, state: State, value: Value, seen: set[int] | None = None) -> list[tuple[int, Cond]]:
    """Every tensor in a value (through containers and plain instances): what a caller could run backward from."""
    found: list[tuple[int, Cond]] = []
    seen = set() if seen is None else seen
    for atom, cond in value.items():
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        parts: list[Value] = []
        if isinstance(thing, Tensor) and isinstance(atom, int):
            found.append((atom, cond))
            # What was taken for a tensor may be the dict that has got elements with names.
            parts.append(put_into.found(engine.m, state, Unknown(thing.assumed or "")))
        elif isinstance(atom, int):
            if atom in seen:
                continue
            seen.add(atom)
        else:
            parts.append(put_into.found(engine.m, state, atom))
        if isinstance(thing, Container):
            parts = [*(thing.items or ()), *(thing.entries or {}).values(), thing.rest]
        elif isinstance(thing, Instance) and "*fields" in thing.attrs:
            parts = list(thing.attrs.values())
        for part in parts:
            for oid, own in pending_roots(engine, state, part, seen):
                together = both(own, cond)
                if together is not None:
                    found.append((oid, together))
    for oid, _, cond in engine.m.tensors(state, {a: c for a, c in value.items() if not isinstance(a, int)}):
        found.append((oid, cond))
    return found
