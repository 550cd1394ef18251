"""Optimizers: which parameters each holds, and that ``step()`` writes to those that have a gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inplace_lint.domain.conditions import TRUE, Cond, both
from inplace_lint.domain.objects import Container, Instance, Tensor, contents
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NONE, Const, Unknown, Value, constant_of, one, union
from inplace_lint.interp import calls, iteration
from inplace_lint.interp.autograd import WriteInfo, bump, clear_grad
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.registry import CallSite, method, symbol


def initialise(engine: Engine, state: State, oid: int, path: str, site: CallSite) -> None:
    """Collect the parameters that an optimizer is given: an iterable, or groups with a ``params`` key."""
    instance = state.heap.get(oid)
    given = site.argument(0, "params")
    if not isinstance(instance, Instance) or given is None:
        return
    held = union([_flatten(engine, state, given, site, 0)])
    state.put(oid, replace(instance, attrs={**instance.attrs, "*params": held}))


def _flatten(engine: Engine, state: State, value: Value, site: CallSite, depth: int) -> Value:
    found: list[Value] = []
    for atom, cond in value.items():
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(thing, Tensor):
            found.append({atom: cond})
        elif isinstance(thing, Container) and depth < 4:
            if thing.kind == "dict":
                inner = (thing.entries or {}).get("params", thing.rest)
                found.append(_flatten(engine, state, inner, site, depth + 1))
            else:
                found.append(_flatten(engine, state, contents(thing), site, depth + 1))
    return union(found)


def held_parameters(state: State, oid: int) -> Iterator[tuple[int, Cond]]:
    """The parameters that an optimizer holds."""
    instance = state.heap.get(oid)
    if isinstance(instance, Instance):
        for atom, cond in instance.attrs.get("*params", {}).items():
            if isinstance(atom, int):
                yield atom, cond


@method("optimizer", "step")
def step(engine: Engine, state: State, oid: int, site: CallSite) -> Value | None:
    """``step()`` writes in place, under no_grad, to every parameter whose ``.grad`` is not None."""
    closure = site.argument(0, "closure")
    result: Value = NONE
    if closure is not None and set(closure) != {Const(None, "NoneType")}:
        called = calls.call_value(engine, state, site.flow, closure, [], {}, site.place)
        result = ANYTHING if called is None else called
    instance = state.heap.get(oid)
    fused = isinstance(instance, Instance) and constant_of(instance.config.get("fused"), False) is True
    info = WriteInfo(site.place, "step", "step", site.target, None, through="fused" if fused else None)
    for parameter, cond in held_parameters(state, oid):
        tensor = state.tensor(parameter)
        if tensor is None:
            continue
        for atom, own in (tensor.grad if tensor.grad is not None else {Unknown("", "no", False): TRUE}).items():
            if isinstance(atom, Const) and atom.value is None:
                continue
            together = both(cond, own)
            if together is not None:
                bump(engine.m, state, parameter, together, info, False)
                break
    return result


@method("optimizer", "zero_grad")
def zero_grad(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``zero_grad()``: gradients become None, unless asked to become zero."""
    if constant_of(site.argument(0, "set_to_none"), True) is not False:
        for parameter, _ in held_parameters(state, oid):
            clear_grad(state, parameter)
    return NONE


@method("optimizer", "add_param_group")
def add_param_group(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """More parameters."""
    instance = state.heap.get(oid)
    given = site.argument(0, "param_group")
    if isinstance(instance, Instance) and given is not None:
        held = union((instance.attrs.get("*params", {}), _flatten(engine, state, given, site, 0)))
        state.put(oid, replace(instance, attrs={**instance.attrs, "*params": held}))
    return NONE


@symbol("torch.amp.GradScaler", "torch.cuda.amp.GradScaler", "torch.amp.grad_scaler.GradScaler")
def grad_scaler(engine: Engine, state: State, site: CallSite) -> Value:
    """A GradScaler: ``scale`` multiplies the loss, ``step`` steps the optimizer."""
    from inplace_lint.interp import instances

    return instances.make_outside(engine, state, "torch.amp.GradScaler", site)


@method("torch.amp.GradScaler", "scale")
def scale(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``scaler.scale(loss)``: a product with a constant; what matters is the same graph below it."""
    return site.argument(0, "outputs") or ANYTHING


@method("torch.amp.GradScaler", "step")
def scaler_step(engine: Engine, state: State, oid: int, site: CallSite) -> Value | None:
    """``scaler.step(optimizer)``."""
    optimizer = site.argument(0, "optimizer") or ANYTHING
    rest = CallSite(site.place, site.flow, site.positional[1:], {}, site.target)
    for atom in optimizer:
        if isinstance(atom, int) and isinstance(state.heap.get(atom), Instance):
            step(engine, state, atom, rest)
    return NONE


@method("torch.amp.GradScaler", "update", "unscale_")
def scaler_rest(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """The scaler's own bookkeeping."""
    return NONE


@symbol("torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad_value_", "torch.nn.utils.clip_grad.clip_grad_norm_")
def clip_grad(engine: Engine, state: State, site: CallSite) -> Value:
    """Clipping writes to gradients only."""
    iteration.elements(engine, state, site.flow, site.positional[0] if site.positional else ANYTHING, site.place)
    return one(engine.m.fresh(state, site.place[1], "norm", "no"))
