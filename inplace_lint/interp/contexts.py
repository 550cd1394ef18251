"""``with`` statements: grad modes, classes of the source with ``__enter__``, and everything else, which changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inplace_lint import ir
from inplace_lint.domain.conditions import TRUE, Cond, add_to, both
from inplace_lint.domain.objects import Container, Instance, Place, contents
from inplace_lint.domain.state import GRAD, INFERENCE, NO_GRAD, State, switched
from inplace_lint.domain.values import (
    ANYTHING,
    NONE,
    NOTHING,
    Atom,
    Sym,
    Value,
    const,
    constant_of,
    one,
    under,
    union,
)
from inplace_lint.interp import calls, instances, suspended
from inplace_lint.interp.engine import Engine, handles
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.instances import GRAD_MODES, make_outside
from inplace_lint.interp.registry import CallSite, method, symbol


def mode_of(engine: Engine, state: State, instance: Instance) -> dict[str, Cond] | None:
    """The grad mode that a context manager sets, or None where it is no grad mode."""
    path = instance.cls.path if isinstance(instance.cls, Sym) else ""
    if path == "torch.set_grad_enabled":
        flag = instance.config.get("*0", instance.config.get("mode", const(True)))
        yes, no = engine.truth(state, flag)
        mode: dict[str, Cond] = {}
        if yes is not None:
            mode[GRAD] = yes
        if no is not None:
            mode[NO_GRAD] = no
        return switched(state.mode, mode)
    if path == "torch.inference_mode":
        flag_value = constant_of(instance.config.get("*0", instance.config.get("mode", const(True))))
        # Switching inference mode off switches grad mode on (c10/core/InferenceMode.h).
        return {INFERENCE: TRUE} if flag_value is not False else {GRAD: TRUE}
    if path in GRAD_MODES:
        return switched(state.mode, {GRAD_MODES[path]: TRUE})
    return None


for _path in GRAD_MODES:

    def _manager(engine: Engine, state: State, site: CallSite, path: str = _path) -> Value:
        if site.positional and path != "torch.inference_mode":
            return instances.decorate(state, path, None, site.positional[0])
        return make_outside(engine, state, path, site)

    symbol(_path)(_manager)


@symbol("torch.set_grad_enabled", "torch._C._set_grad_enabled", "torch.autograd.grad_mode.set_grad_enabled")
def set_grad_enabled(engine: Engine, state: State, site: CallSite) -> Value:
    """``torch.set_grad_enabled(flag)``: takes effect at the call; as a context manager it restores what was before."""
    value = make_outside(engine, state, "torch.set_grad_enabled", site)
    for atom in value:
        instance = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(instance, Instance) and isinstance(atom, int):
            previous: Value = {Sym(mode): cond for mode, cond in state.mode.items()}
            if "mode" in instance.config:
                instance = replace(instance, config={**instance.config, "*0": instance.config["mode"]})
            state.heap[atom] = replace(instance, config={**instance.config, "*previous": previous})
            mode = mode_of(engine, state, instance)
            if mode:
                state.mode = mode
    return value


@symbol("torch.is_grad_enabled")
def is_grad_enabled(engine: Engine, state: State, site: CallSite) -> Value:
    """``torch.is_grad_enabled()``."""
    if set(state.mode) == {GRAD}:
        return const(True)
    return const(False) if GRAD not in state.mode else one(engine.m.fresh(state, site.place[1], "mode", "no", False))


@symbol(
    "torch.jit.is_scripting",
    "torch.jit.is_tracing",
    "torch.onnx.is_in_onnx_export",
    "torch.compiler.is_compiling",
    "torch.compiler.is_dynamo_compiling",
    "torch.compiler.is_exporting",
)
def is_captured(engine: Engine, state: State, site: CallSite) -> Value:
    """Whether the program is being captured for another runtime rather than run: what is trained runs."""
    return const(False)


@symbol("torch.is_inference_mode_enabled")
def is_inference(engine: Engine, state: State, site: CallSite) -> Value:
    """``torch.is_inference_mode_enabled()``."""
    return const(set(state.mode) == {INFERENCE})


EXIT_STACKS = ("contextlib.ExitStack", "contextlib.AsyncExitStack")


@symbol(*EXIT_STACKS)
def exit_stack(engine: Engine, state: State, site: CallSite) -> Value:
    """A stack of contexts, which ends with the ``with`` that it is used in."""
    return make_outside(engine, state, EXIT_STACKS[0], site)


@symbol("contextlib.nullcontext")
def nullcontext(engine: Engine, state: State, site: CallSite) -> Value:
    """A context that changes nothing."""
    return make_outside(engine, state, "contextlib.nullcontext", site)


@method(EXIT_STACKS[0], "enter_context", "enter_async_context")
def enter_context(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``stack.enter_context(manager)``: in force from here to the end of the stack."""
    manager = site.argument(0, "cm") or ANYTHING
    entered = enter(engine, state, site.flow, manager, site.place)
    stack = state.heap.get(oid)
    if entered.leaves is not None and isinstance(stack, Instance):
        held = union((stack.attrs.get("*entered", NOTHING), one(entered.leaves)))
        state.put(oid, replace(stack, attrs={**stack.attrs, "*entered": held}))
    return entered.result


