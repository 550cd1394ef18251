"""Turns spellings into rows: binds samples to signatures, varies constants, observes, infers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from inplace_lint.opmodel.schema import REQUIRED, Op, Output, Param, ParamKind, Variant
from tools.opmodel import infer
from tools.opmodel.by_hand import by_hand
from tools.opmodel.capture import overheard, wrapped_names
from tools.opmodel.derivatives import derived, disagreements
from tools.opmodel.observe import Seen, observe
from tools.opmodel.running import CallError, map_tensors, tensors_in
from tools.opmodel.samples import Sample, alternatives, pool, ranked_pool, synthetic
from tools.opmodel.signatures import BindError, Signature, bind
from tools.opmodel.spellings import Spelling

FLIP_BASES = 3


def caller(function: Callable[..., Any], signature: Signature) -> Callable[[Mapping[str, object]], object]:
    """A function that takes arguments by parameter name and passes them as Python code would."""

    def call(values: Mapping[str, object]) -> object:
        args: list[object] = []
        kwargs: dict[str, object] = {}
        gap = False
        for param in signature.params:
            if param.name not in values:
                gap = True
                continue
            value = values[param.name]
            if param.star:
                args.extend(value if isinstance(value, (tuple, list)) else [value])
            elif param.keyword_only or gap:
                kwargs[param.name] = value
            else:
                args.append(value)
        return function(*args, **kwargs)

    return call


def _constants(signature: Signature, bound: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in bound.items() if not tensors_in(value)}


def gather(spelling: Spelling) -> list[tuple[Signature, list[Seen], list[str]]]:
    """Observes a spelling on every sample that binds; what was seen by signature, with its causal parameters."""
    bound_by: dict[int, list[dict[str, object]]] = {index: [] for index in range(len(spelling.signatures))}
    ranked: dict[int, list[dict[str, object]]] = {index: [] for index in range(len(spelling.signatures))}
    heard = overheard().get(spelling.function, ())
    for sample in (*heard, *by_hand().get(spelling.dotted, ())):
        _place(spelling, sample, bound_by)
    for name in spelling.pool:
        if heard and name in wrapped_names():
            continue  # its samples are in the order of the wrapper's parameters
        placed = [_place(spelling, sample, bound_by) for sample in pool().get(name, ())]
        for sample in ranked_pool().get(name, ()) if any(placed) else ():
            _place(spelling, sample, ranked)
        if any(placed):
            break
    _seeded(spelling, bound_by)
    found = []
    for index, signature in enumerate(spelling.signatures):
        call = caller(spelling.function, signature)
        seen, bases = _observe_all(call, signature, bound_by[index])
        if not seen:
            for bound in synthetic(signature):
                more, bases = _observe_all(call, signature, [bound])
                seen += more
                if len(seen) >= 2:
                    break
        if not seen:
            continue
        causal = _flip(call, signature, bases, seen)
        if any(one.saves for one in seen):
            # Whether an op keeps its very input may depend on how many dimensions there are.
            seen += _observe_all(call, signature, _unseen(ranked[index], bound_by[index]))[0]
        if all(len(shape) < 2 for one in seen for _, shape, _ in one.inputs.values()):
            seen += _observe_all(call, signature, [_as_matrices(bound) for bound in bound_by[index][:FLIP_BASES]])[0]
        _relayout(call, signature, bases, seen)
        found.append((signature, seen, causal))
    return found


def _seeded(spelling: Spelling, bound_by: dict[int, list[dict[str, object]]]) -> None:
    """What takes a random number generator besides is observed on the samples of the overload that takes none."""
    for index, signature in enumerate(spelling.signatures):
        names = [param.name for param in signature.params]
        if bound_by[index] or "generator" not in names:
            continue
        for other, without in enumerate(spelling.signatures):
            if [param.name for param in without.params] == [name for name in names if name != "generator"]:
                bound_by[index] += [{**bound, "generator": torch.Generator()} for bound in bound_by[other]]


def _unseen(bounds: list[dict[str, object]], before: list[dict[str, object]]) -> list[dict[str, object]]:
    """Those arguments whose tensors have other numbers of dimensions than all before."""

    def ranks(bound: dict[str, object]) -> object:
        return tuple((name, tuple(t.dim() for t in tensors_in(value))) for name, value in sorted(bound.items()))

    seen = {ranks(bound) for bound in before}
    return [bound for bound in bounds if ranks(bound) not in seen]


def _as_matrices(bound: dict[str, object]) -> dict[str, object]:
    """The same arguments with two dimensions more: what has but one lies the same however it is turned."""
    return {
        name: map_tensors(value, lambda tensor: torch.stack([torch.stack([tensor] * 3)] * 2))
        for name, value in bound.items()
    }


def _place(spelling: Spelling, sample: Sample, bound_by: dict[int, list[dict[str, object]]]) -> bool:
    for index, signature in enumerate(spelling.signatures):
        try:
            bound_by[index].append(bind(signature, sample.args, sample.kwargs))
        except BindError:
            continue
        return True
    return False


def _observe_all(
    call: Callable[[Mapping[str, object]], object], signature: Signature, bounds: list[dict[str, object]]
) -> tuple[list[Seen], list[tuple[dict[str, object], Seen]]]:
    seen: list[Seen] = []
    bases: list[tuple[dict[str, object], Seen]] = []
    for bound in bounds:
        try:
            one = observe(call, bound, _constants(signature, bound))
        except CallError:
            continue
        seen.append(one)
        bases.append((bound, one))
    return seen, bases


def _flip(
    call: Callable[[Mapping[str, object]], object],
    signature: Signature,
    bases: list[tuple[dict[str, object], Seen]],
    seen: list[Seen],
) -> list[str]:
    """Varies one constant at a time; adds what is seen to ``seen`` and returns the parameters that mattered."""
    causal: list[str] = []
    for param in signature.params:
        if param.kind in ("tensor", "tensors") or param.name in ("out", "requires_grad"):
            continue
        tried = 0
        for bound, base in bases:
            if tensors_in(bound.get(param.name)):
                continue
            for value in alternatives(param, bound):
                changed = {name: item for name, item in bound.items() if name != param.name}
                if param.default is REQUIRED or value != param.default or type(value) is not type(param.default):
                    changed[param.name] = value
                try:
                    one = observe(call, changed, _constants(signature, changed), relay=False)
                    if one.behaviour() != base.behaviour():
                        one = observe(call, changed, _constants(signature, changed))
                except CallError:
                    continue
                tried += 1
                seen.append(one)
                if one.behaviour() != base.behaviour() and param.name not in causal:
                    causal.append(param.name)
            if tried >= FLIP_BASES:
                break
    # Flags that select a behaviour come before those that only shape it.
    return sorted(causal, key=lambda name: (name != "inplace", name not in ("training", "train"), causal.index(name)))


def _relayout(
    call: Callable[[Mapping[str, object]], object],
    signature: Signature,
    bases: list[tuple[dict[str, object], Seen]],
    seen: list[Seen],
) -> None:
    """Where an output aliases an input, runs again with that input laid out differently, or of another dtype."""
    tried = 0
    for bound, base in bases:
        of = next((output.of for output in base.outputs if output.of is not None), None)
        if of is None:
            # A conversion returns its very input where nothing is left to convert.
            of = next(iter(base.inputs), None)
            out = base.outputs[0].dtype
            converted = bound.get(of) if of is not None else None
            if isinstance(converted, torch.Tensor) and out and out != str(converted.dtype) and tried < 2:
                target = getattr(torch, out.removeprefix("torch."))
                tried += _try(call, signature, {**bound, str(of): converted.detach().to(target)}, seen)
            continue
        tensor = bound.get(of) if of is not None else None
        if not isinstance(tensor, torch.Tensor) or tensor.layout is not torch.strided or tensor.numel() == 0:
            continue
        changes = [tensor.to(torch.float32)] if tensor.dtype is torch.float64 else []
        if base.outputs[0].kind == "view" and tensor.dim() == 2 and 1 in tensor.shape:
            # A single row is contiguous however it is turned.
            changes.append(tensor.repeat([3 if size == 1 else 1 for size in tensor.shape]))
        if tensor.dim() >= 2:
            changes.append(
                tensor.permute(*reversed(range(tensor.dim()))).contiguous().permute(*reversed(range(tensor.dim())))
            )
        for change in changes:
            tried += _try(call, signature, {**bound, str(of): change}, seen)
        if tried >= 2 * FLIP_BASES:
            return


def _try(
    call: Callable[[Mapping[str, object]], object], signature: Signature, bound: dict[str, object], seen: list[Seen]
) -> int:
    try:
        seen.append(observe(call, bound, _constants(signature, bound)))
    except CallError:
        return 0
    return 1


def refine(signature: Signature, seen: list[Seen]) -> tuple[Param, ...]:
    """Parameter kinds of untyped Python functions, from what samples passed."""
    params = []
    for param in signature.params:
        kind: ParamKind = param.kind
        holds = any(param.name in one.present for one in seen)
        if kind.startswith("tensor") and any(one.several(param.name) for one in seen):
            kind = "tensors"
        elif kind == "other" and holds and not signature.types.get(param.name):
            number = any(isinstance(one.constants.get(param.name), (int, float, complex)) for one in seen)
            kind = (
                "tensors"
                if param.star
                else "tensor|number"
                if number
                else "tensor?"
                if param.default is None
                else "tensor"
            )
        params.append(replace(param, kind=kind))
    return tuple(params)


def display_name(spelling: Spelling) -> str:
    """What messages call an op: its own name, for operators that of the op they stand for (``div`` for ``/``)."""
    return spelling.pool[2] if spelling.name.startswith("__") else spelling.name


def _number_or_tensor(variants: list[Variant]) -> list[Variant]:
    """Joins variants that differ in one operand being a tensor or a number only; if what is kept differs, number first.

    An operand of unknown kind then gets the reading that claims less.
    """
    found = list(variants)
    for number in variants:
        for tensor in variants:
            name = _only_difference(tensor, number)
            if name is None or number not in found or tensor not in found:
                continue
            left = {save.what for save in tensor.saves if save.what != name and set(save.guard) != {name}}
            kept = {save.what for save in number.saves}
            same = [(o.kind, o.of, o.maybe) for o in tensor.outputs] == [
                (o.kind, o.of, o.maybe) for o in number.outputs
            ]
            if kept == left and same and number.frees == tensor.frees and number.expanded_ok == tensor.expanded_ok:
                params = tuple(replace(p, kind="tensor|number") if p.name == name else p for p in tensor.params)
                outputs = tuple(map(_join_shapes, tensor.outputs, number.outputs))
                found[found.index(tensor)] = replace(tensor, params=params, outputs=outputs)
                found.remove(number)
            elif kept <= left and found.index(number) > found.index(tensor):
                found.remove(number)
                found.insert(found.index(tensor), number)
    return found


def _indistinct(variants: list[Variant]) -> list[Variant]:
    """Variants that arguments cannot tell apart (``dim`` an int or a tuple) promise no more than each of them does."""

    def face(variant: Variant) -> object:
        return [(p.name, p.kind) for p in variant.params], variant.when

    found = []
    for variant in variants:
        outputs = variant.outputs
        for other in variants:
            if other is not variant and face(other) == face(variant) and len(other.outputs) == len(outputs):
                outputs = tuple(map(_join_layouts, outputs, other.outputs))
        found.append(replace(variant, outputs=outputs))
    return found


def _join_shapes(tensor: Output, number: Output) -> Output:
    if tensor.layout != number.layout:
        # Of lines alone it cannot be seen how they lie, nor of samples that move nothing how it is moved.
        kinds = {tensor.layout, number.layout}
        told = sorted(kinds - ({""} if tensor.kind == "new" else {"same"}))
        unclear = "open" if tensor.kind == "new" else ""
        tensor = replace(tensor, layout=told[0] if len(told) == 1 else unclear)
    broadcast = (tensor.shape, number.shape) == ("broadcast", "same")
    return tensor if broadcast or tensor.shape == number.shape else replace(tensor, shape="unknown")


def _join_layouts(one: Output, other: Output) -> Output:
    return replace(
        _join_shapes(one, other),
        expanded=one.expanded or other.expanded,
        breaks_contiguity=one.breaks_contiguity or other.breaks_contiguity,
    )


def _only_difference(tensor: Variant, number: Variant) -> str | None:
    """The parameter that is a tensor here and a number there, everything else being declared alike."""
    if len(tensor.params) != len(number.params) or tensor.writes != number.writes or tensor.when or number.when:
        return None
    differing = [(a, b) for a, b in zip(tensor.params, number.params, strict=True) if a != b]
    if len(differing) != 1:
        return None
    a, b = differing[0]
    alike = (a.name, a.default) == (b.name, b.default) and (a.kind, b.kind) == ("tensor", "number")
    return a.name if alike else None


@dataclass
class Notes:
    """What a run of the generator has to tell: disagreements with the YAML files, overloads taken from them unseen."""

    disagreements: list[str] = field(default_factory=list)
    derived: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def op(spelling: Spelling, dotted: str, notes: Notes) -> Op | None:
    """The row of a spelling; None where nothing could be run."""
    found: list[Variant] = []
    gathered = gather(spelling)
    if not gathered:
        notes.missing.append(spelling.dotted)
        return None
    observed = {id(signature): (seen, causal) for signature, seen, causal in gathered}
    for signature in spelling.signatures:
        if id(signature) not in observed:
            variant = derived(signature) if not signature.deprecated else None
            if variant is not None:
                found.append(variant)
                notes.derived.append(f"{spelling.dotted} ({signature.native})")
            continue
        seen, causal = observed[id(signature)]
        evidence = infer.Evidence(refine(signature, seen), tuple(seen), tuple(causal), signature.returns_list)
        variants = infer.variants(evidence)
        found += variants
        if signature.native is not None:
            notes.disagreements += disagreements(spelling.dotted, signature.native, variants)
    found = _indistinct(_number_or_tensor(found))
    if spelling.space == "torch.nn.init":
        found = [replace(variant, no_grad=True) for variant in found]
    return Op(dotted, display_name(spelling), tuple(found))


def property_op(name: str) -> Op | None:
    """The row of a property that holds a tensor (or shares memory); None where it never does."""
    signature = Signature((Param("self", "tensor"),), {"self": "Tensor"})
    seen: list[Seen] = []
    for bound in synthetic(signature):
        tensor = bound["self"]
        if not isinstance(tensor, torch.Tensor):
            continue
        try:
            seen.append(observe(lambda values: getattr(values["self"], name), {"self": tensor}, {}))
        except CallError:
            continue
    if all(output.kind == "none" for one in seen for output in one.outputs):
        return None
    evidence = infer.Evidence(signature.params, tuple(seen), (), False)
    return Op(name, name, tuple(infer.variants(evidence)))
