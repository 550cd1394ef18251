"""As Pylint's ``parseable`` format, for tools that read that."""

from __future__ import annotations

from .report import Report
from .words import on_one_line, sentence


def render(report: Report) -> str:
    """``path:row: [CODE] message``; the row is 1 in a notebook, whose rows count within cells."""
    return "".join(
        f"{on_one_line(report.shown(found.span.filename))}:{found.span.start.row if found.cell is None else 1}: "
        f"[{found.code}] {sentence(found)}\n"
        for found in report.diagnostics
    )
