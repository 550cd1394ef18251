"""Reviewdog's diagnostic format, with suggestions that reviewers can apply. Columns count bytes of UTF-8 here."""

from __future__ import annotations

import json
from typing import Any

from ..diagnostics import Diagnostic, Severity, Span
from .places import absolute, below, joined, utf8_column
from .report import Report
from .words import advice, sentence

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "INFO"}


def render(report: Report) -> str:
    """A diagnostic result; fixes that may be applied are suggestions, others are told in the message."""
    result = {
        "source": {"name": "inplace-lint"},
        "severity": "WARNING",
        "diagnostics": [_diagnostic(found, report) for found in report.diagnostics],
    }
    return json.dumps(result, indent=2, ensure_ascii=False) + "\n"


def _diagnostic(found: Diagnostic, report: Report) -> dict[str, Any]:
    suggestions = _suggestions(found, report)
    message = "\n".join([sentence(found), *advice(found, code=not suggestions)])
    entry: dict[str, Any] = {
        "message": message,
        "location": _location(found.span, report) if found.cell is None else {"path": _path(found.span, report)},
        "severity": _SEVERITIES[found.severity],
        "code": {"value": found.code, **({"url": found.url} if found.url else {})},
    }
    if suggestions:
        entry["suggestions"] = suggestions
    if found.related and found.cell is None:
        entry["related_locations"] = [
            {"message": step.message, "location": _location(step.span, report)} for step in found.related
        ]
    return entry


def _suggestions(found: Diagnostic, report: Report) -> list[dict[str, Any]]:
    """The fix as one suggestion: several would be offered one by one, and each alone breaks the code."""
    fix = found.fix
    if fix is None or not fix.edits or fix.applicability == "display-only" or found.cell is not None:
        return []
    edit = joined(fix.edits, report)
    if edit is None or edit.span.filename != found.span.filename:
        return []
    return [{"range": _range(edit.span, report), "text": edit.content}]


def _location(span: Span, report: Report) -> dict[str, Any]:
    return {"path": _path(span, report), "range": _range(span, report)}


def _path(span: Span, report: Report) -> str:
    return below(span.filename, report.directory) or absolute(span.filename)


def _range(span: Span, report: Report) -> dict[str, Any]:
    lines = report.lines(span.filename)
    return {
        end: {"line": position.row, "column": utf8_column(position, lines)}
        for end, position in (("start", span.start), ("end", span.end))
    }
