"""What ``derivatives.yaml`` and ``native_functions.yaml`` say of an op: saves with their guards, writes, views.

Used to check what was observed. Observation wins where they differ: most differences come from composite
kernels and from values that backward reads but that are saved as private copies.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from inplace_lint.opmodel.schema import Output, Save, Variant
from tools.opmodel.signatures import Signature


@dataclass(frozen=True)
class Stated:
    """What the YAML files state of one native function, in the schema's names (``self``, not ``input``)."""

    saves: tuple[Save, ...]
    writes: tuple[str, ...]
    views: str | None
    has_formula: bool
    differentiable: tuple[str, ...]
    outputs: int


@cache
def stated() -> Mapping[str, Stated]:
    """Statements by native name with overload: ``mul.Tensor``."""
    import torchgen
    from torchgen.api.autograd import match_differentiability_info
    from torchgen.gen import parse_native_yaml

    loader = importlib.import_module("torchgen.packaged.autograd.load_derivatives")
    root = Path(torchgen.__file__).parent / "packaged"
    native, tags = str(root / "ATen/native/native_functions.yaml"), str(root / "ATen/native/tags.yaml")
    infos, _ = loader.load_derivatives(str(root / "autograd/derivatives.yaml"), native, tags)
    functions = parse_native_yaml(native, tags).native_functions
    found = {}
    for pair in match_differentiability_info(list(functions), infos):
        info = pair.info["Default"] if pair.info and "Default" in pair.info else None
        found[str(pair.func.func.name)] = _statement(pair.func, info)
    return found


def _statement(function: Any, info: Any) -> Stated:
    arguments = function.func.arguments.flat_all
    writes = tuple(a.name for a in arguments if a.annotation is not None and a.annotation.is_write)
    returned = [r.annotation for r in function.func.returns if r.annotation is not None and not r.annotation.is_write]
    views = None
    for argument in arguments:
        if argument.annotation is not None and returned and not argument.annotation.is_write:
            views = argument.name
    saves: list[Save] = []
    if info is not None and info.has_derivatives:
        in_place = function.func.kind().name == "inplace"
        for attribute in info.all_saved_inputs:
            name = _tensor_name(attribute)
            if name is not None and not (in_place and name == "self"):  # kept as a private copy
                saves.append(Save(name, _guard(info, attribute)))
        names = [
            r.name or (f"result{i}" if len(function.func.returns) > 1 else "result")
            for i, r in enumerate(function.func.returns)
        ]
        for attribute in info.all_saved_outputs:
            name = _tensor_name(attribute)
            if name is not None:
                position = names.index(name) if name in names else 0
                saves.append(Save(f"result{position or ''}"))
    formula = info is not None and info.has_derivatives
    differentiable = tuple(str(argument.name) for argument in info.args_with_derivatives) if formula else ()
    return Stated(tuple(saves), writes, views, formula, differentiable, len(function.func.returns))


def _tensor_name(attribute: Any) -> str | None:
    text = str(attribute.nctype.type)
    if "Tensor" not in text or "options" in attribute.expr or "(" in attribute.expr:
        return None
    return str(attribute.nctype.name)


def _guard(info: Any, attribute: Any) -> tuple[str, ...]:
    """The one input whose gradient needs a saved input, by the rule of PyTorch's code generator."""
    if "backward" in info.name or len(info.args_with_derivatives) <= 1:
        return ()
    if any("List" in str(argument.type) for argument in info.args_with_derivatives):
        return ()
    used = [derivative for derivative in info.derivatives if attribute in derivative.saved_inputs]
    if len(used) != 1:
        return ()
    if len(used[0].var_names) != 1:
        match = re.search(rf"wrap_opt_if\({attribute.nctype.name}, *grad_input_mask\[(\d+)\]", used[0].formula)
        return (used[0].var_names[int(match.group(1))],) if match else ()
    return (str(used[0].var_names[0]),)


def disagreements(dotted: str, native: str, variants: Sequence[Variant]) -> list[str]:
    """Where what was observed of a native function differs from what the YAML files state."""
    statement = stated().get(native)
    if statement is None or not variants:
        return []
    first = variants[0].params[0].name if variants[0].params else ""
    # Only functions call it ``input``; a few native ops have an ``input`` of their own.
    own = any(save.what == "input" for save in statement.saves) or "input" in statement.differentiable
    rename = {first: "self"} if first == "input" and not own else {}
    found = []

    def python(names: Iterable[str]) -> set[str]:
        return {rename.get(name, name) for name in names}

    writes = python(name for variant in variants for name in variant.writes)
    if writes != set(statement.writes) - {"out"}:
        found.append(f"{dotted} ({native}): writes {sorted(writes)} observed, {sorted(statement.writes)} stated")
    seen = {(rename.get(s.what, s.what), frozenset(python(s.guard))) for variant in variants for s in variant.saves}
    if statement.has_formula:
        said = {(save.what, frozenset(save.guard)) for save in statement.saves}
        if {what for what, _ in seen} != {what for what, _ in said}:
            found.append(f"{dotted} ({native}): saves {_text(seen)} observed, {_text(said)} stated")
        elif seen != said:
            found.append(f"{dotted} ({native}): guards {_text(seen)} observed, {_text(said)} stated")
    views = any(output.kind == "view" for variant in variants for output in variant.outputs)
    if views != (statement.views is not None):
        found.append(f"{dotted} ({native}): {'a view' if views else 'no view'} observed, the other stated")
    return found


def _text(saves: set[tuple[str, frozenset[str]]]) -> str:
    return (
        ", ".join(sorted(f"{what} if {' '.join(sorted(guard))}" if guard else what for what, guard in saves))
        or "nothing"
    )


def derived(signature: Signature) -> Variant | None:
    """A variant from the YAML files alone, for an overload that could not be run; None where they state nothing."""
    statement = stated().get(signature.native or "")
    if statement is None or not (statement.has_formula or statement.writes or statement.views):
        return None
    names = [param.name for param in signature.params]
    rename = {"self": "input"} if "self" not in names and "input" in names else {}

    def python(name: str) -> str:
        return rename.get(name, name)

    if any(python(name) not in names for name in statement.writes) or "Dimname" in str(signature.types):
        return None
    saves = [Save(python(s.what), tuple(python(g) for g in s.guard)) for s in statement.saves]
    if statement.writes:
        output = Output("same", python(statement.writes[0]))
    elif statement.views:
        output = Output("view", python(statement.views), multi=signature.returns_list)
    else:
        output = Output("new", multi=signature.returns_list, differentiable=statement.has_formula)
    return Variant(
        params=signature.params,
        outputs=(output,) * max(1, statement.outputs if not statement.writes else 1),
        saves=tuple(save for save in saves if save.what in names or save.what.startswith("result")),
        writes=tuple(python(name) for name in statement.writes),
        differentiable=tuple(python(name) for name in statement.differentiable if python(name) in names),
        frees=bool(saves),
    )
