"""What ``.grad`` holds: a tensor for each leaf, which backward fills and ``zero_grad`` takes away."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain.conditions import Cond
from inplace_lint.domain.objects import Tensor
from inplace_lint.domain.state import State
from inplace_lint.domain.values import NONE, one
from inplace_lint.interp.keys import seats
from inplace_lint.interp.machine import Machine


def grad_of(m: Machine, state: State, oid: int, tensor: Tensor) -> int:
    """The gradient of a leaf, made where there is none yet. It shares no memory with anything else."""
    grad = _number(m, state, oid, tensor)
    if grad not in state.heap:
        state.heap[grad] = Tensor(
            tensor.made,
            "grad",
            frozenset({grad}),
            frozenset({grad}),
            dtype=tensor.dtype,
            shape=tensor.shape,
            from_grad=frozenset({oid}),
        )
    return grad


def _number(m: Machine, state: State, oid: int, tensor: Tensor) -> int:
    if tensor.made_by != "grad":
        return m.named_oid("grad", oid)
    # ``d = d.grad``: a gradient is the next round's leaf, and that leaf's gradient is the one of the round after.
    own = m.of_this_round(oid)
    return own if own != oid and own not in state.heap else m.made_here("grad", oid)


def give_grad(m: Machine, state: State, oid: int, cond: Cond) -> None:
    """Fill ``.grad`` of a leaf."""
    tensor = state.tensor(oid)
    if tensor is None:
        return
    grad = grad_of(m, state, oid, tensor)
    loops = m.loops_of.get(abs(oid), ())
    if loops == m.loops[: len(loops)]:
        # One leaf in all rounds has its gradient from whichever round's loss.
        cond -= seats(cond)
    value = one(grad) if not cond or tensor.grad is None else {**tensor.grad, grad: cond}
    state.put(oid, replace(tensor, grad=value))


def clear_grad(state: State, oid: int) -> None:
    """``.grad`` becomes None (``zero_grad``)."""
    tensor = state.tensor(oid)
    if tensor is not None:
        state.put(oid, replace(tensor, grad=NONE))
