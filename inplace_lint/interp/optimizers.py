"""Optimizers: which parameters each holds, and that ``step()`` writes to those that have a gradient.

An optimizer's ``param_groups`` is what it is in PyTorch, a list of dicts with a list under ``params``, and its ``state`` a
default dict of dicts, so code that goes through the groups, adds to them, hands them to another optimizer or keeps tensors
for each parameter needs no rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inplace_lint.domain.conditions import TRUE, Cond, add_to, both
from inplace_lint.domain.objects import Container, Instance, Tensor, contents
from inplace_lint.domain.state import State
from inplace_lint.domain.values import (
    ANYTHING,
    NONE,
    NOTHING,
    Atom,
    Const,
    Sym,
    Unknown,
    Value,
    constant_of,
    one,
    under,
    union,
)
from inplace_lint.interp import calls, classes, iteration, pairing
from inplace_lint.interp.autograd import WriteInfo, bump
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.filled_grads import clear_grad
from inplace_lint.interp.keys import seats
from inplace_lint.interp.registry import CallSite, method, symbol

GROUPS = "param_groups"
BASE = ("torch.optim.Optimizer", "torch.optim.optimizer.Optimizer")
"""PyTorch's base class, by which code writes optimizers of its own."""
SEARCHES = frozenset({"torch.optim.LBFGS", "torch.optim.lbfgs.LBFGS"})
"""Optimizers whose ``step`` calls the closure again after each of their own updates (torch/optim/lbfgs.py)."""


def is_optimizer(engine: Engine, path: str) -> bool:
    """Whether an outside class is an optimizer, or the base of optimizers."""
    return path in BASE or engine.m.model.optimizer(path) is not None


def initialise(engine: Engine, state: State, oid: int, path: str, site: CallSite) -> None:
    """Make ``param_groups`` of what an optimizer is given: an iterable of parameters, or of dicts with a ``params`` key."""
    instance = state.heap.get(oid)
    given = site.argument(0, "params")
    if not isinstance(instance, Instance) or given is None:
        return
    m = engine.m
    groups, plain, exact = _sorted_out(engine, state, given, site)
    if plain or not groups:
        held = Container("list", tuple(plain)) if exact else Container("list", None, None, union(plain))
        listed = state.allocate(m.named_oid("parameters of", oid), held)
        # The group's other keys are the optimizer's settings.
        group = Container("dict", (), {"params": one(listed)}, ANYTHING)
        groups.append(one(state.allocate(m.named_oid("parameter group of", oid), group)))
    box = Container("list", tuple(groups)) if exact or plain else Container("list", None, None, union(groups))
    made = one(state.allocate(m.named_oid("parameter groups of", oid), box))
    kept = Container("dict", (), {}, default=one(Sym("builtins.dict")))
    own = one(state.allocate(m.named_oid("state of", oid), kept))
    state.put(oid, replace(instance, attrs={**instance.attrs, GROUPS: made, "state": own}))
    pairing.tell_apart(m, (parameter for parameter, _ in held_parameters(state, oid)))


def _sorted_out(engine: Engine, state: State, given: Value, site: CallSite) -> tuple[list[Value], list[Value], bool]:
    """What an optimizer is given: groups and single parameters, and whether their number is known."""
    if any(isinstance(atom, int) and isinstance(state.heap.get(atom), Tensor) for atom in given):
        return [], [given], True  # PyTorch refuses that: only a list of it will do
    inner = iteration.elements(engine, state, site.flow, given, site.place)
    groups: list[Value] = []
    plain: list[Value] = []
    for part in inner.exact if inner.exact is not None else [inner.any]:
        group: dict[Atom, Cond] = {}
        single: dict[Atom, Cond] = {}
        for atom, cond in part.items():
            box = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(box, Container) and box.kind == "dict" and isinstance(atom, int):
                _listed(engine, state, atom, site)
                group[atom] = cond
            elif isinstance(box, Container) and box.items is not None and len(box.items) == 2:
                single.update(under(box.items[1], cond))  # named_parameters()
            else:
                single[atom] = cond
        groups.extend([group] if group else [])
        plain.extend([single] if single else [])
    return groups, plain, inner.exact is not None


def _listed(engine: Engine, state: State, oid: int, site: CallSite) -> None:
    """Make the ``params`` of a group that is given as a dict a list, as PyTorch does in place."""
    box = state.heap.get(oid)
    if not isinstance(box, Container) or box.entries is None or "params" not in box.entries:
        return
    value = box.entries["params"]
    if any(isinstance(atom, int) and isinstance(state.heap.get(atom), Tensor) for atom in value):
        inner = Container("list", (value,))
    else:
        found = iteration.elements(engine, state, site.flow, value, site.place)
        exact = None if found.exact is None else tuple(found.exact)
        inner = Container("list", exact, None, NOTHING if exact is not None else found.any)
    made = one(state.allocate(engine.m.named_oid("parameters of group", oid), inner))
    # The other keys get the optimizer's defaults.
    rest = union((box.rest, ANYTHING))
    state.put(oid, Container("dict", (), {**box.entries, "params": made}, rest, box.default))


