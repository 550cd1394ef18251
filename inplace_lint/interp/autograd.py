"""Autograd's own bookkeeping over the abstract state: who requires grad, writes and their checks, the graph, backward.

The order of checks at a write follows ``check_inplace`` in PyTorch's ``torch/csrc/autograd/VariableTypeUtils.h``: a view
that must not be rebased, a view of a leaf, a leaf; then the version counter is bumped and the graph is rebased.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from typing import cast

from inplace_lint.domain.conditions import (
    TRUE,
    Cond,
    Fact,
    add_alternative,
    add_to,
    both,
    decisive_texts,
    maybe_both,
    maybe_either,
    negate,
    opposite,
)
from inplace_lint.domain.heap import Effort
from inplace_lint.domain.objects import Node, Place, Saved, Status, Tensor, ViewMark, WriteRecord, nodes_of
from inplace_lint.domain.state import GRAD, INFERENCE, State
from inplace_lint.events import (
    BadViewWritten,
    ExpandedWritten,
    GradientWritten,
    InferenceTensorUsed,
    LeafWritten,
    SavedOverwritten,
    SecondBackward,
    Write,
    WriteForm,
)
from inplace_lint.interp import scattered
from inplace_lint.interp.filled_grads import give_grad
from inplace_lint.interp.keys import EITHER, doubtful, modules_of_now
from inplace_lint.interp.machine import Machine

SHARED = "another operation is given the same gradient"
"""The assumption under which a write to a lent gradient does harm."""


@dataclass(frozen=True, slots=True)
class WriteInfo:
    """How a write is spelled, for events. ``fills``: it may go to expanded memory. ``through``: hidden from counters.
    ``partial``: an index picks a part of the target, so a view of it is what is written."""

    place: Place
    form: str
    op: str
    target: str | None = None
    flag: Place | None = None
    fills: bool = False
    through: str | None = None
    partial: bool = False


def grad_mode(state: State) -> Cond | None:
    """When grad mode is enabled; None where it never is."""
    return state.mode.get(GRAD)


def requires(state: State, tensor: Tensor) -> Cond | None:
    """When a tensor requires grad, its own status or that of the base that it views."""
    own = tensor.status.requires_grad
    for base, cond in tensor.bases.items():
        viewed = state.tensor(base)
        if viewed is not None:
            own = maybe_either(own, maybe_both(viewed.status.requires_grad, cond))
    return own


def edges_of(state: State, oid: int, tensor: Tensor) -> dict[int, Cond]:
    """The graph nodes (or leaves) that gradients for a tensor flow to."""
    edges: dict[int, Cond] = {}
    if tensor.status.leaf is not None:
        edges[oid] = tensor.status.leaf
    for node, cond in nodes_of(tensor):
        add_to(edges, node, cond)
    if tensor.status.leaf is None and tensor.status.interior is None:
        for base, cond in tensor.bases.items():
            viewed = state.tensor(base)
            if viewed is not None:
                for node, own in edges_of(state, base, viewed).items():
                    together = both(own, cond)
                    if together is not None:
                        add_to(edges, node, together)
    return edges


def use(m: Machine, state: State, tensor: Tensor, cond: Cond, place: Place) -> None:
    """A tensor takes part in a recorded op: a view whose base was written although that is refused raises now."""
    for (mark, written), own in tensor.refused.items():
        together = maybe_both(maybe_both(both(own, cond), grad_mode(state)), requires(state, tensor))
        if together is not None and not m.contradicts(together, state.path):
            write = Write(m.site(written), "method", "in-place write of the base")
            event = BadViewWritten(
                write,
                mark.kind,  # type: ignore[arg-type]
                m.site(mark.place),
                mark.op,
                m.site(place),
                m.context(together),
            )
            m.emit(event, together, state.path)
            _past(state, together)


def _past(state: State, raised: Cond) -> None:
    """Behind what raises under an assumption it does not hold: later writes to the same pieces are no news."""
    assumed = frozenset(fact for fact in raised if fact.decisive)
    left = negate(assumed) if len(assumed) == 1 else None
    if left:
        state.path = both(state.path, left) or state.path


def check_write(
    m: Machine, state: State, oid: int, cond: Cond, info: WriteInfo, operand: Cond | None, tracked: bool
) -> bool:
    """Report what makes PyTorch refuse a write; False where it refuses for certain.

    operand: when another operand requires grad. tracked: the op itself does not run under no_grad.
    """
    tensor = state.tensor(oid)
    if tensor is None:
        return True
    event_write = Write(
        m.site(info.place),
        cast(WriteForm, info.form),
        info.op,
        info.target,
        not tracked or grad_mode(state) is None,
        None if info.flag is None else m.site(info.flag),
    )
    certain = False
    for storage in tensor.storages:
        lent = m.lent.get(abs(storage))
        if lent is not None:
            by, given = lent
            shared = both(cond, frozenset({Fact(f"shared {abs(storage)}", True, SHARED, True)}))
            if shared is not None:
                m.emit(GradientWritten(event_write, by, m.site(given), m.context(shared)), shared)  # type: ignore[arg-type]
    if tensor.expanded is not None and not info.fills:
        grown = cond | scattered.grown(tensor)
        context = replace(m.context(grown), grows=tensor.expanded_dims is not None)
        m.emit(ExpandedWritten(event_write, m.site(tensor.expanded), context), grown, state.path)
        certain = certain or not grown
    normal = maybe_either(state.mode.get(GRAD), state.mode.get("no_grad"))
    inside = maybe_both(maybe_both(tensor.inference, normal), cond)
    if inside is not None:
        used = InferenceTensorUsed(event_write.site, m.site(tensor.made), None, event_write, m.context(inside))
        m.emit(used, inside, state.path)
        certain = certain or not inside
    if not tracked:
        return not certain
    wanted = maybe_either(requires(state, tensor), operand)
    enabled = maybe_both(maybe_both(wanted, grad_mode(state)), cond)
    if enabled is None or m.contradicts(enabled, state.path):
        return not certain
    for mark, own in tensor.marks.items():
        together = both(enabled, own)
        if together is not None:
            event = BadViewWritten(event_write, mark.kind, m.site(mark.place), mark.op, None, m.context(together))  # type: ignore[arg-type]
            m.emit(event, together, state.path)
            _past(state, together)
            certain = certain or not together
    if tensor.marks:
        return not certain
    for base, own in tensor.bases.items():
        viewed = state.tensor(base)
        if viewed is None:
            continue
        together = maybe_both(maybe_both(_leaf(m, base, viewed), own), enabled)
        if together is not None:
            where = m.origin(viewed)
            event_view = LeafWritten(event_write, True, where, m.site(tensor.made), tensor.made_by, m.context(together))
            m.emit(event_view, together, state.path)
            certain = certain or not together
    together = maybe_both(_leaf(m, oid, tensor), enabled)
    if together is not None and not tensor.bases:
        where = m.origin(tensor)
        m.emit(LeafWritten(event_write, info.partial, where, None, None, m.context(together)), together, state.path)
        certain = certain or not together
    return not certain


def _leaf(m: Machine, oid: int, tensor: Tensor) -> Cond | None:
    """When a tensor is a leaf that requires grad; an unknown network may be frozen, so that takes an assumption."""
    network = m.stands_for(oid) if tensor.parameter and tensor.status.leaf is not None else None
    if network is None:
        return tensor.status.leaf
    word = f"the parameters of {m.describe(network)} require grad"
    return maybe_both(tensor.status.leaf, frozenset({Fact(f"parameters of {network}", True, word, True)}))


def overlap(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two regions of a storage can share an element. Indices of different sign may name the same one."""
    return all(x == y or (x < 0) != (y < 0) for x, y in zip(a, b, strict=False))


