"""A list of objects shaped as Ruff's JSON, for programs."""

from __future__ import annotations

import json
from typing import Any

from ..diagnostics import Diagnostic, Edit, Position, Related, Span
from .places import absolute
from .report import Report


def render(report: Report) -> str:
    """The findings as one JSON array."""
    return json.dumps([as_object(found) for found in report.diagnostics], indent=2, ensure_ascii=False) + "\n"


def as_object(found: Diagnostic) -> dict[str, Any]:
    """One finding as plain data, ready for any format that is JSON inside."""
    return {
        "code": found.code,
        "name": found.name,
        "severity": str(found.severity),
        "message": found.message,
        "filename": absolute(found.span.filename),
        "cell": found.cell,
        **_locations(found.span),
        "related": [_related(step) for step in found.related],
        "assumptions": list(found.assumptions),
        "torch_error": found.torch_error,
        "fix": _fix(found),
        "noqa_row": found.noqa_row,
        "url": found.url,
    }


def _fix(found: Diagnostic) -> dict[str, Any] | None:
    if found.fix is None:
        return None
    message = found.fix.message
    if found.suggestion:
        message += f":\n{found.suggestion}"
    return {
        "applicability": found.fix.applicability,
        "message": message,
        "edits": [_edit(edit) for edit in found.fix.edits],
    }


def _related(step: Related) -> dict[str, Any]:
    return {"message": step.message, **_cell(step.cell), **as_place(step.span)}


def _edit(edit: Edit) -> dict[str, Any]:
    return {"content": edit.content, **_cell(edit.cell), **_locations(edit.span)}


def _cell(cell: int | None) -> dict[str, int]:
    return {} if cell is None else {"cell": cell}


def as_place(span: Span) -> dict[str, Any]:
    """A stretch of a file as plain data: the file's name and the two ends."""
    return {"filename": absolute(span.filename), **_locations(span)}


def _locations(span: Span) -> dict[str, Any]:
    return {"location": _position(span.start), "end_location": _position(span.end)}


def _position(position: Position) -> dict[str, int]:
    return {"row": position.row, "column": position.column}
