"""The text form of the op model's rows: one line a spelling, a name and a JSON object.

A line is ``spelling<TAB>json``. Inside the JSON, three small notations keep rows readable in a diff:

*parameter*  ``name:kind``, with ``=default`` (a Python literal, or ``...`` where it is no constant), ``*`` before the
             name of a star parameter, and a lone ``*`` before the first keyword-only one.
*save*       ``what``, ``what if a b`` (guarded by ``a`` or ``b``), with `` via view`` where a view of it is kept, and behind each
             semicolon a rule by which a copy is: ``folded``, ``folded beside other 1 2`` (if ``other`` has 1 or 2 dimensions).
*output*     an object that holds only the fields that differ from the defaults of `Output`.
"""

from __future__ import annotations

import json
from ast import literal_eval
from typing import Any, cast

from inplace_lint.opmodel.schema import (
    REQUIRED,
    Copied,
    ModuleOp,
    Op,
    OptimizerRow,
    Output,
    Param,
    ParamKind,
    Save,
    TensorAttribute,
    Variant,
)

_OUTPUT_FIELDS = tuple(Output.__dataclass_fields__)
_DEFAULT_OUTPUT = Output()
_LITERALS: dict[str, object] = {"None": None, "True": True, "False": False, "...": ..., "1": 1, "0": 0}


def decode_default(text: str) -> object:
    """The value of a default's text: a constant, a float that has no literal (``inf``), or ``...``."""
    if text in _LITERALS:
        return _LITERALS[text]
    if text in ("inf", "-inf", "nan"):
        return float(text)
    return literal_eval(text)


def encode_default(value: object) -> str:
    """The text of a default, as `decode_default` reads it; what is no constant becomes ``...``."""
    if isinstance(value, (bool, int, float, complex, str, type(None))) and type(value).__module__ == "builtins":
        return repr(value)
    if isinstance(value, (tuple, list)):
        parts = [encode_default(item) for item in value]
        if "..." not in parts:
            return "(" + "".join(part + ", " for part in parts).rstrip(" ") + ")" if parts else "()"
    return "..."


def decode_params(entries: list[str]) -> tuple[Param, ...]:
    """Parameters from their notation."""
    params: list[Param] = []
    keyword_only = False
    for entry in entries:
        if entry == "*":
            keyword_only = True
            continue
        head, equals, default = entry.partition("=")
        name, _, kind = head.partition(":")
        star = name.startswith("*")
        params.append(
            Param(
                name=name[1:] if star else name,
                kind=cast(ParamKind, kind),
                default=decode_default(default) if equals else REQUIRED,
                keyword_only=keyword_only,
                star=star,
            )
        )
    return tuple(params)


def encode_params(params: tuple[Param, ...]) -> list[str]:
    """The notation of parameters; raises ValueError where a positional one follows a keyword-only one."""
    entries: list[str] = []
    keyword_only = False
    for param in params:
        if param.keyword_only and not keyword_only:
            keyword_only = True
            entries.append("*")
        elif keyword_only and not param.keyword_only:
            raise ValueError(f"positional parameter {param.name!r} after a keyword-only one")
        default = "" if param.default is REQUIRED else "=" + encode_default(param.default)
        entries.append(f"{'*' if param.star else ''}{param.name}:{param.kind}{default}")
    return entries


def decode_save(text: str) -> Save:
    """A save from its notation."""
    text, *copied = text.split("; ")
    through_view = text.endswith(" via view")
    what, _, guard = text.removesuffix(" via view").partition(" if ")
    return Save(what, tuple(guard.split()), through_view, tuple(map(_decode_copied, copied)) if copied else ())


def _decode_copied(text: str) -> Copied:
    rule, _, where = text.partition(" beside ")
    if not where:
        return Copied(rule)
    beside, *ranks = where.split()
    return Copied(rule, beside, tuple(map(int, ranks)))


def encode_save(save: Save) -> str:
    """The notation of a save."""
    guard = f" if {' '.join(save.guard)}" if save.guard else ""
    copied = "".join(f"; {_encode_copied(one)}" for one in save.copied)
    return f"{save.what}{guard}{' via view' if save.through_view else ''}{copied}"


