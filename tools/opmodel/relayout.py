"""Runs a call again with one input laid out otherwise in memory: is the input itself kept, or a copy, and how do results lie?

What PyTorch's samples give is dense nearly always. Views are not: a transposed tensor, a slice, one that is expanded. An op that
puts dimensions together, or asks for contiguous memory, then works on a copy of such an input, which no later write can reach.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from inplace_lint.domain.layouts import Layout, of_strides
from tools.opmodel.running import Call, CallError, Run, Values, map_tensors, tensors_in

ALL_ORDERS_UP_TO = 3
FEW_ORDERS = ((0, 1, 3, 2), (0, 2, 1, 3), (1, 0, 2, 3), (0, 2, 3, 1), (2, 3, 0, 1), (3, 0, 1, 2), (0, 3, 1, 2))
"""Of four dimensions: neighbours swapped, channels last and back, halves swapped, the last one outermost."""
MOST_OWN = 16
"""Inputs of a module, its own tensors among them, with which those are laid out otherwise, too."""
ELEMENTS = 2
"""Elements of a list that are laid out otherwise."""


@dataclass(frozen=True)
class Kept:
    """Whether a call kept an input that lay so. ranks: how many dimensions each tensor of the call has.

    causes: the parameters that, requiring grad alone, caused it.
    """

    what: str
    layout: Layout
    kept: bool
    ranks: Mapping[str, int]
    causes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Lying:
    """How an output lies. dense_inputs: so do all inputs. follows: as the first input of its shape lies, without gaps; None where
    there is none."""

    dense_inputs: bool
    follows: bool | None
    layout: Layout


@dataclass(frozen=True)
class Relaid:
    """What running a call with inputs laid out in several ways has shown: of inputs, and of outputs by their number."""

    kept: tuple[Kept, ...] = ()
    outputs: Mapping[int, tuple[Lying, ...]] = field(default_factory=dict)


NOTHING_RELAID = Relaid()


def strides_of(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The strides to try for a tensor of that shape, dense ones left out."""
    rank = len(shape)
    dims = tuple(range(rank))
    orders: Iterator[tuple[int, ...]]
    if rank <= ALL_ORDERS_UP_TO:
        orders = itertools.permutations(dims)
    elif rank == len(FEW_ORDERS[0]):
        orders = iter(FEW_ORDERS)
    else:
        orders = iter(((*dims[:-2], rank - 1, rank - 2), (1, 0, *dims[2:]), (0, *dims[2:], 1)))
    dense = _strides(shape, dims)
    found = [_strides(shape, order) for order in orders]
    found += [_strides(shape, dims, gap=dim) for dim in dims[1:]]
    found.append(tuple(2 * stride for stride in dense))
    for dim in dims:
        one = _strides([1 if at == dim else size for at, size in enumerate(shape)], dims)
        found.append((*one[:dim], 0, *one[dim + 1 :]))
    for strides in dict.fromkeys(found):
        if any(a != b for a, b, size in zip(strides, dense, shape, strict=True) if size > 1):
            yield strides


def _strides(shape: Sequence[int], order: Sequence[int], gap: int | None = None) -> tuple[int, ...]:
    found = [0] * len(shape)
    step = 1
    for dim in reversed(order):
        found[dim] = step
        step *= max(shape[dim], 1) + (gap == dim)
    return tuple(found)


def _memory(tensor: torch.Tensor, strides: Sequence[int]) -> torch.Tensor:
    """Memory in which a tensor of those strides has the values of ``tensor``, as far as its elements have places of their own."""
    source = tensor.detach()
    for dim, stride in enumerate(strides):
        if stride == 0:
            source = source.narrow(dim, 0, 1)
    size = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, strides, strict=True))
    memory = torch.zeros(size, dtype=tensor.dtype)
    memory.as_strided(source.shape, strides).copy_(source)
    return memory


def _laid(call: Call, values: Values, name: str, index: int, strides: Sequence[int]) -> tuple[Call, Values]:
    """The same call with one tensor laid out so: its memory is what the parameter is given, and is viewed within the call."""
    shape = tensors_in(values[name])[index].shape
    laid = {**values, name: _replaced(values[name], index, lambda tensor: _memory(tensor, strides))}

    def through(arguments: Values) -> object:
        viewed = _replaced(arguments[name], index, lambda memory: memory.as_strided(shape, strides))
        return call({**arguments, name: viewed})

    return through, laid


