"""Runs one call under real autograd and writes down what it did.

A save is established by its consequence: the call is recorded, the tensor's version counter is bumped, and backward
must complain of an in-place modification. Saved-tensor hooks only narrow down which tensors are worth that test. Everything
else (writes, aliases, silent writes, what is differentiable) is compared before and after.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from inplace_lint.domain.layouts import Layout, of_strides
from tools.opmodel.relayout import NOTHING_RELAID, Relaid, watch
from tools.opmodel.running import Call, CallError, Run, Values, map_tensors, tensors_in, version_of

MANY = 16


@dataclass(frozen=True)
class OutputSeen:
    """One output of one call; field meanings as in the schema. before, after: of a view, how its base lies and how it does."""

    kind: str
    of: str | None = None
    multi: bool = False
    count: int | None = None
    multi_view: bool = False
    differentiable: bool = False
    dtype: str = ""
    shape: tuple[int, ...] | None = None
    expanded: bool = False
    breaks_contiguity: bool = False
    before: Layout | None = None
    after: Layout | None = None


@dataclass(frozen=True)
class Seen:
    """What one call did. ``saves`` maps what was saved to the parameters that, requiring grad alone, caused it."""

    constants: Mapping[str, object]
    outputs: tuple[OutputSeen, ...]
    saves: Mapping[str, frozenset[str]]
    views: frozenset[str]
    others: frozenset[str]
    present: tuple[str, ...]
    differentiable: tuple[str, ...]
    writes: tuple[str, ...]
    silent: tuple[str, ...]
    private: tuple[str, ...]
    metadata: bool | None
    expanded_ok: bool | None
    frees: bool
    node: str | None
    inputs: Mapping[str, tuple[str, tuple[int, ...], bool]]
    counts: Mapping[str, int]
    relaid: Relaid = NOTHING_RELAID

    def several(self, name: str) -> bool:
        """Whether a parameter held two tensors or more."""
        return self.counts.get(name, 1) > 1

    def behaviour(self) -> object:
        """The part that must be the same for two calls to count as one variant."""
        return (
            tuple((o.kind, o.of, o.multi, o.multi_view, o.differentiable) for o in self.outputs),
            tuple(sorted((what, guard) for what, guard in self.saves.items())),
            self.differentiable,
            self.writes,
            self.silent,
        )


def _storage(tensor: torch.Tensor) -> int:
    try:
        return int(tensor.untyped_storage()._cdata)
    except (RuntimeError, NotImplementedError):
        return 0


def _shares(a: torch.Tensor, b: torch.Tensor) -> bool:
    return _storage(a) == _storage(b) != 0 and a.untyped_storage().nbytes() > 0


def _same_place(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and a.stride() == b.stride() and a.storage_offset() == b.storage_offset()


def observe(call: Call, values: Values, constants: Values, relay: bool = True) -> Seen:
    """Runs a call in all the ways needed and returns what was seen; raises `CallError` where the call itself raises.

    relay: with inputs that lie otherwise, too.

    ``values`` are the arguments by parameter name, ``constants`` those of them that hold no tensor.
    """
    slots = [name for name, value in values.items() if tensors_in(value)]
    floats = [n for n in slots if any(t.is_floating_point() or t.is_complex() for t in tensors_in(values[n]))]
    plain = Run(call, values, frozenset(), False)
    writes, silent, metadata = _writes(plain)
    runs: dict[frozenset[str], Run] = {}
    for unit in _units(floats):
        try:
            run = Run(call, values, unit, True)
        except CallError:
            continue
        if run.roots():
            runs[unit] = run
    units = tuple(runs)
    everything = frozenset[str]().union(*units)
    differentiable = tuple(name for name in floats if name in everything)
    if len(units) > 1:
        runs[everything] = Run(call, values, everything, True)
    full = runs.get(everything) or _with_grad(call, values, frozenset(floats)) or plain
    saves: dict[str, set[str]] = {}
    views: dict[str, bool] = {}
    private: set[str] = set()
    for grad, run in runs.items():
        for what, through_view in _candidates(run, writes).items():
            if _confirmed(call, values, grad, what):
                causes = saves.setdefault(what, set())
                if grad in units:
                    causes.update(grad)
                views[what] = views.get(what, True) and through_view
        private |= _private_copies(run, writes)
    frees = False
    if differentiable:
        run = Run(call, values, everything, False)
        frees = run.backward() == "" and "second time" in run.backward()
    roots = full.roots()  # before the aliasing tests bump counters
    node = _node(full, roots)
    outputs = _outputs(full, call, values, everything)
    inputs = {}
    for name in slots:
        first = tensors_in(values[name])[0]
        inputs[name] = (str(first.dtype), tuple(first.shape), _contiguous(first))
    return Seen(
        constants=constants,
        outputs=outputs,
        saves={what: frozenset(causes) for what, causes in saves.items()},
        views=frozenset(what for what, through in views.items() if through),
        others=frozenset(what for what in saves if _only_for_others(call, values, what)),
        present=tuple(slots),
        differentiable=differentiable,
        writes=writes,
        silent=silent,
        private=tuple(sorted(private)),
        metadata=metadata,
        expanded_ok=_writes_expanded(call, values, writes) if metadata is not True else None,
        frees=frees,
        node=node,
        inputs=inputs,
        counts={name: len(tensors_in(values[name])) for name in slots},
        relaid=watch(call, values, units, writes) if differentiable and relay else NOTHING_RELAID,
    )


def _with_grad(call: Call, values: Values, grad: frozenset[str]) -> Run | None:
    try:
        return Run(call, values, grad, False)
    except CallError:
        return None


def _node(run: Run, roots: list[torch.Tensor]) -> str | None:
    """The name of the last node that the call itself recorded."""
    for root in roots:
        if root.grad_fn is not None and all(root.grad_fn is not before for before in run.history):
            return str(root.grad_fn.name())
    return None


def _units(names: list[str]) -> list[frozenset[str]]:
    """What to let require grad on its own: every tensor; where a module owns dozens, those that it owns together."""
    if len(names) <= MANY:
        return [frozenset([name]) for name in names]
    own = frozenset(name for name in names if name.startswith("self."))
    return [*(frozenset([name]) for name in names if name not in own), own]


def _contiguous(tensor: torch.Tensor) -> bool:
    return tensor.layout is torch.strided and tensor.is_contiguous()


def _equal(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    try:
        return bool(torch.equal(a, b) or torch.allclose(a, b, rtol=0, atol=0, equal_nan=True))
    except (RuntimeError, NotImplementedError):
        return True


def _writes(run: Run) -> tuple[tuple[str, ...], tuple[str, ...], bool | None]:
    """Parameters written, those changed with no trace, and whether only shape or strides changed (None: unclear)."""
    writes: list[str] = []
    silent: list[str] = []
    moves: list[bool | None] = []
    for name, value in run.values.items():
        rows = list(zip(tensors_in(value), run.old[name], run.versions[name], run.places[name], strict=True))
        bumped = [(t, old, place) for t, old, version, place in rows if version_of(t) != version]
        if bumped:
            writes.append(name)
            moves += [_only_moved(*row) for row in bumped]
        elif any(not _equal(t.detach(), old) for t, old, _, _ in rows):
            silent.append(name)
    metadata = False if False in moves else True if True in moves else None
    return tuple(writes), tuple(silent), metadata


def _only_moved(tensor: torch.Tensor, old: torch.Tensor, place: object) -> bool | None:
    if tensor.numel() != old.numel() or tensor.layout is not torch.strided:
        return False
    flat = [t.detach().reshape(-1) for t in (tensor, old)]
    moved = (tensor.shape, tensor.stride()) != place
    if moved and not tensor.is_complex():
        flat = [t.sort().values for t in flat]
    if not _equal(*flat):
        return False
    return True if moved else None


def _writes_expanded(call: Call, values: Values, writes: tuple[str, ...]) -> bool | None:
    """Whether the call may write where several elements share one place; None where it cannot be asked."""
    written = [tensor for name in writes for tensor in tensors_in(values[name])]
    if not written or not all(t.layout is torch.strided and any(size > 1 for size in t.shape) for t in written):
        return None
    torch.default_generator.manual_seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(
                {name: map_tensors(value, _expand if name in writes else torch.clone) for name, value in values.items()}
            )
    except Exception as error:
        return False if "single memory location" in str(error) else None
    return True


def _expand(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of the same shape whose elements share one place along its first dimension larger than one."""
    dim = next(dim for dim, size in enumerate(tensor.shape) if size > 1)
    return tensor.detach().narrow(dim, 0, 1).clone().expand(tensor.shape)


