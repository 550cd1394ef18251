"""Hooks of modules: functions that run around a call, and the views that a full backward hook makes of what passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from inplace_lint.domain.conditions import TRUE, Cond, Fact, both, maybe_both
from inplace_lint.domain.objects import Container, Instance, Node, Place
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NONE, NOTHING, Const, Sym, Value, constant_of, one, under, union
from inplace_lint.interp import calls, custom_functions, gradients, iteration, modules
from inplace_lint.interp.autograd import edges_of, grad_mode, requires
from inplace_lint.interp.engine import Engine, with_path
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.module_methods import module_method
from inplace_lint.interp.ops import adopt
from inplace_lint.interp.parts import DEEPEST
from inplace_lint.interp.registry import CallSite, method

BEFORE, AFTER, BACKWARD = "*hooks before", "*hooks after", "*hooks backward"
"""Attributes of a module under which its hooks are kept, in the order of registration."""
HANDLE = "torch.utils.hooks.RemovableHandle"
RESULT = -1_000_003
"""The register that keeps a module's result while its hooks run."""


def _register(kind: str) -> Callable[[Engine, State, int, CallSite], Value]:
    def register(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
        """Keep the hook; the handle takes it away again."""
        instance = state.heap.get(oid)
        m = engine.m
        if not isinstance(instance, Instance):
            return ANYTHING
        config = {
            "*hook": site.argument(0, "hook") or ANYTHING,
            "*module": one(oid),
            "*kind": {Const(kind, "str"): frozenset[object]()},
            "with_kwargs": site.named.get("with_kwargs", NONE),
        }
        made = Instance(Sym(HANDLE), {}, site.place, config)  # type: ignore[arg-type]
        handle = state.allocate(m.oid(site.place[1], f"handle {m.alternative}"), made)
        held, _ = _list(state, instance, kind)
        items = None if held.items is None or m.in_fixpoint() else (*held.items, one(handle))
        box = Container("list", items, None, NOTHING if items is not None else union((*(held.items or ()), held.rest)))
        if items is None:
            box = replace(box, rest=union((box.rest, one(handle))))
        place = state.allocate(m.named_oid(kind, oid), box)
        now = state.heap.get(oid)
        if isinstance(now, Instance):
            state.put(oid, replace(now, attrs={**now.attrs, kind: one(place)}))
        if kind == BACKWARD:
            _lend(engine, state, oid, site)
        return one(handle)

    return register


def _lend(engine: Engine, state: State, oid: int, site: CallSite) -> None:
    """Look at what a full backward hook does with the gradients that it is given."""
    side = state.copy()
    before = (site.target or "").endswith("pre_hook")
    lent = [gradients.gradients(engine, side, site.place, "hook", n) for n in range(1 if before else 2)]
    gradients.lend(engine, side, site.flow, site.argument(0, "hook") or NOTHING, [one(oid), *lent], site.place)


module_method("register_forward_pre_hook")(_register(BEFORE))
module_method("register_forward_hook")(_register(AFTER))
module_method("register_full_backward_hook", "register_full_backward_pre_hook")(_register(BACKWARD))


@module_method("register_backward_hook", "register_state_dict_pre_hook", "register_load_state_dict_post_hook")
def other_hook(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """Hooks that see gradients or state dicts and touch no tensor that passes."""
    return one(engine.m.fresh(state, site.place[1], "hook handle", "no", False))


@method(HANDLE, "remove")
def remove(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``handle.remove()``."""
    handle = state.heap.get(oid)
    if isinstance(handle, Instance):
        kind = str(constant_of(handle.config.get("*kind", NOTHING)))
        for atom in handle.config.get("*module", NOTHING):
            module = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(module, Instance):
                held, _ = _list(state, module, kind)
                for place in module.attrs.get(kind, NOTHING):
                    if isinstance(place, int) and held.items is not None and oid > 0:
                        kept = tuple(item for item in held.items if item != one(oid))
                        state.put(place, Container("list", kept))
                    elif isinstance(place, int) and held.items is None:
                        # Of handles that a loop made, a loop removes all.
                        rest = {atom: cond for atom, cond in held.rest.items() if atom != oid}
                        state.heap[place] = Container("list", None if rest else (), None, rest)
    return NONE


def _list(state: State, module: Instance, kind: str) -> tuple[Container, Cond]:
    """The hooks' handles, and when there are any."""
    for atom, cond in module.attrs.get(kind, NOTHING).items():
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container):
            return box, cond
    return Container("list", ()), TRUE


class _Hook(NamedTuple):
    """A hook, whether it is given keyword arguments too, and when it is there."""

    value: Value
    with_kwargs: bool
    cond: Cond


def _hooks(state: State, module: Instance, kind: str) -> list[_Hook]:
    """The hooks of one kind."""
    box, there = _list(state, module, kind)
    found: list[_Hook] = []
    for item in box.items if box.items is not None else (box.rest,):
        for atom, cond in item.items():
            handle = state.heap.get(atom) if isinstance(atom, int) else None
            when = both(there, cond)
            if isinstance(handle, Instance) and when is not None:
                with_kwargs = constant_of(handle.config.get("with_kwargs", NONE)) is True
                found.append(_Hook(handle.config.get("*hook", ANYTHING), with_kwargs, when))
    return found


def _where(state: State, cond: Cond, run: Callable[[State], bool]) -> bool:
    """Run something on the paths where a condition holds and nothing on the others; False where it does not return."""
    if cond <= state.path:
        return run(state)
    outer = state.path
    side = with_path(state.copy(), cond)
    if side is None:
        return True
    other: State | None = state
    if len(cond) == 1 and isinstance((fact := next(iter(cond))).value, bool):
        other = with_path(state.copy(), frozenset({Fact(fact.key, not fact.value)}))
    if not run(side):
        return False
    adopt(state, side if other is None else side.join(other))
    state.path = outer
    return True


def call(
    engine: Engine,
    state: State,
    flow: Flow,
    oid: int,
    positional: list[Value],
    named: Mapping[str, Value],
    place: Place,
    target: str | None,
    own_call: bool,
) -> Value | None:
    """Call a module with its hooks around."""
    m = engine.m
    module = state.heap.get(oid)
    assert isinstance(module, Instance)
    arguments = list(positional)
    outer = m.ctx
    for number, (hook, with_kwargs, _) in enumerate(_hooks(state, module, BEFORE)):
        m.ctx = (*outer, ("hook before", number, place))
        packed = one(state.allocate(m.oid(place[1], "hook arguments"), Container("tuple", tuple(arguments))))
        more = [one(state.allocate(m.oid(place[1], "hook keywords"), Container("dict", (), {})))] if with_kwargs else []
        answer = calls.call_value(engine, state, flow, hook, [one(oid), packed, *more], {}, place)
        if answer is None:
            return None
        arguments = _replaced_arguments(engine, state, flow, arguments, answer, place)
    m.ctx = outer
    seen = bool(_hooks(state, module, BACKWARD))
    if seen:
        arguments = [_seen(engine, state, value, place, f"input {n}") for n, value in enumerate(arguments)]
    now = state.heap.get(oid)
    now = now if isinstance(now, Instance) else module
    result = modules.call_instance(
        engine, state, flow, oid, now, arguments, named, place, target, own_call, hooked=False
    )
    if result is None:
        return None
    state.registers[-1][RESULT] = result
    for number, after in enumerate(_hooks(state, module, AFTER)):
        m.ctx = (*outer, ("hook after", number, place))

        def run(side: State, hook: _Hook = after) -> bool:
            packed = one(side.allocate(m.oid(place[1], "hook arguments"), Container("tuple", tuple(arguments))))
            given = [one(oid), packed]
            if hook.with_kwargs:
                given.append(one(side.allocate(m.oid(place[1], "hook keywords"), Container("dict", (), {}))))
            before = side.registers[-1].get(RESULT, ANYTHING)
            answer = calls.call_value(engine, side, flow, hook.value, [*given, before], {}, place)
            if answer is not None:
                side.registers[-1][RESULT] = _or_else(answer, side.registers[-1].get(RESULT, ANYTHING))
            return answer is not None

        if not _where(state, after.cond, run):
            m.ctx = outer
            return None
    m.ctx = outer
    result = state.registers[-1].pop(RESULT, ANYTHING)
    return _seen(engine, state, result, place, "output") if seen else result


def _or_else(answer: Value, otherwise: Value) -> Value:
    """A hook's answer; where it is None, or nothing is known of it, what there was before."""
    parts: list[Value] = []
    for atom, cond in answer.items():
        nothing = (isinstance(atom, Const) and atom.value is None) or not isinstance(atom, int)
        parts.append(under(otherwise, cond) if nothing else {atom: cond})
    return union(parts)


def _replaced_arguments(
    engine: Engine, state: State, flow: Flow, arguments: list[Value], answer: Value, place: Place
) -> list[Value]:
    kept = _or_else(answer, NOTHING)
    if not kept:
        return arguments
    if len(kept) == 1 and isinstance(box := state.heap.get(next(iter(kept))), Container):  # type: ignore[arg-type]
        inner = iteration.elements(engine, state, flow, kept, place)
        if box.kind == "tuple" and inner.exact is not None:
            return inner.exact
    return [kept, *arguments[1:]]


def _seen(engine: Engine, state: State, value: Value, place: Place, word: str) -> Value:
    """What passes a full backward hook: a view that a custom Function made, of every tensor that requires grad."""
    m = engine.m
    parts: list[Value] = []
    for number, (atom, cond) in enumerate(value.items()):
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if (
            isinstance(box, Container)
            and box.items is not None
            and box.kind in ("tuple", "list")
            and word.count(".") < DEEPEST
        ):
            items = tuple(_seen(engine, state, item, place, f"{word}.{n}") for n, item in enumerate(box.items))
            made = Container(box.kind, items)
            parts.append({state.allocate(m.oid(place[1], f"{word} seen by a hook"), made): cond})
            continue
        found = m.tensors(state, {atom: cond})
        if not found:
            parts.append({atom: cond})
        for oid, tensor, own in found:
            wanted: Cond | None = maybe_both(requires(state, tensor), grad_mode(state))
            if wanted is None:
                parts.append({atom: cond})
                continue
            name = "BackwardHookFunction"
            node = Node(place, "the backward hook", name, edges_of(state, oid, tensor), (), False, m.calls, frozenset())
            tag = f"{word} {min(number, 3)}"
            made_node = state.allocate(m.oid(place[1], f"hook node {tag}"), node)
            view = custom_functions.view_of(m, state, oid, tensor, made_node, wanted, place, "hook", tag)
            parts.append({view: own})
    return union(parts)