def meeting(m: Machine, state: State, cond: Cond) -> Callable[[Saved], bool]:
    """Whether a write under a condition may come to what was saved, as things stand in this round of all loops."""
    members = modules_of_now(state.path)

    def meets(saved: Saved) -> bool:
        if m.contradicts(cond, saved.cond):
            return False  # later rounds forget what both rest on
        # Saved in an earlier round; the order of these modules is lost, so this one may never follow.
        return not any(
            now not in saved.cond and any(f.key.startswith(ever) for f in saved.cond) for now, ever in members
        )

    return meets


def bump(m: Machine, state: State, oid: int, cond: Cond, info: WriteInfo, tracked: bool) -> None:
    """A write happened: every saved tensor on the counter learns of it, others on the storage become silently wrong."""
    tensor = state.tensor(oid)
    if tensor is None:
        return
    hidden = info.through or ("untracked" if tensor.is_array else None)
    record = WriteRecord(
        info.place, info.form, info.op, info.target, not tracked or grad_mode(state) is None, info.flag, m.calls, hidden
    )
    path_cond = cond
    meets = meeting(m, state, cond)

    def mark(saved: Saved) -> Saved | None:
        if not meets(saved):
            return None
        if info.through is None and saved.counters & tensor.counters:
            writes = dict(saved.writes)
            add_to(writes, record, path_cond)
            return replace(saved, writes=writes)
        if info.through == "statistics" and saved.statistics:
            return None
        if not overlap(saved.region, tensor.region):
            return None
        silent = dict(saved.silent)
        way = "attribute" if saved.attribute else "data" if tensor.counters else "numpy"
        hidden_record = record._replace(through=record.through or way)
        add_to(silent, hidden_record, path_cond)
        return replace(saved, silent=silent)

    state.record_write(tensor.storages, mark)