def _replaced(value: object, index: int, change: Callable[[torch.Tensor], torch.Tensor]) -> object:
    count = itertools.count()
    return map_tensors(value, lambda tensor: change(tensor) if next(count) == index else tensor)


def _keeps(call: Call, values: Values, grad: frozenset[str], name: str, index: int) -> tuple[bool | None, Run | None]:
    """Whether a call keeps an input, by consequence: its counter is bumped, and backward must complain. None: not to be told."""
    try:
        run = Run(call, values, grad, False)
    except CallError:
        return None, None
    if not run.roots():
        return None, run
    torch.autograd.graph.increment_version(tensors_in(run.values[name])[index].detach())
    error = run.backward()
    return (None, run) if error and "modified by an inplace operation" not in error else (bool(error), run)


def watch(call: Call, values: Values, units: Sequence[frozenset[str]], written: Sequence[str]) -> Relaid:
    """Runs a call with each of its inputs laid out in other ways. units: what may require grad, one by one."""
    everything = frozenset[str]().union(*units)
    slots = {name: tensors_in(value) for name, value in values.items() if tensors_in(value) and name not in written}
    ranks = {name: tensors[0].dim() for name, tensors in slots.items()}
    kept: list[Kept] = []
    lying: dict[int, list[Lying]] = {}
    for name, tensors in slots.items():
        if name == "out" or (name.startswith("self.") and (tensors[0].dim() < 2 or len(slots) > MOST_OWN)):
            continue
        for index, tensor in enumerate(tensors[:ELEMENTS]):
            if tensor.layout is not torch.strided or tensor.numel() < 2 or tensor.is_quantized:
                continue
            found: list[Kept] = []
            for strides in (tuple(tensor.stride()), *strides_of(tensor.shape)):
                through, laid = _laid(call, values, name, index, strides)
                answer, run = _keeps(through, laid, everything, name, index)
                if run is not None:
                    given = _given(slots, name, index, strides)
                    for number, output in enumerate(_outputs(run.out)):
                        lying.setdefault(number, []).append(_lying(output, given))
                if answer is not None:
                    causes = _causes(through, laid, units, name, index) if answer and not found else frozenset[str]()
                    found.append(Kept(name, of_strides(tuple(tensor.shape), strides), answer, ranks, causes))
            kept += found
    return Relaid(tuple(kept), {number: tuple(rows) for number, rows in lying.items()})


def _causes(call: Call, values: Values, units: Sequence[frozenset[str]], name: str, index: int) -> frozenset[str]:
    return frozenset[str]().union(*(unit for unit in units if _keeps(call, values, unit, name, index)[0]))


def _outputs(out: object) -> list[torch.Tensor]:
    """The outputs as `observe` counts them; of several in one, the first."""
    parts = out if isinstance(out, tuple) else (out,)
    found = []
    for part in parts:
        tensors = tensors_in(part)
        if not tensors or tensors[0].layout is not torch.strided:
            break
        found.append(tensors[0])
    return found


Given = Sequence[tuple[torch.Size, tuple[int, ...]]]


def _given(slots: Mapping[str, Sequence[torch.Tensor]], name: str, index: int, strides: tuple[int, ...]) -> Given:
    """The shapes and strides of all inputs, one of them laid out otherwise."""
    return [
        (tensor.shape, strides if (slot, at) == (name, index) else tensor.stride())
        for slot, tensors in slots.items()
        for at, tensor in enumerate(tensors)
        if tensor.layout is torch.strided
    ]


def _lying(output: torch.Tensor, given: Given) -> Lying:
    first = next(((shape, strides) for shape, strides in given if shape == output.shape), None)
    follows = None
    if first is not None:
        like = torch.empty_like(_empty(*first))
        follows = _alike(output.shape, output.stride(), like.stride())
    dense = all(_empty(*one).is_contiguous() for one in given)
    return Lying(dense, follows, of_strides(tuple(output.shape), output.stride()))


def _empty(shape: Sequence[int], strides: Sequence[int]) -> torch.Tensor:
    return torch.empty_strided(shape, strides, device="meta")


def _alike(shape: Sequence[int], one: Sequence[int], other: Sequence[int]) -> bool:
    return all(a == b for a, b, size in zip(one, other, shape, strict=True) if size > 1)
