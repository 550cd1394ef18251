"""``torch.utils.checkpoint``: what runs inside keeps nothing; its inputs are kept, and all is computed again from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from inplace_lint.domain.conditions import Cond, both, maybe_both
from inplace_lint.domain.objects import Node, Saved
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, Value, constant_of, one
from inplace_lint.interp import calls, iteration
from inplace_lint.interp.autograd import edges_of, grad_mode, requires, save
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.graph_methods import listed_tensors
from inplace_lint.interp.registry import CallSite, symbol

SETTINGS = ("use_reentrant", "preserve_rng_state", "context_fn", "determinism_check", "debug", "early_stop")
"""Keyword arguments of ``checkpoint`` that are not handed on."""
HELD = -1_000_004
"""The register that keeps the checkpoint's node while the function runs."""
Run = Callable[[list[Value]], "Value | None"]


@symbol("torch.utils.checkpoint.checkpoint")
def checkpoint(engine: Engine, state: State, site: CallSite) -> Value | None:
    """``checkpoint(function, *args)``."""
    func = site.positional[0] if site.positional else ANYTHING
    named = {k: v for k, v in site.named.items() if k not in SETTINGS}

    def run(given: list[Value]) -> Value | None:
        return calls.call_value(engine, state, site.flow, func, given, named, site.place)

    return _checkpointed(engine, state, site, run, list(site.positional[1:]), 0)


@symbol("torch.utils.checkpoint.checkpoint_sequential")
def checkpoint_sequential(engine: Engine, state: State, site: CallSite) -> Value | None:
    """``checkpoint_sequential(functions, segments, input)``: every segment but the last is checkpointed."""
    modules = site.argument(0, "functions") or ANYTHING
    functions = iteration.elements(engine, state, site.flow, modules, site.place)
    value = site.argument(2, "input") or ANYTHING
    count = constant_of(site.argument(1, "segments"))
    steps = functions.exact
    if steps is None or not isinstance(count, int) or not 0 < count <= len(steps):
        return calls.call_value(engine, state, site.flow, modules, [value], {}, site.place)
    size = len(steps) // count
    m = engine.m
    outer = m.ctx
    starts = [n * size for n in range(count)]
    for number, start in enumerate(starts):
        last = number == count - 1
        part = steps[start:] if last else steps[start : start + size]

        def run(given: list[Value], part: list[Value] = part, start: int = start) -> Value | None:
            current: Value | None = given[0]
            for position, step in enumerate(part):
                m.ctx = (*outer, ("segment", site.place, start + position))
                if current is None:
                    return None
                current = calls.call_value(engine, state, site.flow, step, [current], {}, site.place)
            m.ctx = outer
            return current

        after = run([value]) if last else _checkpointed(engine, state, site, run, [value], number)
        m.ctx = outer
        if after is None:
            return None
        value = after
    return value


def _checkpointed(
    engine: Engine, state: State, site: CallSite, run: Run, given: list[Value], number: int
) -> Value | None:
    """Run the function, forget what it saved, and let a node of the checkpoint keep the inputs.

    With ``use_reentrant=True`` that node is a Function's own, and its backward always needs them. Without, they are looked at
    when something that was saved inside is wanted.
    """
    m = engine.m
    enabled = grad_mode(state)
    if enabled is None:
        return run(given)
    reentrant = constant_of(site.named.get("use_reentrant"), True) is not False
    inputs = [found for value in given for found in m.tensors(state, value)]
    kept = tuple(
        save(m, state, oid, tensor, f"input {n}", False, cond, "checkpoint", site.place)
        for n, (oid, tensor, cond) in enumerate(inputs)
    )
    codes = frozenset(code.qualname + "@" + code.file for code in m.codes)
    name = "CheckpointFunctionBackward" if reentrant else None
    node = state.allocate(
        m.oid(site.place[1], f"checkpoint {number}"),
        Node(site.place, "checkpoint", name, {}, kept, True, m.calls, codes),
    )
    outer = state.registers[-1].get(HELD)
    state.registers[-1][HELD] = one(node)
    value = run(given)
    if value is None:
        return None
    (node,) = (atom for atom in state.registers[-1].pop(HELD) if isinstance(atom, int))
    if outer is not None:
        state.registers[-1][HELD] = outer
    saved_inside = _forget(engine, state, site, node)
    if reentrant or saved_inside:
        _put_on_top(engine, state, site, value, node, enabled)
    return value


def _forget(engine: Engine, state: State, site: CallSite, checkpoint_node: int) -> bool:
    """Take away what the nodes made inside have saved, but for what was overwritten inside; whether there was any."""
    m = engine.m
    inside = (*m.calls, site.place)
    found = False
    for oid, node in list(state.heap.items()):
        if not isinstance(node, Node) or oid == checkpoint_node or not node.saved or node.op == "checkpoint":
            continue
        if node.calls[: len(inside)] != inside and not (node.place == site.place and node.calls == m.calls):
            continue
        found = True
        left = tuple(s for s in node.saved if s.writes or s.silent)
        state.heap[oid] = replace(node, saved=left)
    return found


def _put_on_top(engine: Engine, state: State, site: CallSite, value: Value, node: int, enabled: Cond) -> None:
    """The results come from the checkpoint's node, and that one from the nodes inside."""
    made = state.heap.get(node)
    if not isinstance(made, Node):
        return
    edges: dict[int, Cond] = dict(made.edges)
    for oid, cond in listed_tensors(engine, state, value, site):
        tensor = state.tensor(oid)
        if tensor is None:
            continue
        wanted = maybe_both(maybe_both(requires(state, tensor), enabled), cond)
        if wanted is None or tensor.status.interior is None:
            continue
        edges.update(edges_of(state, oid, tensor))
        state.put(oid, replace(tensor, nodes={node: wanted}))
    saved: list[Saved] = []
    for kept in made.saved:
        together = both(kept.cond, enabled)
        if together is not None:
            saved.append(replace(kept, cond=together))
    state.heap[node] = replace(made, edges=edges, saved=tuple(saved))