def rebase(m: Machine, state: State, oid: int, cond: Cond, node: int, wanted: Cond) -> None:
    """A tracked write made ``node``: the written tensor, its base and every view of that now come from it."""
    tensor = state.tensor(oid)
    if tensor is None:
        return
    together = both(cond, wanted)
    if together is None:
        return
    group = set(tensor.bases) or {oid}
    for key in state.heap.users(group) | group | {oid}:
        obj = state.tensor(key)
        if obj is None or (key != oid and key not in group and group.isdisjoint(obj.bases)):
            continue
        if not together and key > 0 and len(group) == 1:
            changed = replace(obj, status=Status(interior=TRUE), nodes={node: TRUE})
        else:
            nodes = dict(obj.nodes)
            add_to(nodes, node, together)
            status = Status(obj.status.constant, obj.status.leaf, maybe_either(obj.status.interior, together))
            changed = replace(obj, nodes=nodes, status=status)
        state.put(key, changed)


def refuse_views(m: Machine, state: State, oid: int, cond: Cond, place: Place, tracked: bool) -> None:
    """The version of a counter moved: views on it that must not be rebased raise when they are used next in grad mode."""
    tensor = state.tensor(oid)
    if tensor is None:
        return
    for key in state.heap.users(tensor.counters):
        obj = state.tensor(key)
        if obj is None or not obj.marks or not obj.bases or not tensor.counters & obj.counters:
            continue
        if key == oid and tracked:
            continue
        refused = dict(obj.refused)
        for mark, own in obj.marks.items():
            together = both(cond, own)
            if together is not None:
                add_to(refused, (mark, place), together)
        state.put(key, replace(obj, refused=refused))


def save(
    m: Machine,
    state: State,
    oid: int,
    tensor: Tensor,
    role: str,
    is_result: bool,
    cond: Cond,
    op: str,
    place: Place,
    through_view: bool = False,
    statistics: bool = False,
) -> Saved:
    """A node keeps a tensor for its backward, at its version now."""
    inside = maybe_both(tensor.inference, cond)
    if inside is not None:
        event = InferenceTensorUsed(m.site(place), m.site(tensor.made), op, None, m.context(inside))
        m.emit(event, inside, state.path)
    return Saved(
        role=role,
        is_result=is_result,
        tensor=oid,
        storages=tensor.storages,
        counters=tensor.counters,
        region=tensor.region,
        cond=cond,
        leaf=tensor.status.leaf,
        through_view=through_view,
        statistics=statistics,
    )


Reached = dict[int, tuple[Cond, ...]]
"""What a backward passes, each with the alternative conditions under which it does."""


def reach(state: State, roots: Iterable[tuple[int, Cond]], end: Container[int] = ()) -> Reached:
    """Everything that a backward from ``roots`` passes: nodes and leaves, none past ``end``."""
    reached: Reached = {}
    todo: list[tuple[int, Cond]] = []
    for oid, cond in roots:
        tensor = state.tensor(oid)
        if tensor is None:
            continue
        for edge, own in edges_of(state, oid, tensor).items():
            together = both(own, cond)
            if together is not None:
                todo.append((edge, together))
    while todo:
        key, cond = todo.pop()
        known = reached.get(key, ())
        wider = add_alternative(known, cond)
        if wider == known:
            continue
        reached[key] = wider
        node = state.heap.get(key)
        if isinstance(node, Node) and key not in end:
            Effort.passed += len(node.edges) * len(wider)
            for edge, own in node.edges.items():
                for new in wider:
                    together = both(own, new)
                    if new not in known and together is not None:
                        todo.append((edge, together))
    return reached