def _targets(run: Run) -> dict[str, list[torch.Tensor]]:
    targets = {name: tensors_in(value) for name, value in run.values.items() if tensors_in(value)}
    outputs = run.out if isinstance(run.out, tuple) else (run.out,)
    if len(outputs) > 4 or isinstance(run.out, list):
        outputs = (run.out,)
    for position, output in enumerate(outputs):
        found = tensors_in(output)
        if found:
            targets[f"result{position or ''}"] = found
    return targets


def _candidates(run: Run, writes: tuple[str, ...]) -> dict[str, bool]:
    """What may have been saved -> whether only a view of it was."""
    found: dict[str, bool] = {}
    for saved in run.saved:
        owners = []
        for what, tensors in _targets(run).items():
            owners += [(what, not _same_place(saved, tensor)) for tensor in tensors if _shares(saved, tensor)]
        inputs = [owner for owner in owners if not owner[0].startswith("result")]
        results = [owner for owner in owners if owner[0].startswith("result")]
        # An in-place op's self and result are one object: what backward can still read is the result.
        keep = inputs if inputs and not any(name in writes for name, _ in inputs) else results or inputs
        for what, through_view in keep[:1] if keep is results else keep:
            found[what] = found.get(what, True) and through_view
    return found


def _confirmed(call: Call, values: Values, grad: frozenset[str], what: str) -> bool:
    try:
        run = Run(call, values, grad, False)
    except CallError:
        return False
    for tensor in _targets(run).get(what, []):
        torch.autograd.graph.increment_version(tensor.detach())
    return "modified by an inplace operation" in run.backward()


