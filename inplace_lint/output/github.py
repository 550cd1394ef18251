"""Workflow commands of GitHub Actions: each finding becomes an annotation on the line of a pull request."""

from __future__ import annotations

from ..diagnostics import Diagnostic, Severity
from .places import absolute
from .report import Report
from .words import advice, place, sentence, story

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
# What GitHub's own toolkit escapes: in values, what would end a line; in properties, what separates them too.
_IN_VALUE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(report: Report) -> str:
    """A line for each finding; its text has the story and what to write instead as further lines."""
    return "".join(_command(found, report) for found in report.diagnostics)


def _command(found: Diagnostic, report: Report) -> str:
    properties = {
        "title": f"inplace-lint ({found.code})",
        "file": absolute(found.span.filename),
        **_position(found),
    }
    written = ",".join(f"{key}={str(value).translate(_IN_PROPERTY)}" for key, value in properties.items())
    more = [*story(found, report), *advice(found)]
    text = "\n".join([f"{place(found, report)}: {found.code} {sentence(found)}", *(f"  {line}" for line in more)])
    return f"::{_LEVELS[found.severity]} {written}::{text.translate(_IN_VALUE)}\n"


def _position(found: Diagnostic) -> dict[str, int]:
    """Rows and columns, as far as GitHub takes them: no columns for several rows, and none of the rows of a cell."""
    start, end = found.span.start, found.span.end
    if found.cell is not None:
        return {"line": 1, "col": 1, "endLine": 1, "endColumn": 1}
    if start.row != end.row:
        return {"line": start.row, "endLine": end.row}
    return {"line": start.row, "col": start.column, "endLine": end.row, "endColumn": end.column}