@dataclass(slots=True)
class Entered:
    """What entering a context gave: the value of ``as``, the mode that comes back, an instance whose ``__exit__`` runs."""

    result: Value
    before: dict[str, Cond]
    leaves: int | None = None


def enter(engine: Engine, state: State, flow: Flow, manager: Value, place: Place) -> Entered:
    """Enter a context manager: its grad mode holds from now on. Of several that it may be, each holds under its facts."""
    before = dict(state.mode)
    results: list[Value] = []
    modes: dict[str, Cond] = {}
    leaves: int | None = None
    for atom, cond in manager.items():
        path = both(state.path, cond)
        if path is None:
            continue
        result, mode, left, previous = _enter_one(engine, state, flow, atom, place, len(manager) == 1)
        leaves = left if len(manager) == 1 else None
        before = before if previous is None else previous
        results.append(under(result, cond))
        for name, own in (before if mode is None else mode).items():
            together = both(own, cond)
            if together is not None:
                add_to(modes, name, together)
        if leaves is not None:
            return Entered(result, before, leaves)
    if modes:
        state.mode = modes
    return Entered(union(results) or ANYTHING, before, leaves)


def _enter_one(
    engine: Engine, state: State, flow: Flow, atom: Atom, place: Place, alone: bool
) -> tuple[Value, dict[str, Cond] | None, int | None, dict[str, Cond] | None]:
    """The value of ``as``, the grad mode that is set, an instance whose ``__exit__`` is to run, the mode to restore."""
    if atom in (Sym("torch.no_grad"), Sym("torch.enable_grad"), Sym("torch.inference_mode")):
        return NONE, None, None, None
    thing = state.heap.get(atom) if isinstance(atom, int) else None
    if isinstance(thing, Container) and isinstance(atom, int):
        # What a function decorated with contextmanager yields.
        waiting = engine.m.context_modes.get(atom)
        return contents(thing) or ANYTHING, None if waiting is None else dict(waiting), None, None
    if not isinstance(thing, Instance) or not isinstance(atom, int):
        return ANYTHING, None, None, None
    if isinstance(thing.cls, Sym):
        mode = mode_of(engine, state, thing)
        if mode is not None:
            previous = thing.config.get("*previous")
            restored = None if previous is None else {a.path: c for a, c in previous.items() if isinstance(a, Sym)}
            return NONE, mode, None, restored
        if thing.cls.path == "contextlib.nullcontext":
            return thing.config.get("*0", thing.config.get("enter_result", NONE)), None, None, None
        leaves = atom if thing.cls.path == EXIT_STACKS[0] else None
        return (ANYTHING if leaves is None else one(atom)), None, leaves, None
    if alone:
        entered = calls.special_method(engine, state, flow, atom, "__enter__", [], place)
        if entered is not None:
            return entered, None, atom, None
    return ANYTHING, None, None, None


def leave(engine: Engine, state: State, flow: Flow, entered: Entered, place: Place) -> None:
    """Leave a context in the usual way: the mode from before comes back, unless a class of the source decides that."""
    if entered.leaves is None:
        state.mode = dict(entered.before)
        return
    thing = state.heap.get(entered.leaves)
    if isinstance(thing, Instance) and isinstance(thing.cls, Sym):
        for atom in reversed(list(thing.attrs.get("*entered", NOTHING))):
            calls.special_method(engine, state, flow, atom, "__exit__", [NONE, NONE, NONE], place)
        state.mode = dict(entered.before)
        return
    calls.special_method(engine, state, flow, entered.leaves, "__exit__", [NONE, NONE, NONE], place)


@handles(ir.With)
def run_with(engine: Engine, instr: ir.With, state: State, flow: Flow) -> State | None:
    """Enter, run the body, leave: the grad mode from before comes back on every way out."""
    place = engine.m.place(instr.origin)
    manager = engine.m.consistent(state, state.registers[-1].get(instr.manager, ANYTHING))
    waiting, manager = suspended.taken_up(engine, state, flow, manager)
    if waiting is not None:

        def body(here: State, left: Flow, value: Value) -> State | None:
            here.registers[-1][instr.result] = value
            return engine.run(instr.body, here, left)

        end, broken, manager = suspended.run_through(engine, state, flow, waiting, body, True)
        if not manager:
            flow.breaks.extend(broken)
            return end
    entered = enter(engine, state, flow, manager, place)
    state.registers[-1][instr.result] = entered.result
    restores = entered.leaves is None or not _of_the_source(state, entered.leaves)
    apart = flow.apart()
    after = engine.run(instr.body, state, apart)
    for name in ("breaks", "continues", "raises"):
        for left in getattr(apart, name):
            if restores:
                left.mode = dict(entered.before)
            getattr(flow, name).append(left)
    for left, value in apart.returns:
        if restores:
            left.mode = dict(entered.before)
        flow.returns.append((left, value))
    if after is not None:
        leave(engine, after, flow, entered, place)
    return after


def _of_the_source(state: State, oid: int) -> bool:
    thing = state.heap.get(oid)
    return isinstance(thing, Instance) and isinstance(thing.cls, int)