def _only_for_others(call: Call, values: Values, what: str) -> bool:
    """Whether an element of a list is saved for the gradients of the other elements alone (``einsum``)."""
    elements = values.get(what)
    if not isinstance(elements, (list, tuple)) or len(elements) < 2:
        return False
    for index, element in enumerate(elements):
        if not isinstance(element, torch.Tensor):
            return False
        split: dict[str, object] = {f"{what}[{i}]": e for i, e in enumerate(elements)}
        rest = {name: value for name, value in values.items() if name != what}

        def joined(arguments: Values, split: Values = split, rest: Values = rest) -> object:
            whole = [arguments[name] for name in split]
            return call({**{name: arguments[name] for name in rest}, what: whole})

        if _confirmed(joined, {**rest, **split}, frozenset([f"{what}[{index}]"]), f"{what}[{index}]"):
            return False
    return True


def _private_copies(run: Run, writes: tuple[str, ...]) -> set[str]:
    found = set()
    for name in writes:
        for old, tensor in zip(run.old[name], tensors_in(run.values[name]), strict=True):
            for saved in run.saved:
                if not _shares(saved, tensor) and saved.shape == old.shape and _equal(saved.detach(), old):
                    found.add(name)
    return found


def _outputs(full: Run, call: Call, values: Values, grad: frozenset[str]) -> tuple[OutputSeen, ...]:
    out = full.out
    if isinstance(out, tuple) and not isinstance(out, torch.Size) and tensors_in(out):
        return tuple(_output(full, item, (index,), call, values, grad) for index, item in enumerate(out))
    return (_output(full, out, (), call, values, grad),)


