"""GitLab's code quality report, which merge requests show beside the lines."""

from __future__ import annotations

import json
import os
from typing import Any

from ..diagnostics import Diagnostic, Position, Severity
from ..fingerprints import fingerprints
from .places import absolute, below
from .report import Report
from .words import sentence

CELLS = "marks"
_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(report: Report) -> str:
    """The findings as one JSON array. Paths are relative to the project's folder, which GitLab names in ``CI_PROJECT_DIR``."""
    root = os.environ.get("CI_PROJECT_DIR") or report.directory
    # What the baseline holds is counted among what is alike, or a fingerprint would change with the baseline.
    marks = fingerprints([*report.diagnostics, *report.baselined], report.lines, root)
    entries = [_entry(found, mark, root) for found, mark in zip(report.diagnostics, marks, strict=False)]
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def _entry(found: Diagnostic, fingerprint: str, root: str) -> dict[str, Any]:
    first = Position(1, 1)
    start, end = (found.span.start, found.span.end) if found.cell is None else (first, first)
    return {
        "check_name": found.code,
        "description": f"{found.code}: {sentence(found)}",
        "severity": _SEVERITIES[found.severity],
        "fingerprint": fingerprint,
        "location": {
            "path": below(found.span.filename, root) or absolute(found.span.filename),
            "positions": {
                "begin": {"line": start.row, "column": start.column},
                "end": {"line": end.row, "column": end.column},
            },
        },
    }