def leading_to(state: State, reached: Reached, targets: set[int]) -> Reached:
    """Those of the reached nodes from which gradients flow on to one of ``targets`` (``inputs=``)."""
    leads: set[int] = set(targets)
    changed = True
    while changed:
        changed = False
        for key in reached:
            node = state.heap.get(key)
            if key not in leads and isinstance(node, Node) and any(edge in leads for edge in node.edges):
                leads.add(key)
                changed = True
    return {key: cond for key, cond in reached.items() if key in leads and key not in targets}


def backward(
    m: Machine,
    state: State,
    roots: list[tuple[int, Cond]],
    place: Place | None,
    keep: Cond | None,
    inputs: list[int] | None = None,
    accumulate: bool = True,
    single: bool = False,
) -> Reached:
    """Run backward from ``roots``: report stale saves and freed graphs, free the graph, fill ``.grad`` of leaves.

    place: the call, or None where the program returns its result to be trained. keep: when the graph is retained.
    inputs: tensors past which it does not go. single: they are what one tensor may be. Returns what was passed.
    """
    given = TRUE
    if place is not None:
        # Who calls backward on something knows that it requires grad, and so that it is floating-point.
        m.grounds.differentiate(state.tensor(oid) for oid, _ in roots)
        given = _given(m, state, roots)
    if inputs is not None:
        targets: set[int] = set()
        stop: set[int] = set()
        for oid in inputs:
            tensor = state.tensor(oid)
            if tensor is None:
                continue
            targets.add(oid)
            stop.update(tensor.nodes)
        # Past one input lies nothing that backward needs; of several, one may come from another.
        reached = reach(state, roots, stop if single else ())
        passed = leading_to(state, reached, targets | stop)
    else:
        passed = reach(state, roots)
    # The engine runs the latest nodes first; the first stale one raises, so that one is the write's story.
    told: dict[tuple[Place, bool, Cond], int] = {}
    for key, alternatives in sorted(passed.items(), key=lambda item: (item[0] < 0, -abs(item[0]))):
        node = state.heap.get(key)
        if isinstance(node, Node):
            m.trained |= node.codes
            for cond in alternatives:
                _check_saved(m, state, key, node, cond, place, told, given)
            for saved in node.saved:
                if saved.own:
                    _write_own(state, saved)
    if place is None:
        return passed
    m.backwards += 1
    _check_freed(m, state, passed, place)
    for key, alternatives in passed.items():
        passed_by = state.heap.get(key)
        always = frozenset.intersection(*alternatives)
        if isinstance(passed_by, Node):
            freed_when = always if keep is None else maybe_both(always, opposite(keep))
            if freed_when is not None:
                freed = dict(passed_by.freed)
                add_to(freed, place, freed_when)
                state.put(key, replace(passed_by, freed=freed))
        elif isinstance(passed_by, Tensor) and accumulate and inputs is None:
            give_grad(m, state, key, always)
    if accumulate and inputs is not None:
        for oid in inputs:
            give_grad(m, state, oid, TRUE)
    if accumulate:
        _fill_retained(m, state, passed)
    return passed


def _given(m: Machine, state: State, roots: list[tuple[int, Cond]]) -> Cond:
    """What has to hold for the one tensor that backward is called on to require grad: without it, backward raises as well."""
    (root,) = roots if len(roots) == 1 else (None,)
    tensor = None if root is None or root[1] else state.tensor(root[0])
    return TRUE if tensor is None else m.grounds.of_grad(tensor.status.interior or TRUE)


def _write_own(state: State, saved: Saved) -> None:
    """A custom Function's backward has run, and written to what it had saved."""

    def mark(other: Saved) -> Saved | None:
        if not other.counters & saved.counters:
            return None
        return replace(other, writes={**other.writes, **saved.own})

    state.record_write(saved.storages, mark)


def _fill_retained(m: Machine, state: State, passed: Reached) -> None:
    for key in state.heap.users(passed.keys()):
        obj = state.tensor(key)
        if obj is not None and obj.retains and any(node in passed for node in obj.nodes):
            give_grad(m, state, key, TRUE)