def _encode_copied(copied: Copied) -> str:
    return copied.rule + (f" beside {copied.beside} {' '.join(map(str, copied.ranks))}" if copied.beside else "")


def _decode_variant(row: dict[str, Any]) -> Variant:
    return Variant(
        params=decode_params(row["params"]),
        outputs=tuple(Output(**output) for output in row["outputs"]),
        saves=tuple(decode_save(save) for save in row.get("saves", ())),
        writes=tuple(row.get("writes", ())),
        differentiable=tuple(row.get("differentiable", ())),
        when=tuple((name, _untuple(value)) for name, value in row.get("when", ())),
        node=row.get("node"),
        frees=row.get("frees", True),
        no_grad=row.get("no_grad", False),
        private_copy=tuple(row.get("private_copy", ())),
        metadata=row.get("metadata", False),
        expanded_ok=row.get("expanded_ok", False),
        silent_writes=tuple(row.get("silent_writes", ())),
    )


def _untuple(value: object) -> object:
    return tuple(_untuple(item) for item in value) if isinstance(value, list) else value


def _encode_variant(variant: Variant) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if variant.when:
        row["when"] = [[name, value] for name, value in variant.when]
    row["params"] = encode_params(variant.params)
    row["outputs"] = [
        {
            name: getattr(output, name)
            for name in _OUTPUT_FIELDS
            if getattr(output, name) != getattr(_DEFAULT_OUTPUT, name)
        }
        for output in variant.outputs
    ]
    if variant.saves:
        row["saves"] = [encode_save(save) for save in variant.saves]
    for name in ("writes", "silent_writes", "differentiable", "private_copy"):
        if getattr(variant, name):
            row[name] = list(getattr(variant, name))
    if variant.node is not None:
        row["node"] = variant.node
    if not variant.frees:
        row["frees"] = False
    for name in ("no_grad", "metadata", "expanded_ok"):
        if getattr(variant, name):
            row[name] = True
    return row


def decode_op(spelling: str, text: str) -> Op:
    """An op from the JSON of its line."""
    row = json.loads(text)
    return Op(spelling, row["name"], tuple(_decode_variant(variant) for variant in row["variants"]))


def encode_op(op: Op) -> str:
    """The JSON of an op's line."""
    return _dump({"name": op.name, "variants": [_encode_variant(variant) for variant in op.variants]})


def decode_module(spelling: str, text: str) -> ModuleOp:
    """A module class from the JSON of its line."""
    row = json.loads(text)
    return ModuleOp(
        spelling=spelling,
        name=row["name"],
        init=decode_params(row["init"]),
        parameters=tuple((name, switch) for name, switch in row["parameters"]),
        buffers=tuple(row["buffers"]),
        variants=tuple(_decode_variant(variant) for variant in row["variants"]),
    )


def encode_module(module: ModuleOp) -> str:
    """The JSON of a module class's line."""
    return _dump(
        {
            "name": module.name,
            "init": encode_params(module.init),
            "parameters": [[name, switch] for name, switch in module.parameters],
            "buffers": list(module.buffers),
            "variants": [_encode_variant(variant) for variant in module.variants],
        }
    )


def decode_optimizer(spelling: str, text: str) -> OptimizerRow:
    """An optimizer class from the JSON of its line."""
    row = json.loads(text)
    return OptimizerRow(spelling, decode_params(row["init"]), row["fused"])


def encode_optimizer(row: OptimizerRow) -> str:
    """The JSON of an optimizer class's line."""
    return _dump({"init": encode_params(row.init), "fused": row.fused})


def decode_attribute(spelling: str, text: str) -> TensorAttribute:
    """A tensor's attribute from the JSON of its line."""
    row = json.loads(text)
    return TensorAttribute(spelling, row["called"], tuple(row["also"]))


def encode_attribute(row: TensorAttribute) -> str:
    """The JSON of a tensor's attribute's line."""
    return _dump({"called": row.called, "also": list(row.also)})


def _dump(row: dict[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":"), ensure_ascii=True)
