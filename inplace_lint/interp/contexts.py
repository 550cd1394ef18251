"""``with`` statements: grad modes, classes of the source with ``__enter__``, and everything else, which changes nothing."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint import ir
from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.objects import Container, Instance, contents
from inplace_lint.domain.state import GRAD, INFERENCE, NO_GRAD, State
from inplace_lint.domain.values import ANYTHING, NONE, Sym, Value, const, constant_of, one
from inplace_lint.interp import calls, instances
from inplace_lint.interp.engine import Engine, handles
from inplace_lint.interp.instances import GRAD_MODES, make_outside
from inplace_lint.interp.machine import Flow
from inplace_lint.interp.registry import CallSite, symbol


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
        return mode
    if path == "torch.inference_mode":
        flag_value = constant_of(instance.config.get("*0", instance.config.get("mode", const(True))))
        # Switching inference mode off switches grad mode on (c10/core/InferenceMode.h).
        return {INFERENCE: TRUE} if flag_value is not False else {GRAD: TRUE}
    if path in GRAD_MODES:
        return {GRAD_MODES[path]: TRUE}
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


@symbol("torch.is_inference_mode_enabled")
def is_inference(engine: Engine, state: State, site: CallSite) -> Value:
    """``torch.is_inference_mode_enabled()``."""
    return const(set(state.mode) == {INFERENCE})


@handles(ir.With)
def run_with(engine: Engine, instr: ir.With, state: State, flow: Flow) -> State | None:
    """Enter, run the body, leave: the grad mode from before comes back on every way out."""
    manager = state.registers[-1].get(instr.manager, ANYTHING)
    before = dict(state.mode)
    result: Value = ANYTHING
    leaves: int | None = None
    if len(manager) == 1:
        (atom,) = manager
        instance = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(instance, Instance) and isinstance(atom, int):
            mode = mode_of(engine, state, instance) if isinstance(instance.cls, Sym) else None
            if mode is not None:
                previous = instance.config.get("*previous")
                if previous is not None:
                    before = {a.path: c for a, c in previous.items() if isinstance(a, Sym)}
                state.mode = mode
                result = NONE
            elif isinstance(instance.cls, int):
                entered = calls.special_method(engine, state, flow, atom, "__enter__", [], engine.m.place(instr.origin))
                if entered is not None:
                    result = entered
                    leaves = atom
                    before = before if before else dict(state.mode)
        elif atom in (Sym("torch.no_grad"), Sym("torch.enable_grad"), Sym("torch.inference_mode")):
            result = NONE
        elif isinstance(thing := instance, Container):
            # What a function decorated with contextmanager yields.
            result = contents(thing) or ANYTHING
            waiting = engine.m.context_modes.get(atom) if isinstance(atom, int) else None
            if waiting is not None:
                state.mode = dict(waiting)
    state.registers[-1][instr.result] = result
    restores = leaves is None
    apart = flow.apart()
    after = engine.run(instr.body, state, apart)
    for name in ("breaks", "continues", "raises"):
        for left in getattr(apart, name):
            if restores:
                left.mode = dict(before)
            getattr(flow, name).append(left)
    for left, value in apart.returns:
        if restores:
            left.mode = dict(before)
        flow.returns.append((left, value))
    if after is not None:
        if restores:
            after.mode = dict(before)
        elif leaves is not None:
            calls.special_method(
                engine, after, flow, leaves, "__exit__", [NONE, NONE, NONE], engine.m.place(instr.origin)
            )
    return after