def _check_saved(
    m: Machine,
    state: State,
    key: int,
    node: Node,
    cond: Cond,
    place: Place | None,
    told: dict[tuple[Place, bool, Cond], int],
    given: Cond,
) -> None:
    """given: what has to hold for backward to be called at all."""
    if node.frees and any(both(cond, own) is not None for own in node.freed.values()):
        return  # nothing is saved any more: that it was freed is what backward will say
    for saved in node.saved:
        live = both(cond, saved.cond)
        if live is None:
            continue
        for seen, record in ((True, saved.writes), (False, saved.silent)):
            reported: list[Cond] = []
            for write, own in record.items():
                if seen and saved.leaf is None and any(earlier <= own for earlier in reported):
                    continue  # whenever this one happens an earlier one did, and mending that makes another tensor of it
                together = both(live, own)
                if together is None or m.contradicts(together, state.path) or doubtful(together):
                    continue
                if not seen and saved.leaf is not None and any(word in (node.name or "") for word in _LINEAR):
                    together = maybe_both(together, _felt(state, node, saved))
                    if together is None or m.contradicts(together, state.path):
                        continue
                hidden = None if seen else write.through or "untracked"
                weight = len(decisive_texts(together)) + m.grounds.hopes(together)
                # Which of two networks an unknown optimizer holds is told apart, to see whether it matters.
                chosen = frozenset(fact for fact in together if fact.key.startswith(EITHER))
                if told.get((write.place, seen, chosen), weight + 1) <= weight:
                    reported.append(own)
                    continue
                reported.append(own)
                told[(write.place, seen, chosen)] = weight
                if saved.scattered is not None:
                    told_of = scattered.event(m, saved, _as_event(m, write), write, place, together)
                    m.emit(told_of, together, state.path)
                    continue
                parameter = saved.leaf is not None
                held = state.tensor(saved.tensor)
                event = SavedOverwritten(
                    write=_as_event(m, write),
                    save_site=m.site(node.place),
                    saved_by=node.op,
                    what="result" if saved.is_result else "input",
                    node=node.name,
                    parameter=parameter,
                    through=hidden,  # type: ignore[arg-type]
                    backward_site=None if place is None else m.site(place),
                    in_loop=key < 0,
                    context=m.context(together - given, write.calls),
                    shape=None if held is None else held.shape,
                    interior=held is None or (held.status.interior is not None and not held.assumed),
                )
                m.emit(event, together, state.path)


_LINEAR = ("Convolution", "BatchNorm", "LayerNorm", "GroupNorm")
"""Nodes that keep a weight whatever needs grad, and use it for the gradient of their input alone."""


def _felt(state: State, node: Node, saved: Saved) -> Cond | None:
    """When a gradient is computed from a weight that such a node saved: when its input requires grad. None where it never is."""
    felt: Cond | None = None
    for target, cond in node.edges.items():
        leaf = state.tensor(target)
        if target != saved.tensor and (leaf is None or leaf.made_by not in ("weight", "bias")):
            felt = maybe_either(felt, cond)
    return felt


def _as_event(m: Machine, write: WriteRecord) -> Write:
    return Write(
        m.site(write.place),
        cast(WriteForm, write.form),
        write.op,
        write.target,
        write.in_no_grad,
        None if write.flag is None else m.site(write.flag),
    )


def _check_freed(m: Machine, state: State, passed: Reached, place: Place) -> None:
    """Report the first shared node that an earlier backward freed, once a pair of backward calls."""
    told: set[Place] = set()
    for key, alternatives in sorted(passed.items(), key=lambda item: abs(item[0])):
        node = state.heap.get(key)
        if not isinstance(node, Node) or not node.frees:
            continue
        for (file, origin), own in node.freed.items():
            first = (file, abs(origin))
            possible = [c for cond in alternatives if (c := both(cond, own)) is not None]
            together = min(possible, key=lambda c: (len(decisive_texts(c)), len(c))) if possible else None
            if first in told or key in m.told or together is None or m.contradicts(together, state.path):
                continue
            told.add(first)
            event = SecondBackward(
                m.site(place), m.site(first), m.site(node.place), node.op, first == place, m.context(together)
            )
            m.emit(event, together, state.path)
    if told and not m.muted:
        # Later backwards through the same freed graph are consequences of the one that was told.
        m.told.update(passed)


def view_marks(m: Machine, state: State, base: Tensor, op: str, place: Place, several: bool) -> dict[ViewMark, Cond]:
    """The marks of a new view: its base's, and those of the mode and the op that make it."""
    marks = dict(base.marks)
    if several:
        add_to(marks, ViewMark("multi", place, op), TRUE)
    for mode, cond in state.mode.items():
        if mode != GRAD:
            add_to(marks, ViewMark("inference" if mode == INFERENCE else "no_grad", place, op), cond)
    return marks
