"""Corrections by hand, each with its reason: ``overrides.tsv``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from inplace_lint.opmodel.schema import Op, Variant
from tools.opmodel.signatures import native_signatures, stub_signatures

TABLE = Path(__file__).with_name("overrides.tsv")


@dataclass(frozen=True)
class Override:
    """One row: ``field`` is a field of `Variant`, or ``outputs.N.field`` for one of an output."""

    table: str
    spelling: str
    variant: str
    field: str
    value: object
    reason: str


class OverrideError(ValueError):
    """A row of the table is malformed, corrects nothing, or lacks its reason."""


@cache
def overrides() -> Mapping[tuple[str, str], tuple[Override, ...]]:
    """All rows by table and spelling; raises `OverrideError` on a row that is not six columns with a reason."""
    found: dict[tuple[str, str], tuple[Override, ...]] = {}
    for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 6 or not cells[5].strip():
            raise OverrideError(f"{TABLE.name}:{number}: six columns are needed, the last a reason")
        table, spelling, variant, field, value, reason = cells
        row = Override(table, spelling, variant, field, json.loads(value), reason)
        key = (row.table, row.spelling)
        found[key] = (*found.get(key, ()), row)
    return found


def apply(table: str, op: Op) -> Op:
    """An op with its corrections; raises `OverrideError` where one changes nothing, for then it is out of date."""
    for row in overrides().get((table, op.spelling), ()):
        changed = tuple(
            _correct(variant, row) if row.variant in ("*", str(index)) else variant
            for index, variant in enumerate(op.variants)
        )
        if changed == op.variants:
            raise OverrideError(f"{TABLE.name}: {row.spelling} {row.field} is already {row.value!r}; drop the row")
        op = replace(op, variants=changed)
    return op


def stand_ins(table: str, ops: Mapping[str, Op]) -> dict[str, Op]:
    """Ops that cannot be run here and do as another one does (field ``like``), with their own parameters."""
    found: dict[str, Op] = {}
    for (of, spelling), rows in overrides().items():
        for row in rows:
            if of != table or row.field != "like":
                continue
            model = ops.get(str(row.value))
            if model is None or spelling in ops:
                raise OverrideError(f"{TABLE.name}: {spelling} cannot stand in as {row.value!r}")
            signatures = stub_signatures()["method"].get(spelling) or native_signatures()["method"][spelling]
            variants = tuple(replace(model.variants[0], params=signature.params) for signature in signatures)
            found[spelling] = Op(spelling, spelling, variants)
    return found


def _correct(variant: Variant, row: Override) -> Variant:
    if row.field == "like":
        raise OverrideError(f"{TABLE.name}: {row.spelling} was observed after all; drop the row")
    value: Any = tuple(row.value) if isinstance(row.value, list) else row.value
    if not row.field.startswith("outputs."):
        return replace(variant, **{row.field: value})
    _, index, field = row.field.split(".")
    output = variant.outputs[int(index)]
    if field == "maybe" and output.kind == "new":
        return variant
    changes: dict[str, Any] = {field: value, **({"of": None} if value == "new" else {})}
    corrected = replace(output, **changes)
    return replace(variant, outputs=(*variant.outputs[: int(index)], corrected, *variant.outputs[int(index) + 1 :]))
