"""The transfer of an op: what its row says, done to the abstract state.

The order is PyTorch's: inputs are saved, the write is checked and counted, the result is made and saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inplace_lint.domain.conditions import TRUE, Cond, Fact, add_to, both, maybe_both, maybe_either, negate
from inplace_lint.domain.objects import CONSTANT, Container, Node, Place, Saved, Status, Tensor, WriteRecord, contents
from inplace_lint.domain.state import GRAD, INFERENCE, State
from inplace_lint.domain.values import NOTHING, Atom, Const, Unknown, Value, one, under, union
from inplace_lint.events import ExpandedWritten, OutOfGrad, Write
from inplace_lint.interp import denial, layout, scattered, strides
from inplace_lint.interp.autograd import (
    WriteInfo,
    bump,
    check_write,
    edges_of,
    grad_mode,
    rebase,
    refuse_views,
    requires,
    save,
    use,
    view_marks,
)
from inplace_lint.interp.binding import Arguments, Binding, pick
from inplace_lint.interp.engine import Engine, with_path
from inplace_lint.interp.keys import seats
from inplace_lint.interp.machine import Machine
from inplace_lint.opmodel.schema import Output, Variant

_PLACES = frozenset({"index", "indices", "mask", "condition"})
"""Parameters that say where, whatever lies there."""


@dataclass(frozen=True, slots=True)
class OpCall:
    """How an op is called in the source. ``name``: what messages call it; ``tag`` keeps ops of one origin apart."""

    place: Place
    name: str
    form: str = "function"
    spelled: str = ""
    target: str | None = None
    flag: Place | None = None
    tag: str = ""
    through: str | None = None
    partial: bool = False
    fills: bool = False


MOST_BASES = 3
"""Possible bases of one view that are told apart; views of further ones are one summary."""


@dataclass(slots=True)
class _Input:
    param: str
    oid: int
    tensor: Tensor
    cond: Cond


def call_op(engine: Engine, state: State, variants: Sequence[Variant], args: Arguments, call: OpCall) -> Value | None:
    """Call an op. Returns its value, or None where the arguments fit no variant; the state is updated in place.

    Where a flag that decides between writing and not writing is unknown, both are done, each under its fact.
    """
    engine.m.budget.step()  # one instruction may call an op on many possibilities
    found = pick(state, variants, args)
    if not found:
        return None
    variant, bound = found[0]
    flags = [name for name, wanted in variant.when if isinstance(wanted, bool) and name in bound]
    for flag in flags:
        others = [(v, b) for v, b in found if dict(v.when).get(flag) not in (None, dict(variant.when)[flag])]
        if not others or not (variant.writes or others[0][0].writes):
            continue
        yes, no = engine.truth(state, bound[flag])
        if yes is None or no is None:
            continue
        wanted = dict(variant.when)[flag]
        if not yes and not no:
            # Nothing has a name for it, but a flag is not on and off at once.
            key = engine.m.question_here(f"flag {flag} {call.tag}", call.place)
            yes, no = frozenset({Fact(key, True)}), frozenset({Fact(key, False)})
        first, second = (yes, no) if wanted else (no, yes)
        return _fork(engine, state, (variant, bound, first), (*others[0], second), call)
    return apply(engine.m, state, variant, bound, call)


def _fork(
    engine: Engine, state: State, a: tuple[Variant, Binding, Cond], b: tuple[Variant, Binding, Cond], call: OpCall
) -> Value:
    outer = state.path
    values: list[Value] = []
    outcomes: list[State] = []
    for variant, bound, cond in (a, b):
        side = with_path(state.copy(), cond)
        if side is None:
            continue
        value = apply(engine.m, side, variant, bound, replace(call, tag=f"{call.tag}/{variant.when}"))
        values.append(under(value, cond) if len(outcomes) or cond else value)
        outcomes.append(side)
    joined = outcomes[0] if len(outcomes) == 1 else outcomes[0].join(outcomes[1])
    adopt(state, joined)
    state.path = outer
    return union(values)


def adopt(state: State, other: State) -> None:
    """Make ``state`` what ``other`` is."""
    state.registers, state.heap = other.registers, other.heap
    state.mode, state.path = other.mode, other.path


def _inputs(m: Machine, state: State, variant: Variant, bound: Binding, call: OpCall) -> list[_Input]:
    found: list[_Input] = []
    for param in variant.params:
        if param.kind in ("number", "other") and param.name not in ("index", "value"):
            continue
        value = bound.get(param.name)
        if value is None:
            continue
        if param.kind == "tensor|number":
            # An unknown operand that nothing shows to be a tensor is taken for a number.
            value = {
                atom: cond
                for atom, cond in value.items()
                if not isinstance(atom, Unknown) or atom.grad == "likely" or m.known_tensor(state, atom) is not None
            }
        for oid, tensor, cond in m.tensors(state, value):
            found.append(_Input(param.name, oid, tensor, cond))
        for atom, cond in value.items():
            if isinstance(atom, int) and isinstance(box := state.heap.get(atom), Container):
                for element in (*(box.items or ()), box.rest):
                    for oid, tensor, own in m.tensors(state, element):
                        together = both(cond, own)
                        if together is not None:
                            found.append(_Input(param.name, oid, tensor, together))
    return found


def any_requires(state: State, inputs: Sequence[_Input], names: Sequence[str] | None) -> Cond | None:
    """When one of the inputs (of those parameters) requires grad."""
    found: Cond | None = None
    certain: dict[str, bool] = {}
    terms: dict[str, list[Cond]] = {}
    for item in inputs:
        if names is None or item.param in names:
            needed = requires(state, item.tensor)
            certain[item.param] = certain.get(item.param, True) and needed is not None and needed <= item.cond
            if (term := maybe_both(needed, item.cond)) is not None:
                terms.setdefault(item.param, []).append(term)
    for param, ways in terms.items():
        # Whichever element it comes from, it requires grad: that it comes from one of them is no condition.
        of_any = certain[param] and len(ways) > 1
        for term in ways:
            found = maybe_either(found, term - seats(term) if of_any else term)
    return found


def apply(m: Machine, state: State, variant: Variant, bound: Binding, call: OpCall) -> Value:
    """Do what a variant's row says with bound arguments; returns the op's value."""
    inputs = _inputs(m, state, variant, bound, call)
    enabled = None if variant.no_grad else grad_mode(state)
    differentiable = variant.differentiable or None
    wanted = maybe_both(any_requires(state, inputs, differentiable), enabled)
    wanted = wanted if wanted is None or not m.contradicts(wanted, state.path) else None
    for item in inputs:
        if item.tensor.refused and wanted is not None:
            use(m, state, item.tensor, item.cond, call.place)
    out = bound.get("out")
    out_targets = [] if out is None else m.tensors(state, out)
    if out_targets:
        _out(m, state, inputs, out_targets, call, variant)
    node = None
    if wanted is not None:
        node = _make_node(m, state, variant, bound, inputs, wanted, enabled, call)
    for name in variant.writes:
        _write(m, state, name, inputs, variant, node, wanted, enabled, call)
    for name in variant.silent_writes:
        hidden = WriteInfo(call.place, call.form, call.spelled or call.name, name, call.flag, through="statistics")
        for item in inputs:
            if item.param == name:
                bump(m, state, item.oid, item.cond, hidden, False)
    value = _outputs(m, state, variant, bound, inputs, node, wanted, call)
    if node is not None:
        _save_results(m, state, variant, value, node, inputs, enabled, call)
    _learn(m, state, variant, bound, inputs)
    if call.form == "module" and wanted is not None and variant.saves:
        kept = {row.what for row in variant.saves} - _PLACES
        m.grounds.keep((item.tensor, item.cond) for item in inputs if item.param in kept)
    if out_targets:
        return out or NOTHING
    return value


def _learn(m: Machine, state: State, variant: Variant, bound: Binding, inputs: Sequence[_Input]) -> None:
    """What has run tells of its inputs: an index is integer or boolean, and what became an array required no grad."""
    denial.by_index(m, state, bound.get("index", NOTHING))
    to_array = any(output.kind == "array" for output in variant.outputs)
    for item in inputs:
        if not to_array and not (item.param == "index" and item.tensor.assumed):
            continue
        constant = item.tensor.status.constant
        if constant and not item.cond and requires(state, item.tensor) is not None:
            path = both(state.path, constant)
            state.path = state.path if path is None else path


def _make_node(
    m: Machine,
    state: State,
    variant: Variant,
    bound: Binding,
    inputs: Sequence[_Input],
    wanted: Cond,
    enabled: Cond | None,
    call: OpCall,
) -> int:
    edges: dict[int, Cond] = {}
    differentiable = variant.differentiable
    for item in inputs:
        if differentiable and item.param not in differentiable:
            continue
        for edge, cond in edges_of(state, item.oid, item.tensor).items():
            together = both(cond, item.cond)
            if together is not None:
                add_to(edges, edge, together)
    saved: list[Saved] = []
    shapes = {item.param: item.tensor for item in inputs}
    for row in variant.saves:
        if row.what.startswith("result"):
            continue
        guard = maybe_both(any_requires(state, inputs, row.guard), enabled) if row.guard else wanted
        for item in inputs:
            if item.param != row.what:
                continue
            if row.guard == ("others",):
                guard = maybe_both(any_requires(state, [i for i in inputs if i is not item], None), enabled)
            itself = strides.kept(m, row, item.tensor, shapes, call.name, call.place, call.tag)
            if row.what in _PLACES:
                itself = maybe_both(itself, _no_number(m, item.tensor))
            when = maybe_both(maybe_both(guard, item.cond), itself)
            if when is None:
                continue
            # What the op updates behind the counter's back it does not read again in its own backward.
            own = row.what in variant.silent_writes
            saved.append(
                save(
                    m, state, item.oid, item.tensor, row.what, False, when, call.name, call.place, row.through_view, own
                )
            )
    node = Node(
        place=call.place,
        op=call.name,
        name=variant.node,
        edges=edges,
        saved=tuple(saved),
        frees=variant.frees,
        calls=m.calls,
        codes=frozenset(code.qualname + "@" + code.file for code in m.codes),
    )
    oid = m.oid(call.place[1], f"node {call.tag}")
    if wanted:
        converts = any(output.maybe == "dtype" for output in variant.outputs)
        m.grounds.compute(wanted, oid, edges, converts, _takes_fractions(variant, bound))
    return state.allocate(oid, node)


def _no_number(m: Machine, index: Tensor) -> Cond:
    """When an index is kept: an element of a tensor whose dimensions nobody knows may be a number, which is not."""
    if index.shape is not None or index.made_by != "indexing" or index.dtype == "bool":
        return TRUE
    text = "the index, taken from another tensor, has dimensions"
    return frozenset({Fact(m.question_here("rank", index.made), True, text, True)})


def _takes_fractions(variant: Variant, bound: Binding) -> bool:
    """Whether an op is used on floating-point numbers: it keeps some for its backward, or a fraction stands beside them."""
    beside = (atom.value for value in bound.values() for atom in value if isinstance(atom, Const))
    return any(row.what not in _PLACES for row in variant.saves) or any(isinstance(it, float) for it in beside)


def _write(
    m: Machine,
    state: State,
    name: str,
    inputs: Sequence[_Input],
    variant: Variant,
    node: int | None,
    wanted: Cond | None,
    enabled: Cond | None,
    call: OpCall,
) -> None:
    info = WriteInfo(
        call.place,
        call.form,
        call.spelled or call.name,
        call.target,
        call.flag,
        fills=variant.expanded_ok or call.fills,
        through=call.through,
        partial=call.partial,
    )
    # An op that returns something new writes on the side, in a no_grad of its own: `F.embedding(..., max_norm=1)`.
    on_the_side = bool(variant.outputs) and variant.outputs[0].kind == "new" and call.form != "out"
    tracked = not variant.no_grad and not on_the_side
    targets = [item for item in inputs if item.param == name]
    others = any_requires(state, [i for i in inputs if i.param != name], variant.differentiable or None)
    for item in targets:
        operand = maybe_both(others, TRUE)
        if _overlaps(m, state, item, inputs, info):
            continue
        operands = [other.tensor for other in inputs if other is not item]
        flag = call.flag if call.form == "module" else None
        m.holders.note(m, state, item.oid, call.place, call.target, operands, call.form == "item", flag)
        if not check_write(m, state, item.oid, item.cond, info, operand, tracked):
            continue
        bump(m, state, item.oid, item.cond, info, tracked)
        refuse_views(m, state, item.oid, item.cond, call.place, tracked and enabled is not None)
        if node is not None and wanted is not None and tracked and item.tensor.counters:
            if variant.expanded_ok and not call.fills and item.tensor.expanded is not None:
                needs = maybe_both(maybe_both(requires(state, item.tensor), enabled), item.cond)
                record = WriteRecord(info.place, info.form, info.op, info.target, False, info.flag, m.calls, None)
                scattered.note(state, node, item.oid, item.tensor, needs, record)
            rebase(m, state, item.oid, item.cond, node, wanted)


def _overlaps(m: Machine, state: State, target: _Input, inputs: Sequence[_Input], info: WriteInfo) -> bool:
    """Report a write whose operand lies on a part of the written memory; PyTorch refuses where both parts are dense."""
    rows = target.tensor.rows
    for item in inputs:
        other = item.tensor.rows
        if item is target or rows is None or other is None or other == rows:
            continue
        if item.tensor.storages == target.tensor.storages and rows[0] < other[1] and other[0] < rows[1]:
            write = Write(m.site(info.place), "operator", info.op, info.target)
            cond = both(item.cond, target.cond)
            if cond is not None:
                m.emit(ExpandedWritten(write, m.site(item.tensor.made), m.context(cond)), cond, state.path)
                return not cond
    return False


def _out(
    m: Machine,
    state: State,
    inputs: Sequence[_Input],
    targets: Sequence[tuple[int, Tensor, Cond]],
    call: OpCall,
    variant: Variant,
) -> None:
    info = WriteInfo(call.place, "out", call.spelled or call.name, call.target, None)
    for oid, tensor, cond in targets:
        needs = maybe_either(any_requires(state, inputs, variant.differentiable or None), requires(state, tensor))
        raising = maybe_both(maybe_both(needs, grad_mode(state)), cond)
        if raising is not None and not tensor.assumed:
            write = Write(m.site(call.place), "out", call.name, call.target)
            m.emit(OutOfGrad(write, call.name, m.context(raising)), raising, state.path)
        if check_write(m, state, oid, cond, info, None, False):
            bump(m, state, oid, cond, info, False)


def _status(wanted: Cond | None) -> Status:
    if wanted is None:
        return CONSTANT
    return Status(constant=negate(wanted), interior=wanted)


def _outputs(
    m: Machine,
    state: State,
    variant: Variant,
    bound: Binding,
    inputs: Sequence[_Input],
    node: int | None,
    wanted: Cond | None,
    call: OpCall,
) -> Value:
    values: list[Value] = []
    for number, output in enumerate(variant.outputs):
        values.append(_output(m, state, variant, bound, inputs, node, wanted, call, output, number))
    if not values:
        return {Unknown("", "no", False): TRUE}
    if len(values) == 1:
        return values[0]
    return one(state.allocate(m.oid(call.place[1], f"outputs {call.tag}"), Container("tuple", tuple(values))))


def _output(
    m: Machine,
    state: State,
    variant: Variant,
    bound: Binding,
    inputs: Sequence[_Input],
    node: int | None,
    wanted: Cond | None,
    call: OpCall,
    output: Output,
    number: int,
) -> Value:
    origin = call.place[1]
    if output.kind == "none":
        return {m.fresh(state, origin, f"{call.tag}{call.name}{number}", "no", False): TRUE}
    source = bound.get(output.of) if output.of else None
    if output.kind == "same" and output.maybe is None:
        return source if source is not None else NOTHING
    of = [item for item in inputs if item.param == output.of]
    if output.kind == "new" or not of:
        return _fresh_output(m, state, bound, inputs, node, wanted, call, output, number)
    values: list[Value] = []
    for which, item in enumerate(of):
        now = state.tensor(item.oid) or item.tensor
        joined = strides.joined(state, now, output, bound)
        yes, no = layout.keeps_memory(state, output, item.oid, now, bound, call.name, joined)
        if yes is not None:
            cond = both(yes, item.cond)
            if cond is not None:
                if output.kind == "same":
                    values.append({item.oid: cond})
                else:
                    values.append(_alias(m, state, bound, item, now, node, wanted, call, output, number, cond, which))
        if no is not None:
            cond = both(no, item.cond)
            if cond is not None:
                values.append(under(_fresh_output(m, state, bound, inputs, node, wanted, call, output, number), cond))
    return union(values)


def _fresh_output(
    m: Machine,
    state: State,
    bound: Binding,
    inputs: Sequence[_Input],
    node: int | None,
    wanted: Cond | None,
    call: OpCall,
    output: Output,
    number: int,
) -> Value:
    origin = call.place[1]
    dtype = layout.result_dtype(state, output, [i.tensor for i in inputs], bound, call.name)
    grows = wanted if output.differentiable and layout.may_require_grad(dtype) else None
    tag = f"out{number} {call.tag}"
    # A tensor made under several rows of the same call (variants, unknown flags) is one object.
    oid = m.oid(origin, tag)
    shape = layout.result_shape(state, output, inputs=[(i.param, i.tensor) for i in inputs], bound=bound)
    nodes: dict[int, Cond] = {} if node is None or grows is None else {node: grows}
    laid = strides.of_new(output, [i.tensor for i in inputs], bound)
    from_grad = frozenset[int]().union(*(i.tensor.from_grad for i in inputs)) if inputs else frozenset()
    tensor = Tensor(
        made=call.place,
        made_by=call.name,
        storages=frozenset({oid}),
        counters=frozenset({oid}),
        status=_status(grows),
        nodes=nodes,
        inference=state.mode.get(INFERENCE),
        dtype=dtype,
        shape=shape,
        layout=laid,
        contiguous=True if laid is not None and laid.dense else None if laid is None else laid.contiguous(shape),
        from_grad=from_grad,
    )
    if output.multi:
        return layout.pieces(m, state, tensor, call, tag, None, output.count)
    return one(state.allocate(oid, tensor))


def _alias(
    m: Machine,
    state: State,
    bound: Binding,
    item: _Input,
    base: Tensor,
    node: int | None,
    wanted: Cond | None,
    call: OpCall,
    output: Output,
    number: int,
    cond: Cond,
    which: int,
) -> Value:
    # Named by its position among the bases, not by the base: a view of a view in a loop gets no new name every round.
    tag = f"view{number} of {min(which, MOST_BASES)} {call.tag}"
    oid = m.oid(call.place[1], tag)
    counters = base.counters
    bases: dict[int, Cond] = {}
    marks = {}
    status = CONSTANT
    nodes: dict[int, Cond] = {}
    if output.kind == "data":
        counters = frozenset({oid})
    elif output.kind == "array":
        counters = frozenset()
    elif output.kind == "view" and output.differentiable:
        bases = dict(base.bases) or {item.oid: TRUE}
        marks = view_marks(m, state, base, call.name, call.place, output.multi_view)
        grows = maybe_both(maybe_both(requires(state, base), grad_mode(state)), TRUE)
        if layout.may_require_grad(base.dtype):
            status = _status(grows)
            nodes = {} if node is None or grows is None else {node: grows}
    laid = strides.of_view(state, base, output, bound)
    shape = layout.view_shape(state, base, output, bound)
    tensor = Tensor(
        made=call.place,
        made_by=call.name,
        storages=base.storages,
        counters=counters,
        status=status,
        region=layout.region(state, base, bound, output),
        bases=bases,
        marks=marks,
        nodes=nodes,
        expanded=None if call.name in layout.EXPAND_SOME else layout.expansion(state, base, output, bound, call.place),
        expanded_dims=layout.expanded_dims(state, base, output, bound),
        rows=layout.row_range(state, base, bound) if output.kind == "view" else None,
        inference=None if output.kind == "array" else base.inference,
        dtype=base.dtype,
        shape=shape,
        contiguous=strides.contiguous(base, output, laid, shape),
        layout=laid,
        is_array=output.kind == "array",
        from_grad=base.from_grad,
    )
    if output.multi:
        return under(layout.pieces(m, state, tensor, call, tag, bound), cond)
    if which >= MOST_BASES:
        state.put(-oid, tensor)
        return {-oid: cond}
    return {state.allocate(oid, tensor): cond}


def _save_results(
    m: Machine,
    state: State,
    variant: Variant,
    value: Value,
    node: int,
    inputs: Sequence[_Input],
    enabled: Cond | None,
    call: OpCall,
) -> None:
    added: list[Saved] = []
    for row in variant.saves:
        if not row.what.startswith("result"):
            continue
        which = row.what.removeprefix("result")
        target = value
        if len(variant.outputs) > 1 or which:
            target = _element(state, value, int(which or 0))
        guard = maybe_both(any_requires(state, inputs, row.guard or variant.differentiable or None), enabled)
        for oid, tensor, cond in m.tensors(state, target):
            together = maybe_both(guard, cond)
            if together is not None:
                # A result that the op saves is no leaf, whatever its storage belonged to before.
                saved = save(m, state, oid, tensor, row.what, True, together, call.name, call.place, row.through_view)
                added.append(replace(saved, leaf=None))
    if added:
        made = state.heap.get(node)
        if isinstance(made, Node):
            state.heap[node] = replace(made, saved=(*made.saved, *added))


def _element(state: State, value: Value, index: int) -> Value:
    found: dict[Atom, Cond] = {}
    for atom, cond in value.items():
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container):
            element = box.items[index] if box.items is not None and index < len(box.items) else contents(box)
            found.update(under(element, cond))
        elif index == 0:
            found[atom] = cond
    return found


__all__ = ["GRAD", "OpCall", "adopt", "apply", "call_op"]