def _output(
    run: Run, value: object, path: tuple[int, ...], call: Call, values: Values, grad: frozenset[str]
) -> OutputSeen:
    if isinstance(value, (list, tuple)) and tensors_in(value):
        first = _output(run, tensors_in(value)[0], (*path, -1), call, values, grad)
        differentiable = any(t.requires_grad for t in tensors_in(value))
        count = len(tensors_in(value)) if path else None
        return OutputSeen(**{**first.__dict__, "multi": True, "count": count, "differentiable": differentiable})
    if isinstance(value, np.ndarray):
        for name, argument in run.values.items():
            for tensor in tensors_in(argument):
                plain = tensor.detach()
                if tensor.layout is torch.strided and np.shares_memory(value, plain.numpy()):
                    return OutputSeen("array", name)
        return OutputSeen("none")
    if not isinstance(value, torch.Tensor):
        return OutputSeen("none")
    array = _array_behind(run, value)
    if array is not None:
        return OutputSeen("array", array, dtype=str(value.dtype), shape=tuple(value.shape))
    kind, of = "new", None
    source: torch.Tensor | None = None
    for name, argument in run.values.items():
        for tensor in tensors_in(argument):
            if value is tensor:
                kind, of, source = "same", name, tensor
    if of is None:
        for name, argument in run.values.items():
            for tensor in tensors_in(argument):
                if of is None and _shares(value, tensor):
                    of, source = name, tensor
                    kind = _alias_kind(value, tensor)
    multi_view = False
    if kind == "view" and value.requires_grad:
        multi_view = _rejects_write(call, values, grad, path)
    expanded = breaks = False
    before = after = None
    if kind in ("view", "same") and source is not None and value.layout is torch.strided:
        expanded = _overlaps(value) and not _overlaps(source)
        breaks = source.is_contiguous() and not value.is_contiguous()
        if source.layout is torch.strided:
            before, after = (of_strides(tuple(t.shape), t.stride()) for t in (source, value))
    return OutputSeen(
        kind=kind,
        of=of,
        multi_view=multi_view,
        differentiable=value.requires_grad,
        dtype=str(value.dtype),
        shape=tuple(value.shape),
        expanded=expanded,
        breaks_contiguity=breaks,
        before=before,
        after=after,
    )


def _array_behind(run: Run, value: torch.Tensor) -> str | None:
    """The argument that is a NumPy array (or buffer) whose memory a tensor uses."""
    for name, argument in run.values.items():
        if isinstance(argument, (np.ndarray, bytearray)) and value.layout is torch.strided:
            memory = np.frombuffer(argument, dtype=np.uint8) if isinstance(argument, bytearray) else argument
            if np.shares_memory(memory, value.detach().numpy()):
                return name
    return None


def _alias_kind(value: torch.Tensor, source: torch.Tensor) -> Literal["view", "detached", "data"]:
    before = version_of(source)
    try:
        torch.autograd.graph.increment_version(value.detach())
    except RuntimeError:
        return "data"
    if version_of(source) == before:
        return "data"
    return "detached" if source.requires_grad and not value.requires_grad else "view"


def _overlaps(tensor: torch.Tensor) -> bool:
    return any(stride == 0 and size > 1 for stride, size in zip(tensor.stride(), tensor.shape, strict=True))


def _rejects_write(call: Call, values: Values, grad: frozenset[str], path: tuple[int, ...]) -> bool:
    run = Run(call, values, grad, False)
    value: Any = run.out
    for index in path:
        value = tensors_in(value)[0] if index == -1 else value[index]
    try:
        value.zero_()
    except RuntimeError as error:
        return "multiple views" in str(error)
    return False
