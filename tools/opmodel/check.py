"""Compares shipped rows with what the installed PyTorch does.

Two directions: every call that PyTorch's samples lead to must be covered by the variant that the row offers for it, and
everything that a variant claims must have been witnessed by some call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import torch

from inplace_lint.opmodel.schema import REQUIRED, ModuleOp, Op, Output, Param, Variant
from tools.opmodel import build, laying, modules, overrides
from tools.opmodel.infer import OTHERS
from tools.opmodel.observe import OutputSeen, Seen
from tools.opmodel.spellings import Spelling


def select(variants: Sequence[Variant], seen: Seen, defaults: Mapping[str, object]) -> Variant | None:
    """The first variant whose parameters bind and whose conditions are met, as the linter would choose.

    A tensor goes to a parameter of a tensor kind if any variant has one there, else to ``other`` (``torch.tensor(x)``).
    """
    return _select(variants, seen, defaults, True) or _select(variants, seen, defaults, False)


def _select(variants: Sequence[Variant], seen: Seen, defaults: Mapping[str, object], strict: bool) -> Variant | None:
    for variant in variants:
        params = {param.name: param for param in variant.params}
        names = {*seen.present, *(name for name in seen.constants if name not in defaults)}
        if not names <= set(params):
            continue
        if any(
            p.default is REQUIRED and not p.star and p.name not in names and "." not in p.name for p in variant.params
        ):
            continue
        if not all(_fits(params[name], seen, strict) for name in names):
            continue
        if all(_meets(name, value, params, seen, defaults) for name, value in variant.when):
            return variant
    return None


def _fits(param: Param, seen: Seen, strict: bool) -> bool:
    if param.name in seen.present:
        several = seen.several(param.name)
        return param.kind in (("tensors",) if several else ("tensor", "tensor?", "tensor|number", "tensors")) or (
            param.kind == "other" and not strict
        )
    value = seen.constants[param.name]
    if isinstance(value, bool) or value is None:
        return param.kind not in ("tensor", "tensors") or value is None
    if isinstance(value, (int, float, complex)):
        return param.kind in ("number", "tensor|number", "other")
    return param.kind == "other" or (param.kind in ("tensor", "tensors") and isinstance(value, (tuple, list)))


def _meets(name: str, value: object, params: Mapping[str, Param], seen: Seen, defaults: Mapping[str, object]) -> bool:
    if name in seen.present:
        return False
    default = params[name].default if name in params else defaults.get(name, REQUIRED)
    actual = seen.constants.get(name, default)
    actual = tuple(actual) if isinstance(actual, list) else actual
    return type(actual) is type(value) and actual == value if isinstance(value, bool) else actual == value


def compare(
    variants: Sequence[Variant], calls: Iterable[Seen], defaults: Mapping[str, object] | None = None
) -> list[str]:
    """Every way in which calls and variants disagree, in words."""
    found: dict[str, None] = {}
    witnessed: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for seen in calls:
        variant = select(variants, seen, defaults or {})
        if variant is None:
            found[f"no variant for a call with {sorted(seen.present)} and {sorted(seen.constants)}"] = None
            continue
        for text in _uncovered(variant, seen) if not _covered_elsewhere(variants, seen, defaults or {}) else ():
            found[f"{text} (when {dict(variant.when)})" if variant.when else text] = None
        witnessed[id(variant)] |= _facts(seen)
    for variant in variants:
        if id(variant) not in witnessed:
            continue
        for claim in _claims(variant) - witnessed[id(variant)]:
            found[f"claims {claim[0]} {claim[1]}, which no call showed"] = None
    return list(found)


def _covered_elsewhere(variants: Sequence[Variant], seen: Seen, defaults: Mapping[str, object]) -> bool:
    """Whether another variant with the same parameters in another order (a deprecated spelling) covers a call."""
    first = select(variants, seen, defaults)
    names = {param.name for param in first.params} if first is not None else set()
    others = [
        v for v in variants if {param.name for param in v.params} == names and v.params != (first and first.params)
    ]
    return any(not list(_uncovered(variant, seen)) for variant in others)


def _facts(seen: Seen) -> set[tuple[str, str]]:
    facts = {("save", what) for what in seen.saves} | {("save", row.what) for row in seen.relaid.kept if row.kept}
    facts |= {("write", name) for name in seen.writes}
    facts |= {("differentiable", name) for name in seen.differentiable} | {
        ("silent write", name) for name in seen.silent
    }
    return facts | ({("frees", "")} if seen.frees else set())


def _claims(variant: Variant) -> set[tuple[str, str]]:
    claims = {("save", save.what) for save in variant.saves} | {("write", name) for name in variant.writes}
    claims |= {("differentiable", name) for name in variant.differentiable}
    claims |= {("silent write", name) for name in variant.silent_writes}
    return claims | ({("frees", "")} if variant.frees else set())


def _uncovered(variant: Variant, seen: Seen) -> Iterable[str]:
    saves = {save.what: save for save in variant.saves}
    known = {param.name for param in variant.params}
    for what, causes in seen.saves.items():
        if what not in saves and (what in known or what.startswith("result")):
            yield f"saves {what}"
        elif (
            what in saves
            and saves[what].guard
            and not causes & known <= {*saves[what].guard}
            and OTHERS not in saves[what].guard
        ):
            yield f"saves {what} for {sorted(causes)}, guarded by {saves[what].guard}"
    yield from _laid_out(variant, seen)
    for name in (*seen.writes,):
        if name not in variant.writes and name in known:
            yield f"writes {name}"
    for name in seen.silent:
        if name not in variant.silent_writes and name in known:
            yield f"writes {name} silently"
    for name in seen.differentiable:
        if name not in variant.differentiable and name in known:
            yield f"differentiable in {name}"
    if variant.expanded_ok and seen.expanded_ok is False:
        yield "refuses to write to expanded memory"
    if seen.frees and not variant.frees:
        yield "frees its graph"
    if len(variant.outputs) == 1 and variant.outputs[0].multi:
        for output in seen.outputs:
            yield from _output(variant.outputs[0], output, seen)
    elif len(seen.outputs) > len(variant.outputs):
        yield f"{len(seen.outputs)} outputs, not {len(variant.outputs)}"
    else:
        for claimed, output in zip(variant.outputs, seen.outputs, strict=False):
            yield from _output(claimed, output, seen)


def _laid_out(variant: Variant, seen: Seen) -> Iterable[str]:
    """What is claimed of inputs that lie otherwise than samples do, and of how new outputs lie."""
    for save in variant.saves:
        rows = [row for row in seen.relaid.kept if row.what == save.what]
        usual = all(row.kept for row in rows if row.layout.contiguous())
        for row in rows:
            copy = laying.predicted(save.copied, row)
            if copy is not None and copy == row.kept and (usual or row.kept):
                kept = "itself" if row.kept else "as a copy"
                yield f"keeps {save.what} {kept}, lying {row.layout.order} {row.layout.axes}"
    for number, output in enumerate(variant.outputs if not variant.outputs[0].multi else ()):
        for lying in seen.relaid.outputs.get(number, ()) if output.kind == "new" else ():
            if not laying.lies_as(output.layout, lying):
                yield f"output lies otherwise than {output.layout or 'dense'}"


def _output(claimed: Output, seen: OutputSeen, seen_call: Seen) -> Iterable[str]:
    if seen.kind == "none":
        return
    allowed = {claimed.kind}
    if claimed.maybe is not None:
        allowed.add("new")
    if claimed.kind == "view":
        allowed.add("same")
    if seen.kind not in allowed:
        yield f"returns {seen.kind}, not {claimed.kind}"
    if seen.differentiable and not claimed.differentiable:
        yield "returns a differentiable output"
    for flag in ("multi", "multi_view", "expanded", "breaks_contiguity"):
        if getattr(seen, flag) and not getattr(claimed, flag):
            yield f"output is {flag}"
    inputs = list(seen_call.inputs.values())
    if claimed.shape == "scalar" and seen.shape:
        yield "output is no scalar"
    if claimed.shape == "same" and inputs and seen.shape != inputs[0][1]:
        yield "output has another shape than the first input"
    if claimed.shape == "broadcast" and seen.shape != tuple(torch.broadcast_shapes(*(shape for _, shape, _ in inputs))):
        yield "output has not the broadcast shape"
    if claimed.dtype in ("bool", "int") and claimed.dtype not in seen.dtype:
        yield f"output is {seen.dtype}, not {claimed.dtype}"


def check_op(spelling: Spelling, op: Op) -> list[str]:
    """Disagreements between a function's or method's row and PyTorch."""
    calls = [one for _, seen, _ in build.gather(spelling) for one in seen]
    table = "methods" if spelling.space == "method" else "functions"
    corrected = {row.field for row in overrides.overrides().get((table, op.spelling), ())}
    return [
        f"{spelling.dotted}: {text}"
        for text in compare(op.variants, calls)
        if not ("outputs.0.kind" in corrected and text.startswith("returns"))
    ]


def check_module(cls: type[torch.nn.Module], module: ModuleOp) -> list[str]:
    """Disagreements between a module class's row and PyTorch."""
    gathered = modules.gather(modules.becomes(cls))
    defaults: dict[str, object] = {param.name: param.default for param in gathered.subject.init.params} | {
        "training": True
    }
    defaults |= {
        name: REQUIRED for seen in gathered.seen for name in seen.constants if name.endswith(f".{modules.FIRST}")
    }
    return [f"{module.spelling}: {text}" for text in compare(module.variants, gathered.seen, defaults)]
