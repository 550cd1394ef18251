"""From what single calls did to variants: split on constants that matter, join over everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from inplace_lint.opmodel.schema import REQUIRED, Output, Param, Save, Variant
from tools.opmodel import laying
from tools.opmodel.observe import OutputSeen, Seen
from tools.opmodel.samples import PROBABILITIES, SIZES, is_ones

OTHER = "<other>"
OTHERS = "others"


@dataclass(frozen=True)
class Evidence:
    """All calls seen of one signature, and the parameters whose constant, changed alone, changed what happened."""

    params: tuple[Param, ...]
    seen: tuple[Seen, ...]
    causal: tuple[str, ...]
    returns_list: bool = False
    defaults: Mapping[str, object] = field(default_factory=dict)

    def default(self, name: str) -> object:
        """The constant that holds where a call says nothing."""
        if name in self.defaults:
            return self.defaults[name]
        return next((param.default for param in self.params if param.name == name), REQUIRED)


def variants(evidence: Evidence, given: tuple[tuple[str, object], ...] = ()) -> list[Variant]:
    """The variants of one signature, those of default constants first."""
    pieces = {len(seen.outputs) for seen in evidence.seen if all(output.kind == "view" for output in seen.outputs)}
    if len(pieces) > 1 or any(output.multi_view for seen in evidence.seen for output in seen.outputs):
        evidence = replace(evidence, returns_list=True)
    return [
        join(evidence.params, group, evidence.returns_list, when)
        for when, group in _split(evidence, list(evidence.seen), given)
    ]


def _category(evidence: Evidence, name: str, seen: Seen) -> object:
    value = seen.constants.get(name, evidence.default(name))
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)) and value == 0 and name in PROBABILITIES:
        return value
    if name in SIZES and is_ones(value):
        return tuple(value) if isinstance(value, list) else value
    return OTHER


def _split(
    evidence: Evidence, group: list[Seen], when: tuple[tuple[str, object], ...]
) -> list[tuple[tuple[tuple[str, object], ...], list[Seen]]]:
    done = {name for name, _ in when}
    for name in evidence.causal:
        if name in done:
            continue
        parts: dict[object, list[Seen]] = {}
        for seen in group:
            parts.setdefault(_category(evidence, name, seen), []).append(seen)
        if len(parts) < 2:
            continue
        joined = {key: join(evidence.params, part, evidence.returns_list, ()) for key, part in parts.items()}
        if len({(_essence(variant), _counts(parts[key])) for key, variant in joined.items()}) < 2:
            continue
        default = evidence.default(name)
        keys = sorted(
            (key for key in parts if key != OTHER), key=lambda key: (key != default, key == "advanced", str(key))
        )
        found = []
        for key in keys:
            found += _split(evidence, parts[key], (*when, (name, key)))
        if OTHER in parts:
            smaller = replace(evidence, causal=tuple(c for c in evidence.causal if c != name))
            found += _split(smaller, parts[OTHER], when)
        return found
    return [(when, group)]


def _counts(group: Sequence[Seen]) -> frozenset[int]:
    """How many results flags ask for (``unique``); the number of views a split makes depends on no flag."""
    if any(output.kind == "view" for seen in group for output in seen.outputs):
        return frozenset()
    return frozenset(len(seen.outputs) for seen in group)


def _essence(variant: Variant) -> object:
    return (
        tuple((o.kind, o.of, o.maybe, o.multi, o.multi_view, o.differentiable) for o in variant.outputs),
        frozenset(variant.saves),
        variant.differentiable,
        variant.writes,
        variant.silent_writes,
    )


def join(
    params: tuple[Param, ...], group: Sequence[Seen], returns_list: bool, when: tuple[tuple[str, object], ...]
) -> Variant:
    """One variant that covers every call of a group."""
    order = [param.name for param in params]
    nodes = Counter(seen.node for seen in group if seen.node is not None)
    writing = [seen for seen in group if seen.writes]
    return Variant(
        params=params,
        outputs=_outputs(group, returns_list, params),
        saves=_saves(group, order),
        writes=_ordered(order, (name for seen in group for name in seen.writes)),
        differentiable=_ordered(order, (name for seen in group for name in seen.differentiable)),
        when=when,
        node=nodes.most_common(1)[0][0] if nodes else None,
        frees=any(seen.frees for seen in group),
        private_copy=_ordered(order, (name for seen in group for name in seen.private)),
        metadata=any(seen.metadata for seen in writing) and all(seen.metadata is not False for seen in writing),
        expanded_ok={seen.expanded_ok for seen in writing} - {None} == {True},
        silent_writes=_ordered(order, (name for seen in group for name in seen.silent)),
    )


def _ordered(order: Sequence[str], names: Iterable[str]) -> tuple[str, ...]:
    found = set(names)
    return tuple(name for name in order if name in found)


def _saves(group: Sequence[Seen], order: Sequence[str]) -> tuple[Save, ...]:
    whats = {what for seen in group for what in seen.saves}
    # What is kept only if it lies otherwise than samples do: a batch that comes first, and is turned within.
    turned = {row.what: row.causes for seen in group for row in seen.relaid.kept if row.kept and row.what not in whats}
    found = []
    for what in sorted(whats, key=lambda what: (order.index(what) if what in order else len(order), what)):
        saving = [seen for seen in group if what in seen.saves]
        anyone = all(not seen.saves[what] or seen.saves[what] == frozenset(seen.differentiable) for seen in saving)
        guard: tuple[str, ...] = (
            () if anyone else _ordered(order, (name for seen in saving for name in seen.saves[what]))
        )
        if any(what in seen.others for seen in saving) and all(
            what in seen.others for seen in saving if seen.several(what)
        ):
            guard = (*(name for name in guard if name != what), OTHERS)
        if what.startswith("result") or (copied := laying.copied(what, group)) is None:
            copied = ()
        found.append(Save(what, guard, all(what in seen.views for seen in saving), copied))
    for what, causes in turned.items():
        copied = laying.copied(what, group)
        if copied:
            everyone = {name for seen in group for name in seen.differentiable}
            found.append(Save(what, () if causes >= everyone else _ordered(order, causes), False, copied))
    return tuple(
        sorted(found, key=lambda save: (order.index(save.what) if save.what in order else len(order), save.what))
    )


def _outputs(group: Sequence[Seen], returns_list: bool, params: Sequence[Param]) -> tuple[Output, ...]:
    lengths = {len(seen.outputs) for seen in group if any(o.kind != "none" for o in seen.outputs)}
    if returns_list or len(lengths) > 1 or any(_one_for_one(seen) for seen in group):
        members = [(seen, output) for seen in group for output in seen.outputs if output.kind != "none"]
        if members:
            multi = returns_list or any(len(seen.outputs) > 1 or any(o.multi for o in seen.outputs) for seen in group)
            return (_output(members, params, multi, None),)
    length = max((len(seen.outputs) for seen in group), default=1)
    found = []
    for index in range(length):
        members = [(seen, seen.outputs[index]) for seen in group if index < len(seen.outputs)]
        tensors = [(seen, output) for seen, output in members if output.kind != "none"]
        found.append(_output(tensors or members, params, any(o.multi for _, o in tensors), index))
    return tuple(found)


def _one_for_one(seen: Seen) -> bool:
    """Whether a call returned as many tensors as it was given in one list, and nothing else (``broadcast_tensors``).

    What takes other tensors too returns as many by chance: a cell of an LSTM takes two states and returns two.
    """
    nested = any(output.multi for output in seen.outputs)
    lists = [name for name, count in seen.counts.items() if count == len(seen.outputs)]
    return len(seen.outputs) > 1 and not nested and list(seen.inputs) == lists


def _count(members: Sequence[tuple[Seen, OutputSeen]]) -> int | None:
    """How many tensors an output that is a tuple of its own holds, where every call gave as many."""
    counts = {output.count for _, output in members}
    return counts.pop() if len(counts) == 1 else None


def _output(
    members: Sequence[tuple[Seen, OutputSeen]], params: Sequence[Param], multi: bool, index: int | None
) -> Output:
    kinds = {output.kind for _, output in members}
    if kinds == {"none"}:
        return Output("none", differentiable=False)
    aliases = kinds - {"new", "none"}
    kind: Any = "new"
    maybe: Any = None
    of = None
    if aliases:
        kind = next(k for k in ("view", "same", "detached", "data", "array") if k in aliases)
        of = Counter(output.of for _, output in members if output.kind == kind).most_common(1)[0][0]
        if "new" in kinds:
            maybe = _reason(members, of)
    return Output(
        kind=kind,
        of=of,
        maybe=maybe,
        multi=multi,
        count=_count(members) if multi else None,
        multi_view=any(output.multi_view for _, output in members),
        differentiable=any(output.differentiable for _, output in members),
        dtype=_dtype_rule(members),
        shape=_shape_rule(members),
        expanded=any(output.expanded for _, output in members),
        breaks_contiguity=any(output.breaks_contiguity for _, output in members),
        layout=_layout(members, params, kind, index),
    )


def _layout(members: Sequence[tuple[Seen, OutputSeen]], params: Sequence[Param], kind: str, index: int | None) -> str:
    if kind == "view":
        defaults = {param.name: param.default for param in params}
        names = [param.name for param in params if param.kind == "other"]
        return laying.of_view(members, names, defaults.get)
    if kind != "new":
        return ""
    rows = [
        row
        for seen in {id(seen): seen for seen, _ in members}.values()
        for number, several in seen.relaid.outputs.items()
        if index in (None, number)
        for row in several
    ]
    return laying.of_new(rows) if rows else ""


def _reason(members: Sequence[tuple[Seen, OutputSeen]], of: str | None) -> str:
    """What decides whether an output aliases: the first explanation that fits every call, or dtype if it fits most."""
    rows = []
    for seen, output in members:
        if of is not None and of in seen.inputs:
            dtype, shape, contiguous = seen.inputs[of]
            rows.append((output.kind != "new", output.dtype == dtype, output.shape == shape, contiguous))
    scores = {
        "dtype": sum(alias == same_dtype for alias, same_dtype, _, _ in rows),
        "contiguous": sum(alias or not contiguous for alias, _, _, contiguous in rows),
        "shape": sum(alias == same_shape for alias, _, same_shape, _ in rows),
    }
    for reason, score in scores.items():
        if score == len(rows):
            return reason
    if scores["dtype"] >= 0.75 * len(rows) and any(not same_dtype for _, same_dtype, _, _ in rows):
        return "dtype"
    return "values"


def _dtype_rule(members: Sequence[tuple[Seen, OutputSeen]]) -> Any:
    rows = [(list(seen.inputs.values()), output.dtype) for seen, output in members if output.dtype]
    if not rows:
        return "unknown"
    outs = {out for _, out in rows}
    with_inputs = [(inputs, out) for inputs, out in rows if inputs]
    if outs == {"torch.bool"} and not all(inputs and inputs[0][0] == "torch.bool" for inputs, _ in rows):
        return "bool"
    if all("int" in out for out in outs) and not all(inputs and "int" in inputs[0][0] for inputs, _ in rows):
        return "int"
    if all("complex" in out for out in outs) and any("complex" not in inputs[0][0] for inputs, _ in with_inputs):
        return "complex"
    if with_inputs and len(with_inputs) == len(rows):
        if all(out == _promoted([dtype for dtype, _, _ in inputs]) for inputs, out in rows):
            return "promote"
        if all(out == inputs[0][0] for inputs, out in rows):
            return "same"
    if all("float" in out or "complex" in out for out in outs):
        return "float"
    return "unknown"


def _promoted(dtypes: Sequence[str]) -> str:
    result = getattr(torch, dtypes[0].removeprefix("torch."))
    for dtype in dtypes[1:]:
        result = torch.promote_types(result, getattr(torch, dtype.removeprefix("torch.")))
    return str(result)


def _shape_rule(members: Sequence[tuple[Seen, OutputSeen]]) -> Any:
    rows = [
        ([shape for _, shape, _ in seen.inputs.values()], output.shape)
        for seen, output in members
        if output.shape is not None
    ]
    if not rows or all(shape == () and shapes[:1] in ([], [()]) for shapes, shape in rows):
        return "unknown"
    if all(shape == () for _, shape in rows) and any(shapes and shapes[0] != () for shapes, _ in rows):
        return "scalar"
    if all(shapes and shapes[0] == shape for shapes, shape in rows):
        return "same"
    try:
        if all(shapes and tuple(torch.broadcast_shapes(*shapes)) == shape for shapes, shape in rows):
            return "broadcast"
    except RuntimeError:
        pass
    return "unknown"
