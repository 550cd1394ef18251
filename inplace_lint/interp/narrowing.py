"""What a test tells of a name: something that is a list, or an instance of a class, is no tensor; what requires grad says so."""

from __future__ import annotations

from inplace_lint import ir
from inplace_lint.domain.conditions import Cond
from inplace_lint.domain.objects import Class, Container, Frame
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Atom, Sym, Unknown, Value
from inplace_lint.interp import classes
from inplace_lint.interp.autograd import requires
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.machine import Machine


def narrow(m: Machine, region: ir.Region, index: int, call: ir.Call, state: State, flow: Flow) -> None:
    """Where ``isinstance(x, C)`` of a local name was true, and no tensor is a ``C``, the name no longer holds the tensor
    that an unknown argument might be."""
    registers = state.registers[-1]
    if list(registers.get(call.func, ())) != [Sym("builtins.isinstance")] or len(call.args) != 2:
        return
    wanted = _classes(state, registers.get(call.args[1].reg, {}))
    if not wanted or not all(excludes_tensors(state, cls) for cls in wanted):
        return
    name, frame = _name_of(region, index, call.args[0].reg), state.heap.get(flow.frame)
    if name is None or not isinstance(frame, Frame) or name not in frame.names:
        return
    kept: dict[Atom, Cond] = {}
    for atom, cond in frame.names[name].items():
        tensor = state.tensor(atom) if isinstance(atom, int) else None
        if tensor is not None and tensor.assumed:
            tag = f"{tensor.assumed} is no tensor"
            m.note_tag(tag)
            kept[Unknown(tag, "assume", False)] = cond
        else:
            kept[atom] = cond
    state.heap[flow.frame] = Frame({**frame.names, name: kept}, frame.parent)


def narrow_by_grad(region: ir.Region, index: int, asked: ir.GetAttr, state: State, flow: Flow, positive: bool) -> None:
    """Where ``x.requires_grad`` of a local name was answered, the name holds none of the tensors that answer otherwise."""
    name, frame = _name_of(region, index, asked.obj), state.heap.get(flow.frame)
    if asked.attr != "requires_grad" or name is None or not isinstance(frame, Frame) or name not in frame.names:
        return
    kept: dict[Atom, Cond] = {}
    for atom, cond in frame.names[name].items():
        tensor = state.tensor(atom) if isinstance(atom, int) else None
        needs = None if tensor is None else requires(state, tensor)
        if tensor is None or (needs is not None if positive else needs is None or not needs <= state.path):
            kept[atom] = cond
    if kept and len(kept) < len(frame.names[name]):
        state.heap[flow.frame] = Frame({**frame.names, name: kept}, frame.parent)


def _name_of(region: ir.Region, index: int, reg: ir.Reg) -> str | None:
    """The name that a register was loaded from before an instruction."""
    found = (it.name for it in reversed(region[:index]) if isinstance(it, ir.Load) and it.dst == reg)
    return next(found, None)


def _classes(state: State, value: Value) -> list[Atom]:
    found: list[Atom] = []
    for atom in value:
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container):
            found.extend(inner for item in (box.items or ()) for inner in item)
        else:
            found.append(atom)
    return found


def excludes_tensors(state: State, cls: Atom) -> bool:
    """Whether no plain tensor is an instance of a class."""
    if isinstance(cls, Sym):
        return not cls.path.startswith("torch") and cls.path != "builtins.object"
    if isinstance(cls, int) and isinstance(state.heap.get(cls), Class):
        bases = classes.order(state, cls)
        return not any(isinstance(base, Unknown) for base in bases) and Sym("torch.Tensor") not in bases
    return False