def held_parameters(state: State, oid: int) -> Iterator[tuple[int, Cond]]:
    """The parameters that an optimizer holds, each once."""
    instance = state.heap.get(oid)
    if not isinstance(instance, Instance):
        return
    held: dict[int, Cond] = {}
    for group, cond in _inside(state, instance.attrs.get(GROUPS, NOTHING), TRUE):
        box = state.heap.get(group)
        params = (box.entries or {}).get("params", NOTHING) if isinstance(box, Container) else NOTHING
        for atom, own in _inside(state, params, cond):
            if isinstance(state.heap.get(atom), Tensor):
                add_to(held, atom, own)
    yield from held.items()


def _inside(state: State, value: Value, cond: Cond) -> Iterator[tuple[int, Cond]]:
    for atom, own in value.items():
        box = state.heap.get(atom) if isinstance(atom, int) else None
        together = both(cond, own)
        if isinstance(box, Container) and together is not None:
            for inner, inmost in contents(box).items():
                last = both(together, inmost)
                if isinstance(inner, int) and last is not None:
                    yield inner, last


@method("optimizer", "step")
def step(engine: Engine, state: State, oid: int, site: CallSite) -> Value | None:
    """``step()`` writes in place, under no_grad, to every parameter whose ``.grad`` is not None."""
    engine.m.steps += 1
    closure = site.argument(0, "closure")
    result: Value = NONE
    instance = state.heap.get(oid)
    if closure is not None and set(closure) != {Const(None, "NoneType")}:
        called = calls.call_value(engine, state, site.flow, closure, [], {}, site.place)
        result = ANYTHING if called is None else called
        if isinstance(instance, Instance) and any(p in SEARCHES for p in instance_paths(state, instance)):
            _write(engine, state, oid, site)
            outer = engine.m.ctx
            engine.m.ctx = (*outer, ("again", site.place))
            calls.call_value(engine, state, site.flow, closure, [], {}, site.place)
            engine.m.ctx = outer
    _write(engine, state, oid, site)
    return result


def instance_paths(state: State, instance: Instance) -> list[str]:
    """The outside classes that an instance derives from."""
    return [atom.path for atom in classes.order(state, instance.cls) if isinstance(atom, Sym)]


def _write(engine: Engine, state: State, oid: int, site: CallSite) -> None:
    instance = state.heap.get(oid)
    fused = isinstance(instance, Instance) and constant_of(instance.config.get("fused"), False) is True
    info = WriteInfo(site.place, "step", "step", site.target, None, through="fused" if fused else None)
    for parameter, cond in list(held_parameters(state, oid)):
        met = pairing.written_with(engine.m, parameter, seats(site.given | state.path))
        write_parameter(engine, state, parameter, cond | met, info)


def write_parameter(engine: Engine, state: State, parameter: int, cond: Cond, info: WriteInfo) -> None:
    """An optimizer's write to one parameter, where that has a gradient."""
    tensor = state.tensor(parameter)
    if tensor is None:
        return
    for atom, own in (tensor.grad if tensor.grad is not None else {Unknown("", "no", False): TRUE}).items():
        if isinstance(atom, Const) and atom.value is None:
            continue
        together = both(cond, own)
        if together is not None:
            bump(engine.m, state, parameter, together, info, False)
            break


@method("optimizer", "zero_grad")
def zero_grad(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``zero_grad()``: gradients become None, unless asked to become zero."""
    if constant_of(site.argument(0, "set_to_none"), True) is not False:
        for parameter, _ in list(held_parameters(state, oid)):
            clear_grad(state, parameter)
    return NONE


@method("optimizer", "add_param_group")
def add_param_group(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """One more group of parameters."""
    instance = state.heap.get(oid)
    given = site.argument(0, "param_group")
    if not isinstance(instance, Instance) or given is None:
        return NONE
    for atom in given:
        if isinstance(atom, int) and isinstance(state.heap.get(atom), Container):
            _listed(engine, state, atom, site)
    for atom in instance.attrs.get(GROUPS, NOTHING):
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container) and isinstance(atom, int):
            if box.items is not None and not engine.m.in_fixpoint():
                state.put(atom, Container("list", (*box.items, given)))
            else:
                state.put(atom, Container("list", None, None, union((contents(box), given))))
    return NONE


@symbol("torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad_value_", "torch.nn.utils.clip_grad.clip_grad_norm_")
def clip_grad(engine: Engine, state: State, site: CallSite) -> Value:
    """Clipping writes to gradients only."""
    iteration.elements(engine, state, site.flow, site.positional[0] if site.positional else ANYTHING, site.place)
    return one(engine.m.fresh(state, site.place[1], "norm", "no"))
